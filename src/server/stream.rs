//! The stream a server writes: into its backlog, and to every replica attached to it.
//!
//! A master writes its own commands, a replica passes on its master's bytes unchanged; both go
//! through [`Server::emit`], so that ids, offsets and bytes are the same along a whole chain.
//!
//! Absent on purpose: who is attached and how far it is (see `downstream`).

use bytes::Bytes;

use super::engine::Naming;
use super::psync::Forgotten;
use super::{ConnId, Server};
use crate::stream::backlog::{Compared, Cut, Keeping};
use crate::stream::offset::{ByteCount, BytePos};
use crate::table::Table;
use crate::time::{Instant, SECOND_US};
use crate::wire::{command_len, encode_command};

impl Server {
    /// Puts a command of this master into the stream, after a SELECT where one is needed.
    ///
    /// Without a backlog nobody is listening and nothing is counted: `master_repl_offset` stands
    /// still (Redis 6.2 `replicationFeedSlaves`), except that with an AOF newer servers count one
    /// for each command.
    pub(super) fn feed(&mut self, db: u32, argv: &[Bytes]) {
        if self.backlog.is_none() {
            return self.unheard(argv);
        }
        self.select(db);
        self.emit(self.unit.encoded(argv), Cut::Arguments);
    }

    pub(super) fn unheard(&mut self, argv: &[Bytes]) {
        if let Some(forgotten) = &mut self.forgotten {
            forgotten.unheard += ByteCount(command_len(argv));
        }
        if self.engine.stream.counts_unheard && self.config.append_only {
            self.history.end += ByteCount(1);
        }
    }

    /// The stream goes on in this database.
    pub(super) fn select(&mut self, db: u32) {
        if self.backlog.is_some() && self.stream_db != Some(db) {
            self.stream_db = Some(db);
            let select = [b"SELECT", db.to_string().as_bytes()].map(Bytes::copy_from_slice);
            self.emit(encode_command(&select), Cut::Whole);
        }
    }

    /// Appends the exact bytes of one command to the history, the backlog and the replicas.
    pub(super) fn emit(&mut self, command: Bytes, cut: Cut) {
        self.command_starts.push(self.history.end.next());
        self.append(&command, cut);
    }

    /// Appends commands that a master sent, as they came, in one piece.
    pub(super) fn pass_on(&mut self, commands: &[Bytes]) {
        let mut next = self.history.end.next();
        for command in commands {
            self.command_starts.push(next);
            next = next + ByteCount::of(command);
        }
        match commands {
            [command] => self.append(command, Cut::Whole),
            _ => self.append(&Bytes::from(commands.concat()), Cut::Whole),
        }
    }

    fn append(&mut self, bytes: &Bytes, cut: Cut) {
        self.history.end += ByteCount::of(bytes);
        let took_memory = self.backlog.as_mut().is_some_and(|backlog| backlog.append(bytes, cut));
        self.trim_command_starts();
        for conn in self.seated.keys() {
            self.ready.insert(*conn, ());
        }
        if took_memory {
            self.check_limits_of_all();
        }
    }

    /// Keeps the starts that the window holds, and the one before it whose command reaches in.
    fn trim_command_starts(&mut self) {
        let first = match self.window() {
            Some(window) => window.first,
            None => self.history.end.next(),
        };
        self.command_starts.trim(first);
        if self.backlog.is_none() {
            self.command_starts.clear();
        }
    }

    /// Starts to keep the history, from the next byte on.
    pub(super) fn create_backlog(&mut self) {
        let (end, size) = (self.history.end, ByteCount(self.config.backlog_bytes));
        let keeping = self.engine.keeping;
        self.backlog = Some(if self.compares {
            Box::new(Compared::new(keeping, end, size))
        } else {
            keeping.retention(end, size)
        });
        self.command_starts.clear();
        self.no_replicas_since = self.now;
    }

    /// Stops keeping the history.
    pub(super) fn free_backlog(&mut self) {
        self.backlog = None;
        self.awaited = Table::default();
        self.command_starts.clear();
    }

    /// Frees the backlog of a master that nobody has followed for longer than the TTL, and takes
    /// a new id: from now on writes are not counted, so an old reader with an equal offset would
    /// wrongly seem up to date (Redis 4.0.3+, `replicationCron`).
    pub(super) fn free_backlog_when_forgotten(&mut self) {
        let ttl = self.config.backlog_ttl_seconds;
        self.forget_absent_replicas(ttl);
        if self.engine.keeping == Keeping::Retained {
            return;
        }
        let attached = self.replicas().next().is_some() || !self.awaited.is_empty();
        let alone = self.upstream.is_none() && !attached;
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
        if self.engine.lifetime.changes_id {
            self.history.replace_id(&mut self.rng);
        }
        self.free_backlog();
        self.log(format!(
            "Replication backlog freed after {ttl} seconds without connected replicas."
        ));
    }

    /// The proposal of 2011 frees each list by itself.
    fn forget_absent_replicas(&mut self, ttl: u64) {
        // Whole seconds, and strictly more of them than the TTL.
        let now_s = self.now.0 / SECOND_US;
        if let (Some(backlog), Some(oldest)) = (&mut self.backlog, now_s.checked_sub(ttl))
            && ttl != 0
        {
            backlog.forget_absent(Instant(oldest * SECOND_US));
        }
    }

    /// Whether this server's history is its master's, as far as it has one (PSYNC2).
    pub(super) fn shares_history(&self) -> bool {
        self.engine.naming == Naming::ReplicationId
    }

    /// The replicas that the stream is sent to.
    pub(super) fn replicas(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.seated.keys().copied()
    }

    /// The kept bytes from `from` on, at most `len`, in one piece.
    #[must_use]
    pub fn kept_bytes(&self, from: BytePos, len: ByteCount) -> Vec<u8> {
        self.backlog().map_or_else(Vec::new, |backlog| backlog.read(from, len))
    }
}
