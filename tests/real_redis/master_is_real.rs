//! A real redis-server is the master, our server its replica.

use crate::client::Client;
use crate::keys::{assert_equal, assert_replica_equals_us, assert_we_equal_master, of_redis, ours};
use crate::ours::Ours;
use crate::proxy::Proxy;
use crate::redis::Redis;
use crate::until;

/// Strings in every encoding that a real snapshot has: integers of three widths, compressed and
/// plain text of all lengths, bytes that are no text.
fn fill(client: &mut Client) {
    for (db, numbers) in [(0, ["7", "-129", "30000"]), (2, ["123456789", "-2147483648", "0"])] {
        client.ok(&format!("SELECT {db}"));
        for number in numbers {
            client.ok(&format!("SET number{number} {number}"));
        }
        client.ok("SET beyond 12345678901234567890");
        client.ok("SET fading soon PX 3600000");
    }
    let fox = "the quick brown fox ".repeat(5000);
    client.call(&["SET", "compressed", &fox]);
    for count in [0, 1, 63, 64, 16383, 16384, 70_000] {
        let text: Vec<u8> =
            (0..count).map(|n: u32| (n.wrapping_mul(2654435761) >> 24) as u8).collect();
        client.call(&[&b"SET"[..], format!("length {count}").as_bytes(), &text]);
    }
    client.ok("SELECT 0");
}

/// Writes in several databases, alone and in transactions.
fn write(client: &mut Client, round: usize) {
    client.ok("SELECT 5");
    client.ok(&format!("SET round {round}"));
    client.ok("SET fading soon EX 3600");
    client.say("INCR counter");
    client.ok("MULTI");
    for line in ["SET in transaction", "SELECT 6", "APPEND grows abc", "SELECT 5", "INCR counter"] {
        assert_eq!(client.say(line), "QUEUED");
    }
    client.say("EXEC");
    client.ok("SET short lived PX 10");
    client.ok("MSET a 1 b 2 c 3");
    client.say("DEL a b");
    client.say("EXPIRE c 5000");
    let value = format!("{round}").repeat(20_000);
    client.call(&["SET", "large", &value]);
    client.ok("SELECT 0");
}

fn wait_until_short_lived_is_gone(master: &mut Redis) {
    let log = master.log.clone();
    until(
        "the short-lived key is deleted",
        || log.evidence(),
        || {
            let keys = of_redis(&mut master.client);
            (!keys.contains_key(&(5, "short".into()))).then_some(())
        },
    );
}

fn follows_through_cuts(diskless: &str) {
    let settings = ["--repl-diskless-sync-delay", "0", "--repl-backlog-size", "1mb"];
    let mut master = Redis::start(&[&settings[..], &["--repl-diskless-sync", diskless]].concat());
    fill(&mut master.client);
    let wire = Proxy::to(master.port());
    let us = Ours::replica_of(wire.port());
    assert_we_equal_master(&us, &mut master, 0);
    let form =
        if diskless == "yes" { "receiving streamed RDB" } else { "bytes from master to disk" };
    assert!(us.log().contains(form), "{}", us.log());

    for round in 1..=3 {
        write(&mut master.client, round);
        wait_until_short_lived_is_gone(&mut master);
        assert_we_equal_master(&us, &mut master, 0);
        assert_eq!(master.client.say("WAIT 1 20000"), "1", "our ACK answers GETACK");

        wire.cut();
        let log = master.log.clone();
        until(
            "both ends know of the cut",
            || log.evidence(),
            || {
                let down =
                    us.see(|server| server.link_phase() != Some(psync::server::Phase::Connected));
                (down && master.client.info("connected_slaves") == "0").then_some(())
            },
        );
        let from = us.end() + 1;
        write(&mut master.client, round + 10);
        wait_until_short_lived_is_gone(&mut master);
        let end: u64 = master.client.info("master_repl_offset").parse().expect("a number");
        wire.heal();
        assert_we_equal_master(&us, &mut master, 0);
        let line = format!(
            "Partial resynchronization request from 127.0.0.1:{} accepted. Sending {} bytes of \
             backlog starting from offset {from}.",
            us.port(),
            end + 1 - from
        );
        assert_eq!(master.log.has(&line), 1, "{line}\n{}", master.log.evidence());
        assert_eq!(master.client.info("sync_partial_ok"), round.to_string());
    }
    assert_eq!(master.client.info("sync_full"), "1");
}

#[test]
fn we_follow_a_real_master_that_streams_its_snapshot() {
    follows_through_cuts("yes");
}

#[test]
fn we_follow_a_real_master_that_sends_its_snapshot_from_disk() {
    follows_through_cuts("no");
}

#[test]
fn we_start_over_when_a_real_master_no_longer_has_what_we_missed() {
    let mut master =
        Redis::start(&["--repl-diskless-sync-delay", "0", "--repl-backlog-size", "16kb"]);
    fill(&mut master.client);
    let wire = Proxy::to(master.port());
    let us = Ours::replica_of(wire.port());
    assert_we_equal_master(&us, &mut master, 0);
    wire.cut();
    let log = master.log.clone();
    until(
        "the master knows of the cut",
        || log.evidence(),
        || (master.client.info("connected_slaves") == "0").then_some(()),
    );
    for round in 0..5 {
        write(&mut master.client, round);
    }
    wait_until_short_lived_is_gone(&mut master);
    wire.heal();
    assert_we_equal_master(&us, &mut master, 0);
    assert_eq!(master.client.info("sync_full"), "2");
    assert_eq!(master.client.info("sync_partial_err"), "1");
    assert_eq!(master.log.has("for lack of backlog"), 1, "{}", master.log.evidence());
}

#[test]
fn between_two_real_servers_we_pass_on_the_same_history() {
    let mut top = Redis::start(&["--repl-diskless-sync-delay", "0"]);
    fill(&mut top.client);
    let mut us = Ours::replica_of(top.port());
    assert_we_equal_master(&us, &mut top, 0);
    let wire = Proxy::to(us.port());
    let mut bottom = Redis::replica_of(wire.port());
    assert_replica_equals_us(&us, &mut bottom, 0);
    for round in 1..=2 {
        write(&mut top.client, round);
        wire.cut();
        let log = bottom.log.clone();
        until(
            "the bottom knows of the cut",
            || log.evidence(),
            || (bottom.client.info("master_link_status") == "down").then_some(()),
        );
        write(&mut top.client, round + 10);
        wait_until_short_lived_is_gone(&mut top);
        assert_we_equal_master(&us, &mut top, 0);
        wire.heal();
        assert_replica_equals_us(&us, &mut bottom, 0);
        assert_equal(&of_redis(&mut top.client), &of_redis(&mut bottom.client), 0);
        assert_eq!(us.client.info("sync_partial_ok"), round.to_string());
    }
    assert_eq!(top.client.info("sync_full"), "1");
    assert_eq!(us.client.info("sync_full"), "1");
    assert_eq!(ours(&us), of_redis(&mut top.client));
}
