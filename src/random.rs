//! The one generator of the project: seeded, portable, integers only.
//!
//! The same seed gives the same numbers natively and in WebAssembly. Absent on purpose: any
//! source of entropy, and floating-point ranges.

use rand_core::{Rng, SeedableRng};
pub use rand_pcg::Pcg64Mcg as Generator;

/// A generator for `seed`.
#[must_use]
pub fn seeded(seed: u64) -> Generator {
    Generator::seed_from_u64(seed)
}

/// A number below `bound`, or zero when `bound` is zero.
///
/// Takes the upper half of a 128-bit product instead of a remainder: one multiplication, and a
/// bias of less than `bound / 2^64`.
pub fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    let product = u128::from(rng.next_u64()) * u128::from(bound);
    (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |seed| {
            let mut rng = seeded(seed);
            [below(&mut rng, 1000), below(&mut rng, 1000), below(&mut rng, 1000)]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn every_number_below_the_bound_is_drawn_and_none_above() {
        let mut rng = seeded(1);
        let mut seen = [0; 6];
        for _ in 0..600 {
            seen[below(&mut rng, 6) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| n > 60), "{seen:?}");
        assert_eq!(below(&mut rng, 0), 0);
    }
}
