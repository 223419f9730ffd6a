//! Every form in which real masters of today send a snapshot, read by our newest engines.

use psync::server::engine::{Engine, REDIS_7_0, VALKEY_9};

use crate::client::Client;
use crate::keys::assert_we_equal_master;
use crate::ours::Ours;
use crate::redis::Redis;
use crate::valkey;

/// Strings in every encoding, with and without expiry.
fn fill(client: &mut Client) {
    for (db, numbers) in [(0, ["7", "-129", "30000"]), (2, ["123456789", "-2147483648", "0"])] {
        client.ok(&format!("SELECT {db}"));
        for number in numbers {
            client.ok(&format!("SET number{number} {number}"));
            client.ok(&format!("SET fading{number} {number} PX 3600000"));
        }
        client.ok("SET beyond 12345678901234567890");
    }
    let fox = "the quick brown fox ".repeat(5000);
    client.call(&["SET", "compressed", &fox]);
    for count in [0, 1, 63, 64, 16383, 16384, 70_000] {
        let text: Vec<u8> =
            (0..count).map(|n: u32| (n.wrapping_mul(2654435761) >> 24) as u8).collect();
        let key = format!("length {count}");
        client.call(&[&b"SET"[..], key.as_bytes(), &text, b"EX", b"3600"]);
    }
    client.ok("SELECT 0");
}

fn follows(mut master: Redis, engine: &'static Engine, form: &str) {
    fill(&mut master.client);
    let us = Ours::start(engine, &[], Some(master.port()));
    assert_we_equal_master(&us, &mut master, 0);
    assert!(us.log().contains(form), "{}", us.log());
    master.client.ok("SET after everything");
    assert_we_equal_master(&us, &mut master, 0);
    assert_eq!(master.client.info("sync_full"), "1");
}

const STREAMED: &str = "receiving streamed RDB";
const FILE: &str = "bytes from";

fn settings(diskless: &str) -> [&str; 4] {
    ["--repl-diskless-sync-delay", "0", "--repl-diskless-sync", diskless]
}

#[test]
fn redis_sends_a_stream_or_a_file() {
    follows(Redis::start(&settings("yes")), &REDIS_7_0, STREAMED);
    follows(Redis::start(&settings("no")), &REDIS_7_0, FILE);
    follows(Redis::start(&settings("no")), &VALKEY_9, FILE);
}

#[test]
fn valkey_sends_its_own_format_to_who_announces_its_version() {
    follows(valkey(&settings("yes")), &VALKEY_9, STREAMED);
    follows(valkey(&settings("no")), &VALKEY_9, FILE);
}

#[test]
fn valkey_streams_an_older_format_to_who_announces_none_whatever_the_setting() {
    follows(valkey(&settings("yes")), &REDIS_7_0, STREAMED);
    follows(valkey(&settings("no")), &REDIS_7_0, STREAMED);
}
