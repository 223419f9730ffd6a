//! The presets, the golden run, and the tape: what a run tells, and that it can be wound back.

use std::collections::{BTreeMap, BTreeSet};

use psync::cluster::trace::What;
use psync::cluster::{Action, Run, Scenario, Verdict, presets};
use psync::time::{Instant, SECOND_US};

/// Plays a preset for so many seconds; gives each decision after the first attach as
/// `replica verdict reason`.
fn decisions_of(name: &str, seconds: u64) -> Vec<String> {
    let run = played(name, seconds);
    let decisions = run.trace().decisions().iter();
    let later = decisions.filter(|decision| decision.reason != Some("requested"));
    later
        .map(|decision| {
            let reason = decision.reason.unwrap_or("-");
            format!("{} {:?} {reason}", decision.replica, decision.verdict)
        })
        .collect()
}

fn played(name: &str, seconds: u64) -> Run {
    let mut run = Run::new(Scenario::preset(name).expect("a preset"));
    run.advance_us(seconds * SECOND_US);
    run
}

#[test]
fn each_preset_shows_what_its_sentence_says() {
    assert_eq!(decisions_of("short-blip", 24), ["replica-1 Partial -"]);
    assert_eq!(
        decisions_of("too-long", 24),
        ["replica-2 Full before-backlog", "replica-3 Partial -"]
    );
    assert_eq!(
        decisions_of("master-restart", 24),
        [1, 2, 3].map(|n| format!("replica-{n} Full unknown-replid"))
    );
    assert_eq!(
        decisions_of("nobody-left", 24),
        [1, 2].map(|n| format!("replica-{n} Full unknown-replid"))
    );
    assert_eq!(
        decisions_of("promotion", 24),
        ["replica-2", "replica-3", "master"].map(|name| format!("{name} Partial -"))
    );
    assert_eq!(
        decisions_of("laggard-promoted", 24),
        ["replica-2", "replica-3", "master"].map(|name| format!("{name} Full past-second-offset"))
    );
    assert_eq!(
        decisions_of("two-windows", 75),
        [1, 2, 2, 2].map(|n| format!("replica-{n} Full before-backlog"))
    );
    assert_eq!(decisions_of("slow-replica-pins", 40), ["replica-2 Partial -"]);
    assert_eq!(decisions_of("proposal", 30), ["replica-2 Partial -", "replica-3 Full no-backlog"]);
    assert_eq!(decisions_of("calm", 24), [""; 0]);
    let bad_network = decisions_of("bad-network", 60);
    assert!(bad_network.len() >= 5, "{bad_network:?}");
    assert!(bad_network.iter().all(|decision| decision.contains("Partial")), "{bad_network:?}");
    let worst_day = decisions_of("worst-day", 60);
    assert_eq!(worst_day[0], "replica-1 Full before-backlog");
    let lost = worst_day.iter().filter(|decision| decision.ends_with("unknown-replid")).count();
    assert!(lost >= 4, "{worst_day:?}");
    assert_eq!(presets::all().len(), 12, "a new preset needs a line here");
}

#[test]
fn on_the_worst_day_only_the_promoted_replica_saves_the_data() {
    let keys = |seconds| {
        played("worst-day", seconds).snapshot().servers.iter().map(|s| s.keys).collect::<Vec<_>>()
    };
    assert!(keys(22)[0] > 90, "{:?}", keys(22));
    let killed = keys(26);
    assert!(killed[0] < 40 && killed[1] < 40 && killed[2] > 90, "{killed:?}");
    assert!(keys(60).iter().all(|keys| *keys > 90), "{:?}", keys(60));
}

#[test]
fn siblings_continue_under_the_second_id_of_the_promoted_one() {
    let run = played("promotion", 24);
    let servers = run.snapshot().servers;
    let (old, promoted) = (&servers[0], &servers[1]);
    assert_eq!(promoted.link, None);
    assert_eq!(old.replid, promoted.replid, "everybody shares the new history");
    for decision in run.trace().decisions().iter().skip(3) {
        assert_eq!(decision.request.replid, promoted.replid2);
        assert!(decision.request.offset <= promoted.second_replid_offset);
    }
}

#[test]
fn a_promoted_laggard_refuses_siblings_by_exactly_what_it_had_not_read() {
    // Case E15, vector T1.
    let run = played("laggard-promoted", 24);
    let promoted = &run.snapshot().servers[1];
    let refused = run.trace().decisions().iter().filter(|d| d.reason.is_some());
    let refused: Vec<_> = refused.filter(|d| d.reason == Some("past-second-offset")).collect();
    assert_eq!(refused.len(), 3);
    for decision in refused {
        assert!(decision.request.offset > promoted.second_replid_offset, "{decision:?}");
        assert_eq!(decision.remedy, None, "no size can help");
    }
}

#[test]
fn the_output_limit_and_the_backlog_fight_until_both_are_widened() {
    // Case E01.
    let run = played("two-windows", 75);
    let cut = |entry: &&psync::cluster::trace::Entry| matches!(&entry.what, What::Log { line, .. } if line.contains("closed ASAP"));
    let cuts: Vec<u64> = run.trace().entries().filter(cut).map(|entry| entry.at.0).collect();
    let widened = 32 * SECOND_US;
    assert_eq!(cuts.len(), 4, "both by the burst, the slow one twice more: {cuts:?}");
    assert!(cuts.iter().all(|at| *at < widened), "{cuts:?}");
    let link = run.snapshot().servers[2].link.clone().expect("it follows");
    assert_eq!(link.state, psync::cluster::snapshot::LinkState::Up);
    assert!(link.behind_bytes < 4096, "{link:?}");
}

#[test]
fn what_a_slow_replica_pins_serves_another_that_comes_back() {
    // Vector T13, to scale.
    let during = played("slow-replica-pins", 24).snapshot();
    let backlog = during.servers[0].backlog.clone().expect("it keeps one");
    assert!(backlog.histlen > 5 * backlog.size, "{backlog:?}");
    let reads = during.servers[1].link.as_ref().and_then(|link| link.reads_block);
    assert_eq!(reads, Some(0), "the slow one refers to the oldest block");
    let after = played("slow-replica-pins", 44);
    let partial = after.trace().decisions().iter().find(|d| d.verdict == Verdict::Partial);
    assert!(partial.expect("it continued").bytes > 5 * backlog.size);
    let backlog = after.snapshot().servers[0].backlog.clone().expect("it keeps one");
    assert!(backlog.histlen < 3 * backlog.size, "released, it shrinks: {backlog:?}");
}

#[test]
fn the_proposal_keeps_a_list_for_the_absent_until_it_is_too_long() {
    let lists = |seconds| {
        let backlog = played("proposal", seconds).snapshot().servers[0].backlog.clone();
        backlog.and_then(|backlog| backlog.lists).unwrap_or_default()
    };
    let of = |lists: &[psync::cluster::snapshot::ListSnapshot], name: &str| {
        lists.iter().find(|list| list.replica.as_deref() == Some(name)).cloned()
    };
    let kept = of(&lists(11), "replica-2").expect("kept for its return");
    assert!(!kept.attached && kept.unsent_bytes > 0 && kept.unsent_bytes <= kept.histlen);
    assert!(of(&lists(12), "replica-3").is_some());
    assert_eq!(of(&lists(20), "replica-3"), None, "it outgrew repl-backlog-size");
}

#[test]
fn every_preset_ends_with_all_replicas_equal_to_the_master() {
    for preset in presets::all() {
        let mut run = played(&preset.name, 80);
        // Writes go on and are under way all the time: a replica is compared with what the master
        // held at the same offset.
        let mut masters = BTreeMap::new();
        let mut equal = BTreeSet::new();
        for _ in 0..2000 {
            run.advance_us(1000);
            for server in run.snapshot().servers {
                let (end, digest) = (server.master_repl_offset, server.dataset_digest);
                if server.link.is_none() {
                    masters.insert(end, digest);
                } else if let Some(master) = masters.get(&end) {
                    assert_eq!(digest, *master, "{}: {} at {end}", preset.name, server.name);
                    equal.insert(server.name);
                }
            }
        }
        assert_eq!(equal.len(), run.scenario().replicas, "{}: {equal:?}", preset.name);
    }
}

/// The reason of the last decision of `replica`, with one setting changed; `-` is partial.
fn with_setting(preset: &str, replica: &str, directive: &str, value: &str) -> String {
    let text = format!(r#"{{"preset":"{preset}","config":{{"{directive}":"{value}"}}}}"#);
    let mut run = Run::new(Scenario::from_json(&text).expect("a good setting"));
    run.advance_us(24 * SECOND_US);
    let mut decisions = run.trace().decisions().iter();
    let last = decisions.rfind(|decision| decision.replica == replica);
    last.and_then(|decision| decision.reason).unwrap_or("-").to_owned()
}

#[test]
fn the_remedy_would_have_made_it_partial_and_anything_less_would_not() {
    for (preset, replica) in [("too-long", "replica-2"), ("nobody-left", "replica-1")] {
        let mut run = Run::new(Scenario::preset(preset).expect("a preset"));
        run.advance_us(24 * SECOND_US);
        let decisions = run.trace().decisions();
        let refused = decisions
            .iter()
            .find(|decision| decision.replica == replica && decision.remedy.is_some())
            .expect("a refusal with a remedy");
        let remedy = refused.remedy.as_ref().expect("it has one");
        let value: u64 = remedy.value.parse().expect("a number");
        let enough = with_setting(preset, replica, remedy.directive, &value.to_string());
        assert_eq!(enough, "-", "{preset}: {remedy:?}");
        let less = with_setting(preset, replica, remedy.directive, &(value - 1).to_string());
        assert_eq!(Some(less.as_str()), refused.reason, "{preset}: one less than {remedy:?}");
    }
}

#[test]
fn a_restarted_replica_asks_for_everything_and_there_is_no_remedy() {
    // Vector T6.
    let mut run = Run::new(Scenario::default());
    run.advance_us(8 * SECOND_US);
    run.act(Action::Restart { server: "replica-1".into(), keep_id: false }).expect("it can");
    run.advance_us(3 * SECOND_US);
    let last = run.trace().decisions().last().expect("it came back");
    assert_eq!((last.replica.as_str(), last.reason), ("replica-1", Some("requested")));
    assert_eq!(last.remedy, None);
}

#[test]
fn a_replica_restarted_with_its_saved_snapshot_continues() {
    let mut run = Run::new(Scenario::default());
    run.advance_us(8 * SECOND_US);
    run.act(Action::Restart { server: "replica-1".into(), keep_id: true }).expect("it can");
    run.advance_us(3 * SECOND_US);
    let last = run.trace().decisions().last().expect("it came back");
    assert_eq!((last.replica.as_str(), last.verdict), ("replica-1", Verdict::Partial));
}

#[test]
fn after_the_ttl_even_an_equal_offset_is_refused_because_the_id_changed() {
    // Vector T8.
    let text = r#"{"engine":"redis-6.2","replicas":1,"config":{"repl-backlog-ttl":"2"},"workload":{"writes_per_second":0}}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    run.advance_us(3 * SECOND_US);
    let before = run.snapshot();
    let cut = |what: &str| {
        Action::from_json(&format!(r#"{{"do":"{what}","replica":"replica-1"}}"#)).expect("good")
    };
    run.act(cut("cut")).expect("it is whole");
    run.advance_us(5 * SECOND_US);
    let during = run.snapshot();
    assert_eq!(during.servers[0].backlog, None);
    assert_eq!(during.servers[0].master_repl_offset, before.servers[1].master_repl_offset);
    run.act(cut("heal")).expect("it is cut");
    run.advance_us(3 * SECOND_US);
    let last = run.trace().decisions().last().expect("it came back");
    assert_eq!(last.reason, Some("unknown-replid"));
    // The id changes twice: when the backlog is freed, and when the next one is created.
    let ids = [&before, &during, &run.snapshot()].map(|s| s.servers[0].replid.clone());
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[test]
fn a_one_way_cut_is_noticed_by_silence_alone_and_ends_in_a_partial_resync() {
    let text = r#"{"engine":"redis-6.2","replicas":1,"config":{"repl-timeout":"3"},"actions":[
        {"at_us":2000000,"do":"cut","replica":"replica-1","direction":"to-replica"},
        {"at_us":9000000,"do":"heal","replica":"replica-1"}]}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    run.advance_us(15 * SECOND_US);
    let timeout = |entry: &psync::cluster::trace::Entry| matches!(&entry.what, What::Log { line, .. } if line.starts_with("MASTER timeout"));
    let noticed = run.trace().entries().find(|entry| timeout(entry)).expect("it noticed").at;
    // More than 3 whole seconds, looked at once a second.
    assert!((5_000_000..=6_100_000).contains(&noticed.0), "{noticed}");
    let last = run.trace().decisions().last().expect("it came back");
    assert_eq!(last.verdict, Verdict::Partial);
}

#[test]
fn a_changed_rate_of_writes_holds_from_that_moment_on() {
    let text = r#"{"replicas":1,"workload":{"writes_per_second":10,"value_bytes":8,"keys":1}}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    run.advance_us(2_050_000);
    let commands_in = |run: &mut Run, us| {
        let count = |run: &Run| {
            let mut servers = run.world().servers();
            servers.next().map_or(0, |(_, master)| master.history().end.0)
        };
        let before = count(run);
        run.advance_us(us);
        // `SET key:0 <8 bytes>` is 38 bytes in the stream.
        (count(run) - before) / 38
    };
    assert_eq!(commands_in(&mut run, SECOND_US), 10);
    let rate =
        |n: u64| Action::Workload { writes_per_second: Some(n), value_bytes: None, curve: None };
    run.act(rate(100)).expect("it can");
    assert_eq!(commands_in(&mut run, SECOND_US), 100);
    run.act(rate(0)).expect("it can");
    assert_eq!(commands_in(&mut run, SECOND_US), 0);
}

/// The run whose digest is the same natively and in WebAssembly; its twin is `web/tests`.
#[test]
fn the_golden_run_has_the_golden_digest() {
    let golden = include_str!("golden/digest.txt").trim();
    let mut run = Run::new(
        Scenario::from_json(include_str!("golden/scenario.json")).expect("a good scenario"),
    );
    run.advance_us(60 * SECOND_US);
    assert_eq!(format!("{:016x}", run.digest()), golden);
}

fn golden() -> Run {
    Run::new(Scenario::from_json(include_str!("golden/scenario.json")).expect("a good scenario"))
}

#[test]
fn any_moment_can_be_sought_and_is_the_same_as_when_run_to_directly() {
    let mut tape = golden();
    tape.advance_us(60 * SECOND_US);
    for moment in [31_234_567, 7_000_000, 7_000_001, 59_999_999, 0, 60_000_000, 12_345_678] {
        tape.seek(Instant(moment));
        let mut direct = golden();
        direct.advance_us(moment);
        assert_eq!(tape.now(), Instant(moment));
        assert_eq!(tape.digest(), direct.digest(), "at {moment}");
        assert_eq!(tape.snapshot(), direct.snapshot(), "at {moment}");
    }
    assert_eq!(tape.trace().furthest(), Instant(60_000_000), "going back forgets nothing");
}

#[test]
fn stepping_leads_through_the_same_run() {
    let (mut stepped, mut direct) = (golden(), golden());
    while stepped.now() < Instant(5 * SECOND_US) {
        stepped.step();
    }
    direct.advance_to(stepped.now());
    assert_eq!(stepped.digest(), direct.digest());
}

#[test]
fn an_action_in_the_past_begins_another_future_that_can_be_replayed() {
    let mut run = golden();
    run.advance_us(30 * SECOND_US);
    let other = run.digest();
    run.seek(Instant(10 * SECOND_US));
    run.act(Action::Burst { writes: 50, value_bytes: 100 }).expect("it can");
    assert_eq!(run.trace().furthest(), run.now(), "the old future is gone");
    run.advance_to(Instant(30 * SECOND_US));
    assert_ne!(run.digest(), other);
    let mut again = Run::new(run.scenario());
    again.advance_us(30 * SECOND_US);
    assert_eq!(again.digest(), run.digest());
    // And through JSON, as a shared link carries it.
    let shared = Scenario::from_json(&run.scenario().to_json()).expect("it reads back");
    let mut shared = Run::new(shared);
    shared.advance_us(30 * SECOND_US);
    assert_eq!(shared.digest(), run.digest());
}

#[test]
fn a_refused_action_changes_nothing_and_says_why() {
    let mut run = golden();
    run.advance_us(SECOND_US);
    let before = (run.digest(), run.scenario());
    for (action, says) in [
        (
            r#"{"do":"heal","replica":"replica-1"}"#,
            "action.replica is replica-1, whose link is not cut",
        ),
        (
            r#"{"do":"cut","replica":"replica-9"}"#,
            "action.replica is \"replica-9\"; there are master and replica-1 to replica-3",
        ),
        (
            r#"{"do":"cut","replica":"master"}"#,
            "action.replica is master, which has no link: it is the master",
        ),
        (r#"{"do":"thaw","server":"master"}"#, "action.server is master, which is not frozen"),
        (
            r#"{"do":"promote","server":"master"}"#,
            "action.server is master, which is a master already",
        ),
        (
            r#"{"do":"replicaof","server":"replica-1","master":"replica-1"}"#,
            "action.master is replica-1 itself",
        ),
        (
            r#"{"do":"config","directive":"x","value":"1"}"#,
            "action.directive is \"x\": Unsupported CONFIG parameter: x",
        ),
        (
            r#"{"do":"write","argv":["PSYNC","?","-1"]}"#,
            "action.argv is PSYNC: only replicas say that, on their own link",
        ),
    ] {
        let action = Action::from_json(action).expect("well-formed");
        assert_eq!(run.act(action).expect_err("it cannot be done").to_string(), says);
        assert_eq!((run.digest(), run.scenario()), before, "{says}");
    }
}

#[test]
fn the_byte_under_the_pointer_is_shown_with_its_command() {
    let text = r#"{"workload":{"writes_per_second":0}}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    run.advance_us(SECOND_US / 2);
    let argv = ["SET", "greeting", "hello"].map(str::to_owned).to_vec();
    run.act(Action::Write { argv, server: "master".into() }).expect("it can");
    let end = run.snapshot().servers[0].master_repl_offset as i64;
    let at = run.bytes_at(0, end).expect("it is kept");
    assert_eq!(at.command, "SET greeting hello");
    assert_eq!(at.text, "*3\\r\\n$3\\r\\nSET\\r\\n$8\\r\\ngreeting\\r\\n$5\\r\\nhello\\r\\n");
    assert_eq!(at.command_first + at.command_len as i64 - 1, end);
    // Of a long command only the beginning is shown, but it is still read as a command.
    let argv = ["SET", "long", &"x".repeat(1000)].map(str::to_owned).to_vec();
    run.act(Action::Write { argv, server: "master".into() }).expect("it can");
    let at = run.bytes_at(0, end + 1).expect("it is kept");
    assert!(at.command.starts_with("SET long xxxx"), "{}", at.command);
    assert!(at.text.starts_with("*3\\r\\n$3\\r\\nSET") && at.text.len() < 200, "{}", at.text);
    let end = run.snapshot().servers[0].master_repl_offset as i64;
    assert_eq!(run.bytes_at(0, end + 1), None);
    assert_eq!(run.bytes_at(0, 0), None);
}

#[test]
fn what_each_way_of_keeping_would_take_counts_those_who_are_away() {
    // Replica 2 is away since 4 s; a list of its own would hold what it was not sent.
    let backlog =
        played("too-long", 10).snapshot().servers[0].backlog.clone().expect("it keeps one");
    let of = |keeping: &str| {
        let memory = backlog.memory.iter().find(|memory| memory.keeping == keeping);
        memory.expect("all three are reckoned").backlog_bytes
    };
    assert_eq!(of("ring"), backlog.size);
    assert!((4_000..=backlog.size).contains(&of("retained")), "{:?}", backlog.memory);
    assert!(of("blocks") > 0);
}
