//! Links and the connections on them.
//!
//! Each server has one link, the cable to whatever master it follows. A connection on it is a
//! reliable, ordered byte stream, like TCP: bytes are delayed by bandwidth, latency and lost
//! segments, but never reordered or dropped while it stands.
//!
//! * Cut both ways: connections are reset at once, new ones are refused.
//! * Cut one way: what is sent that way waits (as TCP sends it again and again), and goes through
//!   when the link heals. The ends notice nothing but silence.
//!
//! Invariant: arrival times within one direction never decrease.
//! Absent on purpose: who the servers are. A link carries bytes.

use std::collections::VecDeque;

use bytes::Bytes;

use super::action::{Direction, Loss};
use crate::random::{Generator, below};
use crate::server::{ConnId, Kind};
use crate::time::{Instant, MILLISECOND_US, SECOND_US};

/// How many bytes a connection takes from a server before it must wait for the wire.
pub const SEND_BUFFER_BYTES: u64 = 64 * 1024;
/// How long TCP waits before it sends a lost segment again (Linux `TCP_RTO_MIN`).
const RETRANSMISSION_US: u64 = 200 * MILLISECOND_US;

/// One cable.
#[derive(Clone, Debug)]
pub struct Link {
    pub latency_us: u64,
    pub bandwidth_bytes_per_second: Option<u64>,
    pub loss: Option<Loss>,
    pub cut_to_replica: bool,
    pub cut_to_master: bool,
}

impl Link {
    pub fn is_cut(&self) -> bool {
        self.cut_to_replica || self.cut_to_master
    }

    /// How much is put into one segment: a snapshot on a slow link is cut so that a piece arrives
    /// every fiftieth of a second, because people watch it arrive; messages stay whole.
    pub fn segment_bytes(&self, kind: Kind) -> usize {
        /// What a segment carries on Ethernet.
        const SMALLEST: u64 = 1460;
        match self.bandwidth_bytes_per_second {
            Some(bandwidth) if kind == Kind::Snapshot => {
                usize::try_from((bandwidth / 50).max(SMALLEST)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }

    pub fn blocks(&self, way: Way) -> bool {
        match way {
            Way::ToReplica => self.cut_to_replica,
            Way::ToMaster => self.cut_to_master,
        }
    }

    /// Sets the cuts; says whether anything changed.
    pub fn set_cut(&mut self, direction: Direction, cut: bool) -> bool {
        let before = (self.cut_to_replica, self.cut_to_master);
        if direction != Direction::ToMaster {
            self.cut_to_replica = cut;
        }
        if direction != Direction::ToReplica {
            self.cut_to_master = cut;
        }
        before != (self.cut_to_replica, self.cut_to_master)
    }
}

/// The two halves of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    ToReplica,
    ToMaster,
}

impl Way {
    /// The other one.
    pub fn back(self) -> Way {
        match self {
            Way::ToReplica => Way::ToMaster,
            Way::ToMaster => Way::ToReplica,
        }
    }
}

/// One connection: made by the replica's server, accepted by the master's.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Index of the server that dialed, whose link this runs on.
    pub dialer: usize,
    pub acceptor: usize,
    pub dial_conn: ConnId,
    /// None until it is established.
    pub accept_conn: Option<ConnId>,
    pub to_replica: Lane,
    pub to_master: Lane,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    pub segments: VecDeque<Segment>,
    /// The receiving server has closed or is gone: what arrives is dropped.
    pub deaf: bool,
    /// The receiving server does not read: what arrives waits, and no room comes back.
    pub held: bool,
    wire_free_at: Instant,
    last_arrival: Instant,
    /// Bytes taken from the server and not yet given back to it as room.
    unreturned: u64,
}

/// What travels.
#[derive(Clone, Debug)]
pub struct Segment {
    pub cargo: Cargo,
    pub sent: Instant,
    pub arrives: Instant,
}

#[derive(Clone, Debug)]
pub enum Cargo {
    Bytes(Kind, Bytes),
    /// The sender has closed.
    End,
}

impl Connection {
    pub fn lane(&self, way: Way) -> &Lane {
        match way {
            Way::ToReplica => &self.to_replica,
            Way::ToMaster => &self.to_master,
        }
    }

    pub fn lane_mut(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::ToReplica => &mut self.to_replica,
            Way::ToMaster => &mut self.to_master,
        }
    }

    /// (server, its number for this connection) at the receiving end.
    pub fn receiver(&self, way: Way) -> Option<(usize, ConnId)> {
        match way {
            Way::ToMaster => Some((self.acceptor, self.accept_conn?)),
            Way::ToReplica => Some((self.dialer, self.dial_conn)),
        }
    }

    /// (server, its number for this connection) at the sending end.
    pub fn sender(&self, way: Way) -> Option<(usize, ConnId)> {
        match way {
            Way::ToMaster => self.receiver(Way::ToReplica),
            Way::ToReplica => self.receiver(Way::ToMaster),
        }
    }
}

impl Lane {
    /// Takes cargo at `now`; gives the moment at which it arrives, unless the way is cut.
    pub fn send(
        &mut self,
        cargo: Cargo,
        link: &Link,
        rng: &mut Generator,
        now: Instant,
    ) -> Instant {
        let bytes = match &cargo {
            Cargo::Bytes(_, bytes) => bytes.len() as u64,
            Cargo::End => 0,
        };
        let departs = self.wire_free_at.max(now).after_us(on_the_wire_us(bytes, link));
        self.wire_free_at = departs;
        let arrives = departs.after_us(link.latency_us + retransmissions_us(link, rng));
        let arrives = arrives.max(self.last_arrival);
        self.last_arrival = arrives;
        self.segments.push_back(Segment { cargo, sent: now, arrives });
        self.unreturned += bytes;
        arrives
    }

    /// Room that the wire gives back to the sender, and when. It comes in halves of the buffer,
    /// which saves an event for every small message.
    pub fn room_to_return(&mut self) -> Option<(Instant, u64)> {
        let enough = self.unreturned * 2 >= SEND_BUFFER_BYTES;
        enough.then(|| (self.wire_free_at, std::mem::take(&mut self.unreturned)))
    }

    /// All the room that was not given back yet.
    pub fn take_unreturned(&mut self) -> u64 {
        std::mem::take(&mut self.unreturned)
    }

    /// Everything that waited goes out again, now that the way is open.
    pub fn resend(&mut self, link: &Link, now: Instant) -> Vec<Instant> {
        let mut arrivals = Vec::with_capacity(self.segments.len());
        let mut departs = now;
        for segment in &mut self.segments {
            if let Cargo::Bytes(_, bytes) = &segment.cargo {
                departs = departs.after_us(on_the_wire_us(bytes.len() as u64, link));
            }
            segment.arrives = segment.arrives.max(departs.after_us(link.latency_us));
            segment.sent = segment.sent.max(now.min(segment.arrives));
            self.last_arrival = self.last_arrival.max(segment.arrives);
            arrivals.push(segment.arrives);
        }
        arrivals
    }

    /// The first segment, if it is due at `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<Cargo> {
        let segment = self.segments.pop_front_if(|segment| segment.arrives <= now)?;
        Some(segment.cargo)
    }
}

fn on_the_wire_us(bytes: u64, link: &Link) -> u64 {
    link.bandwidth_bytes_per_second
        .map_or(0, |bandwidth| bytes.saturating_mul(SECOND_US) / bandwidth.max(1))
}

fn retransmissions_us(link: &Link, rng: &mut Generator) -> u64 {
    let Some(Loss { lost, of }) = link.loss.filter(|loss| loss.lost > 0) else { return 0 };
    let mut delay = 0;
    let mut wait = RETRANSMISSION_US;
    // TCP doubles its patience each time; six in a row are 12.6 s, and enough of a lesson.
    for _ in 0..6 {
        if below(rng, u64::from(of)) >= u64::from(lost) {
            break;
        }
        delay += wait;
        wait *= 2;
    }
    delay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;

    fn link() -> Link {
        Link {
            latency_us: 1000,
            bandwidth_bytes_per_second: Some(1_000_000),
            loss: None,
            cut_to_replica: false,
            cut_to_master: false,
        }
    }

    fn bytes(len: usize) -> Cargo {
        Cargo::Bytes(Kind::Stream, Bytes::from(vec![0; len]))
    }

    #[test]
    fn bytes_take_their_time_on_the_wire_and_queue_behind_each_other() {
        let (mut lane, mut rng) = (Lane::default(), seeded(1));
        let mut send = |len, at| lane.send(bytes(len), &link(), &mut rng, Instant(at));
        assert_eq!(send(500, 0), Instant(1500));
        assert_eq!(send(500, 0), Instant(2000));
        assert_eq!(send(100, 10_000), Instant(11_100));
    }

    #[test]
    fn a_lost_segment_delays_itself_and_all_behind_it_but_loses_nothing() {
        let lossy = Link { loss: Some(Loss { lost: 1, of: 2 }), ..link() };
        let (mut lane, mut rng) = (Lane::default(), seeded(1));
        let arrivals: Vec<Instant> =
            (0..100).map(|n| lane.send(bytes(1), &lossy, &mut rng, Instant(n * 10))).collect();
        assert!(arrivals.is_sorted());
        assert!(arrivals[99] > Instant(100_000), "some of a hundred were lost");
        assert_eq!(lane.segments.len(), 100);
    }

    #[test]
    fn room_comes_back_in_halves_of_the_buffer() {
        let (mut lane, mut rng) = (Lane::default(), seeded(1));
        let mut room = |len| {
            lane.send(bytes(len), &link(), &mut rng, Instant(0));
            lane.room_to_return()
        };
        assert_eq!(room(16 * 1024), None);
        assert_eq!(room(16 * 1024).map(|(_, room)| room), Some(32 * 1024));
    }
}
