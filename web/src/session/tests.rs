//! What messages do to a session, without a DOM.

use super::*;

fn session(preset: &str) -> Session {
    Session::new(Scenario::preset(preset).unwrap())
}

#[test]
fn a_frame_never_makes_up_for_time_away_and_loses_no_microsecond() {
    let mut session = session("short-blip");
    assert!(!session.frame(16_000, || false), "paused");
    session.apply(Msg::ToggleAutoSlow).unwrap();
    session.apply(Msg::Play).unwrap();
    assert!(session.frame(60_000_000, || false));
    assert_eq!(session.snapshot().now_us, LONGEST_FRAME_US);
    session.apply(Msg::Speed(crate::speed::Speed::step(-30))).unwrap();
    // Sixteen frames of 1/1000 of 16,500 us are 264 us, although each is 16 and a half.
    (0..16).for_each(|_| assert!(session.frame(16_500, || false)));
    assert_eq!(session.snapshot().now_us, LONGEST_FRAME_US + 264);
    session.apply(Msg::Speed(crate::speed::Speed::step(30))).unwrap();
    session.frame(100_000, || true);
    assert_eq!(session.snapshot().now_us, LONGEST_FRAME_US + 264 + SLICE_US, "late");
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

#[test]
fn time_slows_around_a_decision_at_any_speed_unless_told_otherwise() {
    let slowed = |toggle: bool, steps: i32| {
        let mut session = session("too-long");
        session.apply(Msg::Advance(1_000_000)).unwrap();
        session.apply(Msg::Speed(crate::speed::Speed::step(steps))).unwrap();
        if toggle {
            session.apply(Msg::ToggleAutoSlow).unwrap();
        }
        session.apply(Msg::Play).unwrap();
        let before = session.run().trace().decisions().len();
        while session.run().trace().decisions().len() == before {
            session.frame(16_000, || false);
        }
        session.state().slowed
    };
    assert!(slowed(false, 0) && slowed(false, 20) && slowed(false, 30));
    assert!(!slowed(true, 0) && !slowed(false, -20));
}

#[test]
fn acting_in_the_past_keeps_the_old_future_and_one_can_return() {
    let mut session = session("too-long");
    assert_eq!(session.branches().kept().len(), 0);
    session.apply(Msg::Advance(17_000_000)).unwrap();
    let (digest, count) = (session.run().digest(), session.run().trace().decisions().len());
    session.apply(Msg::Seek(3_000_000)).unwrap();
    session.apply(Msg::Fork).unwrap();
    session.apply(Msg::Advance(14_000_000)).unwrap();
    assert!(session.run().trace().decisions().len() < count, "nobody was cut here");
    let id = session.branches().kept()[0].id;
    session.apply(Msg::Return(id)).unwrap();
    assert_eq!((session.run().digest(), session.snapshot().now_us), (digest, 17_000_000));
    assert_eq!(session.branches().kept().len(), 1, "the other one is kept in its place");
    assert!(session.apply(Msg::Return(id)).is_err());
}
