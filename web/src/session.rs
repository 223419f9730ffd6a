//! One element's run, the clock that drives it, and the state of its page.
//!
//! [`Session::apply`] is the reducer: every key, click and API call comes through it. It knows no
//! DOM and no real clock: who drives it says how much real time has gone by.
//!
//! Invariant: the snapshot is always of the run's present moment.

use std::cell::RefCell;
use std::rc::Rc;

use psync::lesson::LessonPlay;
use psync::wire::Value;

use crate::pace::{Near, Pace};
use crate::setup::{Change, Setup};
use crate::state::{Msg, State, Tab};
use crate::timeline::stretch::Stretch;
use crate::world::{
    Action, Branches, DecisionRecord, Finding, Instant, LinkState, Run, Scenario, Snapshot, What,
};

mod beside;
mod console;
mod doing;
mod futures;
pub mod lessons;
mod looking;
mod sharing;

pub use self::sharing::{KEY, link_in};

use self::beside::Beside;
pub use self::beside::Otherwise;
use self::sharing::Unpacked;

/// The longest real time that one frame stands for: a page that was away does not catch up.
pub const LONGEST_FRAME_US: u64 = 100_000;

/// Simulated time between two looks at the clock.
const SLICE_US: u64 = 50_000;

/// What has happened since it was last asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Decisions made for the first time.
    pub decisions: Vec<DecisionRecord>,
    /// Links that changed their state, by the replica's name.
    pub links: Vec<(String, LinkState)>,
    /// Replicas that were overtaken.
    pub overruns: Vec<String>,
    /// What somebody did, in a few words.
    pub actions: Vec<String>,
    /// What the lesson says.
    pub lesson: Option<String>,
    /// What was complained about.
    pub complaint: Option<String>,
}

/// The run of one element with all that the page remembers.
#[derive(Debug)]
pub struct Session {
    branches: Branches,
    beside: Option<Beside>,
    finding: Option<Finding>,
    /// What was found out for the decision shown, lest each rendering run it again.
    foreseen: RefCell<Option<(DecisionRecord, Option<Finding>)>>,
    lesson: Option<LessonPlay>,
    /// What the lesson says and was not told yet.
    lesson_said: Option<String>,
    snapshot: Rc<Snapshot>,
    state: State,
    pace: Pace,
    /// The number of the first entry of the trace that was not told.
    told: u64,
    complained: Option<String>,
    setup: Setup,
    /// The moment that the stretch shown followed last.
    followed_us: Option<u64>,
    /// What "Share" will show, once the browser has packed it.
    unpacked: Option<Unpacked>,
}

impl Session {
    /// A fresh run, paused.
    #[must_use]
    pub fn new(scenario: Scenario) -> Session {
        let branches = Branches::new(scenario);
        let run = branches.run();
        let snapshot = Rc::new(run.snapshot());
        let setup = Setup::read(&run.scenario(), 0);
        Session {
            branches,
            beside: None,
            finding: None,
            foreseen: RefCell::default(),
            lesson: None,
            lesson_said: None,
            snapshot,
            state: State::default(),
            pace: Pace::default(),
            told: 0,
            complained: None,
            setup,
            followed_us: None,
            unpacked: None,
        }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &Run {
        self.branches.run()
    }

    /// The run with the futures left behind.
    #[must_use]
    pub fn branches(&self) -> &Branches {
        &self.branches
    }

    /// The world now.
    #[must_use]
    pub fn snapshot(&self) -> &Rc<Snapshot> {
        &self.snapshot
    }

    /// What the page remembers.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the run is made of, as of now.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Does what is asked.
    ///
    /// # Errors
    ///
    /// In words, when the world refuses an action; nothing has changed then.
    pub fn apply(&mut self, msg: Msg) -> Result<(), String> {
        self.state.revision += 1;
        self.reduce(msg)
    }

    /// Lets `real_us` of real time go by; whether anything moved.
    ///
    /// The world runs until `late` says that the frame has no more time, which is asked every few
    /// events: then simulated time goes slower than asked for, and the page says so, but stays quick.
    pub fn frame(&mut self, real_us: u64, late: &dyn Fn() -> bool) -> bool {
        if !self.state.playing {
            return false;
        }
        let real_us = real_us.min(LONGEST_FRAME_US);
        let from = self.run().now().0;
        let stride = self.stride(real_us, &|| !late());
        let until = from + stride;
        // A lesson looks on every now and then, lest it miss what it waits for.
        // Two runs go side by side, lest a late frame end with one of them far behind.
        let together = self.lesson.is_some() || self.beside.is_some();
        let slice = if together { SLICE_US } else { stride };
        loop {
            let end = until.min(self.run().now().0 + slice);
            let arrived = self.branches.run_mut().advance_while(Instant(end), &|| !late());
            self.beside_follows();
            self.watch_lesson();
            if !arrived || end == until || late() || !self.state.playing {
                break;
            }
        }
        self.state.behind = self.pace.went(real_us, stride, self.run().now().0 - from);
        self.moved();
        self.state.revision += 1;
        true
    }

    /// How far this frame goes.
    fn stride(&mut self, real_us: u64, goes_on: &dyn Fn() -> bool) -> u64 {
        let speed = self.state.speed.us_per_second();
        let now = self.run().now().0;
        let looks = self.state.auto_slow && self.pace.is_worth_slowing();
        let mut near = Near::default();
        if looks {
            let decisions = self.branches.run().trace().decisions();
            let until_now = decisions.partition_point(|decision| decision.at_us <= now);
            near.last = until_now.checked_sub(1).map(|index| decisions[index].at_us);
            let horizon = Pace::horizon_us(real_us, speed);
            near.next = self.branches.run_mut().decision_ahead(horizon, goes_on).map(|at| at.0);
        }
        let stride = self.pace.stride(now, real_us, speed, near);
        self.state.slowed = self.pace.slowed;
        // There was no time to look all the way: not beyond what was seen.
        let seen = self.run().looked_ahead().0.saturating_sub(now);
        if looks && near.next.is_none() && seen > 0 { stride.min(seen) } else { stride }
    }

    /// What is new since the last call.
    pub fn news(&mut self) -> News {
        let (lesson, complaint) = (self.lesson_said.take(), self.complained.take());
        let mut news = News { lesson, complaint, ..News::default() };
        let entries = self.branches.run().trace().entries();
        let fresh = entries.rev().take_while(|entry| entry.seq >= self.told).count();
        let entries = self.branches.run().trace().entries();
        let known = entries.len() - fresh;
        for entry in entries.skip(known) {
            match &entry.what {
                What::Decision(decision) => news.decisions.push((**decision).clone()),
                What::Link { replica, state } => {
                    if let Some(server) = self.snapshot.servers.get(*replica) {
                        news.links.push((server.name.clone(), *state));
                    }
                }
                What::Overrun { replica } => {
                    if let Some(server) = self.snapshot.servers.get(*replica) {
                        news.overruns.push(server.name.clone());
                    }
                }
                What::Action { text, .. } => news.actions.push(text.clone()),
                _ => {}
            }
            self.told = entry.seq + 1;
        }
        news
    }

    /// The decision to show and its place among those kept: the one jumped to, otherwise the latest
    /// until now.
    #[must_use]
    pub fn decision(&self) -> Option<(usize, &DecisionRecord)> {
        let now = self.snapshot.now_us;
        let decisions = self.branches.run().trace().decisions();
        let latest = || {
            let after = decisions.partition_point(|decision| decision.at_us <= now);
            let last = after.checked_sub(1)?;
            Some((last, decisions.get(last)?))
        };
        let jumped = self.state.jumped.and_then(|n| Some((n, decisions.get(n)?)));
        jumped.or_else(latest)
    }

    fn reduce(&mut self, msg: Msg) -> Result<(), String> {
        match msg {
            Msg::Play => self.state.playing = true,
            Msg::Pause => self.pause(),
            Msg::TogglePlay if self.state.playing => self.pause(),
            Msg::TogglePlay => self.state.playing = true,
            Msg::Step => self.step(),
            Msg::Seek(us) => self.seek(us),
            Msg::Advance(us) => self.advance(us),
            Msg::PreviousDecision => self.turn(false),
            Msg::NextDecision => self.turn(true),
            Msg::JumpToDecision(n) => self.jump(n),
            Msg::Act(action) => self.act(action).map(drop)?,
            Msg::ToggleLink(replica) => self.toggle_link(replica)?,
            Msg::Toggle(switch, server) => self.toggle(switch, server)?,
            Msg::Disconnect(server) => self.disconnect(server)?,
            Msg::Sketch(sketch) => self.state.sketch = sketch,
            Msg::Inspect(server) => {
                (self.state.selection, self.state.tab) = (Some(server), Tab::Inspector);
            }
            Msg::Load(scenario) => self.load(*scenario),
            Msg::Change(change) => self.change(&change)?,
            Msg::ApplyRemedy => self.apply_remedy()?,
            Msg::WhatIf => self.what_if()?,
            Msg::Fork => self.fork()?,
            Msg::ReturnTo(id) => self.return_to(id)?,
            Msg::Discard(id) => self.discard(id)?,
            Msg::Learn(open) => self.state.learn = open,
            Msg::Compare(what) => self.compare(what)?,
            Msg::Lesson(name) => self.begin_lesson(&name)?,
            Msg::LessonNext => self.turn_lesson(LessonPlay::next)?,
            Msg::LessonPrevious => self.turn_lesson(LessonPlay::previous)?,
            Msg::LessonAgain => self.turn_lesson(LessonPlay::again)?,
            Msg::LessonAnswer => self.answer_lesson()?,
            Msg::LessonLeave => self.leave_lesson(),
            Msg::Onward(on) => self.onward(on)?,
            Msg::Share(open) => self.offer(open),
            Msg::Copied(done) => self.copied(done),
            Msg::Packed(link) => self.packed(link),
            Msg::OpenFile(text) => self.open(&text)?,
            Msg::AutoSlow(on) => self.state.auto_slow = on,
            Msg::Presentation(on) => self.state.presentation = on,
            Msg::Command { server, line } => self.command(server, line),
            Msg::Complain(complaint) => self.complain(complaint),
            Msg::Speed(speed) => self.state.speed = speed,
            Msg::Select(server) => self.state.selection = server,
            Msg::Point(places) => self.state.pointed = places,
            Msg::Open(tab) => self.state.tab = tab,
            Msg::View(view) => self.state.view = view,
            Msg::Promote(server) => self.promote(server)?,
            Msg::Follow(server, master) => self.follow(server, master)?,
            Msg::FollowNext(server) => self.follow_next(server)?,
            Msg::Show(stretch) => self.state.stretch = stretch,
            Msg::Zoom(thousandths) => self.zoom(thousandths),
            Msg::ZoomToAll => self.zoom_to_all(),
            Msg::Hold(held) => self.state.held = held,
            Msg::Chart(chart) => self.state.chart = chart,
            Msg::Theme(theme) => self.state.theme = theme,
            Msg::Sheet(open) => self.state.sheet = open,
            Msg::Dismiss => self.state.complaint = None,
            Msg::Announce(sentence) => self.state.announcement = sentence,
        }
        Ok(())
    }

    /// Stands still, after a whole moment.
    fn pause(&mut self) {
        if std::mem::take(&mut self.state.playing) {
            self.branches.run_mut().settle();
            self.moved();
        }
    }

    fn moved(&mut self) {
        self.state.jumped = None;
        self.state.slowed &= self.state.playing;
        self.snapshot = Rc::new(self.branches.run().snapshot());
        self.beside_moved();
        self.hear_console();
        self.follow_time();
        self.watch_lesson();
    }

    fn advance(&mut self, us: u64) {
        self.branches.run_mut().advance_us(us);
        self.moved();
    }

    fn step(&mut self) {
        self.state.playing = false;
        self.branches.run_mut().step();
        self.moved();
    }

    fn seek(&mut self, us: u64) {
        self.branches.run_mut().seek(Instant(us));
        self.pace.reset();
        self.moved();
        self.look_at_setup();
    }

    fn look_at_setup(&mut self) {
        self.setup = Setup::read(&self.branches.run().scenario(), self.snapshot.now_us);
    }

    fn jump(&mut self, number: usize) {
        let Some(at_us) = self.branches.run().trace().decisions().get(number).map(|d| d.at_us)
        else {
            return;
        };
        self.state.playing = false;
        self.seek(at_us);
        self.state.jumped = Some(number);
    }

    /// To the next or the previous decision. The next one counts from the one shown, because
    /// several can share a moment; the previous one is the one shown itself when it is over.
    fn turn(&mut self, ahead: bool) {
        let shown = self.decision().map(|(n, d)| (n, d.at_us < self.snapshot.now_us));
        match (shown, ahead) {
            (None, true) => self.jump(0),
            (Some((n, _)), true) => self.jump(n + 1),
            (Some((n, true)), false) => self.jump(n),
            (Some((n, false)), false) if n > 0 => self.jump(n - 1),
            (_, false) => {}
        }
    }

    fn act(&mut self, action: Action) -> Result<Option<Value>, String> {
        // An action in the past begins another future: what was told of the old one is void.
        let told = self.told.min(self.run().world().next_entry());
        let refusal = self.refused_beside(&action);
        let answer = self.branches.act(action).map_err(|error| error.to_string())?;
        self.told = told;
        self.moved();
        self.look_at_setup();
        self.note_refusal(refusal, answer.as_ref());
        Ok(answer)
    }

    /// As an action where the world takes it, otherwise by beginning the run again.
    fn change(&mut self, change: &Change) -> Result<(), String> {
        match change.actions(&self.snapshot) {
            Some(actions) => actions.into_iter().try_for_each(|action| self.act(action).map(drop)),
            // Another engine is another story: it is told from the beginning.
            None if matches!(change, Change::Engine(_)) => {
                let scenario = change.lay_over(&self.run().scenario())?;
                let (playing, beside) = (self.state.playing, self.beside.take());
                self.load(scenario);
                self.state.playing = playing;
                self.beside = beside;
                self.compare_again();
                Ok(())
            }
            None => self.replay(change),
        }
    }

    fn load(&mut self, scenario: Scenario) {
        self.load_run(Run::new(scenario));
    }

    /// Another run, paused; everything about the old one is forgotten.
    fn load_run(&mut self, run: Run) {
        self.branches = Branches::of(run);
        (self.beside, self.finding, self.lesson) = (None, None, None);
        self.told = 0;
        self.pace.reset();
        self.state.generation += 1;
        self.state.playing = false;
        self.state.selection = None;
        self.state.learn = false;
        self.state.stretch = Stretch::default();
        self.moved();
        self.look_at_setup();
    }

    fn complain(&mut self, complaint: String) {
        // Below an open dialog nobody would see it.
        self.offer(false);
        self.complained = Some(complaint.clone());
        self.state.complaint = Some(complaint);
    }
}

// Natively only: the core packs and unpacks links there, in a browser it does not.
#[cfg(not(target_arch = "wasm32"))]
#[cfg(test)]
mod tests;
