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
#[path = "../programs/mod.rs"]
mod programs;
mod proxy;
mod redis;
mod replica_is_real;

use programs::patience::until;
