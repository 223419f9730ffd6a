//! Which stretch of time is shown, and where a moment stands in it.
//!
//! It follows the playhead: while time runs the playhead stays at four fifths of the width, after
//! a seek it is brought back into view. While somebody drags, it stands still, or the moment under
//! the pointer would run away. It can be longer or shorter, and moved.

use crate::stage::scale::{decimal_step, first_tick};

/// The length of the stretch, by default.
pub const SPAN_US: u64 = 16_000_000;
/// The shortest stretch: a round trip fills it.
pub const SHORTEST_US: u64 = 10_000;
/// The longest one: a day.
pub const LONGEST_US: u64 = 86_400_000_000;
/// So many cells at least, and less than twice as many.
const CELLS: u64 = 128;
/// Left of the lanes: their names.
pub const NAMES: f64 = 64.0;
/// Right of them: half of the last label.
pub const RIGHT: f64 = 18.0;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// At the left end.
    pub from_us: u64,
    /// How long.
    pub span_us: u64,
}

impl Default for Stretch {
    fn default() -> Stretch {
        Stretch { from_us: 0, span_us: SPAN_US }
    }
}

impl Stretch {
    /// The stretch that shows `now_us`, moved no more than necessary.
    #[must_use]
    pub fn following(self, now_us: u64) -> Stretch {
        let span_us = self.span_us;
        let ahead = span_us / 5 * 4;
        let from_us = if now_us > self.from_us + ahead {
            now_us - ahead
        } else if now_us < self.from_us {
            now_us.saturating_sub(span_us / 5)
        } else {
            self.from_us
        };
        Stretch { from_us, span_us }
    }

    /// Longer (more than 1000 thousandths) or shorter, with `about_us` where it is.
    #[must_use]
    pub fn zoomed(self, thousandths: u64, about_us: u64) -> Stretch {
        let wanted = self.span_us.saturating_mul(thousandths) / 1000;
        let span_us = wanted.clamp(SHORTEST_US, LONGEST_US);
        let before = u128::from(about_us.saturating_sub(self.from_us)) * u128::from(span_us)
            / u128::from(self.span_us.max(1));
        let before = u64::try_from(before).unwrap_or(u64::MAX);
        Stretch { from_us: about_us.saturating_sub(before), span_us }
    }

    /// Moved by so many eighths of its length; never before the beginning.
    #[must_use]
    pub fn panned(self, eighths: i64) -> Stretch {
        let by = (self.span_us / 8).saturating_mul(eighths.unsigned_abs());
        let from_us = match eighths < 0 {
            true => self.from_us.saturating_sub(by),
            false => self.from_us.saturating_add(by),
        };
        Stretch { from_us, ..self }
    }

    /// All of a run that is known until `furthest_us`.
    #[must_use]
    pub fn of_all(furthest_us: u64) -> Stretch {
        let span_us = (furthest_us + furthest_us / 16).clamp(SHORTEST_US, LONGEST_US);
        Stretch { from_us: 0, span_us }
    }

    /// Moved so that this moment stands under this point, as far as there is a beginning.
    #[must_use]
    pub fn placed(self, at_us: u64, x: f64, width: f64) -> Stretch {
        let before = self.moment(x, width) - self.from_us;
        Stretch { from_us: at_us.saturating_sub(before), ..self }
    }

    /// How long a cell is in which a chart needs one sample: a few pixels. Powers of two, so that
    /// the samples of one zoom serve the next.
    #[must_use]
    pub fn cell_us(self) -> u64 {
        1 << (self.span_us / CELLS).max(1).ilog2()
    }

    /// At the right end.
    #[must_use]
    pub fn to_us(self) -> u64 {
        self.from_us.saturating_add(self.span_us)
    }

    /// Where a moment stands on lanes that end at `width`.
    #[must_use]
    pub fn x(self, at_us: u64, width: f64) -> f64 {
        let past = at_us as f64 - self.from_us as f64;
        NAMES + past / self.span_us as f64 * (width - NAMES - RIGHT).max(1.0)
    }

    /// The moment under a point.
    #[must_use]
    pub fn moment(self, x: f64, width: f64) -> u64 {
        let part = ((x - NAMES) / (width - NAMES - RIGHT).max(1.0)).clamp(0.0, 1.0);
        self.from_us + (part * self.span_us as f64) as u64
    }

    /// Round moments in it, in microseconds.
    #[must_use]
    pub fn ticks(self, width: f64) -> Vec<u64> {
        let step = decimal_step(self.span_us as f64, (width / 90.0).max(1.0), 1000.0);
        let mut at = first_tick(self.from_us as f64, step);
        let mut out = Vec::new();
        while at <= self.to_us() as f64 {
            out.push(at as u64);
            at += step;
        }
        out
    }
}

/// A tick's label: `12 s`, `12.5 s`.
#[must_use]
pub fn tick_text(us: u64) -> String {
    let (whole, rest) = (us / 1_000_000, us % 1_000_000);
    if rest == 0 {
        return format!("{whole} s");
    }
    let decimals = format!("{rest:06}");
    format!("{whole}.{} s", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stretch_follows_the_playhead_and_no_more_than_necessary() {
        let start = Stretch::default();
        assert_eq!(start.following(5_000_000), start);
        assert_eq!(start.following(20_000_000).from_us, 7_200_000);
        let later = start.following(20_000_000);
        assert_eq!(later.following(10_000_000), later);
        assert_eq!(later.following(5_000_000).from_us, 1_800_000);
        assert_eq!(later.following(100), start);
    }

    #[test]
    fn moment_and_x_are_inverse_and_stay_inside() {
        let view = Stretch { from_us: 4_000_000, span_us: SPAN_US };
        let x = view.x(12_480_000, 830.0);
        assert!(view.moment(x, 830.0).abs_diff(12_480_000) < 2);
        assert_eq!(view.moment(-50.0, 830.0), 4_000_000);
        assert_eq!(view.moment(9999.0, 830.0), 20_000_000);
    }

    #[test]
    fn zooming_leaves_the_moment_where_it_is_and_panning_stops_at_the_beginning() {
        let start = Stretch { from_us: 4_000_000, span_us: 16_000_000 };
        let near = start.zoomed(500, 8_000_000);
        assert_eq!(near, Stretch { from_us: 6_000_000, span_us: 8_000_000 });
        assert_eq!(near.zoomed(2000, 8_000_000), start);
        assert_eq!(start.zoomed(0, 5_000_000).span_us, SHORTEST_US);
        assert_eq!(start.zoomed(u64::MAX, 0).span_us, LONGEST_US);
        assert_eq!(start.panned(-8).from_us, 0);
        assert_eq!(start.panned(1).from_us, 6_000_000);
    }

    #[test]
    fn what_is_dragged_stays_under_the_pointer_and_all_of_a_run_fits() {
        let view = Stretch { from_us: 4_000_000, span_us: SPAN_US };
        let held = view.moment(400.0, 830.0);
        let dragged = view.placed(held, 300.0, 830.0);
        assert!(dragged.from_us > view.from_us);
        assert!(dragged.moment(300.0, 830.0).abs_diff(held) < 2);
        assert_eq!(view.placed(held, 829.0, 830.0).from_us, 0, "there is nothing before the run");
        let all = Stretch::of_all(3_600_000_000);
        assert_eq!((all.from_us, all.span_us), (0, 3_825_000_000));
        assert_eq!(Stretch::of_all(0).span_us, SHORTEST_US);
        for span_us in [SHORTEST_US, 777_777, SPAN_US, LONGEST_US] {
            let cells = span_us / Stretch { from_us: 0, span_us }.cell_us();
            assert!((CELLS / 2..=CELLS * 2).contains(&cells), "{span_us}: {cells}");
        }
    }

    #[test]
    fn seconds_are_labelled_round() {
        assert_eq!(
            Stretch::default().ticks(830.0),
            [0, 2, 4, 6, 8, 10, 12, 14, 16].map(|s| s * 1_000_000)
        );
        assert_eq!(tick_text(12_000_000), "12 s");
        assert_eq!(tick_text(12_500_000), "12.5 s");
    }
}
