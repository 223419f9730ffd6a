//! Which stretch of time is shown, and what a chart shows of it.
//!
//! Lanes and chart have one stretch. It follows the moment looked at, except while somebody drags;
//! who looks elsewhere while time stands is not called back.

use super::Session;
use crate::timeline::stretch::Stretch;

impl Session {
    /// Brings the present moment into view, when it is another one than before.
    pub(super) fn follow_time(&mut self) {
        let now_us = self.snapshot.now_us;
        if self.followed_us.replace(now_us) != Some(now_us) && !self.state.held {
            self.state.stretch = self.state.stretch.following(now_us);
        }
    }

    /// About the moment looked at while that is in view, otherwise about the middle.
    pub(super) fn zoom(&mut self, thousandths: u64) {
        let (view, now_us) = (self.state.stretch, self.snapshot.now_us);
        let middle = view.from_us + view.span_us / 2;
        let in_view = (view.from_us..=view.to_us()).contains(&now_us);
        self.state.stretch = view.zoomed(thousandths, if in_view { now_us } else { middle });
    }

    pub(super) fn zoom_to_all(&mut self) {
        self.state.stretch = Stretch::of_all(self.run().trace().furthest().0);
    }

    /// Samples what is shown until `late`; whether all of it is there.
    pub fn sample(&mut self, late: impl Fn() -> bool) -> bool {
        let view = self.state.stretch;
        self.branches.run_mut().sample((view.from_us, view.to_us()), view.cell_us(), late)
    }
}
