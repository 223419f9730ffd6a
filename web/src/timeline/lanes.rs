//! The lanes: a line for each server, outages hatched, messages slanted, flags for what mattered.
//!
//! A dense stream is thinned out to what can be told apart: at 100 MB/s it is a texture, not
//! sprites. Absent on purpose: axis and playhead, which the chart has too.

use super::chronicle::{FlagKind, Line};
use super::painting::{BOTTOM, Kept, TOP};
use super::stretch::{NAMES, RIGHT};
use crate::stage::painting::pen::{Align, Dash, Pen};
use crate::world::{LinkState, PacketKind};

/// Message lines on one link closer than this are not painted.
const CLOSEST: f64 = 7.0;
/// Of a message that is under way for longer than this only the beginning is painted.
const LONGEST: f64 = 120.0;
/// More than there are kinds of flags.
const KINDS: usize = 16;
/// More than there are lanes.
const ROWS: usize = 8;
/// Nearer than this to a line means that line.
const NEAR: f64 = 4.0;

/// Everything but the flags.
pub(super) fn paint(pen: &Pen, kept: &Kept, now_us: u64) {
    pen.ctx.begin_path();
    for row in 0..kept.lanes.shown.len() {
        let y = kept.lanes.y(row).round() + 0.5;
        pen.ctx.move_to(NAMES, y);
        pen.ctx.line_to(kept.lanes.width - RIGHT, y);
    }
    pen.stroke(&kept.palette.line_strong, 1.0);
    // The note under the lanes, which says what is not kept any more, has the same stripes.
    let half = (kept.lanes.height - TOP - BOTTOM) / 2.0;
    let since = kept.x(kept.since_us).min(kept.lanes.width);
    hatch(pen, (NAMES, since), (TOP + half, half), &kept.palette.line_strong);
    states(pen, kept, now_us);
    lines(pen, kept);
}

/// Outages hatched, transfers as a solid band.
fn states(pen: &Pen, kept: &Kept, now_us: u64) {
    let view = kept.view;
    let width = kept.lanes.width;
    for (row, &lane) in kept.lanes.shown.iter().enumerate() {
        let Some(phases) = kept.chronicle.phases.get(lane) else { continue };
        let y = kept.lanes.y(row);
        for (i, phase) in phases.iter().enumerate() {
            let end = phases.get(i + 1).map_or(now_us.max(phase.from_us), |next| next.from_us);
            if end < view.from_us || phase.from_us > view.to_us() {
                continue;
            }
            let (from, to) =
                (view.x(phase.from_us, width).max(NAMES), view.x(end, width).min(width));
            match phase.state {
                LinkState::Up => {}
                LinkState::Transfer => {
                    pen.alpha(0.35);
                    pen.ctx.set_fill_style_str(&kept.palette.full);
                    pen.ctx.fill_rect(from, y - 4.0, (to - from).max(1.0), 8.0);
                    pen.alpha(1.0);
                }
                LinkState::Cut | LinkState::Connecting | LinkState::Handshake => {
                    hatch(pen, (from, to), (y, 7.0), &kept.palette.ink3);
                }
            }
        }
    }
}

/// Stripes from one point to another, so high on both sides of `y`.
fn hatch(pen: &Pen, (from, to): Point, (y, half): Point, colour: &str) {
    if to <= from {
        return;
    }
    pen.ctx.save();
    pen.ctx.begin_path();
    pen.ctx.rect(from, y - half, to - from, half * 2.0);
    pen.ctx.clip();
    pen.ctx.begin_path();
    // Stripes belong to the drawing, not to the stretch, or they would crawl as it grows.
    let mut x = (from / 6.0).floor() * 6.0 - half * 2.0;
    while x < to {
        pen.ctx.move_to(x, y + half);
        pen.ctx.line_to(x + half * 2.0, y - half);
        x += 6.0;
    }
    pen.stroke(colour, 1.25);
    pen.ctx.restore();
}

/// Messages from lane to lane, kind by kind: each kind is one outline and one stroke.
fn lines(pen: &Pen, kept: &Kept) {
    let p = &kept.palette;
    for (kind, colour, alpha) in [
        (PacketKind::Stream, &p.sync, 0.35),
        (PacketKind::Snapshot, &p.full, 0.5),
        (PacketKind::Control, &p.ink2, 0.5),
    ] {
        pen.ctx.begin_path();
        for (row, &lane) in kept.lanes.shown.iter().enumerate() {
            outline(pen, kept, kind, row, lane);
        }
        pen.alpha(alpha);
        pen.dash(Dash::None);
        pen.stroke(colour, 1.0);
        pen.alpha(1.0);
    }
}

/// Adds the messages of one kind and lane to the outline.
fn outline(pen: &Pen, kept: &Kept, kind: PacketKind, row: usize, lane: usize) {
    each_line(kept, row, lane, |line, from, to| {
        if line.kind == kind {
            pen.ctx.move_to(from.0, from.1);
            pen.ctx.line_to(to.0, to.1);
        }
    });
}

type Point = (f64, f64);

/// Calls back for each message of a lane that is drawn, with the ends of its line.
fn each_line(kept: &Kept, row: usize, lane: usize, mut then: impl FnMut(&Line, Point, Point)) {
    let view = kept.view;
    let here = kept.lanes.y(row);
    let mut last = [f64::MIN; 6];
    let from_us = view.from_us.max(kept.since_us);
    for line in kept.chronicle.lines_in(lane, from_us, view.to_us()) {
        let x = kept.x(line.at_us);
        let last = &mut last[line.kind as usize * 2 + usize::from(line.to_replica)];
        if x - *last < CLOSEST {
            continue;
        }
        *last = x;
        // A master whose lane is not shown is somewhere above.
        let master = kept.lanes.row(kept.chronicle.source(lane, line.at_us)).unwrap_or(0);
        let there = kept.lanes.y(master);
        let (from, to) = if line.to_replica { (there, here) } else { (here, there) };
        // What waits for a link to heal goes a third of its way.
        let (end, to) = match line.arrives_us {
            Some(at) => (kept.x(at), to),
            None => (x, from + (to - from) / 3.0),
        };
        // A slant that can be seen; on this scale a millisecond could not. What is under way for
        // long is only begun: a queue would be one thick band along its lane.
        let end = end.max(x + 3.0);
        let part = (LONGEST / (end - x)).min(1.0);
        then(line, (x, from), (x + (end - x) * part, from + (to - from) * part));
    }
}

/// When the message was sent whose line is nearest to a point, and near it.
pub(super) fn message_at(kept: &Kept, x: f64, y: f64) -> Option<u64> {
    if kept.lanes.chart {
        return None;
    }
    let mut nearest = (NEAR, None);
    for (row, &lane) in kept.lanes.shown.iter().enumerate() {
        each_line(kept, row, lane, |line, from, to| {
            let part = ((y - from.1) / (to.1 - from.1)).clamp(0.0, 1.0);
            let (dx, dy) =
                (from.0 + (to.0 - from.0) * part - x, from.1 + (to.1 - from.1) * part - y);
            let away = dx.abs().max(dy.abs());
            if away < nearest.0 {
                nearest = (away, Some(line.at_us));
            }
        });
    }
    nearest.1
}

pub(super) fn flags(pen: &Pen, kept: &Kept, now_us: u64) {
    let view = kept.view;
    let p = &kept.palette;
    // Of flags of one kind upon each other one is painted: a day of a loop has thousands.
    let mut last = [[f64::MIN; KINDS]; ROWS];
    for flag in kept.chronicle.flags_in(view.from_us, view.to_us()) {
        let x = kept.x(flag.at_us);
        let Some(y) = kept.lanes.flag_y(flag.lane).filter(|_| x > NAMES - 9.0) else { continue };
        let row = kept.lanes.row(flag.lane).filter(|_| !kept.lanes.chart).unwrap_or(0);
        let last = &mut last[row % ROWS][flag.kind as usize % KINDS];
        if x - *last < 2.0 {
            continue;
        }
        *last = x;
        let colour = match flag.kind {
            FlagKind::Cut => &p.fuse,
            FlagKind::Heal | FlagKind::Deed => &p.ink2,
            FlagKind::Overrun | FlagKind::Kill => &p.lost,
            FlagKind::Turn | FlagKind::Restart => &p.ink,
            FlagKind::Partial => &p.partial,
            FlagKind::Full => &p.full,
        };
        pen.alpha(if flag.at_us > now_us { 0.45 } else { 1.0 });
        let small = matches!(flag.kind, FlagKind::Cut | FlagKind::Heal | FlagKind::Deed);
        if small {
            pen.ctx.begin_path();
            pen.circle(x, y, 6.5);
            pen.fill(&p.panel);
            pen.stroke(colour, 1.5);
            pen.type_with(&p.capsule, colour, Align::Middle);
        } else {
            pen.disc(x, y, 8.5, colour);
            pen.type_with(&p.capsule, &p.panel, Align::Middle);
        }
        pen.text(flag.kind.glyph(), x, y + 0.5);
        pen.alpha(1.0);
    }
}
