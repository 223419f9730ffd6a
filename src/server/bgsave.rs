//! Making snapshots: for replicas, on disk or straight to their sockets, and for `SAVE`.
//!
//! One snapshot at a time. A replica that comes while one is being made on disk for another joins
//! it: it is told the same offset, and is given what was written since like the other. One that
//! goes to the sockets cannot be joined. With `repl-diskless-sync` a snapshot is put off for
//! `repl-diskless-sync-delay` seconds, so that others may come.
//!
//! The data is copied in the instant in which a snapshot begins, as a fork does it; it is ready
//! after `rdb-key-save-delay` for each key.
//!
//! Sources: Redis 7.0 `syncCommand`, `startBgsaveForReplication`, `shouldStartChildReplication`,
//! `updateSlavesWaitingBgsave`. Absent on purpose: failing to fork.

use bytes::Bytes;

use super::downstream::{ReplicaSeat, Stage};
use super::outbox::Kind;
use super::timers::Timer;
use super::{ConnId, Server};
use crate::stream::backlog::{Entry, Reader};
use crate::stream::history::ReplId;
use crate::stream::offset::{ByteCount, Offset};
use crate::wire::{Rdb, encode_eof_header, encode_length_header};

/// A snapshot being made.
#[derive(Clone, Debug)]
pub struct Saving {
    target: Target,
    needs: Needs,
    /// Held back until it is ready.
    payload: Bytes,
    initial: Offset,
    /// The mark behind a payload of unknown length.
    mark: [u8; 40],
    /// Whether it is there for replicas, and for nothing when they are gone.
    for_replicas: bool,
    /// Whether it is made; one to the sockets is over only when all of it has left.
    ready: bool,
}

/// Where a snapshot goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A file, for replicas or for nobody.
    Disk,
    /// Straight to the replicas.
    Sockets,
}

/// What a replica needs of a snapshot; those of unlike needs do not share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Needs {
    /// Whether it understands `$EOF`.
    eof: bool,
    /// The format.
    rdb_version: u32,
    /// Whether this connection is there for the snapshot alone.
    rdb_channel: bool,
}

/// The RDB that Valkey 9 gives to a replica that did not say it is at least as new (#2735).
const OLD_RDB: u32 = 11;
const VALKEY_RDB: u32 = 80;

impl Server {
    /// A refused replica gets everything: joins a snapshot, waits for one, or one is begun.
    pub(super) fn full_resync(&mut self, conn: ConnId, legacy: bool) {
        if self.backlog.is_none() {
            self.begin_history();
        }
        let (needs, now) = (self.needs(conn), self.now);
        self.seat(conn, ReplicaSeat::waiting(now, legacy));
        match self.saving.as_ref().map(|saving| (saving.target, saving.needs, saving.initial)) {
            Some((Target::Disk, same, initial)) => match self.registered_replica() {
                Some(other) if same == needs => {
                    self.set_up(conn, initial, Entry::Beside(other.0));
                    self.forget_stream_db();
                    self.log("Waiting for end of BGSAVE for SYNC");
                }
                _ => self.log(
                    "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC",
                ),
            },
            Some((Target::Sockets, ..)) => {
                self.log("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC");
            }
            None if self.config.diskless_sync && needs.eof && self.config.diskless_delay_seconds > 0 => {
                self.log("Delay next BGSAVE for diskless SYNC");
            }
            None => self.begin_snapshot(needs),
        }
    }

    /// Without a backlog writes were not counted, so the old id may stand for two different
    /// datasets at this offset: the history that begins now gets a new one (4.0.3+).
    fn begin_history(&mut self) {
        if self.engine.lifetime.creation_takes_a_byte {
            self.history.end += ByteCount(1);
        }
        if self.engine.lifetime.changes_id && self.upstream.is_none() {
            self.history.replace_id(&mut self.rng);
        }
        self.create_backlog();
        if self.engine.lifetime.changes_id {
            let (id1, id2) = (self.history.replid, self.history.replid2());
            self.log(format!(
                "Replication backlog created, my new replication IDs are '{id1}' and '{id2}'"
            ));
        }
    }

    fn needs(&self, conn: ConnId) -> Needs {
        let announced = self.clients.get(&conn).map(|client| &client.announced);
        let ours = self.engine.rdb_version;
        let is_new = |version: &String| {
            version
                .split('.')
                .next()
                .and_then(|major| major.parse().ok())
                .is_some_and(|n: u32| n >= 9)
        };
        let told = announced.and_then(|announced| announced.version.as_ref());
        let eof = announced.is_some_and(|announced| announced.eof);
        // Only who understands `$EOF` can be given another format than the file's.
        let old = ours >= VALKEY_RDB && eof && !told.is_some_and(is_new);
        let rdb_channel = announced.is_some_and(|announced| announced.channels.is_rdb_channel);
        Needs { eof, rdb_version: if old { OLD_RDB } else { ours }, rdb_channel }
    }

    /// A replica for which changes are being kept since the snapshot that is being made.
    fn registered_replica(&self) -> Option<ConnId> {
        self.members().next()
    }

    fn waiting(&self) -> Vec<ConnId> {
        let waits = |stage: Stage| matches!(stage, Stage::WaitStart { .. });
        self.seats().filter(|(_, seat)| waits(seat.stage)).map(|(conn, _)| conn).collect()
    }

    /// Once a second and whenever one has ended: the next snapshot, if its time has come.
    pub(super) fn start_waiting_snapshot(&mut self) {
        let waiting = self.waiting();
        let Some(first) = waiting.first().filter(|_| self.saving.is_none()) else { return };
        let longest = self.seats().filter_map(|(_, seat)| match seat.stage {
            Stage::WaitStart { since } => Some(self.now.whole_seconds_since(since)),
            _ => None,
        });
        let longest = longest.max();
        let enough = self.config.diskless_max_replicas;
        let due = !self.config.diskless_sync
            || (enough > 0 && waiting.len() as u64 >= enough)
            || longest >= Some(self.config.diskless_delay_seconds);
        if due {
            self.begin_snapshot(self.needs(*first));
        }
    }

    /// Begins a snapshot for all who wait for one of this kind.
    fn begin_snapshot(&mut self, needs: Needs) {
        let differs = needs.rdb_version != self.engine.rdb_version;
        let sockets = needs.eof && (self.config.diskless_sync || differs || needs.rdb_channel);
        let target = if sockets { Target::Sockets } else { Target::Disk };
        let word = if sockets { "replicas sockets" } else { "disk" };
        let using = match (self.engine.dual_channel, needs.rdb_channel) {
            (false, _) => "",
            (true, false) => " using: normal sync",
            (true, true) => " using: dual-channel",
        };
        self.log(format!("Starting BGSAVE for SYNC with target: {word}{using}"));
        let initial = self.history.end;
        let stream_db = self.stream_db;
        // The snapshot itself still says in which database the stream is.
        let payload = self.snapshot_of(needs.rdb_version);
        self.forget_stream_db();
        for conn in self.waiting() {
            if self.needs(conn) == needs && needs.rdb_channel {
                self.set_up_rdb_channel(conn, initial, stream_db);
            } else if self.needs(conn) == needs {
                self.set_up(conn, initial, Entry::Next);
            }
        }
        let mark = self.new_mark();
        let for_replicas = true;
        self.save(Saving { target, needs, payload, initial, mark, for_replicas, ready: false });
    }

    /// A replica comes out of a snapshot in no particular database, so the next write of the one
    /// shared stream says which it is in; for one that joins a running snapshot once more
    /// (`replicationSetupSlaveForFullResync`).
    fn forget_stream_db(&mut self) {
        if self.upstream.is_none() || !self.shares_history() {
            self.stream_db = None;
        }
    }

    fn new_mark(&mut self) -> [u8; 40] {
        let mut mark = [0; 40];
        mark.copy_from_slice(ReplId::random(&mut self.rng).as_str().as_bytes());
        mark
    }

    /// `BGSAVE` for nobody.
    pub(super) fn save_to_disk(&mut self) {
        let rdb_version = self.engine.rdb_version;
        let needs = Needs { eof: false, rdb_version, rdb_channel: false };
        let payload = self.snapshot_of(needs.rdb_version);
        let initial = self.history.end;
        let mark = [0; 40];
        let (target, for_replicas) = (Target::Disk, false);
        self.save(Saving { target, needs, payload, initial, mark, for_replicas, ready: false });
    }

    fn save(&mut self, saving: Saving) {
        self.saving = Some(saving);
        let us = self.config.key_save_delay_us.saturating_mul(self.data.len() as u64);
        if us == 0 {
            self.snapshot_ready();
        } else {
            self.timers.arm(Timer::SnapshotReady, self.now.after_us(us));
        }
    }

    /// The encoded dataset, as it is now.
    fn snapshot_of(&self, version: u32) -> Bytes {
        Bytes::from(Rdb { version, ..self.snapshot() }.encode())
    }

    /// From here on what is written is kept for this replica (`replicationSetupSlaveForFullResync`).
    fn set_up(&mut self, conn: ConnId, initial: Offset, entry: Entry) {
        let name = self.reader(conn).name;
        let id = self.history.replid;
        let Some(seat) = self.replica_seat(conn) else { return };
        seat.stage = Stage::WaitEnd { initial };
        let legacy = seat.legacy;
        if !legacy {
            self.send(conn, Kind::Control, Bytes::from(format!("+FULLRESYNC {id} {initial}\r\n")));
        }
        if let Some(backlog) = &mut self.backlog {
            backlog.attach(Reader { number: conn.0, name }, entry);
        }
    }

    /// It is made: a file is sent to those who wait for it, a stream to the sockets has its end.
    pub(super) fn snapshot_ready(&mut self) {
        let Some(saving) = self.saving.as_mut() else { return };
        saving.ready = true;
        let (target, payload, mark) = (saving.target, saving.payload.clone(), saving.mark);
        let streamed = target == Target::Sockets;
        let members: Vec<ConnId> = self.members().collect();
        for conn in &members {
            let now = self.now;
            if let Some(seat) = self.replica_seat(*conn) {
                (seat.stage, seat.heard) = (Stage::SendBulk { streamed }, now);
            }
            if streamed {
                self.send(*conn, Kind::Snapshot, encode_eof_header(&mark));
                self.send(*conn, Kind::Snapshot, payload.clone());
                self.send(*conn, Kind::Snapshot, Bytes::copy_from_slice(&mark));
            } else {
                self.send(*conn, Kind::Snapshot, encode_length_header(payload.len() as u64));
                self.send(*conn, Kind::Snapshot, payload.clone());
            }
        }
        if !streamed {
            self.log("Background saving terminated with success");
            self.put_on_disk(payload);
        } else {
            self.log("Background RDB transfer terminated with success");
        }
        self.saving = None;
        self.start_waiting_snapshot();
    }

    /// The replicas for which the present snapshot is being made.
    fn members(&self) -> impl Iterator<Item = ConnId> + '_ {
        let waits = |stage: Stage| matches!(stage, Stage::WaitEnd { .. });
        self.seats().filter(move |(_, seat)| waits(seat.stage)).map(|(conn, _)| conn)
    }

    /// Whether a snapshot is being made (`rdb_bgsave_in_progress`).
    #[must_use]
    pub fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// A replica has left: nobody may need the snapshot any more.
    pub(super) fn snapshot_lost_a_replica(&mut self) {
        let needed = |saving: &Saving| saving.for_replicas && self.members().next().is_none();
        if self.saving.as_ref().is_some_and(needed) {
            self.timers.disarm(Timer::SnapshotReady);
            self.saving = None;
            self.log("Background transfer terminated by signal 10");
            self.start_waiting_snapshot();
        }
    }
}
