//! How an engine's process talks in its log: the prefix of a line, the level of a line, the lines
//! of start and end.
//!
//! The core says what happened, without prefix and level. Levels are found again by how a line
//! begins; the texts are those of replication.c, networking.c and server.c.
//!
//! Shapes (7.0.15 and 9.1.2 were looked at, the older ones are known from their logs):
//!
//! | engine | prefix |
//! |---|---|
//! | up to 2.8 | `[PID] 24 Nov 10:11:12.123 * text` |
//! | 3.0 to 4.0 | `PID:M 24 Nov 10:11:12.123 * text` |
//! | 5.0+, Valkey | `PID:M 24 Nov 2026 10:11:12.123 * text` |

use psync::server::engine::Engine;

use crate::journal::Level;

/// The manner of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// "Redis" or "Valkey".
    pub product: &'static str,
    /// As it says it.
    pub version: &'static str,
    prefix: PrefixShape,
    /// 7.2 found that much of replication is no reason to warn.
    calm: bool,
    /// 6.2 tells which clock it uses.
    names_clock: bool,
    valkey: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PrefixShape {
    Bracket,
    NoYear,
    Year,
}

/// Lines that are warnings in every engine begin like this.
const WARNINGS: &[&str] = &[
    "MASTER timeout",
    "PRIMARY timeout",
    "Timeout ",
    "Error condition on socket",
    "Error reply to PING",
    "Disconnecting timedout",
    "Warning:",
    "WARNING",
    "Unexpected reply",
    "Bad protocol",
    "Protocol error",
    "I/O error",
    "Failed",
    "Write error",
    "Read error",
    "Error ",
    "MASTER aborted",
    "PRIMARY aborted",
    "Master replied with wrong",
    "Primary replied with wrong",
    "Unable to connect",
    "Client ",
    "SYNC failed",
    "BGSAVE for replication failed",
    "Background saving error",
    "Replication stream EOF",
    "== CRITICAL",
    "Can't",
    "Fatal",
];

/// Warnings until 7.0, notices since 7.2 and in Valkey.
const CALMED: &[&str] = &[
    "Connection with master lost",
    "Connection with primary lost",
    "Connection with replica ",
    "Connection with slave ",
    "Master replication ID changed",
    "Primary replication ID changed",
    "Setting secondary replication ID",
    "User requested shutdown",
];

impl Manner {
    /// The manner of an engine.
    #[must_use]
    pub fn of(engine: &Engine) -> Manner {
        let valkey = engine.server_name() == "Valkey";
        let mut numbers = engine.version.split('.').map_while(|part| part.parse::<u32>().ok());
        let version = (numbers.next().unwrap_or(2), numbers.next().unwrap_or(0));
        let prefix = match version {
            (..3, _) => PrefixShape::Bracket,
            (..5, _) => PrefixShape::NoYear,
            _ => PrefixShape::Year,
        };
        Manner {
            product: engine.server_name(),
            version: engine.version,
            prefix,
            calm: valkey || version >= (7, 2),
            names_clock: version >= (6, 2),
            valkey,
        }
    }

    /// What stands before a line's text; `time` as [`Manner::time_format`] asks for it.
    #[must_use]
    pub fn prefix(&self, pid: u32, role: char, time: &str, level: Level) -> String {
        let sign = level.sign();
        match self.prefix {
            PrefixShape::Bracket => format!("[{pid}] {time} {sign} "),
            PrefixShape::NoYear | PrefixShape::Year => format!("{pid}:{role} {time} {sign} "),
        }
    }

    /// How it writes a second, in the words of `strftime`; milliseconds follow behind a point.
    #[must_use]
    pub fn time_format(&self) -> &'static str {
        match self.prefix {
            PrefixShape::Bracket | PrefixShape::NoYear => "%d %b %H:%M:%S",
            PrefixShape::Year => "%d %b %Y %H:%M:%S",
        }
    }

    /// The letter for a process that does not serve yet. A Redis only then learns its own process
    /// id, and so takes itself for a child.
    #[must_use]
    pub fn early_role(&self) -> char {
        if self.valkey { 'M' } else { 'C' }
    }

    /// How grave a line of the core is.
    #[must_use]
    pub fn level(&self, text: &str) -> Level {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|begin| text.starts_with(begin));
        // Begins like the notice about a request, and ends otherwise.
        let wrong_offset = text.ends_with("with a wrong offset");
        if begins(WARNINGS) || wrong_offset || (!self.calm && begins(CALMED)) {
            Level::Warning
        } else {
            Level::Notice
        }
    }

    /// The first lines, before it listens.
    #[must_use]
    pub fn greeting(&self, pid: u32, configured: bool) -> Vec<(Level, String)> {
        let level = if self.calm { Level::Notice } else { Level::Warning };
        let (product, version) = (self.product, self.version);
        let stars = "oO0OoO0OoO0Oo";
        let mut lines = vec![
            (level, format!("{stars} {product} is starting {stars}")),
            (
                level,
                format!(
                    "{product} version={version}, bits=64, commit=00000000, modified=0, \
                     pid={pid}, just started"
                ),
            ),
        ];
        lines.push(if configured {
            (level, "Configuration loaded".to_owned())
        } else {
            let hint = "Warning: no config file specified, using the default config.";
            (Level::Warning, hint.to_owned())
        });
        lines
    }

    /// What it says when it listens. The process id stands here alone: harnesses look for it, and
    /// a real server has it in the picture that it draws on a terminal.
    #[must_use]
    pub fn listening(&self, pid: u32, port: u16) -> Vec<(Level, String)> {
        let level = if self.calm { Level::Notice } else { Level::Warning };
        let clock = (Level::Notice, "monotonic clock: POSIX clock_gettime".to_owned());
        let mut lines = vec![
            (Level::Notice, format!("Running mode=standalone, port={port}.")),
            (Level::Notice, format!("PID: {pid}")),
            (level, "Server initialized".to_owned()),
        ];
        if self.names_clock {
            lines.insert(0, clock);
        }
        lines
    }

    /// What it says when clients are served.
    #[must_use]
    pub fn ready(&self) -> &'static str {
        if self.calm { "Ready to accept connections tcp" } else { "Ready to accept connections" }
    }

    /// The last line.
    #[must_use]
    pub fn bye(&self) -> String {
        format!("{} is now ready to exit, bye bye...", self.product)
    }

    /// The head of a message about a configuration that cannot be used.
    #[must_use]
    pub fn fatal_config(&self) -> String {
        let who = if self.valkey { "Version" } else { self.product };
        format!("*** FATAL CONFIG FILE ERROR ({who} {}) ***", self.version)
    }
}

#[cfg(test)]
mod tests {
    use psync::server::engine::{REDIS_2_8, REDIS_4_0, REDIS_6_2, REDIS_7_0, REDIS_7_2, VALKEY_9};

    use super::*;

    #[test]
    fn prefixes_are_those_of_the_engine() {
        let time = "24 Nov 10:11:12.123";
        let prefix = |engine| Manner::of(engine).prefix(7, 'M', time, Level::Notice);
        assert_eq!(prefix(&REDIS_2_8), "[7] 24 Nov 10:11:12.123 * ");
        assert_eq!(prefix(&REDIS_4_0), "7:M 24 Nov 10:11:12.123 * ");
        assert_eq!(prefix(&REDIS_7_0), "7:M 24 Nov 10:11:12.123 * ");
        assert_eq!(Manner::of(&REDIS_4_0).time_format(), "%d %b %H:%M:%S");
        assert_eq!(Manner::of(&REDIS_6_2).time_format(), "%d %b %Y %H:%M:%S");
        assert_eq!(Manner::of(&VALKEY_9).time_format(), "%d %b %Y %H:%M:%S");
    }

    #[test]
    fn some_warnings_became_notices_in_7_2() {
        let level = |engine, text| Manner::of(engine).level(text);
        for text in ["Connection with master lost.", "Connection with replica a:1 lost."] {
            assert_eq!(level(&REDIS_7_0, text), Level::Warning);
            assert_eq!(level(&REDIS_7_2, text), Level::Notice);
        }
        for engine in [&REDIS_7_0, &REDIS_7_2] {
            assert_eq!(level(engine, "MASTER timeout: no data..."), Level::Warning);
            assert_eq!(level(engine, "Replica a:1 asks for synchronization"), Level::Notice);
            assert_eq!(level(engine, "Unable to partial resync with replica"), Level::Notice);
        }
    }

    #[test]
    fn the_lines_of_start_and_end_are_those_of_the_two_real_servers() {
        let shown = |manner: Manner| -> Vec<String> {
            let mut lines = manner.greeting(5, true);
            lines.extend(manner.listening(5, 7391));
            lines.push((Level::Notice, manner.ready().to_owned()));
            lines.into_iter().map(|(level, text)| format!("{} {text}", level.sign())).collect()
        };
        assert_eq!(
            shown(Manner::of(&REDIS_7_0)),
            [
                "# oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
                "# Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=5, just started",
                "# Configuration loaded",
                "* monotonic clock: POSIX clock_gettime",
                "* Running mode=standalone, port=7391.",
                "* PID: 5",
                "# Server initialized",
                "* Ready to accept connections",
            ]
        );
        assert_eq!(
            shown(Manner::of(&VALKEY_9))[1..],
            [
                "* Valkey version=9.1.2, bits=64, commit=00000000, modified=0, pid=5, just started",
                "* Configuration loaded",
                "* monotonic clock: POSIX clock_gettime",
                "* Running mode=standalone, port=7391.",
                "* PID: 5",
                "* Server initialized",
                "* Ready to accept connections tcp",
            ]
        );
        assert_eq!(Manner::of(&VALKEY_9).bye(), "Valkey is now ready to exit, bye bye...");
        assert_eq!(
            Manner::of(&VALKEY_9).fatal_config(),
            "*** FATAL CONFIG FILE ERROR (Version 9.1.2) ***"
        );
    }
}
