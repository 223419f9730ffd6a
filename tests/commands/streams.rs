//! What commands put into the stream, engine by engine.

use psync::server::engine::{Engine, REDIS_4_0, REDIS_6_2, REDIS_7_0, REDIS_7_2, VALKEY_9};

use crate::lab::{Lab, UNIX_MS};

/// Says lines to a master that looks for no expired keys by itself; `+50` lets 50 ms pass. Gives
/// its stream, joined with ` | `.
fn stream_of(engine: &'static Engine, lines: &[&str]) -> String {
    let (mut lab, client) = Lab::with(engine, &[("repl-ping-replica-period", "1000")]);
    let replica = lab.raw_replica(0, 7777);
    lab.say(client, "DEBUG SET-ACTIVE-EXPIRE 0");
    lab.say(client, "SET before 1");
    lab.stream(replica);
    for line in lines {
        match line.strip_prefix('+') {
            Some(ms) => lab.pass_ms(ms.parse().expect("milliseconds")),
            None => lab.send(client, line),
        }
    }
    lab.stream(replica).join(" | ")
}

/// `@n` in an expectation is Unix time in milliseconds at the start of the test plus `n`.
fn check(engine: &'static Engine, lines: &[&str], wanted: &str) {
    let wanted = wanted.split(' ').map(|word| match word.strip_prefix('@') {
        Some(ms) => (UNIX_MS + 1000 + ms.parse::<u64>().expect("ms")).to_string(),
        None => word.to_owned(),
    });
    let wanted = wanted.collect::<Vec<_>>().join(" ");
    assert_eq!(stream_of(engine, lines), wanted, "{}: {lines:?}", engine.name);
}

#[test]
fn a_transaction_is_wrapped_as_the_engine_wraps_it() {
    let one = ["MULTI", "SET a 1", "EXEC"];
    check(&REDIS_6_2, &one, "MULTI | SET a 1 | EXEC");
    check(&REDIS_7_0, &one, "SET a 1");
    check(&VALKEY_9, &one, "SET a 1");
    let two = ["MULTI", "SET a 1", "SET b 2", "exec"];
    check(&REDIS_6_2, &two, "MULTI | SET a 1 | SET b 2 | exec");
    check(&REDIS_7_0, &two, "MULTI | SET a 1 | SET b 2 | EXEC");
    let elsewhere = ["SELECT 3", "MULTI", "SET a 1", "SET b 2", "EXEC"];
    check(&REDIS_6_2, &elsewhere, "SELECT 3 | MULTI | SET a 1 | SET b 2 | EXEC");
    check(&REDIS_7_0, &elsewhere, "SELECT 3 | MULTI | SET a 1 | SET b 2 | EXEC");
    check(&REDIS_7_2, &elsewhere, "MULTI | SELECT 3 | SET a 1 | SET b 2 | EXEC");
    check(&VALKEY_9, &elsewhere, "MULTI | SELECT 3 | SET a 1 | SET b 2 | EXEC");
}

#[test]
fn a_client_may_go_to_another_database_inside_a_transaction() {
    let lines = ["MULTI", "SET a 1", "SELECT 4", "SET b 2", "EXEC", "SET z 1"];
    let newer = "MULTI | SET a 1 | SELECT 4 | SET b 2 | EXEC | SET z 1";
    for engine in [&REDIS_6_2, &REDIS_7_0, &REDIS_7_2, &VALKEY_9] {
        check(engine, &lines, newer);
    }
    // Up to 6.2 the EXEC itself is in the database that the client has come to.
    let lines = ["MULTI", "SET a 1", "SELECT 4", "EXEC"];
    check(&REDIS_6_2, &lines, "MULTI | SET a 1 | SELECT 4 | EXEC");
    check(&REDIS_7_0, &lines, "SET a 1");
}

#[test]
fn only_effects_are_sent() {
    for engine in [&REDIS_6_2, &REDIS_7_0, &VALKEY_9] {
        check(engine, &["MULTI", "GET before", "EXEC"], "");
        check(engine, &["MULTI", "SET a 1", "DISCARD"], "");
        check(engine, &["MULTI", "DEL nothing", "EXEC", "DEL nothing"], "");
        let mixed = ["MULTI", "PUBLISH c m", "GET a", "SET a 1", "FLUSHALL", "EXEC"];
        check(engine, &mixed, "MULTI | PUBLISH c m | SET a 1 | FLUSHALL | EXEC");
        check(engine, &["SELECT 5", "PUBLISH c m"], "SELECT 5 | PUBLISH c m");
        check(engine, &["WATCH q", "SET q 1", "MULTI", "SET q 2", "EXEC"], "SET q 1");
    }
    // Up to 6.0 a transaction began with a command that may write.
    check(&REDIS_4_0, &["MULTI", "DEL nothing", "EXEC"], "MULTI | EXEC");
    check(&REDIS_4_0, &["MULTI", "GET before", "EXEC"], "");
}

#[test]
fn an_expired_key_leaves_the_stream_as_the_engine_says() {
    let get = ["SET k v PX 20", "+50", "GET k", "EXISTS k"];
    check(&REDIS_4_0, &get, "SET k v PX 20 | DEL k");
    check(&REDIS_6_2, &get, "SET k v PX 20 | DEL k");
    check(&REDIS_7_0, &get, "SET k v PXAT @20 | DEL k");
    check(&VALKEY_9, &get, "SET k v PXAT @20 | UNLINK k");
    let set = ["SET k v PX 20", "+50", "SET k w"];
    check(&REDIS_6_2, &set, "SET k v PX 20 | DEL k | SET k w");
    check(&REDIS_7_0, &set, "SET k v PXAT @20 | MULTI | DEL k | SET k w | EXEC");
    check(&VALKEY_9, &set, "SET k v PXAT @20 | MULTI | UNLINK k | SET k w | EXEC");
    let several = ["SET k v PX 20", "SET j v PX 20", "+50", "EXISTS k j"];
    check(
        &REDIS_7_0,
        &several,
        "SET k v PXAT @20 | SET j v PXAT @20 | MULTI | DEL k | DEL j | EXEC",
    );
    let inside = ["SET k v PX 20", "+50", "MULTI", "GET k", "EXEC"];
    check(&REDIS_6_2, &inside, "SET k v PX 20 | MULTI | DEL k | EXEC");
    check(&REDIS_7_0, &inside, "SET k v PXAT @20 | DEL k");
    check(&REDIS_4_0, &inside, "SET k v PX 20 | DEL k");
}

#[test]
fn a_chosen_lazyfree_lazy_expire_holds_for_every_deletion() {
    let yes = "CONFIG SET lazyfree-lazy-expire yes";
    let lines = [yes, "SET k v", "EXPIRE k -1", "SET k v PX 20", "+50", "GET k"];
    check(&REDIS_7_0, &lines, "SET k v | UNLINK k | SET k v PXAT @20 | UNLINK k");
    let lines = ["CONFIG SET lazyfree-lazy-expire no", "SET k v", "EXPIRE k 0", "SET k v", "DEL k"];
    check(&VALKEY_9, &lines, "SET k v | DEL k | SET k v | DEL k");
}

#[test]
fn times_to_live_are_written_as_the_engine_writes_them() {
    for (line, as_said, milliseconds, absolute) in [
        ("SET k v EX 100", "SET k v EX 100", "SET k v PX 100000", "SET k v PXAT @100000"),
        ("SET k v PX 5000 NX", "SET k v PX 5000 NX", "SET k v PX 5000", "SET k v PXAT @5000"),
        (
            "SET k v PXAT 2000000000123",
            "SET k v PXAT 2000000000123",
            "SET k v PXAT 2000000000123",
            "SET k v PXAT 2000000000123",
        ),
        ("SETEX k 100 v", "SETEX k 100 v", "SETEX k 100 v", "SET k v PXAT @100000"),
        ("psetex k 100 v", "psetex k 100 v", "psetex k 100 v", "SET k v PXAT @100"),
        ("EXPIRE before 100", "EXPIRE before 100", "EXPIRE before 100", "PEXPIREAT before @100000"),
        ("pexpire before 7", "pexpire before 7", "pexpire before 7", "PEXPIREAT before @7"),
        (
            "EXPIREAT before 2000000000",
            "EXPIREAT before 2000000000",
            "EXPIREAT before 2000000000",
            "PEXPIREAT before 2000000000000",
        ),
    ] {
        check(&REDIS_4_0, &[line], as_said);
        check(&REDIS_6_2, &[line], milliseconds);
        check(&REDIS_7_0, &[line], absolute);
        check(&VALKEY_9, &[line], absolute);
    }
}

#[test]
fn a_set_with_a_time_in_the_past_is_stored_by_redis_and_deletes_in_valkey() {
    let lines = ["SET k v", "SET k w EXAT 1", "EXISTS k"];
    check(&REDIS_7_0, &lines, "SET k v | SET k w PXAT 1000 | DEL k");
    check(&VALKEY_9, &lines, "SET k v | UNLINK k");
    check(&VALKEY_9, &["SET nope w EXAT 1"], "");
}

#[test]
fn commands_are_sent_as_they_came_where_nothing_speaks_against_it() {
    for engine in [&REDIS_6_2, &REDIS_7_0, &VALKEY_9] {
        for (line, sent) in [
            ("sEt k v", "sEt k v"),
            ("SET k v KEEPTTL", "SET k v KEEPTTL"),
            ("SET k w GET", "SET k w"),
            ("SET n v NX", "SET n v NX"),
            ("SETNX q 1", "SETNX q 1"),
            ("GETSET q 2", "SET q 2"),
            ("GETDEL before", "DEL before"),
            ("DEL before zz", "DEL before zz"),
            ("UNLINK before", "UNLINK before"),
            ("INCR i", "INCR i"),
            ("DECRBY i 2", "DECRBY i 2"),
            ("APPEND i x", "APPEND i x"),
            ("mset a 1 b 2", "mset a 1 b 2"),
            ("FLUSHALL ASYNC", "FLUSHALL ASYNC"),
            ("FLUSHDB", "FLUSHDB"),
        ] {
            check(engine, &[line], sent);
        }
    }
}

#[test]
fn keys_that_expire_by_themselves_are_no_transaction() {
    let lines = ["DEBUG SET-ACTIVE-EXPIRE 1", "SET a v PX 20", "SET b v PX 20", "+50"];
    check(&REDIS_7_0, &lines, "SET a v PXAT @20 | SET b v PXAT @20 | DEL a | DEL b");
    check(&VALKEY_9, &lines, "SET a v PXAT @20 | SET b v PXAT @20 | UNLINK a | UNLINK b");
}

#[test]
fn with_an_aof_unheard_commands_count_one_each_and_so_do_multi_and_exec() {
    let end = |engine: &'static Engine, lines: &[&str]| {
        let (mut lab, client) = Lab::with(engine, &[("appendonly", "yes")]);
        for line in lines {
            lab.send(client, line);
        }
        lab.servers[0].history().end.0
    };
    let two = ["MULTI", "SET a 1", "SET b 1", "EXEC"];
    assert_eq!((end(&VALKEY_9, &["SET a 1"]), end(&VALKEY_9, &two)), (1, 4));
    assert_eq!((end(&REDIS_7_2, &["SET a 1"]), end(&REDIS_7_0, &two)), (1, 0));
}
