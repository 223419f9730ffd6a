//! The lesson that is being read.
//!
//! Time runs by itself while a step waits for something and nothing is asked of the reader; when
//! it has come time stands still, so that it can be looked at. At the goal the reader has the
//! clock.

use psync::lesson::{self, LessonPlay, Waits};

use super::Session;

impl Session {
    /// The lesson that is being read.
    #[must_use]
    pub fn lesson(&self) -> Option<&LessonPlay> {
        self.lesson.as_ref()
    }

    /// The places of the page that are marked: those pointed at, otherwise what the lesson speaks of.
    #[must_use]
    pub fn marked(&self) -> &[String] {
        let step = self.lesson.as_ref().map(LessonPlay::step);
        match step {
            Some(step) if self.state.pointed.is_empty() => &step.look,
            _ => &self.state.pointed,
        }
    }

    pub(super) fn begin_lesson(&mut self, name: &str) -> Result<(), String> {
        let lesson = lesson::find(name).ok_or_else(|| {
            let known: Vec<&str> =
                lesson::all().iter().map(|lesson| lesson.name.as_str()).collect();
            format!("There is no lesson \"{name}\"; there are: {}", known.join(", "))
        })?;
        let (play, run) = LessonPlay::begin(lesson).map_err(words)?;
        self.load_run(run);
        self.lesson = Some(play);
        self.state.playing = self.waits_for_time();
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
        self.state.playing = self.waits_for_time();
        turned.map_err(words)
    }

    /// Does what the step asks of the reader.
    pub(super) fn answer_lesson(&mut self) -> Result<(), String> {
        let Some(play) = &mut self.lesson else {
            return Err("No lesson is open.".to_owned());
        };
        let answered = play.answer(self.branches.run_mut());
        self.moved();
        self.look_at_setup();
        self.state.playing = self.waits_for_time();
        answered.map_err(|error| error.to_string())
    }

    /// Looks whether what the lesson waits for has come; then time stands still.
    pub(super) fn watch_lesson(&mut self) {
        let Some(play) = &mut self.lesson else { return };
        if play.look(self.branches.run()) {
            self.state.playing = false;
        }
    }

    fn waits_for_time(&self) -> bool {
        self.lesson
            .as_ref()
            .is_some_and(|play| play.waits() && play.asks().is_none() && !play.at_goal())
    }
}

fn words(waits: Waits) -> String {
    match waits {
        Waits::Goal => "This one is yours: reach the goal, or go back.".to_owned(),
        Waits::InVain => "What this step waits for does not come; begin the step again.".to_owned(),
        Waits::Refused(error) => format!("The lesson cannot go on: {error}. Begin the step again."),
    }
}
