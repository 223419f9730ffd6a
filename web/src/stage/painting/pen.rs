//! The few strokes the drawing is made of, on a 2D canvas context.
//!
//! Failing canvas calls (they fail only for numbers that are none) leave a gap in one frame and
//! nothing else, so their results are let go here, in one place.

use std::f64::consts::TAU;

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasGradient, CanvasRenderingContext2d};

use crate::stage::turn;

/// A canvas context with a small vocabulary.
#[derive(Debug)]
pub struct Pen {
    /// The context itself.
    pub ctx: CanvasRenderingContext2d,
    dashes: Dashes,
}

/// The dash patterns in use, made once: arrays cross into JavaScript.
#[derive(Debug)]
struct Dashes {
    none: Array,
    fuse: Array,
    lost: Array,
    cut: Array,
    band: Array,
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    None,
    /// The fuse.
    Fuse,
    /// The edge of what was overwritten.
    Lost,
    /// A cut link.
    Cut,
    /// A dense stream.
    Band,
}

/// How text stands to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Begins there.
    Start,
    /// Around it.
    Middle,
    /// Ends there.
    End,
}

impl Pen {
    /// A pen for this context.
    #[must_use]
    pub fn new(ctx: CanvasRenderingContext2d) -> Pen {
        let pattern = |on: f64, off: f64| Array::of2(&JsValue::from(on), &JsValue::from(off));
        let dashes = Dashes {
            none: Array::new(),
            fuse: pattern(7.0, 4.0),
            lost: pattern(3.0, 3.0),
            cut: pattern(7.0, 6.0),
            band: pattern(10.0, 5.0),
        };
        Pen { ctx, dashes }
    }

    /// Breaks the following lines.
    pub fn dash(&self, dash: Dash) {
        let pattern = match dash {
            Dash::None => &self.dashes.none,
            Dash::Fuse => &self.dashes.fuse,
            Dash::Lost => &self.dashes.lost,
            Dash::Cut => &self.dashes.cut,
            Dash::Band => &self.dashes.band,
        };
        let _ = self.ctx.set_line_dash(pattern);
    }

    /// A line of this colour and width.
    pub fn stroke(&self, colour: &str, width: f64) {
        self.ctx.set_stroke_style_str(colour);
        self.ctx.set_line_width(width);
        self.ctx.stroke();
    }

    /// Fills what was outlined.
    pub fn fill(&self, colour: &str) {
        self.ctx.set_fill_style_str(colour);
        self.ctx.fill();
    }

    /// Outlines an arc from place to place, clockwise.
    pub fn arc(&self, x: f64, y: f64, radius: f64, from: f64, to: f64) {
        let start = turn::angle(from);
        let end = start + turn::clockwise(from, to) * TAU;
        self.ctx.begin_path();
        let _ = self.ctx.arc(x, y, radius.max(0.0), start, end);
    }

    /// Adds a full circle to the outline.
    pub fn circle(&self, x: f64, y: f64, radius: f64) {
        self.ctx.move_to(x + radius, y);
        let _ = self.ctx.arc(x, y, radius.max(0.0), 0.0, TAU);
    }

    /// A filled disc.
    pub fn disc(&self, x: f64, y: f64, radius: f64, colour: &str) {
        self.ctx.begin_path();
        self.circle(x, y, radius);
        self.fill(colour);
    }

    /// Outlines one straight line.
    pub fn line(&self, from: (f64, f64), to: (f64, f64)) {
        self.ctx.begin_path();
        self.ctx.move_to(from.0, from.1);
        self.ctx.line_to(to.0, to.1);
    }

    /// Outlines a triangle.
    pub fn triangle(&self, a: (f64, f64), b: (f64, f64), c: (f64, f64)) {
        self.ctx.begin_path();
        self.ctx.move_to(a.0, a.1);
        self.ctx.line_to(b.0, b.1);
        self.ctx.line_to(c.0, c.1);
        self.ctx.close_path();
    }

    /// Outlines a box with round corners.
    pub fn round(&self, x: f64, y: f64, w: f64, h: f64, radius: f64) {
        self.ctx.begin_path();
        let _ = self.ctx.round_rect_with_f64(x, y, w.max(0.0), h.max(0.0), radius);
    }

    /// Sets font and colour for the texts that follow.
    pub fn type_with(&self, font: &str, colour: &str, align: Align) {
        self.ctx.set_font(font);
        self.ctx.set_fill_style_str(colour);
        self.ctx.set_text_align(match align {
            Align::Start => "left",
            Align::Middle => "center",
            Align::End => "right",
        });
    }

    /// A text whose middle height is `y`.
    pub fn text(&self, text: &str, x: f64, y: f64) {
        let _ = self.ctx.fill_text(text, x, y);
    }

    /// A gradient around the origin, clockwise from three o'clock.
    ///
    /// web-sys has no name for it yet, so it is called by its own; once a theme, not in a frame.
    #[must_use]
    pub fn conic_gradient(&self) -> Option<CanvasGradient> {
        let name = JsValue::from_str("createConicGradient");
        let create: Function = Reflect::get(&self.ctx, &name).ok()?.dyn_into().ok()?;
        let zero = JsValue::from(0.0);
        create.call3(&self.ctx, &zero, &zero, &zero).ok()?.dyn_into().ok()
    }

    /// How strongly the following is painted.
    pub fn alpha(&self, alpha: f64) {
        self.ctx.set_global_alpha(alpha);
    }
}
