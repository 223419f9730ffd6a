//! What happened in the worlds, so that a swarm in which something never happens fails.

use std::collections::BTreeMap;

use psync::cluster::trace::{Entry, What};
use psync::cluster::{Action, Verdict};
use psync::wire::Value;

/// How often each thing happened.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    engine: &'static str,
    counts: BTreeMap<String, u64>,
}

/// What a log line tells, in the words of any engine.
const LINES: [(&str, &str); 9] = [
    ("overcoming of output buffer limits", "cut by an output limit"),
    ("Waiting for end of BGSAVE for SYNC", "joined a snapshot"),
    ("Delay next BGSAVE", "snapshot put off"),
    ("backlog freed after", "backlog freed"),
    ("should be in the future", "told to come later"),
    ("Background transfer terminated", "snapshot nobody needs"),
    ("Setting secondary replication ID", "promotion with a second id"),
    ("using: dual-channel", "snapshot on a second channel"),
    ("Retrying with SYNC", "fell back to SYNC"),
];

impl Tally {
    pub fn new(engine: &'static str) -> Tally {
        Tally { engine, counts: BTreeMap::new() }
    }

    fn add(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    pub fn entry(&mut self, entry: &Entry) {
        match &entry.what {
            What::Decision(record) => {
                let engine = self.engine;
                match (record.verdict, record.reason) {
                    (Verdict::Partial, _) => {
                        self.add(format!("{engine}: partial"));
                        let sameid = record.checks.iter().any(|check| {
                            check.against.contains(&record.request.replid)
                                && check.asked == record.request.replid
                        });
                        let beside = record.checks.len() > 5;
                        self.add(if beside || !sameid {
                            "partial by the second id"
                        } else {
                            "partial by the id"
                        });
                        if record.bytes == 0 {
                            self.add("partial of nothing");
                        }
                        if record.replica == "master" {
                            self.add("old master continued");
                        }
                        if record.master != "master" {
                            self.add("partial from a replica or new master");
                        }
                    }
                    (Verdict::Full, reason) => {
                        self.add(format!("{engine}: full"));
                        self.add(format!("full: {}", reason.unwrap_or("-")));
                        if record.remedy.is_some() {
                            self.add("full with a remedy");
                        }
                    }
                }
            }
            What::Log { line, .. } => {
                for (part, what) in LINES {
                    if line.contains(part) {
                        self.add(what);
                    }
                }
            }
            What::Overrun { .. } => self.add("overrun"),
            What::Message(_) | What::Link { .. } | What::Action { .. } => {}
        }
    }

    pub fn action(&mut self, action: &Action, answer: Option<&Value>) {
        match (action, answer) {
            (_, Some(Value::Error(text))) if text.starts_with(b"NOREPLICAS") => {
                self.add("write refused for want of replicas");
            }
            (Action::Kill { .. }, _) => self.add("kill"),
            (Action::Restart { keep_id: true, .. }, _) => self.add("restart with its id"),
            (Action::Config { directive, .. }, Some(Value::Simple(_)))
                if directive == "repl-backlog-size" =>
            {
                self.add("resize");
            }
            _ => {}
        }
    }

    /// Adds another world's.
    pub fn join(&mut self, other: &Tally) {
        for (what, count) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
    }

    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// As a table.
    pub fn lines(&self) -> String {
        let lines = self.counts.iter().map(|(what, count)| format!("{count:>8} {what}\n"));
        lines.collect()
    }
}
