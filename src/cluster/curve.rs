//! A rate of writes that follows a drawn curve: straight pieces between points.
//!
//! The n-th write is due when the area under the curve reaches n. Areas are reckoned in integers,
//! in half writes per microsecond, so that no rounding adds up: between (0 s, 10/s) and
//! (2 s, 30/s) lie exactly (10 + 30) * 2 / 2 = 40 writes.
//!
//! Two points of one moment make a step. Before the first point and after the last one the rate
//! stays what it is there.

use serde_json::Value as Json;

use super::action::LARGEST_RATE;
use super::field::{BadInput, Fields};
use crate::json;
use crate::time::SECOND_US;

/// A point of the curve; times count from when the curve came into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub at_us: u64,
    /// How many writes a second then.
    pub writes_per_second: u64,
}

/// As many as one draws by hand.
const MOST_POINTS: usize = 64;
/// A hundred days: the products below then stay within 128 bits.
const LONGEST_US: u64 = 100 * 86_400 * SECOND_US;
/// Areas of one write: half writes per microsecond, in a second.
const WRITE: u128 = 2 * SECOND_US as u128;

/// Reads a curve: a list of `{"at_us", "writes_per_second"}`, rising in time.
pub(super) fn read(fields: &mut Fields) -> Result<Option<Vec<Point>>, BadInput> {
    let Some(json) = fields.take("curve") else { return Ok(None) };
    let Json::Array(items) = json else {
        return Err(fields.bad("curve", "must be a list of points"));
    };
    if items.is_empty() || items.len() > MOST_POINTS {
        let problem = format!("has {} points; it must have 1 to {MOST_POINTS}", items.len());
        return Err(fields.bad("curve", problem));
    }
    let mut points: Vec<Point> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut point = Fields::of(fields.path(&format!("curve[{index}]")), item)?;
        let earliest = points.last().map_or(0, |last| last.at_us);
        let at_us = point.needed("at_us", earliest..=LONGEST_US)?;
        let writes_per_second = point.needed("writes_per_second", 0..=LARGEST_RATE)?;
        point.finish()?;
        points.push(Point { at_us, writes_per_second });
    }
    Ok(Some(points))
}

/// The curve as it is written in JSON.
pub(super) fn to_json(points: &[Point]) -> Json {
    let point = |point: &Point| {
        json::object(&mut [
            ("at_us", point.at_us.into()),
            ("writes_per_second", point.writes_per_second.into()),
        ])
    };
    points.iter().map(point).collect()
}

/// The highest rate of a curve.
pub(super) fn peak(points: &[Point]) -> u64 {
    points.iter().map(|point| point.writes_per_second).max().unwrap_or(0)
}

/// The rate `after_us` microseconds from the beginning, rounded down.
#[must_use]
pub fn rate_at(points: &[Point], after_us: u64) -> u64 {
    let later = points.partition_point(|point| point.at_us <= after_us);
    match (later.checked_sub(1).and_then(|before| points.get(before)), points.get(later)) {
        (Some(from), Some(to)) => {
            let (span, gone) = (to.at_us - from.at_us, after_us - from.at_us);
            let (low, high) = (from.writes_per_second, to.writes_per_second);
            let part = |rise: u64| (u128::from(rise) * u128::from(gone) / u128::from(span)) as u64;
            if high >= low { low + part(high - low) } else { low - part(low - high) }
        }
        (Some(point), None) | (None, Some(point)) => point.writes_per_second,
        (None, None) => 0,
    }
}

/// When the `count`-th write is due, in microseconds from the beginning; never, when the curve
/// ends at a rate of zero before it.
pub(super) fn due_us(points: &[Point], count: u64) -> Option<u64> {
    let wanted = u128::from(count) * WRITE;
    let first = points.first()?;
    let mut from = Point { at_us: 0, ..*first };
    let mut area = 0;
    for to in points {
        let piece = Piece { from, to: *to };
        if area + piece.area(piece.span_us()) >= wanted {
            return Some(from.at_us + piece.reach(wanted - area));
        }
        area += piece.area(piece.span_us());
        from = *to;
    }
    // From the last point on the rate is steady: twice the rate in half writes.
    let steady = u128::from(from.writes_per_second) * 2;
    let more = (wanted - area).div_ceil(steady.max(1));
    (steady > 0).then(|| from.at_us.saturating_add(u64::try_from(more).unwrap_or(u64::MAX)))
}

/// A straight piece.
struct Piece {
    from: Point,
    to: Point,
}

impl Piece {
    fn span_us(&self) -> u64 {
        self.to.at_us - self.from.at_us
    }

    /// The area of the first `us` microseconds, rounded down; that of the whole piece is exact.
    fn area(&self, us: u64) -> u128 {
        let (us, span) = (u128::from(us), u128::from(self.span_us()));
        if span == 0 {
            return 0;
        }
        let (low, high) =
            (u128::from(self.from.writes_per_second), u128::from(self.to.writes_per_second));
        // 2 * low * us + (high - low) * us^2 / span: at most 2 * 2^20 * 2^43 * 2^43 = 2^107.
        let rectangle = 2 * low * us;
        if high >= low {
            rectangle + (high - low) * us * us / span
        } else {
            rectangle - ((low - high) * us * us).div_ceil(span)
        }
    }

    /// After how many microseconds the area is first at least `wanted`; the whole has as much.
    fn reach(&self, wanted: u128) -> u64 {
        let (mut short, mut enough) = (0, self.span_us());
        while short < enough {
            let middle = short + (enough - short) / 2;
            if self.area(middle) >= wanted {
                enough = middle;
            } else {
                short = middle + 1;
            }
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(u64, u64)]) -> Vec<Point> {
        let point =
            |(at, rate): &(u64, u64)| Point { at_us: at * SECOND_US, writes_per_second: *rate };
        points.iter().map(point).collect()
    }

    fn written_by(points: &[Point], seconds: u64) -> u64 {
        let due = |count: &u64| due_us(points, *count).is_some_and(|at| at <= seconds * SECOND_US);
        (1..).take_while(due).count() as u64
    }

    #[test]
    fn as_many_writes_are_due_as_lie_under_the_curve() {
        let ramp = curve(&[(0, 10), (2, 30)]);
        assert_eq!([1, 2, 3, 10].map(|s| written_by(&ramp, s)), [15, 40, 70, 280]);
        let fall = curve(&[(0, 30), (2, 10), (4, 0)]);
        assert_eq!([1, 2, 4, 100].map(|s| written_by(&fall, s)), [25, 40, 50, 50]);
        let step = curve(&[(1, 4), (3, 4), (3, 100), (4, 100), (4, 0), (5, 0), (5, 7)]);
        assert_eq!([1, 3, 4, 5, 6].map(|s| written_by(&step, s)), [4, 12, 112, 112, 119]);
    }

    #[test]
    fn no_rounding_adds_up_over_many_odd_pieces() {
        let points: Vec<Point> = (0..64)
            .map(|n| Point {
                at_us: n * 333_333,
                writes_per_second: if n % 2 == 0 { 7 } else { 11 },
            })
            .collect();
        // 63 pieces of (7 + 11) * 333,333 half writes per microsecond.
        let exact = 63 * 18 * 333_333 / (2 * SECOND_US);
        let last = due_us(&points, exact).expect("it comes");
        assert!(last <= 63 * 333_333);
        assert!(due_us(&points, exact + 1).expect("it comes") > 63 * 333_333);
        let due: Vec<u64> = (1..=exact).filter_map(|count| due_us(&points, count)).collect();
        assert!(due.is_sorted());
    }

    #[test]
    fn a_long_and_steep_curve_stays_within_its_numbers() {
        let points = [
            Point { at_us: 0, writes_per_second: LARGEST_RATE },
            Point { at_us: LONGEST_US, writes_per_second: 0 },
        ];
        let all = LARGEST_RATE * (LONGEST_US / SECOND_US) / 2;
        assert_eq!(due_us(&points, all), Some(LONGEST_US));
        assert_eq!(due_us(&points, all + 1), None);
        assert_eq!(rate_at(&points, LONGEST_US / 2), LARGEST_RATE / 2);
    }
}
