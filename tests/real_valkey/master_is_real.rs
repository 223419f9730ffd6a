//! A real valkey-server is the master, our server its replica on two channels.

use psync::server::engine::VALKEY_9;

use crate::keys::assert_we_equal_master;
use crate::ours::Ours;
use crate::proxy::Proxy;
use crate::redis::Redis;
use crate::{OUR_TWO_CHANNELS, TWO_CHANNELS, until, valkey};

fn counters(master: &mut Redis) -> [String; 3] {
    ["sync_full", "sync_partial_ok", "sync_partial_err"].map(|name| master.client.info(name))
}

fn fill(master: &mut Redis, keys: usize) {
    let value = "v".repeat(1000);
    for key in 0..keys {
        master.client.ok(&format!("SET key:{key} {value}{key}"));
    }
    master.client.ok("SET fading soon PX 3600000");
}

#[test]
fn an_attach_on_two_channels_counts_one_full_and_one_partial_and_cuts_are_continued() {
    let mut master = valkey(&TWO_CHANNELS);
    fill(&mut master, 100);
    let wire = Proxy::to(master.port());
    let us = Ours::start(&VALKEY_9, &OUR_TWO_CHANNELS, Some(wire.port()));
    assert_we_equal_master(&us, &mut master, 0);
    assert!(us.log().contains("PSYNC is not possible, initialize RDB channel."), "{}", us.log());
    assert_eq!(counters(&mut master), ["1", "1", "0"]);
    for round in 1..=3 {
        master.client.ok(&format!("SET round {round}"));
        assert_we_equal_master(&us, &mut master, 0);
        assert_eq!(master.client.say("WAIT 1 20000"), "1");
        wire.cut();
        master.client.ok(&format!("SET away {round}"));
        wire.heal();
        assert_we_equal_master(&us, &mut master, 0);
        assert_eq!(
            counters(&mut master),
            ["1".to_owned(), (round + 1).to_string(), "0".to_owned()]
        );
    }
}

#[test]
fn what_is_written_while_the_snapshot_is_made_waits_with_us() {
    let mut master = valkey(&TWO_CHANNELS);
    fill(&mut master, 1000);
    // Half a second for the thousand of them.
    master.client.ok("CONFIG SET rdb-key-save-delay 500");
    let us = Ours::start(&VALKEY_9, &OUR_TWO_CHANNELS, Some(master.port()));
    let log = master.log.clone();
    until(
        "the stream flows",
        || log.evidence(),
        || {
            (master.client.info("slave0").contains("bg_transfer")
                || master.client.info("slave1").contains("bg_transfer"))
            .then_some(())
        },
    );
    let mut most = 0;
    for n in 0..50 {
        master.client.ok(&format!("SET during {n}"));
        most = most.max(us.see(|server| server.link().map_or(0, |link| link.buffered)));
    }
    assert_we_equal_master(&us, &mut master, 0);
    assert!(most > 0, "nothing had to wait\n{}", us.log());
    assert_eq!(counters(&mut master), ["1", "1", "0"]);
    until(
        "it calls us online",
        || log.evidence(),
        || {
            let state = master.client.info("slave0");
            (state.contains("state=online") && state.contains("type=replica")).then_some(())
        },
    );
}

#[test]
fn a_limit_on_what_waits_with_us_stops_the_reading_and_loses_nothing() {
    let mut master = valkey(&TWO_CHANNELS);
    fill(&mut master, 1000);
    master.client.ok("CONFIG SET rdb-key-save-delay 1000");
    let limit = [("client-output-buffer-limit", "replica 10kb 0 0")];
    let us = Ours::start(&VALKEY_9, &[&OUR_TWO_CHANNELS[..], &limit].concat(), Some(master.port()));
    let log = master.log.clone();
    until(
        "the stream flows",
        || log.evidence(),
        || us.log().contains("RDB load in background").then_some(()),
    );
    let value = "w".repeat(10_000);
    for n in 0..100 {
        master.client.ok(&format!("SET during:{n} {value}"));
    }
    assert_we_equal_master(&us, &mut master, 0);
    assert!(us.log().contains("Replication buffer limit reached (10240 bytes)"), "{}", us.log());
    assert_eq!(counters(&mut master), ["1", "1", "0"]);
}

#[test]
fn a_cut_in_the_middle_of_the_transfer_begins_the_whole_attempt_anew() {
    let mut master = valkey(&TWO_CHANNELS);
    fill(&mut master, 1000);
    master.client.ok("CONFIG SET rdb-key-save-delay 500");
    let wire = Proxy::to(master.port());
    let us = Ours::start(&VALKEY_9, &OUR_TWO_CHANNELS, Some(wire.port()));
    let log = master.log.clone();
    until(
        "the stream flows",
        || log.evidence(),
        || us.log().contains("RDB load in background").then_some(()),
    );
    wire.cut();
    wire.heal();
    master.client.ok("CONFIG SET rdb-key-save-delay 0");
    master.client.ok("SET after cut");
    assert_we_equal_master(&us, &mut master, 0);
    assert!(us.log().contains("Aborting dual channel sync"), "{}", us.log());
}
