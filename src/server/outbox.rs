//! What waits to be sent on one connection besides the stream, and how much the transport takes.
//!
//! Replies, the handshake and the payload of a full resync stand here; the stream of a replica is
//! kept and shared by the backlog (`stream::backlog`), and follows when this is empty.
//!
//! Invariant: `queued` is the sum of the queue, `snapshot_left` the part of it that is payload.

use std::collections::VecDeque;

use bytes::Bytes;

/// What bytes on a link are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Handshake, requests and their answers, ACK; replies to clients.
    Control,
    /// The replication stream.
    Stream,
    /// The payload of a full resync.
    Snapshot,
}

/// The most that is handed to the transport at once (Redis `PROTO_REPLY_CHUNK_BYTES`).
const LARGEST_CHUNK: u64 = 16 * 1024;

#[derive(Clone, Debug, Default)]
pub struct Outbox {
    queue: VecDeque<(Kind, Bytes)>,
    queued: u64,
    snapshot_left: u64,
    room: u64,
    finishing: bool,
}

impl Outbox {
    pub fn new(room: u64) -> Outbox {
        Outbox { room, ..Outbox::default() }
    }

    pub fn push(&mut self, kind: Kind, bytes: Bytes) {
        if bytes.is_empty() || self.finishing {
            return;
        }
        self.queued += bytes.len() as u64;
        if kind == Kind::Snapshot {
            self.snapshot_left += bytes.len() as u64;
        }
        self.queue.push_back((kind, bytes));
    }

    pub fn grant(&mut self, room: u64) {
        self.room = self.room.saturating_add(room);
    }

    /// How much of the stream may follow now: nothing before everything else has left.
    pub fn room_for_stream(&self) -> u64 {
        if self.queue.is_empty() && !self.finishing { self.room.min(LARGEST_CHUNK) } else { 0 }
    }

    /// So much of the stream was handed to the transport.
    pub fn spend(&mut self, bytes: u64) {
        self.room -= bytes;
    }

    /// After this nothing more is taken, and the connection ends when the queue is empty.
    pub fn finish(&mut self) {
        self.finishing = true;
    }

    pub fn is_finished(&self) -> bool {
        self.finishing && self.queue.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes waiting (`omem` in CLIENT LIST).
    pub fn queued(&self) -> u64 {
        self.queued
    }

    /// Bytes of payload waiting.
    pub fn snapshot_left(&self) -> u64 {
        self.snapshot_left
    }

    /// The next chunk that fits. Messages stay apart.
    pub fn take(&mut self) -> Option<(Kind, Bytes)> {
        let most = self.room.min(LARGEST_CHUNK);
        if most == 0 {
            return None;
        }
        let (kind, mut bytes) = self.queue.pop_front()?;
        if bytes.len() as u64 > most {
            // `most` is below a length in memory, so it fits an index.
            let rest = bytes.split_off(most as usize);
            self.queue.push_front((kind, rest));
        }
        let taken = bytes.len() as u64;
        self.room -= taken;
        self.queued -= taken;
        if kind == Kind::Snapshot {
            self.snapshot_left -= taken;
        }
        Some((kind, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox) -> Vec<(Kind, usize)> {
        std::iter::from_fn(|| outbox.take()).map(|(kind, bytes)| (kind, bytes.len())).collect()
    }

    #[test]
    fn no_more_is_sent_than_there_is_room_and_the_rest_waits() {
        let mut outbox = Outbox::new(7);
        outbox.push(Kind::Snapshot, Bytes::from(vec![0; 20]));
        outbox.push(Kind::Control, Bytes::from_static(b"abc"));
        assert_eq!(drain(&mut outbox), [(Kind::Snapshot, 7)]);
        assert_eq!((outbox.queued(), outbox.snapshot_left()), (16, 13));
        outbox.grant(15);
        assert_eq!(outbox.room_for_stream(), 0, "the rest goes first");
        assert_eq!(drain(&mut outbox), [(Kind::Snapshot, 13), (Kind::Control, 2)]);
        outbox.grant(100);
        assert_eq!(drain(&mut outbox), [(Kind::Control, 1)]);
        outbox.spend(90);
        assert_eq!(outbox.room_for_stream(), 9);
    }

    #[test]
    fn a_finishing_connection_sends_what_it_has_and_takes_nothing_more() {
        let mut outbox = Outbox::new(100);
        outbox.push(Kind::Control, Bytes::from_static(b"-ERR"));
        outbox.finish();
        outbox.push(Kind::Control, Bytes::from_static(b"late"));
        assert!(!outbox.is_finished());
        assert_eq!(drain(&mut outbox), [(Kind::Control, 4)]);
        assert!(outbox.is_finished());
    }
}
