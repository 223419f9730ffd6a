//! The real `redis-cli` works against it.

use std::process::Command;

use crate::child::Server;

/// Runs redis-cli, which must be installed, and gives what it prints.
#[track_caller]
fn cli(server: &Server, args: &[&str]) -> String {
    let port = server.port.to_string();
    let output = Command::new("redis-cli").args(["-p", &port]).args(args).output();
    let output = output.expect("redis-cli is installed (Debian: redis-tools)");
    assert!(output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")
}

#[test]
fn redis_cli_sets_gets_and_looks_around() {
    let server = Server::start(&["--repl-backlog-size", "32kb"]);
    assert_eq!(cli(&server, &["set", "a", "b c"]), "OK\n");
    assert_eq!(cli(&server, &["get", "a"]), "b c\n");
    assert_eq!(cli(&server, &["get", "nothing"]), "\n");
    assert_eq!(cli(&server, &["incr", "n"]), "1\n");
    assert_eq!(cli(&server, &["role"]), "master\n0\n\n");
    let info = cli(&server, &["info", "replication"]);
    assert!(info.starts_with("# Replication\nrole:master\n"), "{info}");
    assert!(info.contains("\nrepl_backlog_size:32768\n"), "{info}");
    let config = cli(&server, &["config", "get", "repl-*"]);
    assert!(config.contains("repl-backlog-size\n32768\n"), "{config}");
    assert!(config.contains("repl-timeout\n60\n"), "{config}");
    let unknown = cli(&server, &["nonsense"]);
    assert!(unknown.starts_with("ERR unknown command"), "{unknown}");
}

#[test]
fn redis_cli_pipes_a_stream_of_commands() {
    let server = Server::start(&[]);
    let commands: String = (0..5000).map(|i| format!("SET key:{i} {i}\r\n")).collect();
    let file = server.folder.0.join("commands");
    std::fs::write(&file, commands).expect("written");
    let port = server.port.to_string();
    let output = Command::new("redis-cli")
        .args(["-p", &port, "--pipe"])
        .stdin(std::fs::File::open(&file).expect("there"))
        .output()
        .expect("redis-cli is installed (Debian: redis-tools)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("errors: 0, replies: 5000"), "{said}");
    assert_eq!(cli(&server, &["get", "key:4999"]), "4999\n");
}
