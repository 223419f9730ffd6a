//! Leading through a lesson: the present step, and what is still waited for.
//!
//! A pure state machine beside a run: whoever shows a lesson runs time, lets it
//! [look](LessonPlay::look) at what happened, and passes on what the reader wants. Going back
//! restores the moment at which the step before began, as if nothing had been done since.
//!
//! Invariant: `entered` has one moment for each step from the first to the present one.

use super::script::{Ask, Lesson, Step};
use crate::cluster::{BadInput, Run, TimedAction};
use crate::time::{Instant, SECOND_US};

/// How long, in simulated time, `next` runs on for what a step waits for.
const PATIENCE_US: u64 = 300 * SECOND_US;
/// How often it looks meanwhile.
const GLANCE_US: u64 = 10_000;

/// A lesson that is being played.
#[derive(Clone, Debug)]
pub struct LessonPlay {
    lesson: &'static Lesson,
    entered: Vec<Entered>,
    /// What was asked for in this step has been done.
    answered: bool,
    /// What this step waits for has happened.
    met: bool,
}

/// The moment at which a step began, before anything was done for it.
#[derive(Clone, Debug)]
struct Entered {
    at: Instant,
    actions: Vec<TimedAction>,
    /// The number of the first entry of the trace that belongs to the step.
    since: u64,
}

/// A step cannot be left yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The reader has to reach the goal; nobody does that for them.
    Goal,
    /// What is waited for did not come, however long it was waited.
    InVain,
    /// Something that the lesson does was refused: the reader has done something that it did not
    /// reckon with. Starting the step again helps.
    Refused(BadInput),
}

impl LessonPlay {
    /// Begins a lesson, with its run.
    ///
    /// # Errors
    /// [`Waits::Refused`], when the first step does what cannot be done.
    pub fn begin(lesson: &'static Lesson) -> Result<(LessonPlay, Run), Waits> {
        let mut run = Run::new(lesson.scenario.clone());
        let mut play = LessonPlay { lesson, entered: Vec::new(), answered: false, met: false };
        play.enter(&mut run)?;
        Ok((play, run))
    }

    /// The lesson.
    #[must_use]
    pub fn lesson(&self) -> &'static Lesson {
        self.lesson
    }

    /// The number of the present step, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.entered.len() - 1
    }

    /// The present step.
    #[must_use]
    pub fn step(&self) -> &'static Step {
        &self.lesson.steps[self.number()]
    }

    /// Whether the present step is the goal.
    #[must_use]
    pub fn at_goal(&self) -> bool {
        self.number() == self.lesson.goal()
    }

    /// Whether the present step still waits for something.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.met
    }

    /// Whether the goal is reached.
    #[must_use]
    pub fn done(&self) -> bool {
        self.at_goal() && self.met
    }

    /// What the reader is asked to do and has not done yet.
    #[must_use]
    pub fn asks(&self) -> Option<&'static Ask> {
        self.step().ask.as_ref().filter(|_| !self.answered && !self.met)
    }

    /// Looks at what happened; whether what this step waited for has just come.
    pub fn look(&mut self, run: &Run) -> bool {
        let since = self.entered.last().map_or(0, |entered| entered.since);
        let holds = self.step().until.as_ref().is_none_or(|until| until.holds(since, run));
        let news = holds && !self.met;
        self.met |= holds;
        news
    }

    /// Does what the reader is asked to do. Done by other means it counts as well.
    ///
    /// # Errors
    /// When it cannot be done, because it is done already for instance.
    pub fn answer(&mut self, run: &mut Run) -> Result<(), BadInput> {
        let asked = self.asks().map_or(&[][..], |ask| &ask.does);
        for action in asked {
            run.act(action.clone())?;
        }
        self.answered = true;
        self.look(run);
        Ok(())
    }

    /// Goes on to the next step. What the present one waits for is brought about first: what it
    /// asks for is done, and time runs until it comes.
    ///
    /// # Errors
    /// When it does not come, or the present step is the goal.
    pub fn next(&mut self, run: &mut Run) -> Result<(), Waits> {
        if self.at_goal() {
            return Err(Waits::Goal);
        }
        self.look(run);
        if self.asks().is_some() && self.answer(run).is_err() {
            // The reader did half of it by other means; what is missing decides.
            self.answered = true;
        }
        let patience = run.now().after_us(PATIENCE_US);
        while self.waits() {
            if run.now() >= patience {
                return Err(Waits::InVain);
            }
            run.advance_us(GLANCE_US);
            self.look(run);
        }
        self.enter(run)
    }

    /// Goes back to the beginning of the step before; of the first one, when there is none.
    ///
    /// # Errors
    /// [`Waits::Refused`], when the step does what cannot be done; it could when it was first
    /// entered.
    pub fn previous(&mut self, run: &mut Run) -> Result<(), Waits> {
        if self.entered.len() > 1 {
            self.entered.pop();
        }
        self.again(run)
    }

    /// Goes back to the beginning of the present step.
    ///
    /// # Errors
    /// As [`LessonPlay::previous`].
    pub fn again(&mut self, run: &mut Run) -> Result<(), Waits> {
        if let Some(Entered { at, actions, .. }) = self.entered.pop() {
            run.take_back(at, actions);
        }
        self.enter(run)
    }

    fn enter(&mut self, run: &mut Run) -> Result<(), Waits> {
        let since = run.world().next_entry();
        let (at, actions) = (run.now(), run.actions().to_vec());
        self.entered.push(Entered { at, actions, since });
        (self.answered, self.met) = (false, false);
        for action in &self.step().does {
            run.act(action.clone()).map_err(Waits::Refused)?;
        }
        self.look(run);
        Ok(())
    }
}
