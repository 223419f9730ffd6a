//! Recordings of real servers: `decide`, fed with INFO's numbers, gives every answer they gave.
//!
//! And the other way round: a decision with one broken rule gives some answer that they did not
//! give, so the recordings would notice.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "the whole crate is a test, its helpers included")]

#[path = "conformance_table/mod.rs"]
mod conformance_table;
#[path = "fixtures/recording.rs"]
mod recording;
#[path = "fixtures/verdict.rs"]
mod verdict;

use std::time::Instant;

use conformance_table::{Part, Row};
use psync::server::engine::Engine;
use psync::server::log::{Facts, decision_lines};
use psync::stream::history::ReplId;
use psync::stream::psync::decide;
use recording::{Attempt, Info, Recording};
use verdict::{Moves, Mutant, Verdict, by_a_copy, by_our_rules, request_of};

/// What one attempt of a recording shows, in the words of a verdict.
fn recorded(attempt: &Attempt) -> Verdict {
    let (before, after) = (&attempt.info_before, &attempt.info_after);
    let moves: Moves = [
        after.sync_full - before.sync_full,
        after.sync_partial_ok - before.sync_partial_ok,
        after.sync_partial_err - before.sync_partial_err,
    ];
    let raw = attempt.answer.raw.as_str();
    match raw.split(' ').collect::<Vec<_>>()[..] {
        ["+CONTINUE", ..] => {
            Verdict::Partial { bytes: attempt.stream.as_ref().map_or(0, |s| s.bytes), moves }
        }
        ["+FULLRESYNC", id, offset] => Verdict::Full {
            reason: recorded_reason(attempt),
            offset: offset.parse().expect("a number"),
            new_id: id != before.master_replid.as_str(),
            moves,
        },
        _ => {
            assert_eq!(moves, [0, 0, 0], "an error moves no counter: {}", attempt.name());
            Verdict::Error(match raw {
                "-ERR value is not an integer or out of range" => {
                    "-ERR value is not an integer or out of range"
                }
                "-ERR SYNC and PSYNC are invalid with pending output" => {
                    "-ERR SYNC and PSYNC are invalid with pending output"
                }
                "-NOMASTERLINK Can't SYNC while not connected with my master" => {
                    "-NOMASTERLINK Can't SYNC while not connected with my master"
                }
                _ => panic!("{}: {raw}", attempt.name()),
            })
        }
    }
}

/// The reason of a refusal, read out of the log and, where that does not tell, out of INFO.
fn recorded_reason(attempt: &Attempt) -> &'static str {
    let has = |text| attempt.log.iter().any(|line| line.contains(text));
    if has("Full resync requested by") {
        "requested"
    } else if has("Replication ID mismatch") {
        "unknown-replid"
    } else if has("Requested offset for second ID") {
        "past-second-offset"
    } else if attempt.info_before.repl_backlog_active == 0 {
        assert!(has("for lack of backlog"), "{}: {:?}", attempt.name(), attempt.log);
        "no-backlog"
    } else if has("tried to PSYNC with an offset") {
        "after-backlog"
    } else {
        assert!(has("for lack of backlog"), "{}: {:?}", attempt.name(), attempt.log);
        "before-backlog"
    }
}

/// The two ids that an answer may carry: of `+CONTINUE` the present one, if the peer knows PSYNC2.
fn id_is_as_expected(attempt: &Attempt) -> bool {
    let words: Vec<&str> = attempt.answer.raw.split(' ').collect();
    let replid = attempt.info_before.master_replid;
    let psync2 = attempt.request.capa.iter().any(|capa| capa == "psync2");
    match words[..] {
        ["+CONTINUE"] => !psync2,
        ["+CONTINUE", id] => psync2 && id == replid.as_str(),
        // A new id is announced as INFO has it afterwards, and with it the second one is gone.
        ["+FULLRESYNC", id, _] => id == attempt.info_after.master_replid.as_str(),
        _ => attempt.info_after.master_replid == replid,
    }
}

/// The log lines about the decision, without the level in front of them: neither what comes before
/// it ("asks for synchronization") nor what the full resync then says about itself.
fn decision_lines_of(attempt: &Attempt) -> Vec<String> {
    const OTHERS: [&str; 4] =
        ["asks for synchronization", "backlog created", "BGSAVE", "Delay next"];
    let texts = attempt.log.iter().map(|line| line.split_once(' ').map_or("", |(_, text)| text));
    let texts = texts.filter(|text| !OTHERS.iter().any(|other| text.contains(other)));
    texts.map(str::to_owned).collect()
}

/// What our server logs as `engine` about the same decision.
fn our_lines(engine: &Engine, attempt: &Attempt) -> Vec<String> {
    let Some(request) = request_of(attempt) else { return Vec::new() };
    let first = attempt.log.first().map_or("", String::as_str);
    let peer = first.split_once("Replica ").and_then(|(_, rest)| rest.split_once(" asks"));
    let Some((peer, _)) = peer else { return Vec::new() };
    let (history, window) = (attempt.info_before.history(), attempt.info_before.window());
    let decision = decide(&history, window.as_ref(), &request);
    let facts = Facts { engine, peer, history: &history, window: window.as_ref() };
    decision_lines(&facts, &request, &decision)
}

/// Goes through a recording; gives its row of the table and what differs.
fn compare(recording: &Recording) -> (Row, Vec<String>) {
    let started = Instant::now();
    let mut wrong = Vec::new();
    let mut checks = 0;
    let name = if recording.server == "redis" { "redis-7.0" } else { "valkey-9" };
    let engine = Engine::by_name(name).expect("an engine");
    for attempt in &recording.attempts {
        let mut check = |what: &str, same: bool, difference: String| {
            checks += 1;
            if !same {
                wrong.push(format!(
                    "{} {}: {what}: {difference}",
                    recording.server,
                    attempt.name()
                ));
            }
        };
        let (ours, theirs) = (by_our_rules(attempt), recorded(attempt));
        // Answer, reason, offset and number of bytes, whether the id is new, three counters.
        check("verdict", ours == theirs, format!("{ours:?}, recorded {theirs:?}"));
        check("id", id_is_as_expected(attempt), attempt.answer.raw.clone());
        let ours = our_lines(engine, attempt);
        let theirs = decision_lines_of(attempt);
        check("log", ours == theirs, format!("{ours:#?}, recorded {theirs:#?}"));
        for info in [&attempt.info_before, &attempt.info_after] {
            check("window", window_follows_history(info), format!("{info:?}"));
        }
    }
    let row = Row {
        server: format!("{}-server {}", recording.server, recording.version),
        engine: engine.name.to_owned(),
        seat: "master".to_owned(),
        schedules: count_schedules(recording),
        requests: recording.attempts.len() as u64,
        checks,
        disagreements: wrong.len() as u64,
        seconds: started.elapsed().as_secs(),
        ..Row::default()
    };
    (row, wrong)
}

/// The oracle's seeds, of which each was one random schedule.
fn count_schedules(recording: &Recording) -> u64 {
    let mut seeds: Vec<u64> = recording.attempts.iter().map(|attempt| attempt.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds.len() as u64
}

/// `first + histlen == end + 1`, in every INFO that has a backlog.
fn window_follows_history(info: &Info) -> bool {
    info.window().is_none_or(|window| window.next() == info.history().end.next())
}

#[test]
fn every_recorded_answer_is_ours_and_every_broken_rule_is_noticed() {
    let recordings = [Recording::of_redis(), Recording::of_valkey()];
    let (rows, wrong): (Vec<Row>, Vec<Vec<String>>) = recordings.iter().map(compare).unzip();
    let mut missed = Vec::new();
    let mutants = Mutant::ALL.map(|mutant| {
        let noticed = recordings.each_ref().map(|recording| {
            let differs = |a: &&Attempt| by_a_copy(a, Some(mutant)) != recorded(a);
            let count = recording.attempts.iter().filter(differs).count() as u64;
            if count == 0 {
                missed.push((mutant, recording.server));
            }
            (recording.server.to_owned(), count)
        });
        conformance_table::Mutant { rule: mutant.rule().to_owned(), noticed: noticed.into() }
    });
    let suite = "recorded answers, decide() alone".to_owned();
    let part = Part { suite, rows, mutants: mutants.into(), ..Part::default() };
    conformance_table::write("fixtures", part);
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
    assert!(missed.is_empty(), "not noticed: {missed:?}");
}

#[test]
fn the_copy_that_is_broken_above_agrees_when_it_is_whole() {
    for recording in [Recording::of_redis(), Recording::of_valkey()] {
        for attempt in &recording.attempts {
            assert_eq!(by_a_copy(attempt, None), by_our_rules(attempt), "{}", attempt.name());
        }
    }
}

#[test]
fn the_recordings_hold_every_kind_of_answer() {
    for recording in [Recording::of_redis(), Recording::of_valkey()] {
        assert!(recording.attempts.len() > 900 && recording.events.len() > 50);
        let verdicts: Vec<Verdict> = recording.attempts.iter().map(recorded).collect();
        let count =
            |wanted: &dyn Fn(&Verdict) -> bool| verdicts.iter().filter(|v| wanted(v)).count();
        let reasons = ["requested", "unknown-replid", "past-second-offset", "no-backlog"];
        for name in reasons.into_iter().chain(["before-backlog", "after-backlog"]) {
            let found = count(&|v| matches!(v, Verdict::Full { reason, .. } if *reason == name));
            assert!(found > 0, "{}: no refusal for {name}", recording.server);
        }
        assert!(count(&|v| matches!(v, Verdict::Partial { bytes: 0, .. })) > 0);
        for error in ["-ERR value", "-ERR SYNC", "-NOMASTERLINK"] {
            let found = count(&|v| matches!(v, Verdict::Error(text) if text.starts_with(error)));
            assert!(found > 0, "{}: nothing was answered with {error}", recording.server);
        }
    }
}

#[test]
fn a_recorded_promotion_keeps_the_old_id_good_up_to_the_next_byte() {
    for recording in [Recording::of_redis(), Recording::of_valkey()] {
        let promotions = recording.events.iter().filter(|event| event["event"] == "promotion");
        let infos = promotions.map(|event| serde_json::from_value(event["info"].clone()));
        let infos: Vec<Info> = infos.map(|info| info.expect("an INFO")).collect();
        assert!(!infos.is_empty());
        for info in infos {
            let history = info.history();
            assert_ne!(history.replid2(), ReplId::NONE);
            assert_eq!(history.second_replid_offset(), history.end.next(), "{info:?}");
        }
    }
}
