//! The replicas attached to this server: when they come online, what they have acknowledged, when
//! they are given up.

use bytes::Bytes;

use super::outbox::Kind;
use super::{ConnId, Server};
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::encode_command;
use crate::wire::parse_integer;

/// What a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seat {
    /// An ordinary client.
    Client,
    /// A replica that the stream is sent to.
    Replica(ReplicaSeat),
}

/// A replica as its master sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSeat {
    /// Whether the snapshot, if there was one, has left; INFO's `send_bulk` and `online`.
    pub online: bool,
    /// What it says it has applied.
    pub acked: Offset,
    /// When it last gave a sign of life.
    pub heard: Instant,
}

impl ReplicaSeat {
    /// After `+CONTINUE`.
    #[must_use]
    pub fn online(acked: Offset, now: Instant) -> ReplicaSeat {
        ReplicaSeat { online: true, acked, heard: now }
    }

    /// After `+FULLRESYNC`.
    #[must_use]
    pub fn loading(now: Instant) -> ReplicaSeat {
        ReplicaSeat { online: false, acked: Offset::ZERO, heard: now }
    }
}

impl Server {
    pub(super) fn replica_seat(&mut self, conn: ConnId) -> Option<&mut ReplicaSeat> {
        match &mut self.clients.get_mut(&conn)?.seat {
            Seat::Replica(seat) => Some(seat),
            Seat::Client => None,
        }
    }

    /// Everything queued for a connection has left: a snapshot on it is then complete.
    pub(super) fn flushed(&mut self, conn: ConnId) {
        let done = self.outboxes.get(&conn).is_some_and(|outbox| outbox.snapshot_left() == 0);
        let now = self.now;
        let loading = self.replica_seat(conn).filter(|seat| !seat.online && done);
        if let Some(seat) = loading {
            seat.online = true;
            seat.heard = now;
            let peer = self.peer_name(conn);
            self.log(format!("Synchronization with replica {peer} succeeded"));
        }
    }

    /// `REPLCONF ACK <offset>`: no reply. Acknowledgements only ever rise, and are believed.
    pub(super) fn acknowledged(&mut self, conn: ConnId, offset: &[u8]) {
        let now = self.now;
        let offset = parse_integer(offset).and_then(|n| u64::try_from(n).ok()).map(Offset);
        if let Some(seat) = self.replica_seat(conn) {
            seat.heard = now;
            seat.acked = seat.acked.max(offset.unwrap_or_default());
        }
    }

    /// A bare newline: a replica that is busy loading says that it is alive.
    pub(super) fn heard_newline(&mut self, conn: ConnId) {
        let now = self.now;
        if let Some(seat) = self.replica_seat(conn) {
            seat.heard = now;
        }
    }

    /// Once a second: PING into the stream, timeouts, and the backlog's time to live.
    pub(super) fn downstream_cron(&mut self) {
        // Only the top of a chain pings; the others pass its PINGs on.
        let due = self.ticks.is_multiple_of(self.config.ping_period_seconds);
        if self.upstream.is_none() && due && self.replicas().next().is_some() {
            // Lower case since 6.2, and always 14 bytes.
            self.emit(encode_command(&[b"ping"]));
        }
        let patience = self.config.timeout_seconds;
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            let now = self.now;
            let silent = self
                .replica_seat(conn)
                .is_some_and(|seat| seat.online && now.whole_seconds_since(seat.heard) > patience);
            if silent {
                let peer = self.peer_name(conn);
                self.log(format!("Disconnecting timedout replica (streaming sync): {peer}"));
                self.close(conn);
            }
        }
        self.free_backlog_when_forgotten();
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
