//! Dual channel replication, the master's seat (Valkey 8.0+): a full resync on two connections.
//!
//! A replica that announces `capa dual-channel` and cannot be continued is told
//! `+DUALCHANNELSYNC`, and that is all that happens on its connection. It opens a second one, which
//! says SYNC and is given where the stream goes on (`$ENDOFF:<offset> <id> <db> <client id>`) and
//! the snapshot; the first one then asks for the stream with an ordinary PSYNC, naming the second.
//! So the changes made during the transfer wait with the replica and not here.
//!
//! Invariant: for everyone in `awaited` the stream is pinned from its snapshot's offset on, by a
//! reader that takes nothing, so that the PSYNC that will come can be served.
//!
//! Sources: captured from Valkey 9.1.2; Valkey 8.1 `syncCommand`, `replconfCommand`,
//! `freeClientsInAsyncFreeQueue`. Absent on purpose: the child process that real servers write with.

use bytes::Bytes;

use super::downstream::Stage;
use super::outbox::Kind;
use super::{ConnId, Server};
use crate::stream::backlog::Entry;
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::parse_integer;

/// For how many seconds after the end of its snapshot's connection a replica is waited for
/// (Valkey `DEFAULT_WAIT_BEFORE_RDB_CLIENT_FREE`).
const PATIENCE_SECONDS: u64 = 60;

/// What a peer said about a full resync on two connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct Channels {
    /// It can do it, and so can this server.
    pub can_two: bool,
    /// This connection is the one for the snapshot.
    pub is_rdb_channel: bool,
    /// This connection is the one for the stream; the snapshot went to that one.
    pub rdb_channel: Option<ConnId>,
}

/// A replica that has been told where to go on, and has not come yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Awaited {
    /// Since when the connection of its snapshot has ended.
    gone: Option<Instant>,
}

impl Server {
    /// An option of REPLCONF, if it is one of these: set, or refused with these words.
    pub(super) fn dual_channel_option(
        &mut self,
        conn: ConnId,
        option: &[u8],
        value: &Bytes,
    ) -> Option<Result<(), String>> {
        if !self.engine.dual_channel {
            return None;
        }
        let enabled = self.config.dual_channel && self.config.diskless_sync;
        let ignored = self.config.dual_channel && !self.config.diskless_sync;
        let awaited = awaited_by(value).filter(|conn| self.awaited.contains_key(conn));
        let channels = &mut self.clients.get_mut(&conn)?.announced.channels;
        match option {
            b"capa" if value.eq_ignore_ascii_case(b"dual-channel") => {
                channels.can_two |= enabled;
                if ignored {
                    self.log("Dual channel capability ignored: repl-diskless-sync disabled");
                }
            }
            // Whoever wants the snapshot alone is cut when it has it; here that is said for the
            // second connection of a replica, together with `rdb-channel`.
            b"rdb-only" | b"rdb-channel" => match parse_integer(value) {
                Some(yes @ 0..=1) if option == b"rdb-channel" => channels.is_rdb_channel = yes == 1,
                Some(0..=1) => {}
                _ => {
                    return Some(Err(
                        "ERR value is out of range, must be in the range of 0 to 1".to_owned()
                    ));
                }
            },
            b"set-rdb-client-id" => match (parse_integer(value), awaited) {
                (None, _) => {
                    return Some(Err("ERR value is not an integer or out of range".to_owned()));
                }
                (Some(_), Some(rdb)) => channels.rdb_channel = Some(rdb),
                (Some(id), None) => {
                    return Some(Err(format!("ERR Unrecognized RDB client id {id}")));
                }
            },
            _ => return None,
        }
        Some(Ok(()))
    }

    /// Whether this peer and this server can do a full resync on two connections.
    pub(super) fn wants_two_channels(&self, conn: ConnId) -> bool {
        self.clients.get(&conn).is_some_and(|client| client.announced.channels.can_two)
    }

    /// `+DUALCHANNELSYNC`: no backlog is made, and the peer is no replica yet.
    pub(super) fn ask_for_two_channels(&mut self, conn: ConnId) {
        let peer = self.peer_name(conn);
        self.log(format!(
            "Dual channel replication: Replica {peer} is capable of dual channel synchronization, \
             and partial sync isn't possible. Full sync will continue with dedicated RDB channel."
        ));
        self.send(conn, Kind::Control, Bytes::from_static(b"+DUALCHANNELSYNC\r\n"));
    }

    /// The snapshot of this connection begins: `$ENDOFF`, and from here on the stream is pinned.
    /// `db` is where the stream was; before anything was written that is -1.
    pub(super) fn set_up_rdb_channel(&mut self, conn: ConnId, initial: Offset, db: Option<u32>) {
        let (id, client_id, peer) = (self.history.replid, client_id(conn), self.peer_name(conn));
        let Some(seat) = self.replica_seat(conn) else { return };
        seat.stage = Stage::WaitEnd { initial };
        let db = db.map_or(-1, i64::from);
        self.log(format!(
            "Dual channel replication: Sending to replica {peer} RDB end offset {initial} and \
             client-id {client_id}"
        ));
        let line = format!("$ENDOFF:{initial} {id} {db} {client_id}\r\n");
        self.send(conn, Kind::Control, Bytes::from(line));
        let reader = self.reader(conn);
        if let Some(backlog) = &mut self.backlog {
            backlog.attach(reader, Entry::Next);
            self.awaited.insert(conn, Awaited::default());
        }
    }

    /// All of the snapshot has left on a connection: if it was there for nothing else it ends.
    pub(super) fn rdb_channel_done(&mut self, conn: ConnId) {
        let channels = self.clients.get(&conn).map(|client| client.announced.channels);
        if channels.is_some_and(|channels| channels.is_rdb_channel) {
            let peer = self.peer_name(conn);
            self.log(format!(
                "RDB transfer completed, rdb only replica ({peer}) should be disconnected asap"
            ));
            self.close_after_reply(conn);
        }
    }

    /// The connection of a snapshot has ended, one way or the other.
    pub(super) fn rdb_channel_gone(&mut self, conn: ConnId, peer: &str) {
        let now = self.now;
        match self.awaited.get_mut(&conn) {
            Some(awaited) => {
                awaited.gone = Some(now);
                let id = client_id(conn);
                self.log(format!(
                    "Dual channel replication: Postpone RDB client id={id} ({peer}) free for \
                     {PATIENCE_SECONDS} seconds"
                ));
            }
            None => self
                .log(format!("Dual channel replication: Replica {peer} rdb channel disconnected.")),
        }
    }

    /// A connection was continued: if it is the one of the stream, the pin has done its work.
    pub(super) fn main_channel_arrived(&mut self, conn: ConnId) {
        let channels = self.clients.get(&conn).map(|client| client.announced.channels);
        let Some(rdb) = channels.and_then(|channels| channels.rdb_channel) else { return };
        if self.awaited.contains_key(&rdb) {
            self.let_go(rdb);
            if let Some(seat) = self.replica_seat(conn) {
                seat.stage = Stage::Background;
            }
        }
    }

    fn let_go(&mut self, rdb: ConnId) {
        let now = self.now;
        self.awaited.remove(&rdb);
        if let Some(backlog) = &mut self.backlog {
            backlog.detach(rdb.0, now);
        }
    }

    /// Once a second: whoever has not come in time is not waited for any longer.
    pub(super) fn give_up_awaited(&mut self) {
        let now = self.now;
        let late = |awaited: &Awaited| {
            awaited.gone.is_some_and(|gone| now.whole_seconds_since(gone) > PATIENCE_SECONDS)
        };
        let late = self.awaited.iter().filter(|(_, awaited)| late(awaited));
        let late: Vec<ConnId> = late.map(|(conn, _)| *conn).collect();
        for rdb in late {
            self.let_go(rdb);
            let id = client_id(rdb);
            self.log(format!(
                "Dual channel replication: Replica main channel failed to establish PSYNC within \
                 the grace period ({PATIENCE_SECONDS} seconds). Freeing RDB client {id}."
            ));
            if self.replicas().next().is_none() {
                self.no_replicas_since = now;
            }
        }
    }

    /// How many have been told where to go on and have not come yet.
    pub(super) fn replicas_waiting_psync(&self) -> usize {
        self.awaited.iter().count()
    }

    /// What a replica's connection is for, as INFO says it.
    pub(super) fn channel_name(&self, conn: ConnId, stage: Stage) -> &'static str {
        let channels = self.clients.get(&conn).map(|client| client.announced.channels);
        match stage {
            _ if channels.is_some_and(|channels| channels.is_rdb_channel) => "rdb-channel",
            Stage::Background => "main-channel",
            _ => "replica",
        }
    }
}

/// The number by which a peer names a connection of this server (`CLIENT ID`).
fn client_id(conn: ConnId) -> u64 {
    conn.0 / 2
}

fn awaited_by(value: &[u8]) -> Option<ConnId> {
    let id = parse_integer(value).and_then(|id| u64::try_from(id).ok())?;
    id.checked_mul(2).map(ConnId)
}
