//! A real redis-server is the replica, our server its master.

use bytes::Bytes;
use psync::random::{below, seeded};
use psync::stream::offset::{ByteCount, BytePos};
use psync::stream::psync::{Decision, FullReason};

use crate::client::Client;
use crate::keys::{assert_replica_equals_us, wait_until_replica_has_all};
use crate::ours::Ours;
use crate::proxy::Proxy;
use crate::redis::Redis;
use crate::until;

/// How much later a time given from now on may end on a replica: it counts from when it arrives.
const LATE_MS: u64 = 20_000;

/// Keys in several databases: text, nothing, every byte there is, numbers, and values larger than
/// one read of either side.
fn fill(client: &mut Client) {
    let every_byte: Vec<u8> = (0..=255).collect();
    client.call(&[&b"SET"[..], b"bytes", &every_byte]);
    client.call(&[&b"SET"[..], b"", b"the empty key"]);
    client.call(&[&b"SET"[..], b"empty", b""]);
    client.call(&[&b"SET"[..], &every_byte, b"\r\n$-1\r\n"]);
    client.call(&[&b"SET"[..], b"large", &noise(40_000)]);
    client.call(&[&b"SET"[..], b"larger", &noise(300_000)]);
    for db in [0, 3, 15] {
        client.ok(&format!("SELECT {db}"));
        client.ok("MSET greeting hello small 12 negative -129 big 12345678901 zeros 000");
        client.ok("SET fading soon PX 3600000");
        client.ok("SET dated x PXAT 4102444800123");
    }
    client.ok("SELECT 0");
}

fn noise(count: usize) -> Vec<u8> {
    let mut rng = seeded(count as u64);
    (0..count).map(|_| below(&mut rng, 256) as u8).collect()
}

/// Every data command of our table, with what it must answer.
fn stream_every_command(client: &mut Client) {
    for (line, reply) in [
        ("SELECT 9", "OK"),
        ("FLUSHDB", "OK"),
        ("SELECT 3", "OK"),
        ("FLUSHDB", "OK"),
        ("SET s v", "OK"),
        ("SET s w XX", "OK"),
        ("SET s never NX", "(nil)"),
        ("SET fresh 1 NX", "OK"),
        ("SET tmp v EX 1000", "OK"),
        ("SET tmp w KEEPTTL", "OK"),
        ("SET other v PX 1000000", "OK"),
        ("SET at v EXAT 4102444800", "OK"),
        ("SET at-ms v PXAT 4102444800123", "OK"),
        ("SELECT 9", "OK"),
        ("APPEND text abc", "3"),
        ("APPEND text def", "6"),
        ("STRLEN text", "6"),
        ("GET text", "abcdef"),
        ("INCR n", "1"),
        ("INCRBY n 41", "42"),
        ("DECR n", "41"),
        ("MSET a 1 b 2 c 3 d 4", "OK"),
        ("EXISTS a b nothing", "2"),
        ("DEL a nothing", "1"),
        ("UNLINK b", "1"),
        ("EXPIRE c 1000", "1"),
        ("PEXPIRE d 1000000", "1"),
        ("TTL c", "1000"),
        ("PTTL nothing", "-2"),
        ("MSET e 5 f 6 g 7", "OK"),
        ("EXPIREAT e 4102444800", "1"),
        ("PEXPIREAT f 4102444800123", "1"),
        ("EXPIRE g -1", "1"),
        ("PUBLISH channel message", "0"),
        ("DBSIZE", "6"),
        ("SELECT 7", "OK"),
        ("MSET x 1 y 2", "OK"),
        ("FLUSHDB", "OK"),
        ("SET gone soon PX 20", "OK"),
        ("SELECT 0", "OK"),
    ] {
        assert_eq!(client.say(line), reply, "{line}");
    }
    client.call(&[&b"APPEND"[..], b"large", &noise(50_000)]);
}

/// Its expiry goes into the stream as a DEL, at a time of its own.
fn wait_until_short_lived_is_gone(us: &Ours) {
    until(
        "the short-lived key is deleted",
        || us.log(),
        || us.see(|server| server.data().size_of(7) == (0, 0)).then_some(()),
    );
}

/// Cuts a wire and waits until both ends know; gives the next byte that the replica will ask for.
fn cut(wire: &Proxy, us: &Ours, replica: &mut Redis) -> BytePos {
    wire.cut();
    let log = replica.log.clone();
    until(
        "both ends know of the cut",
        || log.evidence(),
        || {
            let down = replica.client.info("master_link_status") == "down";
            let alone = us.see(|server| server.connected_replicas() == 0);
            (down && alone).then_some(())
        },
    );
    let applied: i64 = replica.client.info("slave_repl_offset").parse().expect("a number");
    BytePos(applied + 1)
}

#[test]
fn a_real_replica_receives_the_snapshot_and_then_every_command() {
    let mut us = Ours::master(&[]);
    fill(&mut us.client);
    let mut replica = Redis::replica_of(us.port());
    assert_replica_equals_us(&us, &mut replica, 0);
    assert_eq!(replica.log.has("Full resync from master"), 1);

    stream_every_command(&mut us.client);
    until(
        "the short-lived key is gone",
        || us.log(),
        || us.see(|server| server.data().size_of(7) == (0, 0)).then_some(()),
    );
    assert_replica_equals_us(&us, &mut replica, LATE_MS);

    us.client.ok("FLUSHALL");
    us.client.ok("SET after everything");
    assert_replica_equals_us(&us, &mut replica, 0);
    assert_eq!(us.client.info("sync_full"), "1");
    assert_eq!(replica.log.has("Full resync from master"), 1, "one snapshot was enough");
}

#[test]
fn after_a_cut_a_real_replica_is_sent_exactly_the_bytes_it_missed() {
    let mut us = Ours::master(&[]);
    fill(&mut us.client);
    let wire = Proxy::to(us.port());
    let mut replica = Redis::replica_of(wire.port());
    wait_until_replica_has_all(&us, &mut replica);

    for round in 1..=3 {
        let from = cut(&wire, &us, &mut replica);
        stream_every_command(&mut us.client);
        us.client.ok(&format!("SET round {round}"));
        wait_until_short_lived_is_gone(&us);
        let end = us.see(|server| server.history().end);
        let len = from.until(end.next()).expect("the replica is behind");
        assert!(len > ByteCount(50_000), "{len}");
        wire.heal();
        assert_replica_equals_us(&us, &mut replica, LATE_MS);
        let decided = us.decisions().pop().expect("it asked");
        assert_eq!(decided.decision, Decision::Partial { from, len });
        assert_eq!(us.client.info("sync_partial_ok"), round.to_string());
        let success = "Successful partial resynchronization with master";
        assert_eq!(replica.log.has(success), round);
        us.client.ok("SET live again");
        assert_replica_equals_us(&us, &mut replica, LATE_MS);
    }
    assert_eq!(us.client.info("sync_full"), "1");
    assert_eq!(us.decisions().len(), 4);
}

#[test]
fn a_connection_broken_by_either_server_is_continued() {
    let mut us = Ours::master(&[]);
    fill(&mut us.client);
    let mut replica = Redis::replica_of(us.port());
    wait_until_replica_has_all(&us, &mut replica);

    let attached = us.decisions().pop().expect("it asked").conn;
    us.handle().disconnect(attached).expect("it runs");
    us.client.ok("SET written meanwhile");
    let log = replica.log.clone();
    let continued = |us: &mut Ours, times: &str| {
        until(
            "it was continued",
            || log.evidence(),
            || (us.client.info("sync_partial_ok") == times).then_some(()),
        );
    };
    continued(&mut us, "1");
    assert_replica_equals_us(&us, &mut replica, 0);

    assert_eq!(replica.client.say("CLIENT KILL TYPE master"), "1");
    us.client.ok("SET written twice");
    continued(&mut us, "2");
    assert_replica_equals_us(&us, &mut replica, 0);
    assert_eq!(us.client.info("sync_full"), "1");
    assert_eq!(replica.log.has("Successful partial resynchronization with master"), 2);
}

#[test]
fn more_than_the_backlog_written_during_a_cut_means_a_full_resync() {
    let mut us = Ours::master(&[("repl-backlog-size", "16kb")]);
    fill(&mut us.client);
    let wire = Proxy::to(us.port());
    let mut replica = Redis::replica_of(wire.port());
    wait_until_replica_has_all(&us, &mut replica);

    let asked = cut(&wire, &us, &mut replica);
    for key in 0..20 {
        us.client.call(&[&b"SET"[..], format!("key {key}").as_bytes(), &noise(1000)]);
    }
    let first = us.see(|server| server.window()).expect("a backlog").first;
    assert!(asked < first, "{asked} was overwritten, {first} is kept");
    wire.heal();
    assert_replica_equals_us(&us, &mut replica, 0);
    let decided = us.decisions().pop().expect("it asked");
    let reason = FullReason::BeforeBacklog { asked, first };
    assert_eq!(decided.decision, Decision::Full { reason });
    assert_eq!(us.client.info("sync_full"), "2");
    assert_eq!(us.client.info("sync_partial_ok"), "0");
    assert_eq!(us.client.info("sync_partial_err"), "1");
    assert_eq!(replica.log.has("Full resync from master"), 2);
}

#[test]
fn a_real_master_turned_into_our_replica_asks_with_its_own_id_and_gets_everything() {
    let mut us = Ours::master(&[]);
    fill(&mut us.client);
    let mut replica = Redis::start(&[]);
    replica.client.ok("SET own data");
    let own = replica.client.info("master_replid");
    replica.client.ok(&format!("REPLICAOF 127.0.0.1 {}", us.port()));
    assert_replica_equals_us(&us, &mut replica, 0);
    let decided = us.decisions().remove(0);
    assert_eq!(decided.request.replid, Bytes::from(own));
    let Decision::Full { reason } = decided.decision else { panic!("{decided:?}") };
    assert_eq!(reason.name(), "unknown-replid");
    assert_eq!(us.client.info("sync_partial_err"), "1");
}
