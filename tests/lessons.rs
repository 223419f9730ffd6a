//! Every lesson is played to its end by a scripted reader: each step comes to what it waits for,
//! the goal is not reached by doing nothing, and is reached by the solution.

use psync::cluster::Run;
use psync::lesson::{self, Lesson, LessonPlay, Waits};
use psync::time::SECOND_US;

/// Plays up to the goal; the moments at which steps began, with their digests.
fn to_the_goal(lesson: &'static Lesson) -> (LessonPlay, Run, Vec<u64>) {
    let (mut play, mut run) = LessonPlay::begin(lesson).expect("it begins");
    let mut digests = vec![run.digest()];
    while !play.at_goal() {
        let number = play.number();
        if play.asks().is_some() {
            assert!(play.waits(), "{} step {number} asks for what is so already", lesson.name);
            let answered = play.answer(&mut run);
            assert_eq!(answered, Ok(()), "{} step {number}", lesson.name);
        }
        let next = play.next(&mut run);
        assert_eq!(next, Ok(()), "{} step {number}: {}", lesson.name, play.step().say);
        assert_eq!(play.number(), number + 1);
        digests.push(run.digest());
    }
    (play, run, digests)
}

/// Lets time run until `until` or the end of patience; whether it came.
fn wait(run: &mut Run, mut until: impl FnMut(&Run) -> bool) -> bool {
    let patience = run.now().after_us(180 * SECOND_US);
    while run.now() < patience {
        if until(run) {
            return true;
        }
        run.advance_us(10_000);
    }
    until(run)
}

#[test]
fn every_lesson_is_reached_by_its_solution_and_not_by_doing_nothing() {
    for lesson in lesson::all() {
        let (mut play, mut run, _) = to_the_goal(lesson);
        assert!(!play.done() && play.asks().is_none(), "{} is done at once", lesson.name);
        assert_eq!(play.next(&mut run), Err(Waits::Goal));
        let (mut idle, mut waiting) = (play.clone(), run.clone());
        let alone = wait(&mut waiting, |run| idle.look(run));
        assert!(!alone, "{} is reached by waiting, at {}", lesson.name, waiting.now());
        for (number, (when, action)) in lesson.solution.iter().enumerate() {
            let since = run.world().next_entry();
            if let Some(when) = when {
                let came = wait(&mut run, |run| when.holds(since, run));
                assert!(came, "{}: solution {number} waits in vain", lesson.name);
            }
            let done = run.act(action.clone());
            assert!(done.is_ok(), "{}: solution {number}: {done:?}", lesson.name);
        }
        assert!(
            wait(&mut run, |run| {
                play.look(run);
                play.done()
            }),
            "{}: {}",
            lesson.name,
            play.step().say
        );
    }
}

#[test]
fn going_back_restores_the_moment_and_forward_comes_the_same_again() {
    for lesson in lesson::all() {
        let (mut play, mut run, digests) = to_the_goal(lesson);
        for number in (0..lesson.goal()).rev() {
            play.previous(&mut run).unwrap_or_else(|waits| panic!("{}: {waits:?}", lesson.name));
            assert_eq!((play.number(), run.digest()), (number, digests[number]), "{}", lesson.name);
        }
        play.previous(&mut run).expect("the first step begins again");
        assert_eq!(play.number(), 0);
        for digest in &digests[1..] {
            play.next(&mut run).expect("it comes again");
            assert_eq!(run.digest(), *digest, "{} step {}", lesson.name, play.number());
        }
        assert!(play.at_goal());
    }
}

#[test]
fn a_lesson_survives_a_reader_who_does_other_things() {
    let lesson = lesson::find("a-blip").expect("there is one");
    let (mut play, mut run) = LessonPlay::begin(lesson).expect("it begins");
    play.next(&mut run).expect("it comes");
    // What is asked for is done by other means: it counts.
    let ask = play.asks().expect("a cut is asked for").does[0].clone();
    run.act(ask).expect("it can");
    assert!(play.look(&run) && play.asks().is_none());
    // And what has become impossible is said, not waited for without end.
    let text = r#"{"do":"promote","server":"replica-1"}"#;
    run.act(psync::cluster::Action::from_json(text).expect("good")).expect("it can");
    play.next(&mut run).expect("it was cut");
    assert_eq!(play.next(&mut run), Err(Waits::InVain));
    play.again(&mut run).expect("from the beginning of the step");
    assert!(run.snapshot().servers[1].link.is_none(), "what was done before the step stays");
    play.previous(&mut run).expect("and further back");
    assert!(run.snapshot().servers[1].link.is_some());
    play.next(&mut run).expect("now it goes on");
}
