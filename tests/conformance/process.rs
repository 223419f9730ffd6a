//! A server as a child process: in a folder and on a port of its own, ended when it is dropped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::kind::Kind;
use crate::programs::place::{free_port, new_folder};

/// How long a state is waited for; only a failing test takes so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

const LINES_SHOWN: usize = 30;

/// What every server is started with, so that nothing happens that nobody asked for.
const SETTINGS: [(&str, &str); 8] = [
    ("bind", "127.0.0.1"),
    ("save", ""),
    ("hz", "100"),
    ("repl-diskless-sync-delay", "0"),
    // No PING ever; the scenario that wants them says so.
    ("repl-ping-replica-period", "2147483647"),
    // Raw replicas acknowledge nothing by themselves.
    ("repl-timeout", "3600"),
    ("enable-debug-command", "yes"),
    ("loglevel", "notice"),
];

pub type Settings = Vec<(&'static str, String)>;

pub struct Process {
    pub kind: Kind,
    pub client: Client,
    child: Child,
    port: u16,
    folder: PathBuf,
    settings: Settings,
    /// How often it was started in this folder; each run logs into a file of its own.
    runs: u32,
    /// How far its log was read.
    read: usize,
}

impl Process {
    /// Starts one and waits until it answers.
    pub fn start(kind: Kind, settings: &[(&'static str, String)]) -> Process {
        let folder = new_folder();
        let (child, port, client) = launch(kind, &folder, settings, 1);
        let settings = settings.to_vec();
        let mut process = Process { kind, client, child, port, folder, settings, runs: 1, read: 0 };
        process.ready();
        process
    }

    /// Ends it without saving, and starts it again in the same folder. False if it does not end.
    pub fn restart(&mut self) -> bool {
        // The connection ends instead of a reply.
        let _ = self.client.try_call(&["SHUTDOWN", "NOSAVE"]);
        let child = &mut self.child;
        if wait_for(|| child.try_wait().ok().flatten()).is_none() {
            return false;
        }
        self.runs += 1;
        self.read = 0;
        (self.child, self.port, self.client) =
            launch(self.kind, &self.folder, &self.settings, self.runs);
        self.ready();
        true
    }

    /// Keys expire only when somebody looks at them, so that both sides do it at the same point.
    fn ready(&mut self) {
        self.client.ok("DEBUG SET-ACTIVE-EXPIRE 0");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// All fields of INFO.
    pub fn info(&mut self) -> BTreeMap<String, String> {
        let text = self.client.say("INFO everything");
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The whole log lines since they were last taken; they stay if `keep`.
    pub fn log_lines(&mut self, keep: bool) -> Vec<String> {
        let text = self.log();
        let new = text.get(self.read..).unwrap_or_default();
        let whole = new.rfind('\n').map_or(0, |end| end + 1);
        if !keep {
            self.read += whole;
        }
        new[..whole].lines().map(str::to_owned).collect()
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(log_file(&self.folder, self.runs)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The end of its log, for who has to find out what went wrong.
    pub fn evidence(&self) -> String {
        evidence(self.kind, self.port, &self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.evidence());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Looks until there is something to see, or gives up.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if seen.is_some() || Instant::now() >= end {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn launch(
    kind: Kind,
    folder: &Path,
    settings: &[(&'static str, String)],
    run: u32,
) -> (Child, u16, Client) {
    // Between finding a free port and taking it somebody else can be faster, so try anew.
    let mut why = String::new();
    for _ in 0..5 {
        match try_launch(kind, folder, settings, run) {
            Ok(launched) => return launched,
            Err(error) => why = error,
        }
    }
    panic!("{why}");
}

fn try_launch(
    kind: Kind,
    folder: &Path,
    settings: &[(&'static str, String)],
    run: u32,
) -> Result<(Child, u16, Client), String> {
    let port = free_port();
    let mut command = kind.command();
    command.args(["--port", &port.to_string(), "--dir"]).arg(folder);
    command.arg("--logfile").arg(log_file(folder, run));
    let usual = SETTINGS.iter().filter(|(name, _)| settings.iter().all(|(other, _)| name != other));
    let usual = usual.map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in usual.chain(settings.iter().cloned()) {
        command.arg(format!("--{name}"));
        // An empty value is one argument, several words are several.
        let words = value.split(' ').filter(|word| value.is_empty() || !word.is_empty());
        command.args(words);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", kind.name()))?;
    let log = || std::fs::read_to_string(log_file(folder, run)).unwrap_or_default();
    let answered = wait_for(|| {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(Err(format!("ended with {status}")));
        }
        // A replica that loads refuses INFO with an error, which is an answer too.
        let client = Client::connect(port).and_then(|mut client| {
            client.try_call(&["INFO", "server"])?;
            Ok(client)
        });
        client.ok().filter(|_| log().contains("Ready to accept connections")).map(Ok)
    });
    match answered {
        Some(Ok(client)) => Ok((child, port, client)),
        other => {
            let _ = child.kill();
            let output = child.wait_with_output().map(|output| output.stderr).unwrap_or_default();
            let why = other.map_or("does not answer".to_owned(), |r| r.err().unwrap_or_default());
            let said = String::from_utf8_lossy(&output).into_owned();
            Err(format!("{} {why}\n{said}{}", kind.name(), evidence(kind, port, &log())))
        }
    }
}

fn evidence(kind: Kind, port: u16, log: &str) -> String {
    let mut lines: Vec<&str> = log.lines().rev().take(LINES_SHOWN).collect();
    lines.reverse();
    format!("the end of the log of {} on port {port}:\n{}", kind.name(), lines.join("\n"))
}

fn log_file(folder: &Path, run: u32) -> PathBuf {
    folder.join(format!("run-{run}.log"))
}
