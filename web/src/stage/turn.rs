//! The circle: where an offset stands on the dial, and how far apart two of them are.
//!
//! One full turn is the configured backlog size; a position is the offset modulo that size,
//! counted clockwise from the top, as a fraction of a turn in `0.0..1.0`. Fractions are only
//! drawn, never decided upon. Absent on purpose: laps; the ruler shows those.

use std::f64::consts::{FRAC_PI_2, TAU};

/// The place of `offset` on a dial of `size` bytes.
///
/// The byte at position `size` has gone once around: it stands at 0 again.
#[must_use]
pub fn place(offset: f64, size: u64) -> f64 {
    let size = size.max(1) as f64;
    let whole = (offset / size).floor();
    (offset - whole * size) / size
}

/// The part of a turn that `bytes` take, at most a whole one.
#[must_use]
pub fn part(bytes: f64, size: u64) -> f64 {
    (bytes / size.max(1) as f64).clamp(0.0, 1.0)
}

/// One lap of what is held, as a strip of the track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lap {
    /// How many whole turns older than the newest lap it is.
    pub number: u64,
    /// From the rim to its outer edge.
    pub inset: f64,
    /// Its width.
    pub width: f64,
    /// The part of a turn that it takes, back from the write head.
    pub part: f64,
}

/// The strips of a window on a track of this width, the newest first.
///
/// A ring never holds more than a turn: it has the whole track. A list of blocks may hold several;
/// then the newest turn keeps the outer part and the older ones stand inside it, at most three: the
/// last of them stands for all that are older, and is whole then.
pub fn laps(histlen: u64, size: u64, track: f64) -> impl Iterator<Item = Lap> {
    let size = size.max(1);
    let count = histlen.div_ceil(size);
    let older = count.saturating_sub(1).min(3);
    let (outer, gap) = if older == 0 { (track, 0.0) } else { (track * 0.56, track * 0.07) };
    let inner = if older == 0 { 0.0 } else { (track - outer) / older as f64 };
    (0..(older + 1).min(count)).map(move |number| {
        let left = histlen - number * size;
        let (inset, width) = match number {
            0 => (0.0, outer),
            _ => (outer + (number - 1) as f64 * inner + gap, inner - gap),
        };
        Lap { number, inset, width, part: part(left as f64, size) }
    })
}

/// Clockwise from `from` to `to`.
#[must_use]
pub fn clockwise(from: f64, to: f64) -> f64 {
    fraction(to - from)
}

/// The shorter way between two places.
#[must_use]
pub fn apart(a: f64, b: f64) -> f64 {
    let d = clockwise(a, b);
    d.min(1.0 - d)
}

/// The canvas angle of a place: canvas counts from three o'clock, the dial from twelve.
#[must_use]
pub fn angle(place: f64) -> f64 {
    place * TAU - FRAC_PI_2
}

/// What is left of a number of turns without the whole ones.
#[must_use]
pub fn fraction(turns: f64) -> f64 {
    turns - turns.floor()
}

/// Sine and cosine of a number of turns, exact to ten digits: what is drawn needs no more, and the
/// functions of the standard library take 9 kB of the module.
#[must_use]
pub fn sin_cos(turns: f64) -> (f64, f64) {
    let quarter = (turns * 4.0).round_ties_even();
    let x = (turns * 4.0 - quarter) * FRAC_PI_2;
    let x2 = x * x;
    // Both series, for at most an eighth of a turn.
    let series = |by: [f64; 5]| by.iter().rev().fold(1.0, |sum, by| 1.0 - x2 / by * sum);
    let sin = x * series([6.0, 20.0, 42.0, 72.0, 110.0]);
    let cos = series([2.0, 12.0, 30.0, 56.0, 90.0]);
    match quarter as i64 & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// The place in whose direction a point lies that is `right` and `up` of the centre.
#[must_use]
pub fn towards(right: f64, up: f64) -> f64 {
    let radius = (right * right + up * up).sqrt();
    let mut place = if up < 0.0 { 0.5 } else { 0.0 };
    // Each round turns by the tangent of half the angle that is missing, at most 45 degrees.
    for _ in 0..5 {
        let (sin, cos) = sin_cos(place);
        let half =
            (right * cos - up * sin) / (right * sin + up * cos + radius).max(f64::MIN_POSITIVE);
        place += half / (1.0 + 0.28 * half * half) * 2.0 / TAU;
    }
    fraction(place)
}

/// The point on a circle.
#[must_use]
pub fn point(x: f64, y: f64, radius: f64, place: f64) -> (f64, f64) {
    let (sin, cos) = sin_cos(place);
    (x + radius * sin, y - radius * cos)
}

/// The centre of a label of this size that touches the circle from outside at `place`.
///
/// At the top the label's lower edge touches, at the right its left edge, and in between it
/// glides from one to the other, so that a label that travels with the write head never jumps.
#[must_use]
pub fn label(x: f64, y: f64, radius: f64, place: f64, width: f64, height: f64) -> (f64, f64) {
    let (sin, cos) = sin_cos(place);
    (x + (radius + width / 2.0) * sin, y - (radius + height / 2.0) * cos)
}

/// How far apart (in turns, each from the middle) two labels must stand around `place` so that
/// they do not overlap: their widths count at top and bottom, their heights at the sides.
#[must_use]
pub fn spread(radius: f64, place: f64, width: f64, height: f64) -> f64 {
    let (sin, cos) = sin_cos(place);
    let along = width * cos.abs() + height * sin.abs();
    along / ((radius + width.min(height) / 2.0).max(1.0) * TAU) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_agree_with_those_of_the_standard_library() {
        for step in -2000..2000 {
            let turns = f64::from(step) / 777.0;
            let (sin, cos) = sin_cos(turns);
            let (sine, cosine) = (turns * TAU).sin_cos();
            assert!((sin - sine).abs() < 1e-9 && (cos - cosine).abs() < 1e-9, "{turns}");
            let back = towards(120.0 * sin, 120.0 * cos);
            assert!(apart(back, fraction(turns)) < 1e-9, "{turns} {back}");
        }
        assert_eq!(towards(0.0, 0.0), 0.0);
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_full_backlog_is_one_turn() {
        assert!(near(place(0.0, 16_384), 0.0));
        assert!(near(place(4096.0, 16_384), 0.25));
        assert!(near(place(16_384.0, 16_384), 0.0));
        // 1,284,560 = 78 * 16,384 + 6,608
        assert!(near(place(1_284_560.0, 16_384), 6608.0 / 16_384.0));
        assert!(near(place(5.0, 0), 0.0));
    }

    #[test]
    fn clockwise_never_goes_backwards_and_apart_takes_the_short_way() {
        assert!(near(clockwise(0.9, 0.1), 0.2));
        assert!(near(clockwise(0.1, 0.9), 0.8));
        assert!(near(apart(0.9, 0.1), 0.2));
        assert!(near(apart(0.1, 0.9), 0.2));
    }

    #[test]
    fn twelve_three_and_six_o_clock_are_where_they_should_be() {
        let at = |p| point(100.0, 100.0, 50.0, p);
        let close = |(x, y): (f64, f64), (a, b)| near(x, a) && near(y, b);
        assert!(close(at(0.0), (100.0, 50.0)));
        assert!(close(at(0.25), (150.0, 100.0)));
        assert!(close(at(0.5), (100.0, 150.0)));
        assert!(near(angle(0.25), 0.0));
    }

    #[test]
    fn room_longer_than_the_dial_is_one_turn() {
        assert!(near(part(9831.0, 16_384), 9831.0 / 16_384.0));
        assert!(near(part(99_999.0, 16_384), 1.0));
        assert!(near(part(-5.0, 16_384), 0.0));
    }

    #[test]
    fn a_window_longer_than_the_dial_is_drawn_as_laps_that_do_not_overlap() {
        assert_eq!(laps(0, 100, 30.0).count(), 0);
        let ring: Vec<Lap> = laps(100, 100, 30.0).collect();
        assert_eq!(ring, [Lap { number: 0, inset: 0.0, width: 30.0, part: 1.0 }]);
        let parts = |histlen| laps(histlen, 100, 30.0).map(|lap| lap.part).collect::<Vec<_>>();
        assert_eq!(parts(40), [0.4]);
        assert_eq!(parts(130), [1.0, 0.3]);
        assert_eq!(parts(380), [1.0, 1.0, 1.0, 0.8]);
        assert_eq!(parts(1230), [1.0; 4], "the last stands for nine");
        for histlen in [130, 250, 380, 5000] {
            let laps: Vec<Lap> = laps(histlen, 100, 30.0).collect();
            assert!(laps.iter().all(|lap| lap.width > 1.0), "{laps:?}");
            assert!(laps.windows(2).all(|w| w[0].inset + w[0].width < w[1].inset), "{laps:?}");
            assert!(laps.last().is_some_and(|lap| lap.inset + lap.width < 30.001));
        }
    }

    #[test]
    fn a_label_touches_the_circle_with_its_nearest_edge() {
        let (x, y) = label(0.0, 0.0, 100.0, 0.0, 60.0, 30.0);
        assert!(near(x, 0.0) && near(y, -115.0));
        let (x, y) = label(0.0, 0.0, 100.0, 0.25, 60.0, 30.0);
        assert!(near(x, 130.0) && near(y, 0.0));
    }

    #[test]
    fn two_labels_need_more_turn_at_the_top_than_at_the_side() {
        assert!(spread(200.0, 0.0, 70.0, 30.0) > 2.0 * spread(200.0, 0.25, 70.0, 30.0));
    }
}
