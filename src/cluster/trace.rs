//! Everything that happened in a run, in order.
//!
//! Invariants: entries are numbered without gaps from the first one kept. Both entries and
//! decisions are kept up to a limit, decisions far longer, so that a page may run for days; how
//! many were dropped is counted.
//!
//! Absent on purpose: the bytes of messages. They are in the backlogs, and in the raw line.

use std::collections::VecDeque;

use serde::Serialize;

use super::decision::DecisionRecord;
use super::digest::Digest;
use super::snapshot::{LinkState, PacketKind};
use crate::time::Instant;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number in the run, from 0.
    pub seq: u64,
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum What {
    /// Bytes were put on a link.
    Message(Message),
    /// A master answered a PSYNC.
    Decision(Box<DecisionRecord>),
    /// A replica's link changed its state.
    Link {
        /// Index of the replica in the snapshot's servers.
        replica: usize,
        /// The new state.
        state: LinkState,
    },
    /// A server logged a line.
    Log {
        /// Index of the server.
        server: usize,
        /// The text, without prefix.
        line: String,
    },
    /// The next byte that an absent replica needs was overwritten.
    Overrun {
        /// Index of the replica.
        replica: usize,
    },
    /// Somebody did something to the world.
    Action {
        /// Index of the server or replica concerned.
        server: usize,
        /// In a few words: `cut link to replica-1`.
        text: String,
    },
}

/// Bytes on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whose link: index of the replica.
    pub replica: usize,
    /// At the other end: index of its master.
    pub master: usize,
    /// Direction.
    pub to_replica: bool,
    /// Kind.
    pub kind: PacketKind,
    /// Size.
    pub bytes: u64,
    /// When it arrives; none when the way was cut, and then it waits for the link to heal.
    pub arrives: Option<Instant>,
    /// As on the wire, made printable: `PSYNC 8f3a… 1264861`, `+CONTINUE`, `SET key:1 …`.
    pub raw: String,
    /// One line of meaning.
    pub meaning: &'static str,
}

/// How many entries are kept besides the decisions: hours of a calm run.
pub const MOST_ENTRIES: usize = 50_000;
/// How many decisions are kept; the oldest go in a piece of a quarter.
pub const MOST_DECISIONS: usize = 4000;

/// The record of a run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    entries: VecDeque<Entry>,
    decisions: Vec<DecisionRecord>,
    dropped_decisions: u64,
    next: u64,
    furthest: Instant,
}

impl Trace {
    /// Takes over what a world wrote. What is known already (the world went back and came again)
    /// is passed over: it is the same.
    pub fn extend(&mut self, now: Instant, entries: Vec<Entry>) {
        self.furthest = self.furthest.max(now);
        for entry in entries {
            if entry.seq < self.next {
                continue;
            }
            self.next = entry.seq + 1;
            if let What::Decision(decision) = &entry.what {
                self.decisions.push(DecisionRecord::clone(decision));
                if self.decisions.len() > MOST_DECISIONS {
                    self.decisions.drain(..MOST_DECISIONS / 4);
                    self.dropped_decisions += MOST_DECISIONS as u64 / 4;
                }
            }
            self.entries.push_back(entry);
            if self.entries.len() > MOST_ENTRIES {
                self.entries.pop_front();
            }
        }
    }

    /// Forgets everything from entry `next` on: the future has changed.
    pub fn cut_off(&mut self, next: u64, now: Instant) {
        self.entries.retain(|entry| entry.seq < next);
        self.decisions.retain(|decision| decision.seq < next);
        self.next = self.next.min(next);
        self.furthest = now;
    }

    /// What happened, oldest first, as far as it is kept.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// What happened from one moment to another, both included.
    pub fn between(
        &self,
        from: Instant,
        to: Instant,
    ) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        let first = self.entries.partition_point(|entry| entry.at < from);
        let end = self.entries.partition_point(|entry| entry.at <= to);
        self.entries.range(first..end.max(first))
    }

    /// Entry number `seq`, if it is kept.
    #[must_use]
    pub fn entry(&self, seq: u64) -> Option<&Entry> {
        let first = self.entries.front()?.seq;
        self.entries.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// The decisions, oldest first, as far as they are kept.
    #[must_use]
    pub fn decisions(&self) -> &[DecisionRecord] {
        &self.decisions
    }

    /// The latest moment that is known.
    #[must_use]
    pub fn furthest(&self) -> Instant {
        self.furthest
    }

    /// How many entries were dropped because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    /// Since when everything is kept; none while nothing was dropped.
    #[must_use]
    pub fn kept_since(&self) -> Option<Instant> {
        self.entries.front().filter(|_| self.dropped() > 0).map(|first| first.at)
    }

    /// How many decisions were dropped because there were too many.
    #[must_use]
    pub fn dropped_decisions(&self) -> u64 {
        self.dropped_decisions
    }

    /// The number that the next entry will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }
}

impl What {
    /// Adds this entry to the digest of a run.
    pub(super) fn feed(&self, at: Instant, digest: &mut Digest) {
        digest.word(at.0);
        match self {
            What::Message(message) => {
                digest.word(1);
                digest.word(message.replica as u64 * 2 + u64::from(message.to_replica));
                digest.word(message.bytes);
                digest.word(message.arrives.map_or(u64::MAX, |at| at.0));
                digest.bytes(message.raw.as_bytes());
            }
            What::Decision(decision) => {
                digest.word(2);
                digest.bytes(decision.replica.as_bytes());
                digest.bytes(decision.log_line.as_bytes());
                digest.word(decision.bytes);
                digest.word(decision.full_bytes);
            }
            What::Link { replica, state } => {
                digest.word(3);
                digest.word(*replica as u64 * 8 + *state as u64);
            }
            What::Log { server, line } => {
                digest.word(4);
                digest.word(*server as u64);
                digest.bytes(line.as_bytes());
            }
            What::Overrun { replica } => {
                digest.word(5);
                digest.word(*replica as u64);
            }
            What::Action { server, text } => {
                digest.word(6);
                digest.word(*server as u64);
                digest.bytes(text.as_bytes());
            }
        }
    }
}
