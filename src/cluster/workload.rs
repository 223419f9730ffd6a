//! What clients write: `SET`s at a steady rate or along a curve, with keys and values drawn from the seed.
//!
//! The n-th write of a run is due at `start + n / rate` exactly, so no rounding adds up over a
//! day of writes.

use bytes::Bytes;

use super::curve;
use super::scenario::Workload;
use crate::random::{Generator, below, seeded};
use crate::time::{Instant, SECOND_US};
use crate::wire::encode_command;

/// How much of a value is drawn; a longer one repeats it, because drawing 100 MB a second would
/// take longer than everything that is done with them.
const DRAWN_BYTES: u64 = 4096;

/// The clients of a run.
#[derive(Clone, Debug)]
pub struct Clients {
    workload: Workload,
    rng: Generator,
    start: Instant,
    written: u64,
}

impl Clients {
    pub fn new(workload: Workload, seed: u64, start: Instant) -> Clients {
        Clients { workload, rng: seeded(seed), start, written: 0 }
    }

    /// What is written at present.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Goes on with another workload from `now` on.
    pub fn change(&mut self, now: Instant, workload: Workload) {
        self.workload = workload;
        (self.start, self.written) = (now, 0);
    }

    /// When the next write is due; never, at a rate of zero.
    pub fn due(&self) -> Option<Instant> {
        if !self.workload.curve.is_empty() {
            let after = curve::due_us(&self.workload.curve, self.written + 1)?;
            return Some(self.start.after_us(after));
        }
        let rate = self.workload.writes_per_second;
        // In 128 bits: a million a second overflows 64 after half a year.
        let after = u128::from(self.written + 1) * u128::from(SECOND_US);
        let after = after.checked_div(u128::from(rate))?;
        Some(self.start.after_us(u64::try_from(after).unwrap_or(u64::MAX)))
    }

    /// The next write of the steady rate.
    pub fn next_write(&mut self) -> Bytes {
        self.written += 1;
        self.draw(self.workload.value_bytes)
    }

    /// One write with a value of this length.
    pub fn draw(&mut self, value_bytes: u64) -> Bytes {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz-_.:+~";
        let key = format!("key:{}", below(&mut self.rng, self.workload.keys));
        let (len, drawn) = (value_bytes as usize, value_bytes.min(DRAWN_BYTES) as usize);
        let mut value = Vec::with_capacity(len + 12);
        while value.len() < drawn {
            let mut bits = below(&mut self.rng, u64::MAX);
            for _ in 0..12 {
                value.push(LETTERS[(bits & 31) as usize]);
                bits >>= 5;
            }
        }
        value.truncate(drawn);
        while value.len() < len {
            value.extend_from_within(..drawn.min(len - value.len()));
        }
        encode_command(&[&b"SET"[..], key.as_bytes(), &value])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(writes_per_second: u64) -> Workload {
        Workload { writes_per_second, value_bytes: 5, keys: 3, curve: Vec::new() }
    }

    #[test]
    fn the_rate_is_met_exactly_however_odd_it_is() {
        let workload = steady(7);
        let mut clients = Clients::new(workload, 1, Instant(500));
        let mut due = Vec::new();
        for _ in 0..14 {
            due.push(clients.due().expect("a rate").0 - 500);
            clients.next_write();
        }
        assert_eq!((due[0], due[6], due[13]), (142_857, 1_000_000, 2_000_000));
    }

    #[test]
    fn values_are_as_long_as_asked_for_and_no_two_alike() {
        let mut clients = Clients::new(steady(1), 1, Instant(0));
        for len in [0, 1, 11, 12, 13, 4096, 4097, 65_000] {
            let mut value = || {
                let text = clients.draw(len);
                let from = text.len() - 2 - len as usize;
                text.slice(from..text.len() - 2)
            };
            let (one, other) = (value(), value());
            assert!(one.is_ascii() && one.len() as u64 == len, "{len}");
            assert!(len < 12 || one != other, "{len}");
        }
    }

    #[test]
    fn nothing_is_due_at_a_rate_of_zero() {
        let workload = steady(0);
        assert_eq!(Clients::new(workload, 1, Instant(0)).due(), None);
    }
}
