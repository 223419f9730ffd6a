//! The stretch of history that the ruler shows, and its two axes.
//!
//! By default the whole window, everything a cut replica still needs, and a little of the future;
//! zoomed in, a part of it around a fixed point. Offsets below, seconds of writes as a second
//! axis: the distance to the write head at the present rate. Absent on purpose: state; the page
//! keeps zoom and centre, this only computes.

/// What to show, in offsets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// At the left end.
    pub first: f64,
    /// At the right end.
    pub last: f64,
}

/// How far the ruler is zoomed in, and on what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zoom {
    /// 1 shows everything.
    pub factor: f64,
    /// The part of the whole span (0 left, 1 right) around which it is enlarged.
    pub focus: f64,
}

impl Default for Zoom {
    fn default() -> Zoom {
        Zoom { factor: 1.0, focus: 0.94 }
    }
}

impl Zoom {
    /// One step in or out around `focus`, a part of what is shown now.
    #[must_use]
    pub fn by(self, factor: f64, focus: f64) -> Zoom {
        let next = (self.factor * factor).clamp(1.0, 4096.0);
        // The point under the pointer stays where it is: its part of the whole span is the fixed
        // point of the enlargement when it is the focus, so move there as far as zoom allows.
        let left = self.left();
        let under = left + focus / self.factor;
        let new_left = (under - focus / next).clamp(0.0, 1.0 - 1.0 / next);
        let focus = if next > 1.0 { new_left / (1.0 - 1.0 / next) } else { 0.94 };
        Zoom { factor: next, focus }
    }

    /// The same enlargement, shifted by a part of what is shown.
    #[must_use]
    pub fn shifted(self, part: f64) -> Zoom {
        if self.factor <= 1.0 {
            return self;
        }
        let range = 1.0 - 1.0 / self.factor;
        let left = (self.left() + part / self.factor).clamp(0.0, range);
        Zoom { factor: self.factor, focus: left / range }
    }

    fn left(self) -> f64 {
        self.focus * (1.0 - 1.0 / self.factor)
    }
}

/// What the ruler has to show: all in offsets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject {
    /// The write head.
    pub head: f64,
    /// The oldest byte kept, or the head without a backlog.
    pub oldest: f64,
    /// `repl-backlog-size`, or some room to show without a backlog.
    pub size: f64,
    /// The farthest behind of those that have a place.
    pub farthest: f64,
}

impl Span {
    /// Everything: from the farthest overtaken replica, but at most three quarters of a backlog
    /// outside the window (those farther away are shown at the left edge), to a little ahead.
    #[must_use]
    pub fn whole(subject: &Subject) -> Span {
        let size = subject.size.max(1.0);
        let window = (subject.head - size).max(0.0).min(subject.oldest.max(0.0));
        let left = subject.farthest.min(window).max(window - size * 0.75);
        let stretch = (subject.head - left).max(size);
        Span { first: left - stretch * 0.06, last: left + stretch * 1.06 }
    }

    /// The part of it that `zoom` shows.
    #[must_use]
    pub fn zoomed(&self, zoom: Zoom) -> Span {
        let whole = self.last - self.first;
        let first = self.first + whole * zoom.left();
        Span { first, last: first + whole / zoom.factor.max(1.0) }
    }

    /// Where an offset stands: 0 left, 1 right, beyond them outside.
    #[must_use]
    pub fn part(&self, offset: f64) -> f64 {
        (offset - self.first) / (self.last - self.first).max(1e-9)
    }

    /// Where an offset stands on a ruler from `x` with this width.
    #[must_use]
    pub fn x(&self, offset: f64, x: f64, width: f64) -> f64 {
        x + self.part(offset) * width
    }

    /// The offset under a point.
    #[must_use]
    pub fn offset(&self, at: f64, x: f64, width: f64) -> f64 {
        self.first + (at - x) / width.max(1.0) * (self.last - self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: Subject =
        Subject { head: 1_284_560.0, oldest: 1_268_177.0, size: 16_384.0, farthest: 1_264_860.0 };

    #[test]
    fn the_ruler_shows_the_window_the_overtaken_one_and_a_little_of_the_future() {
        let span = Span::whole(&PICTURE);
        assert!(span.first < 1_264_860.0 && span.first > 1_260_000.0, "{span:?}");
        assert!(span.last > 1_284_560.0 && span.last < 1_288_000.0, "{span:?}");
    }

    #[test]
    fn a_replica_many_laps_behind_does_not_squeeze_the_window() {
        let span = Span::whole(&Subject { farthest: 10.0, ..PICTURE });
        assert!(span.last - span.first < 2.0 * PICTURE.size);
    }

    #[test]
    fn a_backlog_that_is_still_filling_leaves_its_room_visible() {
        let young = Subject { head: 100.0, oldest: 1.0, size: 16_384.0, farthest: 100.0 };
        let span = Span::whole(&young);
        assert!(span.first <= 0.0 && span.last > 16_384.0, "{span:?}");
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_while_zooming() {
        let whole = Span::whole(&PICTURE);
        for focus in [0.1, 0.5, 0.8] {
            let zoom = Zoom::default();
            let before = whole.zoomed(zoom).offset(focus * 800.0, 0.0, 800.0);
            let after = whole.zoomed(zoom.by(4.0, focus)).offset(focus * 800.0, 0.0, 800.0);
            assert!((before - after).abs() < 1.0, "{focus}: {before} {after}");
        }
        let out = Zoom::default().by(4.0, 0.3).by(0.01, 0.3);
        assert!((out.factor - 1.0).abs() < 1e-9);
    }

    #[test]
    fn shifting_stops_at_both_ends() {
        let zoom = Zoom::default().by(8.0, 0.5);
        assert!(zoom.shifted(100.0).focus <= 1.0 && zoom.shifted(-100.0).focus >= 0.0);
        assert_eq!(Zoom::default().shifted(0.3), Zoom::default());
    }

    #[test]
    fn offset_and_x_are_inverse() {
        let span = Span::whole(&PICTURE);
        let x = span.x(1_278_007.0, 16.0, 876.0);
        assert!((span.offset(x, 16.0, 876.0) - 1_278_007.0).abs() < 1e-3);
    }
}
