//! Ticks: which round numbers stand on the dial and on the ruler.
//!
//! The dial counts as redis.conf does, in powers of two, because then the last tick of an ordinary
//! size falls on the first. The ruler shows absolute offsets, which people read in decimal.

/// The distance of the dial's labelled ticks: the smallest power of two that gives at most ten.
#[must_use]
pub fn dial_step(size: u64) -> u64 {
    let mut step = 1u64;
    while size / step > 10 {
        step = step.saturating_mul(2);
    }
    step
}

/// The labelled ticks of a dial of `size` bytes, as positions from 0.
///
/// With a size that is no multiple of the step the last one would stand right before 0: a tick
/// closer than half a step to the full turn is left out (20,000 bytes: 0, 2048, … 18,432).
#[must_use]
pub fn dial_ticks(size: u64) -> Vec<u64> {
    let step = dial_step(size);
    let mut ticks = Vec::with_capacity(11);
    let mut at = 0u64;
    while at < size {
        if at == 0 || size - at >= step.div_ceil(2) {
            ticks.push(at);
        }
        at = match at.checked_add(step) {
            Some(next) => next,
            None => break,
        };
    }
    ticks
}

/// The distance of round numbers (1, 2 or 5 times a power of ten) so that a stretch of `span`
/// has at most `most` of them; at least `least`.
#[must_use]
pub fn decimal_step(span: f64, most: f64, least: f64) -> f64 {
    let wanted = (span / most.max(1.0)).max(least);
    let mut power = least;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if power * factor >= wanted {
                return power * factor;
            }
        }
        power *= 10.0;
        if !power.is_finite() {
            return wanted;
        }
    }
}

/// The first multiple of `step` that is not below `from`.
#[must_use]
pub fn first_tick(from: f64, step: f64) -> f64 {
    (from / step).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_of_16k_is_labelled_every_2k() {
        assert_eq!(dial_step(16_384), 2048);
        assert_eq!(dial_ticks(16_384), [0, 2048, 4096, 6144, 8192, 10_240, 12_288, 14_336]);
    }

    #[test]
    fn a_dial_has_ticks_at_any_size() {
        assert_eq!(dial_ticks(1), [0]);
        assert_eq!(dial_ticks(7), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(dial_ticks(1 << 40).len(), 8);
        for size in [3, 1000, 20_480, 1_000_000, 123_456_789, u64::MAX] {
            let ticks = dial_ticks(size);
            assert!((4..=11).contains(&ticks.len()) || size < 4, "{size}: {ticks:?}");
        }
    }

    #[test]
    fn no_tick_stands_right_before_zero() {
        assert_eq!(dial_ticks(16_400).last(), Some(&14_336));
        assert_eq!(dial_ticks(20_000).last(), Some(&18_432));
    }

    #[test]
    fn the_ruler_is_labelled_with_round_decimals() {
        assert_eq!(decimal_step(24_000.0, 7.0, 1.0), 5000.0);
        assert_eq!(decimal_step(24_000.0, 12.0, 1.0), 2000.0);
        assert_eq!(decimal_step(3.0, 7.0, 1.0), 1.0);
        assert_eq!(decimal_step(0.9, 9.0, 0.1), 0.1);
        assert_eq!(first_tick(1_261_200.0, 2000.0), 1_262_000.0);
    }
}
