//! MULTI and its like, as the client sees them.

use psync::server::engine::{REDIS_7_0, VALKEY_9};

use crate::lab::Lab;

const ABORTED: &str = "-EXECABORT Transaction discarded because of previous errors.";

#[test]
fn a_transaction_answers_in_the_words_of_a_real_server() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    for (line, answer) in [
        ("EXEC", "-ERR EXEC without MULTI"),
        ("DISCARD", "-ERR DISCARD without MULTI"),
        ("MULTI", "+OK"),
        ("MULTI", "-ERR MULTI calls can not be nested"),
        ("SET a 1", "+QUEUED"),
        ("GET a", "+QUEUED"),
        ("INCR a", "+QUEUED"),
        ("GET a", "+QUEUED"),
        ("EXEC", "*4 +OK $1 1 :2 $1 2"),
        ("MULTI", "+OK"),
        ("foo", "-ERR unknown command 'foo', with args beginning with: "),
        ("SET a 9", "+QUEUED"),
        ("EXEC", ABORTED),
        ("MULTI", "+OK"),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("EXEC", ABORTED),
        ("GET a", "$1 2"),
        ("MULTI", "+OK"),
        ("WATCH a", "-ERR WATCH inside MULTI is not allowed"),
        ("UNWATCH", "+QUEUED"),
        ("WAIT 0 0", "+QUEUED"),
        ("SELECT 99", "+QUEUED"),
        ("INCRBY a x", "+QUEUED"),
        (
            "EXEC",
            "*4 +OK :0 -ERR DB index is out of range -ERR value is not an integer or out of range",
        ),
        ("MULTI", "+OK"),
        ("SAVE", "-ERR Command not allowed inside a transaction"),
        ("EXEC", ABORTED),
        (
            "EXEC x",
            "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' \
             command",
        ),
        ("MULTI x", "-ERR wrong number of arguments for 'multi' command"),
        ("MULTI", "+OK"),
        ("RESET", "+RESET"),
        ("EXEC", "-ERR EXEC without MULTI"),
    ] {
        assert_eq!(lab.say(client, line), answer.trim_end(), "{line}");
    }
}

#[test]
fn valkey_names_what_a_transaction_does_not_take_and_gives_it_up() {
    let (mut lab, client) = Lab::with(&VALKEY_9, &[]);
    for (line, answer) in [
        ("MULTI", "+OK"),
        ("MULTI", "-ERR Command 'multi' not allowed inside a transaction"),
        ("EXEC", ABORTED),
        ("MULTI", "+OK"),
        ("WATCH a", "-ERR Command 'watch' not allowed inside a transaction"),
        ("PSYNC ? -1", "-ERR Command 'psync' not allowed inside a transaction"),
        ("DISCARD", "+OK"),
    ] {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
}

#[test]
fn a_watched_key_that_was_written_or_is_over_stops_the_transaction() {
    for (between, gone) in [
        ("SET w 2", true),
        ("SET w 1", true),
        ("FLUSHALL", true),
        ("SET other 1", false),
        ("GET w", false),
        ("UNWATCH", false),
    ] {
        let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
        lab.say(client, "SET w 1");
        lab.say(client, "WATCH w");
        lab.say(client, between);
        lab.say(client, "MULTI");
        lab.say(client, "PING");
        let wanted = if gone { "*-1" } else { "*1 +PONG" };
        assert_eq!(lab.say(client, "EXEC"), wanted, "{between}");
        lab.say(client, "MULTI");
        assert_eq!(lab.say(client, "EXEC"), "*0", "it watches no more");
    }
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    lab.say(client, "DEBUG SET-ACTIVE-EXPIRE 0");
    lab.say(client, "SET w 1 PX 20");
    lab.say(client, "WATCH w");
    lab.pass_ms(50);
    lab.say(client, "MULTI");
    assert_eq!(lab.say(client, "EXEC"), "*-1");
    lab.say(client, "SET w 1 PX 20");
    lab.pass_ms(50);
    lab.say(client, "WATCH w");
    lab.say(client, "MULTI");
    assert_eq!(lab.say(client, "EXEC"), "*0", "it was over when it was named");
}

#[test]
fn an_effect_of_exec_that_the_role_forbids_discards_it() {
    let mut lab = Lab::new();
    let first = lab.start(&REDIS_7_0, &[], None);
    let second = lab.start(&REDIS_7_0, &[], None);
    let (client, other) = (lab.client(second), lab.client(second));
    lab.say(client, "MULTI");
    lab.say(client, "SET a 1");
    lab.say(other, &format!("REPLICAOF 127.0.0.1 {}", lab.address(first).port));
    assert_eq!(
        lab.say(client, "EXEC"),
        "-EXECABORT Transaction discarded because of: READONLY You can't write against a read \
         only replica."
    );
    assert_eq!(lab.say(client, "EXEC"), "-ERR EXEC without MULTI");
}

#[test]
fn a_transaction_that_makes_its_server_a_replica_leaves_the_stream_whole() {
    for engine in [&psync::server::engine::REDIS_6_2, &REDIS_7_0] {
        let mut lab = Lab::new();
        let first = lab.start(engine, &[], None);
        let second = lab.start(engine, &[], None);
        let client = lab.client(second);
        lab.raw_replica(second, 7777);
        for line in ["MULTI", "SET a 1", "REPLICAOF 127.0.0.1 7000", "SET b 1"] {
            lab.say(client, line);
        }
        assert_eq!(lab.say(client, "EXEC"), "*3 +OK +OK +OK");
        lab.pass_ms(3000);
        let ends = [first, second].map(|number| lab.servers[number].history().end);
        assert_eq!(ends[0], ends[1], "{}", engine.name);
        assert_eq!(lab.servers[first].data().digest(), lab.servers[second].data().digest());
    }
}
