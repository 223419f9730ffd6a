//! The process `psync-server`: from its command line to its exit code.
//!
//! Read the configuration, open the log, make room for clients, listen, serve until a signal comes
//! or the server itself wants to end, say goodbye. What is printed on the way, and the exit codes,
//! are those of a real server.
//!
//! Absent on purpose: a Unix socket, TLS, syslog, supervision by systemd.

use std::fmt::Display;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use psync::server::Event;
use psync::server::engine::ENGINES;
use psync::wire::Rdb;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::command_line::{self, Command, Sources};
use crate::descriptors;
use crate::driver::{Driver, Happening};
use crate::error::StartError;
use crate::handle::Handle;
use crate::journal::{Journal, Level};
use crate::manner::Manner;
use crate::options::{Extra, Limits, Options};
use crate::redis_conf::{self, ConfError, Line, system_words};
use crate::settings::{self, Settings};
use crate::snapshot_file::SnapshotFile;

/// Runs the program with the arguments behind its name.
#[must_use]
pub fn main(args: &[String]) -> ExitCode {
    let sources = match command_line::parse(args) {
        Command::Serve(sources) => sources,
        Command::Help => return print(command_line::HELP),
        Command::Version => {
            let engines: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
            let (version, engines) = (env!("CARGO_PKG_VERSION"), engines.join(", "));
            return print(&format!("PSYNC Lab server v={version} engines={engines}\n"));
        }
    };
    let text = match text_of(&sources) {
        Ok(text) => text,
        Err(error) => return cannot_configure(&error, None),
    };
    let lines = match redis_conf::parse(&text) {
        Ok(lines) => lines,
        Err(error) => return cannot_configure(&error, None),
    };
    match read(&lines) {
        Ok(settings) if settings.daemonize => daemonize(&text),
        Ok(settings) => serve(&settings, !lines.is_empty()),
        Err(error) => cannot_configure(&error, settings::engine(&lines).ok().map(Manner::of)),
    }
}

fn print(text: &str) -> ExitCode {
    // Nobody may be listening, which is no failure of ours.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// The file, then stdin, then the options: as a real server puts them together, so that its line
/// numbers are ours.
fn text_of(sources: &Sources) -> Result<String, ConfError> {
    let mut text = String::new();
    if let Some(file) = &sources.file {
        text.push_str(&redis_conf::read(file)?);
    }
    if sources.stdin {
        let mut bytes = Vec::new();
        io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| ConfError::File { name: "-".to_owned(), why: system_words(&error) })?;
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    if !sources.options.is_empty() {
        text.push('\n');
        text.push_str(&sources.options);
    }
    Ok(text)
}

fn read(lines: &[Line]) -> Result<Settings, ConfError> {
    Settings::of(settings::engine(lines)?, lines)
}

fn cannot_configure(error: &ConfError, manner: Option<Manner>) -> ExitCode {
    let manner = manner.unwrap_or_else(|| Manner::of(settings::default_engine()));
    match error {
        ConfError::Line { .. } => eprintln!("\n{}\n{error}", manner.fatal_config()),
        ConfError::File { .. } => {
            if let Ok(journal) = Journal::open(manner, Level::Notice, None) {
                let text = format!("Fatal error, {error}");
                journal.write(manner.early_role(), Level::Warning, &text);
            }
        }
    }
    ExitCode::FAILURE
}

/// Starts another process with the same configuration that outlives this one and its terminal.
fn daemonize(text: &str) -> ExitCode {
    let start = || -> io::Result<()> {
        let mut child = std::process::Command::new(std::env::current_exe()?)
            .args(["-", "--daemonize", "no"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        match child.stdin.take() {
            Some(mut stdin) => stdin.write_all(text.as_bytes()),
            None => Ok(()),
        }
    };
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot go to the background: {}", system_words(&error));
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: &Settings, configured: bool) -> ExitCode {
    let manner = Manner::of(settings.engine);
    let logfile = settings.logfile.as_ref().map(|file| settings.dir.join(file));
    let journal = match Journal::open(manner, settings.loglevel, logfile.as_deref()) {
        Ok(journal) => Arc::new(journal),
        Err(error) => {
            let why = system_words(&error);
            eprintln!("\n{}\nCan't open the log file: {why}", manner.fatal_config());
            return ExitCode::FAILURE;
        }
    };
    let pid = std::process::id();
    for (level, text) in manner.greeting(pid, configured) {
        journal.write(manner.early_role(), level, &text);
    }
    let role = if settings.master.is_some() { 'S' } else { 'M' };
    for name in &settings.not_modelled {
        let text = format!("Warning: '{name}' is accepted but not modelled, it has no effect.");
        journal.write(role, Level::Warning, &text);
    }
    let say = |level, text: &str| journal.write(role, level, text);
    let started = load(settings).and_then(|(snapshot, said)| {
        start(settings, snapshot, &journal, role).map(|driver| (driver, said))
    });
    let (driver, said) = match started {
        Ok(started) => started,
        Err(lines) => {
            lines.iter().for_each(|text| say(Level::Warning, text));
            return ExitCode::FAILURE;
        }
    };
    for (level, text) in manner.listening(pid, driver.handle().address().port()) {
        say(level, &text);
    }
    said.iter().for_each(|text| say(Level::Notice, text));
    let saves = !settings.save.is_empty();
    let pidfile = PidFile::write(settings.pidfile.clone(), pid);
    if let Err(error) = watch_signals(driver.handle(), journal.clone(), saves) {
        say(Level::Warning, &format!("Signals are not watched: {error}"));
    }
    say(Level::Notice, manner.ready());
    let ended = driver.run();
    if let Err(error) = &ended {
        say(Level::Warning, &format!("Fatal error, the event loop failed: {error}"));
    }
    if pidfile.remove() {
        say(Level::Notice, "Removing the pid file.");
    }
    say(Level::Warning, &manner.bye());
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Listens; what the log must say if that fails.
fn start(
    settings: &Settings,
    snapshot: Option<Rdb>,
    journal: &Arc<Journal>,
    role: char,
) -> Result<Driver, Vec<String>> {
    let adjusted = descriptors::make_room_for(settings.maxclients);
    for (grave, text) in &adjusted.lines {
        let level = if *grave { Level::Warning } else { Level::Notice };
        journal.write(role, level, text);
    }
    if adjusted.maxclients == 0 {
        let least = descriptors::RESERVED + 1;
        return Err(vec![format!(
            "Your current 'ulimit -n' is not enough for the server to start. Please increase your \
             open file limit to at least {least}. Exiting."
        )]);
    }
    let (listen, also_listen) = addresses(settings)?;
    let options = Options {
        listen,
        also_listen,
        tcp_backlog: settings.tcp_backlog,
        allow_remote: settings.allow_remote,
        config: settings.config.clone(),
        master: settings.master.clone(),
        snapshot,
        snapshot_file: Some(SnapshotFile::new(settings.snapshot_path())),
        limits: Limits {
            connections: usize::try_from(adjusted.maxclients).unwrap_or(usize::MAX),
            input_bytes: settings.query_buffer_bytes,
        },
        ..Options::new(settings.engine)
    };
    let manner = Manner::of(settings.engine);
    let log = journal.clone();
    let observer = move |happening: Happening| {
        if let Event::Log(line) = &happening.event {
            let role = if happening.is_replica { 'S' } else { 'M' };
            log.write_at(happening.unix_ms, role, manner.level(line), line);
        }
    };
    Driver::start(options, observer).map_err(|error| words(&error, settings.port))
}

/// What was saved before, and what the log says about it. A file that cannot be understood is no reason to start empty, and then
/// to save over it.
fn load(settings: &Settings) -> Result<(Option<Rdb>, Vec<String>), Vec<String>> {
    let file = SnapshotFile::new(settings.snapshot_path());
    let began = Instant::now();
    let fatal = |why: &dyn Display| {
        vec![format!("Fatal error loading the DB {}: {why}. Exiting.", file.path().display())]
    };
    let bytes = file.load().map_err(|error| fatal(&system_words(&error)))?;
    let Some(bytes) = bytes else { return Ok((None, Vec::new())) };
    let rdb = Rdb::decode(&bytes).map_err(|error| fatal(&error))?;
    let mut said = Vec::new();
    for (name, product) in [("redis-ver", "Redis"), ("valkey-ver", "Valkey")] {
        if let Some(version) = rdb.aux(name) {
            let version = String::from_utf8_lossy(version);
            said.push(format!("Loading RDB produced by {product} version {version}"));
        }
    }
    let keys = rdb.entries.len();
    said.push(format!("Done loading RDB, keys loaded: {keys}, keys expired: 0."));
    said.push(format!("DB loaded from disk: {:.3} seconds", began.elapsed().as_secs_f64()));
    Ok((Some(rdb), said))
}

/// The words of a real server, where it has some.
fn words(error: &StartError, port: u16) -> Vec<String> {
    match error {
        StartError::NotLoopback { address } => vec![format!(
            "Refusing to listen on {address}: other machines can reach it, and this server knows \
             no passwords. Bind to 127.0.0.1 or ::1, or say --allow-remote yes if it is meant."
        )],
        StartError::Listen { address, source } => could_not_listen(
            &format!("{}:{}", address.ip(), address.port()),
            &format!("bind: {}", system_words(source)),
            port,
        ),
        StartError::System(_) | StartError::Entropy(_) => vec![format!("Fatal error, {error}")],
    }
}

fn could_not_listen(address: &str, why: &str, port: u16) -> Vec<String> {
    vec![
        format!("Warning: Could not create server TCP listening socket {address}: {why}"),
        format!("Failed listening on port {port} (TCP), aborting."),
    ]
}

/// The addresses of `bind`, the first of those that must be there in front.
fn addresses(settings: &Settings) -> Result<(SocketAddr, Vec<Extra>), Vec<String>> {
    let port = settings.port;
    let mut found = Vec::new();
    for entry in &settings.bind {
        let name = entry.strip_prefix('-').unwrap_or(entry);
        let may_be_missing = entry.starts_with('-');
        let host = match name {
            "*" => "0.0.0.0",
            "::*" => "::",
            name => name,
        };
        match (host, port).to_socket_addrs().map(|mut all| all.next()) {
            Ok(Some(address)) => found.push(Extra { address, may_be_missing }),
            _ if may_be_missing => {}
            _ => {
                let address = format!("{name}:{port}");
                return Err(could_not_listen(&address, "Name or service not known", port));
            }
        }
    }
    let first = found.iter().position(|extra| !extra.may_be_missing).unwrap_or(0);
    if found.is_empty() {
        return Err(vec!["Configured to not listen anywhere, exiting.".to_owned()]);
    }
    let first = found.remove(first);
    Ok((first.address, found))
}

/// Ends the server at SIGTERM or SIGINT; a second SIGINT does not wait. A hangup is ignored.
fn watch_signals(handle: Handle, journal: Arc<Journal>, saves: bool) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let watch = move || {
        let mut asked = false;
        for signal in signals.forever() {
            match signal {
                SIGHUP => {}
                SIGINT if asked => {
                    journal.write_from_signal("You insist... exiting now.");
                    std::process::exit(1);
                }
                _ if asked => {}
                _ => {
                    asked = true;
                    let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
                    let text = format!("Received {name} scheduling shutdown...");
                    journal.write_from_signal(&text);
                    handle.shut_down(saves);
                }
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).map(|_| ())
}

/// The file that names the process, while it runs.
struct PidFile(Option<PathBuf>);

impl PidFile {
    /// A real server goes on when it cannot write it, and so does this one.
    fn write(path: Option<PathBuf>, pid: u32) -> PidFile {
        PidFile(path.filter(|path| fs::write(path, format!("{pid}\n")).is_ok()))
    }

    /// Whether there was one.
    fn remove(self) -> bool {
        self.0.is_some_and(|path| fs::remove_file(path).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(bind: &[&str]) -> Result<(SocketAddr, Vec<Extra>), Vec<String>> {
        let mut settings = Settings::defaults(settings::default_engine());
        settings.bind = bind.iter().map(|entry| (*entry).to_owned()).collect();
        settings.port = 7000;
        addresses(&settings)
    }

    #[test]
    fn bind_names_addresses_some_of_which_may_be_missing() {
        let (first, more) = bound(&["-::1", "127.0.0.1", "*"]).unwrap();
        assert_eq!(first.to_string(), "127.0.0.1:7000");
        let more: Vec<(String, bool)> =
            more.iter().map(|e| (e.address.to_string(), e.may_be_missing)).collect();
        assert_eq!(more, [("[::1]:7000".to_owned(), true), ("0.0.0.0:7000".to_owned(), false)]);
        assert_eq!(bound(&[]).unwrap_err(), ["Configured to not listen anywhere, exiting."]);
        assert!(bound(&["not a name"]).unwrap_err()[0].contains("not a name:7000"));
    }

    #[test]
    fn the_options_stand_behind_the_file_on_lines_of_their_own() {
        let sources = Sources { options: "port \"1\" ".to_owned(), ..Sources::default() };
        assert_eq!(text_of(&sources).unwrap(), "\nport \"1\" ");
        assert_eq!(text_of(&Sources::default()).unwrap(), "");
    }
}
