//! The hands of the dial: one a replica, drawn as few markers as there is room for.
//!
//! Replicas in sync all stand at the write head, and a hundred of them are one marker with a
//! count. Invariants: markers of different standing are never merged, so that a crowd in sync
//! cannot hide one that is cut; markers that would overlap lean aside.
//! All buffers are kept between frames. Absent on purpose: positions of replicas that share no
//! history with the master; those have none.

use super::standing::{Standing, standing};
use super::topology::Topology;
use super::turn;
use crate::world::Snapshot;

/// One replica on the master's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hand {
    /// Index in the snapshot's servers; also the number printed.
    pub server: usize,
    /// How it stands.
    pub standing: Standing,
    /// The last byte it has, as an offset.
    pub offset: f64,
    /// Bytes that can be written before its next byte goes; negative: bytes gone.
    pub room: i64,
}

/// What is painted: one or more hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    /// Place on the dial.
    pub place: f64,
    /// How all of them stand.
    pub standing: Standing,
    /// Their places in the list of hands: `first..first + count` of [`Markers::order`].
    pub first: usize,
    /// How many.
    pub count: usize,
    /// Where its body stands: at its place, or beside it where another marker is in the way. The
    /// tip points at the place in any case.
    pub body: f64,
}

/// The hands and the markers made of them.
#[derive(Debug, Default)]
pub struct Markers {
    /// By replica, in the order of the servers.
    pub hands: Vec<Hand>,
    /// Ranks and indices of `hands`, marker by marker.
    pub order: Vec<(u64, usize)>,
    /// To be painted in this order: the urgent ones last.
    pub list: Vec<Marker>,
}

impl Markers {
    /// Reads the hands from the snapshot.
    pub fn read(&mut self, snapshot: &Snapshot, topology: &Topology, head: u64) {
        let rate = snapshot.write_bytes_per_second;
        self.hands.clear();
        for (server, _, link) in topology.replicas(snapshot) {
            let standing = standing(link, rate);
            let offset = match standing {
                Standing::InSync | Standing::CatchingUp => head.saturating_sub(link.behind_bytes),
                // It asks for its next byte, so the last one it has is the one before.
                _ => u64::try_from(link.next_byte.saturating_sub(1)).unwrap_or(0),
            };
            let room = link.room_bytes.unwrap_or(0);
            self.hands.push(Hand { server, standing, offset: offset as f64, room });
        }
    }

    /// Merges hands of the same standing that are closer than `merge` turns, and puts markers
    /// that are closer than `clear` turns beside each other.
    pub fn group(&mut self, size: u64, merge: f64, clear: f64) {
        let Markers { hands, order, list } = self;
        order.clear();
        // Offsets are whole numbers, and no more than 2^53.
        let size_bytes = size.max(1);
        let rank = |hand: &Hand| {
            (hand.standing as u64).wrapping_mul(size_bytes) + hand.offset as u64 % size_bytes
        };
        let placed = hands.iter().enumerate().filter(|(_, hand)| hand.standing.has_place());
        order.extend(placed.map(|(index, hand)| (rank(hand), index)));
        // By standing, then along the history: neighbours in this order are the candidates. Laps
        // matter too: an overtaken hand a lap behind stands at the same place, but is not merged
        // with one of another lap by accident, since places are compared, not offsets.
        order.sort_unstable();
        list.clear();
        for (position, &(_, hand)) in order.iter().enumerate() {
            let Hand { standing, offset, .. } = hands[hand];
            let place = turn::place(offset, size);
            match list.last_mut() {
                Some(last)
                    if last.standing == standing && turn::apart(last.place, place) < merge =>
                {
                    last.count += 1;
                }
                _ => list.push(Marker { place, standing, first: position, count: 1, body: place }),
            }
        }
        join_over_the_top(list, order, merge);
        lean(list, clear);
    }

    /// The replica numbers of a marker.
    pub fn members<'a>(&'a self, marker: &Marker) -> impl Iterator<Item = usize> + use<'a> {
        self.hands_of(marker).map(|hand| hand.server)
    }

    /// The hands of a marker.
    pub fn hands_of<'a>(&'a self, marker: &Marker) -> impl Iterator<Item = &'a Hand> + use<'a> {
        let range = marker.first..marker.first + marker.count;
        self.order.get(range).unwrap_or_default().iter().map(|&(_, hand)| &self.hands[hand])
    }

    /// The longest fuse: the cut hand with the most room, and so the one farthest ahead.
    #[must_use]
    pub fn fuse(&self) -> Option<&Hand> {
        self.covered().max_by_key(|hand| hand.room)
    }

    /// The shortest fuse: the replica that will be lost first.
    #[must_use]
    pub fn most_urgent(&self) -> Option<&Hand> {
        self.covered().min_by_key(|hand| hand.room)
    }

    /// Hands that are cut off but still covered.
    pub fn covered(&self) -> impl Iterator<Item = &Hand> {
        self.hands.iter().filter(|hand| hand.standing == Standing::Covered)
    }
}

/// Places 0.99 and 0.01 are neighbours although they stand at both ends of the order. The later
/// marker takes the earlier one's members; they lie apart in `order`, so the run is rotated.
fn join_over_the_top(list: &mut Vec<Marker>, order: &mut [(u64, usize)], merge: f64) {
    let mut at = 0;
    while at < list.len() {
        let standing = list[at].standing;
        let end = list[at..].iter().take_while(|m| m.standing == standing).count() + at;
        if end - at > 1 && turn::apart(list[at].place, list[end - 1].place) < merge {
            let (first, count) = (list[at].first, list[at].count);
            let stop = list[end - 1].first + list[end - 1].count;
            order[first..stop].rotate_left(count);
            for marker in &mut list[at + 1..end] {
                marker.first -= count;
            }
            list[end - 1].count += count;
            list.remove(at);
            at = end - 1;
        } else {
            at = end;
        }
    }
}

/// Moves bodies aside until none stands on another.
///
/// A cut hand that the write head has left behind leans back, one that it approaches leans ahead:
/// so the bodies stand in the order of their places.
fn lean(list: &mut [Marker], clear: f64) {
    for i in 0..list.len() {
        let (before, rest) = list.split_at_mut(i);
        let Some(marker) = rest.first_mut() else { break };
        let mut way = None;
        for _ in 0..4 {
            let blocker = before.iter().find(|m| turn::apart(m.body, marker.body) < clear * 0.999);
            let Some(blocker) = blocker else { break };
            let ahead = turn::clockwise(blocker.place, marker.place);
            let way = *way.get_or_insert(if ahead > 1e-9 && ahead < 0.5 { 1.0 } else { -1.0 });
            marker.body = turn::fraction(blocker.body + way * clear);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture::{self, HEAD, SIZE};

    fn markers(snapshot: &Snapshot) -> Markers {
        let mut markers = Markers::default();
        markers.read(snapshot, &Topology::new(snapshot, None), HEAD);
        markers.group(SIZE, 0.02, 0.03);
        markers
    }

    #[test]
    fn a_cut_hand_stands_still_and_an_overtaken_one_is_marked() {
        let all = markers(&fixture::picture());
        let standings: Vec<_> = all.list.iter().map(|m| m.standing).collect();
        assert_eq!(standings, [Standing::InSync, Standing::Covered, Standing::Overtaken]);
        // 1,284,560 - 6,553 = 1,278,007 = 78 * 16,384 + 55
        assert!((all.list[1].place - 55.0 / 16_384.0).abs() < 1e-9);
    }

    #[test]
    fn a_hundred_in_sync_are_one_marker_and_hide_no_cut_one() {
        let mut links = vec![fixture::link(); 97];
        links.insert(40, fixture::cut(10));
        links.push(fixture::cut(SIZE + 4));
        let all = markers(&fixture::world(links));
        let counts: Vec<_> = all.list.iter().map(|m| (m.standing, m.count)).collect();
        assert_eq!(
            counts,
            [(Standing::InSync, 97), (Standing::Covered, 1), (Standing::Overtaken, 1)]
        );
        for (i, marker) in all.list.iter().enumerate() {
            for other in &all.list[i + 1..] {
                assert!(turn::apart(marker.body, other.body) > 0.0299, "{marker:?} {other:?}");
            }
        }
        assert_eq!(all.members(&all.list[1]).collect::<Vec<_>>(), [41]);
    }

    #[test]
    fn neighbours_on_both_sides_of_the_top_are_one_marker() {
        let near = |offset: u64| fixture::cut(HEAD - offset);
        let all = markers(&fixture::world(vec![
            near(78 * SIZE - 20),
            near(78 * SIZE + 20),
            near(78 * SIZE + 3000),
        ]));
        let counts: Vec<_> = all.list.iter().map(|m| m.count).collect();
        assert_eq!(counts, [1, 2]);
        assert_eq!(all.members(&all.list[0]).collect::<Vec<_>>(), [3]);
        assert_eq!(all.members(&all.list[1]).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn the_fuse_reaches_to_the_farthest_and_warns_of_the_nearest() {
        let all = markers(&fixture::world(vec![fixture::cut(6553), fixture::cut(16_000)]));
        assert_eq!(all.fuse().map(|hand| hand.room), Some(9831));
        assert_eq!(all.most_urgent().map(|hand| (hand.server, hand.room)), Some((2, 384)));
    }

    #[test]
    fn a_replica_that_loads_a_snapshot_has_no_place() {
        let all = markers(&fixture::world(vec![fixture::loading()]));
        assert!(all.list.is_empty());
    }
}
