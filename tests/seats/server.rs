//! A server as a child process: on one port and in one folder through all its restarts.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::client::Client;
use crate::kind::Kind;
use crate::programs::place::{free_port, new_folder};
use crate::until;

const LINES_SHOWN: usize = 60;

/// What every server is started with, unless told otherwise.
const SETTINGS: [(&str, &str); 10] = [
    ("bind", "127.0.0.1"),
    // Never by time, but SIGTERM saves.
    ("save", "3600 1000000000"),
    ("hz", "100"),
    ("repl-diskless-sync-delay", "0"),
    // PING moves the offset. Who wants some says so.
    ("repl-ping-replica-period", "2147483647"),
    ("repl-backlog-ttl", "3600"),
    ("enable-debug-command", "yes"),
    ("loglevel", "notice"),
    ("repl-timeout", "60"),
    ("tcp-backlog", "128"),
];

pub type Settings<'a> = &'a [(&'static str, &'a str)];

pub struct Server {
    pub kind: Kind,
    pub client: Client,
    child: Child,
    port: u16,
    folder: PathBuf,
    settings: Vec<(&'static str, String)>,
    /// How often it was started; each run logs into a file of its own.
    runs: u32,
}

impl Server {
    /// Starts one and waits until it answers.
    pub fn start(kind: Kind, settings: Settings) -> Server {
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        // Between finding a free port and taking it somebody else can be faster, so try anew.
        let mut why = String::new();
        for _ in 0..5 {
            let (folder, port) = (new_folder(), free_port());
            match launch(kind, port, &folder, &settings, 1) {
                Ok((child, client)) => {
                    return Server { kind, client, child, port, folder, settings, runs: 1 };
                }
                Err(error) => why = error,
            }
            let _ = std::fs::remove_dir_all(&folder);
        }
        panic!("{why}");
    }

    /// Ends it as an operator does, so that it saves.
    pub fn end(&mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success(), "kill -TERM {pid}");
        let child = &mut self.child;
        let (kind, port) = (self.kind, self.port);
        let what = || format!("{} on port {port}", kind.name());
        until("it has ended", what, || child.try_wait().ok().flatten());
    }

    /// Ends it as a lost machine does.
    pub fn crash(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the same port, in the same folder, following `master` if that is a port.
    pub fn again(&mut self, master: Option<u16>) {
        self.runs += 1;
        self.settings.retain(|(name, _)| *name != "replicaof");
        if let Some(port) = master {
            self.settings.push(("replicaof", format!("127.0.0.1 {port}")));
        }
        let launched = launch(self.kind, self.port, &self.folder, &self.settings, self.runs);
        (self.child, self.client) = launched.unwrap_or_else(|why| panic!("{why}"));
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::OursAsRedis | Kind::OursAsValkey)
    }

    /// Its name with its version, as the conformance table wants it.
    pub fn version(&mut self) -> String {
        format!("{} {}", self.kind.name(), self.client.info(self.kind.version_field()))
    }

    /// A field of INFO that is a number.
    #[track_caller]
    pub fn number(&mut self, field: &str) -> i64 {
        let text = self.client.info(field);
        text.parse().unwrap_or_else(|_| panic!("{field}:{text} of {}", self.name()))
    }

    /// `REPLICAOF` to a port of the loopback.
    #[track_caller]
    pub fn follow(&mut self, port: u16) {
        self.client.ok(&format!("REPLICAOF 127.0.0.1 {port}"));
    }

    /// Waits for something to be seen of it.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Server) -> Option<T>) -> T {
        let (kind, port, runs, folder) = (self.kind, self.port, self.runs, self.folder.clone());
        let log = move || std::fs::read(log_file(&folder, runs)).unwrap_or_default();
        let evidence = || evidence(kind, port, &String::from_utf8_lossy(&log()));
        until(what, evidence, || look(self))
    }

    /// Waits for a field of INFO to have a value.
    #[track_caller]
    pub fn until_info(&mut self, field: &str, value: &str) {
        let what = format!("{field} is {value}");
        self.until(&what, |server| (server.client.info(field) == value).then_some(()));
    }

    /// How a test speaks of it.
    pub fn name(&self) -> String {
        format!("{:?} on port {}", self.kind, self.port)
    }

    /// The log of all its runs.
    pub fn whole_log(&self) -> String {
        (1..=self.runs).map(|run| self.log_of(run)).collect()
    }

    /// The log since it was last started.
    pub fn log(&self) -> String {
        self.log_of(self.runs)
    }

    fn log_of(&self, run: u32) -> String {
        let bytes = std::fs::read(log_file(&self.folder, run)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The end of its log, for who has to find out what went wrong.
    pub fn evidence(&self) -> String {
        evidence(self.kind, self.port, &self.whole_log())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.evidence());
        }
        self.crash();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn launch(
    kind: Kind,
    port: u16,
    folder: &std::path::Path,
    settings: &[(&'static str, String)],
    run: u32,
) -> Result<(Child, Client), String> {
    let file = log_file(folder, run);
    let mut command = kind.command();
    command.args(["--port", &port.to_string(), "--dir"]).arg(folder).arg("--logfile").arg(&file);
    let usual = SETTINGS.iter().filter(|(name, _)| settings.iter().all(|(other, _)| name != other));
    let usual = usual.map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in usual.chain(settings.iter().cloned()) {
        command.arg(format!("--{name}"));
        // An empty value is one argument, several words are several.
        command.args(value.split(' ').filter(|word| value.is_empty() || !word.is_empty()));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", kind.name()))?;
    let log = || std::fs::read_to_string(&file).unwrap_or_default();
    let answered = until(
        "it answers",
        || evidence(kind, port, &log()),
        || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(format!("ended: {status}\n{}", evidence(kind, port, &log()))));
            }
            // A replica that loads refuses INFO with an error, which is an answer too.
            let client = Client::connect(port).and_then(|mut client| {
                client.try_call(&["INFO", "server"])?;
                Ok(client)
            });
            client.ok().filter(|_| log().contains("Ready to accept connections")).map(Ok)
        },
    );
    answered.map(|client| (child, client))
}

fn evidence(kind: Kind, port: u16, log: &str) -> String {
    let mut lines: Vec<&str> = log.lines().rev().take(LINES_SHOWN).collect();
    lines.reverse();
    format!("the end of the log of {kind:?} on port {port}:\n{}\n", lines.join("\n"))
}

fn log_file(folder: &std::path::Path, run: u32) -> PathBuf {
    folder.join(format!("run-{run}.log"))
}
