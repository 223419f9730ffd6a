//! The programs that tests stand beside each other: two real servers, and ours.
//!
//! Nobody skips a test because a program is missing: who cannot find one says how to get it.
//! Other test crates use it with `#[path = "../programs/mod.rs"] mod programs;`.
#![allow(dead_code, reason = "each test crate that includes this file uses its own share of it")]

pub mod patience;
pub mod place;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// `redis-server`, a Debian package.
pub fn redis_server() -> PathBuf {
    find("redis-server").expect("redis-server is missing: apt-get install redis-server")
}

/// `valkey-server`, which `cargo xtask test` unpacks into `.tools/bin`.
pub fn valkey_server() -> PathBuf {
    find("valkey-server").expect("valkey-server is missing: `cargo xtask test` installs it")
}

/// Our own `psync-server`, compiled once a test program, in the profile of the test itself.
pub fn psync_server() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build_psync_server).clone()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Last, so that PATH decides where `cargo xtask test` has not put it first.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin");
    let candidates = env::split_paths(&path).chain([own]).map(|folder| folder.join(program));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// An integration test of another package has no `CARGO_BIN_EXE_...`, so cargo is asked to build it
/// and says where it is.
fn build_psync_server() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("inside of the target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "psync-tcp", "--bin", "psync-server"]);
    cargo.args(["--quiet", "--message-format", "json", "--target-dir"]).arg(target);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let output = cargo.output().expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "psync-server cannot be built:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut executables = messages.filter_map(|message: serde_json::Value| {
        let of_server = message["target"]["name"] == "psync-server";
        message["executable"].as_str().filter(|_| of_server).map(PathBuf::from)
    });
    executables.next().expect("cargo names the program that it built")
}
