//! A run with its tape: forwards event by event, back to any moment, and forward again.
//!
//! Time travel is replay. The tape keeps the actions, and now and then a copy of the world; going
//! anywhere restores the last copy before that moment and runs from there. An action in the
//! past begins another future: what was recorded after it is dropped, and with it what was planned
//! ([`Branches`](super::Branches) keeps it aside). An action at the end of the tape is only one
//! more: what is planned for later still comes.
//!
//! One can also look ahead, at what will come if nobody does anything: a copy runs in front, and
//! when the run gets there the copy takes its place, so that nothing is run twice.
//!
//! Invariant: the world at any moment is the one that a new run with the same scenario and
//! actions reaches, so its digest is the same.

use super::action::{Action, TimedAction};
use super::copies::{Copies, Moment};
use super::field::BadInput;
use super::observe::BytesAt;
use super::samples::Samples;
use super::scenario::Scenario;
use super::sim::World;
use super::snapshot::Snapshot;
use super::tally::Tally;
use super::trace::{Entry, Trace, What};
use crate::time::{Instant, SECOND_US};
use crate::wire::Value;

/// A world that can be wound back.
#[derive(Clone, Debug)]
pub struct Run {
    scenario: Scenario,
    pub(super) actions: Vec<TimedAction>,
    /// The world, and how many of the actions it has seen.
    here: Moment,
    /// The same world, further on: what comes if nobody does anything.
    ahead: Option<Box<Ahead>>,
    pub(super) copies: Copies,
    trace: Trace,
    pub(super) samples: Samples,
}

/// A world further on.
#[derive(Clone, Debug)]
struct Ahead {
    moment: Moment,
    /// How much of what it wrote was looked through.
    looked: usize,
    /// When it decided.
    decisions: Vec<Instant>,
}

/// How much a run has to remember, for those who watch over memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Copies of the world.
    pub copies: usize,
    /// About how many bytes they take.
    pub copies_bytes: u64,
    /// Entries of the trace.
    pub entries: usize,
    /// Decisions.
    pub decisions: usize,
}

/// How many copies a branch keeps when it is put aside.
const COPIES_ASIDE: usize = 64;
/// How far the copy in front runs at least, so that it is not made anew for every frame.
const LOOK_AHEAD_US: u64 = SECOND_US;

impl Run {
    /// A run of this scenario, at its beginning.
    #[must_use]
    pub fn new(scenario: Scenario) -> Run {
        let world = World::new(&scenario);
        let mut run = Run {
            actions: scenario.actions.clone(),
            scenario,
            copies: Copies::new(&world),
            here: Moment { world, done: 0 },
            ahead: None,
            trace: Trace::default(),
            samples: Samples::default(),
        };
        run.collect();
        run
    }

    /// Now, in simulated time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.here.world.now()
    }

    /// Runs forward by so many microseconds.
    pub fn advance_us(&mut self, us: u64) {
        self.advance_to(self.now().after_us(us));
    }

    /// Runs forward to `until`.
    pub fn advance_to(&mut self, until: Instant) {
        self.advance_while(until, &|| true);
    }

    /// Runs forward to `until`, as long as `goes_on` says so; it is asked every few events.
    /// Whether it came there. Otherwise it may stand within a moment until it is
    /// [settled](Run::settle).
    pub fn advance_while(&mut self, until: Instant, goes_on: &dyn Fn() -> bool) -> bool {
        self.catch_up(until);
        while self.now() < until {
            let due = self.copies.due();
            if self.now() >= due {
                self.copies.add(&mut self.here.world, self.here.done);
            } else if !self.run_to(until.min(due), goes_on) {
                return false;
            }
        }
        self.run_to(until, goes_on)
    }

    fn run_to(&mut self, until: Instant, goes_on: &dyn Fn() -> bool) -> bool {
        let arrived = self.here.run_while(&self.actions, until, goes_on);
        self.collect();
        arrived
    }

    /// Takes the place of the copy in front, if that has not gone too far.
    fn catch_up(&mut self, until: Instant) {
        let (now, due) = (self.now(), self.copies.due());
        let reached = |ahead: &mut Box<Ahead>| {
            let at = ahead.moment.world.now();
            // Not past the moment of the next copy, which would be made late.
            at > now && at <= until && at <= due
        };
        if let Some(ahead) = self.ahead.take_if(reached) {
            self.here = ahead.moment;
            self.collect();
        }
    }

    /// Runs to the next event that leaves something on record.
    pub fn step(&mut self) {
        self.ahead = None;
        let before = self.here.world.next_entry();
        // Without replicas or writes hardly anything happens; a step is then a second.
        let limit = self.now().after_us(SECOND_US);
        while self.here.world.next_entry() == before && self.now() < limit {
            let event = self.here.world.next_event_at().unwrap_or(limit);
            let action = self.actions.get(self.here.done).map_or(limit, |timed| timed.at);
            if action <= event.min(limit) {
                self.run_to(action, &|| true);
            } else {
                // All events of one moment, so that an action always comes after a whole moment.
                self.here.world.run_until(event.min(limit));
            }
            self.collect();
        }
    }

    /// Goes to a moment, back or forward.
    pub fn seek(&mut self, to: Instant) {
        let back = to < self.now();
        let now = self.now();
        if let Some(copy) = self.copies.before(to).filter(|copy| back || copy.world.now() > now) {
            self.here = copy.clone();
            self.ahead = None;
        }
        // Who goes back comes by here again: a long way is marked out on the way there.
        let way = to.us_since(self.now());
        if to < self.trace.furthest() && way > self.copies.every_us() / 4 {
            let from = self.now();
            for quarter in 1..4 {
                self.advance_to(from.after_us(way / 4 * quarter));
                self.copies.add_near(&mut self.here.world, self.here.done);
            }
        }
        self.advance_to(to);
    }

    /// The next decision after now and within `us` microseconds, if nobody does anything until
    /// then. Nothing changes by asking. Who has no more time than `goes_on` says may be told of
    /// none although one comes.
    pub fn decision_ahead(&mut self, us: u64, goes_on: &dyn Fn() -> bool) -> Option<Instant> {
        let (now, horizon) = (self.now(), self.now().after_us(us));
        let within = |at: &Instant| *at > now && *at <= horizon;
        let known = self.trace.decisions().iter().map(|decision| Instant(decision.at_us));
        let known = known.rev().take_while(|at| *at > now).filter(within).last();
        if known.is_some() || self.trace.furthest() >= horizon {
            return known;
        }
        // One that was passed by, because a copy was due before it, is of no use any more.
        self.ahead.take_if(|ahead| ahead.moment.world.now() < now);
        let ahead = self.ahead.get_or_insert_with(|| {
            let moment = self.here.clone();
            Box::new(Ahead { moment, looked: 0, decisions: Vec::new() })
        });
        if ahead.moment.world.now() < horizon {
            let enough = horizon.after_us(us.max(LOOK_AHEAD_US));
            ahead.moment.run_while(&self.actions, enough, goes_on);
            ahead.look();
        }
        ahead.decisions.iter().copied().find(within)
    }

    /// How far ahead it was looked, if nobody does anything.
    #[must_use]
    pub fn looked_ahead(&self) -> Instant {
        let ahead = self.ahead.as_ref().map_or(Instant::ZERO, |ahead| ahead.moment.world.now());
        ahead.max(self.trace.furthest())
    }

    /// Carries out an action now. What a command answered is returned.
    ///
    /// # Errors
    /// When the action cannot be done; nothing has changed then.
    pub fn act(&mut self, action: Action) -> Result<Option<Value>, BadInput> {
        self.settle();
        let mut trial = self.here.world.clone();
        let answer = trial.act(&action)?;
        let now = self.now();
        // What was planned and has not come yet still comes; what was seen already does not.
        if now < self.trace.furthest() {
            self.trace.cut_off(self.here.world.next_entry(), now);
            self.actions.truncate(self.here.done);
        }
        self.copies.cut_off(now, self.here.done);
        self.samples.cut_off(now);
        self.ahead = None;
        self.here.world = trial;
        self.actions.insert(self.here.done, TimedAction { at: now, action });
        self.here.done += 1;
        self.collect();
        Ok(answer)
    }

    /// Runs the rest of the present moment, if it was left within one: what is done always comes
    /// after a whole moment.
    pub fn settle(&mut self) {
        self.run_to(self.now(), &|| true);
    }

    /// Ends the tape at this moment: what came after it and what was planned is forgotten.
    pub(super) fn end_here(&mut self) {
        self.settle();
        let now = self.now();
        self.trace.cut_off(self.here.world.next_entry(), now);
        self.actions.truncate(self.here.done);
        self.copies.cut_off(now, self.here.done);
        self.samples.cut_off(now);
        self.ahead = None;
    }

    /// Goes back to `at` and takes back all that was done since: `actions` are done and planned.
    pub(crate) fn take_back(&mut self, at: Instant, actions: Vec<TimedAction>) {
        let same = self.actions.iter().zip(&actions).take_while(|(old, new)| old == new).count();
        self.copies.cut_off(at, same);
        self.samples.cut_off(at);
        self.actions = actions;
        self.here = self
            .copies
            .before(at)
            .cloned()
            .unwrap_or_else(|| Moment { world: World::new(&self.scenario), done: 0 });
        self.ahead = None;
        // From the copy on the tape is written anew.
        self.trace.cut_off(self.here.world.next_entry(), self.now());
        self.advance_to(at);
    }

    /// Forgets what it can rebuild, to be kept aside; `from` is where it leaves its sibling.
    pub(super) fn thin(&mut self, from: Instant) {
        self.copies.thin(from, COPIES_ASIDE);
        self.samples = Samples::default();
        self.ahead = None;
    }

    fn collect(&mut self) {
        let entries = self.here.world.take_entries();
        self.trace.extend(self.here.world.now(), entries);
    }

    /// What can be seen now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.here.world.snapshot()
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
        &self.here.world
    }

    /// A number that stands for the path to this moment.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.here.world.digest()
    }

    /// The byte at a position of a server's backlog, with the command it belongs to.
    #[must_use]
    pub fn bytes_at(&self, server: usize, pos: i64) -> Option<BytesAt> {
        self.here.world.bytes_at(server, pos)
    }

    /// The scenario as it was loaded, with the actions that it came with.
    #[must_use]
    pub fn original(&self) -> &Scenario {
        &self.scenario
    }

    /// The actions done and planned, in the order of time.
    #[must_use]
    pub fn actions(&self) -> &[TimedAction] {
        &self.actions
    }

    /// What this run has cost so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.here.world.tally()
    }

    /// How much is remembered.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let (copies, copies_bytes) = self.copies.size();
        let (entries, decisions) = (self.trace.entries().len(), self.trace.decisions().len());
        Kept { copies, copies_bytes, entries, decisions }
    }
}

impl Ahead {
    /// Looks through what was written since the last look.
    fn look(&mut self) {
        let written = &self.moment.world.written;
        let decided = |entry: &&Entry| matches!(entry.what, What::Decision(_));
        let fresh = written.iter().skip(self.looked).filter(decided);
        self.decisions.extend(fresh.map(|entry| entry.at));
        self.looked = written.len();
    }
}

impl Moment {
    /// Runs to `until`, with the actions due by then.
    pub(super) fn run_to(&mut self, actions: &[TimedAction], until: Instant) {
        self.run_while(actions, until, &|| true);
    }

    /// The same, as long as `goes_on` says so. Whether it came there.
    fn run_while(
        &mut self,
        actions: &[TimedAction],
        until: Instant,
        goes_on: &dyn Fn() -> bool,
    ) -> bool {
        while let Some(timed) = actions.get(self.done).filter(|timed| timed.at <= until) {
            if !self.world.run_while(timed.at, goes_on) {
                return false;
            }
            self.done += 1;
            // An action of the scenario that is refused (cutting what is cut) changes nothing.
            let _refused = self.world.act(&timed.action);
        }
        self.world.run_while(until, goes_on)
    }
}
