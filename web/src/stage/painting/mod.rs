//! What moves each frame, on one canvas under the page's text: dial, links, ruler.
//!
//! A painter reads a snapshot and the plan; it measures nothing and lays nothing out. Invariants:
//! the same scene gives the same picture; nothing is painted that is not also said in words
//! somewhere on the page. Absent on purpose: standing parts, which are SVG and HTML.

pub mod dial;
pub mod links;
pub mod marks;
pub mod motion;
pub mod palette;
pub mod pen;
pub mod ruler;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use self::marks::Marked;
use self::motion::{Glide, Pulse};
use self::palette::Palette;
use self::pen::Pen;
use super::hands::{Hand, Marker, Markers};
use super::plan::{Plan, Shape};
use super::span::Zoom;
use super::standing::Standing;
use super::topology::Topology;
use super::turn;
use super::wires::{Wire, trunk, wires};
use crate::run::{Painter, RunHandle};
use crate::world::{BacklogSnapshot, Block, Snapshot};

/// What of the history is kept, as the drawing needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The oldest byte.
    pub first: i64,
    /// How many.
    pub histlen: u64,
    /// A full turn.
    pub size: u64,
}

impl From<&BacklogSnapshot> for Held {
    fn from(backlog: &BacklogSnapshot) -> Held {
        let BacklogSnapshot { first_byte_offset, histlen, size, .. } = *backlog;
        Held { first: first_byte_offset, histlen, size: size.max(1) }
    }
}

/// One frame's picture.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The world.
    pub snapshot: &'a Snapshot,
    /// Its moment.
    pub now_us: u64,
    /// Real milliseconds, for what flickers.
    pub real_ms: f64,
    /// Whether time runs.
    pub moving: bool,
    /// The write head as shown: on its way to the master's offset.
    pub head: f64,
    /// The master's backlog.
    pub held: Option<Held>,
    /// The blocks it is kept in, where it is kept in blocks.
    pub blocks: Option<&'a [Block]>,
    /// The hands.
    pub markers: &'a Markers,
    /// Overtakings that happened a moment ago.
    pub pulses: &'a [Pulse],
    /// Colours.
    pub palette: &'a Palette,
    /// The right limit of the dial's labels.
    pub bounds: f64,
    /// No labels at the write head.
    pub terse: bool,
    /// Whether the scale is labelled.
    pub scaled: bool,
    /// Where texts are put together.
    pub scratch: &'a RefCell<String>,
}

impl Scene<'_> {
    /// What is printed at a marker: up to three numbers, or a count that cannot be taken for one.
    pub fn label_of(&self, marker: &Marker, print: impl FnOnce(&str)) {
        let mut text = self.scratch.borrow_mut();
        text.clear();
        if marker.count > 3 {
            // Writing into a string cannot fail.
            let _ = write!(text, "\u{d7}{}", marker.count);
        } else {
            for server in self.markers.members(marker) {
                let gap = if text.is_empty() { "" } else { " " };
                let _ = write!(text, "{gap}{server}");
            }
        }
        print(&text);
    }
}

/// What the painter keeps between frames.
#[derive(Debug)]
struct Kept {
    plan: Plan,
    palette: Palette,
    topology: Topology,
    wires: Vec<Option<Wire>>,
    trunk: Option<Wire>,
    /// The server that is looked at.
    chosen: Option<usize>,
    zoom: Zoom,
    /// A position that is pointed at.
    cursor: Option<i64>,
    marked: Marked,
    moving: bool,
    markers: Markers,
    glide: Glide,
    last_ms: f64,
    standings: Vec<Standing>,
    pulses: Vec<Pulse>,
    dial: dial::DialBrush,
    ruler: ruler::RulerBrush,
    span: Option<super::span::Span>,
}

/// What the page knows and the snapshot does not.
#[derive(Clone, Debug)]
pub struct Told {
    /// Whether time runs.
    pub moving: bool,
    /// How far the ruler is zoomed in.
    pub zoom: Zoom,
    /// A position that is pointed at.
    pub cursor: Option<i64>,
    /// The painted places that are marked.
    pub marked: Marked,
    /// The server that is looked at.
    pub chosen: Option<usize>,
    /// Painted instead of the run's present.
    pub still: Option<Rc<Snapshot>>,
}

/// Paints the stage.
pub struct StagePainter {
    pen: Pen,
    run: RunHandle,
    /// Painted instead of the run's present, for stills.
    still: RefCell<Option<Rc<Snapshot>>>,
    kept: RefCell<Kept>,
    scratch: RefCell<String>,
}

impl StagePainter {
    /// A painter for this canvas.
    #[must_use]
    pub fn new(ctx: CanvasRenderingContext2d, run: RunHandle, plan: Plan, p: Palette) -> Self {
        let kept = Kept {
            topology: Topology::default(),
            wires: Vec::new(),
            trunk: trunk(&plan),
            plan,
            palette: p,
            chosen: None,
            zoom: Zoom::default(),
            cursor: None,
            marked: Marked::default(),
            moving: false,
            markers: Markers::default(),
            glide: Glide::default(),
            last_ms: 0.0,
            standings: Vec::new(),
            pulses: Vec::new(),
            dial: dial::DialBrush::default(),
            ruler: ruler::RulerBrush::default(),
            span: None,
        };
        StagePainter {
            pen: Pen::new(ctx),
            run,
            still: RefCell::new(None),
            kept: RefCell::new(kept),
            scratch: RefCell::default(),
        }
    }

    /// Another arrangement: the canvas is resized to it, in device pixels.
    pub fn arrange(&self, canvas: &HtmlCanvasElement, plan: &Plan, ratio: f64) {
        let mut kept = self.kept.borrow_mut();
        let device = |css: f64| (css * ratio).round().max(1.0) as u32;
        if canvas.width() != device(plan.width) || canvas.height() != device(plan.height) {
            canvas.set_width(device(plan.width));
            canvas.set_height(device(plan.height));
        }
        let _ = self.pen.ctx.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        self.pen.ctx.set_text_baseline("middle");
        self.pen.ctx.set_line_cap("butt");
        kept.wires = wires(plan, &kept.topology);
        kept.trunk = trunk(plan);
        kept.plan = plan.clone();
        kept.dial.forget();
        kept.ruler.forget();
    }

    /// Another theme.
    pub fn recolour(&self, palette: Palette) {
        let mut kept = self.kept.borrow_mut();
        kept.palette = palette;
        kept.dial.forget();
        kept.ruler.forget();
    }

    /// What the page knows and the snapshot does not.
    pub fn tell(&self, told: Told) {
        let mut kept = self.kept.borrow_mut();
        let Told { moving, zoom, cursor, marked, chosen, still } = told;
        kept.marked = marked;
        (kept.moving, kept.zoom, kept.cursor, kept.chosen) = (moving, zoom, cursor, chosen);
        *self.still.borrow_mut() = still;
    }

    /// The stretch that the ruler showed last, to find what is under the pointer.
    #[must_use]
    pub fn span(&self) -> Option<super::span::Span> {
        self.kept.borrow().span
    }

    fn picture(&self, snapshot: &Snapshot) {
        let mut kept = self.kept.borrow_mut();
        let kept = &mut *kept;
        let real_ms = now_ms();
        let topology = Topology::new(snapshot, kept.chosen);
        if topology != kept.topology {
            kept.wires = wires(&kept.plan, &topology);
            if topology.subject != kept.topology.subject {
                // Another server's history: nobody was overtaken by the change.
                kept.standings.clear();
            }
            kept.topology = topology;
        }
        let Some(master) = kept.topology.master(snapshot) else { return };
        let held = master.backlog.as_ref().map(Held::from);
        let size = held.map_or(1, |held| held.size);
        let target = master.master_repl_offset as f64;
        let elapsed = if kept.palette.still || !kept.moving {
            0.0
        } else {
            (real_ms - kept.last_ms).clamp(0.0, 100.0)
        };
        kept.last_ms = real_ms;
        let head = kept.glide.towards(target, elapsed, size as f64 / 3.0);
        kept.markers.read(snapshot, &kept.topology, master.master_repl_offset);
        let lag = target - head;
        for hand in &mut kept.markers.hands {
            if matches!(hand.standing, Standing::InSync | Standing::CatchingUp) {
                hand.offset = (hand.offset - lag).max(0.0);
            }
        }
        let radius = kept.plan.dial.map_or(100.0, |d| d.rim - d.track);
        let turn_of = |pixels: f64| pixels / (radius * std::f64::consts::TAU);
        kept.markers.group(size, turn_of(20.0), turn_of(30.0));
        watch(&mut kept.standings, &mut kept.pulses, &kept.markers.hands, real_ms);
        if kept.palette.still || !kept.moving {
            kept.pulses.clear();
        }
        let bounds = kept.plan.bus.unwrap_or(kept.plan.width) - 8.0;
        let scene = Scene {
            snapshot,
            now_us: snapshot.now_us,
            real_ms,
            moving: kept.moving,
            head,
            held,
            blocks: master.backlog.as_ref().and_then(|backlog| backlog.blocks.as_deref()),
            markers: &kept.markers,
            pulses: &kept.pulses,
            palette: &kept.palette,
            bounds,
            terse: kept.plan.terse,
            scaled: kept.plan.shape != Shape::Card,
            scratch: &self.scratch,
        };
        self.pen.ctx.clear_rect(0.0, 0.0, kept.plan.width, kept.plan.height);
        links::paint(&self.pen, &kept.wires, &kept.topology, &scene);
        if let Some(trunk) = &kept.trunk {
            links::trunk(&self.pen, trunk, &kept.plan.cards, &scene);
        }
        if let Some(circle) = &kept.plan.dial {
            kept.dial.paint(&self.pen, circle, &scene);
            cursor(&self.pen, circle, &scene, kept.cursor);
            marks::on_dial(&self.pen, circle, &scene, kept.marked);
        }
        if let Some(place) = &kept.plan.ruler {
            let span = kept.ruler.paint(&self.pen, place, &scene, kept.zoom, kept.cursor);
            if kept.plan.dial.is_none() {
                marks::on_ruler(&self.pen, place, &scene, &span, kept.marked);
            }
            kept.span = Some(span);
        }
    }
}

impl Painter for StagePainter {
    fn paint(&self, _now_us: u64, snapshot: &Snapshot) {
        let still = self.still.borrow().clone();
        self.picture(still.as_deref().unwrap_or(snapshot));
        if !self.kept.borrow().pulses.is_empty() {
            self.run.request_paint();
        }
    }
}

/// Notes who has been overtaken since the last frame.
fn watch(known: &mut Vec<Standing>, pulses: &mut Vec<Pulse>, hands: &[Hand], real_ms: f64) {
    if known.len() == hands.len() {
        for (before, hand) in known.iter().zip(hands) {
            if *before == Standing::Covered && hand.standing == Standing::Overtaken {
                pulses.push(Pulse { server: hand.server, began_ms: real_ms });
            }
        }
    }
    known.clear();
    known.extend(hands.iter().map(|hand| hand.standing));
    pulses.retain(|pulse| pulse.progress(real_ms) < 1.0);
}

/// The position pointed at, as a thin line across the track.
fn cursor(pen: &Pen, c: &super::plan::Circle, scene: &Scene<'_>, cursor: Option<i64>) {
    let (Some(position), Some(held)) = (cursor, scene.held) else { return };
    let place = turn::place(position as f64, held.size);
    let inner = turn::point(c.x, c.y, c.rim - c.track - 2.0, place);
    let outer = turn::point(c.x, c.y, c.rim + 2.0, place);
    pen.line(inner, outer);
    pen.stroke(&scene.palette.paper, 4.0);
    pen.line(inner, outer);
    pen.stroke(&scene.palette.ink, 1.5);
}

fn now_ms() -> f64 {
    web_sys::window().and_then(|w| w.performance()).map_or(0.0, |p| p.now())
}
