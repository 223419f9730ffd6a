//! The log: lines in an engine's manner, to stdout or to the end of a file.
//!
//! Times are local, by the system's time zone, as in a real server. A line is written whole and at
//! once, so that a harness that watches the file never sees half of one.
//!
//! Absent on purpose: syslog, rotation (the file is appended to; whoever truncates it is obeyed).

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::manner::Manner;

/// How grave a line is (`loglevel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For developers.
    Debug,
    /// More than most want to know.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// What an operator must know.
    Warning,
    /// Graver than any line: nothing is logged (Valkey).
    Nothing,
}

impl Level {
    /// As redis.conf names it.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Level> {
        match name.to_ascii_lowercase().as_str() {
            "debug" => Some(Level::Debug),
            "verbose" => Some(Level::Verbose),
            "notice" => Some(Level::Notice),
            "warning" => Some(Level::Warning),
            "nothing" => Some(Level::Nothing),
            _ => None,
        }
    }

    /// As it stands in a line.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning | Level::Nothing => '#',
        }
    }
}

/// A log that several threads write to.
pub struct Journal {
    manner: Manner,
    least: Level,
    zone: TimeZone,
    pid: u32,
    file: Option<Mutex<File>>,
}

impl Journal {
    /// Opens it; without a file it is stdout. Lines less grave than `least` are left out.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(manner: Manner, least: Level, file: Option<&Path>) -> io::Result<Journal> {
        let open = |path| File::options().create(true).append(true).open(path);
        let file = file.map(open).transpose()?.map(Mutex::new);
        Ok(Journal { manner, least, zone: TimeZone::system(), pid: std::process::id(), file })
    }

    /// Writes one line about something that happened at this Unix time.
    pub fn write_at(&self, unix_ms: u64, role: char, level: Level, text: &str) {
        if level < self.least {
            return;
        }
        let time = self.time(unix_ms);
        let prefix = self.manner.prefix(self.pid, role, &time, level);
        self.raw(&format!("{prefix}{text}\n"));
    }

    /// Writes one line about something that happens now.
    pub fn write(&self, role: char, level: Level, text: &str) {
        self.write_at(unix_ms(), role, level, text);
    }

    /// Writes one line as a signal handler does, which cannot know the local time.
    pub fn write_from_signal(&self, text: &str) {
        let seconds = unix_ms() / 1000;
        self.raw(&format!("{}:signal-handler ({seconds}) {text}\n", self.pid));
    }

    fn time(&self, unix_ms: u64) -> String {
        let at = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        // A time that no calendar has says so little that the first one will do.
        let at = at.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned_datetime(self.zone.clone());
        format!("{}.{:03}", at.strftime(self.manner.time_format()), unix_ms % 1000)
    }

    fn raw(&self, line: &str) {
        // A log that cannot be written must not stop a server, and there is nobody to tell.
        let _ = match &self.file {
            Some(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(line.as_bytes())
            }
            None => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush())
            }
        };
    }
}

fn unix_ms() -> u64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(unix.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use psync::server::engine::REDIS_6_2;

    use super::*;

    #[test]
    fn lines_are_appended_whole_with_the_prefix_and_below_the_level_left_out() {
        let path = std::env::temp_dir().join(format!("psync-journal-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let manner = Manner::of(&REDIS_6_2);
        for text in ["one", "two"] {
            let mut journal = Journal::open(manner, Level::Notice, Some(&path)).unwrap();
            journal.zone = TimeZone::UTC;
            journal.write_at(1_795_515_578_295, 'M', Level::Notice, text);
            journal.write_at(1_795_515_578_295, 'M', Level::Verbose, "less");
        }
        let pid = std::process::id();
        let expected = format!(
            "{pid}:M 24 Nov 2026 10:19:38.295 * one\n{pid}:M 24 Nov 2026 10:19:38.295 * two\n"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        std::fs::remove_file(&path).unwrap();
    }
}
