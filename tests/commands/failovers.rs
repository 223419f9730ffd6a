//! FAILOVER between servers wired together, and with replicas that lag.

use psync::server::engine::{REDIS_4_0, REDIS_7_0, VALKEY_9};

use crate::lab::{Client, Lab};

/// A master, two replicas of it, and one of the first of these.
fn chain(lab: &mut Lab) -> [usize; 4] {
    let top = lab.start(&REDIS_7_0, &[], None);
    let middle = lab.start(&REDIS_7_0, &[], Some(top));
    let other = lab.start(&REDIS_7_0, &[], Some(top));
    let bottom = lab.start(&REDIS_7_0, &[], Some(middle));
    lab.pass_ms(3000);
    [top, middle, other, bottom]
}

#[test]
fn master_and_replica_change_places_and_everybody_continues() {
    let mut lab = Lab::new();
    let [top, middle, other, bottom] = chain(&mut lab);
    let client = lab.client(top);
    lab.say(client, "SET a 1");
    assert_eq!(lab.say(client, "FAILOVER TO 127.0.0.1 7001 TIMEOUT 5000"), "+OK");
    lab.pass_ms(3000);
    assert_eq!(
        lab.say(client, "SET a 2"),
        "-READONLY You can't write against a read only replica."
    );
    let now = lab.client(middle);
    assert_eq!(lab.say(now, "SET a 3"), "+OK");
    lab.pass_ms(2000);
    for server in [top, other, bottom] {
        assert_eq!(lab.servers[server].data().digest(), lab.servers[middle].data().digest());
        assert_eq!(lab.info(server, "master_link_status"), "up", "{server}");
    }
    assert_eq!(lab.info(top, "role"), "slave");
    assert_eq!(lab.info(top, "master_failover_state"), "no-failover");
    let full: Vec<u64> = lab.servers.iter().map(|server| server.counters().sync_full).collect();
    assert_eq!(full, [2, 1, 0, 0], "only the first attaches were full");
    for line in [
        "FAILOVER requested to 127.0.0.1:7001.",
        "Failover target 127.0.0.1:7001 is synced, failing over.",
        "Before turning into a replica, using my own master parameters",
        "Successful partial resynchronization with master.",
        "Master replication ID changed to ",
    ] {
        assert!(lab.logged(top, line), "{line}: {:#?}", lab.logs[top]);
    }
    for line in [
        "Failover request received for replid ",
        "Setting secondary replication ID to ",
        "MASTER MODE enabled (failover request from 'id=",
    ] {
        assert!(lab.logged(middle, line), "{line}: {:#?}", lab.logs[middle]);
    }
}

/// A master of a bare replica that has not acknowledged its last write.
fn with_laggard(timeout: &str) -> (Lab, Client, Client) {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[("repl-ping-replica-period", "1")]);
    let replica = lab.raw_replica(0, 7777);
    lab.say(client, "SET a 1");
    lab.stream(replica);
    assert_eq!(lab.say(client, &format!("FAILOVER{timeout}")), "+OK");
    (lab, client, replica)
}

#[test]
fn writes_wait_for_the_end_of_a_failover_and_reads_do_not() {
    let (mut lab, client, replica) = with_laggard(" TIMEOUT 2000");
    assert_eq!(lab.info(0, "master_failover_state"), "waiting-for-sync");
    assert_eq!(lab.say(client, "GET a"), "$1 1");
    let (publisher, syncer, transactor) = (lab.client(0), lab.client(0), lab.client(0));
    lab.say(transactor, "MULTI");
    lab.say(transactor, "SET c 1");
    for (who, line) in [
        (client, "SET b 1"),
        (publisher, "PUBLISH c m"),
        (syncer, "PSYNC ? -1"),
        (transactor, "EXEC"),
    ] {
        assert_eq!(lab.say(who, line), "", "{line}");
    }
    lab.send(client, "GET b");
    lab.pass_ms(1900);
    assert_eq!(lab.stream(replica), Vec::<String>::new(), "not even a ping");
    lab.pass_ms(200);
    assert_eq!(lab.answers(client), "+OK $1 1");
    assert_eq!(lab.answers(publisher), ":0");
    assert!(lab.answers(syncer).starts_with("+FULLRESYNC"));
    assert_eq!(lab.answers(transactor), "*1 +OK");
    assert!(
        lab.logged(0, "FAILOVER to any replica aborted: Replica never caught up before timeout")
    );
}

#[test]
fn a_failover_without_a_timeout_pings_at_ten_times_the_rate() {
    let (mut lab, client, replica) = with_laggard("");
    lab.pass_ms(1000);
    assert!(lab.stream(replica).len() >= 9, "as a real 7.0.15 does");
    assert_eq!(lab.say(client, "FAILOVER ABORT"), "+OK");
    assert_eq!(lab.say(client, "FAILOVER ABORT"), "-ERR No failover in progress.");
}

#[test]
fn a_failover_is_refused_in_the_words_of_a_real_server() {
    let (mut lab, client) = Lab::with(&VALKEY_9, &[]);
    assert_eq!(lab.say(client, "FAILOVER"), "-ERR FAILOVER requires connected replicas.");
    let replica = lab.raw_replica(0, 7777);
    lab.say(client, "SET a 1");
    for (line, answer) in [
        ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0"),
        ("FAILOVER TO 1.2.3.4 5", "-ERR FAILOVER target HOST and PORT is not a replica."),
        (
            "FAILOVER TO 1.2.3.4 5 FORCE",
            "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        ),
        ("FAILOVER foo", "-ERR syntax error"),
        ("FAILOVER TO", "-ERR syntax error"),
        ("FAILOVER TIMEOUT x", "-ERR value is not an integer or out of range"),
        ("FAILOVER TIMEOUT 5 ABORT", "-ERR syntax error"),
        ("FAILOVER ABORT", "-ERR No failover in progress."),
        ("PSYNC ? x FAILOVER", "-ERR PSYNC FAILOVER can't be sent to a master."),
        ("FAILOVER", "+OK"),
        ("FAILOVER", "-ERR FAILOVER already in progress."),
        ("REPLICAOF NO ONE", "-ERR REPLICAOF not allowed while failing over."),
    ] {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
    lab.stream(replica);
    let second = lab.start(&VALKEY_9, &[], Some(0));
    let client = lab.client(second);
    assert_eq!(lab.say(client, "FAILOVER"), "-ERR FAILOVER is not valid when server is a replica.");
    let (mut lab, client) = Lab::with(&REDIS_4_0, &[]);
    assert!(lab.say(client, "FAILOVER").starts_with("-ERR unknown command `FAILOVER`"));
}

#[test]
fn a_replica_takes_over_only_in_its_own_history() {
    let mut lab = Lab::new();
    let [_, middle, ..] = chain(&mut lab);
    let client = lab.client(middle);
    assert_eq!(
        lab.say(client, "PSYNC ? -1 FAILOVER"),
        "-ERR PSYNC FAILOVER replid must match my replid."
    );
    let (id, next) = {
        let history = lab.servers[middle].history();
        (history.replid, history.end.next())
    };
    let answer = lab.say(client, &format!("PSYNC {id} {next} FAILOVER"));
    assert!(answer.starts_with("+CONTINUE"), "{answer}");
    assert_eq!(lab.info(middle, "role"), "master");
}

#[test]
fn a_target_that_is_not_there_is_tried_ten_times_a_second_until_told_otherwise() {
    let (mut lab, client, replica) = with_laggard(" TO 127.0.0.1 7777 FORCE TIMEOUT 300");
    lab.pass_ms(400);
    assert!(lab.logged(0, "Failover to 127.0.0.1:7777 time out exceeded, failing over."));
    assert_eq!(lab.info(0, "master_failover_state"), "failover-in-progress");
    let syncer = lab.client(0);
    assert_eq!(lab.say(syncer, "PSYNC ? -1"), "-NOMASTERLINK Can't SYNC while failing over");
    lab.pass_ms(1000);
    let tries = lab.logs[0].iter().filter(|line| line.starts_with("Connecting to MASTER")).count();
    assert!((9..=12).contains(&tries), "{tries}");
    assert_eq!(lab.say(client, "FAILOVER ABORT"), "+OK");
    assert!(lab.logged(0, "FAILOVER to 127.0.0.1:7777 aborted: Failover manually aborted"));
    assert_eq!(lab.info(0, "role"), "master");
    assert_eq!(lab.say(client, "SET a 5"), "+OK");
    assert!(lab.closed.iter().any(|(_, conn)| *conn == replica.1), "it must learn the new id");
}

#[test]
fn a_target_that_refuses_ends_the_failover() {
    let mut lab = Lab::new();
    let top = lab.start(&REDIS_7_0, &[], None);
    // Somebody else, and a master, where the replica is said to listen.
    lab.start(&REDIS_7_0, &[], None);
    let replica = lab.raw_replica(top, 7001);
    let client = lab.client(top);
    lab.say(client, "SET a 1");
    lab.ack_all(replica);
    assert_eq!(lab.say(client, "FAILOVER TIMEOUT 1000"), "+OK");
    assert!(lab.logged(top, "FAILOVER to 127.0.0.1:7001 aborted: Failover target rejected psync"));
    assert_eq!(lab.info(top, "role"), "master");
    assert_eq!(lab.say(client, "SET a 2"), "+OK");
}
