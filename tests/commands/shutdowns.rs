//! SHUTDOWN, SAVE, and a server that is busy.

use psync::server::engine::{REDIS_6_2, REDIS_7_0, VALKEY_9};

use crate::lab::Lab;

#[test]
fn a_server_without_replicas_stops_at_once_and_saves_when_told() {
    for (line, saves) in [("SHUTDOWN", 0), ("SHUTDOWN NOSAVE", 0), ("SHUTDOWN SAVE", 1)] {
        let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
        assert_eq!(lab.say(client, line), "");
        assert_eq!((lab.exited.clone(), lab.saves), (vec![0], saves), "{line}");
        assert!(lab.logged(0, "Redis is now ready to exit, bye bye..."));
    }
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    for line in ["SHUTDOWN foo", "SHUTDOWN NOSAVE SAVE"] {
        assert_eq!(lab.say(client, line), "-ERR syntax error");
    }
    assert_eq!(lab.say(client, "SHUTDOWN ABORT"), "-ERR No shutdown in progress.");
}

#[test]
fn a_master_waits_for_its_replicas_with_writes_paused() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[("shutdown-timeout", "3")]);
    let replica = lab.raw_replica(0, 7777);
    let writer = lab.client(0);
    lab.say(client, "SET a 1");
    lab.stream(replica);
    assert_eq!(lab.say(client, "SHUTDOWN"), "");
    assert_eq!(lab.stream(replica), ["REPLCONF GETACK *"]);
    assert_eq!(lab.say(writer, "GET a"), "$1 1");
    assert_eq!(lab.info(0, "shutdown_in_milliseconds"), "3000");
    assert_eq!(lab.say(writer, "SET a 2"), "");
    lab.pass_ms(1000);
    assert_eq!(lab.exited, Vec::<usize>::new());
    lab.ack_all(replica);
    assert_eq!(lab.exited, [0]);
    assert_eq!(lab.answers(writer), "", "it was never written");
    for line in [
        "User requested shutdown...",
        "Waiting for replicas before shutting down.",
        "1 of 1 replicas are in sync when shutting down.",
    ] {
        assert!(lab.logged(0, line), "{line}: {:#?}", lab.logs[0]);
    }
}

#[test]
fn a_master_does_not_wait_for_ever_and_can_be_called_back() {
    let (mut lab, client) = Lab::with(&VALKEY_9, &[("shutdown-timeout", "3")]);
    lab.raw_replica(0, 7777);
    let other = lab.client(0);
    lab.say(client, "SET a 1");
    lab.say(client, "SHUTDOWN");
    assert_eq!(lab.say(other, "SHUTDOWN ABORT"), "+OK");
    assert_eq!(lab.answers(client), "-ERR Errors trying to SHUTDOWN. Check logs.");
    assert!(lab.logged(0, "Shutdown manually aborted."));
    assert_eq!(lab.say(client, "SET a 2"), "+OK");
    lab.say(client, "SHUTDOWN");
    lab.pass_ms(2900);
    assert_eq!(lab.exited, Vec::<usize>::new());
    lab.pass_ms(200);
    assert_eq!(lab.exited, [0]);
    assert!(lab.logged(0, "Lagging replica 127.0.0.1:7777 reported offset "));
    assert!(lab.logged(0, "0 of 1 replicas are in sync when shutting down."));
}

#[test]
fn before_7_0_nobody_is_waited_for() {
    let (mut lab, client) = Lab::with(&REDIS_6_2, &[]);
    lab.raw_replica(0, 7777);
    lab.say(client, "SET a 1");
    assert_eq!(lab.say(client, "SHUTDOWN ABORT"), "-ERR syntax error");
    lab.say(client, "SHUTDOWN");
    assert_eq!(lab.exited, [0]);
}

#[test]
fn saves_are_counted_and_one_in_the_background_is_alone() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[("rdb-key-save-delay", "1000000")]);
    lab.say(client, "SET a 1");
    assert_eq!(lab.info(0, "rdb_changes_since_last_save"), "1");
    assert_eq!(lab.say(client, "BGSAVE"), "+Background saving started");
    assert_eq!(lab.info(0, "rdb_bgsave_in_progress"), "1");
    for line in ["BGSAVE", "SAVE", "BGSAVE SCHEDULE"] {
        assert_eq!(lab.say(client, line), "-ERR Background save already in progress", "{line}");
    }
    // A replica that comes and goes meanwhile does not end it.
    let replica = lab.raw_replica(0, 7777);
    lab.say(client, "CLIENT KILL TYPE replica");
    assert!(lab.closed.iter().any(|(_, conn)| *conn == replica.1));
    lab.pass_ms(1100);
    assert_eq!(lab.saves, 1);
    assert_eq!(lab.say(client, "SAVE"), "+OK");
    assert_eq!((lab.saves, lab.info(0, "rdb_saves").as_str()), (2, "2"));
    assert_eq!(lab.info(0, "rdb_changes_since_last_save"), "0");
    assert_eq!(lab.say(client, "LASTSAVE"), ":1700000002");
}

#[test]
fn a_busy_server_hears_nobody_until_it_is_done() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[("repl-ping-replica-period", "1")]);
    let other = lab.client(0);
    let replica = lab.raw_replica(0, 7777);
    lab.say(client, "DEBUG SLEEP 2.5");
    lab.send(client, "SET a 1");
    lab.send(other, "GET a");
    let late = lab.client(0);
    lab.send(late, "PING");
    lab.pass_ms(2400);
    assert_eq!(lab.answers(client) + &lab.answers(other) + &lab.answers(late), "");
    assert_eq!(lab.stream(replica), Vec::<String>::new(), "no timer runs");
    lab.pass_ms(200);
    assert_eq!(lab.answers(client), "+OK +OK");
    assert_eq!(lab.answers(other), "$1 1");
    assert_eq!(lab.answers(late), "+PONG");
    assert_eq!(lab.stream(replica)[..2], ["SELECT 0", "SET a 1"]);
}
