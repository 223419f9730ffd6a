//! Smooth motion between what the snapshots say.
//!
//! A world moves in writes, a drawing should move in pixels: each value glides towards its target
//! with a time constant, and jumps when the target is far away (a seek, a restart). With reduced
//! motion everything jumps. Absent on purpose: real clocks; the caller says how long a frame was.

/// After this long about half of a distance is made up, in milliseconds.
const HALF_MS: f64 = 50.0;

/// One gliding number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Glide {
    shown: f64,
    known: bool,
}

impl Glide {
    /// Moves towards `target` for `ms`; further away than `leap` it goes there at once.
    pub fn towards(&mut self, target: f64, ms: f64, leap: f64) -> f64 {
        let far = (target - self.shown).abs() > leap || target < self.shown;
        if !self.known || far || ms <= 0.0 {
            self.shown = target;
            self.known = true;
        } else {
            self.shown += (target - self.shown) * ms / (ms + HALF_MS);
            if (target - self.shown).abs() < 0.25 {
                self.shown = target;
            }
        }
        self.shown
    }

    /// Whether it has come to rest at `target`.
    #[must_use]
    pub fn rests_at(&self, target: f64) -> bool {
        (self.shown - target).abs() < f64::EPSILON * target.abs().max(1.0)
    }
}

/// The brief pulse with which an overtaking is marked: 0 at its beginning, 1 when it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    /// Whose.
    pub server: usize,
    /// Real milliseconds at which it began.
    pub began_ms: f64,
}

/// How long a pulse lasts, in milliseconds.
pub const PULSE_MS: f64 = 1200.0;

impl Pulse {
    /// How much of it is over.
    #[must_use]
    pub fn progress(&self, now_ms: f64) -> f64 {
        ((now_ms - self.began_ms) / PULSE_MS).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_glides_to_a_near_target_and_arrives() {
        let mut head = Glide::default();
        assert_eq!(head.towards(1000.0, 16.0, 5000.0), 1000.0);
        let first = head.towards(1100.0, 16.0, 5000.0);
        assert!(first > 1000.0 && first < 1100.0);
        for _ in 0..60 {
            head.towards(1100.0, 16.0, 5000.0);
        }
        assert!(head.rests_at(1100.0));
    }

    #[test]
    fn a_seek_and_reduced_motion_jump() {
        let mut head = Glide::default();
        head.towards(1000.0, 16.0, 5000.0);
        assert_eq!(head.towards(90_000.0, 16.0, 5000.0), 90_000.0);
        assert_eq!(head.towards(500.0, 16.0, 5000.0), 500.0);
        assert_eq!(head.towards(600.0, 0.0, 5000.0), 600.0);
    }

    #[test]
    fn a_pulse_ends() {
        let pulse = Pulse { server: 1, began_ms: 100.0 };
        assert_eq!(pulse.progress(100.0), 0.0);
        assert_eq!(pulse.progress(9999.0), 1.0);
    }
}
