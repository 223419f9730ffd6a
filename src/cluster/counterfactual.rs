//! What would have been: the same run with one setting changed, up to the same reconnect.
//!
//! The setting holds from the beginning of the run, because a backlog cannot be given back what
//! it dropped, and some engines throw it away when it is resized. Everything else is the same:
//! seed, writes, outages, and all other actions.

use serde::Serialize;

use super::action::{Action, TimedAction};
use super::decision::{DecisionRecord, Remedy, Verdict};
use super::run::Run;
use super::scenario::Scenario;
use crate::server::config::parse_memory;
use crate::time::{Instant, SECOND_US};

/// People write sizes in steps of this.
const STEP_BYTES: u64 = 16 << 10;
/// How long after the moment of the decision the same reconnect is waited for: another setting
/// may make a handshake take longer, not a run.
const PATIENCE_US: u64 = 60 * SECOND_US;

/// A run in which a refusal did not happen.
#[derive(Clone, Debug)]
pub struct Counterfactual {
    /// What it says.
    pub finding: Finding,
    /// The run with the setting, at the moment of its decision.
    pub run: Run,
}

/// "With 48kb instead of 16kb this would have been partial."
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Such as `repl-backlog-size`.
    pub directive: &'static str,
    /// The value in force when it was refused, as redis.conf writes it.
    pub before: String,
    /// A value that people write and that is enough.
    pub after: String,
    /// The smallest value that is enough.
    pub least: String,
    /// The decision as it was.
    pub refused: DecisionRecord,
    /// The same reconnect, decided with the setting.
    pub decided: DecisionRecord,
}

impl Finding {
    /// Whether the setting did make it partial.
    #[must_use]
    pub fn helped(&self) -> bool {
        self.decided.verdict == Verdict::Partial
    }

    /// The finding as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Finding { directive, before, after, .. } = self;
        let verdict =
            if self.helped() { "would have been partial" } else { "is full all the same" };
        format!("With {directive} {after} instead of {before} this {verdict}.")
    }
}

impl Run {
    /// The run again with the remedy of one of its decisions; none when it has no remedy, or when
    /// the same reconnect does not come then. This run stays as it is.
    #[must_use]
    pub fn counterfactual(&self, refused: &DecisionRecord) -> Option<Counterfactual> {
        let remedy = refused.remedy.as_ref()?;
        let before = self.in_force(refused, remedy.directive)?;
        // With another window other bytes may be written in the handshake, so a little more may be
        // needed than was reckoned.
        let values = [0, 1, 2, 4].map(|more| written(remedy, more));
        let mut last = None;
        for after in values {
            let again = self.with(refused, remedy.directive, &after)?;
            let Some((run, decided)) = same_reconnect(again, refused) else { continue };
            let finding = Finding {
                directive: remedy.directive,
                before: before.clone(),
                after,
                least: remedy.value.clone(),
                refused: refused.clone(),
                decided,
            };
            let helped = finding.helped();
            last = Some(Counterfactual { finding, run });
            if helped {
                break;
            }
        }
        last
    }

    /// The setting that held on the master when it decided.
    fn in_force(&self, refused: &DecisionRecord, directive: &str) -> Option<String> {
        let sets =
            |timed: &&TimedAction| timed.at.0 <= refused.at_us && sets(timed, refused, directive);
        if let Some(TimedAction { action: Action::Config { value, .. }, .. }) =
            self.actions().iter().rev().find(sets)
        {
            return Some(value.clone());
        }
        let scenario = self.original();
        let named = scenario.config.get(&directive.to_owned()).cloned();
        named.or_else(|| {
            let (_, value) = scenario.server_config().matching(directive).pop()?;
            let bytes = value.parse().ok().filter(|_| directive.ends_with("-size"));
            Some(bytes.map_or(value, conf_size))
        })
    }

    /// A new run with this setting, from the beginning and for good.
    fn with(&self, refused: &DecisionRecord, directive: &str, value: &str) -> Option<Run> {
        let mut json = self.original().to_value();
        json.get_mut("config")?.as_object_mut()?.insert(directive.to_owned(), value.into());
        let mut scenario = Scenario::from_value(&json).ok()?;
        let other =
            |timed: &&TimedAction| timed.at.0 > refused.at_us || !sets(timed, refused, directive);
        scenario.actions = self.actions().iter().filter(other).cloned().collect();
        Some(Run::new(scenario))
    }
}

fn sets(timed: &TimedAction, refused: &DecisionRecord, name: &str) -> bool {
    let Action::Config { server, directive, .. } = &timed.action else { return false };
    *server == refused.master && directive.eq_ignore_ascii_case(name)
}

/// Runs on to the decision about the same replica that stands for the refused one: the first that
/// comes not before the link was made anew for it.
fn same_reconnect(mut run: Run, refused: &DecisionRecord) -> Option<(Run, DecisionRecord)> {
    // A little before, because another answer to somebody else may move the ticks of a handshake.
    let from = refused.at_us.saturating_sub(SECOND_US);
    let end = Instant(refused.at_us).after_us(PATIENCE_US);
    run.advance_to(Instant(refused.at_us));
    loop {
        let decisions = run.trace().decisions().iter();
        let mut later =
            decisions.filter(|again| again.at_us >= from && again.replica == refused.replica);
        if let Some(decided) = later.next().cloned() {
            run.seek(Instant(decided.at_us));
            return Some((run, decided));
        }
        if run.now() >= end {
            return None;
        }
        run.advance_us(SECOND_US / 10);
    }
}

/// A value that people write, at least the remedy and so many steps more.
fn written(remedy: &Remedy, more: u64) -> String {
    match parse_memory(&remedy.value) {
        Some(bytes) if remedy.directive.ends_with("-size") => {
            conf_size((bytes.div_ceil(STEP_BYTES) + more).saturating_mul(STEP_BYTES))
        }
        Some(count) => (count + more).to_string(),
        None => remedy.value.clone(),
    }
}

/// A size as redis.conf writes it: `48kb`.
fn conf_size(bytes: u64) -> String {
    [(30, "gb"), (20, "mb"), (10, "kb")]
        .iter()
        .find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift))
        .map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}
