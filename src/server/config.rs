//! The modelled directives of redis.conf, by their own names.
//!
//! Values are read as redis.conf and `CONFIG SET` read them (`16kb`, `3600`) and printed as
//! `CONFIG GET` prints them. The two differ in one place: `CONFIG SET repl-backlog-size` raises
//! anything below 16 KiB, start-up does not (Redis 6.2, config.c and `resizeReplicationBacklog`).
//!
//! Absent on purpose: directives that nothing here reads.

use std::fmt;

use super::engine::Engine;

/// `CONFIG SET` raises smaller backlogs to this (Redis `CONFIG_REPL_BACKLOG_MIN_SIZE`).
pub const SMALLEST_BACKLOG_BYTES: u64 = 16 * 1024;

/// The settings of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `repl-backlog-size`, in bytes.
    pub backlog_bytes: u64,
    /// `repl-backlog-ttl`, in seconds; 0 keeps the backlog for ever.
    pub backlog_ttl_seconds: u64,
    /// `repl-timeout`, in seconds.
    pub timeout_seconds: u64,
    /// `repl-ping-replica-period`, in seconds.
    pub ping_period_seconds: u64,
    /// `repl-diskless-sync`: whether snapshots go to the sockets, without a file.
    pub diskless_sync: bool,
    /// `repl-diskless-sync-delay`, in seconds.
    pub diskless_delay_seconds: u64,
    /// `repl-diskless-sync-max-replicas`; 0 waits for the delay, however many wait.
    pub diskless_max_replicas: u64,
    /// `client-output-buffer-limit replica`.
    pub replica_limit: OutputLimit,
    /// `client-output-buffer-limit normal`.
    pub normal_limit: OutputLimit,
    /// `client-output-buffer-limit pubsub`.
    pub pubsub_limit: OutputLimit,
    /// `min-replicas-to-write`; 0 asks for none.
    pub min_replicas: u64,
    /// `min-replicas-max-lag`, in seconds; 0 asks for none.
    pub min_replicas_lag_seconds: u64,
    /// `replica-read-only`.
    pub replica_read_only: bool,
    /// `replica-serve-stale-data`.
    pub serve_stale_data: bool,
    /// `replica-priority`.
    pub replica_priority: u64,
    /// `replica-announce-port`; 0 announces `port`.
    pub announce_port: u64,
    /// `dual-channel-replication-enabled` (Valkey 8.0+).
    pub dual_channel: bool,
    /// `appendonly`. No file is written: what it changes here is how unheard writes are counted
    /// and what a restart knows.
    pub append_only: bool,
    /// `lazyfree-lazy-expire`: whether expired keys are deleted with UNLINK, not DEL.
    pub lazy_expire: bool,
    /// `shutdown-timeout`, in seconds: how long a stopping master waits for its replicas (7.0+).
    pub shutdown_timeout_seconds: u64,
    /// `rdb-key-save-delay`, in microseconds a key: how long a snapshot takes.
    pub key_save_delay_us: u64,
    /// `port`: what a replica announces as its listening port.
    pub port: u16,
}

/// A limit on what waits to be sent to one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which a client is cut at once; 0 is no limit.
    pub hard_bytes: u64,
    /// Bytes at which it is cut if it stays there; 0 is no limit.
    pub soft_bytes: u64,
    /// For how many seconds it may stay there.
    pub soft_seconds: u64,
}

/// How a directive's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    Number,
    YesNo,
}

struct Directive {
    name: &'static str,
    /// The older spelling with "slave", still accepted.
    alias: Option<&'static str>,
    kind: Kind,
    min: u64,
    max: u64,
    read: fn(&Config) -> u64,
    write: fn(&mut Config, u64),
}

const fn row(
    name: &'static str,
    alias: &'static str,
    kind: Kind,
    bounds: (u64, u64),
    read: fn(&Config) -> u64,
    write: fn(&mut Config, u64),
) -> Directive {
    let alias = if alias.is_empty() { None } else { Some(alias) };
    Directive { name, alias, kind, min: bounds.0, max: bounds.1, read, write }
}

/// `row!(name, alias, kind, bounds, field)`: a directive that is a number in one field.
macro_rules! row {
    ($name:literal, $alias:literal, $kind:ident, $bounds:expr, $field:ident) => {
        row($name, $alias, Kind::$kind, $bounds, |c| c.$field, |c, value| c.$field = value)
    };
    (yes_no $name:literal, $alias:literal, $field:ident) => {
        row(
            $name,
            $alias,
            Kind::YesNo,
            FLAG,
            |c| u64::from(c.$field),
            |c, value| c.$field = value == 1,
        )
    };
}

const FLAG: (u64, u64) = (0, 1);
const INT: u64 = i32::MAX as u64;
const LONG: u64 = i64::MAX as u64;

/// Bounds and names as in Redis 7.0 config.c.
const DIRECTIVES: &[Directive] = &[
    row!("repl-backlog-size", "", Memory, (1, LONG), backlog_bytes),
    row!("repl-backlog-ttl", "", Number, (0, LONG), backlog_ttl_seconds),
    row!("repl-timeout", "", Number, (1, INT), timeout_seconds),
    row!(
        "repl-ping-replica-period",
        "repl-ping-slave-period",
        Number,
        (1, INT),
        ping_period_seconds
    ),
    row!(yes_no "repl-diskless-sync", "", diskless_sync),
    row!("repl-diskless-sync-delay", "", Number, (0, INT), diskless_delay_seconds),
    row!("repl-diskless-sync-max-replicas", "", Number, (0, INT), diskless_max_replicas),
    row!("min-replicas-to-write", "min-slaves-to-write", Number, (0, INT), min_replicas),
    row!("min-replicas-max-lag", "min-slaves-max-lag", Number, (0, INT), min_replicas_lag_seconds),
    row!(yes_no "replica-read-only", "slave-read-only", replica_read_only),
    row!(yes_no "replica-serve-stale-data", "slave-serve-stale-data", serve_stale_data),
    row!("replica-priority", "slave-priority", Number, (0, INT), replica_priority),
    row!("replica-announce-port", "slave-announce-port", Number, (0, 65535), announce_port),
    row!(yes_no "dual-channel-replication-enabled", "", dual_channel),
    row!(yes_no "appendonly", "", append_only),
    row!(yes_no "lazyfree-lazy-expire", "", lazy_expire),
    row!("shutdown-timeout", "", Number, (0, INT), shutdown_timeout_seconds),
    row!("rdb-key-save-delay", "", Number, (0, INT), key_save_delay_us),
    row(
        "port",
        "",
        Kind::Number,
        (0, 65535),
        |config| u64::from(config.port),
        |config, value| config.port = u16::try_from(value).unwrap_or(config.port),
    ),
];

/// The one directive whose value is a list: `replica 256mb 64mb 60`, one class or several.
const LIMITS: &str = "client-output-buffer-limit";

/// Why a setting was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// No modelled directive has this name.
    Unknown {
        /// As it was written.
        directive: String,
    },
    /// The value does not read as one.
    Invalid {
        /// The directive's own name.
        directive: &'static str,
        /// As it was written.
        value: String,
        /// What would have been one, in Redis' words.
        wants: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unknown { directive } => {
                write!(f, "Unsupported CONFIG parameter: {directive}")
            }
            ConfigError::Invalid { directive, value, wants } => {
                write!(f, "Invalid argument '{value}' for CONFIG SET '{directive}' - {wants}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The engine's real defaults.
    #[must_use]
    pub fn defaults(engine: &Engine) -> Config {
        Config {
            backlog_bytes: engine.default_backlog_bytes,
            backlog_ttl_seconds: 3600,
            timeout_seconds: 60,
            ping_period_seconds: 10,
            diskless_sync: engine.default_diskless,
            diskless_delay_seconds: 5,
            diskless_max_replicas: 0,
            replica_limit: OutputLimit {
                hard_bytes: 256 << 20,
                soft_bytes: 64 << 20,
                soft_seconds: 60,
            },
            normal_limit: OutputLimit::default(),
            pubsub_limit: OutputLimit {
                hard_bytes: 32 << 20,
                soft_bytes: 8 << 20,
                soft_seconds: 60,
            },
            min_replicas: 0,
            min_replicas_lag_seconds: 10,
            replica_read_only: true,
            serve_stale_data: true,
            replica_priority: 100,
            announce_port: 0,
            dual_channel: false,
            append_only: false,
            lazy_expire: engine.default_lazy_expire,
            shutdown_timeout_seconds: 10,
            key_save_delay_us: 0,
            port: 6379,
        }
    }

    /// Sets one directive as redis.conf or the command line does at start-up.
    ///
    /// # Errors
    /// When the directive is not modelled, or the value is not one it takes.
    pub fn load(&mut self, directive: &str, value: &str) -> Result<(), ConfigError> {
        if directive.eq_ignore_ascii_case(LIMITS) {
            return self.set_limits(value);
        }
        let found = find(directive)?;
        let parsed = found.parse(value)?;
        (found.write)(self, parsed);
        Ok(())
    }

    /// Sets one directive as `CONFIG SET` does while running.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn set(&mut self, directive: &str, value: &str) -> Result<(), ConfigError> {
        if directive.eq_ignore_ascii_case(LIMITS) {
            return self.set_limits(value);
        }
        let found = find(directive)?;
        let parsed = found.parse(value)?;
        // "CONFIG SET to the value already in force does nothing", so a small start-up value
        // survives being set again; any other small value is raised.
        if parsed != (found.read)(self) {
            let floor = if found.name == "repl-backlog-size" { SMALLEST_BACKLOG_BYTES } else { 0 };
            (found.write)(self, parsed.max(floor));
        }
        Ok(())
    }

    /// All directives whose name matches a glob with `*` and `?`, with their values, by name.
    #[must_use]
    pub fn matching(&self, pattern: &str) -> Vec<(&'static str, String)> {
        let pattern = pattern.to_ascii_lowercase();
        let names = DIRECTIVES.iter().flat_map(|directive| {
            let names = std::iter::once(directive.name).chain(directive.alias);
            names.map(move |name| (name, directive.print(self)))
        });
        names
            .chain([(LIMITS, self.print_limits())])
            .filter(|(name, _)| glob(pattern.as_bytes(), name.as_bytes()))
            .collect()
    }

    /// `replica 256mb 64mb 60`, one class or several; all are read before one is set.
    fn set_limits(&mut self, value: &str) -> Result<(), ConfigError> {
        let invalid = |wants: &str| ConfigError::Invalid {
            directive: LIMITS,
            value: value.to_owned(),
            wants: wants.to_owned(),
        };
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        if words.is_empty() || !words.len().is_multiple_of(4) {
            return Err(invalid("Wrong number of arguments in buffer limit configuration."));
        }
        let mut changed = self.clone();
        for class in words.chunks_exact(4) {
            let read = [parse_memory(class[1]), parse_memory(class[2]), class[3].parse().ok()];
            let [Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)] = read else {
                return Err(invalid(
                    "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
                ));
            };
            let limit = OutputLimit { hard_bytes, soft_bytes, soft_seconds };
            match class[0].to_ascii_lowercase().as_str() {
                "replica" | "slave" => changed.replica_limit = limit,
                "normal" => changed.normal_limit = limit,
                "pubsub" => changed.pubsub_limit = limit,
                _ => {
                    return Err(invalid(
                        "Invalid client class specified in buffer limit configuration.",
                    ));
                }
            }
        }
        *self = changed;
        Ok(())
    }

    fn print_limits(&self) -> String {
        let classes = [
            ("normal", self.normal_limit),
            ("slave", self.replica_limit),
            ("pubsub", self.pubsub_limit),
        ];
        let class = |(name, limit): (&str, OutputLimit)| {
            format!("{name} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
        };
        classes.map(class).join(" ")
    }
}

impl Directive {
    fn parse(&self, value: &str) -> Result<u64, ConfigError> {
        let wants = match self.kind {
            Kind::Memory => "argument must be a memory value",
            Kind::Number => "argument couldn't be parsed into an integer",
            Kind::YesNo => "argument must be 'yes' or 'no'",
        };
        let invalid = |wants: String| ConfigError::Invalid {
            directive: self.name,
            value: value.to_owned(),
            wants,
        };
        let parsed = match self.kind {
            Kind::Memory => parse_memory(value),
            Kind::Number => value.parse().ok(),
            Kind::YesNo => match value.to_ascii_lowercase().as_str() {
                "yes" => Some(1),
                "no" => Some(0),
                _ => None,
            },
        };
        let parsed = parsed.ok_or_else(|| invalid(wants.to_owned()))?;
        if (self.min..=self.max).contains(&parsed) {
            return Ok(parsed);
        }
        let (min, max) = (self.min, self.max);
        Err(invalid(format!("argument must be between {min} and {max} inclusive")))
    }

    fn print(&self, config: &Config) -> String {
        let value = (self.read)(config);
        match self.kind {
            Kind::YesNo => if value == 1 { "yes" } else { "no" }.to_owned(),
            Kind::Memory | Kind::Number => value.to_string(),
        }
    }
}

fn find(name: &str) -> Result<&'static Directive, ConfigError> {
    let lower = name.to_ascii_lowercase();
    DIRECTIVES
        .iter()
        .find(|directive| directive.name == lower || directive.alias == Some(lower.as_str()))
        .ok_or_else(|| ConfigError::Unknown { directive: name.to_owned() })
}

/// Reads `16kb` as 16384 and `16k` as 16000, as Redis' `memtoll` does; case does not matter.
#[must_use]
pub fn parse_memory(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1000 * 1000,
        "mb" => 1 << 20,
        "g" => 1000 * 1000 * 1000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Matches `*` and `?`; the sets of Redis' globs are not needed to name directives.
///
/// Only the last star is ever gone back to, so the time is at most pattern times text, whatever a
/// client sends.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and how much of the text it has swallowed.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(letter) if *letter == b'?' || *letter == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((behind, swallowed)) = star else { return false };
                star = Some((behind, swallowed + 1));
                (p, t) = (behind, swallowed + 1);
            }
        }
    }
    pattern[p..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::engine::REDIS_6_2;

    /// Names that CONFIG GET knows, older spellings included.
    const ALL: usize = DIRECTIVES.len() + 7 + 1;

    #[test]
    fn output_limits_are_set_by_class_and_all_or_none() {
        let mut config = Config::defaults(&REDIS_6_2);
        config.set(LIMITS, "replica 1mb 64kb 5").unwrap();
        let limit = OutputLimit { hard_bytes: 1 << 20, soft_bytes: 65536, soft_seconds: 5 };
        assert_eq!(config.replica_limit, limit);
        let printed = "normal 0 0 0 slave 1048576 65536 5 pubsub 33554432 8388608 60";
        assert_eq!(config.matching(LIMITS), [(LIMITS, printed.to_owned())]);
        for bad in ["", "replica 1mb 1mb", "replica x 1 1", "normal 1 1 1 others 1 1 1"] {
            assert!(config.set(LIMITS, bad).is_err(), "{bad}");
        }
        assert_eq!(config.normal_limit, OutputLimit::default());
    }

    #[test]
    fn memory_is_read_as_redis_conf_writes_it() {
        for (text, bytes) in [
            ("1000", Some(1000)),
            ("16kb", Some(16384)),
            ("16K", Some(16000)),
            ("1Mb", Some(1 << 20)),
            ("2gb", Some(2 << 30)),
            ("5b", Some(5)),
            ("", None),
            ("kb", None),
            ("-1", None),
            ("1.5mb", None),
            ("99999999999gb", None),
        ] {
            assert_eq!(parse_memory(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_small_backlog_is_kept_at_start_and_raised_by_config_set() {
        let mut config = Config::defaults(&REDIS_6_2);
        config.load("repl-backlog-size", "1000").unwrap();
        assert_eq!(config.backlog_bytes, 1000);
        config.set("repl-backlog-size", "1000").unwrap();
        assert_eq!(config.backlog_bytes, 1000, "the value already in force is no change");
        config.set("repl-backlog-size", "2000").unwrap();
        assert_eq!(config.backlog_bytes, 16384);
    }

    #[test]
    fn a_bad_setting_is_refused_in_the_words_of_redis_and_changes_nothing() {
        let mut config = Config::defaults(&REDIS_6_2);
        let before = config.clone();
        for (directive, value, says) in [
            ("nonsense", "1", "Unsupported CONFIG parameter: nonsense"),
            (
                "repl-backlog-size",
                "big",
                "Invalid argument 'big' for CONFIG SET 'repl-backlog-size' - argument must be a memory value",
            ),
            (
                "repl-timeout",
                "0",
                "Invalid argument '0' for CONFIG SET 'repl-timeout' - argument must be between 1 and 2147483647 inclusive",
            ),
        ] {
            assert_eq!(config.set(directive, value).unwrap_err().to_string(), says);
        }
        assert_eq!(config, before);
    }

    #[test]
    fn config_get_takes_globs_and_both_spellings() {
        let config = Config::defaults(&REDIS_6_2);
        let names = |pattern| -> Vec<&str> {
            config.matching(pattern).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("repl-backlog-*"), ["repl-backlog-size", "repl-backlog-ttl"]);
        assert_eq!(names("REPL-PING-SLAVE-PERIOD"), ["repl-ping-slave-period"]);
        assert_eq!(names("nothing"), Vec::<&str>::new());
        assert_eq!(names("*tt?"), ["repl-backlog-ttl"]);
        assert_eq!(names("*").len(), ALL);
    }

    #[test]
    fn a_hostile_glob_costs_no_more_than_a_kind_one() {
        let config = Config::defaults(&REDIS_6_2);
        let stars = "*".repeat(300_000);
        assert_eq!(config.matching(&stars).len(), ALL);
        assert_eq!(config.matching(&format!("{stars}#")).len(), 0);
        assert_eq!(config.matching(&"*a".repeat(100_000)).len(), 0);
    }
}
