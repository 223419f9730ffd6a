//! Whole stories: what people met, played in a small world.

use psync::cluster::{Run, Verdict};
use psync::server::engine::{Engine, Lifetime, REDIS_4_0, REDIS_7_0};
use psync::stream::backlog::{Grain, Keeping};

use crate::{CUT, act, last, logged, run, run_as, seconds};

fn counters(run: &Run, server: usize) -> (u64, u64) {
    let counters = run.snapshot().servers[server].counters;
    (counters.sync_full, counters.sync_partial_ok)
}

#[test]
fn e01_a_replica_killed_for_what_was_queued_full_syncs_again_and_again() {
    // A fast writer, a slow link; the limit is far above the backlog, as 256 MB are above 1 MB.
    let mut run = run(r#"{"engine":"redis-7.0","replicas":1,
        "config":{"repl-backlog-size":"16kb","repl-diskless-sync-delay":"0","repl-timeout":"60",
                  "client-output-buffer-limit":"replica 256kb 0 0"},
        "workload":{"writes_per_second":100,"value_bytes":900,"keys":20},
        "network":{"latency_us":2000,"bandwidth_bytes_per_second":30000}}"#);
    seconds(&mut run, 90);
    let refused: Vec<_> = run.trace().decisions().iter().skip(1).collect();
    assert!(refused.len() >= 3, "only {} tries", refused.len());
    assert!(refused.iter().all(|d| d.reason == Some("before-backlog")), "{refused:#?}");
    assert!(logged(&run, CUT) >= refused.len());
    assert_eq!(counters(&run, 0), (1 + refused.len() as u64, 0), "a full one each time");
    // Behind by what was queued: no window of 16 KB can ever cover a queue of 256 KB.
    assert!(refused.iter().all(|d| d.missing_bytes > Some(200_000)), "{refused:#?}");
}

#[test]
fn e15_promoting_a_replica_that_lags_costs_its_siblings_everything() {
    for engine in ["redis-4.0", "redis-6.2", "redis-7.2", "valkey-9"] {
        let mut run = run(&format!(
            r#"{{"engine":"{engine}","replicas":2,"config":{{"repl-diskless-sync-delay":"0"}},
                "network":{{"latency_us":1000}}}}"#
        ));
        seconds(&mut run, 4);
        act(&mut run, r#"{"do":"cut","replica":"replica-1"}"#);
        seconds(&mut run, 3);
        let lag = {
            let servers = run.snapshot().servers;
            servers[2].master_repl_offset - servers[1].master_repl_offset
        };
        act(&mut run, r#"{"do":"promote","server":"replica-1"}"#);
        act(&mut run, r#"{"do":"heal","replica":"replica-1"}"#);
        act(&mut run, r#"{"do":"replicaof","server":"replica-2","master":"replica-1"}"#);
        seconds(&mut run, 4);
        let refused = run.trace().decisions().iter().rev().find(|d| d.master == "replica-1");
        let refused = refused.expect("the sibling asked");
        assert_eq!(refused.reason, Some("past-second-offset"), "{engine}");
        let short = refused.checks.iter().find_map(|check| check.short_by);
        assert!(short.is_some_and(|short| short >= lag && short < lag + 3000), "{short:?} {lag}");
        assert_eq!(refused.remedy, None);
    }
}

#[test]
fn e17_one_ping_of_the_old_master_is_enough_to_miss_the_second_id() {
    let mut run = run(r#"{"engine":"redis-6.2","replicas":2,
        "workload":{"writes_per_second":0},"config":{"repl-ping-replica-period":"10"}}"#);
    seconds(&mut run, 3);
    act(&mut run, r#"{"do":"promote","server":"replica-1"}"#);
    // Nobody writes; but the old master still has a replica, and pings it.
    let before = run.snapshot().servers[0].master_repl_offset;
    while run.snapshot().servers[0].master_repl_offset == before {
        run.advance_us(100_000);
    }
    assert_eq!(run.snapshot().servers[0].master_repl_offset, before + 14);
    act(&mut run, r#"{"do":"replicaof","server":"master","master":"replica-1"}"#);
    seconds(&mut run, 2);
    let refused = run.trace().decisions().iter().find(|d| d.replica == "master");
    let refused = refused.expect("the old master asked");
    assert_eq!(refused.reason, Some("past-second-offset"));
    assert_eq!(refused.checks.iter().find_map(|check| check.short_by), Some(14));
}

/// Redis 4.0.1: the time to live counts from when the last replica left, however long ago, and
/// freeing the backlog leaves the id as it is.
static REDIS_4_0_1: Engine = Engine {
    name: "redis-4.0.1",
    version: "4.0.1",
    lifetime: Lifetime {
        restarts_at_promotion: false,
        changes_id: false,
        created_by_continue: false,
        ..REDIS_4_0.lifetime
    },
    ..REDIS_4_0
};

#[test]
fn e18_a_takeover_after_long_service_finds_no_backlog_until_4_0_7_counted_from_promotion() {
    let takeover = |engine: &'static Engine| {
        let mut run = run_as(
            engine,
            r#"{"replicas":2,"workload":{"writes_per_second":0},"config":{"repl-backlog-ttl":"5"}}"#,
        );
        seconds(&mut run, 20);
        act(&mut run, r#"{"do":"promote","server":"replica-1"}"#);
        // The ticks of a promoted server look at the time to live before its sibling comes.
        seconds(&mut run, 2);
        act(&mut run, r#"{"do":"replicaof","server":"replica-2","master":"replica-1"}"#);
        seconds(&mut run, 3);
        let last = last(&run);
        assert_eq!(last.master, "replica-1");
        (last.verdict, last.reason)
    };
    assert_eq!(takeover(&REDIS_4_0_1), (Verdict::Full, Some("no-backlog")));
    assert_eq!(takeover(&REDIS_4_0).0, Verdict::Partial);
}

#[test]
fn e20_restart_and_failover_always_full_synced_until_4_0() {
    let restarted = |engine: &str| {
        let mut run = run(&format!(r#"{{"engine":"{engine}","replicas":1}}"#));
        seconds(&mut run, 8);
        act(&mut run, r#"{"do":"restart","server":"replica-1","keep_id":true}"#);
        seconds(&mut run, 8);
        (last(&run).verdict, last(&run).reason)
    };
    assert_eq!(restarted("redis-2.8"), (Verdict::Full, Some("requested")));
    assert_eq!(restarted("redis-4.0").0, Verdict::Partial);
    let failed_over = |engine: &str| {
        let json = r#""replicas":2,"workload":{"writes_per_second":0}"#;
        let mut run = run(&format!(r#"{{"engine":"{engine}",{json}}}"#));
        seconds(&mut run, 4);
        // The old master is gone, and pings nobody.
        act(&mut run, r#"{"do":"freeze","server":"master"}"#);
        act(&mut run, r#"{"do":"promote","server":"replica-1"}"#);
        act(&mut run, r#"{"do":"replicaof","server":"replica-2","master":"replica-1"}"#);
        seconds(&mut run, 5);
        assert_eq!(last(&run).master, "replica-1");
        (last(&run).verdict, last(&run).reason)
    };
    assert_eq!(failed_over("redis-2.8"), (Verdict::Full, Some("requested")));
    assert_eq!(failed_over("redis-4.0").0, Verdict::Partial);
}

#[test]
fn e21_a_restart_with_an_aof_full_syncs_whatever_the_sizes_are() {
    for size in ["1mb", "1gb"] {
        for engine in ["redis-6.2", "redis-7.2", "valkey-9"] {
            let start = || {
                run(&format!(
                    r#"{{"engine":"{engine}","replicas":1,"config":{{"appendonly":"yes",
                        "repl-backlog-size":"{size}",
                        "client-output-buffer-limit":"replica 2gb 2gb 60"}}}}"#
                ))
            };
            let mut run = start();
            seconds(&mut run, 8);
            act(&mut run, r#"{"do":"restart","server":"replica-1","keep_id":true}"#);
            seconds(&mut run, 8);
            assert_eq!((last(&run).reason, &last(&run).remedy), (Some("requested"), &None));
            let mut run = start();
            seconds(&mut run, 8);
            act(&mut run, r#"{"do":"restart","server":"master","keep_id":true}"#);
            seconds(&mut run, 8);
            assert_eq!((last(&run).reason, &last(&run).remedy), (Some("unknown-replid"), &None));
        }
    }
}

#[test]
fn e24_a_limit_below_the_backlog_drops_what_it_has_just_continued_until_7_0_raised_it() {
    // To scale: 6,512 MB of backlog and a limit of 512 MB are 256 KB and 20 KB here.
    let played = |engine: &str| {
        let mut run = run(&format!(
            r#"{{"engine":"{engine}","replicas":1,
                "config":{{"repl-backlog-size":"256kb","repl-diskless-sync-delay":"0",
                           "client-output-buffer-limit":"replica 20kb 0 0"}},
                "workload":{{"writes_per_second":0}},"network":{{"bandwidth_bytes_per_second":0}}}}"#
        ));
        seconds(&mut run, 3);
        act(&mut run, r#"{"do":"cut","replica":"replica-1"}"#);
        act(&mut run, r#"{"do":"burst","writes":220,"value_bytes":1000}"#);
        act(&mut run, r#"{"do":"heal","replica":"replica-1"}"#);
        seconds(&mut run, 5);
        run
    };
    let old = played("redis-6.2");
    // Each time the sockets take 64 KB along before the cut, so here it ends; with gigabytes missing
    // and more being written it did not.
    let continued = counters(&old, 0).1;
    assert!(continued >= 4, "continued again and again: {continued}");
    assert_eq!(logged(&old, CUT) as u64, continued - 1, "and dropped each time but the last");
    assert_eq!(last(&old).verdict, Verdict::Partial, "the decision was never the problem");
    let new = played("redis-7.0");
    assert_eq!((counters(&new, 0), logged(&new, CUT)), ((1, 1), 0));
    let behind = new.snapshot().servers[1].link.as_ref().map(|link| link.behind_bytes);
    assert_eq!(behind, Some(0));
}

/// Redis 7.0.0 to 7.0.9: a block as large as the piece.
static REDIS_7_0_5: Engine = Engine {
    name: "redis-7.0.5",
    version: "7.0.5",
    keeping: Keeping::Blocks(Grain { capped: false, ..Grain::JEMALLOC }),
    ..REDIS_7_0
};

#[test]
fn e25_one_large_value_in_one_block_is_counted_whole_until_blocks_were_capped() {
    let played = |engine: &'static Engine| {
        let mut run = run_as(
            engine,
            r#"{"replicas":1,"config":{"repl-backlog-size":"1mb","repl-diskless-sync-delay":"0",
                "client-output-buffer-limit":"replica 2mb 0 0"},
                "workload":{"writes_per_second":5,"value_bytes":10,"keys":1},
                "network":{"latency_us":1000,"bandwidth_bytes_per_second":0}}"#,
        );
        seconds(&mut run, 3);
        // One value of 3 MB, grown where no single argument may be larger than 1 MB here.
        let value = "x".repeat(3_000_000);
        let set = format!(r#"{{"do":"write","argv":["SET","large","{value}"]}}"#);
        act(&mut run, &set);
        seconds(&mut run, 8);
        run
    };
    let before = played(&REDIS_7_0_5);
    assert!(logged(&before, CUT) >= 2, "cut {} times", logged(&before, CUT));
    assert!(counters(&before, 0).1 >= 1, "continued, and cut again: {:?}", counters(&before, 0));
    let since = played(&REDIS_7_0);
    let cuts = (logged(&before, CUT), logged(&since, CUT));
    assert!(cuts.1 < cuts.0, "{cuts:?}");
}
