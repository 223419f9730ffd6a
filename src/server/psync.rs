//! The master's seat at PSYNC: from the request to the first byte of the answer.
//!
//! The decision itself is pure and stands in `stream::psync`; here are the refusals that come
//! before it, the counters, the log lines, the remedy, and what is sent.

use bytes::Bytes;

use super::downstream::{ReplicaSeat, Seat};
use super::outbox::Kind;
use super::{ConnId, Counters, Event, Phase, Server, log};
use crate::stream::backlog::Window;
use crate::stream::history::{History, ReplId};
use crate::stream::offset::{ByteCount, BytePos};
use crate::stream::psync::{Decision, FullReason, Request, decide, remedy};
use crate::time::Instant;
use crate::wire::Rdb;
use crate::wire::encode_length_header;
use crate::wire::parse_integer;

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
        if let Some(error) = self.cannot_sync_now(conn) {
            return self.reply_error(conn, error);
        }
        let peer = self.peer_name(conn);
        self.log(format!("Replica {peer} asks for synchronization"));
        let Some(pos) = parse_integer(&argv[2]) else {
            return self.reply_error(conn, "ERR value is not an integer or out of range");
        };
        self.answer(conn, Request { replid: argv[1].clone(), pos: BytePos(pos) });
    }

    /// `SYNC`, from before PSYNC existed: everything, without a word about ids.
    pub(super) fn sync(&mut self, conn: ConnId) {
        if let Some(error) = self.cannot_sync_now(conn) {
            return self.reply_error(conn, error);
        }
        let peer = self.peer_name(conn);
        self.log(format!("Replica {peer} asks for synchronization"));
        self.counters.sync_full += 1;
        self.full_resync(conn, false);
    }

    /// The refusals that are not decisions: no counter moves.
    fn cannot_sync_now(&self, conn: ConnId) -> Option<&'static str> {
        if self.upstream.as_ref().is_some_and(|up| up.status().phase != Phase::Connected) {
            return Some("NOMASTERLINK Can't SYNC while not connected with my master");
        }
        // A reply still waiting would end up inside the stream.
        let pending = self.outboxes.get(&conn).is_none_or(|outbox| !outbox.is_empty());
        pending.then_some("ERR SYNC and PSYNC are invalid with pending output")
    }

    fn answer(&mut self, conn: ConnId, request: Request) {
        let history = self.history.clone();
        let window = self.window();
        let decision = decide(&history, window.as_ref(), &request);
        match &decision {
            Decision::Partial { .. } => self.counters.sync_partial_ok += 1,
            Decision::Full { reason } => {
                self.counters.sync_full += 1;
                self.counters.sync_partial_err += u64::from(reason.counts_as_error());
            }
        }
        let peer = self.peer_name(conn);
        let lines = log::decision_lines(&peer, &request, &decision);
        let decided = Decided {
            conn,
            remedy: self.remedy(&request, &decision, window.as_ref()),
            log_line: lines.last().cloned().unwrap_or_default(),
            peer,
            request,
            decision: decision.clone(),
            history,
            window,
            full_bytes: self.full_resync_bytes(),
            counters: self.counters,
        };
        self.tell(Event::Decided(Box::new(decided)));
        for line in lines {
            self.log(line);
        }
        match decision {
            Decision::Partial { from, len } => self.continue_from(conn, from, len),
            Decision::Full { .. } => self.full_resync(conn, true),
        }
    }

    /// `+CONTINUE`, the missing bytes, and from then on the stream.
    fn continue_from(&mut self, conn: ConnId, from: BytePos, len: ByteCount) {
        let Some(client) = self.clients.get_mut(&conn) else { return };
        let line = if client.announced.psync2 {
            format!("+CONTINUE {}\r\n", self.history.replid)
        } else {
            "+CONTINUE\r\n".to_owned()
        };
        let acked = from.offset_before().unwrap_or_default();
        client.seat = Seat::Replica(ReplicaSeat::online(acked, self.now));
        self.send(conn, Kind::Control, Bytes::from(line));
        let missing = self.kept_bytes(from, len);
        debug_assert_eq!(missing.len() as u64, len.0, "a continuation is complete");
        self.send(conn, Kind::Stream, Bytes::from(missing));
    }

    /// `+FULLRESYNC`, the whole dataset, and from then on the stream.
    fn full_resync(&mut self, conn: ConnId, with_line: bool) {
        if self.backlog.is_none() {
            // Without a backlog writes were not counted, so the old id may stand for two
            // different datasets at this offset: the history that begins now gets a new one.
            self.history.replace_id(&mut self.rng);
            self.create_backlog();
            let (id1, id2) = (self.history.replid, self.history.replid2());
            self.log(format!(
                "Replication backlog created, my new replication IDs are '{id1}' and '{id2}'"
            ));
        }
        let Some(client) = self.clients.get_mut(&conn) else { return };
        client.seat = Seat::Replica(ReplicaSeat::loading(self.now));
        self.log("Starting BGSAVE for SYNC with target: disk");
        // A replica comes out of a snapshot in no particular database, so the next write of the
        // one shared stream says which it is in.
        let snapshot = Bytes::from(self.snapshot().encode());
        if self.upstream.is_none() {
            self.stream_db = None;
        }
        if with_line {
            let (id, end) = (self.history.replid, self.history.end);
            self.send(conn, Kind::Control, Bytes::from(format!("+FULLRESYNC {id} {end}\r\n")));
        }
        self.send(conn, Kind::Snapshot, encode_length_header(snapshot.len() as u64));
        self.send(conn, Kind::Snapshot, snapshot);
    }

    /// The dataset as a snapshot, with the fields that let a reader continue its history.
    #[must_use]
    pub fn snapshot(&self) -> Rdb {
        let text = |text: String| Bytes::from(text);
        // A chained replica cannot emit SELECT, so the snapshot says which database its stream is
        // in. Before any SELECT that is 0: the next write brings one (`rdbPopulateSaveInfo`).
        let db = self.stream_db.unwrap_or(0);
        let aux = [
            ("redis-ver", self.engine.version.to_owned()),
            ("redis-bits", "64".to_owned()),
            ("ctime", (self.unix_ms() / 1000).to_string()),
            ("repl-stream-db", db.to_string()),
            ("repl-id", self.history.replid.to_string()),
            ("repl-offset", self.history.end.to_string()),
        ];
        Rdb {
            version: self.engine.rdb_version,
            aux: aux.map(|(key, value)| (Bytes::from_static(key.as_bytes()), text(value))).into(),
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
        if let Some(size) = remedy(reason, window) {
            return Some(Remedy::BacklogSize(size));
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
