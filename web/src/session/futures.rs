//! Other futures of the run: branches, and what would have been.

use super::Session;
use crate::setup::Change;
use crate::world::{Finding, Instant};

/// Later in a run than this, in simulated microseconds, nothing is run again unasked.
const LONGEST_RERUN_US: u64 = 120_000_000;

impl Session {
    /// What would have been: found out by [`Msg::WhatIf`](crate::state::Msg::WhatIf) for the
    /// decision shown.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        let (_, shown) = self.decision()?;
        self.finding.as_ref().filter(|finding| finding.refused == *shown)
    }

    /// What would have made the decision shown a partial one, found by running it again. None when
    /// nothing would, and late in a long run, where that takes too long to be done unasked.
    #[must_use]
    pub fn foreseen(&self) -> Option<Finding> {
        let (_, decision) = self.decision()?;
        decision.remedy.as_ref().filter(|_| decision.at_us <= LONGEST_RERUN_US)?;
        let mut foreseen = self.foreseen.borrow_mut();
        if let Some((known, finding)) = &*foreseen
            && known == decision
        {
            return finding.clone();
        }
        let finding = self.run().counterfactual(decision).map(|cured| cured.finding);
        *foreseen = Some((decision.clone(), finding.clone()));
        finding
    }

    pub(super) fn fork(&mut self) -> Result<(), String> {
        let told = self.told.min(self.run().world().next_entry());
        if !self.branches.fork() {
            return Err("This is the end of the tape already: whatever you do goes on from here. \
                        Go back to a moment in the past to fork there."
                .to_owned());
        }
        self.changed_future(told);
        Ok(())
    }

    pub(super) fn return_to(&mut self, id: u64) -> Result<(), String> {
        if !self.branches.return_to(id) {
            return Err("That branch is gone: at most three are kept.".to_owned());
        }
        // All of it was told when it happened.
        self.changed_future(self.run().trace().next());
        Ok(())
    }

    pub(super) fn discard(&mut self, id: u64) -> Result<(), String> {
        match self.branches.discard(id) {
            true => Ok(()),
            false => Err("That branch is gone already.".to_owned()),
        }
    }

    /// Another run stands in the place of the old one; its entries from number `told` on are news.
    pub(super) fn changed_future(&mut self, told: u64) {
        self.told = told;
        self.pace.reset();
        self.state.generation += 1;
        self.moved();
        self.look_at_setup();
        self.compare_again();
    }

    pub(super) fn what_if(&mut self) -> Result<(), String> {
        let cured = self.cure()?;
        self.finding = Some(cured.finding);
        Ok(())
    }

    pub(super) fn apply_remedy(&mut self) -> Result<(), String> {
        let cured = self.cure()?;
        let decided = cured.finding.decided.seq;
        self.finding = Some(cured.finding.clone());
        self.branches.show(cured);
        self.state.playing = false;
        self.changed_future(decided);
        let decisions = self.branches.run().trace().decisions();
        self.state.jumped = decisions.iter().position(|decision| decision.seq == decided);
        Ok(())
    }

    fn cure(&self) -> Result<crate::world::Counterfactual, String> {
        let Some((_, decision)) = self.decision() else {
            return Err("There is no decision yet.".to_owned());
        };
        let cured = self.branches.run().counterfactual(decision);
        cured.ok_or_else(|| "No setting would have made this one partial.".to_owned())
    }

    /// Begins the run again, the same but for `change`, and goes to the moment looked at now.
    pub(super) fn replay(&mut self, change: &Change) -> Result<(), String> {
        let scenario = change.lay_over(&self.branches.run().scenario())?;
        self.branches.begin_again(scenario, Instant(self.snapshot.now_us));
        self.changed_future(0);
        Ok(())
    }
}
