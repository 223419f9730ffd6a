//! What messages do to a session, without a DOM.

use super::*;
use crate::state::Sharing;
use crate::world::Shared;

fn session(preset: &str) -> Session {
    Session::new(Scenario::preset(preset).unwrap())
}

impl Session {
    /// The digest of a run of its own at this moment.
    fn at(mut self, us: u64) -> u64 {
        self.apply(Msg::Advance(us)).unwrap();
        self.run().digest()
    }
}

#[test]
fn a_frame_never_makes_up_for_time_away_and_loses_no_microsecond() {
    let mut session = session("short-blip");
    assert!(!session.frame(16_000, &|| false), "paused");
    session.apply(Msg::Play).unwrap();
    assert!(session.frame(60_000_000, &|| false));
    assert_eq!(session.snapshot().now_us, LONGEST_FRAME_US);
    session.apply(Msg::Speed(crate::speed::Speed::step(-30))).unwrap();
    // Sixteen frames of 1/1000 of 16,500 us are 264 us, although each is 16 and a half.
    (0..16).for_each(|_| assert!(session.frame(16_500, &|| false)));
    assert_eq!(session.snapshot().now_us, LONGEST_FRAME_US + 264);
}

#[test]
fn a_frame_under_a_flood_ends_when_it_is_late_and_the_page_says_how_far_it_comes() {
    let flood = r#"{"replicas":20,"network":{"bandwidth_bytes_per_second":0},
        "workload":{"writes_per_second":1600,"value_bytes":65000,"keys":10}}"#;
    let mut session = Session::new(Scenario::from_json(flood).unwrap());
    session.apply(Msg::Advance(8_000_000)).unwrap();
    session.apply(Msg::AutoSlow(false)).unwrap();
    session.apply(Msg::Play).unwrap();
    // The clock is looked at sixteen times a frame, and says then that the time is over.
    let mut looks = 0;
    for _ in 0..60 {
        let before = session.run().world().events();
        let left = std::cell::Cell::new(16);
        session.frame(16_667, &|| {
            left.set(left.get().max(1) - 1);
            left.get() == 0
        });
        looks += 16 - left.get();
        let events = session.run().world().events() - before;
        assert!(events <= 16 * 16, "{events} events without a look at the clock");
    }
    assert!(looks > 100, "there was more to do than one frame holds");
    let behind = session.state().behind.expect("it does not keep up");
    assert!((1..900_000).contains(&behind), "{behind}");
    session.apply(Msg::Pause).unwrap();
    let direct = Session::new(session.run().scenario()).at(session.snapshot().now_us);
    assert_eq!(direct, session.run().digest(), "stopping changes nothing");
}

#[test]
fn each_decision_is_told_once_and_again_in_another_future() {
    let mut session = session("too-long");
    session.apply(Msg::Advance(20_000_000)).unwrap();
    let told = session.news().decisions;
    assert!(told.len() >= 4, "three beginnings and a reconnect: {}", told.len());
    assert_eq!(session.news().decisions, []);
    session.apply(Msg::Seek(1_000_000)).unwrap();
    session.apply(Msg::Seek(20_000_000)).unwrap();
    assert_eq!(session.news().decisions, [], "known already");
    session.apply(Msg::Seek(10_000_000)).unwrap();
    session.apply(Msg::Act(crate::keys::write())).unwrap();
    session.apply(Msg::Advance(10_000_000)).unwrap();
    assert_eq!(session.news().decisions, [], "without the healing that was planned");
}

#[test]
fn turning_through_decisions_passes_each_one_of_a_moment() {
    let mut session = session("too-long");
    session.apply(Msg::Advance(20_000_000)).unwrap();
    let count = session.run().trace().decisions().len();
    let shown = |session: &Session| session.decision().map(|(n, _)| n);
    for number in (0..count).rev() {
        session.apply(Msg::PreviousDecision).unwrap();
        assert_eq!(shown(&session), Some(number));
    }
    session.apply(Msg::PreviousDecision).unwrap();
    assert_eq!(shown(&session), Some(0), "there is none before the first");
    for number in 1..count {
        session.apply(Msg::NextDecision).unwrap();
        assert_eq!(shown(&session), Some(number));
    }
}

#[test]
fn the_remedy_makes_the_same_reconnect_partial() {
    let mut session = session("too-long");
    session.apply(Msg::Advance(17_000_000)).unwrap();
    let full = session.decision().map(|(n, d)| (n, d.clone())).unwrap();
    assert_eq!(full.1.reason, Some("before-backlog"));
    session.apply(Msg::ApplyRemedy).unwrap();
    let (number, partial) = session.decision().unwrap();
    assert_eq!(number, full.0);
    assert_eq!(partial.replica, full.1.replica);
    assert_eq!(partial.reason, None, "{partial:?}");
    assert!(!session.state().playing);
}

#[test]
fn a_link_is_cut_and_healed_by_its_number_and_a_wrong_number_is_named() {
    let mut session = session("short-blip");
    session.apply(Msg::Advance(2_000_000)).unwrap();
    let state = |session: &Session| session.snapshot().servers[1].link.as_ref().unwrap().state;
    session.apply(Msg::ToggleLink(1)).unwrap();
    assert_eq!(state(&session), LinkState::Cut);
    session.apply(Msg::ToggleLink(1)).unwrap();
    assert_ne!(state(&session), LinkState::Cut);
    let wrong = session.apply(Msg::ToggleLink(9)).unwrap_err();
    assert!(wrong.contains('9'), "{wrong}");
    assert!(session.apply(Msg::ToggleLink(0)).is_err(), "the master has no master");
}

#[test]
fn the_console_runs_real_commands_and_looking_ends_no_future() {
    let mut session = session("short-blip");
    session.apply(Msg::Advance(9_000_000)).unwrap();
    session.apply(Msg::Seek(3_000_000)).unwrap();
    let mut run = |line: &str| {
        session.apply(Msg::Command { server: 0, line: line.to_owned() }).unwrap();
        let reply = session.state().console.last().unwrap().reply.clone();
        (reply, session.run().trace().furthest().0)
    };
    assert!(run("INFO replication").0.contains("role:master"));
    assert_eq!(run("GET nothing"), ("(nil)".to_owned(), 9_000_000));
    assert_eq!(run("SET a \"b c\""), ("OK".to_owned(), 3_000_000));
    assert_eq!(run("GET a").0, "\"b c\"");
    assert!(run("NOPE").0.starts_with("(error)"));
    assert_eq!(run("SET 'a").0, "Invalid argument(s)");
}

#[test]
fn live_settings_act_and_others_begin_again_at_the_same_moment() {
    use crate::setup::Field;
    let mut session = session("short-blip");
    session.apply(Msg::Advance(3_000_000)).unwrap();
    let change = |field: Field, text| Msg::Change(field.read(text).unwrap());
    session.apply(change(Field::Backlog, "32kb")).unwrap();
    assert_eq!(session.state().generation, 0);
    assert_eq!(session.setup().backlog, "32kb");
    session.apply(change(Field::Replicas, "5")).unwrap();
    assert_eq!(session.state().generation, 1);
    assert_eq!((session.snapshot().servers.len(), session.snapshot().now_us), (6, 3_000_000));
    assert_eq!(session.setup().backlog, "32kb", "what was done is done again");
}

fn advance(session: &mut Session, us: u64) {
    session.apply(Msg::Advance(us)).unwrap();
}

#[test]
fn acting_in_the_past_leaves_a_branch_that_can_be_returned_to() {
    let mut session = session("too-long");
    advance(&mut session, 20_000_000);
    let old = session.run().digest();
    session.apply(Msg::Seek(12_500_000)).unwrap();
    session.apply(Msg::ToggleLink(1)).unwrap();
    let branches = session.branches();
    let (id, name) = (branches.kept()[0].id, branches.name(&branches.kept()[0]));
    assert_eq!(name, "no cut replica-1 at 12.5 s");
    let generation = session.state().generation;
    session.apply(Msg::ReturnTo(id)).unwrap();
    assert_eq!(session.snapshot().now_us, 12_500_000);
    assert!(session.state().generation > generation, "everything is drawn anew");
    session.apply(Msg::Seek(20_000_000)).unwrap();
    assert_eq!(session.run().digest(), old);
    assert_eq!(session.news().decisions, [], "it was told when it happened");
    let other = session.branches().kept()[0].id;
    session.apply(Msg::Discard(other)).unwrap();
    assert!(session.apply(Msg::Discard(other)).is_err());
    assert!(session.apply(Msg::ReturnTo(other)).is_err());
}

#[test]
fn what_would_have_been_is_found_out_without_moving_and_kept_as_a_branch_when_shown() {
    let mut session = session("too-long");
    advance(&mut session, 17_000_000);
    let before = (session.run().digest(), session.snapshot().now_us);
    assert!(session.finding().is_none());
    session.apply(Msg::WhatIf).unwrap();
    let said = session.finding().unwrap().sentence();
    assert_eq!(said, "With repl-backlog-size 32kb instead of 16kb this would have been partial.");
    assert_eq!((session.run().digest(), session.snapshot().now_us), before);
    session.apply(Msg::ApplyRemedy).unwrap();
    assert_eq!(session.decision().unwrap().1.reason, None);
    let branches = session.branches();
    assert_eq!(branches.name(&branches.kept()[0]), "repl-backlog-size 16kb");
    session.apply(Msg::ReturnTo(branches.kept()[0].id)).unwrap();
    session.apply(Msg::Seek(before.1)).unwrap();
    assert_eq!(session.run().digest(), before.0);
}

#[test]
fn a_lesson_is_read_with_next_and_previous_and_the_goal_ticks_itself_off() {
    let mut session = session("calm");
    let wrong = session.apply(Msg::Lesson("nothing".to_owned())).unwrap_err();
    assert!(wrong.contains("a-blip"), "{wrong}");
    session.apply(Msg::Lesson("too-long".to_owned())).unwrap();
    assert!(session.state().playing, "it waits for everybody to be in sync");
    while session.state().playing {
        session.frame(16_000, &|| false);
    }
    assert!(!session.lesson().unwrap().waits(), "time stands still when it has come");
    session.apply(Msg::LessonNext).unwrap();
    assert!(!session.state().playing && session.lesson().unwrap().asks().is_some());
    let asked_at = session.snapshot().now_us;
    session.apply(Msg::LessonAnswer).unwrap();
    assert!(!session.lesson().unwrap().waits());
    while !session.lesson().unwrap().at_goal() {
        session.apply(Msg::LessonNext).unwrap();
    }
    assert!(session.apply(Msg::LessonNext).is_err(), "the goal is the reader's");
    let change = crate::setup::Field::Backlog.read("64kb").unwrap();
    session.apply(Msg::Change(change)).unwrap();
    advance(&mut session, 1_500_000);
    session.apply(Msg::ToggleLink(3)).unwrap();
    advance(&mut session, 12_000_000);
    session.apply(Msg::ToggleLink(3)).unwrap();
    assert!(!session.lesson().unwrap().done());
    advance(&mut session, 6_000_000);
    assert!(session.lesson().unwrap().done());
    while session.lesson().unwrap().number() > 1 {
        session.apply(Msg::LessonPrevious).unwrap();
    }
    assert_eq!(session.snapshot().now_us, asked_at);
    session.apply(Msg::LessonLeave).unwrap();
    assert!(session.lesson().is_none() && session.apply(Msg::LessonNext).is_err());
}

/// "Share" with the packing done, which is the browser's.
fn shared(session: &mut Session) -> Sharing {
    session.apply(Msg::Share(true)).unwrap();
    let text = session.to_pack().unwrap();
    let code = Shared::from_json(&text).unwrap().encode();
    session.apply(Msg::Packed(code)).unwrap();
    session.state().sharing.clone().unwrap()
}

/// What a link carries, unpacked.
fn carried(code: &str) -> String {
    Shared::decode(code).unwrap().to_json()
}

#[test]
fn a_shared_string_opens_the_same_run_and_a_bad_one_changes_nothing() {
    let mut session = session("too-long");
    advance(&mut session, 9_000_000);
    session.apply(Msg::ToggleLink(1)).unwrap();
    advance(&mut session, 1_234_567);
    let sharing = shared(&mut session);
    let digest = session.run().digest();
    for text in [carried(&sharing.code), sharing.file] {
        let mut fresh = Session::new(Scenario::preset("calm").unwrap());
        assert!(fresh.apply(Msg::OpenFile("{".to_owned())).is_err());
        assert_eq!(fresh.run().scenario().preset.as_deref(), Some("calm"));
        fresh.apply(Msg::OpenFile(text)).unwrap();
        assert_eq!(fresh.run().digest(), digest);
        assert_eq!(fresh.news().complaint, None);
    }
}

#[test]
fn share_offers_the_moment_at_which_it_was_asked_for() {
    let mut session = session("too-long");
    advance(&mut session, 9_000_000);
    session.apply(Msg::ToggleLink(1)).unwrap();
    session.apply(Msg::Share(true)).unwrap();
    let text = session.to_pack().unwrap();
    assert_eq!((session.to_pack(), session.state().sharing.is_none()), (None, true));
    advance(&mut session, 1_000_000);
    session.apply(Msg::Packed("1.code".to_owned())).unwrap();
    let sharing = session.state().sharing.clone().unwrap();
    assert_eq!((&*sharing.code, &*sharing.name), ("1.code", "psync-lab-too-long-42.json"));
    let carries: Vec<(&str, &str)> =
        sharing.carries.iter().map(|(name, value)| (*name, &**value)).collect();
    let title = &crate::world::presets::find("too-long").unwrap().title;
    assert_eq!(carries[..2], [("preset", &**title), ("seed", "42")]);
    assert_eq!(carries[2..], [("actions", "2 done, 3 to come"), ("moment", "9.000 s")]);
    session.apply(Msg::Copied(true)).unwrap();
    assert_eq!(session.state().sharing.as_ref().unwrap().copied, Some(true));
    // Both of what it offers lead back, and what is opened closes it.
    for opened in [text.clone(), sharing.file] {
        shared(&mut session);
        session.apply(Msg::OpenFile(opened)).unwrap();
        assert!(session.state().sharing.is_none() && !session.state().playing);
        session.apply(Msg::Share(true)).unwrap();
        assert_eq!((session.snapshot().now_us, session.to_pack()), (9_000_000, Some(text.clone())));
    }
    session.apply(Msg::Share(false)).unwrap();
    session.apply(Msg::Packed("1.late".to_owned())).unwrap();
    assert!(session.state().sharing.is_none(), "it was closed before it was packed");
    shared(&mut session);
    session.apply(Msg::Complain("It is below the dialog.".to_owned())).unwrap();
    assert!(session.state().sharing.is_none());
}

#[test]
fn a_file_may_hold_a_run_a_scenario_or_a_link_and_says_what_is_wrong_with_it() {
    let mut session = session("too-long");
    advance(&mut session, 2_500_000);
    let Sharing { code, file, .. } = shared(&mut session);
    let digest = session.run().digest();
    let open = |session: &mut Session, text: &str| {
        let unpacked = link_in(text).map(|link| Shared::decode(link).map(|run| run.to_json()));
        let text = unpacked.unwrap_or_else(|| Ok(text.to_owned()));
        session.apply(Msg::OpenFile(text.map_err(|why| why.to_string())?))
    };
    let shortcut = format!("[InternetShortcut]\r\nURL=https://x.example/lab/#run={code}\r\n");
    for text in [file, format!(" {code}\n"), format!("#theme=dark&run={code}&x"), shortcut] {
        let mut fresh = Session::new(Scenario::preset("calm").unwrap());
        open(&mut fresh, &text).unwrap();
        assert_eq!(fresh.run().digest(), digest);
    }
    session.apply(Msg::OpenFile(r#"{ "preset": "calm", "replicas": 2 }"#.to_owned())).unwrap();
    assert_eq!((session.snapshot().now_us, session.snapshot().servers.len()), (0, 3));
    let digest = session.run().digest();
    for (text, says) in [
        ("", "file is not JSON: "),
        ("once upon a time", "file is not JSON: expected value at line 1 column 1"),
        ("[1, 2]", "file must be an object, not an array"),
        (r#"{ "preset": "calm" "#, "file is not JSON: EOF while parsing"),
        (r#"{ "replicas": 0 }"#, "scenario.replicas is 0; it must be from 1 to 100"),
        (r#"{ "speed": 3 }"#, "scenario.speed is not known here"),
        (r#"{ "scenario": {}, "shared": 2 }"#, "file.shared is 2; it must be from 1 to 1"),
        ("https://x.example/#run=1.abc", "link is damaged: "),
        ("2.abc", "link is of version \"2\"; this page reads version 1"),
    ] {
        let said = open(&mut session, text).unwrap_err();
        assert!(said.starts_with(says), "{text}: {said}");
        assert_eq!(session.run().digest(), digest, "{text}");
    }
}

#[test]
fn time_slows_down_around_a_decision_and_the_run_stays_the_same() {
    let play = |slow: bool| {
        let mut session = session("short-blip");
        session.apply(Msg::AutoSlow(slow)).unwrap();
        session.apply(Msg::Speed(crate::speed::Speed::step(20))).unwrap();
        session.apply(Msg::Play).unwrap();
        let mut frames = (0, 0);
        while session.snapshot().now_us < 12_000_000 {
            session.frame(16_000, &|| false);
            frames.0 += 1;
            frames.1 += u32::from(session.state().slowed);
        }
        session.apply(Msg::Seek(12_000_000)).unwrap();
        (frames, session.run().digest())
    };
    let ((all, slow), digest) = play(true);
    let ((fast, none), same) = play(false);
    assert_eq!(digest, same);
    assert_eq!((fast, none), (8, 0), "12 s at 100x");
    // Two moments with decisions at least; 200 ms at a quarter are 50 frames each.
    assert!(slow >= 90 && all > slow, "{slow} of {all}");
}

#[test]
fn a_step_opens_what_it_speaks_of_and_what_is_pointed_at_goes_before_it() {
    use crate::state::{Tab, View};
    let mut session = session("calm");
    session.apply(Msg::Lesson("8".to_owned())).unwrap();
    assert_eq!(
        (session.state().view, session.marked()),
        (View::Memory, &["blocks".to_owned()][..])
    );
    session.apply(Msg::Point(vec!["replid".to_owned()])).unwrap();
    assert_eq!(session.marked(), ["replid".to_owned()]);
    session.apply(Msg::Point(Vec::new())).unwrap();
    session.apply(Msg::Open(Tab::Settings)).unwrap();
    session.apply(Msg::Lesson("a-blip".to_owned())).unwrap();
    assert_eq!((session.state().view, session.state().tab), (View::Dial, Tab::Settings));
    (0..3).for_each(|_| session.apply(Msg::LessonNext).unwrap());
    assert_eq!(session.state().tab, Tab::Transcript, "it speaks of what travels");
    session.apply(Msg::LessonLeave).unwrap();
    assert!(session.marked().is_empty());
}

#[test]
fn a_lesson_says_each_step_once_and_that_it_has_come() {
    let mut session = session("calm");
    session.apply(Msg::Lesson("2".to_owned())).unwrap();
    let said = session.news().lesson.unwrap();
    assert!(said.starts_with("step 1 of 7: Besides sending"), "{said}");
    assert_eq!(session.news().lesson, None);
    while session.state().playing {
        session.frame(16_000, &|| false);
    }
    assert!(session.news().lesson.unwrap().starts_with("It has come"));
    session.apply(Msg::LessonNext).unwrap();
    session.apply(Msg::LessonAnswer).unwrap();
    assert!(session.news().lesson.unwrap().starts_with("It has come"), "the reader did it");
}

#[test]
fn a_presenters_keys_turn_steps_and_without_a_lesson_decisions() {
    let mut session = session("too-long");
    advance(&mut session, 20_000_000);
    let shown = |session: &Session| session.decision().map(|(n, _)| n);
    let last = shown(&session);
    (0..2).for_each(|_| session.apply(Msg::Onward(false)).unwrap());
    assert!(shown(&session) < last);
    session.apply(Msg::Onward(true)).unwrap();
    assert_eq!(shown(&session), last);
    session.apply(Msg::Lesson("1".to_owned())).unwrap();
    (0..6).for_each(|_| session.apply(Msg::Onward(true)).unwrap());
    session.apply(Msg::Onward(true)).unwrap_err();
    let freeze = r#"{ "do": "freeze", "server": "replica-1" }"#;
    session.apply(Msg::Act(Action::from_json(freeze).unwrap())).unwrap();
    advance(&mut session, 60_000_000);
    assert!(session.lesson().unwrap().done());
    session.apply(Msg::Onward(true)).unwrap();
    assert_eq!(session.lesson().unwrap().lesson().name, "a-blip", "the next one");
    session.apply(Msg::Onward(false)).unwrap();
    assert_eq!(session.lesson().unwrap().number(), 0);
}
