//! Chance, from a seed: the same seed gives the same schedule.

use psync::random::{Generator, below, seeded};

pub struct Dice(Generator);

impl Dice {
    pub fn of(seed: u64) -> Dice {
        Dice(seeded(seed))
    }

    /// A number from `from` to `to`, both included.
    pub fn range(&mut self, from: u64, to: u64) -> u64 {
        from + below(&mut self.0, to - from + 1)
    }

    /// True once in `of` times.
    pub fn one_in(&mut self, of: u64) -> bool {
        below(&mut self.0, of) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[below(&mut self.0, from.len() as u64) as usize]
    }

    /// Letters, so that no digits of a value look like a time or a length.
    pub fn letters(&mut self, count: u64) -> Vec<u8> {
        (0..count).map(|_| b'a' + below(&mut self.0, 26) as u8).collect()
    }

    #[allow(dead_code, reason = "not every test crate that includes this file draws ids")]
    pub fn hex(&mut self, count: u64) -> String {
        let digit = |dice: &mut Dice| char::from(b"0123456789abcdef"[dice.range(0, 15) as usize]);
        (0..count).map(|_| digit(self)).collect()
    }
}
