//! The replicas attached to this server: where each stands, what it has acknowledged, when it is
//! given up.

use bytes::Bytes;

use super::engine::Wording;
use super::outbox::Kind;
use super::{ConnId, Server};
use crate::stream::backlog::Cut;
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::encode_command;
use crate::wire::parse_integer;

/// What a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seat {
    /// An ordinary client.
    Client,
    /// A replica.
    Replica(ReplicaSeat),
}

/// Where a replica stands on its way into the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits for a snapshot to be begun.
    WaitStart {
        /// Since when.
        since: Instant,
    },
    /// A snapshot is being made; what is written from now on is kept for it.
    WaitEnd {
        /// What was announced with `+FULLRESYNC`.
        initial: Offset,
    },
    /// The snapshot is on its way.
    SendBulk {
        /// Whether it goes straight to the socket: then the stream waits for the first ACK.
        streamed: bool,
    },
    /// A streamed snapshot has left, and the first ACK is awaited.
    WaitAck,
    /// The stream flows on this connection while the snapshot comes on another one.
    Background,
    /// The stream flows.
    Online,
}

/// A replica as its master sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSeat {
    /// Where it stands.
    pub stage: Stage,
    /// What it says it has applied.
    pub acked: Offset,
    /// When it last gave a sign of life.
    pub heard: Instant,
    /// Since when it has been beyond the soft limit of its output.
    pub soft_since: Option<Instant>,
    /// Whether it said `SYNC` and so was told nothing about offsets.
    pub legacy: bool,
}

impl ReplicaSeat {
    /// After `+CONTINUE`.
    #[must_use]
    pub fn online(acked: Offset, now: Instant) -> ReplicaSeat {
        ReplicaSeat { stage: Stage::Online, acked, heard: now, soft_since: None, legacy: false }
    }

    /// After a refusal.
    #[must_use]
    pub fn waiting(now: Instant, legacy: bool) -> ReplicaSeat {
        let stage = Stage::WaitStart { since: now };
        ReplicaSeat { stage, legacy, ..ReplicaSeat::online(Offset::ZERO, now) }
    }

    /// Whether the stream flows.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.stage == Stage::Online
    }

    /// As INFO says it. For a snapshot that goes to the socket that is `wait_bgsave` to its end.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.stage {
            Stage::WaitStart { .. } | Stage::WaitEnd { .. } => "wait_bgsave",
            Stage::SendBulk { streamed: true } => "wait_bgsave",
            Stage::SendBulk { streamed: false } => "send_bulk",
            Stage::WaitAck | Stage::Online => "online",
            Stage::Background => "bg_transfer",
        }
    }
}

impl Server {
    pub(super) fn replica_seat(&mut self, conn: ConnId) -> Option<&mut ReplicaSeat> {
        match &mut self.clients.get_mut(&conn)?.seat {
            Seat::Replica(seat) => Some(seat),
            Seat::Client => None,
        }
    }

    /// A client becomes a replica, or a replica begins anew.
    pub(super) fn seat(&mut self, conn: ConnId, seat: ReplicaSeat) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.seat = Seat::Replica(seat);
            self.seated.insert(conn, ());
        }
    }

    /// The replicas with their seats.
    pub(super) fn seats(&self) -> impl Iterator<Item = (ConnId, &ReplicaSeat)> {
        self.seated.keys().filter_map(|conn| match &self.clients.get(conn)?.seat {
            Seat::Replica(seat) => Some((*conn, seat)),
            Seat::Client => None,
        })
    }

    /// Whether the stream may be sent to it now.
    pub(super) fn reads_stream(&mut self, conn: ConnId) -> bool {
        let flows =
            |seat: &mut ReplicaSeat| matches!(seat.stage, Stage::Background | Stage::Online);
        self.replica_seat(conn).is_some_and(flows)
    }

    /// Everything queued for a connection has left: a snapshot on it is then complete.
    pub(super) fn flushed(&mut self, conn: ConnId) {
        let done = self.outboxes.get(&conn).is_some_and(|outbox| outbox.snapshot_left() == 0);
        let stage = self.replica_seat(conn).map(|seat| seat.stage);
        let (true, Some(Stage::SendBulk { streamed })) = (done, stage) else { return };
        if !streamed {
            self.put_online(conn);
            return self.ping_at_zero();
        }
        let now = self.now;
        if let Some(seat) = self.replica_seat(conn) {
            (seat.stage, seat.heard) = (Stage::WaitAck, now);
        }
        let peer = self.peer_name(conn);
        // The one line in which Redis never learned the newer word.
        let word = if self.engine.wording == Wording::Primary { "replica" } else { "slave" };
        self.log(format!(
            "Streamed RDB transfer with replica {peer} succeeded (socket). Waiting for REPLCONF \
             ACK from {word} to enable streaming"
        ));
        self.rdb_channel_done(conn);
    }

    /// The stream flows from here on (`putSlaveOnline`).
    fn put_online(&mut self, conn: ConnId) {
        let now = self.now;
        if let Some(seat) = self.replica_seat(conn) {
            (seat.stage, seat.heard) = (Stage::Online, now);
        }
        let peer = self.peer_name(conn);
        self.log(format!("Synchronization with replica {peer} succeeded"));
        self.ready.insert(conn, ());
    }

    /// A stream that begins with nothing written yet begins with a PING (Valkey 9.1).
    fn ping_at_zero(&mut self) {
        let unwritten = self.upstream.is_none() && self.history.end == Offset::ZERO;
        if self.engine.stream.ping_at_zero && unwritten {
            self.ping_replicas();
        }
    }

    fn ping_replicas(&mut self) {
        let ping = [Bytes::from_static(self.engine.stream.ping.as_bytes())];
        self.emit(encode_command(&ping), Cut::Arguments);
    }

    /// `REPLCONF ACK <offset>`: no reply. Acknowledgements only ever rise, and are believed.
    pub(super) fn acknowledged(&mut self, conn: ConnId, offset: &[u8]) {
        let now = self.now;
        let offset = parse_integer(offset).and_then(|n| u64::try_from(n).ok()).map(Offset);
        let Some(seat) = self.replica_seat(conn) else { return };
        seat.heard = now;
        seat.acked = seat.acked.max(offset.unwrap_or_default());
        match seat.stage {
            Stage::WaitAck => {
                self.put_online(conn);
                self.ping_at_zero();
            }
            Stage::Background => self.put_online(conn),
            _ => {}
        }
    }

    /// A bare newline: a replica that is busy loading says that it is alive.
    pub(super) fn heard_newline(&mut self, conn: ConnId) {
        let now = self.now;
        if let Some(seat) = self.replica_seat(conn) {
            seat.heard = now;
        }
    }

    /// The transport took some of a snapshot: who reads it is alive.
    pub(super) fn snapshot_moved(&mut self, conn: ConnId) {
        let now = self.now;
        if let Some(seat) = self.replica_seat(conn)
            && matches!(seat.stage, Stage::SendBulk { .. })
        {
            seat.heard = now;
        }
    }

    /// Once a second: PING into the stream, timeouts, and the backlog's time to live.
    pub(super) fn downstream_cron(&mut self) {
        // Only the top of a chain pings; the others pass its PINGs on. Where a replica's history
        // is its own, so are its PINGs.
        let top = self.upstream.is_none() || !self.shares_history();
        let due = self.ticks.is_multiple_of(self.config.ping_period_seconds);
        let held_back = self.holds_pings_back();
        if top && due && !held_back && self.replicas().next().is_some() {
            self.ping_replicas();
        }
        self.keep_waiting_replicas_alive();
        let patience = self.config.timeout_seconds;
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            let now = self.now;
            let Some(seat) = self.replica_seat(conn) else { continue };
            let phase = match seat.stage {
                Stage::Online if !seat.legacy => "streaming sync",
                // A file is read at the replica's own pace; a child that writes to a socket which
                // nobody reads would never end.
                Stage::SendBulk { streamed: true } => "full sync",
                _ => continue,
            };
            if now.whole_seconds_since(seat.heard) > patience {
                let peer = self.peer_name(conn);
                self.log(format!("Disconnecting timedout replica ({phase}): {peer}"));
                self.close(conn);
            }
        }
        self.check_limits_of_all();
        self.give_up_awaited();
        self.free_backlog_when_forgotten();
        self.start_waiting_snapshot();
    }

    /// A newline a second for those whose snapshot is not on its way, so that they do not give up.
    /// While one is being made a real server does so only if it goes to a file; to a socket it
    /// writes the snapshot itself bit by bit, which is held back here until it is ready.
    fn keep_waiting_replicas_alive(&mut self) {
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            let waits = self.replica_seat(conn).is_some_and(|seat| {
                matches!(seat.stage, Stage::WaitStart { .. } | Stage::WaitEnd { .. })
            });
            if waits {
                self.send(conn, Kind::Control, Bytes::from_static(b"\n"));
            }
        }
    }

    /// Cuts all replicas off, so that they come back and learn what changed.
    pub(super) fn disconnect_replicas(&mut self) {
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            self.close(conn);
        }
    }

    /// Sends raw bytes to one client; used for replies.
    pub(super) fn reply(&mut self, conn: ConnId, text: Vec<u8>) {
        self.send(conn, Kind::Control, Bytes::from(text));
    }
}
