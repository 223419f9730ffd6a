//! The time of the process, in the core's units, and the seed it starts from.
//!
//! `Instant::ZERO` is the moment the clock was made. It only ever rises: a step of the wall clock
//! moves no timer. Unix time is read once and counted on from there, so that timers and expiries
//! of one server can never disagree about how much time went by.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use psync::time::Instant;

use crate::StartError;

/// A monotonic clock that knows what Unix time it was when it started.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: std::time::Instant,
    unix_ms_at_zero: u64,
}

impl Clock {
    /// Starts at [`Instant::ZERO`].
    #[must_use]
    pub fn start() -> Clock {
        // A wall clock before 1970 is no reason not to run; expiries are then counted from 1970.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ms_at_zero = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
        Clock { zero: std::time::Instant::now(), unix_ms_at_zero }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant(u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// How long until `at`; zero when it is over.
    #[must_use]
    pub fn until(&self, at: Instant) -> Duration {
        Duration::from_micros(at.us_since(self.now()))
    }

    /// Unix time of [`Instant::ZERO`], in milliseconds.
    #[must_use]
    pub fn unix_ms_at_zero(&self) -> u64 {
        self.unix_ms_at_zero
    }

    /// Unix time of a moment, in milliseconds.
    #[must_use]
    pub fn unix_ms(&self, at: Instant) -> u64 {
        self.unix_ms_at_zero.saturating_add(at.0 / 1000)
    }
}

/// A seed from the operating system.
///
/// # Errors
/// [`StartError::Entropy`] when it gives none.
pub fn random_seed() -> Result<u64, StartError> {
    getrandom::u64().map_err(|error| StartError::Entropy(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_rises_and_agrees_with_unix_time() {
        let clock = Clock::start();
        let first = clock.now();
        std::thread::sleep(Duration::from_millis(2));
        let second = clock.now();
        assert!(second.us_since(first) >= 2000, "{first} {second}");
        assert_eq!(clock.until(first), Duration::ZERO);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let ours = clock.unix_ms(clock.now());
        assert!(unix.abs_diff(ours) < 1000, "{unix} {ours}");
    }

    #[test]
    fn two_seeds_differ() {
        assert_ne!(random_seed().unwrap(), random_seed().unwrap());
    }
}
