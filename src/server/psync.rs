//! The master's seat at PSYNC: from the request to the first byte of the answer.
//!
//! The decision itself is pure and stands in `stream::psync`; here are the refusals that come
//! before it, the counters, the log lines, the remedy, and what is sent.

use bytes::Bytes;

use super::downstream::ReplicaSeat;
use super::engine::{Naming, Wording};
use super::outbox::Kind;
use super::{ConnId, Counters, Event, Phase, Server, log};
use crate::random::seeded;
use crate::stream::backlog::{Entry, Reader, Window};
use crate::stream::history::{History, ReplId};
use crate::stream::offset::{ByteCount, BytePos};
use crate::stream::psync::{Decision, FullReason, Request};
use crate::time::Instant;
use crate::wire::encode_length_header;
use crate::wire::parse_integer;
use crate::wire::{CRC64, Rdb};

/// Everything about one answered request.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Who asked.
    pub conn: ConnId,
    /// The same, as logs name it.
    pub peer: String,
    /// What was asked.
    pub request: Request,
    /// The answer.
    pub decision: Decision,
    /// The history that the request was held against.
    pub history: History,
    /// The backlog that it was held against.
    pub window: Option<Window>,
    /// What a full resync costs at this moment, in bytes on the wire.
    pub full_bytes: ByteCount,
    /// The setting that would have made it partial.
    pub remedy: Option<Remedy>,
    /// Whether the full resync is to come on a connection of its own, which is counted then.
    pub two_channels: bool,
    /// What a real server logs.
    pub log_line: String,
    /// INFO's counters afterwards.
    pub counters: Counters,
}

/// The smallest setting that would have made a request partial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// `repl-backlog-size`, in bytes.
    BacklogSize(ByteCount),
    /// `repl-backlog-ttl`, in seconds.
    BacklogTtl(u64),
}

/// A backlog that was freed because nobody came, remembered to say afterwards whether patience
/// would have helped. It decides nothing.
#[derive(Clone, Debug)]
pub struct Forgotten {
    pub replid: ReplId,
    pub window: Window,
    /// When the last replica had left.
    pub since: Instant,
    /// Bytes of writes since then that no backlog heard.
    pub unheard: ByteCount,
}

impl Server {
    /// `PSYNC <id> <offset>`.
    pub(super) fn psync(&mut self, conn: ConnId, argv: &[Bytes]) {
        if let Some(error) = self.take_over(conn, argv) {
            return self.reply_error(conn, error);
        }
        if let Some(error) = self.cannot_sync_now(conn) {
            return self.reply_error(conn, error);
        }
        let peer = self.peer_name(conn);
        self.log(format!("Replica {peer} asks for synchronization"));
        match parse_integer(&argv[2]) {
            Some(pos) => self.answer(conn, Request { replid: argv[1].clone(), pos: BytePos(pos) }),
            None => {
                self.log(format!(
                    "Replica {peer} asks for synchronization but with a wrong offset"
                ));
                self.reply_error(conn, "ERR value is not an integer or out of range");
                if !self.engine.refuses_bad_offset {
                    self.counters.sync_full += 1;
                    self.full_resync(conn, false);
                }
            }
        }
    }

    /// `SYNC`, from before PSYNC existed: everything, without a word about ids.
    pub(super) fn sync(&mut self, conn: ConnId) {
        if let Some(error) = self.cannot_sync_now(conn) {
            return self.reply_error(conn, error);
        }
        let peer = self.peer_name(conn);
        self.log(format!("Replica {peer} asks for synchronization"));
        self.counters.sync_full += 1;
        self.full_resync(conn, true);
    }

    /// The refusals that are not decisions: no counter moves.
    fn cannot_sync_now(&self, conn: ConnId) -> Option<&'static str> {
        if self.failover.is_some() {
            return Some("NOMASTERLINK Can't SYNC while failing over");
        }
        if self.upstream.as_ref().is_some_and(|up| up.phase() != Phase::Connected) {
            // Before 4.0 it was an error like any other, and replicas did not understand "later".
            return Some(match self.engine.relink.understands_later {
                true => "NOMASTERLINK Can't SYNC while not connected with my master",
                false => "ERR Can't SYNC while not connected with my master",
            });
        }
        // A reply still waiting would end up inside the stream.
        let pending = self.outboxes.get(&conn).is_none_or(|outbox| !outbox.is_empty());
        pending.then_some("ERR SYNC and PSYNC are invalid with pending output")
    }

    /// What is kept for the replica on this connection.
    fn window_for(&self, conn: ConnId) -> Option<Window> {
        self.backlog.as_ref()?.ledger().window_for(self.reader(conn).name)
    }

    /// A connection as a reader of the stream.
    pub(super) fn reader(&self, conn: ConnId) -> Reader {
        let told = self.clients.get(&conn).and_then(|client| client.announced.run_id);
        // Where lists are only reckoned beside another way of keeping, a replica is known by where
        // it says that it listens.
        let reckoned = || {
            let place = CRC64.checksum(self.peer_name(conn).as_bytes());
            ReplId::random(&mut seeded(place))
        };
        let name = told.or_else(|| self.compares.then(reckoned));
        Reader { number: conn.0, name }
    }

    fn answer(&mut self, conn: ConnId, request: Request) {
        let history = self.history.clone();
        let window = self.window_for(conn);
        let decision = (self.engine.decide)(&history, window.as_ref(), &request);
        let two_channels = self.wants_two_channels(conn);
        match &decision {
            Decision::Partial { .. } => self.counters.sync_partial_ok += 1,
            Decision::Full { reason } => {
                // On two channels it is counted when the second one asks for it.
                self.counters.sync_full += u64::from(!two_channels);
                self.counters.sync_partial_err += u64::from(reason.counts_as_error());
            }
        }
        let peer = self.peer_name(conn);
        let facts = log::Facts {
            engine: self.engine,
            peer: &peer,
            history: &history,
            window: window.as_ref(),
        };
        let lines = log::decision_lines(&facts, &request, &decision);
        let decided = Decided {
            conn,
            remedy: self.remedy(&request, &decision, window.as_ref()),
            log_line: log::reason_line(&lines, &decision),
            peer,
            two_channels,
            request,
            decision: decision.clone(),
            history,
            window,
            full_bytes: self.full_resync_bytes(),
            counters: self.counters,
        };
        self.tell(Event::Decided(Box::new(decided)));
        for line in lines {
            self.tell(Event::Log(line));
        }
        match decision {
            Decision::Partial { from, .. } => self.continue_from(conn, from),
            Decision::Full { .. } if two_channels => self.ask_for_two_channels(conn),
            Decision::Full { .. } => self.full_resync(conn, false),
        }
    }

    /// `+CONTINUE`, the missing bytes, and from then on the stream.
    fn continue_from(&mut self, conn: ConnId, from: BytePos) {
        let (reader, now) = (self.reader(conn), self.now);
        let Some(client) = self.clients.get(&conn) else { return };
        let line = if client.announced.psync2 && self.engine.naming == Naming::ReplicationId {
            format!("+CONTINUE {}\r\n", self.history.replid)
        } else {
            "+CONTINUE\r\n".to_owned()
        };
        let acked = from.offset_before().unwrap_or_default();
        self.seat(conn, ReplicaSeat::online(acked, now));
        self.send(conn, Kind::Control, Bytes::from(line));
        if let Some(backlog) = &mut self.backlog {
            backlog.attach(reader, Entry::At(from));
        }
        self.main_channel_arrived(conn);
        // A continuation may be more than the limits allow (before 7.0), and is then cut at once.
        self.check_limits_of_all();
    }

    /// The dataset as a snapshot, with the fields that let a reader continue its history.
    #[must_use]
    pub fn snapshot(&self) -> Rdb {
        let name = if self.engine.wording == Wording::Primary { "valkey-ver" } else { "redis-ver" };
        let mut aux = vec![
            (name, self.engine.version.to_owned()),
            ("redis-bits", "64".to_owned()),
            ("ctime", (self.unix_ms() / 1000).to_string()),
        ];
        // A master that nobody follows has no history worth a name, and neither has a replica that
        // has nothing to continue (`rdbPopulateSaveInfo`).
        let named = match &self.upstream {
            None => self.backlog.is_some(),
            Some(upstream) => self.shares_history() && upstream.status().can_resume,
        };
        if named && self.engine.naming == Naming::ReplicationId {
            // A chained replica cannot emit SELECT, so the snapshot says which database its stream
            // is in. Before any SELECT that is 0: the next write brings one.
            let db = self.stream_db.unwrap_or(0);
            aux.push(("repl-stream-db", db.to_string()));
            aux.push(("repl-id", self.history.replid.to_string()));
            aux.push(("repl-offset", self.history.end.to_string()));
        }
        let bytes = |(key, value): (&'static str, String)| (Bytes::from(key), Bytes::from(value));
        Rdb {
            version: self.engine.rdb_version,
            aux: aux.into_iter().map(bytes).collect(),
            entries: self.data.to_entries(),
        }
    }

    /// What a full resync costs now: `$<len>`, header fields, data and checksum.
    fn full_resync_bytes(&self) -> ByteCount {
        let payload = self.snapshot().encoded_len();
        ByteCount(payload) + ByteCount::of(&encode_length_header(payload))
    }

    fn remedy(
        &self,
        request: &Request,
        decision: &Decision,
        window: Option<&Window>,
    ) -> Option<Remedy> {
        let Decision::Full { reason } = decision else { return None };
        if let (FullReason::BeforeBacklog { asked, .. }, Some(_)) = (reason, window) {
            let size = self.backlog.as_ref()?.ledger().size_for(*asked)?;
            return u64::try_from(size)
                .ok()
                .map(|size| Remedy::BacklogSize(ByteCount(size.max(1))));
        }
        let FullReason::UnknownReplid { asked, .. } = reason else { return None };
        let forgotten = self.forgotten.as_ref().filter(|f| f.replid.matches(asked))?;
        // Had the backlog been kept, it would hold what it held then, what nobody heard, and what
        // was written since it exists again; all of it must fit for the TTL alone to help.
        let later = self.history.end.next().0 - forgotten.window.next().0;
        let later = ByteCount(u64::try_from(later).ok()?) + forgotten.unheard;
        let needed = request.pos.until(forgotten.window.next())? + later;
        let helps = request.pos >= forgotten.window.kept_since
            && forgotten.window.serves(request.pos)
            && needed <= forgotten.window.size;
        // Freed at a tick when more than TTL seconds went by, so as many as there were at the last
        // tick would have been enough.
        helps.then(|| Remedy::BacklogTtl(self.last_tick.whole_seconds_since(forgotten.since)))
    }
}

impl Remedy {
    /// The directive and its value, as `CONFIG SET` takes them.
    #[must_use]
    pub fn setting(&self) -> (&'static str, String) {
        match self {
            Remedy::BacklogSize(bytes) => ("repl-backlog-size", bytes.to_string()),
            Remedy::BacklogTtl(seconds) => ("repl-backlog-ttl", seconds.to_string()),
        }
    }
}
