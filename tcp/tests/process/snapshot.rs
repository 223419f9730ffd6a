//! Snapshots on disk: written whole, loaded at start, never replaced by nothing.

use std::fs;

use crate::child::{Folder, Server, ask, run, until};
use crate::replica::full_resync;

#[test]
fn a_snapshot_made_for_a_replica_is_on_disk_and_loaded_by_the_next_process() {
    let args = ["--repl-diskless-sync", "no", "--dbfilename", "saved.rdb"];
    let server = Server::start(&args);
    let mut client = server.connect();
    ask(&mut client, "SET a b\r\n", "+OK\r\n");
    drop(full_resync(&server));
    let path = server.folder.0.join("saved.rdb");
    until("it is saved", || path.exists().then_some(()));
    assert!(fs::read(&path).expect("whole").starts_with(b"REDIS0"));
    let server = server.restart(&args);
    ask(&mut server.connect(), "GET a\r\n", "$1\r\nb\r\n");
    let log = server.log();
    for says in ["Loading RDB produced by", "keys loaded: 1", "DB loaded from disk: "] {
        assert!(log.contains(says), "{says}: {log}");
    }
}

#[test]
fn a_file_that_cannot_be_understood_ends_the_start_and_stays_as_it_is() {
    let folder = Folder::new();
    let path = folder.0.join("dump.rdb");
    fs::write(&path, b"REDIS0011 and then nonsense").expect("written");
    let dir = folder.0.display().to_string();
    let output = run(&["--port", "0", "--dir", &dir]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("Fatal error loading the DB"), "{said}");
    assert_eq!(fs::read(&path).expect("there"), b"REDIS0011 and then nonsense");
}
