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
#[path = "../real_redis/proxy.rs"]
mod proxy;
#[path = "../real_redis/redis.rs"]
mod redis;
mod replica_is_real;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redis::Redis;

/// How long a state is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

/// Dual channel replication, and no waiting for others.
const TWO_CHANNELS: [&str; 4] =
    ["--dual-channel-replication-enabled", "yes", "--repl-diskless-sync-delay", "0"];
/// The same for ours.
const OUR_TWO_CHANNELS: [(&str, &str); 2] =
    [("dual-channel-replication-enabled", "yes"), ("repl-diskless-sync-delay", "0")];

/// A real valkey-server.
fn valkey(args: &[&str]) -> Redis {
    Redis::start_program(&program(), args)
}

fn program() -> PathBuf {
    let name = "valkey-server";
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin");
    let found = std::env::split_paths(&path).chain([own]).map(|folder| folder.join(name));
    let mut found = found.filter(|program| program.is_file());
    found.next().unwrap_or_else(|| panic!("no {name} on PATH or in .tools/bin"))
}

/// Looks until there is something to see. `what` names it, `evidence` is shown if it never comes.
#[track_caller]
fn until<T>(what: &str, evidence: impl Fn() -> String, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain until {what}\n{}", evidence());
        std::thread::sleep(Duration::from_millis(5));
    }
}
