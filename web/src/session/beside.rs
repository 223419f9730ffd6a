//! The run that stands beside this one: another engine or other settings, on the same clock.
//!
//! It goes wherever this run goes and does what is done here. Invariant: while there is one, its
//! snapshot is of this run's present moment.

use std::rc::Rc;

use psync::wire::Value;

use super::Session;
use crate::difference::Difference;
use crate::state::Compare;
use crate::world::{Action, Comparison, DecisionRecord, Instant, Report, Run, Snapshot};

/// Another setting may make a handshake take longer, but not more than this: decisions of one
/// replica that are further apart, in simulated microseconds, answer different requests.
const SAME_REQUEST_US: u64 = 2_000_000;

/// The other side.
#[derive(Debug)]
pub(super) struct Beside {
    comparison: Comparison,
    difference: Difference,
    snapshot: Rc<Snapshot>,
    /// Tells this one from those before it.
    number: u64,
    /// What it would not do, until something else is done.
    refusal: Option<String>,
    /// The decision of this run, by its number, in whose place the other one is looked at.
    looks: Option<u64>,
}

/// How the other side answered the request whose decision is shown, where that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Otherwise {
    /// With the other verdict.
    Decided(Box<DecisionRecord>),
    /// Not at all: nobody asked there.
    NotAsked,
}

impl Session {
    /// The run beside this one, while two are compared.
    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison> {
        self.beside.as_ref().map(|beside| &beside.comparison)
    }

    /// In what it differs.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        self.beside.as_ref().map(|beside| &beside.difference)
    }

    /// Its world, and a number that no other one had.
    #[must_use]
    pub fn beside(&self) -> Option<(&Rc<Snapshot>, u64)> {
        self.beside.as_ref().map(|beside| (&beside.snapshot, beside.number))
    }

    /// What it would not do.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.beside.as_ref()?.refusal.as_deref()
    }

    /// What the two have cost until now, with signed differences.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        Some(self.comparison()?.report(self.run()))
    }

    /// How the other side answered the request whose decision is shown, if not in the same way.
    #[must_use]
    pub fn otherwise(&self) -> Option<Otherwise> {
        let (comparison, (_, shown)) = (self.comparison()?, self.decision()?);
        let now = self.snapshot.now_us;
        let decisions = comparison.run().trace().decisions().iter();
        let same = |other: &&DecisionRecord| {
            other.replica == shown.replica && other.at_us.abs_diff(shown.at_us) <= SAME_REQUEST_US
        };
        let nearest = decisions.filter(same).min_by_key(|other| other.at_us.abs_diff(shown.at_us));
        match nearest {
            Some(other) if other.verdict == shown.verdict || other.at_us > now => None,
            Some(other) => Some(Otherwise::Decided(Box::new(other.clone()))),
            // It may still come.
            None if now < shown.at_us + SAME_REQUEST_US => None,
            None => Some(Otherwise::NotAsked),
        }
    }

    /// The other side's decision, while that is looked at.
    #[must_use]
    pub fn looked_at(&self) -> Option<DecisionRecord> {
        let shown = self.decision()?.1.seq;
        self.beside.as_ref()?.looks.filter(|seq| *seq == shown)?;
        match self.otherwise()? {
            Otherwise::Decided(other) => Some(*other),
            Otherwise::NotAsked => None,
        }
    }

    pub(super) fn compare(&mut self, what: Compare) -> Result<(), String> {
        let known = self.beside.as_ref().map(|beside| beside.difference.clone());
        let mut difference = known.clone().unwrap_or_default();
        match what {
            Compare::Toggle if known.is_none() => difference = self.first_difference(),
            Compare::Toggle | Compare::Close => {
                self.beside = None;
                return Ok(());
            }
            Compare::With(other) => difference = other,
            Compare::Change(change) => difference.change(&change, &self.setup),
            Compare::Choose(field) => difference.choose(field, &self.setup),
            Compare::Look(looks) => {
                let shown = self.decision().filter(|_| looks).map(|(_, shown)| shown.seq);
                self.beside.iter_mut().for_each(|beside| beside.looks = shown);
                return Ok(());
            }
            Compare::Use => return self.use_beside(),
        }
        self.put_beside(difference)
    }

    /// The remedy of the decision shown; where it has none, what is most often asked for.
    fn first_difference(&self) -> Difference {
        if let Some(finding) = self.foreseen().filter(|finding| finding.helped()) {
            return Difference::of(finding.directive, &finding.after);
        }
        let remedy = self.decision().and_then(|(_, decision)| decision.remedy.clone());
        match remedy {
            Some(remedy) => Difference::of(remedy.directive, &remedy.value),
            None => Difference::first(&self.setup),
        }
    }

    fn put_beside(&mut self, difference: Difference) -> Result<(), String> {
        let run = self.branches.run();
        let other = difference.lay_over(run.original())?;
        let own = difference.config.iter().map(|(directive, _)| directive.clone()).collect();
        let comparison = Comparison::of(run, other, own);
        let snapshot = Rc::new(comparison.run().snapshot());
        let number = self.state.revision;
        let (refusal, looks) = (None, None);
        self.beside = Some(Beside { comparison, difference, snapshot, number, refusal, looks });
        Ok(())
    }

    /// This run was exchanged for another one: what differs stays.
    pub(super) fn compare_again(&mut self) {
        let Some(beside) = self.beside.take() else { return };
        if let Err(why) = self.put_beside(beside.difference) {
            self.complain(format!("The comparison was closed: {why}"));
        }
    }

    fn use_beside(&mut self) -> Result<(), String> {
        let beside = self.beside.take().ok_or("Nothing is compared.")?;
        let scenario = beside.comparison.run().scenario();
        self.branches.begin_again(scenario, Instant(self.snapshot.now_us));
        self.changed_future(0);
        Ok(())
    }

    /// Within a frame it goes along in the same slices, so that a late frame ends for both.
    pub(super) fn beside_follows(&mut self) {
        if let Some(beside) = &mut self.beside {
            beside.comparison.follow(self.branches.run());
        }
    }

    pub(super) fn beside_moved(&mut self) {
        self.beside_follows();
        if let Some(beside) = &mut self.beside {
            beside.snapshot = Rc::new(beside.comparison.run().snapshot());
        }
    }

    /// Why the other side will not do this now.
    pub(super) fn refused_beside(&self, action: &Action) -> Option<String> {
        match self.comparison()?.try_action(action) {
            Ok(Some(Value::Error(text))) => Some(String::from_utf8_lossy(&text).into_owned()),
            Ok(_) => None,
            Err(refused) => Some(refused.to_string()),
        }
    }

    /// That is worth saying only where this side did it.
    pub(super) fn note_refusal(&mut self, refusal: Option<String>, answer: Option<&Value>) {
        let refusal = refusal.filter(|_| !matches!(answer, Some(Value::Error(_))));
        if let Some(beside) = &mut self.beside {
            beside.refusal = refusal;
        }
    }

    /// The run of a side: this one, or the one beside it.
    #[must_use]
    pub fn side(&self, beside: bool) -> &Run {
        match self.comparison() {
            Some(comparison) if beside => comparison.run(),
            _ => self.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::{Change, Field};
    use crate::state::Msg;
    use crate::world::{Scenario, Verdict};

    fn session(preset: &str) -> Session {
        Session::new(Scenario::preset(preset).expect("a preset"))
    }

    fn backlog(value: &str) -> Change {
        Field::Backlog.read(value).expect("a size")
    }

    fn ask(session: &mut Session, what: Compare) {
        session.apply(Msg::Compare(what)).expect("it can");
    }

    fn advance(session: &mut Session, us: u64) {
        session.apply(Msg::Advance(us)).expect("it can");
    }

    #[test]
    fn two_settings_side_by_side_stand_at_one_moment_wherever_it_goes() {
        let mut session = session("too-long");
        ask(&mut session, Compare::Change(backlog("64kb")));
        advance(&mut session, 24_000_000);
        let delta = session.report().expect("two").delta;
        assert_eq!((delta.full_resyncs, delta.partial_resyncs), (-1, 1));
        for msg in [Msg::Seek(3_000_000), Msg::ToggleLink(1), Msg::Step, Msg::Advance(9_000_000)] {
            session.apply(msg).expect("it can");
            let other = session.comparison().expect("two").run();
            assert_eq!(other.now(), session.run().now());
            assert_eq!(other.actions(), session.run().actions());
            assert_eq!(session.beside().expect("two").0.now_us, session.snapshot().now_us);
        }
        session.apply(Msg::Play).expect("it can");
        for _ in 0..10 {
            session.frame(16_000, &|| false);
            let now_us = session.snapshot().now_us;
            assert_eq!(session.beside().expect("two").0.now_us, now_us, "in each frame");
        }
        ask(&mut session, Compare::Close);
        assert!(session.report().is_none());
    }

    #[test]
    fn it_opens_with_the_remedy_of_the_decision_shown_or_with_twice_the_backlog() {
        let mut session = session("too-long");
        let words = |session: &Session| session.difference().map(|d| d.words(None));
        ask(&mut session, Compare::Toggle);
        assert_eq!(words(&session).as_deref(), Some("repl-backlog-size 32kb"));
        ask(&mut session, Compare::Toggle);
        assert_eq!(words(&session), None);
        let mut lost = self::session("nobody-left");
        advance(&mut lost, 30_000_000);
        let remedy = lost.decision().and_then(|(_, d)| d.remedy.clone()).expect("there is one");
        ask(&mut lost, Compare::Toggle);
        assert!(words(&lost).is_some_and(|words| words.starts_with(remedy.directive)));
        let delta = lost.report().expect("two").delta;
        assert!(delta.full_resyncs < 0, "it is seen at once: {delta:?}");
        let mut proposal = self::session("proposal");
        ask(&mut proposal, Compare::Toggle);
        assert_eq!(words(&proposal).as_deref(), Some("Redis 7.2"));
    }

    #[test]
    fn the_other_answer_to_the_request_shown_can_be_looked_at() {
        let mut session = session("too-long");
        ask(&mut session, Compare::Change(backlog("64kb")));
        advance(&mut session, 17_000_000);
        let shown = session.decision().expect("it decided").1.clone();
        let Some(Otherwise::Decided(other)) = session.otherwise() else { panic!("the other way") };
        assert_eq!((shown.verdict, other.verdict), (Verdict::Full, Verdict::Partial));
        assert_eq!(shown.replica, other.replica);
        assert_eq!(session.looked_at(), None);
        ask(&mut session, Compare::Look(true));
        assert_eq!(session.looked_at(), Some(*other));
        session.apply(Msg::PreviousDecision).expect("it can");
        session.apply(Msg::PreviousDecision).expect("it can");
        assert_eq!(session.looked_at(), None, "another decision is looked at first on this side");
    }

    #[test]
    fn going_on_with_the_other_side_keeps_this_one_as_a_branch() {
        let mut session = session("too-long");
        advance(&mut session, 17_000_000);
        let old = session.run().digest();
        ask(&mut session, Compare::Change(backlog("64kb")));
        let other = session.comparison().expect("two").run().digest();
        ask(&mut session, Compare::Use);
        assert!(session.comparison().is_none());
        assert_eq!((session.run().digest(), session.setup().backlog.as_str()), (other, "64kb"));
        let id = session.branches().kept()[0].id;
        session.apply(Msg::ReturnTo(id)).expect("it was kept");
        assert_eq!(session.run().digest(), old);
        assert!(session.apply(Msg::Compare(Compare::Use)).is_err(), "nothing is compared");
    }

    #[test]
    fn what_the_other_side_will_not_do_is_said_and_each_keeps_the_setting_that_differs() {
        let mut session = session("too-long");
        let console = |session: &mut Session, line: &str| {
            session.apply(Msg::Command { server: 0, line: line.to_owned() }).expect("it answers");
            session.refusal().map(str::to_owned)
        };
        advance(&mut session, 4_000_000);
        ask(&mut session, Compare::Change(Change::Engine("redis-2.8".to_owned())));
        assert_eq!(console(&mut session, "SET a b"), None);
        assert_eq!(console(&mut session, "NONESUCH"), None, "neither side knows it");
        let why = console(&mut session, "WAIT 0 1").expect("2.8 has no WAIT");
        assert!(why.contains("unknown command"), "{why}");
        advance(&mut session, 1_000_000);
        assert!(session.refusal().is_some(), "until something else is done");
        session.apply(Msg::ToggleLink(1)).expect("it can");
        assert_eq!(session.refusal(), None);
        ask(&mut session, Compare::Change(backlog("64kb")));
        session.apply(Msg::Change(backlog("256kb"))).expect("it can");
        let sizes = [false, true].map(|beside| {
            let servers = session.side(beside).snapshot().servers;
            servers[0].backlog.as_ref().map(|backlog| backlog.size)
        });
        assert_eq!(sizes, [Some(256 << 10), Some(64 << 10)]);
    }

    #[test]
    fn another_engine_or_seed_of_the_run_keeps_what_differs() {
        let mut session = session("too-long");
        ask(&mut session, Compare::Change(backlog("64kb")));
        let number = session.beside().expect("two").1;
        let seed = Field::Seed.read("9").expect("a seed");
        for change in [seed, Change::Engine("redis-6.2".to_owned())] {
            session.apply(Msg::Change(change)).expect("it can");
            let own = session.run().original();
            let other = session.side(true).original();
            assert_eq!((own.seed, own.engine.name), (other.seed, other.engine.name));
            assert_eq!(
                session.difference().map(|d| d.words(None)).as_deref(),
                Some("repl-backlog-size 64kb")
            );
        }
        assert_ne!(session.beside().expect("two").1, number, "it is drawn anew");
        let unknown = Difference::of("maxmemory", "1");
        assert!(session.apply(Msg::Compare(Compare::With(unknown))).is_err());
        assert!(session.comparison().is_some(), "the old one stays");
    }
}
