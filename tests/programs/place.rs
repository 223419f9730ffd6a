//! A place for a server: a port of the loopback that was free, and a folder of its own.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that is free at this moment. Until it is taken somebody else can be faster, so whoever
/// starts a server on it tries again with another.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// A new folder below the system's one for temporary things. Whoever asked for it removes it.
pub fn new_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("psync-test-{}-{number}", process::id()));
    fs::create_dir_all(&folder).expect("a folder for a server");
    folder
}
