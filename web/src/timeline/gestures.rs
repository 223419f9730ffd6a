//! What fingers and a mouse mean on the timeline: scrubbing, moving it, and zooming with two.
//!
//! One pointer scrubs, or moves the stretch where it was put on the axis (or with shift, or with
//! the middle button); two pointers move and zoom, and what was under them stays there. A hand
//! that trembles does not drag yet. No DOM.

use super::stretch::{LONGEST_US, SHORTEST_US, Stretch};

/// Less than this is a tremble, in pixels.
const TREMBLE: f64 = 3.0;

/// A point of the drawing.
type Point = (f64, f64);

/// A pointer that is down.
#[derive(Clone, Copy, Debug)]
struct Grip {
    id: i32,
    x: f64,
    began: Point,
}

/// The pointers that are down, and what they hold.
#[derive(Debug, Default)]
pub struct Gesture {
    grips: Vec<Grip>,
    /// The moment that is held, the stretch as it was then and how far the fingers were apart;
    /// none while scrubbing.
    held: Option<(u64, Stretch, f64)>,
    /// Whether anything moved sideways, and whether anything moved.
    drags: bool,
    moved: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To go to this moment.
    Seek(u64),
    /// To show this stretch.
    Show(Stretch),
}

impl Gesture {
    /// Whether any pointer is down.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.grips.is_empty()
    }

    /// Whether what is down, or was last, only tapped.
    #[must_use]
    pub fn is_tap(&self) -> bool {
        !self.moved
    }

    /// A pointer goes down in a drawing of this width; `moves` when it is to move what is shown.
    pub fn down(&mut self, id: i32, began: Point, moves: bool, view: Stretch, width: f64) {
        self.grips.retain(|grip| grip.id != id);
        if self.grips.is_empty() {
            (self.held, self.drags, self.moved) = (None, false, false);
        }
        if self.grips.len() < 2 {
            self.grips.push(Grip { id, x: began.0, began });
        }
        if moves || self.grips.len() == 2 {
            self.hold(view, width);
        }
    }

    /// It moves.
    pub fn moved(&mut self, id: i32, (x, y): Point, view: Stretch, width: f64) -> Option<Asked> {
        let grip = self.grips.iter_mut().find(|grip| grip.id == id)?;
        grip.x = x;
        self.drags |= (x - grip.began.0).abs() > TREMBLE;
        self.moved |= self.drags || (y - grip.began.1).abs() > TREMBLE;
        if !self.drags {
            return None;
        }
        let (middle, apart) = self.reach();
        let Some((at_us, then, was_apart)) = self.held else {
            return Some(Asked::Seek(view.moment(x, width)));
        };
        let span = then.span_us as f64 * was_apart / apart;
        let span_us = (span as u64).clamp(SHORTEST_US, LONGEST_US);
        Some(Asked::Show(Stretch { span_us, ..then }.placed(at_us, middle, width)))
    }

    /// It goes up. The finger that is left goes on moving what is shown.
    pub fn up(&mut self, id: i32, view: Stretch, width: f64) {
        self.grips.retain(|grip| grip.id != id);
        if self.grips.is_empty() {
            self.held = None;
        } else if self.held.is_some() {
            self.hold(view, width);
        }
    }

    fn hold(&mut self, view: Stretch, width: f64) {
        let (middle, apart) = self.reach();
        self.held = Some((view.moment(middle, width), view, apart));
    }

    /// The middle of the pointers, and how far they are apart: never nothing.
    fn reach(&self) -> (f64, f64) {
        match self.grips.as_slice() {
            [a, b] => ((a.x + b.x) / 2.0, (a.x - b.x).abs().max(8.0)),
            [grip, ..] => (grip.x, 1.0),
            [] => (0.0, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: f64 = 882.0;
    const VIEW: Stretch = Stretch { from_us: 8_000_000, span_us: 16_000_000 };

    #[test]
    fn one_pointer_scrubs_and_on_the_axis_it_moves_what_is_shown() {
        let mut gesture = Gesture::default();
        gesture.down(1, (464.0, 9.0), false, VIEW, WIDTH);
        assert_eq!(gesture.moved(1, (466.0, 12.0), VIEW, WIDTH), None, "a tremble");
        assert!(gesture.is_tap());
        assert_eq!(gesture.moved(1, (465.0, 90.0), VIEW, WIDTH), None, "a page is scrolled");
        assert!(!gesture.is_tap());
        let asked = gesture.moved(1, (264.0, 9.0), VIEW, WIDTH);
        assert_eq!(asked, Some(Asked::Seek(12_000_000)));
        gesture.up(1, VIEW, WIDTH);
        assert!(!gesture.is_on() && !gesture.is_tap());
        assert_eq!(gesture.moved(1, (300.0, 9.0), VIEW, WIDTH), None, "nothing is held");
        gesture.down(1, (464.0, 9.0), true, VIEW, WIDTH);
        let asked = gesture.moved(1, (264.0, 9.0), VIEW, WIDTH);
        assert_eq!(asked, Some(Asked::Show(Stretch { from_us: 12_000_000, ..VIEW })));
    }

    #[test]
    fn two_fingers_zoom_about_what_is_between_them_and_the_one_left_moves_on() {
        let mut gesture = Gesture::default();
        gesture.down(1, (364.0, 9.0), false, VIEW, WIDTH);
        gesture.down(2, (564.0, 9.0), false, VIEW, WIDTH);
        gesture.moved(1, (264.0, 9.0), VIEW, WIDTH);
        let Some(Asked::Show(near)) = gesture.moved(2, (664.0, 9.0), VIEW, WIDTH) else {
            panic!("two fingers show another stretch");
        };
        assert_eq!(near, Stretch { from_us: 12_000_000, span_us: 8_000_000 });
        gesture.up(1, near, WIDTH);
        let asked = gesture.moved(2, (564.0, 9.0), near, WIDTH);
        assert_eq!(asked, Some(Asked::Show(Stretch { from_us: 13_000_000, ..near })));
        gesture.up(2, near, WIDTH);
        assert!(!gesture.is_on());
    }
}
