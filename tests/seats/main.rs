//! Our `psync-server` and real servers as one replicating system, as users run it.
//!
//! * `replica_seat`: ours follows a real master through random schedules of cuts, restarts,
//!   promotions and chains.
//! * `mixed_chains`: five servers of several kinds in trees that are drawn anew under load, in the
//!   manner of Redis' `tests/integration/psync2.tcl`.
//! * `restarts`: the end of that test, in which a replica and a master come back from snapshots.
//! * `failover`: `FAILOVER` both ways between ours and real ones.
//! * `five_stories`: those of Redis' `tests/integration/replication-psync.tcl`, both ways round.
//!
//! A schedule is a seed, which is printed:
//!
//!     PSYNC_SEED=7 PSYNC_SCHEDULES=10 cargo test --test seats
//!
//! Every server is a process of its own on the loopback, in a folder of its own, ended by the test
//! that started it. States are waited for, never times. Without `redis-server` and
//! `valkey-server` on this machine the tests fail.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "the whole crate is a test, its helpers included")]

#[path = "../real_redis/client.rs"]
mod client;
#[path = "../conformance_table/mod.rs"]
mod conformance_table;
mod data;
#[path = "../conformance/dice.rs"]
mod dice;
mod failover;
mod five_stories;
#[path = "../conformance/kind.rs"]
mod kind;
mod load;
mod mixed_chains;
#[path = "../programs/mod.rs"]
mod programs;
mod replica_seat;
mod restarts;
mod server;
mod sync_log;
mod wire;

use std::time::{SystemTime, UNIX_EPOCH};

use programs::patience::until;

/// A number from the environment, for who wants more than the usual, or the same again.
fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The seed of this run; said aloud, so that it can be repeated.
fn seed_for(test: &str) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Small enough to be typed, and different each time.
    let fresh = now.as_millis() as u64 % 1_000_000_007;
    let seed = from_environment("PSYNC_SEED").unwrap_or(fresh);
    println!("{test}: PSYNC_SEED={seed}");
    seed
}
