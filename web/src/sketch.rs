//! A rate of writes as it is drawn: heights over time, on a pad of so many seconds and writes.
//!
//! Heights are shares of the peak, so that another peak or another span keeps the shape. Absent on
//! purpose: the pad itself, and the writes. What is drawn here becomes a
//! [`Workload`](crate::world::Action) when somebody says so.

use psync::cluster::curve::Point;

/// How many points a drawing has, evenly in time; the last one is the rate that stays.
pub const POINTS: usize = 21;
/// How far a key moves a point, in percent of the peak.
const STEP: u8 = 5;

/// A drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// How much time it spans.
    pub seconds: u64,
    /// Writes a second at the top.
    pub peak: u64,
    /// In percent of the peak.
    pub heights: [u8; POINTS],
    /// The point that the keys move.
    pub at: usize,
}

/// Names of shapes, with what they teach.
pub const SHAPES: [(&str, [u8; POINTS]); 4] = [
    ("Ramp", [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100]),
    (
        "Spike",
        [10, 10, 10, 10, 10, 10, 10, 10, 10, 100, 100, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
    ),
    ("Day", [5, 6, 8, 12, 20, 32, 47, 63, 79, 91, 98, 100, 98, 91, 79, 63, 47, 32, 20, 10, 5]),
    ("Pulses", [0, 100, 100, 0, 0, 0, 100, 100, 0, 0, 0, 100, 100, 0, 0, 0, 100, 100, 0, 0, 0]),
];

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch { seconds: 30, peak: 100, heights: SHAPES[0].1, at: 0 }
    }
}

impl Sketch {
    /// As the world takes it.
    #[must_use]
    pub fn curve(&self) -> Vec<Point> {
        let between_us = self.seconds * 1_000_000 / (POINTS as u64 - 1);
        let point = |(at, _): (usize, &u8)| Point {
            at_us: at as u64 * between_us,
            writes_per_second: self.rate(at),
        };
        self.heights.iter().enumerate().map(point).collect()
    }

    /// Writes a second at a point.
    #[must_use]
    pub fn rate(&self, at: usize) -> u64 {
        self.peak * u64::from(self.heights[at]) / 100
    }

    /// A stroke of the pen from where it was to this place: shares of width and height, from the
    /// left and from below. `down`: it has just been put down.
    #[must_use]
    pub fn drawn(mut self, x: f64, y: f64, down: bool) -> Sketch {
        let to = (x.clamp(0.0, 1.0) * (POINTS - 1) as f64).round() as usize;
        let height = (y.clamp(0.0, 1.0) * 100.0).round() as u8;
        let from = if down { to } else { self.at };
        let old = i64::from(self.heights[from]);
        // A quick hand passes several points between two events.
        let all = from.abs_diff(to).max(1) as i64;
        for at in from.min(to)..=from.max(to) {
            let gone = at.abs_diff(from) as i64;
            let on_line = old + (i64::from(height) - old) * gone / all;
            self.heights[at] = if at == to { height } else { on_line as u8 };
        }
        self.at = to;
        self
    }

    /// What a key makes of it; none for keys that are not the pad's.
    #[must_use]
    pub fn keyed(mut self, key: &str) -> Option<Sketch> {
        let height = self.heights[self.at];
        match key {
            "ArrowLeft" => self.at = self.at.saturating_sub(1),
            "ArrowRight" => self.at = (self.at + 1).min(POINTS - 1),
            "ArrowUp" => self.heights[self.at] = (height + STEP).min(100),
            "ArrowDown" => self.heights[self.at] = height.saturating_sub(STEP),
            "PageUp" => self.heights[self.at] = 100,
            "PageDown" => self.heights[self.at] = 0,
            "Home" => self.at = 0,
            "End" => self.at = POINTS - 1,
            _ => return None,
        }
        Some(self)
    }

    /// The point that the keys move, in words.
    #[must_use]
    pub fn said(&self) -> String {
        let tenths = self.at as u64 * self.seconds * 10 / (POINTS as u64 - 1);
        let rate = self.rate(self.at);
        format!("{}.{} s: {rate} writes/s", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Action;

    #[test]
    fn a_drawing_becomes_a_curve_that_the_world_takes() {
        for (name, heights) in SHAPES {
            let sketch = Sketch { seconds: 10, peak: 200, heights, at: 0 };
            let (writes_per_second, value_bytes) = (None, None);
            let curve = Some(sketch.curve());
            let action = Action::Workload { writes_per_second, value_bytes, curve };
            assert_eq!(Action::from_json(&action.to_json().to_string()), Ok(action), "{name}");
        }
        let ramp = Sketch { seconds: 10, peak: 200, ..Sketch::default() }.curve();
        assert_eq!(ramp[2], Point { at_us: 1_000_000, writes_per_second: 20 });
        assert_eq!(ramp[20], Point { at_us: 10_000_000, writes_per_second: 200 });
    }

    #[test]
    fn a_stroke_leaves_no_point_out_between_two_moves() {
        let flat = Sketch { heights: [0; POINTS], ..Sketch::default() };
        let stroke = flat.clone().drawn(0.0, 1.0, true).drawn(0.2, 0.2, false);
        assert_eq!(stroke.heights[..6], [100, 80, 60, 40, 20, 0]);
        assert_eq!(stroke.drawn(0.1, 0.6, false).heights[..6], [100, 80, 60, 40, 20, 0]);
        let two = flat.drawn(0.0, 1.0, true).drawn(1.0, 0.5, true);
        assert_eq!((two.heights[0], two.heights[10], two.heights[20]), (100, 0, 50));
        let outside = two.drawn(7.0, -3.0, true);
        assert_eq!((outside.at, outside.heights[20]), (20, 0));
    }

    #[test]
    fn keys_choose_a_point_and_move_it() {
        let press = |sketch: Sketch, keys: &[&str]| {
            keys.iter().fold(sketch, |sketch, key| sketch.keyed(key).expect(key))
        };
        let sketch = press(Sketch::default(), &["ArrowRight", "ArrowRight", "ArrowUp"]);
        assert_eq!((sketch.at, sketch.heights[2]), (2, 15));
        assert_eq!(sketch.said(), "3.0 s: 15 writes/s");
        let sketch = press(sketch, &["End", "PageDown", "ArrowRight", "ArrowDown"]);
        assert_eq!((sketch.at, sketch.heights[20]), (20, 0));
        let sketch = press(sketch, &["Home", "ArrowLeft", "PageUp", "ArrowUp"]);
        assert_eq!((sketch.at, sketch.heights[0]), (0, 100));
        assert!(sketch.keyed("w").is_none());
    }
}
