//! Other futures of the run: branches, what would have been, and a run beside it.

use super::Session;
use crate::setup::Change;
use crate::world::{Comparison, Finding, Instant, Report, Scenario};

impl Session {
    /// The run beside this one, while two are compared.
    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// What the two have cost until now, with signed differences.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.comparison.as_ref().map(|comparison| comparison.report(self.run()))
    }

    /// What would have been: found out by [`Msg::WhatIf`](crate::state::Msg::WhatIf) for the
    /// decision shown.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        let (_, shown) = self.decision()?;
        self.finding.as_ref().filter(|finding| finding.refused == *shown)
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
    fn changed_future(&mut self, told: u64) {
        self.told = told;
        self.pace.reset();
        self.state.generation += 1;
        self.moved();
        self.look_at_setup();
    }

    pub(super) fn compare(&mut self, with: Option<Scenario>) {
        self.comparison = with.map(|other| Comparison::new(self.branches.run(), other));
    }

    /// The run beside this one has this change.
    pub(super) fn compare_with(&mut self, change: &Change) -> Result<(), String> {
        let other = change.lay_over(self.branches.run().original())?;
        self.compare(Some(other));
        Ok(())
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
