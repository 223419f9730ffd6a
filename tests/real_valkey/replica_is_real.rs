//! Our server is the master, a real valkey-server its replica on two channels.

use psync::server::Server;
use psync::server::engine::VALKEY_9;

use crate::keys::{assert_replica_equals_us, wait_until_replica_has_all};
use crate::ours::Ours;
use crate::proxy::Proxy;
use crate::redis::Redis;
use crate::{OUR_TWO_CHANNELS, TWO_CHANNELS, until, valkey};

fn counters(us: &Ours) -> [u64; 3] {
    let counters = us.see(Server::counters);
    [counters.sync_full, counters.sync_partial_ok, counters.sync_partial_err]
}

fn fill(us: &mut Ours, keys: usize) {
    let value = "v".repeat(1000);
    for key in 0..keys {
        us.client.ok(&format!("SET key:{key} {value}{key}"));
    }
    us.client.ok("SET fading soon PX 3600000");
}

fn replica_of(port: u16) -> Redis {
    let port = port.to_string();
    valkey(&[&TWO_CHANNELS[..], &["--replicaof", "127.0.0.1", &port]].concat())
}

#[test]
fn it_attaches_on_two_channels_and_is_continued_after_cuts() {
    let mut us = Ours::start(&VALKEY_9, &OUR_TWO_CHANNELS, None);
    fill(&mut us, 100);
    let wire = Proxy::to(us.port());
    let mut replica = replica_of(wire.port());
    assert_replica_equals_us(&us, &mut replica, 0);
    assert_eq!(counters(&us), [1, 1, 0]);
    assert_eq!(replica.log.has("PSYNC is not possible, initialize RDB channel."), 1);
    assert_eq!(replica.log.has("Successfully streamed replication data into memory"), 1);
    for round in 1..=3 {
        us.client.ok(&format!("SET round {round}"));
        wait_until_replica_has_all(&us, &mut replica);
        wire.cut();
        us.client.ok(&format!("SET away {round}"));
        wire.heal();
        assert_replica_equals_us(&us, &mut replica, 0);
        assert_eq!(counters(&us), [1, 1 + round, 0]);
    }
    let info = us.client.info("slave0");
    assert!(info.contains("state=online") && info.ends_with("type=replica"), "{info}");
    assert_eq!(us.client.info("connected_slaves"), "1");
}

#[test]
fn it_keeps_what_is_written_while_the_snapshot_is_made() {
    let mut us = Ours::start(&VALKEY_9, &OUR_TWO_CHANNELS, None);
    fill(&mut us, 1000);
    us.client.ok("CONFIG SET rdb-key-save-delay 2000");
    let mut replica = replica_of(us.port());
    let log = replica.log.clone();
    until(
        "the stream flows",
        || log.evidence(),
        || {
            let states = us.client.info("slave0") + &us.client.info("slave1");
            states.contains("state=bg_transfer").then_some(states)
        },
    );
    let mut most = 0;
    for n in 0..50 {
        us.client.ok(&format!("SET during {n}"));
        most = most.max(replica.client.info("replicas_repl_buffer_size").parse().unwrap_or(0));
    }
    assert!(most > 0, "nothing had to wait with it\n{}", us.log());
    assert_replica_equals_us(&us, &mut replica, 0);
    assert_eq!(counters(&us), [1, 1, 0]);
}

#[test]
fn a_replica_refused_by_its_id_is_counted_once_and_led_to_two_channels() {
    let mut us = Ours::start(&VALKEY_9, &OUR_TWO_CHANNELS, None);
    fill(&mut us, 10);
    let mut replica = valkey(&TWO_CHANNELS);
    let port = us.port();
    replica.client.ok(&format!("REPLICAOF 127.0.0.1 {port}"));
    assert_replica_equals_us(&us, &mut replica, 0);
    assert_eq!(counters(&us), [1, 1, 1]);
}
