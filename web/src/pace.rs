//! How far simulated time goes in a stretch of real time: at the speed asked for, but slowly
//! around a decision, so that nobody blinks and misses it.
//!
//! Integers, and what is left over is carried on: the same frames give the same run. The decisions
//! are those that come if nobody does anything; knowing them changes nothing.

/// Simulated time before and after a decision in which time goes slowly.
pub const AROUND_US: u64 = 100_000;
/// The highest speed around a decision: a quarter, so that these 200 ms take most of a second.
const SLOW_US_PER_SECOND: u64 = 250_000;

/// The decisions next to a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Near {
    /// The last one, at or before it.
    pub last: Option<u64>,
    /// The next one, after it.
    pub next: Option<u64>,
}

/// Simulated microseconds in these real ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Millionths of a simulated microsecond that the last stride left over.
    left_over: u64,
    /// Whether the last stride went slowly.
    pub slowed: bool,
    /// Of the present stretch: real time, what was asked for in it, and what came of that.
    stretch: [u64; 3],
    /// What came of a real second in the last stretch, when that was less than asked for.
    behind: Option<u64>,
}

/// How long a stretch is after which it is judged whether the page keeps up.
const STRETCH_US: u64 = 500_000;

impl Pace {
    /// Forgets what was left over: time was moved.
    pub fn reset(&mut self) {
        *self = Pace::default();
    }

    /// So much came of a stride. Gives simulated microseconds in a real second, while that is less
    /// than nine tenths of what was asked for.
    pub fn went(&mut self, real_us: u64, stride_us: u64, went_us: u64) -> Option<u64> {
        let [real, asked, went] = &mut self.stretch;
        (*real, *asked, *went) = (*real + real_us, *asked + stride_us, *went + went_us);
        if *real >= STRETCH_US {
            let kept = went.saturating_mul(1_000_000) / *real;
            self.behind = (*went < *asked / 10 * 9).then_some(kept);
            self.stretch = [0; 3];
        }
        self.behind
    }

    /// Whether slowing down around a decision would be seen: not when time is slow as it is.
    #[must_use]
    pub fn is_worth_slowing(&self) -> bool {
        self.behind.is_none_or(|kept| kept > SLOW_US_PER_SECOND)
    }

    /// How far to look ahead for a stride: all of it, and the slow stretch behind it.
    #[must_use]
    pub fn horizon_us(real_us: u64, us_per_second: u64) -> u64 {
        real_us.saturating_mul(us_per_second) / 1_000_000 + AROUND_US
    }

    /// How far to go from `now` in `real_us`. A stride ends where a slow stretch ends, because
    /// what comes behind it was not looked at.
    pub fn stride(&mut self, now: u64, real_us: u64, us_per_second: u64, near: Near) -> u64 {
        let (mut at, mut left_us) = (now, real_us);
        self.slowed = false;
        loop {
            let slow_end = slow_end(at, near);
            let speed = match slow_end {
                Some(_) => us_per_second.min(SLOW_US_PER_SECOND),
                None => us_per_second,
            };
            self.slowed |= speed < us_per_second;
            let scaled = left_us * speed + self.left_over;
            let there = at + scaled / 1_000_000;
            let border = slow_end.or(near.next.map(|next| next.saturating_sub(AROUND_US)));
            match border.filter(|border| *border > at && *border <= there) {
                Some(border) => {
                    left_us -= ((border - at) * 1_000_000 / speed).min(left_us);
                    self.left_over = 0;
                    at = border;
                    if slow_end.is_some() {
                        return at - now;
                    }
                }
                None => {
                    self.left_over = scaled % 1_000_000;
                    return there - now;
                }
            }
        }
    }
}

/// Where the slow stretch ends that `at` lies in.
fn slow_end(at: u64, near: Near) -> Option<u64> {
    let around = |decision: &u64| {
        at >= decision.saturating_sub(AROUND_US) && at < decision.saturating_add(AROUND_US)
    };
    let of = |decision: u64| decision.saturating_add(AROUND_US);
    // While another one comes before the stretch ends, that one's end counts.
    near.next.filter(around).or(near.last.filter(around)).map(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_is_the_speed_asked_for_and_slow_around_a_decision() {
        let near = |last, next| Near { last, next };
        let go = |now, speed, near| Pace::default().stride(now, 16_000, speed, near);
        assert_eq!(go(0, 1_000_000, near(None, None)), 16_000);
        assert_eq!(go(0, 1_000_000, near(None, Some(500_000))), 16_000, "far away");
        assert_eq!(go(450_000, 1_000_000, near(None, Some(500_000))), 4000, "before it");
        assert_eq!(go(550_000, 1_000_000, near(Some(500_000), None)), 4000, "after it");
        assert_eq!(go(600_000, 1_000_000, near(Some(500_000), None)), 16_000, "long after it");
        // 8 ms at full speed lead to the border, the other 8 ms a quarter as far.
        assert_eq!(go(392_000, 1_000_000, near(None, Some(500_000))), 8000 + 2000);
        // At 1000x sixteen seconds would go by: it stops at the border, and goes slowly there.
        let fast = go(0, 1_000_000_000, near(None, Some(9_000_000)));
        assert!((8_900_000..8_904_000).contains(&fast), "{fast}");
        assert_eq!(go(550_000, 1000, near(Some(500_000), None)), 16, "slow enough as it is");
    }

    #[test]
    fn who_cannot_keep_up_says_after_half_a_second_how_far_he_comes() {
        let mut pace = Pace::default();
        let mut second = |went| (0..60).map(|_| pace.went(16_667, 16_667, went)).last().flatten();
        assert_eq!(second(16_667), None);
        assert_eq!(second(15_500), None, "hardly less");
        assert_eq!(second(5000), Some(299_994));
        assert_eq!(second(16_667), None, "and again");
        assert_eq!(second(4000), Some(239_995));
        assert!(!pace.is_worth_slowing(), "slower than slow");
    }

    #[test]
    fn no_microsecond_is_lost_over_many_strides() {
        let mut pace = Pace::default();
        let gone: u64 = (0..1000).map(|_| pace.stride(0, 16_500, 1000, Near::default())).sum();
        assert_eq!(gone, 16_500);
    }
}
