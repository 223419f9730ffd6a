//! A server under measurement: a process of its own, on the loopback, in a folder of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use psync::server::engine::Engine;

/// Whom to start.
pub struct Seat {
    program: PathBuf,
    args: Vec<String>,
}

/// Ours, redis-server and valkey-server; none where one is not installed.
pub fn seats() -> [Option<Seat>; 3] {
    let engine = Engine::by_name("redis-7.0").map(|engine| engine.name);
    let args = engine.map_or_else(Vec::new, |name| vec!["--engine".to_owned(), name.to_owned()]);
    let ours = Seat { program: env!("CARGO_BIN_EXE_psync-server").into(), args };
    [Some(ours), real("redis-server"), real("valkey-server")]
}

/// A real server: the project's own copy, or one on PATH.
fn real(name: &str) -> Option<Seat> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin").join(name);
    let program = if own.is_file() { own } else { PathBuf::from(name) };
    let answers = Command::new(&program).arg("--version").stdout(Stdio::null()).status().is_ok();
    answers.then_some(Seat { program, args: Vec::new() })
}

pub struct Process {
    child: Child,
    pub port: u16,
    folder: PathBuf,
}

impl Process {
    /// Starts one and waits until it answers.
    pub fn start(seat: &Seat, args: &[&str]) -> Option<Process> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?.port();
        let folder = std::env::temp_dir().join(format!("psync-bench-{port}"));
        fs::create_dir_all(&folder).ok()?;
        let child = Command::new(&seat.program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(&folder)
            .args(["--repl-timeout", "3600", "--repl-diskless-sync-delay", "0"])
            .args(["--client-output-buffer-limit", "replica 2gb 0 0"])
            .args(&seat.args)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let process = Process { child, port, folder };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < end, "{} does not start", seat.program.display());
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(process)
    }

    /// `master_repl_offset`.
    pub fn offset(&self) -> u64 {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        socket.write_all(b"INFO replication\r\n").expect("sent");
        let mut text = String::new();
        let mut chunk = [0; 4096];
        while !text.contains("repl_backlog_histlen:") {
            let count = socket.read(&mut chunk).expect("an answer");
            text.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
        let value = text.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
        value.and_then(|value| value.parse().ok()).expect("a number")
    }

    /// How long it has computed, in user and system mode.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        // Fields 14 and 15, counted behind the name, which may hold blanks; in ticks of 10 ms.
        let behind = stat.rsplit(") ").next().expect("a name in brackets");
        let fields: Vec<&str> = behind.split(' ').collect();
        let ticks = |place: usize| fields[place].parse::<u64>().expect("a number");
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Memory in use (`VmRSS`), in MiB.
    pub fn rss_mib(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("it runs")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its own process only.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
