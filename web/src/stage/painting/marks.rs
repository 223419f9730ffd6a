//! Marks around what is painted: the write head, the first byte kept, the fuse, a replica's hand.
//!
//! Everything else that a lesson or a field of INFO is about is an element, marked by a rule of
//! style (`page/marks.rs`); these move each frame, and their marks with them. Where there is
//! a dial they are marked on it, otherwise on the ruler.

use std::f64::consts::TAU;

use super::ruler::BAR;
use super::{Held, Scene, dial};
use crate::stage::plan::{Circle, Rect};
use crate::stage::span::Span;
use crate::stage::turn;

use super::pen::Pen;

/// The names of painted places, as lessons write them.
pub const PAINTED: [&str; 3] = ["write-head", "backlog-first", "fuse"];

/// From what is marked to its mark.
const GAP: f64 = 6.0;

/// Which of [`PAINTED`] are marked, and whose hand (`replica-2-hand`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marked([bool; 3], Option<usize>);

impl Marked {
    /// Those among these places.
    #[must_use]
    pub fn of(places: &[String]) -> Marked {
        let named = PAINTED.map(|name| places.iter().any(|place| place == name));
        let hand = places.iter().find_map(|place| match place.strip_suffix("-hand")? {
            "master" => Some(0),
            replica => replica.strip_prefix("replica-")?.parse().ok(),
        });
        Marked(named, hand)
    }
}

/// Paints the marks on the dial.
pub fn on_dial(
    pen: &Pen,
    c: &Circle,
    scene: &Scene<'_>,
    Marked([head, first, fuse], whose): Marked,
) {
    let Some(held) = &scene.held else { return };
    let at = turn::place(scene.head, held.size);
    if head {
        bar(pen, c, scene, at, 5.0, 6.0 + GAP);
    }
    if first {
        // The oldest byte lies clockwise of the place where it begins.
        let half = 4.0 / (c.rim * TAU);
        bar(pen, c, scene, at - held.histlen as f64 / held.size as f64 + half, 4.0, GAP);
    }
    let stands = |server: usize| {
        let markers = scene.markers;
        markers.list.iter().find(|marker| markers.members(marker).any(|member| member == server))
    };
    if let Some(marker) = whose.and_then(stands) {
        let (x, y) = turn::point(c.x, c.y, c.rim - c.track - 14.0, marker.body);
        pen.ctx.begin_path();
        pen.circle(x, y, 18.0);
        outline(pen, scene);
    }
    let longest = scene.markers.fuse().filter(|_| fuse);
    if let Some(hand) = longest {
        let to = at + turn::part(hand.room as f64, held.size).min(0.98);
        let radius = c.rim + dial::FUSE_GAP;
        pen.ctx.begin_path();
        let (from, to) = (turn::angle(at), turn::angle(to));
        let half = GAP + 2.0;
        let _ = pen.ctx.arc(c.x, c.y, radius + half, from, to);
        let _ = pen.ctx.arc_with_anticlockwise(c.x, c.y, radius - half, to, from, true);
        pen.ctx.close_path();
        outline(pen, scene);
    }
}

/// Paints the marks on the ruler.
pub fn on_ruler(
    pen: &Pen,
    place: &Rect,
    scene: &Scene<'_>,
    span: &Span,
    Marked([head, first, fuse], whose): Marked,
) {
    let Some(Held { histlen, size, .. }) = scene.held else { return };
    let x = |offset: f64| span.x(offset, place.x, place.w).clamp(place.x, place.x + place.w);
    let top = place.y + BAR.0;
    let at = x(scene.head);
    let oldest = x(scene.head - histlen as f64);
    let boxed = |from: f64, to: f64, above: f64, height: f64| {
        pen.round(from - GAP, top + above - GAP, to - from + 2.0 * GAP, height + 2.0 * GAP, GAP);
        outline(pen, scene);
    };
    if head {
        boxed(at, at, -4.0, BAR.1 + 8.0);
    }
    if first {
        boxed(oldest, oldest + 2.0, 0.0, BAR.1);
    }
    if let Some(hand) = scene.markers.hands.iter().find(|hand| whose == Some(hand.server)) {
        boxed(x(hand.offset), x(hand.offset), -12.0, 8.0);
    }
    // As the fuse itself: only when bytes are about to be overwritten.
    if let Some(hand) = scene.markers.fuse().filter(|_| fuse && histlen >= size) {
        boxed(oldest, x(hand.offset), BAR.1 + 4.0, 0.0);
    }
}

/// Around a bar across the track.
fn bar(pen: &Pen, c: &Circle, scene: &Scene<'_>, place: f64, half: f64, beyond: f64) {
    let ctx = &pen.ctx;
    ctx.save();
    let _ = ctx.translate(c.x, c.y);
    let _ = ctx.rotate(turn::angle(place));
    let length = c.track + 2.0 * beyond;
    pen.round(c.rim - c.track - beyond, -half - 2.0, length, 2.0 * half + 4.0, half + 2.0);
    outline(pen, scene);
    ctx.restore();
}

/// Two colours, so that it is seen on any ground.
fn outline(pen: &Pen, scene: &Scene<'_>) {
    pen.stroke(&scene.palette.paper, 5.0);
    pen.stroke(&scene.palette.mark, 2.5);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_places_are_found_by_their_names() {
        let places = ["dial", "fuse"].map(str::to_owned);
        assert_eq!(Marked::of(&places), Marked([false, false, true], None));
        let places = ["replica-2", "replica-2-hand"].map(str::to_owned);
        assert_eq!(Marked::of(&places), Marked([false; 3], Some(2)));
        assert_eq!(Marked::of(&[]), Marked::default());
    }
}
