//! The fields of `INFO replication`, and what ROLE lists: what each means, and which thing on the
//! drawing it is about.

use crate::stage::topology::Topology;
use crate::world::{ServerSnapshot, Snapshot};

/// What a field is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    /// The server itself.
    Me,
    /// Its link to its master.
    Link,
    /// Where it stands on its master's history.
    Hand,
    /// The server that it follows.
    Master,
    /// All that follow it.
    Followers,
    /// One that follows it, by the address in the line.
    Follower,
    Replid,
    Replid2,
    Offset,
    Backlog,
    FirstByte,
}

use Thing::{
    Backlog, FirstByte, Follower, Followers, Hand, Link, Master, Me, Offset, Replid, Replid2,
};

/// How a field begins, what it is about, what it means; the first that fits counts.
const FIELDS: &[(&str, Thing, &str)] = &[
    ("role", Me, "Who follows nobody is a master; its own replicas may be masters to others."),
    ("master_host", Master, "Whom it follows: the address."),
    ("master_port", Master, "Whom it follows: the port."),
    ("master_link_status", Link, "Up once it is in sync and reads the stream."),
    ("master_last_io", Link, "Seconds since the master was heard; repl-timeout ends the wait."),
    (
        "master_link_down",
        Link,
        "How long the link has been down: the backlog must reach back this far.",
    ),
    ("master_sync_in_progress", Link, "Whether a snapshot is arriving: a full resync."),
    ("master_sync", Link, "How far the snapshot has come."),
    ("slave_read_repl_offset", Hand, "Bytes of the history that arrived, applied or not."),
    (
        "slave_repl_offset",
        Hand,
        "Bytes of the history that it has applied; it asks for the next one.",
    ),
    ("slave_priority", Me, "Whom a Sentinel promotes first: the lowest, never 0."),
    ("slave_read_only", Me, "Whether clients may write here; what they write is lost at a resync."),
    ("replica_announced", Me, "Whether a Sentinel tells clients of it."),
    ("replicas_repl_buffer", Link, "Of the stream, kept while the snapshot is still loading."),
    ("connected_slaves", Followers, "How many replicas are attached: cut ones are not counted."),
    ("min_slaves", Followers, "How many of them answered lately enough for min-replicas-to-write."),
    ("replicas_waiting", Followers, "Snapshots on their way whose replicas have still to ask."),
    ("slave", Follower, "A replica: what it acknowledged last, and how many seconds ago."),
    ("master_failover", Me, "Whether a planned handover by FAILOVER is going on."),
    (
        "master_replid2",
        Replid2,
        "The history before the last promotion: replicas of the old master may continue.",
    ),
    (
        "master_replid",
        Replid,
        "The name of the history: who asks with another one gets a full resync.",
    ),
    ("master_repl_offset", Offset, "How many bytes this history has: where the write head stands."),
    ("second_repl_offset", Replid2, "Up to here the second name is good too; -1: there is none."),
    (
        "repl_backlog_active",
        Backlog,
        "Whether a backlog is kept; it begins with the first replica.",
    ),
    (
        "repl_backlog_size",
        Backlog,
        "How many bytes are kept for those who come back: one turn of the dial.",
    ),
    (
        "repl_backlog_first",
        FirstByte,
        "The oldest byte kept: who needs an older one gets a full resync.",
    ),
    ("repl_backlog_histlen", Backlog, "How many bytes are kept now."),
];

/// What the lines of ROLE are, as fields of INFO: of a master, of a replica. Further lines of a
/// master are its replicas.
pub const ROLE: [&[&str]; 2] = [
    &["role", "master_repl_offset", "slave"],
    &["role", "master_host", "master_port", "master_link_status", "slave_repl_offset"],
];

/// Who is asked, and what the drawing shows.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The world.
    pub snapshot: &'a Snapshot,
    /// The server asked.
    pub index: usize,
    /// The one on the dial.
    pub on_dial: usize,
}

impl<'a> Asked<'a> {
    /// The server chosen, or else the one on the dial.
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, chosen: Option<usize>) -> Asked<'a> {
        let on_dial = Topology::new(snapshot, chosen).subject;
        let index = chosen.filter(|n| *n < snapshot.servers.len()).unwrap_or(on_dial);
        Asked { snapshot, index, on_dial }
    }

    /// The server asked.
    #[must_use]
    pub fn server(&self) -> Option<&'a ServerSnapshot> {
        self.snapshot.servers.get(self.index)
    }

    /// What a field means, and the places that it is about.
    #[must_use]
    pub fn tell(&self, field: &str, line: &str) -> (&'static str, String) {
        let known = FIELDS.iter().find(|(start, ..)| field.starts_with(start));
        let (Some((_, thing, meaning)), Some(server)) = (known, self.server()) else {
            return ("", String::new());
        };
        let me = &server.name;
        let master = server.link.as_ref().map_or("", |link| link.master.as_str());
        let drawn = self.index == self.on_dial;
        let place = match thing {
            Link => format!("{me}-link"),
            Master => master.to_owned(),
            Followers => "cards".to_owned(),
            Follower => {
                self.follower(line).map_or(String::new(), |name| format!("{name} {name}-link"))
            }
            Offset if drawn => "offset write-head".to_owned(),
            Replid2 if drawn && server.second_replid_offset >= 0 => "replid2".to_owned(),
            Backlog if drawn => "dial".to_owned(),
            FirstByte if drawn => "backlog-first".to_owned(),
            Replid if drawn => "replid".to_owned(),
            // The same name as on the dial.
            Replid if self.shares() => format!("{me} replid"),
            Hand | Offset => format!("{me} {me}-hand"),
            _ => me.clone(),
        };
        (*meaning, place)
    }

    /// Whether its history has the name that stands on the dial.
    fn shares(&self) -> bool {
        let servers = &self.snapshot.servers;
        let id = |index: usize| servers.get(index).map(|server| &server.replid);
        id(self.index) == id(self.on_dial)
    }

    /// Server N has address 10.0.0.N, counted from 1.
    fn follower(&self, line: &str) -> Option<&'a str> {
        let number = line.split_once("10.0.0.")?.1;
        let number = number.split(|c: char| !c.is_ascii_digit()).next()?;
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        Some(self.snapshot.servers.get(index)?.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Run, Scenario};

    fn run(preset: &str, us: u64) -> Run {
        let mut run = Run::new(Scenario::preset(preset).expect("a preset of our own"));
        run.advance_us(us);
        run
    }

    /// Each field that a server of each engine says, with the places it points at.
    fn told(run: &Run, index: usize) -> Vec<(String, String)> {
        let snapshot = run.snapshot();
        let asked = Asked::of(&snapshot, Some(index));
        let (info, _) = run.world().says(index).expect("awake");
        let tell = |line: &str| {
            let field = line.split(':').next().unwrap_or_default();
            let (meaning, places) = asked.tell(field, line);
            assert!(!meaning.is_empty(), "{line} means nothing");
            (field.to_owned(), places)
        };
        info.lines().skip(1).map(tell).collect()
    }

    #[test]
    fn every_field_of_every_engine_means_something_and_points_somewhere() {
        for preset in ["short-blip", "too-long", "proposal", "promotion", "slow-replica-pins"] {
            for engine in crate::world::ENGINES {
                let mut scenario = Scenario::preset(preset).expect("a preset of our own");
                scenario.engine = engine;
                let mut run = Run::new(scenario);
                for at_us in [3_000_000, 8_000_000, 17_000_000] {
                    run.seek(crate::world::Instant(at_us));
                    for index in 0..run.snapshot().servers.len() {
                        for (field, places) in told(&run, index) {
                            assert!(!places.trim().is_empty(), "{field} points nowhere");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_field_points_at_its_thing() {
        let run = run("short-blip", 4_000_000);
        let of = |index: usize, field: &str| {
            let all = told(&run, index);
            all.into_iter().find(|(name, _)| name == field).map(|(_, places)| places)
        };
        let table = [
            (0, "role", "master"),
            (0, "connected_slaves", "cards"),
            (0, "slave1", "replica-2 replica-2-link"),
            (0, "master_replid", "replid"),
            (0, "master_repl_offset", "offset write-head"),
            (0, "repl_backlog_size", "dial"),
            (0, "repl_backlog_first_byte_offset", "backlog-first"),
            (2, "role", "replica-2"),
            (2, "master_host", "master"),
            (2, "master_link_status", "replica-2-link"),
            (2, "slave_repl_offset", "replica-2 replica-2-hand"),
            (2, "master_replid", "replica-2 replid"),
            (2, "repl_backlog_size", "replica-2"),
        ];
        for (index, field, places) in table {
            assert_eq!(of(index, field).as_deref(), Some(places), "{field} of {index}");
        }
    }
}
