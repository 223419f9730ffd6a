//! The futures of one run: the present one, and those left behind by acting in the past.
//!
//! Whoever acts in the past, or begins again with another setting, leaves a future. It is kept
//! aside, named by what differs from the present one, and can be returned to.
//!
//! Invariants: at most [`MOST_BRANCHES`] are kept, the oldest goes first; the copies before the
//! place where two futures part are shared.

use super::action::{Action, TimedAction};
use super::counterfactual::Counterfactual;
use super::field::BadInput;
use super::run::Run;
use super::scenario::Scenario;
use super::words::seconds;
use crate::time::Instant;
use crate::wire::Value;

/// How many futures are kept besides the present one.
pub const MOST_BRANCHES: usize = 3;

/// A future that was left.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its number, never used again.
    pub id: u64,
    run: Run,
}

/// The present future and those left behind.
#[derive(Clone, Debug)]
pub struct Branches {
    run: Run,
    kept: Vec<Branch>,
    next_id: u64,
}

impl Branch {
    /// Its run, at the moment at which it was left.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// How far it is known.
    #[must_use]
    pub fn furthest(&self) -> Instant {
        self.run.trace().furthest()
    }
}

impl Branches {
    /// Only this run.
    #[must_use]
    pub fn new(scenario: Scenario) -> Branches {
        Branches::of(Run::new(scenario))
    }

    /// Only this run, wherever it is.
    #[must_use]
    pub fn of(run: Run) -> Branches {
        Branches { run, kept: Vec::new(), next_id: 1 }
    }

    /// The present future.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The present future, to move in it. Its actions go through [`Branches::act`].
    pub fn run_mut(&mut self) -> &mut Run {
        &mut self.run
    }

    /// The futures left behind, the oldest first.
    #[must_use]
    pub fn kept(&self) -> &[Branch] {
        &self.kept
    }

    /// What differs between a branch and the present future: `cut replica-2 at 12.5 s`.
    #[must_use]
    pub fn name(&self, branch: &Branch) -> String {
        difference(&branch.run, &self.run)
    }

    /// Where a branch leaves the present future.
    #[must_use]
    pub fn parting(&self, branch: &Branch) -> Instant {
        parting(&branch.run, &self.run)
    }

    /// Carries out an action now; in the past it begins another future, and the one known so far
    /// is kept.
    ///
    /// # Errors
    /// When the action cannot be done; nothing has changed then.
    pub fn act(&mut self, action: Action) -> Result<Option<Value>, BadInput> {
        let past = self.run.now() < self.run.trace().furthest();
        let old = past.then(|| self.run.clone());
        let answer = self.run.act(action)?;
        if let Some(old) = old {
            self.keep(old);
        }
        Ok(answer)
    }

    /// Begins again with another scenario and goes to `to`; the present future is kept.
    pub fn begin_again(&mut self, scenario: Scenario, to: Instant) {
        let mut run = Run::new(scenario);
        run.advance_to(to);
        self.change_to(run);
    }

    /// Takes the run in which a refusal was cured for the present future, at the moment of the
    /// decision.
    pub fn show(&mut self, cured: Counterfactual) {
        self.change_to(cured.run);
    }

    fn change_to(&mut self, run: Run) {
        let old = std::mem::replace(&mut self.run, run);
        self.keep(old);
    }

    /// Goes to a future left behind, at the same moment as far as it is known there; the present
    /// one is left behind in its place. False when there is none of this number.
    pub fn return_to(&mut self, id: u64) -> bool {
        let Some(place) = self.kept.iter().position(|branch| branch.id == id) else {
            return false;
        };
        let now = self.run.now();
        let mut run = self.kept.remove(place).run;
        run.seek(now.min(run.trace().furthest()));
        self.change_to(run);
        true
    }

    /// Forgets a future left behind. False when there is none of this number.
    pub fn discard(&mut self, id: u64) -> bool {
        let before = self.kept.len();
        self.kept.retain(|branch| branch.id != id);
        self.kept.len() < before
    }

    fn keep(&mut self, mut run: Run) {
        run.thin(parting(&run, &self.run));
        if self.kept.len() == MOST_BRANCHES {
            self.kept.remove(0);
        }
        self.kept.push(Branch { id: self.next_id, run });
        self.next_id += 1;
    }
}

/// How many actions two runs have in common.
fn common(a: &Run, b: &Run) -> usize {
    let both = a.actions().iter().zip(b.actions());
    both.take_while(|(one, other)| one == other).count()
}

fn same_beginning(a: &Run, b: &Run) -> bool {
    let bare = |run: &Run| Scenario { actions: Vec::new(), ..run.original().clone() };
    bare(a) == bare(b)
}

fn parting(a: &Run, b: &Run) -> Instant {
    if !same_beginning(a, b) {
        return Instant::ZERO;
    }
    let common = common(a, b);
    let first = |run: &Run| run.actions().get(common).map(|timed: &TimedAction| timed.at);
    [first(a), first(b)].into_iter().flatten().min().unwrap_or(Instant::ZERO)
}

/// What `run` has that `from` has not.
fn difference(run: &Run, from: &Run) -> String {
    if !same_beginning(run, from) {
        return settings(run.original(), from.original());
    }
    let common = common(run, from);
    match (run.actions().get(common), from.actions().get(common)) {
        // Of two that differ the one that comes earlier is where they part.
        (Some(own), Some(other)) if own.at <= other.at => own.words(),
        (_, Some(other)) => format!("no {}", other.words()),
        (Some(own), None) => own.words(),
        (None, None) => format!("the same until {}", seconds(run.trace().furthest())),
    }
}

/// Which settings `own` has that `other` has not, in a few words.
fn settings(own: &Scenario, other: &Scenario) -> String {
    let mut differing = Vec::new();
    for (directive, value) in own.config.iter() {
        if other.config.get(directive) != Some(value) {
            differing.push(format!("{directive} {value}"));
        }
    }
    for (directive, _) in other.config.iter() {
        if own.config.get(directive).is_none() {
            differing.push(format!("{directive} as the engine has it"));
        }
    }
    if own.engine != other.engine {
        differing.push(own.engine.name.to_owned());
    }
    if own.seed != other.seed {
        differing.push(format!("seed {}", own.seed));
    }
    if own.replicas != other.replicas {
        differing.push(format!("{} replicas", own.replicas));
    }
    if own.workload != other.workload {
        differing.push("other writes".to_owned());
    }
    if own.network != other.network {
        differing.push("another network".to_owned());
    }
    if differing.is_empty() {
        differing.push("another preset".to_owned());
    }
    differing.join(", ")
}
