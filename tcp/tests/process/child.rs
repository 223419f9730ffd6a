//! A `psync-server` process of a test's own, on the loopback, ended with the test.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a state, never for a time.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The program, to be started with redis-server's own arguments.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_psync-server"))
}

/// Runs it to its end.
pub fn run(args: &[&str]) -> Output {
    program().args(args).stdin(Stdio::null()).output().expect("the program starts")
}

/// A folder of a test's own, removed with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("psync-process-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Server {
    child: Child,
    pub port: u16,
    pub folder: Folder,
}

impl Server {
    /// Starts one on a free port and waits until it is ready. It logs to a file of its own.
    pub fn start(args: &[&str]) -> Server {
        // Another process may take the port between looking and listening; then look again.
        (0..20).find_map(|_| Server::try_start(args, Folder::new()).ok()).expect("a free port")
    }

    /// Kills it and starts another one in its folder.
    pub fn restart(mut self, args: &[&str]) -> Server {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let folder = std::mem::replace(&mut self.folder, Folder::new());
        drop(self);
        let again = |folder, _| match Server::try_start(args, folder) {
            Ok(server) => ControlFlow::Break(server),
            Err(folder) => ControlFlow::Continue(folder),
        };
        (0..20).try_fold(folder, again).break_value().expect("a free port")
    }

    /// Gives the folder back when the port was taken.
    fn try_start(args: &[&str], folder: Folder) -> Result<Server, Folder> {
        Server::try_to(program(), args, folder)
    }

    /// Starts one that may have so many files open.
    pub fn start_with_few_files(files: u32) -> Server {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_psync-server")]);
        Server::try_to(shell, &[], Folder::new()).ok().expect("a free port")
    }

    fn try_to(mut command: Command, args: &[&str], folder: Folder) -> Result<Server, Folder> {
        let _ = fs::remove_file(folder.0.join("log"));
        let port = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            listener.local_addr().expect("bound").port()
        };
        command.args(["--port", &port.to_string(), "--logfile", "log", "--dir"]);
        command.arg(&folder.0).args(["--save", ""]).args(args);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
        let mut server = Server { child, port, folder };
        until("it is ready or ends", || {
            let ended = server.child.try_wait().expect("ours").is_some();
            (ended || server.log().contains("Ready to accept connections")).then_some(())
        });
        let refused = server.log().contains("Address already in use");
        let ended = server.child.try_wait().expect("ours");
        assert!(ended.is_none() || refused, "it did not start: {}", server.log());
        if ended.is_none() {
            return Ok(server);
        }
        Err(std::mem::replace(&mut server.folder, Folder::new()))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("supported");
        socket
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// How it ended.
    pub fn wait(&mut self) -> ExitStatus {
        until("it ends", || self.child.try_wait().expect("ours"))
    }

    /// Memory in use, in MiB (`VmRSS`).
    pub fn rss_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    /// How many files it has open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count()
    }

    /// It still answers newcomers.
    #[track_caller]
    pub fn assert_alive(&self) {
        ask(&mut self.connect(), "PING\r\n", "+PONG\r\n");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its own process only, and only if it still runs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends text and reads exactly as much as the answer is long.
#[track_caller]
pub fn ask(socket: &mut TcpStream, text: &str, answer: &str) {
    socket.write_all(text.as_bytes()).expect("sent");
    let mut read = vec![0; answer.len()];
    socket.read_exact(&mut read).expect("answered");
    assert_eq!(String::from_utf8_lossy(&read), answer, "{text:?}");
}

/// Reads until the peer ends the connection, one way or the other.
pub fn read_to_end(socket: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut chunk = [0; 64 * 1024];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it never ended");
                return all;
            }
        }
    }
}
