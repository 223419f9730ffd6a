//! DEBUG SLEEP: a server that is busy reads nothing, sends nothing and looks at no clock.
//!
//! The machine does not sleep; what comes meanwhile is kept, in order, and taken when it wakes.

use std::collections::VecDeque;

use super::{ConnId, Input, Server};
use crate::time::Instant;

/// A server that is busy.
#[derive(Clone, Debug)]
pub struct Sleep {
    pub until: Instant,
    /// Who made it so; what it sent after that is read first.
    by: ConnId,
}

/// What came while it was busy.
pub type Kept = VecDeque<Input>;

impl Server {
    pub(super) fn sleep(&mut self, by: ConnId, us: u64) {
        if us > 0 {
            self.asleep = Some(Sleep { until: self.now.after_us(us), by });
        }
    }

    /// Keeps an input for later if this server is busy; otherwise gives it back.
    pub(super) fn keep(&mut self, now: Instant, input: Input) -> Option<Input> {
        if self.asleep.as_ref().is_some_and(|sleep| sleep.until <= now) {
            self.now = self.now.max(now);
            self.wake();
        }
        if self.asleep.is_none() {
            return Some(input);
        }
        // The clock is looked at anyway when it wakes.
        if !matches!(input, Input::Timeout) {
            self.kept.push_back(input);
        }
        None
    }

    fn wake(&mut self) {
        let Some(sleep) = self.asleep.take() else { return };
        self.run_commands(sleep.by);
        while self.asleep.is_none()
            && let Some(input) = self.kept.pop_front()
        {
            self.take(input);
        }
    }
}
