//! Simulated and real time as one number: microseconds since the world (or the process) began.
//!
//! The core never reads a clock; whoever drives it passes `now` in. It stands at the top because
//! both the servers and the world around them use it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One second, in microseconds.
pub const SECOND_US: u64 = 1_000_000;
/// One millisecond, in microseconds.
pub const MILLISECOND_US: u64 = 1_000;

/// A moment, in microseconds since the beginning.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(pub u64);

impl Instant {
    /// The beginning.
    pub const ZERO: Instant = Instant(0);

    /// The moment `us` microseconds later; saturates at the end of time instead of wrapping.
    #[must_use]
    pub fn after_us(self, us: u64) -> Instant {
        Instant(self.0.saturating_add(us))
    }

    /// Microseconds from `earlier` to here; zero when `earlier` is in fact later.
    #[must_use]
    pub fn us_since(self, earlier: Instant) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from `earlier` to here, as servers that count in seconds see them.
    ///
    /// Redis compares `time(NULL)` values, so what counts is how many second borders lie between
    /// the two moments: from 0.9 s to 2.1 s are two, although only 1.2 s went by.
    #[must_use]
    pub fn whole_seconds_since(self, earlier: Instant) -> u64 {
        (self.0 / SECOND_US).saturating_sub(earlier.0 / SECOND_US)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / SECOND_US, self.0 % SECOND_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_counted_by_their_borders_as_a_server_does() {
        let at = |ms: u64| Instant(ms * MILLISECOND_US);
        assert_eq!(at(2100).whole_seconds_since(at(900)), 2);
        assert_eq!(at(1999).whole_seconds_since(at(1000)), 0);
        assert_eq!(at(10).whole_seconds_since(at(5000)), 0);
    }
}
