//! Two scenarios on one clock: the same seed, the same writes and outages, another configuration
//! or engine.
//!
//! The run compared with belongs to whoever shows it. A [`Comparison`] is the other one: it
//! [follows](Comparison::follow) wherever the first goes, does what is done there, and reports
//! the differences of what both have cost.
//!
//! Invariant: after `follow` both stand at the same moment with the same actions, but for this: a
//! directive in which the two are to differ is each side's own, so `CONFIG SET` of it on one side
//! leaves the other as it is. An action that the other side refuses (its engine does not know the
//! directive) changes nothing there.

use serde::Serialize;

use super::action::{Action, TimedAction};
use super::field::BadInput;
use super::run::Run;
use super::scenario::Scenario;
use super::tally::Tally;
use crate::time::Instant;
use crate::wire::Value;

/// The run that stands beside another.
#[derive(Clone, Debug)]
pub struct Comparison {
    run: Run,
    /// Directives in which the two differ on purpose.
    own: Vec<String>,
}

/// What both sides have cost until now, and the differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The run compared with.
    pub left: Tally,
    /// The one beside it.
    pub right: Tally,
    /// Right minus left.
    pub delta: Delta,
}

/// Signed differences: negative where the right side is the cheaper one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delta {
    /// Full resyncs.
    pub full_resyncs: i64,
    /// Partial resyncs.
    pub partial_resyncs: i64,
    /// Bytes of write stream and snapshots.
    pub bytes_moved: i64,
    /// Bytes of write stream.
    pub stream_bytes: i64,
    /// Bytes of snapshots.
    pub snapshot_bytes: i64,
    /// The longest time, in microseconds, that a replica was not in sync.
    pub longest_stale_us: i64,
    /// The most memory, in bytes, that one server held for those who follow it.
    pub most_memory_bytes: i64,
}

impl Comparison {
    /// `other` beside `left`: with the seed and the actions of `left`, at the same moment.
    #[must_use]
    pub fn new(left: &Run, other: Scenario) -> Comparison {
        Comparison::of(left, other, Vec::new())
    }

    /// The same, where the directives named are this side's own.
    #[must_use]
    pub fn of(left: &Run, other: Scenario, own: Vec<String>) -> Comparison {
        let seed = left.original().seed;
        let actions = shared(left, &own).cloned().collect();
        let mut run = Run::new(Scenario { seed, actions, ..other });
        run.advance_to(left.now());
        Comparison { run, own }
    }

    /// The other run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Goes where `left` is, and does what was done there.
    pub fn follow(&mut self, left: &Run) {
        let here = self.run.actions();
        if !here.iter().eq(shared(left, &self.own)) {
            let both = here.iter().zip(shared(left, &self.own));
            let common = both.take_while(|(one, other)| one == other).count();
            let first = [here.get(common), shared(left, &self.own).nth(common)];
            let parting = first.into_iter().flatten().map(|timed| timed.at).min();
            let until = parting.unwrap_or(Instant::ZERO).min(left.now());
            self.run.take_back(until, shared(left, &self.own).cloned().collect());
        }
        self.run.seek(left.now());
    }

    /// What this side would answer to an action now; nothing changes by asking.
    ///
    /// # Errors
    /// When it would not do it, with its reason.
    pub fn try_action(&self, action: &Action) -> Result<Option<Value>, BadInput> {
        if is_own(action, &self.own) {
            return Ok(None);
        }
        self.run.world().clone().act(action)
    }

    /// What both have cost until now.
    #[must_use]
    pub fn report(&self, left: &Run) -> Report {
        let (left, right) = (left.tally(), self.run.tally());
        Report { left, right, delta: Delta::between(left, right) }
    }
}

/// The actions of `left` that count on both sides.
fn shared<'a>(left: &'a Run, own: &'a [String]) -> impl Iterator<Item = &'a TimedAction> {
    left.actions().iter().filter(move |timed| !is_own(&timed.action, own))
}

fn is_own(action: &Action, own: &[String]) -> bool {
    matches!(action, Action::Config { directive, .. } if own.contains(directive))
}

impl Delta {
    /// Right minus left.
    #[must_use]
    pub fn between(left: Tally, right: Tally) -> Delta {
        // Counts of a run stay far below the end of the numbers.
        let minus = |right: u64, left: u64| {
            i64::try_from(i128::from(right) - i128::from(left)).unwrap_or(i64::MAX)
        };
        let (stream_bytes, snapshot_bytes) = (
            minus(right.stream_bytes, left.stream_bytes),
            minus(right.snapshot_bytes, left.snapshot_bytes),
        );
        Delta {
            full_resyncs: minus(right.full_resyncs, left.full_resyncs),
            partial_resyncs: minus(right.partial_resyncs, left.partial_resyncs),
            bytes_moved: stream_bytes.saturating_add(snapshot_bytes),
            stream_bytes,
            snapshot_bytes,
            longest_stale_us: minus(right.longest_stale_us, left.longest_stale_us),
            most_memory_bytes: minus(right.most_memory_bytes, left.most_memory_bytes),
        }
    }
}
