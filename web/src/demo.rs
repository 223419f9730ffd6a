//! A stand-in for the core's `Run` until it exists: three replicas that move by formula.

use std::fmt;

use bytes::Bytes;
use psync::cluster::decision::WindowRecord;
use psync::cluster::decision::{CounterMoved, DecisionRecord, Remedy, RequestRecord, Verdict};
use psync::cluster::snapshot::{
    BacklogSnapshot, Counters, LinkSnapshot, LinkState, Packet, PacketKind, Role, ServerSnapshot,
    Snapshot,
};
use psync::cluster::trace::{Entry, Message, What};
use psync::stream::checks::{Check, CheckName, Outcome};
use psync::time::Instant;
use serde_json::{Value, json};

/// A scenario as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario(Value);

/// What is wrong with a scenario or an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError(String);

/// What is wrong with doing something now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named scenario.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// For attributes and links.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// In a sentence.
    pub summary: &'static str,
}

/// All of them.
pub const PRESETS: &[Preset] = &[
    Preset { name: "short-blip", title: "Short blip", summary: "Away for a moment: partial." },
    Preset { name: "too-long", title: "Too long away", summary: "The backlog ran over: full." },
    Preset { name: "master-restart", title: "Master restart", summary: "A new run ID: full." },
    Preset { name: "nobody-left", title: "Nobody left", summary: "The backlog was freed: full." },
];

impl Scenario {
    /// Reads one.
    pub fn from_json(text: &str) -> Result<Scenario, ScenarioError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| ScenarioError(error.to_string()))?;
        match &value["preset"] {
            Value::String(name) if !PRESETS.iter().any(|p| p.name == name) => {
                Err(ScenarioError(format!("preset: there is no {name:?}")))
            }
            _ => Ok(Scenario(value)),
        }
    }

    /// A preset by its name.
    pub fn preset(name: &str) -> Result<Scenario, ScenarioError> {
        Scenario::from_json(
            &json!({ "preset": name, "engine": "redis-6.2", "seed": 42,
            "replicas": 3, "config": { "repl-backlog-size": "16kb", "repl-backlog-ttl": "3600" },
            "workload": { "writes_per_second": 20, "value_bytes": 64, "keys": 100 },
            "network": { "latency_us": 1000 } })
            .to_string(),
        )
    }

    /// Writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.to_string()
    }
}

/// Something done to the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Action(Value);

impl Action {
    /// Reads one.
    pub fn from_json(text: &str) -> Result<Action, ScenarioError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| ScenarioError(error.to_string()))?;
        match value["do"].as_str() {
            Some("cut" | "heal" | "write" | "burst" | "restart" | "config" | "freeze" | "thaw") => {
                Ok(Action(value))
            }
            _ => Err(ScenarioError(format!("do: unknown action {}", value["do"]))),
        }
    }
}

/// What is at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesAt {
    /// First byte of the command.
    pub command_first: i64,
    /// Its length.
    pub command_len: u64,
    /// The command as text.
    pub text: String,
    /// The byte.
    pub byte: u8,
}

/// What happened.
#[derive(Clone, Debug)]
pub struct Trace {
    entries: Vec<Entry>,
    furthest: Instant,
}

impl Trace {
    /// All entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The decisions among them.
    pub fn decisions(&self) -> impl Iterator<Item = &DecisionRecord> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Decision(decision) => Some(&**decision),
            _ => None,
        })
    }

    /// The latest moment reached.
    #[must_use]
    pub fn furthest(&self) -> Instant {
        self.furthest
    }
}

/// The world.
#[derive(Clone, Debug)]
pub struct Run {
    scenario: Scenario,
    trace: Trace,
    now: u64,
}

const ID: &str = "8f3a19d04be77bc1a5d2e9f01c3b5a7d9e1f20c2";
const RATE: u64 = 1600;
const SIZE: u64 = 16_384;
const BASE: u64 = 1_264_000;

impl Run {
    /// A fresh world.
    #[must_use]
    pub fn new(scenario: Scenario) -> Run {
        let trace = Trace { entries: Vec::new(), furthest: Instant(0) };
        let mut run = Run { scenario, trace, now: 0 };
        run.fill();
        run
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant(self.now)
    }

    /// Lets time pass.
    pub fn advance_us(&mut self, us: u64) {
        self.seek(Instant(self.now + us));
    }

    /// To the next event.
    pub fn step(&mut self) {
        self.advance_us(50_000);
    }

    /// To a moment.
    pub fn seek(&mut self, to: Instant) {
        self.now = to.0;
        self.trace.furthest = self.trace.furthest.max(to);
        self.fill();
    }

    /// Does something.
    pub fn act(&mut self, action: Action) -> Result<(), ActionError> {
        let text = action.0.to_string();
        self.push(self.now, What::Action { server: 0, text });
        Ok(())
    }

    /// What happened.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// With the actions made.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        self.scenario.clone()
    }

    /// A command on a server.
    pub fn command(&mut self, _server: usize, argv: &[Bytes]) -> String {
        format!("(error) ERR not yet: {argv:?}")
    }

    /// A byte of history.
    #[must_use]
    pub fn bytes_at(&self, _server: usize, pos: i64) -> Option<BytesAt> {
        let command_first = pos - pos % 80;
        let text = "SET key:17 3f9c…".to_owned();
        Some(BytesAt { command_first, command_len: 80, text, byte: b'k' })
    }

    fn push(&mut self, at: u64, what: What) {
        let seq = self.trace.entries.len() as u64;
        self.trace.entries.push(Entry { seq, at: Instant(at), what });
    }

    fn fill(&mut self) {
        let mut from = self.trace.entries.last().map_or(0, |entry| entry.at.0 + 1);
        from = from.div_ceil(50_000) * 50_000;
        while from <= self.trace.furthest.0 {
            self.push(from, What::Message(stream_message(from)));
            if from == 3_000_000 {
                self.push(from, What::Decision(Box::new(decision(from, true))));
            }
            if from == 12_500_000 {
                self.push(from, What::Overrun { replica: 2 });
                self.push(from, What::Message(psync_message(true)));
                self.push(from, What::Decision(Box::new(decision(from, false))));
                self.push(from, What::Message(psync_message(false)));
            }
            from += 50_000;
        }
    }

    /// The world now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let offset = BASE + self.now * RATE / 1_000_000;
        let mut servers = vec![server("master", offset, offset, None)];
        let up = |at: u64| (at, LinkState::Up);
        let since = |at: u64| BASE + at * RATE / 1_000_000;
        let now = self.now;
        let two = if (2_000_000..12_500_000).contains(&now) { 2_000_000 } else { now };
        let three = if now > 9_000_000 { 9_000_000 } else { now };
        for (i, at) in [now, two, three].into_iter().enumerate() {
            let (at, state) = if at == now { up(at) } else { (at, LinkState::Cut) };
            let link = link(offset, since(at), state, at);
            servers.push(server(&format!("replica-{}", i + 1), since(at), offset, Some(link)));
        }
        let sent = now - now % 50_000;
        let packets = [1, 2, 3]
            .map(|replica| Packet {
                replica,
                to_replica: true,
                sent_us: sent,
                arrives_us: sent + 40_000,
                kind: PacketKind::Stream,
                bytes: 80,
                label: String::new(),
            })
            .to_vec();
        Snapshot { now_us: now, servers, packets, write_bytes_per_second: RATE }
    }
}

fn server(name: &str, offset: u64, head: u64, link: Option<LinkSnapshot>) -> ServerSnapshot {
    let histlen = (head - BASE + 9000).min(SIZE);
    ServerSnapshot {
        name: name.to_owned(),
        role: if link.is_some() { Role::Replica } else { Role::Master },
        run_id: ID.to_owned(),
        replid: ID.to_owned(),
        replid2: "0".repeat(40),
        second_replid_offset: -1,
        master_repl_offset: offset,
        backlog: Some(BacklogSnapshot {
            first_byte_offset: (offset - histlen) as i64 + 1,
            histlen,
            size: SIZE,
            blocks: None,
        }),
        link,
        counters: Counters { sync_full: 3, sync_partial_ok: 1, sync_partial_err: 0 },
        keys: 100,
        dataset_digest: "d41d8cd98f00b204".to_owned(),
        frozen: false,
        backlog_ttl_left_us: None,
        connected_replicas: 3,
    }
}

fn link(head: u64, offset: u64, state: LinkState, since: u64) -> LinkSnapshot {
    let room = SIZE as i64 - (head - offset) as i64;
    let cut = state == LinkState::Cut;
    LinkSnapshot {
        state,
        master: "master".to_owned(),
        behind_bytes: head - offset,
        covered_us: cut.then(|| room.max(0).unsigned_abs() * 1_000_000 / RATE),
        room_bytes: Some(room),
        next_byte: offset as i64 + 1,
        asks_replid: Some(ID.to_owned()),
        same_history: true,
        cut_to_replica: cut,
        cut_to_master: cut,
        down_since_us: cut.then_some(since),
        latency_us: 1000,
        bandwidth_bytes_per_second: None,
        transfer: None,
    }
}

fn stream_message(at: u64) -> Message {
    Message {
        replica: 1 + (at / 50_000 % 3) as usize,
        to_replica: true,
        kind: PacketKind::Stream,
        bytes: 80,
        raw: "SET key:17 3f9c2e01".to_owned(),
        meaning: "a write, passed on",
    }
}

fn psync_message(ask: bool) -> Message {
    Message {
        replica: 2,
        to_replica: !ask,
        kind: PacketKind::Control,
        bytes: 60,
        raw: if ask { format!("PSYNC {ID} 1264861") } else { format!("+FULLRESYNC {ID} 1284560") },
        meaning: if ask { "continue from here?" } else { "no: take a snapshot first" },
    }
}

fn decision(at_us: u64, partial: bool) -> DecisionRecord {
    let check = |name, outcome, asked: &str, against: &str, short_by| Check {
        name,
        outcome,
        asked: asked.to_owned(),
        against: against.to_owned(),
        short_by,
    };
    let kept = if partial { Outcome::Passed } else { Outcome::Failed };
    let ahead = if partial { Outcome::Passed } else { Outcome::NotReached };
    let short = (!partial).then_some(3316);
    let full_line = "Unable to partial resync with replica 10.0.0.2:6379 for lack of backlog \
                     (Replica request was: 1264861).";
    DecisionRecord {
        at_us,
        master: "master".to_owned(),
        replica: "replica-2".to_owned(),
        request: RequestRecord { replid: ID.to_owned(), offset: 1_264_861 },
        verdict: if partial { Verdict::Partial } else { Verdict::Full },
        reason: (!partial).then_some("before-backlog"),
        window: Some(WindowRecord { first: 1_268_177, last: 1_284_560 }),
        bytes: if partial { 1600 } else { 48_200_000 },
        full_bytes: 48_200_000,
        missing_bytes: Some(if partial { 1600 } else { 19_700 }),
        remedy: (!partial)
            .then(|| Remedy { directive: "repl-backlog-size", value: "19700".to_owned() }),
        log_line: if partial {
            "Partial resynchronization request from 10.0.0.2:6379 accepted. Sending 1600 bytes \
             of backlog starting from offset 1264861."
                .to_owned()
        } else {
            full_line.to_owned()
        },
        checks: vec![
            check(CheckName::WantsPartial, Outcome::Passed, ID, "any id but ?", None),
            check(CheckName::SameHistory, Outcome::Passed, ID, ID, None),
            check(CheckName::HasBacklog, Outcome::Passed, "1264861", "16384 bytes", None),
            check(CheckName::StillKept, kept, "1264861", "1268177", short),
            check(CheckName::NotAhead, ahead, "1264861", "1284561", None),
        ],
        counters_moved: if partial {
            vec![CounterMoved { name: "sync_partial_ok", value: 1 }]
        } else {
            vec![
                CounterMoved { name: "sync_partial_err", value: 1 },
                CounterMoved { name: "sync_full", value: 4 },
            ]
        },
    }
}
