//! What travels on the links: stream bytes as dots or a band, control messages as capsules, a
//! snapshot as a filling pipe; and what does not, as a broken line.

use super::Scene;
use super::pen::{Align, Dash, Pen};
use crate::stage::plan::Rect;
use crate::stage::standing::{Standing, is_cut, standing};
use crate::stage::topology::{Feed, Topology};
use crate::stage::turn;
use crate::stage::wires::{Wire, progress};
use crate::world::{LinkSnapshot, LinkState, Packet, PacketKind, ServerSnapshot};

/// More stream packets than this on one link are a band.
const MOST_DOTS: usize = 20;
/// Half the height of a capsule.
const CAPSULE: f64 = 9.0;

/// Paints all links.
pub fn paint(pen: &Pen, wires: &[Option<Wire>], topology: &Topology, scene: &Scene<'_>) {
    if wires.is_empty() {
        return;
    }
    bus(pen, wires, topology, scene);
    let linked = || {
        let cards = wires.iter().zip(&topology.cards).zip(&topology.feeds);
        cards.filter_map(|((wire, server), feed)| {
            let ServerSnapshot { link, .. } = scene.snapshot.servers.get(*server)?;
            Some((wire.as_ref()?, *server, *feed, link.as_ref()?))
        })
    };
    // In the order of urgency, so that a cut line is not covered by a healthy one.
    for (wire, server, feed, link) in linked() {
        line(pen, wire, scene, link);
        if let Feed::Card(_) = feed {
            let (x, y) = wire.at(0.0);
            pen.disc(x, y, 4.0, &scene.palette.line_strong);
        }
        let stands = standing(link, scene.snapshot.write_bytes_per_second);
        if !is_cut(link) {
            stream(pen, wire, scene, server, stands);
        }
    }
    for (wire, server, _, _) in linked() {
        capsules(pen, wire, scene, server);
    }
}

/// One bar from which all links of the server on the dial leave, and the stub that joins it.
fn bus(pen: &Pen, wires: &[Option<Wire>], topology: &Topology, scene: &Scene<'_>) {
    let fed = wires.iter().zip(&topology.feeds).filter(|(_, feed)| **feed == Feed::Bus);
    let mut outlets = fed.filter_map(|(wire, _)| Some(wire.as_ref()?.control[0]));
    let Some((x, top)) = outlets.next() else { return };
    let bottom = outlets.next_back().map_or(top, |outlet| outlet.1);
    let middle = f64::midpoint(top, bottom);
    let colour = &scene.palette.line_strong;
    pen.dash(Dash::None);
    pen.line((x - 20.0, middle), (x, middle));
    pen.stroke(colour, 2.0);
    pen.round(x - 2.5, top - 14.0, 5.0, bottom - top + 28.0, 2.5);
    pen.fill(colour);
}

/// All links of a crowd as one: a bracket around the tiles, fed from the dial.
pub fn trunk(pen: &Pen, wire: &Wire, cards: &Rect, scene: &Scene<'_>) {
    let p = scene.palette;
    let (x, y) = wire.control[3];
    let (top, bottom) = (cards.y + 4.0, cards.y + cards.h - 4.0);
    pen.ctx.begin_path();
    pen.ctx.move_to(x + 8.0, top);
    pen.ctx.line_to(x, top);
    pen.ctx.line_to(x, bottom);
    pen.ctx.line_to(x + 8.0, bottom);
    pen.stroke(&p.line_strong, 2.0);
    pen.line(wire.control[0], (x, y));
    pen.stroke(&p.line_strong, 6.0);
    let streams = |packet: &&Packet| packet.kind == PacketKind::Stream && packet.to_replica;
    if scene.snapshot.packets.iter().any(|packet| streams(&packet)) {
        flow(pen, scene, &p.sync, 4.0);
    }
}

/// Strokes the outline as a dense stream.
fn flow(pen: &Pen, scene: &Scene<'_>, colour: &str, width: f64) {
    pen.dash(Dash::Band);
    if !scene.palette.still && scene.moving {
        pen.ctx.set_line_dash_offset(-turn::fraction(scene.real_ms / 240.0) * 15.0);
    }
    pen.stroke(colour, width);
    pen.ctx.set_line_dash_offset(0.0);
    pen.dash(Dash::None);
}

fn trace(pen: &Pen, wire: &Wire) {
    let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = wire.control;
    pen.ctx.begin_path();
    pen.ctx.move_to(x0, y0);
    pen.ctx.bezier_curve_to(x1, y1, x2, y2, x3, y3);
}

/// The link itself.
fn line(pen: &Pen, wire: &Wire, scene: &Scene<'_>, link: &LinkSnapshot) {
    let p = scene.palette;
    let stands = standing(link, scene.snapshot.write_bytes_per_second);
    trace(pen, wire);
    if let Some(transfer) = link.transfer {
        pen.stroke(&p.line_strong, 10.0);
        let part = match transfer.total {
            Some(total) if total > 0 => transfer.received as f64 / total as f64,
            _ => 0.0,
        };
        pipe(pen, wire, part, &p.full);
        return;
    }
    match stands {
        Standing::InSync | Standing::CatchingUp => pen.stroke(&p.sync, 2.0),
        // No connection, and nobody cut it: it is tried again, or nobody is there.
        Standing::Adrift if !is_cut(link) => {
            let tries = link.state == LinkState::Connecting;
            pen.dash(if tries { Dash::Cut } else { Dash::None });
            pen.stroke(&p.line_strong, 2.0);
            pen.dash(Dash::None);
        }
        _ => {
            pen.dash(Dash::Cut);
            pen.stroke(p.of(stands), 2.0);
            pen.dash(Dash::None);
        }
    }
}

/// The part of a pipe that is filled, from the bus on.
fn pipe(pen: &Pen, wire: &Wire, part: f64, colour: &str) {
    let (x, y) = wire.at(0.0);
    pen.ctx.begin_path();
    pen.ctx.move_to(x, y);
    let steps = 40.0 * part.clamp(0.0, 1.0);
    let mut step = 1.0;
    while step <= steps {
        let (x, y) = wire.at(step / 40.0);
        pen.ctx.line_to(x, y);
        step += 1.0;
    }
    let (x, y) = wire.at(part);
    pen.ctx.line_to(x, y);
    pen.ctx.set_line_cap("round");
    pen.stroke(colour, 7.0);
    pen.ctx.set_line_cap("butt");
}

/// Stream bytes on their way.
fn stream(pen: &Pen, wire: &Wire, scene: &Scene<'_>, server: usize, stands: Standing) {
    let flying = || {
        scene.snapshot.packets.iter().filter(move |packet| {
            packet.replica == server && packet.kind == PacketKind::Stream && packet.to_replica
        })
    };
    let colour = scene.palette.of(stands);
    if flying().count() > MOST_DOTS {
        trace(pen, wire);
        flow(pen, scene, colour, 6.0);
        return;
    }
    pen.ctx.begin_path();
    for packet in flying() {
        if let Some(part) = progress(packet, scene.now_us) {
            let (x, y) = wire.at(part);
            // A write of a few bytes and one of a megabyte differ, but not a million times.
            let radius = 3.0 + doublings(packet.bytes.max(64) as f64 / 64.0).min(8.0) * 0.35;
            pen.circle(x, y, radius);
        }
    }
    pen.fill(colour);
}

/// How often 1 must be doubled to give `times`, in between on a straight line.
fn doublings(times: f64) -> f64 {
    let whole = (times as u64).max(1).ilog2();
    f64::from(whole) + times / (1_u64 << whole) as f64 - 1.0
}

/// Control messages with their word on them.
fn capsules(pen: &Pen, wire: &Wire, scene: &Scene<'_>, server: usize) {
    for packet in &scene.snapshot.packets {
        if packet.replica != server || packet.kind != PacketKind::Control {
            continue;
        }
        let Some(part) = progress(packet, scene.now_us) else { continue };
        let (x, y) = wire.at(if packet.to_replica { part } else { 1.0 - part });
        let p = scene.palette;
        let colour = match packet.label.as_str() {
            "CONTINUE" => &p.partial,
            "FULLRESYNC" => &p.full,
            _ => &p.ink2,
        };
        // Every replica acknowledges every second: no more than a ring. And on a short wire there
        // is no room for words; the transcript has them.
        if packet.label == "ACK" || wire.length < 80.0 {
            pen.ctx.begin_path();
            pen.circle(x, y, 4.0);
            pen.fill(&p.paper);
            pen.stroke(colour, 1.5);
            continue;
        }
        // Above its wire, where it hides neither the line nor the button on it.
        let y = y - CAPSULE - 7.0;
        pen.type_with(&p.capsule, &p.paper, Align::Middle);
        let half = packet.label.len() as f64 * 4.0 + 8.0;
        pen.round(x - half, y - CAPSULE, 2.0 * half, 2.0 * CAPSULE, CAPSULE);
        pen.fill(colour);
        pen.ctx.set_fill_style_str(&p.paper);
        pen.text(&packet.label, x, y + 0.5);
    }
}
