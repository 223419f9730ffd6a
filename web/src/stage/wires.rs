//! The links' curves: from one bus to each card, and where a packet is on its way.
//!
//! A curve is a cubic with level ends, cut into equal steps of length once a resize, so that
//! placing a packet is one look-up. Absent on purpose: what travels; that is in the snapshot.

use super::plan::{Detail, Plan};
use super::topology::{Feed, Topology};
use crate::format::Rounded;
use crate::world::Packet;

/// Points along a curve, equally far apart.
const STEPS: usize = 48;

/// One link's way from the bus to its card.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// At the bus, the two handles, at the card.
    pub control: [(f64, f64); 4],
    /// Its length in pixels.
    pub length: f64,
    /// `STEPS + 1` points at equal distances.
    points: Vec<(f64, f64)>,
}

impl Wire {
    /// A curve that leaves and arrives level.
    #[must_use]
    pub fn new(from: (f64, f64), to: (f64, f64)) -> Wire {
        let middle = f64::midpoint(from.0, to.0);
        Wire::along([from, (middle, from.1), (middle, to.1), to])
    }

    /// A curve from the left side of one card to that of another: out to the left by `reach`.
    #[must_use]
    pub fn bow(from: (f64, f64), to: (f64, f64), reach: f64) -> Wire {
        let out = from.0.min(to.0) - reach;
        Wire::along([from, (out, from.1), (out, to.1), to])
    }

    fn along(control: [(f64, f64); 4]) -> Wire {
        let from = control[0];
        // Twelve times finer than needed, then measured off.
        let fine: Vec<(f64, f64)> =
            (0..=STEPS * 12).map(|i| cubic(&control, i as f64 / (STEPS * 12) as f64)).collect();
        let mut lengths = Vec::with_capacity(fine.len());
        let mut length = 0.0;
        let mut last = from;
        for &(x, y) in &fine {
            length += distance((x, y), last);
            lengths.push(length);
            last = (x, y);
        }
        let points = (0..=STEPS)
            .map(|i| {
                let want = length * i as f64 / STEPS as f64;
                let at = lengths.partition_point(|&l| l < want).min(fine.len() - 1);
                fine[at]
            })
            .collect();
        Wire { control, length, points }
    }

    /// The point at `part` (0 at the bus, 1 at the card) of the way.
    #[must_use]
    pub fn at(&self, part: f64) -> (f64, f64) {
        let scaled = part.clamp(0.0, 1.0) * STEPS as f64;
        let index = (scaled as usize).min(STEPS - 1);
        let rest = scaled - index as f64;
        let ((x0, y0), (x1, y1)) = (self.points[index], self.points[index + 1]);
        (x0 + (x1 - x0) * rest, y0 + (y1 - y0) * rest)
    }

    /// As the `d` of an SVG path.
    #[must_use]
    pub fn path(&self) -> String {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] =
            self.control.map(|(x, y)| (Rounded(x), Rounded(y)));
        format!("M{x0:.1} {y0:.1}C{x1:.1} {y1:.1} {x2:.1} {y2:.1} {x3:.1} {y3:.1}")
    }
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (x, y) = (a.0 - b.0, a.1 - b.1);
    (x * x + y * y).sqrt()
}

fn cubic(control: &[(f64, f64); 4], t: f64) -> (f64, f64) {
    let u = 1.0 - t;
    let (a, b, c, d) = (u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t);
    let mix = |p: fn(&(f64, f64)) -> f64| {
        a * p(&control[0]) + b * p(&control[1]) + c * p(&control[2]) + d * p(&control[3])
    };
    (mix(|p| p.0), mix(|p| p.1))
}

/// The wires of a plan, one a card that has a link; empty where cards have no fixed places or
/// there is no bus.
#[must_use]
pub fn wires(plan: &Plan, topology: &Topology) -> Vec<Option<Wire>> {
    let Some(bus) = plan.bus.filter(|_| plan.detail != Detail::Tiles) else { return Vec::new() };
    let fed = topology.feeds.iter().filter(|feed| **feed == Feed::Bus).count();
    let middle = plan.cards.y + plan.cards.h / 2.0;
    // Outlets stand closer together than the cards, so that the wires fan out.
    let pitch = (36.0_f64).min(160.0 / fed.max(1) as f64);
    let mut outlets = 0;
    let wire = |(slot, feed): (usize, &Feed)| {
        let to = plan.slot(slot)?;
        let entry = (to.x, to.y + to.h / 2.0);
        match *feed {
            Feed::Nobody => None,
            Feed::Bus => {
                let outlet = middle + (f64::from(outlets) - (fed as f64 - 1.0) / 2.0) * pitch;
                outlets += 1;
                Some(Wire::new((bus, outlet), entry))
            }
            Feed::Card(above) => {
                let from = plan.slot(above)?;
                // Below the middle of a card above, so that it does not meet that card's own wire.
                let lower = if from.y < to.y { 0.78 } else { 0.22 };
                let apart = (slot.abs_diff(above) as f64 - 1.0) * 14.0;
                let reach = (34.0 + apart).min((from.x - bus) * 0.8);
                Some(Wire::bow((from.x, from.y + from.h * lower), entry, reach * 4.0 / 3.0))
            }
        }
    };
    topology.feeds.iter().enumerate().map(wire).collect()
}

/// Where replicas are tiles, one trunk to all of them.
#[must_use]
pub fn trunk(plan: &Plan) -> Option<Wire> {
    let bus = plan.bus.filter(|_| plan.detail == Detail::Tiles && plan.replicas > 0)?;
    let middle = plan.cards.y + plan.cards.h / 2.0;
    Some(Wire::new((bus - 10.0, middle), (plan.cards.x - 12.0, middle)))
}

/// How much of its way a packet has gone at `now_us`, from its sender; none when it is not on
/// the way.
#[must_use]
pub fn progress(packet: &Packet, now_us: u64) -> Option<f64> {
    if now_us < packet.sent_us || now_us > packet.arrives_us {
        return None;
    }
    let whole = packet.arrives_us - packet.sent_us;
    if whole == 0 { None } else { Some((now_us - packet.sent_us) as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture;
    use crate::stage::plan::Fit;
    use crate::state::View;
    use crate::world::{PacketKind, Snapshot};

    #[test]
    fn a_wire_begins_at_the_bus_and_ends_at_the_card_and_is_walked_evenly() {
        let wire = Wire::new((0.0, 0.0), (100.0, 80.0));
        assert_eq!(wire.at(0.0), (0.0, 0.0));
        assert_eq!(wire.at(1.0), (100.0, 80.0));
        assert!(wire.length > 128.0 && wire.length < 150.0);
        let mut last = wire.at(0.0);
        for i in 1..=20 {
            let here = wire.at(f64::from(i) / 20.0);
            let step = distance(here, last);
            assert!((step - wire.length / 20.0).abs() < 1.0, "step {i}: {step}");
            last = here;
        }
    }

    #[test]
    fn a_packet_is_between_its_ends_only_while_it_travels() {
        let packet = Packet {
            replica: 1,
            to_replica: true,
            sent_us: 1000,
            arrives_us: 3000,
            kind: PacketKind::Stream,
            bytes: 10,
            label: String::new(),
        };
        assert_eq!(progress(&packet, 999), None);
        assert_eq!(progress(&packet, 2000), Some(0.5));
        assert_eq!(progress(&packet, 3001), None);
    }

    fn world(count: usize) -> Snapshot {
        fixture::world(vec![fixture::link(); count])
    }

    #[test]
    fn every_card_has_a_wire_that_leaves_the_bus_in_order() {
        let of = |count| {
            let plan = Plan::new(908.0, 517.0, count, Fit::Page, View::Dial);
            wires(&plan, &Topology::new(&world(count), None))
        };
        let wires: Vec<Wire> = of(4).into_iter().flatten().collect();
        assert_eq!(wires.len(), 4);
        assert!(wires.windows(2).all(|w| w[0].control[0].1 < w[1].control[0].1));
        assert!(of(100).is_empty());
    }

    #[test]
    fn a_link_of_a_chain_leaves_the_card_of_its_master() {
        let mut world = world(3);
        if let Some(link) = &mut world.servers[3].link {
            "replica-1".clone_into(&mut link.master);
        }
        let plan = Plan::new(908.0, 517.0, 3, Fit::Page, View::Dial);
        let of_plan = wires(&plan, &Topology::new(&world, None));
        let (above, below) = (plan.slot(0).unwrap(), plan.slot(2).unwrap());
        let wire = of_plan[2].as_ref().unwrap();
        let (from, to) = (wire.at(0.0), wire.at(1.0));
        assert!(from.0 == above.x && from.1 > above.y && from.1 < above.y + above.h);
        assert_eq!(to, (below.x, below.y + below.h / 2.0));
        assert!(wire.at(0.5).0 < above.x - 30.0 && wire.at(0.5).0 > plan.bus.unwrap());
    }
}
