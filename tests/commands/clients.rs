//! CLIENT, and the commands about one's own connection.

use psync::server::engine::{REDIS_7_0, VALKEY_9};

use crate::lab::Lab;

#[test]
fn clients_are_named_listed_and_ended() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    let replica = lab.raw_replica(0, 7777);
    for (line, answer) in [
        ("CLIENT ID", ":3"),
        ("CLIENT GETNAME", "$-1"),
        ("CLIENT SETNAME foo", "+OK"),
        ("CLIENT GETNAME", "$3 foo"),
        ("CLIENT", "-ERR wrong number of arguments for 'client' command"),
        ("CLIENT SETNAME a b", "-ERR wrong number of arguments for 'client|setname' command"),
        ("CLIENT bad", "-ERR unknown subcommand 'bad'. Try CLIENT HELP."),
        ("CLIENT LIST foo", "-ERR syntax error"),
        ("CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'"),
        ("CLIENT LIST TYPE master", "$0"),
        ("CLIENT NO-EVICT on", "+OK"),
        ("CLIENT NO-EVICT maybe", "-ERR syntax error"),
        ("CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command"),
        ("CLIENT KILL foo", "-ERR No such client"),
        ("CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'"),
        ("CLIENT KILL ID 999", ":0"),
        ("CLIENT KILL ID x", "-ERR client-id should be greater than 0"),
        ("CLIENT KILL ADDR 1.2.3.4:5", ":0"),
        ("CLIENT KILL TYPE normal", ":0"),
        ("CLIENT KILL TYPE master", ":0"),
    ] {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
    let list = lab.say(client, "CLIENT LIST TYPE replica");
    assert!(list.contains("id=5 addr=127.0.0.1:40000") && list.contains("flags=S"), "{list}");
    let list = lab.say(client, "CLIENT INFO");
    assert!(list.contains("name=foo") && list.contains("cmd=client"), "{list}");
    assert_eq!(lab.say(client, "CLIENT KILL TYPE replica"), ":1");
    assert_eq!(lab.closed, [(0, replica.1)]);
    assert_eq!(lab.say(client, "CLIENT KILL ID 3 SKIPME no"), ":1");
    assert_eq!(lab.closed, [(0, replica.1), (0, client.1)]);
}

#[test]
fn a_replica_whose_link_is_ended_comes_back_and_continues() {
    let mut lab = Lab::new();
    let top = lab.start(&VALKEY_9, &[], None);
    let below = lab.start(&VALKEY_9, &[], Some(top));
    lab.pass_ms(2000);
    let client = lab.client(below);
    assert!(lab.say(client, "CLIENT LIST TYPE master").contains("flags=M"));
    assert_eq!(lab.say(client, "CLIENT KILL TYPE master"), ":1");
    assert_eq!(lab.info(below, "master_link_status"), "up");
    assert_eq!(lab.servers[top].counters().sync_partial_ok, 1);
    assert!(lab.logged(below, "Caching the disconnected primary state."));
}

#[test]
fn a_connection_greets_resets_and_quits() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    assert!(lab.say(client, "HELLO 2 SETNAME me").starts_with("*14 $6 server $5 redis $7 version"));
    for (line, answer) in [
        ("CLIENT GETNAME", "$2 me"),
        ("HELLO 3", "-NOPROTO unsupported protocol version"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
        ("SELECT 3", "+OK"),
        ("RESET", "+RESET"),
        ("CLIENT GETNAME", "$-1"),
        ("TIME", "*2 $10 1700000001 $1 0"),
        ("COMMAND foo", "-ERR unknown subcommand 'foo'. Try COMMAND HELP."),
        ("QUIT", "+OK"),
    ] {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
    assert_eq!(lab.closed, [(0, client.1)]);
    let client = lab.client(0);
    assert!(lab.say(client, "COMMAND DOCS get").starts_with("*2 $3 get"));
    let count = lab.say(client, "COMMAND COUNT");
    assert!(count.trim_start_matches(':').parse::<u32>().is_ok_and(|count| count > 40), "{count}");
    assert!(lab.say(client, "COMMAND").starts_with(&format!("*{} *6", &count[1..])));
}

#[test]
fn keys_are_looked_through() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    lab.say(client, "MSET a1 x a2 x b x");
    for (line, answer) in [
        ("KEYS a*", "*2 $2 a1 $2 a2"),
        ("SCAN 0", "*2 $1 0 *3 $2 a1 $2 a2 $1 b"),
        ("SCAN 0 COUNT 2", "*2 $1 2 *2 $2 a1 $2 a2"),
        ("SCAN 2 COUNT 2", "*2 $1 0 *1 $1 b"),
        ("SCAN 0 MATCH b TYPE string", "*2 $1 0 *1 $1 b"),
        ("SCAN 0 TYPE hash", "*2 $1 0 *0"),
        ("SCAN x", "-ERR invalid cursor"),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 foo", "-ERR syntax error"),
        ("TYPE a1", "+string"),
        ("TYPE nope", "+none"),
        ("MGET a1 nope", "*2 $1 x $-1"),
    ] {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
}

#[test]
fn a_replica_without_its_master_may_be_told_to_answer_nothing() {
    let mut lab = Lab::new();
    lab.start(&REDIS_7_0, &[], None);
    lab.unreachable.push(0);
    let replica = lab.start(&REDIS_7_0, &[("replica-serve-stale-data", "no")], Some(0));
    let client = lab.client(replica);
    let down = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    for line in ["GET a", "PING", "DBSIZE", "SAVE", "KEYS *"] {
        assert_eq!(lab.say(client, line), down, "{line}");
    }
    let readonly = "-READONLY You can't write against a read only replica.";
    for (line, answer) in
        [("SET a 1", readonly), ("SELECT 1", "+OK"), ("PUBLISH a b", ":0"), ("ECHO a", "$1 a")]
    {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
}
