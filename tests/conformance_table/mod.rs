//! The conformance table: what was compared with real servers, and how often we differed.
//!
//! Several test programs contribute. Each writes a part of its own, so none waits for another and
//! none can undo another's; whoever writes a part puts the table together from all that are there.
//! The files are `target/conformance/parts/NAME.json`, `conformance.json` and `conformance.md`.
//!
//! Other test crates use it with `#[path = "../conformance_table/mod.rs"] mod conformance_table;`.
#![allow(dead_code, reason = "each test crate that includes this file uses its own share of it")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// What one suite found out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// What was done, in a few words.
    pub suite: String,
    /// One a pair of real server and engine.
    pub rows: Vec<Row>,
    /// Deliberately broken rules, where the suite tried its own power with some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<Mutant>,
    /// Filled in when it is written: the day, as `2026-01-31`.
    #[serde(default)]
    pub date: String,
}

/// One real server against one engine of ours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// The real server with its version, as `redis-server 7.0.15`.
    pub server: String,
    /// Our engine, as `redis-7.0`.
    pub engine: String,
    /// Which of the two seats ours sat in, as `master` or `replica`.
    pub seat: String,
    /// Random schedules, or recordings, that were gone through.
    pub schedules: u64,
    /// Synchronization requests whose answers were compared.
    pub requests: u64,
    /// Single comparisons made.
    pub checks: u64,
    /// How many of these differed.
    pub disagreements: u64,
    /// Schedules that were given up early, because an allocator gave a block more than its rule
    /// says; what was compared until then counts.
    #[serde(default)]
    pub given_up: u64,
    /// With which the run can be repeated, where chance took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How long it took.
    pub seconds: u64,
}

/// A rule broken on purpose, and how many requests then had another answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mutant {
    /// What was broken.
    pub rule: String,
    /// (server, disagreements), one a server.
    pub noticed: Vec<(String, u64)>,
}

/// All parts as one table: what the page shows (static/conformance.js).
#[derive(Serialize)]
struct Table<'a> {
    /// The day of the newest part.
    date: &'a str,
    rows: Vec<TableRow<'a>>,
}

#[derive(Serialize)]
struct TableRow<'a> {
    suite: &'a str,
    #[serde(flatten)]
    row: &'a Row,
}

impl Table<'_> {
    fn of(parts: &[Part]) -> Table<'_> {
        let date = parts.iter().map(|part| part.date.as_str()).max().unwrap_or_default();
        let of_part = |part| {
            let Part { suite, rows, .. }: &Part = part;
            rows.iter().map(move |row| TableRow { suite, row })
        };
        Table { date, rows: parts.iter().flat_map(of_part).collect() }
    }
}

/// Writes the part of this name, and the table anew.
pub fn write(name: &str, mut part: Part) {
    part.date = today();
    let written = write_part(&folder(), name, &part).and_then(|()| assemble(&folder()));
    if let Err(error) = written {
        panic!("the conformance table in {}: {error}", folder().display());
    }
}

/// Beside everything else that cargo makes, wherever that is.
pub fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.unwrap_or(Path::new(env!("CARGO_TARGET_TMPDIR"))).join("conformance")
}

fn write_part(folder: &Path, name: &str, part: &Part) -> io::Result<()> {
    fs::create_dir_all(folder.join("parts"))?;
    replace(&folder.join("parts").join(format!("{name}.json")), &json(part)?)
}

/// Puts the table together from all parts in `folder`.
fn assemble(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder.join("parts"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    let read =
        |path: &PathBuf| -> io::Result<Part> { Ok(serde_json::from_slice(&fs::read(path)?)?) };
    let parts = files.iter().map(read).collect::<io::Result<Vec<Part>>>()?;
    replace(&folder.join("conformance.json"), &json(&Table::of(&parts))?)?;
    replace(&folder.join("conformance.md"), &markdown(&parts))
}

fn json(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// In one step, so that a reader never meets half a file.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

fn markdown(parts: &[Part]) -> String {
    let mut out = String::from(
        "# Conformance\n\nWhat was compared with real servers, and how often ours differed.\n\n\
         | suite | server | engine | seat | schedules | requests | checks | disagreements | given up \
         | seed | seconds | date |\n|---|---|---|---|---:|---:|---:|---:|---:|---|---:|---|\n",
    );
    for part in parts {
        for row in &part.rows {
            let seed = row.seed.map_or_else(|| "-".to_owned(), |seed| seed.to_string());
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {seed} | {} | {} |",
                part.suite,
                row.server,
                row.engine,
                row.seat,
                row.schedules,
                row.requests,
                row.checks,
                row.disagreements,
                row.given_up,
                row.seconds,
                part.date
            );
        }
    }
    for part in parts.iter().filter(|part| !part.mutants.is_empty()) {
        let _ = write!(
            out,
            "\n## Would a wrong rule be noticed? ({})\n\n| broken rule | disagreements |\n|---|---|\n",
            part.suite
        );
        for mutant in &part.mutants {
            let noticed = mutant.noticed.iter().map(|(server, count)| format!("{server}: {count}"));
            let noticed = noticed.collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "| {} | {noticed} |", mutant.rule);
        }
    }
    out
}

fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil(since.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date of a day counted from 1970-01-01.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_with_leap_years() {
        let dates = [(0, (1970, 1, 1)), (59, (1970, 3, 1)), (11_016, (2000, 2, 29))];
        for (days, date) in dates.into_iter().chain([(20_818, (2026, 12, 31))]) {
            assert_eq!(civil(days), date, "day {days}");
        }
    }

    #[test]
    fn the_table_is_put_together_from_the_parts_that_are_there() {
        let folder = std::env::temp_dir().join(format!("psync-table-{}", std::process::id()));
        let row = Row { server: "redis-server 7.0.15".into(), requests: 12, ..Row::default() };
        let mutant = Mutant { rule: "ids by prefix".into(), noticed: vec![("redis".into(), 3)] };
        let part = Part {
            suite: "one".into(),
            rows: vec![row.clone()],
            mutants: vec![mutant],
            ..Part::default()
        };
        write_part(&folder, "one", &part).expect("a part");
        write_part(
            &folder,
            "two",
            &Part { suite: "two".into(), rows: vec![row], ..Part::default() },
        )
        .expect("a part");
        assemble(&folder).expect("a table");
        let table = fs::read_to_string(folder.join("conformance.md")).expect("the table");
        let json = fs::read_to_string(folder.join("conformance.json")).expect("the table");
        let _ = fs::remove_dir_all(&folder);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            (&json["rows"][1]["suite"], &json["rows"][1]["requests"]),
            (&"two".into(), &12.into())
        );
        assert_eq!(table.matches("| redis-server 7.0.15 |").count(), 2, "{table}");
        assert!(table.contains("| ids by prefix | redis: 3 |"), "{table}");
    }
}
