//! Our server and real ones, over TCP.
//!
//! Each test starts its own processes on free ports of the loopback, so they run side by side.
//! They wait for states and never for times; who waits in vain says for what, and shows the end of
//! the real server's log. Without `redis-server` on this machine they fail.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "the whole crate is a test, its helpers included")]

mod client;
mod commands_are_real;
mod keys;
mod master_is_real;
mod ours;
mod proxy;
mod redis;
mod replica_is_real;

use std::time::{Duration, Instant};

/// How long a state is waited for. Far beyond what any of them takes, on a machine with other
/// work too; only a failing test takes so long.
const PATIENCE: Duration = Duration::from_secs(40);

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
