//! A run with its tape: forwards event by event, back to any moment, and forward again.
//!
//! Time travel is replay. The tape keeps the actions, and now and then a copy of the world; going
//! back restores the last copy before the moment asked for and runs from there. An action in the
//! past begins another future: what was recorded after it is dropped, and with it what was planned.
//! An action at the end of the tape is only one more: what is planned for later still comes.
//!
//! Invariant: the world at any moment is the one that a new run with the same scenario and
//! actions reaches, so its digest is the same.

use super::action::{Action, TimedAction};
use super::field::BadInput;
use super::observe::BytesAt;
use super::scenario::Scenario;
use super::sim::World;
use super::snapshot::Snapshot;
use super::trace::Trace;
use crate::time::{Instant, SECOND_US};
use crate::wire::Value;

/// A world that can be wound back.
#[derive(Clone, Debug)]
pub struct Run {
    scenario: Scenario,
    actions: Vec<TimedAction>,
    world: World,
    /// How many of the actions the world has seen.
    done: usize,
    copies: Vec<Copy>,
    /// Simulated time between copies; doubles when there are too many.
    copy_every_us: u64,
    trace: Trace,
}

#[derive(Clone, Debug)]
struct Copy {
    world: World,
    done: usize,
}

/// About how much memory the copies may take, in bytes.
const COPIES_BYTES: u64 = 64 << 20;
const MOST_COPIES: usize = 64;

impl Run {
    /// A run of this scenario, at its beginning.
    #[must_use]
    pub fn new(scenario: Scenario) -> Run {
        let world = World::new(&scenario);
        let mut run = Run {
            actions: scenario.actions.clone(),
            scenario,
            copies: vec![Copy { world: world.clone(), done: 0 }],
            world,
            done: 0,
            copy_every_us: SECOND_US,
            trace: Trace::default(),
        };
        run.collect();
        run
    }

    /// Now, in simulated time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.now()
    }

    /// Runs forward by so many microseconds.
    pub fn advance_us(&mut self, us: u64) {
        self.advance_to(self.now().after_us(us));
    }

    /// Runs forward to `until`.
    pub fn advance_to(&mut self, until: Instant) {
        while self.now() < until {
            // While the tape is replayed the last copy lies ahead, and none is added.
            let last = self.copies.last().map_or(Instant::ZERO, |copy| copy.world.now());
            let copy_due = last.after_us(self.copy_every_us);
            if self.now() >= copy_due {
                self.copy();
            } else {
                self.run_to(until.min(copy_due));
            }
        }
        self.run_to(until);
    }

    fn run_to(&mut self, until: Instant) {
        while let Some(timed) = self.actions.get(self.done).filter(|timed| timed.at <= until) {
            let TimedAction { at, action } = timed.clone();
            self.done += 1;
            self.world.run_until(at);
            // An action of the scenario that is refused (cutting what is cut) changes nothing.
            let _refused = self.world.act(&action);
        }
        self.world.run_until(until);
        self.collect();
    }

    /// Runs to the next event that leaves something on record.
    pub fn step(&mut self) {
        let before = self.world.next_entry();
        // Without replicas or writes hardly anything happens; a step is then a second.
        let limit = self.now().after_us(SECOND_US);
        while self.world.next_entry() == before && self.now() < limit {
            let event = self.world.next_event_at().unwrap_or(limit);
            let action = self.actions.get(self.done).map_or(limit, |timed| timed.at);
            if action <= event.min(limit) {
                self.run_to(action);
            } else {
                // All events of one moment, so that an action always comes after a whole moment.
                self.world.run_until(event.min(limit));
            }
            self.collect();
        }
    }

    /// Goes to a moment, back or forward.
    pub fn seek(&mut self, to: Instant) {
        if to < self.now() {
            let after = self.copies.partition_point(|copy| copy.world.now() <= to);
            let Some(copy) = after.checked_sub(1).and_then(|index| self.copies.get(index)) else {
                return;
            };
            self.world = copy.world.clone();
            self.done = copy.done;
        }
        self.advance_to(to);
    }

    /// Carries out an action now. What a command answered is returned.
    ///
    /// # Errors
    /// When the action cannot be done; nothing has changed then.
    pub fn act(&mut self, action: Action) -> Result<Option<Value>, BadInput> {
        let mut trial = self.world.clone();
        let answer = trial.act(&action)?;
        let now = self.now();
        // What was planned and has not come yet still comes; what was seen already does not.
        if now < self.trace.furthest() {
            self.trace.cut_off(self.world.next_entry(), now);
            self.actions.truncate(self.done);
        }
        self.world = trial;
        self.actions.insert(self.done, TimedAction { at: now, action });
        self.done += 1;
        self.copies.retain(|copy| copy.world.now() <= now);
        self.collect();
        Ok(answer)
    }

    fn collect(&mut self) {
        let entries = self.world.take_entries();
        self.trace.extend(self.world.now(), entries);
    }

    fn copy(&mut self) {
        self.copies.push(Copy { world: self.world.clone(), done: self.done });
        let room = COPIES_BYTES / self.world.memory_bytes().max(1);
        let most = usize::try_from(room).unwrap_or(MOST_COPIES).clamp(2, MOST_COPIES);
        if self.copies.len() > most {
            // Every second one goes, the first always stays.
            let mut index = 0;
            self.copies.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.copy_every_us = self.copy_every_us.saturating_mul(2);
        }
    }

    /// What can be seen now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.world.snapshot()
    }

    /// What happened, as far as this future is known.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The scenario, with all actions done and planned.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        Scenario { actions: self.actions.clone(), ..self.scenario.clone() }
    }

    /// The world as it is.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A number that stands for the path to this moment.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.world.digest()
    }

    /// The byte at a position of a server's backlog, with the command it belongs to.
    #[must_use]
    pub fn bytes_at(&self, server: usize, pos: i64) -> Option<BytesAt> {
        self.world.bytes_at(server, pos)
    }
}
