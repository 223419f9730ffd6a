//! The ruler: the same bytes straight, with both axes. A ring hides laps; this does not.

use web_sys::CanvasGradient;

use super::pen::{Align, Dash, Pen};
use super::{Held, Scene};
use crate::format::thousands;
use crate::stage::figures::lasting;
use crate::stage::hands::Marker;
use crate::stage::plan::Rect;
use crate::stage::scale::{decimal_step, first_tick};
use crate::stage::span::{Span, Subject, Zoom};
use crate::stage::standing::Standing;
use crate::stage::turn;
use crate::world::Block;

/// From the top of the ruler to its bar, and the bar's height.
pub const BAR: (f64, f64) = (20.0, 14.0);

/// What the ruler keeps between frames.
#[derive(Debug, Default)]
pub struct RulerBrush {
    gradient: Option<CanvasGradient>,
    /// Offsets with their texts, made anew when a tick comes or goes.
    ticks: Vec<(f64, String)>,
    ticks_from: f64,
    ticks_step: f64,
    /// Multiples of the step in microseconds, with their texts.
    ago: Vec<(f64, String)>,
    ago_step: f64,
    order: Vec<(u64, usize)>,
}

impl RulerBrush {
    /// Forgets what depends on the theme.
    pub fn forget(&mut self) {
        self.gradient = None;
    }

    /// Paints the ruler; gives back what it shows.
    pub fn paint(
        &mut self,
        pen: &Pen,
        place: &Rect,
        scene: &Scene<'_>,
        zoom: Zoom,
        cursor: Option<i64>,
    ) -> Span {
        let span = Span::whole(&subject(scene)).zoomed(zoom);
        let ctx = &pen.ctx;
        let p = scene.palette;
        let top = place.y + BAR.0;
        pen.round(place.x, top, place.w, BAR.1, BAR.1 / 2.0);
        pen.fill(&p.track);
        ctx.save();
        pen.round(place.x, top, place.w, BAR.1, BAR.1 / 2.0);
        ctx.clip();
        if let Some(held) = &scene.held {
            self.held(pen, place, scene, &span, held);
            borders(pen, place, scene, &span);
        }
        ctx.restore();
        setting(pen, place, scene, &span);
        self.fuse(pen, place, scene, &span);
        let head = span.x(scene.head, place.x, place.w);
        if head >= place.x && head <= place.x + place.w {
            pen.line((head, top - 4.0), (head, top + BAR.1 + 4.0));
            pen.stroke(&p.ink, 3.0);
        }
        if let Some(position) = cursor {
            let x = span.x(position as f64, place.x, place.w);
            if x >= place.x && x <= place.x + place.w {
                pen.line((x, top - 3.0), (x, top + BAR.1 + 3.0));
                pen.stroke(&p.paper, 4.0);
                pen.line((x, top - 3.0), (x, top + BAR.1 + 3.0));
                pen.stroke(&p.ink, 1.5);
            }
        }
        marks(pen, place, scene, &span, &mut self.order);
        self.offsets(pen, place, scene, &span);
        self.seconds(pen, place, scene, &span);
        span
    }

    fn held(&mut self, pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span, held: &Held) {
        let x = |offset: f64| span.x(offset, place.x, place.w);
        // As on the dial the shade is the age in bytes: a full turn from new to old.
        let newest = x(scene.head);
        let full = x(scene.head - held.size as f64);
        let oldest = x(scene.head - held.histlen as f64).max(place.x);
        if self.gradient.is_none() {
            let gradient = pen.ctx.create_linear_gradient(0.0, 0.0, 1.0, 0.0);
            let _ = gradient.add_color_stop(0.0, &scene.palette.held_old);
            let _ = gradient.add_color_stop(1.0, &scene.palette.held_new);
            self.gradient = Some(gradient);
        }
        let Some(gradient) = &self.gradient else { return };
        let wide = newest - full;
        if wide <= 0.0 || oldest >= newest {
            return;
        }
        let ctx = &pen.ctx;
        ctx.save();
        let _ = ctx.translate(full, place.y + BAR.0);
        let _ = ctx.scale(wide, 1.0);
        ctx.set_fill_style_canvas_gradient(gradient);
        let right = newest.min(place.x + place.w);
        ctx.fill_rect((oldest - full) / wide, 0.0, (right - oldest) / wide, BAR.1);
        ctx.restore();
    }

    /// Under the bar: what is left between the oldest byte kept and the most urgent hand. Only
    /// when the backlog is full; before that nothing burns.
    fn fuse(&self, pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span) {
        let (Some(held), Some(hand)) = (scene.held, scene.markers.fuse()) else { return };
        if held.histlen < held.size {
            return;
        }
        let x = |offset: f64| span.x(offset, place.x, place.w).clamp(place.x, place.x + place.w);
        let (from, to) = (x(scene.head - held.histlen as f64), x(hand.offset));
        let y = place.y + BAR.0 + BAR.1 + 4.0;
        pen.ctx.set_line_dash_offset(-turn::fraction((to - from) / 11.0) * 11.0);
        pen.dash(Dash::Fuse);
        pen.line((from, y), (to, y));
        pen.stroke(&scene.palette.fuse, 2.0);
        pen.dash(Dash::None);
        pen.ctx.set_line_dash_offset(0.0);
        pen.line((to, y - 4.0), (to, y + 3.0));
        pen.stroke(&scene.palette.fuse, 2.0);
        pen.disc(from, y, 3.5, &scene.palette.fuse);
    }

    fn offsets(&mut self, pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span) {
        // The widest stands at the end: of a backlog that is far from full that is not the head.
        let widest = scene.head.max(span.last).max(0.0);
        let wide = thousands(widest as u64).len() as f64 * 7.3 + 24.0;
        let step = decimal_step(span.last - span.first, (place.w / wide).max(1.0), 1.0);
        let from = first_tick(span.first.max(0.0), step);
        if (from - self.ticks_from).abs() > 0.5 || (step - self.ticks_step).abs() > 0.5 {
            (self.ticks_from, self.ticks_step) = (from, step);
            self.ticks.clear();
        }
        if self.ticks.is_empty() {
            // One more than fits: the span slides over them.
            let mut at = from;
            while at <= span.last + step {
                self.ticks.push((at, thousands(at as u64)));
                at += step;
            }
        }
        let p = scene.palette;
        let y = place.y + BAR.0 + BAR.1;
        pen.type_with(&p.mono, &p.ink2, Align::Middle);
        pen.ctx.begin_path();
        for (offset, text) in &self.ticks {
            let x = span.x(*offset, place.x, place.w);
            if x < place.x - 1.0 || x > place.x + place.w + 1.0 {
                continue;
            }
            pen.ctx.move_to(x, y + 7.0);
            pen.ctx.line_to(x, y + 12.0);
            let half = text.len() as f64 * 3.65;
            let x = x.clamp(place.x + half - 12.0, place.x + place.w - half + 12.0);
            pen.text(text, x, y + 21.0);
        }
        pen.stroke(&p.line_strong, 1.0);
    }

    /// The second axis: how long ago a byte was written, if writing went on as it does now.
    fn seconds(&mut self, pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span) {
        let rate = scene.snapshot.write_bytes_per_second as f64;
        let p = scene.palette;
        let y = place.y + BAR.0 + BAR.1 + 37.0;
        if rate < 1.0 {
            pen.type_with(&p.sans, &p.ink2, Align::Start);
            pen.text("nothing is being written: no scale in seconds", place.x, y);
            return;
        }
        let whole_us = (span.last - span.first) / rate * 1e6;
        let step = decimal_step(whole_us, (place.w / 96.0).max(1.0), 100_000.0);
        if (step - self.ago_step).abs() > 0.5 {
            self.ago_step = step;
            self.ago.clear();
        }
        pen.type_with(&p.sans, &p.ink2, Align::Middle);
        let furthest = (scene.head - span.first) / rate * 1e6;
        let mut index = 0;
        loop {
            let us = step * index as f64;
            if us > furthest || index > 64 {
                break;
            }
            if index >= self.ago.len() {
                let text = if index == 0 {
                    "now".to_owned()
                } else {
                    format!("{} ago", lasting(us as u64).replace(".0 s", " s"))
                };
                self.ago.push((us, text));
            }
            let (us, text) = &self.ago[index];
            let x = span.x(scene.head - us * rate / 1e6, place.x, place.w);
            let half = text.len() as f64 * 3.2;
            if x > place.x + half - 8.0 && x < place.x + place.w - half + 12.0 {
                pen.text(text, x, y);
            }
            index += 1;
        }
    }
}

/// Where blocks begin, as long as they can be told apart.
fn borders(pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span) {
    let Some(blocks) = scene.blocks else { return };
    let x = |block: &Block| span.x((block.first.0 - 1) as f64, place.x, place.w);
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
    if (x(last) - x(first)) / (blocks.len() as f64) < 4.0 && blocks.len() > 1 {
        return;
    }
    let top = place.y + BAR.0;
    pen.ctx.begin_path();
    for block in blocks {
        pen.ctx.move_to(x(block), top);
        pen.ctx.line_to(x(block), top + BAR.1);
    }
    pen.stroke(&scene.palette.panel, 2.0);
}

/// Where a window of exactly `repl-backlog-size` would begin, when more than that is kept.
fn setting(pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span) {
    let Some(held) = scene.held.filter(|held| held.histlen > held.size) else { return };
    let x = span.x(scene.head - held.size as f64, place.x, place.w);
    if x < place.x || x > place.x + place.w {
        return;
    }
    let top = place.y + BAR.0;
    pen.dash(Dash::Lost);
    pen.line((x, top - 5.0), (x, top + BAR.1 + 5.0));
    pen.stroke(&scene.palette.ink, 1.5);
    pen.dash(Dash::None);
}

fn subject(scene: &Scene<'_>) -> Subject {
    let farthest = scene.markers.list.iter().flat_map(|m| scene.markers.hands_of(m));
    let (oldest, size) = match scene.held {
        Some(held) => (scene.head - held.histlen as f64, held.size as f64),
        None => (scene.head, 1024.0),
    };
    Subject {
        head: scene.head,
        oldest,
        size,
        farthest: farthest.map(|hand| hand.offset).fold(scene.head, f64::min),
    }
}

/// The hands above the bar; those that are outside stand at its edge with an arrow.
///
/// Where two would overlap the one that is farther behind stands to the left of the other, joined
/// to its place by a line. `order` is kept between frames.
fn marks(pen: &Pen, place: &Rect, scene: &Scene<'_>, span: &Span, order: &mut Vec<(u64, usize)>) {
    let y = place.y + BAR.0 - 3.0;
    order.clear();
    for (index, marker) in scene.markers.list.iter().enumerate() {
        // Offsets are whole numbers, and no more than 2^53.
        let rank = |offset: f64| (u64::MAX - offset as u64, index);
        order.extend(farthest(scene, marker).map(rank));
    }
    order.sort_unstable();
    let mut free = place.x + place.w + 60.0;
    for &(_, index) in order.iter() {
        let Some(marker) = scene.markers.list.get(index) else { continue };
        let Some(offset) = farthest(scene, marker) else { continue };
        let at = span.x(offset, place.x, place.w);
        if at > place.x + place.w - 2.0 {
            continue;
        }
        let outside = at < place.x + 4.0;
        let gone = (marker.standing == Standing::Overtaken && marker.count == 1)
            .then(|| scene.markers.hands_of(marker).next().map_or(0, |h| h.room.unsigned_abs()));
        let gone = gone.map(|bytes| format!("{} B gone", thousands(bytes)));
        let mut label = 0.0;
        scene.label_of(marker, |text| label = text.chars().count() as f64 * 8.3);
        let wide = 18.0 + label + gone.as_ref().map_or(0.0, |text| text.len() as f64 * 6.8 + 6.0);
        let x = at.max(place.x + 7.0).min(free - wide + 7.0);
        free = x - 9.0;
        let colour = scene.palette.of(marker.standing);
        if (x - at).abs() > 8.0 && !outside {
            pen.line((x, y), (at, y + 3.0));
            pen.stroke(colour, 1.5);
        }
        mark(pen, scene, marker, (x, y), outside);
        if let Some(gone) = gone {
            pen.type_with(&scene.palette.sans, colour, Align::Start);
            pen.text(&gone, x + 17.0 + label, y - 6.0);
        }
    }
}

/// One mark with its numbers.
fn mark(pen: &Pen, scene: &Scene<'_>, marker: &Marker, (x, y): (f64, f64), outside: bool) {
    let colour = scene.palette.of(marker.standing);
    if outside {
        pen.triangle((x - 6.0, y - 6.0), (x + 4.0, y - 12.0), (x + 4.0, y));
    } else {
        pen.triangle((x, y), (x - 6.0, y - 11.0), (x + 6.0, y - 11.0));
    }
    if matches!(marker.standing, Standing::Overtaken | Standing::CatchingUp) {
        pen.fill(&scene.palette.paper);
        pen.stroke(colour, 1.5);
    } else {
        pen.fill(colour);
    }
    pen.type_with(&scene.palette.bold, scene.palette.text_of(marker.standing), Align::Start);
    scene.label_of(marker, |text| pen.text(text, x + 11.0, y - 6.0));
}

/// The hand of a marker that is farthest behind: where the ruler shows it.
fn farthest(scene: &Scene<'_>, marker: &Marker) -> Option<f64> {
    scene.markers.hands_of(marker).map(|hand| hand.offset).min_by(f64::total_cmp)
}
