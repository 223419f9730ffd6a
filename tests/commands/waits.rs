//! WAIT, and min-replicas-to-write.

use psync::server::engine::{REDIS_2_8, REDIS_6_2, REDIS_7_0, VALKEY_9};

use crate::lab::Lab;

const GETACK: &str = "REPLCONF GETACK *";

#[test]
fn wait_asks_once_a_turn_and_counts_who_has_what_the_client_wrote() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    let replicas = [lab.raw_replica(0, 7001), lab.raw_replica(0, 7002)];
    assert_eq!(lab.say(client, "WAIT 2 0"), ":2", "nothing was written");
    lab.say(client, "SET a 1");
    let end = lab.servers[0].history().end.0;
    assert_eq!(lab.say(client, "WAIT 0 0"), ":0");
    lab.stream(replicas[0]);
    assert_eq!(lab.say(client, "WAIT 2 0"), "");
    lab.send(client, "SET b 1");
    assert_eq!(lab.stream(replicas[0]), [GETACK], "what follows WAIT waits");
    assert_eq!(lab.servers[0].history().end.0, end + 37);
    lab.send(replicas[0], &format!("REPLCONF ACK {end}"));
    assert_eq!(lab.answers(client), "");
    lab.send(replicas[1], &format!("REPLCONF ACK {}", end - 1));
    assert_eq!(lab.answers(client), "");
    lab.send(replicas[1], &format!("REPLCONF ACK {end}"));
    assert_eq!(lab.answers(client), ":2 +OK");
}

#[test]
fn two_who_wait_in_one_turn_make_one_question() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    let replica = lab.raw_replica(0, 7001);
    let other = lab.client(0);
    lab.say(client, "SET a 1");
    lab.say(other, "GET a");
    lab.stream(replica);
    lab.say(client, "WAIT 1 0");
    lab.say(other, "WAIT 1 0");
    assert_eq!(lab.stream(replica), [GETACK, GETACK], "two turns");
    let both = psync::wire::encode_command(&["WAIT", "2", "100"]);
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    let replica = lab.raw_replica(0, 7001);
    lab.send_bytes(client, bytes::Bytes::from([both.clone(), both].concat()));
    lab.pass_ms(250);
    assert_eq!(lab.answers(client), ":1 :1");
    assert_eq!(lab.stream(replica), [GETACK, GETACK]);
}

#[test]
fn at_the_end_of_its_patience_wait_gives_the_count_it_has_reached() {
    let (mut lab, client) = Lab::with(&VALKEY_9, &[]);
    lab.raw_replica(0, 7001);
    lab.say(client, "SET a 1");
    lab.say(client, "WAIT 5 50");
    lab.pass_ms(49);
    assert_eq!(lab.answers(client), "");
    lab.pass_ms(1);
    assert_eq!(lab.answers(client), ":0");
    assert_eq!(lab.info(0, "blocked_clients"), "0");
}

#[test]
fn a_client_that_leaves_while_it_waits_is_forgotten() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    lab.raw_replica(0, 7001);
    lab.say(client, "SET a 1");
    lab.say(client, "WAIT 1 0");
    assert_eq!(lab.info(0, "blocked_clients"), "1");
    let other = lab.client(0);
    assert_eq!(lab.say(other, "CLIENT KILL ID 3"), ":1");
    assert_eq!(lab.info(0, "blocked_clients"), "0");
}

#[test]
fn wait_is_refused_in_the_words_of_the_engine() {
    for (engine, words) in [
        (&REDIS_7_0, "since Redis 4.0 if a replica is configured"),
        (&VALKEY_9, "note that if a replica is configured"),
    ] {
        let (mut lab, client) = Lab::with(engine, &[]);
        for (line, answer) in [
            ("WAIT x 1", "-ERR value is not an integer or out of range"),
            ("WAIT 1 x", "-ERR timeout is not an integer or out of range"),
            ("WAIT 1 -1", "-ERR timeout is negative"),
            ("WAIT", "-ERR wrong number of arguments for 'wait' command"),
            ("WAIT -1 0", ":0"),
        ] {
            assert_eq!(lab.say(client, line), answer, "{line}");
        }
        let replica = lab.start(engine, &[], Some(0));
        let client = lab.client(replica);
        assert!(lab.say(client, "WAIT 0 0").contains(words), "{}", engine.name);
    }
    let (mut lab, client) = Lab::with(&REDIS_2_8, &[]);
    assert!(lab.say(client, "WAIT 0 0").starts_with("-ERR unknown command"));
}

#[test]
fn real_replicas_answer_and_wait_returns() {
    let mut lab = Lab::new();
    let top = lab.start(&REDIS_7_0, &[], None);
    let middle = lab.start(&REDIS_7_0, &[], Some(top));
    lab.start(&REDIS_7_0, &[], Some(top));
    lab.start(&REDIS_7_0, &[], Some(middle));
    lab.pass_ms(3000);
    let client = lab.client(top);
    lab.say(client, "SET a 1");
    assert_eq!(lab.say(client, "WAIT 2 1000"), ":2", "its own replicas, not theirs");
}

#[test]
fn a_master_with_too_few_good_replicas_does_not_write() {
    let settings = [("min-replicas-to-write", "1"), ("min-replicas-max-lag", "2")];
    let (mut lab, client) = Lab::with(&REDIS_6_2, &settings);
    let refused = "-NOREPLICAS Not enough good replicas to write.";
    assert_eq!(lab.say(client, "SET a 1"), refused);
    assert_eq!(lab.say(client, "GET a"), "$-1");
    assert_eq!(lab.say(client, "PUBLISH c m"), ":0");
    assert_eq!(lab.info(0, "min_slaves_good_slaves"), "0");
    let replica = lab.raw_replica(0, 7001);
    lab.ack_all(replica);
    assert_eq!(lab.say(client, "SET a 1"), "+OK");
    assert_eq!(lab.info(0, "min_slaves_good_slaves"), "1");
    lab.pass_ms(4000);
    assert_eq!(lab.say(client, "SET a 1"), refused, "it was not heard of for 4 seconds");
    lab.say(client, "MULTI");
    assert_eq!(lab.say(client, "SET a 1"), refused);
    assert!(lab.say(client, "EXEC").starts_with("-EXECABORT"));
    lab.say(client, "CONFIG SET min-replicas-max-lag 0");
    assert_eq!(lab.say(client, "SET a 1"), "+OK", "a lag of 0 asks for none");
}
