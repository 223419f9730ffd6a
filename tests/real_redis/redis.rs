//! A real redis-server as a child process, in a folder and on a port of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::client::Client;
use crate::programs::place::{free_port, new_folder};
use crate::programs::redis_server;
use crate::until;

/// Its log lines shown when something goes wrong.
const LINES_SHOWN: usize = 40;

pub struct Redis {
    child: Child,
    port: u16,
    folder: PathBuf,
    /// Its log.
    pub log: Log,
    /// Talks to it.
    pub client: Client,
}

/// The log of one server.
#[derive(Clone)]
pub struct Log {
    port: u16,
    file: PathBuf,
}

impl Redis {
    /// Starts one with these arguments besides the usual ones, and waits until it answers.
    pub fn start(args: &[&str]) -> Redis {
        Redis::start_program(&redis_server(), args)
    }

    /// The same with another program of the kind.
    pub fn start_program(program: &Path, args: &[&str]) -> Redis {
        // Between finding a free port and taking it somebody else can be faster, so try anew.
        let start = || Redis::try_start(program, args);
        let tries = (0..5).find_map(|_| start().ok());
        tries.unwrap_or_else(|| start().unwrap_or_else(|why| panic!("{why}")))
    }

    /// Starts a replica of a port of the loopback.
    pub fn replica_of(port: u16) -> Redis {
        Redis::start(&["--replicaof", "127.0.0.1", &port.to_string()])
    }

    fn try_start(program: &Path, args: &[&str]) -> Result<Redis, String> {
        let folder = new_folder();
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--loglevel", "debug", "--logfile", "redis.log", "--hz", "100"]);
        command.arg("--dir").arg(&folder).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let log = Log { port, file: folder.join("redis.log") };
        let mut child = command
            .spawn()
            .map_err(|error| format!("{} cannot be started ({error})", program.display()))?;
        let answered = until(
            "redis-server answers",
            || log.evidence(),
            || {
                if let Ok(Some(status)) = child.try_wait() {
                    return Some(Err(format!(
                        "redis-server ended with {status}\n{}",
                        log.evidence()
                    )));
                }
                // A replica that loads refuses INFO with an error, which is an answer too.
                let client = Client::connect(port).and_then(|mut client| {
                    client.try_call(&["INFO", "server"])?;
                    Ok(client)
                });
                let ready = log.has("Ready to accept connections") > 0;
                client.ok().filter(|_| ready).map(Ok)
            },
        );
        match answered {
            Ok(client) => Ok(Redis { child, port, folder, log, client }),
            Err(why) => {
                let _ = std::fs::remove_dir_all(&folder);
                Err(why)
            }
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Log {
    /// All of it so far.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap_or_default()
    }

    /// How often a text stands in it.
    pub fn has(&self, text: &str) -> usize {
        self.text().matches(text).count()
    }

    /// Its end, for who has to find out what went wrong.
    pub fn evidence(&self) -> String {
        let text = self.text();
        let mut lines: Vec<&str> = text.lines().rev().take(LINES_SHOWN).collect();
        lines.reverse();
        format!("the end of the log of redis-server on port {}:\n{}", self.port, lines.join("\n"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log.evidence());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
