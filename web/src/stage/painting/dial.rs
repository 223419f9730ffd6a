//! The dial's moving parts: the held arc, the write head, hands, fuse, labels at both ends.
//!
//! Standing parts (track, ticks) are SVG and not painted here. The gradient of the held arc is
//! made once a theme: the canvas is turned under it.

use std::f64::consts::TAU;

use web_sys::CanvasGradient;

use super::Scene;
use super::motion::Pulse;
use super::pen::{Align, Dash, Pen};
use crate::format::thousands;
use crate::stage::figures::binary;
use crate::stage::hands::Marker;
use crate::stage::plan::Circle;
use crate::stage::standing::Standing;
use crate::stage::turn::Lap;
use crate::stage::{scale, turn};

/// How far outside the rim the fuse burns.
pub const FUSE_GAP: f64 = 9.0;
/// Where labels outside begin.
const LABEL_GAP: f64 = 23.0;
/// Half a hand's width, and its height.
const HAND: (f64, f64) = (8.0, 14.0);
/// In a figure: how far the button in the corner reaches to the right and down.
const CORNER: (f64, f64) = (130.0, 36.0);
/// There too: half the width and height of the offset in the middle.
const OFFSET: (f64, f64) = (46.0, 30.0);

/// What the dial keeps between frames.
#[derive(Debug, Default)]
pub struct DialBrush {
    gradient: Option<CanvasGradient>,
    scale_of: u64,
    ticks: Vec<(f64, String)>,
    head_text: Text,
    oldest_text: Text,
}

/// A printed number, formatted anew only when it changes.
#[derive(Debug, Default)]
struct Text {
    of: Option<u64>,
    text: String,
}

impl Text {
    fn set(&mut self, n: u64) -> &str {
        if self.of != Some(n) {
            self.of = Some(n);
            self.text = thousands(n);
        }
        &self.text
    }
}

impl DialBrush {
    /// Forgets what depends on the theme.
    pub fn forget(&mut self) {
        self.gradient = None;
    }

    /// Paints the dial.
    pub fn paint(&mut self, pen: &Pen, circle: &Circle, scene: &Scene<'_>) {
        let Some(held) = &scene.held else { return };
        let head = turn::place(scene.head, held.size);
        for lap in turn::laps(held.histlen, held.size, circle.track) {
            self.arc(pen, circle, scene, head, lap);
        }
        // Where the oldest byte stands; laps beyond the first do not move it out of sight.
        let turns = held.histlen as f64 / held.size as f64;
        for marker in &scene.markers.list {
            if marker.standing == Standing::Overtaken {
                overwritten(pen, circle, scene, marker, head);
            }
        }
        fuse(pen, circle, scene, head, held.size);
        for marker in &scene.markers.list {
            hand(pen, circle, scene, marker);
        }
        write_head(pen, circle, scene, head);
        for pulse in scene.pulses {
            ring_of(pen, circle, scene, pulse, held.size);
        }
        let newest = u64::try_from(held.first.max(1)).unwrap_or(1) + held.histlen.max(1) - 1;
        let taken = if scene.terse {
            [[0.0; 4]; 2]
        } else {
            self.ends(pen, circle, scene, head, turns, newest)
        };
        if scene.scaled {
            self.scale(pen, circle, scene, held.size, taken);
        }
    }

    /// One lap of the held history: newest at the head, oldest fading out ahead of it. Laps older
    /// than the newest have the shade of old bytes all around.
    fn arc(&mut self, pen: &Pen, c: &Circle, scene: &Scene<'_>, head: f64, lap: Lap) {
        if self.gradient.is_none() {
            self.gradient = gradient(pen, scene);
        }
        let ctx = &pen.ctx;
        ctx.save();
        let _ = ctx.translate(c.x, c.y);
        let _ = ctx.rotate(turn::angle(head));
        ctx.begin_path();
        // A hair less than a turn, so that the newest end does not bleed into the oldest.
        let sweep = (-lap.part * TAU).max(-TAU + 0.002);
        let _ = ctx.arc(0.0, 0.0, c.rim - lap.inset - lap.width / 2.0, sweep, 0.0);
        match &self.gradient {
            Some(gradient) if lap.number == 0 => ctx.set_stroke_style_canvas_gradient(gradient),
            _ => ctx.set_stroke_style_str(&scene.palette.held_new),
        }
        pen.alpha(if lap.number == 0 { 1.0 } else { 0.42 });
        ctx.set_line_width(lap.width);
        ctx.stroke();
        ctx.restore();
    }

    /// The labels at both ends of what is held; gives back their boxes, as (x, y, w, h) around
    /// their centres.
    fn ends(
        &mut self,
        pen: &Pen,
        c: &Circle,
        scene: &Scene<'_>,
        head: f64,
        turns: f64,
        newest: u64,
    ) -> [[f64; 4]; 2] {
        let Some(held) = &scene.held else { return [[0.0; 4]; 2] };
        let oldest = u64::try_from(held.first).unwrap_or(0);
        let radius = c.rim + LABEL_GAP;
        let digits = self.head_text.set(newest).len().max(self.oldest_text.set(oldest).len());
        let (w, h) = ((digits as f64 * 7.3).max(70.0), 31.0);
        let tail = turn::fraction(head - turns);
        // Counter-clockwise of the head the newest, clockwise of it the oldest.
        let (mut at_head, mut at_tail) = (head, tail);
        let ahead = turn::clockwise(head, tail);
        let spread = turn::spread(radius, head, w + 10.0, h + 2.0);
        if ahead < 2.0 * spread || ahead > 1.0 - 1e-6 {
            at_head = head + ahead.min(0.5) / 2.0 - spread;
            at_tail = at_head + 2.0 * spread;
        } else if 1.0 - ahead < 2.0 * spread {
            // A backlog that has hardly begun: both ends are close on the other side.
            at_head = head - (1.0 - ahead) / 2.0 + spread;
            at_tail = at_head - 2.0 * spread;
        }
        let p = scene.palette;
        let mut boxes = [[0.0; 4]; 2];
        let texts = [
            (at_head, "write head", &self.head_text.text, &p.ink),
            (at_tail, "oldest kept", &self.oldest_text.text, &p.ink2),
        ];
        for (slot, (place, word, number, colour)) in boxes.iter_mut().zip(texts) {
            let (x, y) = turn::label(c.x, c.y, radius, place, w, h);
            let half = w / 2.0;
            let x = x.clamp(half + 2.0, (scene.bounds - half - 2.0).max(half + 2.0));
            pen.type_with(if place == at_head { &p.bold } else { &p.sans }, colour, Align::Middle);
            pen.text(word, x, y - 8.0);
            pen.type_with(&p.mono, colour, Align::Middle);
            pen.text(number, x, y + 8.0);
            *slot = [x, y, w, h];
        }
        boxes
    }

    /// The scale's numbers, except where a label of the ends stands.
    fn scale(&mut self, pen: &Pen, c: &Circle, s: &Scene<'_>, size: u64, taken: [[f64; 4]; 2]) {
        if self.scale_of != size {
            self.scale_of = size;
            let label = |at: u64| (turn::place(at as f64, size), binary(at));
            self.ticks = scale::dial_ticks(size).into_iter().map(label).collect();
        }
        let radius = c.rim + if s.terse { 13.0 } else { LABEL_GAP - 5.0 };
        pen.type_with(&s.palette.mono, &s.palette.ink2, Align::Middle);
        for (place, text) in &self.ticks {
            let (w, h) = (text.len() as f64 * 7.3, 14.0);
            let (x, y) = turn::label(c.x, c.y, radius, *place, w, h);
            let free = taken.iter().all(|[tx, ty, tw, th]| {
                (x - tx).abs() > (w + tw) / 2.0 + 4.0 || (y - ty).abs() > (h + th) / 2.0 + 2.0
            });
            // The stub of the bus begins 20 px before it, at the height of three o'clock.
            let inside = x - w / 2.0 >= 1.0 && x + w / 2.0 <= s.bounds - 13.0;
            // In a figure the button in the corner reaches over the top of the dial.
            let covered = s.terse && y < CORNER.1 && x - w / 2.0 < CORNER.0;
            if free && inside && !covered {
                pen.text(text, x, y);
            }
        }
    }
}

/// Around a whole turn from old to new; the first few percent fade in.
fn gradient(pen: &Pen, scene: &Scene<'_>) -> Option<CanvasGradient> {
    let gradient = pen.conic_gradient()?;
    let p = scene.palette;
    gradient.add_color_stop(0.0, &p.track).ok()?;
    gradient.add_color_stop(0.03, &p.held_old).ok()?;
    gradient.add_color_stop(1.0, &p.held_new).ok()?;
    Some(gradient)
}

/// The bar of the write head.
fn write_head(pen: &Pen, c: &Circle, scene: &Scene<'_>, head: f64) {
    let inner = turn::point(c.x, c.y, c.rim - c.track - 6.0, head);
    let outer = turn::point(c.x, c.y, c.rim + 6.0, head);
    pen.dash(Dash::None);
    pen.line(inner, outer);
    pen.stroke(&scene.palette.ink, 3.0);
}

/// What was overwritten since the overtaking: both edges of the track, dashed, from the marker
/// clockwise to the write head; all around when it was lapped.
fn overwritten(pen: &Pen, c: &Circle, scene: &Scene<'_>, marker: &Marker, head: f64) {
    let colour = &scene.palette.lost;
    let Some(held) = &scene.held else { return };
    let worst = scene
        .markers
        .hands_of(marker)
        .map(|hand| hand.room.unsigned_abs())
        .max()
        .unwrap_or_default();
    pen.dash(Dash::Lost);
    let to = if worst >= held.size { marker.place - 1e-6 } else { head };
    for radius in [c.rim, c.rim - c.track] {
        pen.arc(c.x, c.y, radius, marker.place, to);
        pen.stroke(colour, 1.5);
    }
    let a = turn::point(c.x, c.y, c.rim - c.track, marker.place);
    let b = turn::point(c.x, c.y, c.rim, marker.place);
    pen.line(a, b);
    pen.stroke(colour, 1.5);
    pen.dash(Dash::None);
}

/// From the write head to the hand with the most room, a knot at every hand on the way, and the
/// spark where it burns.
fn fuse(pen: &Pen, c: &Circle, scene: &Scene<'_>, head: f64, size: u64) {
    let Some(longest) = scene.markers.fuse() else { return };
    let colour = &scene.palette.fuse;
    let radius = c.rim + FUSE_GAP;
    let end = head + turn::part(longest.room as f64, size).min(0.9999);
    pen.arc(c.x, c.y, radius, head, end);
    // The dashes belong to the far end, so that they stand still while the head eats them.
    let length = (end - head) * TAU * radius;
    pen.ctx.set_line_dash_offset(-turn::fraction(length / 11.0) * 11.0);
    pen.dash(Dash::Fuse);
    pen.stroke(colour, 2.5);
    pen.ctx.set_line_dash_offset(0.0);
    pen.dash(Dash::None);
    // More room than a turn: the rest burns on a second circle.
    let rest = turn::part(longest.room as f64 - size as f64, size).min(0.9999);
    if rest > 0.0 {
        pen.arc(c.x, c.y, radius + 4.0, head, head + rest);
        pen.stroke(colour, 1.5);
    }
    for hand in scene.markers.covered() {
        let place = head + turn::part(hand.room as f64, size);
        let (a, b) = (
            turn::point(c.x, c.y, radius - 4.0, place),
            turn::point(c.x, c.y, radius + 4.0, place),
        );
        pen.line(a, b);
        pen.stroke(colour, 2.0);
    }
    let (x, y) = turn::point(c.x, c.y, radius, head);
    let flicker = if scene.palette.still || !scene.moving {
        0.5
    } else {
        // A triangle wave: calm, and the same on every machine.
        (turn::fraction(scene.real_ms / 900.0) * 2.0 - 1.0).abs()
    };
    pen.alpha(0.16 + 0.1 * flicker);
    pen.disc(x, y, 10.0 + 2.0 * flicker, colour);
    pen.alpha(1.0);
    pen.disc(x, y, 4.5, colour);
}

/// A hand inside the rim with its number or its count; one that leans aside is joined to its
/// place by a thin line.
fn hand(pen: &Pen, c: &Circle, scene: &Scene<'_>, marker: &Marker) {
    let leans = turn::apart(marker.place, marker.body) > 1e-6;
    let rim = c.rim - c.track - if leans { 12.0 } else { 5.0 };
    let body = marker.body;
    let colour = scene.palette.of(marker.standing);
    let tip = turn::point(c.x, c.y, rim, body);
    if leans {
        let place = turn::point(c.x, c.y, c.rim - c.track - 1.0, marker.place);
        pen.line(place, tip);
        pen.stroke(colour, 1.5);
    }
    let half = HAND.0 / ((rim - HAND.1).max(1.0) * TAU);
    let left = turn::point(c.x, c.y, rim - HAND.1, body - half);
    let right = turn::point(c.x, c.y, rim - HAND.1, body + half);
    pen.triangle(tip, left, right);
    match marker.standing {
        Standing::Overtaken | Standing::CatchingUp => {
            pen.fill(&scene.palette.paper);
            pen.stroke(colour, 2.0);
        }
        _ => pen.fill(colour),
    }
    let (x, y) = turn::point(c.x, c.y, rim - HAND.1 - 9.0, body);
    pen.type_with(&scene.palette.bold, scene.palette.text_of(marker.standing), Align::Middle);
    // Where there is only room for the offset, it has it alone; notes and ruler name the hand too.
    if scene.terse && (x - c.x).abs() < OFFSET.0 && (y - c.y).abs() < OFFSET.1 {
        return;
    }
    scene.label_of(marker, |text| {
        // Wide labels glide inwards at the sides, as those outside glide outwards.
        let shift = (text.chars().count() as f64 * 3.6 - 4.0).max(0.0) * turn::sin_cos(body).0;
        pen.text(text, x - shift, y);
    });
}

/// The moment of overtaking: a ring that grows and fades once.
fn ring_of(pen: &Pen, c: &Circle, scene: &Scene<'_>, pulse: &Pulse, size: u64) {
    let progress = pulse.progress(scene.real_ms);
    let hand = scene.markers.hands.iter().find(|hand| hand.server == pulse.server);
    let Some(hand) = hand.filter(|_| progress < 1.0) else { return };
    let place = turn::place(hand.offset, size);
    let (x, y) = turn::point(c.x, c.y, c.rim - c.track / 2.0, place);
    pen.alpha(1.0 - progress);
    pen.ctx.begin_path();
    pen.circle(x, y, 8.0 + 34.0 * progress);
    pen.stroke(&scene.palette.lost, 4.0 - 2.0 * progress);
    pen.alpha(1.0);
}
