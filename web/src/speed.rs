//! How fast simulated time runs against real time: a logarithmic scale from 1/1000 to 1000.
//!
//! Ten steps a decade, each a number that reads well. Integers, so that the same frames give the
//! same run everywhere.

/// The scale's ends, in steps from 1x.
pub const LIMIT: i32 = 30;

/// One decade in thousandths: rounded powers of the tenth root of ten (the R10 series).
const DECADE: [u64; 10] = [1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000];

/// A step on the scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speed(i32);

impl Speed {
    /// The step, brought inside the scale.
    #[must_use]
    pub fn step(step: i32) -> Speed {
        Speed(step.clamp(-LIMIT, LIMIT))
    }

    /// Steps from 1x.
    #[must_use]
    pub fn steps(self) -> i32 {
        self.0
    }

    /// Simulated microseconds in one real second.
    #[must_use]
    pub fn us_per_second(self) -> u64 {
        // The slowest is 1/1000 = 1000 us a second: step -30 is mantissa 1000 times ten to the 0.
        let up = (self.0 + LIMIT).unsigned_abs();
        DECADE[up as usize % 10] * 10_u64.pow(up / 10)
    }

    /// The factor as the page prints it: `1x`, `2.5x`, `1/8x`, `1/1000x`.
    #[must_use]
    pub fn factor(self) -> String {
        let us = self.us_per_second();
        let (whole, rest) = (us / 1_000_000, us % 1_000_000);
        match (whole, rest) {
            (0, _) => {
                let inverse = Speed(-self.0).us_per_second();
                let tenths = inverse / 100_000;
                match tenths % 10 {
                    0 => format!("1/{}\u{d7}", tenths / 10),
                    tenth => format!("1/{}.{tenth}\u{d7}", tenths / 10),
                }
            }
            (_, 0) => format!("{whole}\u{d7}"),
            _ => {
                let decimals = format!("{rest:06}");
                format!("{whole}.{}\u{d7}", decimals.trim_end_matches('0'))
            }
        }
    }
}

/// What comes of a speed that the page cannot keep up with: `0.04\u{d7}`, `2.35\u{d7}`, `150\u{d7}`.
#[must_use]
pub fn kept(us_per_second: u64) -> String {
    let hundredths = us_per_second / 10_000;
    match hundredths {
        1000.. => format!("{}\u{d7}", hundredths / 100),
        _ => format!("{}.{:02}\u{d7}", hundredths / 100, hundredths % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_even_and_reads_well() {
        let table = [
            (0, 1_000_000, "1\u{d7}"),
            (10, 10_000_000, "10\u{d7}"),
            (30, 1_000_000_000, "1000\u{d7}"),
            (-30, 1000, "1/1000\u{d7}"),
            (-10, 100_000, "1/10\u{d7}"),
            (4, 2_500_000, "2.5\u{d7}"),
            (-3, 500_000, "1/2\u{d7}"),
            (-1, 800_000, "1/1.2\u{d7}"),
        ];
        for (step, us, factor) in table {
            assert_eq!(Speed::step(step).us_per_second(), us, "step {step}");
            assert_eq!(Speed::step(step).factor(), factor, "step {step}");
        }
        let pace = [40_000, 2_350_000, 150_600_000].map(kept);
        assert_eq!(pace, ["0.04\u{d7}", "2.35\u{d7}", "150\u{d7}"]);
        assert_eq!(Speed::step(99), Speed::step(LIMIT));
        let steps = || (-LIMIT..=LIMIT).map(|s| Speed::step(s).us_per_second());
        assert!(steps().zip(steps().skip(1)).all(|(a, b)| a < b));
    }
}
