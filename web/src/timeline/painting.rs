//! The lanes on their canvas: states, messages, flags, playhead.
//!
//! What lies after the playhead has been seen before and is paler. Absent on purpose: names of the
//! lanes, which are HTML.

use std::cell::{Cell, RefCell};

use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::chronicle::{Chronicle, Flag, FlagKind};
use super::stretch::{NAMES, RIGHT, SPAN_US, Stretch, tick_text};
use crate::run::{Painter, RunHandle};
use crate::stage::painting::palette::Palette;
use crate::stage::painting::pen::{Align, Dash, Pen};
use crate::world::{LinkState, PacketKind, Snapshot};

/// Above the first lane, for the playhead.
pub const TOP: f64 = 16.0;
/// Below the last one, for the axis.
pub const BOTTOM: f64 = 26.0;
/// Message lines on one link closer than this are not painted.
const CLOSEST: f64 = 7.0;

/// Of a message that is under way for longer than this only the beginning is painted.
const LONGEST: f64 = 120.0;

/// Where the lanes are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    /// Size of the drawing.
    pub width: f64,
    /// Size of the drawing.
    pub height: f64,
    /// Indices of servers, from above.
    pub shown: Vec<usize>,
}

impl Lanes {
    /// How high a drawing with so many lanes is.
    #[must_use]
    pub fn height_for(rows: usize) -> f64 {
        let pitch = if rows > 4 { 23.0 } else { 29.0 };
        TOP + BOTTOM + pitch * rows.max(2) as f64
    }

    /// The middle of a lane by its row.
    #[must_use]
    pub fn y(&self, row: usize) -> f64 {
        let rows = self.shown.len().max(1) as f64;
        let pitch = ((self.height - TOP - BOTTOM) / rows).max(12.0);
        TOP + pitch * (row as f64 + 0.5)
    }

    fn row(&self, lane: usize) -> Option<usize> {
        self.shown.iter().position(|&shown| shown == lane)
    }
}

/// Paints the timeline.
pub struct TimelinePainter {
    pen: Pen,
    run: RunHandle,
    kept: RefCell<Kept>,
    dragging: Cell<bool>,
}

struct Kept {
    palette: Palette,
    lanes: Lanes,
    view: Stretch,
    /// The moment at which the stretch followed the playhead last.
    followed_us: Option<u64>,
    chronicle: Chronicle,
    ticks: Vec<(u64, String)>,
    ticks_of: Option<(Stretch, u64)>,
}

impl TimelinePainter {
    /// A painter for this canvas.
    #[must_use]
    pub fn new(ctx: CanvasRenderingContext2d, run: RunHandle, palette: Palette) -> TimelinePainter {
        let kept = Kept {
            palette,
            lanes: Lanes::default(),
            view: Stretch::default(),
            followed_us: None,
            chronicle: Chronicle::default(),
            ticks: Vec::new(),
            ticks_of: None,
        };
        TimelinePainter {
            pen: Pen::new(ctx),
            run,
            kept: RefCell::new(kept),
            dragging: Cell::new(false),
        }
    }

    /// Another arrangement.
    pub fn arrange(&self, canvas: &HtmlCanvasElement, lanes: &Lanes, ratio: f64) {
        let device = |css: f64| (css * ratio).round().max(1.0) as u32;
        if canvas.width() != device(lanes.width) || canvas.height() != device(lanes.height) {
            canvas.set_width(device(lanes.width));
            canvas.set_height(device(lanes.height));
        }
        let _ = self.pen.ctx.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        self.pen.ctx.set_text_baseline("middle");
        let mut kept = self.kept.borrow_mut();
        kept.lanes = lanes.clone();
        kept.ticks_of = None;
    }

    /// Another theme.
    pub fn recolour(&self, palette: Palette) {
        self.kept.borrow_mut().palette = palette;
    }

    /// Shows more (more than 1000 thousandths) or less time; around `x`, or around the playhead.
    pub fn zoom(&self, thousandths: u64, x: Option<f64>) {
        let mut kept = self.kept.borrow_mut();
        let (view, width) = (kept.view, kept.lanes.width);
        let middle = view.from_us + view.span_us / 2;
        let playhead = kept.followed_us.filter(|at| (view.from_us..=view.to_us()).contains(at));
        let about = x.map(|x| view.moment(x, width)).or(playhead).unwrap_or(middle);
        kept.view = view.zoomed(thousandths, about);
        drop(kept);
        self.run.request_paint();
    }

    /// Shows what is earlier or later, by eighths of the width.
    pub fn pan(&self, eighths: i64) {
        let mut kept = self.kept.borrow_mut();
        kept.view = kept.view.panned(eighths);
        drop(kept);
        self.run.request_paint();
    }

    /// While somebody drags, the stretch stands still.
    pub fn hold(&self, dragging: bool) {
        self.dragging.set(dragging);
    }

    /// The moment under a point.
    #[must_use]
    pub fn moment(&self, x: f64) -> u64 {
        let kept = self.kept.borrow();
        kept.view.moment(x, kept.lanes.width)
    }

    /// The flag under a point.
    #[must_use]
    pub fn flag_at(&self, x: f64, y: f64) -> Option<Flag> {
        let kept = self.kept.borrow();
        let near = |flag: &&Flag| {
            let at = kept.view.x(flag.at_us, kept.lanes.width);
            let row = kept.lanes.row(flag.lane);
            (at - x).abs() <= 10.0 && row.is_some_and(|row| (kept.lanes.y(row) - y).abs() <= 12.0)
        };
        let (from, to) = (kept.view.from_us, kept.view.to_us());
        kept.chronicle.flags_in(from, to).iter().rev().find(near).cloned()
    }
}

impl Painter for TimelinePainter {
    fn paint(&self, now_us: u64, _snapshot: &Snapshot) {
        let mut kept = self.kept.borrow_mut();
        let kept = &mut *kept;
        if kept.lanes.width < 1.0 {
            return;
        }
        self.run.with_trace(|trace| kept.chronicle.read(trace));
        // Who looks elsewhere while time stands is not called back.
        if !self.dragging.get() && kept.followed_us.replace(now_us) != Some(now_us) {
            kept.view = kept.view.following(now_us);
        }
        let view = kept.view;
        self.run.set_zoomed((view.span_us != SPAN_US).then_some((view.from_us, view.to_us())));
        let (width, height) = (kept.lanes.width, kept.lanes.height);
        self.pen.ctx.clear_rect(0.0, 0.0, width, height);
        axis(&self.pen, kept);
        states(&self.pen, kept, now_us);
        lines(&self.pen, kept);
        // Seen before, but not yet again.
        let x = kept.view.x(now_us, width);
        self.pen.alpha(0.6);
        self.pen.ctx.set_fill_style_str(&kept.palette.panel);
        self.pen.ctx.fill_rect(x, 0.0, (width - x).max(0.0), height - BOTTOM);
        self.pen.alpha(1.0);
        flags(&self.pen, kept, now_us);
        playhead(&self.pen, kept, x);
    }
}

fn axis(pen: &Pen, kept: &mut Kept) {
    let (width, view) = (kept.lanes.width, kept.view);
    // The same ticks serve until one comes or goes.
    let bucket = view.from_us / (view.span_us / 160).max(1);
    if kept.ticks_of != Some((Stretch { from_us: bucket, ..view }, width as u64)) {
        kept.ticks_of = Some((Stretch { from_us: bucket, ..view }, width as u64));
        kept.ticks = view.ticks(width).into_iter().map(|us| (us, tick_text(us))).collect();
    }
    let p = &kept.palette;
    let y = kept.lanes.height - BOTTOM / 2.0 + 2.0;
    pen.type_with(&p.mono, &p.ink2, Align::Middle);
    for (us, text) in &kept.ticks {
        let half = text.len() as f64 * 3.7;
        let x = view.x(*us, width);
        if x >= NAMES - 1.0 && x - half < width {
            pen.text(text, x.min(width - half - 2.0), y);
        }
    }
    pen.ctx.begin_path();
    for row in 0..kept.lanes.shown.len() {
        let y = kept.lanes.y(row).round() + 0.5;
        pen.ctx.move_to(NAMES, y);
        pen.ctx.line_to(width - RIGHT, y);
    }
    pen.stroke(&p.line_strong, 1.0);
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
                    hatch(pen, from, to, y, &kept.palette.ink3);
                }
            }
        }
    }
}

fn hatch(pen: &Pen, from: f64, to: f64, y: f64, colour: &str) {
    if to <= from {
        return;
    }
    pen.ctx.save();
    pen.ctx.begin_path();
    pen.ctx.rect(from, y - 7.0, to - from, 14.0);
    pen.ctx.clip();
    pen.ctx.begin_path();
    // Stripes belong to the drawing, not to the stretch, or they would crawl as it grows.
    let mut x = (from / 6.0).floor() * 6.0 - 14.0;
    while x < to {
        pen.ctx.move_to(x, y + 7.0);
        pen.ctx.line_to(x + 14.0, y - 7.0);
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
    let (view, width) = (kept.view, kept.lanes.width);
    let here = kept.lanes.y(row);
    let mut last = [f64::MIN; 2];
    for line in kept.chronicle.lines_in(lane, view.from_us, view.to_us()) {
        let x = view.x(line.at_us, width);
        let last = &mut last[usize::from(line.to_replica)];
        if line.kind != kind || x - *last < CLOSEST {
            continue;
        }
        *last = x;
        // A master whose lane is not shown is somewhere above.
        let master = kept.lanes.row(kept.chronicle.source(lane, line.at_us)).unwrap_or(0);
        let there = kept.lanes.y(master);
        let (from, to) = if line.to_replica { (there, here) } else { (here, there) };
        // What waits for a link to heal goes a third of its way.
        let (end, to) = match line.arrives_us {
            Some(at) => (view.x(at, width), to),
            None => (x, from + (to - from) / 3.0),
        };
        pen.ctx.move_to(x, from);
        // A slant that can be seen; on this scale a millisecond could not. What is under way for
        // long is only begun: a queue would be one thick band along its lane.
        let end = end.max(x + 3.0);
        let part = (LONGEST / (end - x)).min(1.0);
        pen.ctx.line_to(x + (end - x) * part, from + (to - from) * part);
    }
}

fn flags(pen: &Pen, kept: &Kept, now_us: u64) {
    let view = kept.view;
    let p = &kept.palette;
    for flag in kept.chronicle.flags_in(view.from_us, view.to_us()) {
        let Some(row) = kept.lanes.row(flag.lane) else { continue };
        let (x, y) = (view.x(flag.at_us, kept.lanes.width), kept.lanes.y(row));
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

fn playhead(pen: &Pen, kept: &Kept, x: f64) {
    let colour = &kept.palette.ink;
    if x < NAMES - 1.0 {
        return;
    }
    pen.line((x, 6.0), (x, kept.lanes.height - BOTTOM + 2.0));
    pen.stroke(colour, 2.0);
    pen.ctx.begin_path();
    pen.ctx.move_to(x - 6.0, 0.0);
    pen.ctx.line_to(x + 6.0, 0.0);
    pen.ctx.line_to(x + 6.0, 7.0);
    pen.ctx.line_to(x, 13.0);
    pen.ctx.line_to(x - 6.0, 7.0);
    pen.ctx.close_path();
    pen.fill(colour);
}
