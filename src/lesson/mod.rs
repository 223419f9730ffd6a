//! Lessons: what is said, done and waited for, step by step, until the reader reaches a goal.
//!
//! Lessons are data (`static/lessons/*.json`), read by [`script`]; [`until`] says whether what a
//! step waits for has happened; [`play`] leads through a lesson. Steps wait for events of the
//! protocol, never for time, so a lesson is the same at every speed.
//!
//! Absent on purpose: the page. Where to look is a name (`dial`, `replica-2`), and what the page
//! draws there is its own affair.

pub mod play;
pub mod script;
pub mod until;

use std::sync::OnceLock;

pub use play::{LessonPlay, Waits};
pub use script::{Ask, Lesson, Step};
pub use until::Condition;

use crate::cluster::BadInput;

const FILES: [(&str, &str); 9] = [
    ("1", include_str!("../../static/lessons/1-a-stream-with-numbers.json")),
    ("2", include_str!("../../static/lessons/2-a-blip.json")),
    ("3", include_str!("../../static/lessons/3-too-long.json")),
    ("4", include_str!("../../static/lessons/4-who-are-you.json")),
    ("5", include_str!("../../static/lessons/5-nobody-left.json")),
    ("6", include_str!("../../static/lessons/6-promotion.json")),
    ("7", include_str!("../../static/lessons/7-two-windows.json")),
    ("8", include_str!("../../static/lessons/8-blocks.json")),
    ("9", include_str!("../../static/lessons/9-the-proposal.json")),
];

/// Every lesson, in the order of teaching.
#[must_use]
pub fn all() -> &'static [Lesson] {
    static LESSONS: OnceLock<Vec<Lesson>> = OnceLock::new();
    LESSONS.get_or_init(|| read_all().unwrap_or_default())
}

/// A lesson by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Lesson> {
    all().iter().find(|lesson| lesson.name == name)
}

fn read_all() -> Result<Vec<Lesson>, BadInput> {
    FILES
        .iter()
        .map(|(number, text)| Lesson::from_json(&format!("lesson {number}"), text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_reads_and_has_a_name_of_its_own() {
        let lessons = read_all().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(all().len(), FILES.len());
        for lesson in &lessons {
            assert_eq!(lessons.iter().filter(|other| other.name == lesson.name).count(), 1);
            assert!(lesson.steps.len() >= 4 && !lesson.solution.is_empty(), "{}", lesson.name);
        }
    }

    #[test]
    fn a_step_is_one_sentence_that_ends_and_is_not_too_long() {
        for lesson in all() {
            let steps = lesson.steps.iter().map(|step| &step.say);
            for say in steps.chain([&lesson.intro]) {
                let mut ends = say.match_indices(['.', '?', '!']);
                let begins = |rest: &str| {
                    rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(char::is_uppercase))
                };
                let second = ends.any(|(at, _)| begins(&say[at + 1..]));
                assert!(!second, "{}: {say}", lesson.name);
                assert!(say.ends_with(['.', '?', '!']), "{}: {say}", lesson.name);
                assert!(say.len() <= 220, "{}: {} letters: {say}", lesson.name, say.len());
            }
        }
    }
}
