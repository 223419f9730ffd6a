//! What a step waits for: something that happened since it began, or something that is so.
//!
//! Events: `{"event":"decision","verdict":"partial","replica":"replica-1"}`, `{"event":"link",
//! "replica":"replica-2","state":"cut"}`, `{"event":"overrun"}`, `{"event":"log","contains":"…"}`,
//! `{"event":"message","begins":"PSYNC"}`, `{"event":"action","contains":"promote"}`; what is not
//! given may be anything. States: `{"in_sync":true}`, `{"follows":"replica-2","master":"replica-1"}`,
//! `{"link":"replica-1","is":"up"}`, `{"offset_at_least":5000}`, `{"behind":"replica-1",
//! "at_least":2000}`, `{"window_at_least":50000}`, `{"equal":["master","replica-1"]}`,
//! `{"memory":"retained","at_least":30000}`. And of those: `all`, `any`, `not`, `times` with `of`.

use serde_json::Value as Json;

use crate::cluster::field::Fields;
use crate::cluster::snapshot::{LinkState, ServerSnapshot, Snapshot};
use crate::cluster::trace::{Entry, What};
use crate::cluster::{BadInput, Run, Verdict};

/// A condition over a run.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Something of this kind happened since the step began.
    Event(Event),
    /// Every replica is in sync.
    InSync,
    /// A server is in sync with this master.
    Follows {
        /// Who.
        server: String,
        /// Whom.
        master: String,
    },
    /// A link is in this state.
    Link {
        /// Whose.
        replica: String,
        /// Which.
        state: LinkState,
    },
    /// A server's offset is at least this.
    OffsetAtLeast {
        /// Whose.
        server: String,
        /// In bytes.
        bytes: u64,
    },
    /// A replica is behind by at least this.
    BehindAtLeast {
        /// Who.
        replica: String,
        /// In bytes.
        bytes: u64,
    },
    /// A server keeps at least this much of its history.
    WindowAtLeast {
        /// Who.
        server: String,
        /// In bytes.
        bytes: u64,
    },
    /// These servers have the same offset and the same data.
    Equal(Vec<String>),
    /// A way of keeping history takes at least this much memory on the master.
    MemoryAtLeast {
        /// `ring`, `blocks` or `retained`.
        keeping: String,
        /// In bytes.
        bytes: u64,
    },
    /// All of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// The contrary: for an event, that it has not happened.
    Not(Box<Condition>),
    /// An event, so many times.
    Times(u64, Event),
}

/// A kind of event; what is none may be anything.
#[derive(Clone, Debug)]
pub enum Event {
    /// A master answered a PSYNC.
    Decision {
        /// Who asked.
        replica: Option<String>,
        /// How it was answered.
        verdict: Option<Verdict>,
        /// Why.
        reason: Option<String>,
        /// How many bytes the answer sends at least.
        bytes_at_least: u64,
    },
    /// A link changed its state.
    Link {
        /// Whose.
        replica: Option<String>,
        /// To which.
        state: Option<LinkState>,
    },
    /// The next byte of an absent replica was overwritten.
    Overrun {
        /// Whose.
        replica: Option<String>,
    },
    /// A server logged a line.
    Log {
        /// Which server.
        server: Option<String>,
        /// Part of the line.
        contains: String,
    },
    /// A message was sent.
    Message {
        /// On whose link.
        replica: Option<String>,
        /// How its raw form begins.
        begins: String,
    },
    /// Somebody did something.
    Action {
        /// Part of what is said of it.
        contains: String,
    },
}

type Known<'a> = &'a dyn Fn(&str) -> bool;

impl Condition {
    /// Whether it holds now, for a step that began with entry number `since`.
    #[must_use]
    pub fn holds(&self, since: u64, run: &Run) -> bool {
        self.is_so(since, run, &run.snapshot())
    }

    fn is_so(&self, since: u64, run: &Run, now: &Snapshot) -> bool {
        let server = |name: &str| now.servers.iter().find(|server| server.name == name);
        let link = |name: &str| server(name).and_then(|server| server.link.as_ref());
        match self {
            Condition::Event(event) => happened(event, since, run, now, 1),
            Condition::Times(count, event) => happened(event, since, run, now, *count),
            Condition::InSync => now
                .servers
                .iter()
                .all(|server| server.link.as_ref().is_none_or(|link| link.state == LinkState::Up)),
            Condition::Follows { server, master } => link(server)
                .is_some_and(|link| link.state == LinkState::Up && link.master == *master),
            Condition::Link { replica, state } => {
                link(replica).is_some_and(|link| link.state == *state)
            }
            Condition::OffsetAtLeast { server: name, bytes } => {
                server(name).is_some_and(|server| server.master_repl_offset >= *bytes)
            }
            Condition::BehindAtLeast { replica, bytes } => {
                link(replica).is_some_and(|link| link.same_history && link.behind_bytes >= *bytes)
            }
            Condition::WindowAtLeast { server: name, bytes } => server(name)
                .and_then(|server| server.backlog.as_ref())
                .is_some_and(|backlog| backlog.histlen >= *bytes),
            Condition::Equal(names) => {
                let facts = |server: &ServerSnapshot| {
                    (server.master_repl_offset, server.dataset_digest.clone())
                };
                let mut all = names.iter().map(|name| server(name).map(facts));
                let first = all.next().flatten();
                first.is_some() && all.all(|other| other == first)
            }
            Condition::MemoryAtLeast { keeping, bytes } => server("master")
                .and_then(|server| server.backlog.as_ref())
                .and_then(|backlog| backlog.memory.iter().find(|way| way.keeping == *keeping))
                .is_some_and(|way| way.backlog_bytes + way.replicas_bytes >= *bytes),
            Condition::All(parts) => parts.iter().all(|part| part.is_so(since, run, now)),
            Condition::Any(parts) => parts.iter().any(|part| part.is_so(since, run, now)),
            Condition::Not(part) => !part.is_so(since, run, now),
        }
    }

    /// Reads a condition; `known` says which servers there are.
    pub(super) fn read(mut fields: Fields, known: Known) -> Result<Condition, BadInput> {
        let condition = if let Some(kind) = fields.optional_text("event")? {
            Condition::Event(Event::read(&kind, &mut fields, known)?)
        } else if let Some(count) = fields.number("times", 1..=1000)? {
            let mut of = fields.object("of")?.ok_or_else(|| fields.bad("of", "is missing"))?;
            let kind = of.text("event")?;
            let event = Event::read(&kind, &mut of, known)?;
            of.finish()?;
            Condition::Times(count, event)
        } else if fields.flag_or("in_sync", false)? {
            Condition::InSync
        } else if let Some(parts) = parts(&mut fields, "all", known)? {
            Condition::All(parts)
        } else if let Some(parts) = parts(&mut fields, "any", known)? {
            Condition::Any(parts)
        } else if let Some(part) = fields.object("not")? {
            Condition::Not(Box::new(Condition::read(part, known)?))
        } else {
            state(&mut fields, known)?
        };
        fields.finish()?;
        Ok(condition)
    }
}

fn parts(
    fields: &mut Fields,
    name: &str,
    known: Known,
) -> Result<Option<Vec<Condition>>, BadInput> {
    let Some(json) = fields.take(name) else { return Ok(None) };
    let Json::Array(items) = json else { return Err(fields.bad(name, "must be a list")) };
    let part = |(index, json): (usize, &Json)| {
        Condition::read(Fields::of(fields.path(&format!("{name}[{index}]")), json)?, known)
    };
    items.iter().enumerate().map(part).collect::<Result<_, _>>().map(Some)
}

fn state(fields: &mut Fields, known: Known) -> Result<Condition, BadInput> {
    let bytes = |fields: &mut Fields| fields.needed("at_least", 0..=1 << 40);
    if let Some(server) = named(fields, "follows", known)? {
        let master = named(fields, "master", known)?;
        let master = master.ok_or_else(|| fields.bad("master", "is missing"))?;
        return Ok(Condition::Follows { server, master });
    }
    if let Some(replica) = named(fields, "link", known)? {
        let state = link_state(fields, "is")?.ok_or_else(|| fields.bad("is", "is missing"))?;
        return Ok(Condition::Link { replica, state });
    }
    if let Some(replica) = named(fields, "behind", known)? {
        return Ok(Condition::BehindAtLeast { replica, bytes: bytes(fields)? });
    }
    if let Some(keeping) = fields.optional_text("memory")? {
        if !["ring", "blocks", "retained"].contains(&keeping.as_str()) {
            return Err(fields.bad("memory", "must be ring, blocks or retained"));
        }
        return Ok(Condition::MemoryAtLeast { keeping, bytes: bytes(fields)? });
    }
    if let Some(Json::Array(names)) = fields.take("equal") {
        let name = |json: &Json| json.as_str().filter(|name| known(name)).map(str::to_owned);
        let names: Option<Vec<String>> = names.iter().map(name).collect();
        let names = names.ok_or_else(|| fields.bad("equal", "must name servers"))?;
        return Ok(Condition::Equal(names));
    }
    let server = named(fields, "server", known)?.unwrap_or_else(|| "master".to_owned());
    if let Some(bytes) = fields.number("offset_at_least", 0..=1 << 40)? {
        return Ok(Condition::OffsetAtLeast { server, bytes });
    }
    match fields.number("window_at_least", 0..=1 << 40)? {
        Some(bytes) => Ok(Condition::WindowAtLeast { server, bytes }),
        None => Err(fields.bad("event", "is missing, and nothing else that can be waited for")),
    }
}

fn named(fields: &mut Fields, field: &str, known: Known) -> Result<Option<String>, BadInput> {
    match fields.optional_text(field)? {
        Some(name) if !known(&name) => {
            Err(fields.bad(field, format!("is \"{name}\", which is no server of this lesson")))
        }
        name => Ok(name),
    }
}

fn link_state(fields: &mut Fields, field: &str) -> Result<Option<LinkState>, BadInput> {
    let Some(name) = fields.optional_text(field)? else { return Ok(None) };
    let states = [
        ("up", LinkState::Up),
        ("cut", LinkState::Cut),
        ("connecting", LinkState::Connecting),
        ("handshake", LinkState::Handshake),
        ("transfer", LinkState::Transfer),
    ];
    let found = states.iter().find(|(known, _)| *known == name).map(|(_, state)| *state);
    found.map(Some).ok_or_else(|| fields.bad(field, format!("is \"{name}\", which is no state")))
}

impl Event {
    fn read(kind: &str, fields: &mut Fields, known: Known) -> Result<Event, BadInput> {
        Ok(match kind {
            "decision" => Event::Decision {
                replica: named(fields, "replica", known)?,
                verdict: match fields.optional_text("verdict")?.as_deref() {
                    None => None,
                    Some("partial") => Some(Verdict::Partial),
                    Some("full") => Some(Verdict::Full),
                    Some(_) => return Err(fields.bad("verdict", "must be partial or full")),
                },
                reason: fields.optional_text("reason")?,
                bytes_at_least: fields.number_or("bytes_at_least", 0, 0..=1 << 40)?,
            },
            "link" => Event::Link {
                replica: named(fields, "replica", known)?,
                state: link_state(fields, "state")?,
            },
            "overrun" => Event::Overrun { replica: named(fields, "replica", known)? },
            "log" => Event::Log {
                server: named(fields, "server", known)?,
                contains: fields.text("contains")?,
            },
            "message" => Event::Message {
                replica: named(fields, "replica", known)?,
                begins: fields.text("begins")?,
            },
            "action" => Event::Action { contains: fields.text("contains")? },
            other => return Err(fields.bad("event", format!("is \"{other}\", which is none"))),
        })
    }

    fn fits(&self, entry: &Entry, now: &Snapshot) -> bool {
        let is = |wanted: &Option<String>, index: usize| {
            wanted.as_ref().is_none_or(|name| {
                now.servers.get(index).is_some_and(|server| server.name == *name)
            })
        };
        match (self, &entry.what) {
            (
                Event::Decision { replica, verdict, reason, bytes_at_least },
                What::Decision(decision),
            ) => {
                replica.as_ref().is_none_or(|name| decision.replica == *name)
                    && verdict.is_none_or(|verdict| decision.verdict == verdict)
                    && reason.as_ref().is_none_or(|why| decision.reason == Some(why.as_str()))
                    && decision.bytes >= *bytes_at_least
            }
            (Event::Link { replica, state }, What::Link { replica: index, state: to }) => {
                is(replica, *index) && state.is_none_or(|state| state == *to)
            }
            (Event::Overrun { replica }, What::Overrun { replica: index }) => is(replica, *index),
            (Event::Log { server, contains }, What::Log { server: index, line }) => {
                is(server, *index) && line.contains(contains.as_str())
            }
            (Event::Message { replica, begins }, What::Message(message)) => {
                is(replica, message.replica) && message.raw.starts_with(begins.as_str())
            }
            (Event::Action { contains }, What::Action { text, .. }) => {
                text.contains(contains.as_str())
            }
            _ => false,
        }
    }
}

fn happened(event: &Event, since: u64, run: &Run, now: &Snapshot, times: u64) -> bool {
    let entries = run.trace().entries().rev();
    let fresh = entries.take_while(|entry| entry.seq >= since);
    let until_now = fresh.filter(|entry| entry.at.0 <= now.now_us);
    let fitting = until_now.filter(|entry| event.fits(entry, now));
    fitting.take(usize::try_from(times).unwrap_or(usize::MAX)).count() as u64 == times
}
