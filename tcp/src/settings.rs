//! What a process is told by its configuration: the core's settings and its own.
//!
//! A directive is offered to the process (where to listen, which files), to the core's
//! [`Config`], and to the list of real directives that nothing here models, in this order. The
//! last are taken with a warning, so that a real server's redis.conf can be used as it is.
//!
//! Absent on purpose: changing any of it while running, and what the values of directives that
//! are not modelled look like.

use std::path::PathBuf;

use psync::server::Address;
use psync::server::config::{Config, ConfigError};
use psync::server::engine::{ENGINES, Engine};

use crate::directives::{self, Words};
use crate::journal::Level;
use crate::redis_conf::{ConfError, Line};
use crate::words;

/// The engine of a server that was told none, if there is such a row.
const DEFAULT_ENGINE: &str = "redis-7.0";
/// `save` of a server that was told none.
const DEFAULT_SAVE: &[(u64, u64)] = &[(3600, 1), (300, 100), (60, 10_000)];

/// All of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose behaviour to show.
    pub engine: &'static Engine,
    /// What the core models.
    pub config: Config,
    /// `bind`: addresses to listen on; one that begins with `-` may be missing.
    pub bind: Vec<String>,
    /// `port`; 0 takes a free one.
    pub port: u16,
    /// `allow-remote`: whether an address that other machines can reach is meant.
    pub allow_remote: bool,
    /// `replicaof`.
    pub master: Option<Address>,
    /// `maxclients`.
    pub maxclients: u64,
    /// `tcp-backlog`: connections that may wait for being accepted.
    pub tcp_backlog: u32,
    /// `client-query-buffer-limit`, in bytes.
    pub query_buffer_bytes: u64,
    /// `dir`: where snapshots and a relative log file are.
    pub dir: PathBuf,
    /// `dbfilename`, inside `dir`.
    pub dbfilename: String,
    /// `logfile`; none is stdout.
    pub logfile: Option<PathBuf>,
    /// `loglevel`.
    pub loglevel: Level,
    /// `pidfile`.
    pub pidfile: Option<PathBuf>,
    /// `daemonize`.
    pub daemonize: bool,
    /// `save`: pairs of seconds and changes; none saves nothing at the end.
    pub save: Vec<(u64, u64)>,
    /// Real directives that were given and have no effect.
    pub not_modelled: Vec<String>,
}

/// Whose behaviour a server shows that was told none.
#[must_use]
pub fn default_engine() -> &'static Engine {
    Engine::by_name(DEFAULT_ENGINE).unwrap_or(ENGINES[0])
}

/// The engine that a configuration names, or the default one.
///
/// # Errors
/// When there is none of that name.
pub fn engine(lines: &[Line]) -> Result<&'static Engine, ConfError> {
    let named = lines.iter().rev().find(|line| line.name == "engine");
    let Some(line) = named else { return Ok(default_engine()) };
    let [name] = line.values.as_slice() else { return Err(line.error(WRONG_NUMBER)) };
    Engine::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
        line.error(format!("argument(s) must be one of the following: {}", names.join(", ")))
    })
}

const WRONG_NUMBER: &str = "wrong number of arguments";
const UNKNOWN: &str = "Bad directive or wrong number of arguments";

impl Settings {
    /// A master of an engine, with a real server's defaults, but on the loopback.
    #[must_use]
    pub fn defaults(engine: &'static Engine) -> Settings {
        Settings {
            engine,
            config: Config::defaults(engine),
            bind: vec!["127.0.0.1".to_owned(), "-::1".to_owned()],
            port: 6379,
            allow_remote: false,
            master: None,
            maxclients: 10_000,
            tcp_backlog: 511,
            query_buffer_bytes: 1 << 30,
            dir: PathBuf::from("."),
            dbfilename: "dump.rdb".to_owned(),
            logfile: None,
            loglevel: Level::Notice,
            pidfile: None,
            daemonize: false,
            save: DEFAULT_SAVE.to_vec(),
            not_modelled: Vec::new(),
        }
    }

    /// What the lines of a configuration say, the later ones winning.
    ///
    /// # Errors
    /// The first line that a real server would refuse.
    pub fn of(engine: &'static Engine, lines: &[Line]) -> Result<Settings, ConfError> {
        let mut settings = Settings::defaults(engine);
        let mut saves_named = false;
        for line in lines {
            if line.name == "save" && !std::mem::replace(&mut saves_named, true) {
                settings.save.clear();
            }
            settings.apply(&line.name, &line.values).map_err(|why| line.error(why))?;
        }
        Ok(settings)
    }

    /// Where the snapshot is.
    #[must_use]
    pub fn snapshot_path(&self) -> PathBuf {
        self.dir.join(&self.dbfilename)
    }

    fn apply(&mut self, name: &str, values: &[String]) -> Result<(), String> {
        let real = directives::real(name);
        let split;
        let values = match (real, values) {
            (_, []) => return Err(known(name, real, WRONG_NUMBER)),
            (Some(Words::Several), [one]) if !one.is_empty() => {
                split = words::split(one).ok_or(UNKNOWN)?;
                split.as_slice()
            }
            (Some(Words::Several), _) | (_, [_]) => values,
            _ => return Err(known(name, real, WRONG_NUMBER)),
        };
        let core = self.config.load(name, &values.join(" "));
        if let Err(ConfigError::Invalid { wants, .. }) = core {
            return Err(wants);
        }
        if self.apply_own(name, values)? || core.is_ok() {
            return Ok(());
        }
        if real.is_none() {
            return Err(UNKNOWN.to_owned());
        }
        if !self.not_modelled.iter().any(|other| other == name) {
            self.not_modelled.push(name.to_owned());
        }
        Ok(())
    }

    /// Whether it is one of the process's own.
    fn apply_own(&mut self, name: &str, values: &[String]) -> Result<bool, String> {
        let first = values.first().map_or("", String::as_str);
        match name {
            // Read before all others, see `engine`.
            "engine" => {}
            "allow-remote" => self.allow_remote = yes_no(first)?,
            "bind" => self.bind = values.iter().filter(|v| !v.is_empty()).cloned().collect(),
            "port" => self.port = number(first, 0, u64::from(u16::MAX))? as u16,
            "replicaof" | "slaveof" => self.master = master(values)?,
            "maxclients" => self.maxclients = number(first, 1, u64::from(u32::MAX))?,
            "tcp-backlog" => self.tcp_backlog = number(first, 0, i32::MAX as u64)? as u32,
            "client-query-buffer-limit" => self.query_buffer_bytes = memory(first, 1 << 20)?,
            "dir" => self.dir = directory(first)?,
            "dbfilename" => self.dbfilename = file_name(first)?,
            "logfile" => self.logfile = path(first),
            "loglevel" => self.loglevel = level(first, self.engine)?,
            "pidfile" => self.pidfile = path(first),
            "daemonize" => self.daemonize = yes_no(first)?,
            "save" => self.save_points(values)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn save_points(&mut self, values: &[String]) -> Result<(), String> {
        if let [only] = values
            && only.is_empty()
        {
            self.save.clear();
            return Ok(());
        }
        let invalid = || "Invalid save parameters".to_owned();
        let numbers: Vec<u64> = values
            .iter()
            .map(|value| value.parse())
            .collect::<Result<_, _>>()
            .map_err(|_| invalid())?;
        let (pairs, rest) = numbers.as_chunks::<2>();
        if !rest.is_empty() || pairs.iter().any(|[seconds, _]| *seconds == 0) {
            return Err(invalid());
        }
        self.save.extend(pairs.iter().map(|[seconds, changes]| (*seconds, *changes)));
        Ok(())
    }
}

/// A name that nobody knows is the larger mistake.
fn known(name: &str, real: Option<Words>, why: &str) -> String {
    let known = real.is_some() || name == "engine" || name == "allow-remote";
    if known { why } else { UNKNOWN }.to_owned()
}

fn yes_no(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".to_owned()),
    }
}

fn number(value: &str, min: u64, max: u64) -> Result<u64, String> {
    let parsed: i64 =
        value.parse().map_err(|_| "argument couldn't be parsed into an integer".to_owned())?;
    let fits = u64::try_from(parsed).ok().filter(|parsed| (min..=max).contains(parsed));
    fits.ok_or_else(|| format!("argument must be between {min} and {max} inclusive"))
}

fn memory(value: &str, min: u64) -> Result<u64, String> {
    let bytes = psync::server::config::parse_memory(value)
        .ok_or_else(|| "argument must be a memory value".to_owned())?;
    let max = i64::MAX as u64;
    let fits = (min..=max).contains(&bytes);
    fits.then_some(bytes)
        .ok_or_else(|| format!("argument must be between {min} and {max} inclusive"))
}

fn path(value: &str) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}

fn directory(value: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(value);
    let listed = std::fs::read_dir(&path);
    listed.map(|_| path).map_err(|error| crate::redis_conf::system_words(&error))
}

fn file_name(value: &str) -> Result<String, String> {
    if value.is_empty() || value.contains('/') {
        return Err("dbfilename can't be a path, just a filename".to_owned());
    }
    Ok(value.to_owned())
}

fn level(value: &str, engine: &Engine) -> Result<Level, String> {
    let knows_nothing = engine.server_name() == "Valkey";
    let level = Level::by_name(value).filter(|level| knows_nothing || *level != Level::Nothing);
    level.ok_or_else(|| {
        let more = if knows_nothing { ", nothing" } else { "" };
        format!("argument(s) must be one of the following: debug, verbose, notice, warning{more}")
    })
}

fn master(values: &[String]) -> Result<Option<Address>, String> {
    let [host, port] = values else { return Err(WRONG_NUMBER.to_owned()) };
    if host.eq_ignore_ascii_case("no") && port.eq_ignore_ascii_case("one") {
        return Ok(None);
    }
    let port = port.parse().map_err(|_| "Invalid master port".to_owned())?;
    Ok(Some(Address { host: host.clone(), port }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis_conf;

    fn read(text: &str) -> Result<Settings, String> {
        let lines = redis_conf::parse(text).unwrap();
        let engine = engine(&lines).map_err(|error| error.to_string())?;
        Settings::of(engine, &lines).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = read(text).unwrap_err();
        let expected = format!(
            "Reading the configuration file, at line {}\n>>> '{}'\n{why}",
            text.lines().count(),
            text.lines().last().unwrap()
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn the_process_and_the_core_take_theirs_and_the_later_line_wins() {
        let settings = read(
            "PORT 7000\nrepl-backlog-size 16kb\nrepl-backlog-size 32kb\nbind 127.0.0.2 -::1\n\
             slaveof localhost 7001\nlogfile \"\"\nloglevel verbose\nmaxclients 50\n\
             client-query-buffer-limit 1mb\nallow-remote yes\ndbfilename x.rdb",
        )
        .unwrap();
        assert_eq!((settings.port, settings.config.port), (7000, 7000));
        assert_eq!(settings.config.backlog_bytes, 32 << 10);
        assert_eq!(settings.bind, ["127.0.0.2", "-::1"]);
        assert_eq!(settings.master, Some(Address { host: "localhost".to_owned(), port: 7001 }));
        assert_eq!((settings.logfile.is_none(), settings.loglevel), (true, Level::Verbose));
        assert_eq!((settings.maxclients, settings.query_buffer_bytes), (50, 1 << 20));
        assert!(settings.allow_remote);
        assert_eq!(settings.snapshot_path(), PathBuf::from("./x.rdb"));
        assert!(settings.not_modelled.is_empty());
    }

    #[test]
    fn several_words_may_come_as_one() {
        assert_eq!(
            read("replicaof \"localhost 7001\"").unwrap().master,
            read("replicaof localhost 7001").unwrap().master
        );
        assert_eq!(read("replicaof no one").unwrap().master, None);
        assert_eq!(read("save \"60 1 30 2\"").unwrap().save, [(60, 1), (30, 2)]);
    }

    #[test]
    fn save_replaces_the_defaults_then_adds_and_an_empty_one_clears() {
        assert_eq!(read("").unwrap().save, DEFAULT_SAVE);
        assert_eq!(read("save 1 2\nsave 3 4").unwrap().save, [(1, 2), (3, 4)]);
        assert_eq!(read("save 1 2\nsave \"\"").unwrap().save, []);
        refused("save 1", "Invalid save parameters");
        refused("save 0 1", "Invalid save parameters");
    }

    #[test]
    fn real_directives_that_are_not_modelled_are_noted_once_and_others_refused() {
        let settings = read("hz 10\nhz 100\nrename-command A b\nio-threads 4").unwrap();
        assert_eq!(settings.not_modelled, ["hz", "rename-command", "io-threads"]);
        refused("nonsense \"3\"", UNKNOWN);
        refused("nonsense", UNKNOWN);
        refused("nonsense 1 2", UNKNOWN);
    }

    #[test]
    fn wrong_values_are_refused_in_a_real_servers_words() {
        refused("port", "wrong number of arguments");
        refused("port 1 2", "wrong number of arguments");
        refused("port abc", "argument couldn't be parsed into an integer");
        refused("# a comment\nport 70000", "argument must be between 0 and 65535 inclusive");
        refused("replicaof 1.2.3.4", "wrong number of arguments");
        refused("replicaof a b c", "wrong number of arguments");
        refused("repl-backlog-size big", "argument must be a memory value");
        refused("dir /nonexistent", "No such file or directory");
        refused("daemonize maybe", "argument must be 'yes' or 'no'");
        refused("dbfilename a/b", "dbfilename can't be a path, just a filename");
        refused(
            "client-output-buffer-limit foo 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        );
        assert!(read("engine redis-1").unwrap_err().contains("must be one of the following"));
    }
}
