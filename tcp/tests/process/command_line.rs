//! Started and ended as redis-server is.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use crate::child::{Folder, Server, ask, program, run, until};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn refused(output: &Output, says: &str) {
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains(says), "{said}");
}

#[test]
fn its_log_has_the_lines_that_a_harness_waits_for_in_a_real_servers_shape() {
    let server = Server::start(&["--repl-backlog-size", "16kb", "--rdbcompression", "no"]);
    let pid = server.pid();
    let log = server.log();
    for says in [
        format!("pid={pid}, just started"),
        "Warning: 'rdbcompression' is accepted but not modelled, it has no effect.".to_owned(),
        format!("Running mode=standalone, port={}.", server.port),
        format!(" PID: {pid}"),
        "Server initialized".to_owned(),
        "Ready to accept connections".to_owned(),
    ] {
        assert!(log.contains(&says), "{says}: {log}");
    }
    for line in log.lines() {
        let (process, rest) = line.split_once(':').expect("a prefix");
        assert_eq!(process, pid.to_string());
        let words: Vec<&str> = rest.splitn(7, ' ').collect();
        let [role, day, month, year, time, level, _] = words[..] else {
            panic!("not in shape: {line}")
        };
        assert!(["C", "M"].contains(&role) && ["*", "#"].contains(&level), "{line}");
        assert!(day.len() == 2 && month.len() == 3 && year.len() == 4, "{line}");
        assert_eq!(time.len(), "10:11:12.123".len(), "{line}");
    }
}

#[test]
fn sigterm_and_sigint_end_it_cleanly_with_a_real_servers_words() {
    for name in ["TERM", "INT"] {
        let folder = Folder::new();
        let pidfile = folder.0.join("pid");
        let mut server = Server::start(&["--pidfile", &pidfile.display().to_string()]);
        assert_eq!(fs::read_to_string(&pidfile).expect("written"), format!("{}\n", server.pid()));
        let mut client = server.connect();
        ask(&mut client, "PING\r\n", "+PONG\r\n");
        // A closing terminal is none of its business.
        server.signal("HUP");
        ask(&mut client, "PING\r\n", "+PONG\r\n");
        server.signal(name);
        assert_eq!(server.wait().code(), Some(0));
        let log = server.log();
        let mut rest = log.as_str();
        for says in [
            format!("Received SIG{name} scheduling shutdown..."),
            "User requested shutdown...".to_owned(),
            "Removing the pid file.".to_owned(),
            "is now ready to exit, bye bye...".to_owned(),
        ] {
            let at = rest.find(&says).unwrap_or_else(|| panic!("{says}: {log}"));
            rest = &rest[at..];
        }
        assert!(!pidfile.exists());
    }
}

#[test]
fn a_wrong_configuration_is_refused_in_a_real_servers_words() {
    for (args, says) in [
        (
            &["--nonsense", "3"][..],
            ">>> 'nonsense \"3\"'\nBad directive or wrong number of arguments",
        ),
        (&["--port", "abc"], ">>> 'port \"abc\"'\nargument couldn't be parsed into an integer"),
        (&["--replicaof", "1.2.3.4"], "at line 2\n>>> 'replicaof \"1.2.3.4\"'\nwrong number"),
        (&["--repl-backlog-size", "big"], "argument must be a memory value"),
        (&["--dir", "/nonexistent"], "No such file or directory"),
        (
            &["/nonexistent.conf"],
            "Fatal error, can't open config file '/nonexistent.conf': No such",
        ),
    ] {
        refused(&run(args), says);
    }
    let error = text(&run(&["--nonsense", "3"]).stderr);
    assert!(error.starts_with("\n*** FATAL CONFIG FILE ERROR ("), "{error}");
    assert!(error.contains("\nReading the configuration file, at line 2\n"), "{error}");
}

#[test]
fn an_address_that_others_can_reach_is_refused_unless_it_is_meant() {
    for bind in ["0.0.0.0", "*", "::*"] {
        let output = run(&["--port", "0", "--bind", bind]);
        refused(&output, "say --allow-remote yes if it is meant");
    }
    let server = Server::start(&["--bind", "127.0.0.1 127.0.0.2"]);
    server.assert_alive();
    std::net::TcpStream::connect(("127.0.0.2", server.port)).expect("the second address too");
}

#[test]
fn a_redis_conf_is_read_first_then_stdin_then_the_options() {
    let folder = Folder::new();
    let conf = folder.0.join("redis.conf");
    let log = folder.0.join("out.log");
    let lines = format!(
        "# a comment\nport 1\nrepl-timeout 7\nrepl-backlog-ttl 8\nlogfile \"{}\"\n",
        log.display()
    );
    fs::write(&conf, lines).expect("written");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("free").local_addr();
    let port = port.expect("bound").port().to_string();
    let mut child = program()
        .arg(&conf)
        .args(["--repl-backlog-ttl", "9", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdin = format!("port {port}\nrepl-backlog-ttl 5\n");
    child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("read");
    until("it is ready", || {
        fs::read_to_string(&log).ok().filter(|log| log.contains("Ready to accept"))
    });
    let mut client = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    ask(&mut client, "CONFIG GET repl-timeout\r\n", "*2\r\n$12\r\nrepl-timeout\r\n$1\r\n7\r\n");
    let ttl = "*2\r\n$16\r\nrepl-backlog-ttl\r\n$1\r\n9\r\n";
    ask(&mut client, "CONFIG GET repl-backlog-ttl\r\n", ttl);
    child.kill().expect("ours");
    child.wait().expect("ours");
}

#[test]
fn it_goes_to_the_background_when_asked() {
    let folder = Folder::new();
    let pidfile = folder.0.join("pid");
    let dir = folder.0.display().to_string();
    let pid_path = pidfile.display().to_string();
    let args = ["--port", "0", "--daemonize", "yes", "--logfile", "log", "--pidfile", &pid_path];
    let status = program().args(args).args(["--dir", &dir]).status().expect("it starts");
    assert!(status.success());
    let pid = until("it runs", || fs::read_to_string(&pidfile).ok().filter(|pid| !pid.is_empty()));
    let log = folder.0.join("log");
    let logged = |says: &str| fs::read_to_string(&log).ok().filter(|log| log.contains(says));
    until("it is ready", || logged("Ready to accept connections"));
    std::process::Command::new("kill").arg(pid.trim()).status().expect("kill runs");
    until("it ends", || logged("bye bye"));
}

#[test]
fn a_replica_started_from_the_command_line_follows_and_logs_as_one() {
    let master = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let mut client = master.connect();
    ask(&mut client, "SET a b\r\n", "+OK\r\n");
    let port = master.port.to_string();
    for address in
        [&["--replicaof", "127.0.0.1", &port][..], &["--slaveof", &format!("127.0.0.1 {port}")]]
    {
        let replica = Server::start(address);
        let mut client = replica.connect();
        until("it has the data", || {
            client.write_all(b"GET a\r\n").ok()?;
            let mut answer = [0; 5];
            std::io::Read::read_exact(&mut client, &mut answer).ok()?;
            if &answer != b"$1\r\nb" {
                return None;
            }
            Some(())
        });
        let line = until("it says so", || {
            let log = replica.log();
            log.lines().find(|line| line.contains("Finished with success")).map(str::to_owned)
        });
        assert!(line.starts_with(&format!("{}:S ", replica.pid())), "{line}");
    }
}

#[test]
fn version_and_help_are_no_errors() {
    for arg in ["-v", "--version", "-h", "--help"] {
        let output = run(&[arg]);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains(if arg.ends_with('v') || arg.ends_with("version") {
            "server v="
        } else {
            "Usage: psync-server"
        }));
    }
}

#[test]
fn a_wrong_configuration_is_refused_exactly_as_redis_server_does_it() {
    let cases: &[&[&str]] = &[
        &["--nonsense", "3"],
        &["--nonsense"],
        &["--port"],
        &["--port", "abc"],
        &["--port", "1", "2"],
        &["--PORT", "70000"],
        &["--replicaof", "x"],
        &["--replicaof", "a 1 2"],
        &["--slaveof", "a", "b", "c"],
        &["--repl-backlog-size", "big"],
        &["--repl-backlog-size", "1", "2"],
        &["--dir", "/nonexistent"],
        &["--logfile", "/nonexistent/x"],
        &["--loglevel", "foo"],
        &["--save", "1"],
        &["--save", "a", "b"],
        &["--daemonize", "maybe"],
        &["--repl-timeout", "0"],
        &["--maxclients", "-1"],
        &["--dbfilename", "a/b"],
        &["--repl-ping-slave-period", "x"],
        &["--repl-diskless-sync", "perhaps"],
        &["--client-output-buffer-limit", "foo", "1", "2", "3"],
        &["--client-query-buffer-limit", "1"],
        &["--port \"x"],
    ];
    // Debian's version may differ from the engine's; nothing else may.
    let shape = |output: &Output| {
        let error = text(&output.stderr);
        let error = error.lines().filter(|line| !line.starts_with("***"));
        (output.status.code(), error.map(str::to_owned).collect::<Vec<_>>())
    };
    for args in cases {
        let real = std::process::Command::new("redis-server").args(*args).output();
        let real = real.expect("redis-server is installed (Debian: redis-server)");
        assert_eq!(shape(&run(args)), shape(&real), "{args:?}");
    }
}
