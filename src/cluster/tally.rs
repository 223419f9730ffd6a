//! What a run has cost so far: resyncs, bytes, staleness, memory.
//!
//! The counts are part of the world, so a world that is wound back counts what had happened by
//! then, however long ago the trace forgot it. Two runs are compared by the difference of theirs.

use serde::Serialize;

use super::sim::World;
use super::snapshot::{LinkState, PacketKind};
use crate::time::Instant;

/// The costs of a run until a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Full resyncs decided, the first attach of each replica included.
    pub full_resyncs: u64,
    /// Partial resyncs decided.
    pub partial_resyncs: u64,
    /// Bytes of write stream put on links.
    pub stream_bytes: u64,
    /// Bytes of snapshots put on links.
    pub snapshot_bytes: u64,
    /// The longest time, in microseconds, that a replica which had been in sync was not.
    pub longest_stale_us: u64,
    /// The most memory, in bytes, that one server held at once for those who follow it: its
    /// backlog, and what slow replicas make it keep.
    pub most_memory_bytes: u64,
}

/// Counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    counted: Tally,
    /// Since when each server is out of sync with its master, if it was in sync before.
    stale_since: Vec<Option<Instant>>,
}

impl Meter {
    pub fn decided(&mut self, full: bool) {
        if full {
            self.counted.full_resyncs += 1;
        } else {
            self.counted.partial_resyncs += 1;
        }
    }

    pub fn sent(&mut self, kind: PacketKind, bytes: u64) {
        match kind {
            PacketKind::Stream => self.counted.stream_bytes += bytes,
            PacketKind::Snapshot => self.counted.snapshot_bytes += bytes,
            PacketKind::Control => {}
        }
    }

    pub fn holds(&mut self, bytes: u64) {
        self.counted.most_memory_bytes = self.counted.most_memory_bytes.max(bytes);
    }

    /// The state of a link changed; none is that of a master.
    pub fn link(
        &mut self,
        index: usize,
        before: Option<LinkState>,
        after: Option<LinkState>,
        now: Instant,
    ) {
        if self.stale_since.len() <= index {
            self.stale_since.resize(index + 1, None);
        }
        let since = &mut self.stale_since[index];
        if after == Some(LinkState::Up) || after.is_none() {
            let stale = since.take().map_or(0, |since| now.us_since(since));
            self.counted.longest_stale_us = self.counted.longest_stale_us.max(stale);
        } else if before == Some(LinkState::Up) {
            *since = Some(now);
        }
    }

    fn tally(&self, now: Instant) -> Tally {
        let open = self.stale_since.iter().flatten().map(|since| now.us_since(*since)).max();
        let longest_stale_us = self.counted.longest_stale_us.max(open.unwrap_or(0));
        Tally { longest_stale_us, ..self.counted }
    }
}

impl World {
    /// What was counted until now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.meter.tally(self.now)
    }
}
