//! What somebody can do to a world, and how it is written in JSON.
//!
//! One object an action, as the public interface has it: `{ "do": "cut", "replica": "replica-1" }`,
//! in a scenario with `at_us`. Every error names the place and what stood there.

use serde_json::Value as Json;

use super::curve::{self, Point};
use super::field::{BadInput, Fields};
use crate::json;
use crate::time::Instant;

/// An action with its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedAction {
    /// When.
    pub at: Instant,
    /// What.
    pub action: Action,
}

/// What can be done. Servers and replicas are named `master`, `replica-1`, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Let nothing pass on the link between a replica and its master.
    ///
    /// Both directions: the connection is reset and new ones are refused. One direction: a black
    /// hole; what is sent waits for the link to heal, and the ends find out by their timeouts.
    Cut {
        /// Whose link.
        replica: String,
        /// Which way.
        direction: Direction,
    },
    /// Let everything pass again.
    Heal {
        /// Whose link.
        replica: String,
        /// Which way.
        direction: Direction,
    },
    /// Run one command.
    Write {
        /// The command with its arguments.
        argv: Vec<String>,
        /// Where.
        server: String,
    },
    /// Run many `SET`s at once on the master.
    Burst {
        /// How many.
        writes: u64,
        /// How long each value is.
        value_bytes: u64,
    },
    /// Change the steady rate of writes, or their size; what is not given stays.
    Workload {
        /// `SET`s a second.
        writes_per_second: Option<u64>,
        /// How long each value is.
        value_bytes: Option<u64>,
        /// A rate that changes in time from now on, in place of a steady one.
        curve: Option<Vec<Point>>,
    },
    /// End a server's process without warning (SIGKILL); there is none until it is started.
    Kill {
        /// Which.
        server: String,
    },
    /// Start the process of a killed server: with what it saved last, which in most cases is
    /// nothing.
    Start {
        /// Which.
        server: String,
    },
    /// Stop a server and start it again with its saved data.
    Restart {
        /// Which.
        server: String,
        /// Whether the saved snapshot's replication id is used.
        keep_id: bool,
    },
    /// `REPLICAOF NO ONE`.
    Promote {
        /// Which.
        server: String,
    },
    /// `REPLICAOF` another server of this world.
    ReplicaOf {
        /// Which.
        server: String,
        /// Its new master.
        master: String,
    },
    /// `CONFIG SET`.
    Config {
        /// Where.
        server: String,
        /// The directive.
        directive: String,
        /// Its value as redis.conf writes it.
        value: String,
    },
    /// Stop a server's process without ending it (SIGSTOP).
    Freeze {
        /// Which.
        server: String,
    },
    /// Let it go on (SIGCONT).
    Thaw {
        /// Which.
        server: String,
    },
    /// Change what a link is like; what is not given stays.
    Link {
        /// Whose link.
        replica: String,
        /// One way.
        latency_us: Option<u64>,
        /// Each way; 0 is unlimited.
        bandwidth_bytes_per_second: Option<u64>,
        /// Chance that a segment is lost and sent again.
        loss: Option<Loss>,
    },
}

/// Which way of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    #[default]
    Both,
    /// From master to replica.
    ToReplica,
    /// From replica to master.
    ToMaster,
}

/// A chance of `lost` in `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// So many…
    pub lost: u32,
    /// …of so many.
    pub of: u32,
}

impl Direction {
    const NAMES: [(&'static str, Direction); 3] = [
        ("both", Direction::Both),
        ("to-replica", Direction::ToReplica),
        ("to-master", Direction::ToMaster),
    ];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, way)| *way == self).map_or("both", |(name, _)| name)
    }
}

/// The largest burst, in writes: about what a page can do within a frame or two.
const LARGEST_BURST: u64 = 100_000;
/// The highest steady rate, in writes a second.
pub(super) const LARGEST_RATE: u64 = 1_000_000;
/// The most bytes of values in one second of writes: more than 100 MB.
pub(super) const LARGEST_FLOOD: u64 = 128 << 20;
/// The most bytes of values in one burst, or in all keys together: each server of a world holds its
/// own copy, and the page has 4 GiB.
pub(super) const LARGEST_HEAP: u64 = 32 << 20;
/// The longest value, in bytes.
pub(super) const LARGEST_VALUE: u64 = 1 << 20;
/// The longest delay on a link, in microseconds: a minute.
pub(super) const LARGEST_LATENCY_US: u64 = 60_000_000;

impl Action {
    /// Reads one action from JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, or not an action; the error names the field.
    pub fn from_json(text: &str) -> Result<Action, BadInput> {
        let json = json::read(text)
            .map_err(|error| BadInput::new("action", format!("is not JSON: {error}")))?;
        Action::from_value(&json)
    }

    /// Reads one action from a JSON value.
    ///
    /// # Errors
    /// When it is not an action; the error names the field.
    pub fn from_value(json: &Json) -> Result<Action, BadInput> {
        let mut fields = Fields::of("action", json)?;
        let action = Action::read(&mut fields)?;
        fields.finish()?;
        Ok(action)
    }

    /// Reads the fields of one action, `at_us` left aside.
    pub(super) fn read(fields: &mut Fields) -> Result<Action, BadInput> {
        let verb = fields.text("do")?;
        Ok(match verb.as_str() {
            "cut" => Action::Cut { replica: fields.text("replica")?, direction: way(fields)? },
            "heal" => Action::Heal { replica: fields.text("replica")?, direction: way(fields)? },
            "write" => Action::Write { argv: argv(fields)?, server: server(fields)? },
            "burst" => {
                let writes = fields.number_or("writes", 100, 1..=LARGEST_BURST)?;
                let value_bytes = fields.number_or("value_bytes", 64, 0..=LARGEST_VALUE)?;
                let all = writes * value_bytes;
                if all > LARGEST_HEAP {
                    let problem = format!("makes {all} bytes in all; at most {LARGEST_HEAP} do");
                    return Err(fields.bad("writes", problem));
                }
                Action::Burst { writes, value_bytes }
            }
            "workload" => {
                let writes_per_second = fields.number("writes_per_second", 0..=LARGEST_RATE)?;
                let value_bytes = fields.number("value_bytes", 0..=LARGEST_VALUE)?;
                let curve = curve::read(fields)?;
                if writes_per_second.is_some() && curve.is_some() {
                    let problem = "stands beside writes_per_second; only one of them can hold";
                    return Err(fields.bad("curve", problem));
                }
                Action::Workload { writes_per_second, value_bytes, curve }
            }
            "kill" => Action::Kill { server: server(fields)? },
            "start" => Action::Start { server: server(fields)? },
            "restart" => Action::Restart {
                server: server(fields)?,
                keep_id: fields.flag_or("keep_id", false)?,
            },
            "promote" => Action::Promote { server: fields.text("server")? },
            "replicaof" => {
                Action::ReplicaOf { server: fields.text("server")?, master: fields.text("master")? }
            }
            "config" => Action::Config {
                server: server(fields)?,
                directive: fields.text("directive")?,
                value: fields.text("value")?,
            },
            "freeze" => Action::Freeze { server: fields.text("server")? },
            "thaw" => Action::Thaw { server: fields.text("server")? },
            "link" => Action::Link {
                replica: fields.text("replica")?,
                latency_us: fields.number("latency_us", 0..=LARGEST_LATENCY_US)?,
                bandwidth_bytes_per_second: fields
                    .number("bandwidth_bytes_per_second", 0..=1 << 40)?,
                loss: loss(fields)?,
            },
            other => {
                return Err(fields.bad(
                    "do",
                    format!(
                        "is \"{other}\"; it must be one of cut, heal, write, burst, workload, \
                         restart, kill, start, promote, replicaof, config, freeze, thaw, link"
                    ),
                ));
            }
        })
    }

    /// The servers that it names, by the names of the fields.
    pub(crate) fn names(&self) -> Vec<(&'static str, &str)> {
        match self {
            Action::Cut { replica, .. } | Action::Heal { replica, .. } => {
                vec![("replica", replica)]
            }
            Action::Link { replica, .. } => vec![("replica", replica)],
            Action::Write { server, .. }
            | Action::Restart { server, .. }
            | Action::Promote { server }
            | Action::Kill { server }
            | Action::Start { server }
            | Action::Config { server, .. }
            | Action::Freeze { server }
            | Action::Thaw { server } => vec![("server", server)],
            Action::ReplicaOf { server, master } => vec![("server", server), ("master", master)],
            Action::Burst { .. } | Action::Workload { .. } => Vec::new(),
        }
    }

    /// The action as JSON, without `at_us`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut fields = vec![("do", Json::from(self.verb()))];
        fields.extend(self.names().into_iter().map(|(field, name)| (field, name.into())));
        match self {
            Action::Cut { direction, .. } | Action::Heal { direction, .. } => {
                fields.push(("direction", direction.name().into()));
            }
            Action::Write { argv, .. } => {
                fields.push(("argv", argv.iter().map(String::as_str).collect()));
            }
            Action::Burst { writes, value_bytes } => {
                fields.push(("writes", (*writes).into()));
                fields.push(("value_bytes", (*value_bytes).into()));
            }
            Action::Workload { writes_per_second, value_bytes, curve } => {
                fields.push(("writes_per_second", (*writes_per_second).into()));
                fields.push(("value_bytes", (*value_bytes).into()));
                fields.push(("curve", curve.as_deref().map(curve::to_json).into()));
            }
            Action::Restart { keep_id, .. } => fields.push(("keep_id", (*keep_id).into())),
            Action::Config { directive, value, .. } => {
                fields.push(("directive", directive.as_str().into()));
                fields.push(("value", value.as_str().into()));
            }
            Action::Link { latency_us, bandwidth_bytes_per_second, loss, .. } => {
                let loss = loss.map(|Loss { lost, of }| format!("{lost}/{of}"));
                fields.push(("latency_us", (*latency_us).into()));
                fields.push(("bandwidth_bytes_per_second", (*bandwidth_bytes_per_second).into()));
                fields.push(("loss", loss.into()));
            }
            Action::Kill { .. }
            | Action::Start { .. }
            | Action::Promote { .. }
            | Action::ReplicaOf { .. }
            | Action::Freeze { .. }
            | Action::Thaw { .. } => {}
        }
        json::object(&mut fields)
    }

    /// What it is called in JSON.
    fn verb(&self) -> &'static str {
        match self {
            Action::Cut { .. } => "cut",
            Action::Heal { .. } => "heal",
            Action::Write { .. } => "write",
            Action::Burst { .. } => "burst",
            Action::Workload { .. } => "workload",
            Action::Restart { .. } => "restart",
            Action::Kill { .. } => "kill",
            Action::Start { .. } => "start",
            Action::Promote { .. } => "promote",
            Action::ReplicaOf { .. } => "replicaof",
            Action::Config { .. } => "config",
            Action::Freeze { .. } => "freeze",
            Action::Thaw { .. } => "thaw",
            Action::Link { .. } => "link",
        }
    }
}

fn way(fields: &mut Fields) -> Result<Direction, BadInput> {
    let Some(name) = fields.optional_text("direction")? else {
        return Ok(Direction::Both);
    };
    let found = Direction::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, way)| *way).ok_or_else(|| {
        fields.bad("direction", format!("is \"{name}\"; it must be both, to-replica or to-master"))
    })
}

fn server(fields: &mut Fields) -> Result<String, BadInput> {
    Ok(fields.optional_text("server")?.unwrap_or_else(|| "master".to_owned()))
}

fn argv(fields: &mut Fields) -> Result<Vec<String>, BadInput> {
    let words = fields.texts("argv")?;
    if words.is_empty() {
        return Err(fields.bad("argv", "is empty; it must hold a command and its arguments"));
    }
    Ok(words)
}

fn loss(fields: &mut Fields) -> Result<Option<Loss>, BadInput> {
    let Some(text) = fields.optional_text("loss")? else { return Ok(None) };
    let parts = text.split_once('/');
    let parsed = parts.and_then(|(lost, of)| Some((lost.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((lost, of)) if lost < of => Ok(Some(Loss { lost, of })),
        _ => Err(fields.bad("loss", format!("is \"{text}\"; it must be a fraction such as 1/100"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back_as_it_was_written() {
        for text in [
            r#"{"do":"cut","replica":"replica-1","direction":"to-master"}"#,
            r#"{"do":"heal","replica":"replica-1"}"#,
            r#"{"do":"write","argv":["SET","k","v"]}"#,
            r#"{"do":"burst","writes":7,"value_bytes":9}"#,
            r#"{"do":"restart"}"#,
            r#"{"do":"workload","writes_per_second":0}"#,
            r#"{"do":"workload","curve":[{"at_us":0,"writes_per_second":5},{"at_us":9,"writes_per_second":0}]}"#,
            r#"{"do":"kill","server":"replica-1"}"#,
            r#"{"do":"start","server":"replica-1"}"#,
            r#"{"do":"restart","server":"replica-1","keep_id":true}"#,
            r#"{"do":"promote","server":"replica-2"}"#,
            r#"{"do":"replicaof","server":"replica-1","master":"replica-2"}"#,
            r#"{"do":"config","directive":"repl-backlog-size","value":"32kb"}"#,
            r#"{"do":"freeze","server":"replica-1"}"#,
            r#"{"do":"thaw","server":"replica-1"}"#,
            r#"{"do":"link","replica":"replica-1","latency_us":1000,"loss":"1/100"}"#,
        ] {
            let action = Action::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(Action::from_json(&action.to_json().to_string()), Ok(action), "{text}");
        }
    }

    #[test]
    fn a_bad_action_is_refused_with_the_name_of_its_field() {
        for (text, says) in [
            ("{", "action is not JSON: EOF while parsing an object at line 1 column 1"),
            ("[]", "action must be an object, not an array"),
            ("{}", "action.do is missing"),
            (r#"{"do":1}"#, "action.do must be a text, not a number"),
            (
                r#"{"do":"explode"}"#,
                "action.do is \"explode\"; it must be one of cut, heal, write, burst, workload, \
                 restart, kill, start, promote, replicaof, config, freeze, thaw, link",
            ),
            (r#"{"do":"cut"}"#, "action.replica is missing"),
            (
                r#"{"do":"cut","replica":"replica-1","direction":"up"}"#,
                "action.direction is \"up\"; it must be both, to-replica or to-master",
            ),
            (
                r#"{"do":"burst","writes":100000,"value_bytes":1048576}"#,
                "action.writes makes 104857600000 bytes in all; at most 33554432 do",
            ),
            (r#"{"do":"burst","writes":0}"#, "action.writes is 0; it must be from 1 to 100000"),
            (
                r#"{"do":"burst","writes":1.5}"#,
                "action.writes is 1.5; it must be a whole number from 1 to 100000",
            ),
            (
                r#"{"do":"write","argv":[]}"#,
                "action.argv is empty; it must hold a command and its arguments",
            ),
            (r#"{"do":"write","argv":["a",1]}"#, "action.argv[1] must be a text, not a number"),
            (
                r#"{"do":"link","replica":"r","loss":"2/1"}"#,
                "action.loss is \"2/1\"; it must be a fraction such as 1/100",
            ),
            (
                r#"{"do":"workload","writes_per_second":5,"curve":[{"at_us":0,"writes_per_second":5}]}"#,
                "action.curve stands beside writes_per_second; only one of them can hold",
            ),
            (r#"{"do":"thaw","server":"master","speed":1}"#, "action.speed is not known here"),
        ] {
            let error = Action::from_json(text).expect_err(text);
            assert_eq!(error.to_string(), says, "{text}");
        }
    }
}
