//! Our server as the newest engines, and real ones of today, over TCP: dual channel replication in
//! both seats, and the snapshots that a real Valkey sends.
//!
//! As in `real_redis` each test starts its own processes and waits for states, never for times.
//! Without `valkey-server` on PATH or in `.tools/bin` they fail.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "the whole crate is a test, its helpers included")]
#![allow(dead_code, reason = "what it shares with real_redis is used there")]

#[path = "../real_redis/client.rs"]
mod client;
mod forms;
#[path = "../real_redis/keys.rs"]
mod keys;
mod master_is_real;
#[path = "../real_redis/ours.rs"]
mod ours;
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../real_redis/proxy.rs"]
mod proxy;
#[path = "../real_redis/redis.rs"]
mod redis;
mod replica_is_real;

use programs::patience::until;
use programs::valkey_server;
use redis::Redis;

/// Dual channel replication, and no waiting for others.
const TWO_CHANNELS: [&str; 4] =
    ["--dual-channel-replication-enabled", "yes", "--repl-diskless-sync-delay", "0"];
/// The same for ours.
const OUR_TWO_CHANNELS: [(&str, &str); 2] =
    [("dual-channel-replication-enabled", "yes"), ("repl-diskless-sync-delay", "0")];

/// A real valkey-server.
fn valkey(args: &[&str]) -> Redis {
    Redis::start_program(&valkey_server(), args)
}
