//! The lesson that is being read.
//!
//! Time runs by itself while a step waits for something and nothing is asked of the reader; when
//! it has come time stands still, so that it can be looked at. At the goal the reader has the
//! clock. What a step speaks of is shown: its tab and its drawing are opened when it begins.

use psync::lesson::{self, Lesson, LessonPlay, Waits};

use super::Session;
use crate::state::{Tab, View};

/// A lesson by its name, or by its number from 1.
///
/// # Errors
///
/// In words that name those there are.
pub fn find(name: &str) -> Result<&'static Lesson, String> {
    let all = lesson::all();
    let number = name.parse::<usize>().ok().and_then(|number| all.get(number.checked_sub(1)?));
    number.or_else(|| lesson::find(name)).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|lesson| lesson.name.as_str()).collect();
        format!("There is no lesson \"{name}\"; there are: {}", known.join(", "))
    })
}

impl Session {
    /// The lesson that is being read.
    #[must_use]
    pub fn lesson(&self) -> Option<&LessonPlay> {
        self.lesson.as_ref()
    }

    /// The places of the page that are marked: those pointed at, otherwise what the lesson speaks of.
    #[must_use]
    pub fn marked(&self) -> &[String] {
        match &self.lesson {
            Some(play) if self.state.pointed.is_empty() => &play.step().look,
            _ => &self.state.pointed,
        }
    }

    pub(super) fn begin_lesson(&mut self, name: &str) -> Result<(), String> {
        let (play, run) = LessonPlay::begin(find(name)?).map_err(words)?;
        self.load_run(run);
        self.lesson = Some(play);
        self.begin_step();
        Ok(())
    }

    pub(super) fn leave_lesson(&mut self) {
        self.lesson = None;
    }

    pub(super) fn turn_lesson(
        &mut self,
        turn: fn(&mut LessonPlay, &mut psync::cluster::Run) -> Result<(), Waits>,
    ) -> Result<(), String> {
        let Some(play) = &mut self.lesson else {
            return Err("No lesson is open.".to_owned());
        };
        let turned = turn(play, self.branches.run_mut());
        self.told = self.told.min(self.branches.run().world().next_entry());
        self.pace.reset();
        self.moved();
        self.look_at_setup();
        match turned {
            Ok(()) => {
                self.begin_step();
                Ok(())
            }
            Err(waits) => {
                self.state.playing = self.waits_for_time();
                Err(words(waits))
            }
        }
    }

    /// Does what the step asks of the reader.
    pub(super) fn answer_lesson(&mut self) -> Result<(), String> {
        let Some(play) = &mut self.lesson else {
            return Err("No lesson is open.".to_owned());
        };
        let waited = play.waits();
        let answered = play.answer(self.branches.run_mut());
        let came = waited && !play.waits();
        self.moved();
        self.look_at_setup();
        if came {
            self.came();
        }
        self.state.playing = self.waits_for_time();
        answered.map_err(|error| error.to_string())
    }

    /// What a presenter's key asks for.
    pub(super) fn onward(&mut self, on: bool) -> Result<(), String> {
        match (&self.lesson, on) {
            (None, _) => {
                self.turn(on);
                Ok(())
            }
            (Some(_), false) => self.turn_lesson(LessonPlay::previous),
            (Some(play), true) => match self.lesson_after().filter(|_| play.done()) {
                Some(next) => self.begin_lesson(&next.name),
                None => self.turn_lesson(LessonPlay::next),
            },
        }
    }

    /// The lesson after the one that is being read.
    #[must_use]
    pub fn lesson_after(&self) -> Option<&'static Lesson> {
        let name = &self.lesson.as_ref()?.lesson().name;
        lesson::all().iter().skip_while(|lesson| lesson.name != *name).nth(1)
    }

    /// Looks whether what the lesson waits for has come; then time stands still.
    pub(super) fn watch_lesson(&mut self) {
        let Some(play) = &mut self.lesson else { return };
        if play.look(self.branches.run()) {
            self.state.playing = false;
            self.came();
        }
    }

    fn waits_for_time(&self) -> bool {
        self.lesson
            .as_ref()
            .is_some_and(|play| play.waits() && play.asks().is_none() && !play.at_goal())
    }

    fn begin_step(&mut self) {
        self.state.playing = self.waits_for_time();
        let Some(play) = &self.lesson else { return };
        let step = play.step();
        let looks = |names: &[&str]| step.look.iter().any(|place| names.contains(&place.as_str()));
        if looks(&["transcript"]) {
            self.state.tab = Tab::Transcript;
        }
        if looks(&["blocks", "lists", "memory"]) {
            self.state.view = View::Memory;
        } else if looks(&[
            "dial",
            "fuse",
            "write-head",
            "backlog-first",
            "offset",
            "replid",
            "master",
        ]) {
            self.state.view = View::Dial;
        }
        let place = if play.at_goal() { "Goal".to_owned() } else { place(play) };
        self.lesson_said = Some(format!("{place}: {}", step.say));
    }

    /// What was waited for is there: that is said.
    fn came(&mut self) {
        let Some(play) = &self.lesson else { return };
        self.lesson_said = Some(match play.done() {
            true => format!("Goal reached: {}", play.lesson().title),
            false => "It has come, and time stands still: look, then Next.".to_owned(),
        });
    }
}

/// Where in the lesson it is, in words.
#[must_use]
pub fn place(play: &LessonPlay) -> String {
    format!("step {} of {}", play.number() + 1, play.lesson().steps.len())
}

fn words(waits: Waits) -> String {
    match waits {
        Waits::Goal => "This one is yours: reach the goal, or go back.".to_owned(),
        Waits::InVain => "What this step waits for does not come; begin the step again.".to_owned(),
        Waits::Refused(error) => format!("The lesson cannot go on: {error}. Begin the step again."),
    }
}
