//! The timeline on its canvas: axis and playhead, and between them the lanes or the chart.
//!
//! What lies after the playhead has been seen before and is paler. Absent on purpose: names of the
//! lanes and panels, which are HTML; the stretch shown, which is the page's state.

use std::cell::RefCell;

use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::chart;
use super::chronicle::{Chronicle, Flag};
use super::lanes::{self, message_at};
use super::stretch::{NAMES, SPAN_US, Stretch, tick_text};
use crate::frame::now_ms;
use crate::run::{Painter, RunHandle};
use crate::stage::painting::palette::Palette;
use crate::stage::painting::pen::{Align, Pen};
use crate::world::Snapshot;

/// Above the first lane, for the playhead.
pub const TOP: f64 = 16.0;
/// Below the last one, for the axis.
pub const BOTTOM: f64 = 26.0;
/// Above the first panel of the chart, besides: flags need more than a playhead.
const FLAGS: f64 = 6.0;
/// How high a panel is, and how much of that is air.
const PANEL: f64 = 43.0;
const AIR: f64 = 8.0;
/// How long samples are taken in a frame, in milliseconds.
const SAMPLING_MS: f64 = 4.0;

/// Where the lanes are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    /// Size of the drawing.
    pub width: f64,
    /// Size of the drawing.
    pub height: f64,
    /// Indices of servers, from above; in the chart all that have flags.
    pub shown: Vec<usize>,
    /// The chart instead.
    pub chart: bool,
}

impl Lanes {
    /// How high a drawing with so many lanes is.
    #[must_use]
    pub fn height_for(rows: usize, chart: bool) -> f64 {
        if chart {
            return TOP + FLAGS + PANEL * 4.0 + BOTTOM;
        }
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

    /// The row of a lane, if it is shown.
    #[must_use]
    pub fn row(&self, lane: usize) -> Option<usize> {
        self.shown.iter().position(|&shown| shown == lane)
    }

    /// How high the flags of a lane stand.
    #[must_use]
    pub fn flag_y(&self, lane: usize) -> Option<f64> {
        if self.chart { Some((TOP + FLAGS) / 2.0) } else { Some(self.y(self.row(lane)?)) }
    }

    /// Upper and lower edge of a panel of the chart.
    #[must_use]
    pub fn panel(&self, index: usize) -> (f64, f64) {
        let top = TOP + FLAGS + PANEL * index as f64;
        (top + AIR, top + PANEL)
    }
}

/// Paints the timeline.
pub struct TimelinePainter {
    pen: Pen,
    run: RunHandle,
    kept: RefCell<Kept>,
}

/// What is painted, and with what.
pub(super) struct Kept {
    pub palette: Palette,
    pub lanes: Lanes,
    pub view: Stretch,
    pub chronicle: Chronicle,
    /// Since when all messages are kept.
    pub since_us: u64,
    /// The numbers at the upper edges of the panels.
    pub tops: [u64; 4],
    ticks: Vec<(u64, String)>,
    ticks_of: Option<(Stretch, u64)>,
}

impl Kept {
    /// Where a moment stands.
    pub fn x(&self, at_us: u64) -> f64 {
        self.view.x(at_us, self.lanes.width)
    }
}

impl TimelinePainter {
    /// A painter for this canvas.
    #[must_use]
    pub fn new(ctx: CanvasRenderingContext2d, run: RunHandle, palette: Palette) -> TimelinePainter {
        let kept = Kept {
            palette,
            lanes: Lanes::default(),
            view: Stretch::default(),
            chronicle: Chronicle::default(),
            since_us: 0,
            tops: [0; 4],
            ticks: Vec::new(),
            ticks_of: None,
        };
        TimelinePainter { pen: Pen::new(ctx), run, kept: RefCell::new(kept) }
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

    /// The flag under a point.
    #[must_use]
    pub fn flag_at(&self, x: f64, y: f64) -> Option<Flag> {
        let kept = self.kept.borrow();
        let near = |flag: &&Flag| {
            let there = kept.lanes.flag_y(flag.lane);
            (kept.x(flag.at_us) - x).abs() <= 10.0
                && there.is_some_and(|there| (there - y).abs() <= 12.0)
        };
        let (from, to) = (kept.view.from_us, kept.view.to_us());
        kept.chronicle.flags_in(from, to).iter().rev().find(near).cloned()
    }

    /// When the message was sent whose line is under a point.
    #[must_use]
    pub fn message_at(&self, x: f64, y: f64) -> Option<u64> {
        message_at(&self.kept.borrow(), x, y)
    }

    /// Takes some more samples, and asks for another frame when some are still missing.
    fn sample(&self) {
        let began_ms = now_ms();
        let late = || now_ms() - began_ms > SAMPLING_MS;
        if !self.run.session_mut().sample(late) {
            self.run.request_paint();
        }
    }
}

impl Painter for TimelinePainter {
    fn paint(&self, now_us: u64, snapshot: &Snapshot) {
        let mut kept = self.kept.borrow_mut();
        let kept = &mut *kept;
        if kept.lanes.width < 1.0 {
            return;
        }
        kept.since_us = self.run.with_trace(|trace| {
            kept.chronicle.read(trace);
            trace.kept_since().map_or(0, |at| at.0)
        });
        kept.view = self.run.session().state().stretch;
        let view = kept.view;
        self.run.set_zoomed((view.span_us != SPAN_US).then_some((view.from_us, view.to_us())));
        let (width, height) = (kept.lanes.width, kept.lanes.height);
        self.pen.ctx.clear_rect(0.0, 0.0, width, height);
        axis(&self.pen, kept);
        if kept.lanes.chart {
            self.sample();
            let session = self.run.session();
            kept.tops = chart::paint(&self.pen, kept, &session, snapshot);
        } else {
            lanes::paint(&self.pen, kept, now_us);
        }
        // Seen before, but not yet again.
        let x = kept.x(now_us).max(NAMES);
        self.pen.alpha(0.6);
        self.pen.ctx.set_fill_style_str(&kept.palette.panel);
        self.pen.ctx.fill_rect(x, 0.0, (width - x).max(0.0), height - BOTTOM);
        self.pen.alpha(1.0);
        lanes::flags(&self.pen, kept, now_us);
        if kept.lanes.chart {
            chart::labels(&self.pen, kept, self.run.session().state().selection, snapshot);
        }
        playhead(&self.pen, kept, kept.x(now_us));
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
