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
    /// `replica-read-only`.
    pub replica_read_only: bool,
    /// `port`: what a replica announces as its listening port.
    pub port: u16,
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

/// Bounds and names as in Redis 6.2 config.c.
const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "repl-backlog-size",
        alias: None,
        kind: Kind::Memory,
        min: 1,
        max: i64::MAX as u64,
        read: |config| config.backlog_bytes,
        write: |config, value| config.backlog_bytes = value,
    },
    Directive {
        name: "repl-backlog-ttl",
        alias: None,
        kind: Kind::Number,
        min: 0,
        max: i64::MAX as u64,
        read: |config| config.backlog_ttl_seconds,
        write: |config, value| config.backlog_ttl_seconds = value,
    },
    Directive {
        name: "repl-timeout",
        alias: None,
        kind: Kind::Number,
        min: 1,
        max: i32::MAX as u64,
        read: |config| config.timeout_seconds,
        write: |config, value| config.timeout_seconds = value,
    },
    Directive {
        name: "repl-ping-replica-period",
        alias: Some("repl-ping-slave-period"),
        kind: Kind::Number,
        min: 1,
        max: i32::MAX as u64,
        read: |config| config.ping_period_seconds,
        write: |config, value| config.ping_period_seconds = value,
    },
    Directive {
        name: "replica-read-only",
        alias: Some("slave-read-only"),
        kind: Kind::YesNo,
        min: 0,
        max: 1,
        read: |config| u64::from(config.replica_read_only),
        write: |config, value| config.replica_read_only = value == 1,
    },
    Directive {
        name: "port",
        alias: None,
        kind: Kind::Number,
        min: 0,
        max: 65535,
        read: |config| u64::from(config.port),
        write: |config, value| config.port = u16::try_from(value).unwrap_or(config.port),
    },
];

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
            replica_read_only: true,
            port: 6379,
        }
    }

    /// Sets one directive as redis.conf or the command line does at start-up.
    ///
    /// # Errors
    /// When the directive is not modelled, or the value is not one it takes.
    pub fn load(&mut self, directive: &str, value: &str) -> Result<(), ConfigError> {
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
            names.map(move |name| (name, directive))
        });
        names
            .filter(|(name, _)| glob(pattern.as_bytes(), name.as_bytes()))
            .map(|(name, directive)| (name, directive.print(self)))
            .collect()
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
fn glob(pattern: &[u8], text: &[u8]) -> bool {
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
        assert_eq!(names("*").len(), 8);
    }

    #[test]
    fn a_hostile_glob_costs_no_more_than_a_kind_one() {
        let config = Config::defaults(&REDIS_6_2);
        let stars = "*".repeat(300_000);
        assert_eq!(config.matching(&stars).len(), 8);
        assert_eq!(config.matching(&format!("{stars}#")).len(), 0);
        assert_eq!(config.matching(&"*a".repeat(100_000)).len(), 0);
    }
}
