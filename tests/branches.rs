//! Time travel that people rely on: futures left behind, looking ahead, what would have been, two
//! runs side by side, and that none of it grows without end.

use psync::cluster::trace::{MOST_DECISIONS, MOST_ENTRIES};
use psync::cluster::{Action, Branches, Comparison, Delta, Run, Scenario, Verdict, World};
use psync::random::{below, seeded};
use psync::time::{Instant, SECOND_US};

fn action(text: &str) -> Action {
    Action::from_json(text).expect(text)
}

fn preset(name: &str) -> Scenario {
    Scenario::preset(name).expect("a preset")
}

fn seconds(seconds: u64) -> Instant {
    Instant(seconds * SECOND_US)
}

/// The digest of a new run with the same scenario and actions at the same moment.
fn direct(run: &Run) -> u64 {
    let mut direct = Run::new(run.scenario());
    direct.advance_to(run.now());
    direct.digest()
}

#[test]
fn acting_in_the_past_leaves_a_branch_that_is_named_and_can_be_returned_to() {
    let mut branches = Branches::new(preset("too-long"));
    branches.run_mut().advance_to(seconds(20));
    let first = branches.run().digest();
    branches.run_mut().seek(Instant(12_500_000));
    branches.act(action(r#"{"do":"cut","replica":"replica-1"}"#)).expect("it is whole");
    branches.run_mut().advance_to(seconds(20));
    let second = branches.run().digest();
    assert_ne!(first, second);
    let left = &branches.kept()[0];
    assert_eq!(branches.name(left), "no cut replica-1 at 12.5 s");
    assert_eq!((branches.parting(left), left.furthest()), (Instant(12_500_000), seconds(20)));
    let id = left.id;
    assert!(branches.return_to(id));
    assert_eq!((branches.run().now(), branches.run().digest()), (seconds(20), first));
    let other = &branches.kept()[0];
    assert_eq!(branches.name(other), "cut replica-1 at 12.5 s");
    assert_eq!(branches.kept().len(), 1, "one is exchanged for the other");
    let back = other.id;
    assert!(branches.return_to(back) && !branches.return_to(back));
    assert_eq!(branches.run().digest(), second);
    assert_eq!(direct(branches.run()), second);
}

#[test]
fn a_fork_ends_what_was_planned_and_keeps_the_future_known_so_far() {
    let mut branches = Branches::new(preset("too-long"));
    branches.run_mut().advance_to(seconds(20));
    let (first, decided) = (branches.run().digest(), branches.run().trace().decisions().len());
    branches.run_mut().seek(seconds(3));
    let parted = branches.run().digest();
    assert!(branches.fork());
    assert_eq!(branches.run().digest(), parted, "the moment stays what it is");
    assert_eq!(branches.run().trace().furthest(), seconds(3), "nothing is known of what comes");
    branches.run_mut().advance_to(seconds(20));
    assert_ne!(branches.run().digest(), first);
    assert!(branches.run().trace().decisions().len() < decided, "the planned outages do not come");
    assert_eq!(branches.run().digest(), direct(branches.run()));
    let left = &branches.kept()[0];
    assert_eq!((branches.kept().len(), left.furthest()), (1, seconds(20)));
    let (id, name) = (left.id, branches.name(left));
    let planned = branches.parting(left);
    assert!(planned > seconds(3), "they part at the first thing that was planned: {planned:?}");
    assert!(name.starts_with("cut replica-"), "and it is named by that: {name}");
    assert!(branches.return_to(id));
    assert_eq!(branches.run().digest(), first);
}

#[test]
fn where_nothing_is_known_or_planned_there_is_nothing_to_fork_from() {
    let mut branches = Branches::new(preset("too-long"));
    branches.run_mut().advance_to(seconds(3));
    assert!(branches.fork(), "something is planned, though nothing was seen of it");
    assert_eq!(branches.run().actions().iter().filter(|timed| timed.at > seconds(3)).count(), 0);
    assert!(!branches.fork(), "now there is no other future");
    assert_eq!(branches.kept().len(), 1);
    branches.run_mut().advance_to(seconds(5));
    assert!(!branches.fork());
    branches.run_mut().seek(seconds(4));
    assert!(branches.fork(), "what was seen is a future, even without actions");
    assert_eq!(branches.kept().len(), 2);
}

#[test]
fn a_refused_action_in_the_past_leaves_no_branch_and_one_at_the_end_neither() {
    let mut branches = Branches::new(preset("short-blip"));
    branches.run_mut().advance_to(seconds(10));
    branches.act(action(r#"{"do":"burst"}"#)).expect("it can");
    branches.run_mut().seek(seconds(3));
    branches.act(action(r#"{"do":"heal","replica":"replica-1"}"#)).expect_err("not cut");
    assert_eq!(branches.kept().len(), 0);
    assert_eq!(branches.run().trace().furthest(), seconds(10), "and nothing is forgotten");
}

#[test]
fn three_branches_are_kept_and_the_oldest_goes_first() {
    let mut branches = Branches::new(preset("short-blip"));
    let mut ids = Vec::new();
    for n in 0..5 {
        branches.run_mut().advance_to(seconds(10));
        branches.run_mut().seek(seconds(n + 1));
        branches.act(action(r#"{"do":"burst"}"#)).expect("it can");
        ids.push(branches.kept().last().expect("one was left").id);
    }
    let kept: Vec<u64> = branches.kept().iter().map(|branch| branch.id).collect();
    assert_eq!(kept, ids[2..]);
    assert!(branches.discard(ids[3]) && !branches.discard(ids[3]) && !branches.return_to(99));
    assert_eq!(branches.kept().len(), 2);
}

#[test]
fn what_is_looked_at_ahead_comes_and_looking_changes_nothing() {
    let mut looked = Run::new(preset("too-long"));
    let mut seen = Vec::new();
    while looked.now() < seconds(20) {
        if let Some(at) = looked.decision_ahead(300_000, &|| true) {
            assert!(at > looked.now() && at <= looked.now().after_us(300_000));
            if seen.last() != Some(&at.0) {
                seen.push(at.0);
            }
        }
        looked.advance_us(16_667);
    }
    let mut made: Vec<u64> = looked.trace().decisions().iter().map(|d| d.at_us).collect();
    made.dedup();
    assert_eq!(seen, made);
    assert_eq!(looked.digest(), direct(&looked));
    // What was seen ahead does not come when somebody acts.
    let mut changed = Run::new(preset("short-blip"));
    changed.advance_to(Instant(7_450_000));
    assert!(changed.decision_ahead(3 * SECOND_US, &|| true).is_some());
    changed.act(action(r#"{"do":"freeze","server":"master"}"#)).expect("it can");
    assert_eq!(changed.decision_ahead(3 * SECOND_US, &|| true), None);
}

#[test]
fn any_moment_of_a_long_run_is_the_same_however_it_is_reached() {
    let mut run = Run::new(preset("too-long"));
    run.advance_to(seconds(900));
    let mut rng = seeded(7);
    for _ in 0..20 {
        let moment = Instant(below(&mut rng, 900 * SECOND_US));
        run.seek(moment);
        assert_eq!(run.now(), moment);
        assert_eq!(run.digest(), direct(&run), "at {moment}");
    }
    assert_eq!(run.trace().furthest(), seconds(900));
}

#[test]
fn what_would_have_been_is_said_in_sizes_that_people_write() {
    let mut run = Run::new(preset("too-long"));
    run.advance_to(seconds(20));
    let before = (run.digest(), run.now());
    let refused = run.trace().decisions().iter().find(|d| d.reason == Some("before-backlog"));
    let refused = refused.expect("the preset leads to it").clone();
    let cured = run.counterfactual(&refused).expect("a larger backlog helps");
    let finding = &cured.finding;
    assert_eq!(
        finding.sentence(),
        "With repl-backlog-size 32kb instead of 16kb this would have been partial."
    );
    assert_eq!(
        (finding.refused.verdict, finding.decided.verdict),
        (Verdict::Full, Verdict::Partial)
    );
    assert_eq!(finding.decided.request, refused.request, "the same reconnect");
    assert_eq!(finding.least, refused.remedy.as_ref().expect("it has one").value);
    assert_eq!((run.digest(), run.now()), before, "the run stays as it is");
    let mut branches = Branches::new(run.scenario());
    branches.run_mut().advance_to(seconds(20));
    branches.show(cured);
    assert_eq!(branches.run().now(), Instant(refused.at_us));
    assert_eq!(branches.name(&branches.kept()[0]), "repl-backlog-size 16kb");
    assert_eq!(branches.run().digest(), direct(branches.run()));
    // Patience, where that was what lacked; nothing, where nothing helps.
    let cured_of = |name: &str, reason: &str| {
        let mut run = Run::new(preset(name));
        run.advance_to(seconds(24));
        let refused = run.trace().decisions().iter().find(|d| d.reason == Some(reason)).cloned();
        run.counterfactual(&refused.expect("the preset leads to it"))
    };
    let patience = cured_of("nobody-left", "unknown-replid").expect("a longer TTL helps").finding;
    assert_eq!((patience.directive, patience.before.as_str()), ("repl-backlog-ttl", "5"));
    assert!(patience.helped());
    assert!(cured_of("master-restart", "unknown-replid").is_none());
}

#[test]
fn equal_sides_differ_by_nothing_whatever_is_done() {
    let mut left = Run::new(preset("too-long"));
    let mut right = Comparison::new(&left, preset("too-long"));
    let check = |left: &Run, right: &mut Comparison| {
        right.follow(left);
        assert_eq!(right.run().digest(), left.digest(), "at {}", left.now());
        assert_eq!(right.report(left).delta, Delta::default());
    };
    left.advance_to(seconds(10));
    check(&left, &mut right);
    left.act(action(r#"{"do":"cut","replica":"replica-1"}"#)).expect("it is whole");
    left.advance_to(seconds(16));
    check(&left, &mut right);
    left.seek(seconds(4));
    check(&left, &mut right);
    left.act(action(r#"{"do":"burst","writes":50}"#)).expect("it can");
    left.advance_to(seconds(40));
    check(&left, &mut right);
    left.seek(Instant(3_999_999));
    check(&left, &mut right);
}

#[test]
fn a_larger_backlog_beside_a_small_one_saves_a_full_resync_and_costs_memory() {
    let mut left = Run::new(preset("too-long"));
    let larger = Scenario::from_json(
        r#"{"preset":"too-long","config":{"repl-backlog-size":"64kb"},"seed":5}"#,
    );
    let mut right = Comparison::new(&left, larger.expect("good"));
    left.advance_to(seconds(24));
    right.follow(&left);
    let report = right.report(&left);
    assert_eq!((report.left.full_resyncs, report.left.partial_resyncs), (4, 1));
    assert_eq!((report.delta.full_resyncs, report.delta.partial_resyncs), (-1, 1));
    assert!(report.delta.snapshot_bytes < -10_000, "{report:?}");
    assert!(report.delta.most_memory_bytes > 0, "{report:?}");
    assert!(report.left.longest_stale_us >= 11 * SECOND_US, "{report:?}");
    assert!(report.delta.longest_stale_us < 0, "{report:?}");
    // Two engines: the same writes and outages reach both.
    let engine = Scenario { engine: preset("two-windows").engine, ..preset("too-long") };
    let other = Comparison::new(&left, engine);
    assert_eq!(other.run().now(), left.now());
    assert_eq!(other.run().actions(), left.actions());
    assert_eq!(other.run().original().engine.name, "redis-7.2");
}

#[test]
fn a_directive_in_which_two_sides_differ_is_each_sides_own() {
    let mut left = Run::new(preset("too-long"));
    let larger =
        Scenario::from_json(r#"{"preset":"too-long","config":{"repl-backlog-size":"64kb"}}"#);
    let own = vec!["repl-backlog-size".to_owned()];
    let mut right = Comparison::of(&left, larger.expect("good"), own);
    left.advance_to(seconds(3));
    let set = action(r#"{"do":"config","directive":"repl-backlog-size","value":"128kb"}"#);
    let other = action(r#"{"do":"config","directive":"repl-timeout","value":"7"}"#);
    right.follow(&left);
    right.try_action(&set).expect("it is not asked");
    for action in [set, other] {
        left.act(action).expect("it can");
    }
    left.advance_to(seconds(4));
    right.follow(&left);
    let size = |run: &Run| run.snapshot().servers[0].backlog.as_ref().map(|b| b.size);
    assert_eq!((size(&left), size(right.run())), (Some(128 << 10), Some(64 << 10)));
    let planned = preset("too-long").actions.len();
    let done = (left.actions().len() - planned, right.run().actions().len() - planned);
    assert_eq!(done, (2, 1));
    let unknown = action(r#"{"do":"cut","replica":"replica-9"}"#);
    assert!(right.try_action(&unknown).is_err());
}

/// A week is what ten minutes at 1000x come to.
#[test]
fn after_a_week_nothing_has_grown_without_end() {
    let text = r#"{"engine":"redis-7.2","replicas":1,"config":{"repl-backlog-size":"16kb"},
        "workload":{"writes_per_second":0}}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    let mut rng = seeded(3);
    let mut after_a_day = None;
    for hour in 0..7 * 24 {
        // An outage now and then, so that whatever an outage leaves behind adds up.
        for doing in ["cut", "heal"] {
            run.advance_us(1800 * SECOND_US + below(&mut rng, SECOND_US));
            run.act(action(&format!(r#"{{"do":"{doing}","replica":"replica-1"}}"#)))
                .expect("it can");
        }
        if hour == 24 {
            after_a_day = Some(run.world().sizes());
        }
    }
    let (day, week, kept) = (after_a_day.expect("a day"), run.world().sizes(), run.kept());
    assert!(week.events <= day.events * 2 + 32, "{day:?} {week:?}");
    assert!(week.connections <= 4 && week.ends <= 8, "{week:?}");
    assert!(week.segments <= 64 && week.unread == 0, "{week:?}");
    // Keepalives of 14 bytes are the shortest commands.
    assert!(week.command_starts as u64 <= week.kept_bytes / 14 + 8, "{week:?}");
    assert!(week.kept_bytes <= 2 * 3 * (16 << 10), "{week:?}");
    assert_eq!(week.keys, 0);
    assert!(kept.copies <= 1100 && kept.copies_bytes <= 96 << 20, "{kept:?}");
    assert!(kept.entries <= MOST_ENTRIES && kept.decisions <= MOST_DECISIONS, "{kept:?}");
    assert!(run.trace().dropped() > 1_000_000, "and it is counted: {}", run.trace().dropped());
    run.seek(seconds(3 * 86_400));
    assert_eq!(run.now(), seconds(3 * 86_400));
}

#[test]
fn decisions_are_bounded_too() {
    let text = r#"{"replicas":4,"workload":{"writes_per_second":0},
        "config":{"repl-diskless-sync-delay":"0"}}"#;
    let mut world = World::new(&Scenario::from_json(text).expect("good"));
    let mut trace = psync::cluster::Trace::default();
    let mut made = 0;
    while trace.dropped_decisions() == 0 && made < 10_000 {
        for doing in ["cut", "heal"] {
            for replica in 1..=4 {
                let text = format!(r#"{{"do":"{doing}","replica":"replica-{replica}"}}"#);
                let _refused = world.act(&action(&text));
            }
            world.run_until(world.now().after_us(SECOND_US));
        }
        made += 4;
        trace.extend(world.now(), world.take_entries());
    }
    assert!(trace.dropped_decisions() > 0, "{made}");
    assert!(trace.decisions().len() <= MOST_DECISIONS);
}
