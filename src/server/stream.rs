//! The stream a server writes: into its backlog, and to every replica attached to it.
//!
//! A master writes its own commands, a replica passes on its master's bytes unchanged; both go
//! through [`Server::emit`], so that ids, offsets and bytes are the same along a whole chain.
//!
//! Absent on purpose: who is attached and how far it is (see `downstream`).

use bytes::Bytes;

use super::downstream::Seat;
use super::outbox::Kind;
use super::psync::Forgotten;
use super::{ConnId, Server};
use crate::stream::backlog::Ring;
use crate::stream::offset::{ByteCount, BytePos};
use crate::wire::{command_len, encode_command};

impl Server {
    /// Puts a command of this master into the stream, after a SELECT where one is needed.
    ///
    /// Without a backlog nobody is listening and nothing is counted: `master_repl_offset` stands
    /// still (Redis 6.2 `replicationFeedSlaves`).
    pub(super) fn feed(&mut self, db: u32, argv: &[Bytes]) {
        if self.backlog.is_none() {
            let unheard = ByteCount(command_len(argv));
            if let Some(forgotten) = &mut self.forgotten {
                forgotten.unheard += unheard;
            }
            return;
        }
        if self.stream_db != Some(db) {
            self.stream_db = Some(db);
            let select = [b"SELECT", db.to_string().as_bytes()].map(Bytes::copy_from_slice);
            self.emit(encode_command(&select));
        }
        self.emit(encode_command(argv));
    }

    /// Appends the exact bytes of one command to the history, the backlog and the replicas.
    pub(super) fn emit(&mut self, command: Bytes) {
        self.command_starts.push_back(self.history.end.next());
        self.history.end += ByteCount::of(&command);
        if let Some(backlog) = &mut self.backlog {
            backlog.append(&command);
        }
        self.trim_command_starts();
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            self.send(conn, Kind::Stream, command.clone());
        }
    }

    /// Keeps the starts that the window holds, and the one before it whose command reaches in.
    fn trim_command_starts(&mut self) {
        let first = match self.window() {
            Some(window) => window.first,
            None => self.history.end.next(),
        };
        while self.command_starts.get(1).is_some_and(|second| *second <= first) {
            self.command_starts.pop_front();
        }
        if self.backlog.is_none() {
            self.command_starts.clear();
        }
    }

    /// Starts to keep the history, from the next byte on.
    pub(super) fn create_backlog(&mut self) {
        let size = ByteCount(self.config.backlog_bytes);
        self.backlog = Some(Box::new(Ring::new(self.history.end, size)));
        self.command_starts.clear();
        self.no_replicas_since = self.now;
    }

    /// Stops keeping the history.
    pub(super) fn free_backlog(&mut self) {
        self.backlog = None;
        self.command_starts.clear();
    }

    /// Frees the backlog of a master that nobody has followed for longer than the TTL, and takes
    /// a new id: from now on writes are not counted, so an old reader with an equal offset would
    /// wrongly seem up to date (Redis 4.0.3+, `replicationCron`).
    pub(super) fn free_backlog_when_forgotten(&mut self) {
        let ttl = self.config.backlog_ttl_seconds;
        let alone = self.upstream.is_none() && self.replicas().next().is_none();
        let waited = self.now.whole_seconds_since(self.no_replicas_since);
        let Some(window) = self.window().filter(|_| alone && ttl != 0 && waited > ttl) else {
            return;
        };
        self.forgotten = Some(Forgotten {
            replid: self.history.replid,
            window,
            since: self.no_replicas_since,
            unheard: ByteCount::ZERO,
        });
        self.history.replace_id(&mut self.rng);
        self.free_backlog();
        self.log(format!(
            "Replication backlog freed after {ttl} seconds without connected replicas."
        ));
    }

    /// The replicas that the stream is sent to.
    pub(super) fn replicas(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.clients
            .iter()
            .filter(|(_, client)| matches!(client.seat, Seat::Replica(_)))
            .map(|(conn, _)| *conn)
    }

    /// The kept bytes from `from` on, at most `len`, in one piece.
    #[must_use]
    pub fn kept_bytes(&self, from: BytePos, len: ByteCount) -> Vec<u8> {
        self.backlog().map_or_else(Vec::new, |backlog| {
            let (older, newer) = backlog.read(from, len);
            [older, newer].concat()
        })
    }
}
