//! A stretch of a trace to take away: as plain text, as a Mermaid sequence diagram, as SVG.
//!
//! Pure functions from entries to text. Of the stream and of snapshots only the sums are told,
//! because what a diagram is for are the words that servers say to each other; in plain text every
//! message has its line.
//!
//! Whatever stands in a message (keys and values are people's own) is escaped for the form.

mod mermaid;
mod svg;

pub use mermaid::mermaid;
pub use svg::svg;

use super::decision::Verdict;
use super::snapshot::{LinkState, PacketKind};
use super::trace::{Entry, Message, What};
use crate::time::Instant;

/// A diagram with more rows than this is for nobody; the rest is counted.
const MOST_ROWS: usize = 2000;

/// What stands in one row of a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    at: Instant,
    kind: RowKind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowKind {
    /// From one server to another; `lost` when the way was cut.
    Arrow { from: usize, to: usize, lost: bool, kind: PacketKind },
    /// Something at one server.
    Note { server: usize, full: bool },
}

/// Rows of a diagram, and how many more there would be.
fn rows(entries: &mut dyn Iterator<Item = &Entry>) -> (Vec<Row>, usize) {
    let mut rows: Vec<Row> = Vec::new();
    let mut sums: Vec<Sum> = Vec::new();
    let mut more = 0;
    for entry in entries {
        let row = match &entry.what {
            What::Message(message) if message.kind != PacketKind::Control => {
                sum(&mut sums, entry.at, message);
                continue;
            }
            other => row(entry.at, other),
        };
        let Some(row) = row else { continue };
        if rows.len() >= MOST_ROWS {
            more += 1;
            continue;
        }
        // What was summed up came before this, on whatever link it was.
        rows.extend(sums.drain(..).map(Sum::row));
        rows.push(row);
    }
    rows.extend(sums.drain(..).map(Sum::row));
    (rows, more)
}

/// Messages of one kind on one way, one after the other.
struct Sum {
    at: Instant,
    from: usize,
    to: usize,
    kind: PacketKind,
    lost: bool,
    messages: u64,
    bytes: u64,
}

fn sum(sums: &mut Vec<Sum>, at: Instant, message: &Message) {
    let (from, to) = ends(message);
    let lost = message.arrives.is_none();
    let same =
        |sum: &&mut Sum| (sum.from, sum.to, sum.kind, sum.lost) == (from, to, message.kind, lost);
    match sums.iter_mut().find(same) {
        Some(sum) => {
            sum.messages += 1;
            sum.bytes += message.bytes;
        }
        None => sums.push(Sum {
            at,
            from,
            to,
            kind: message.kind,
            lost,
            messages: 1,
            bytes: message.bytes,
        }),
    }
}

impl Sum {
    fn row(self) -> Row {
        let Sum { at, from, to, kind, lost, messages, bytes } = self;
        let what = if kind == PacketKind::Snapshot { "snapshot" } else { "write stream" };
        let count = if messages == 1 { String::new() } else { format!(" in {messages} pieces") };
        let text = format!("{what}: {bytes} bytes{count}");
        Row { at, kind: RowKind::Arrow { from, to, lost, kind }, text }
    }
}

fn row(at: Instant, what: &What) -> Option<Row> {
    let note =
        |server, text: String| Some(Row { at, kind: RowKind::Note { server, full: false }, text });
    match what {
        What::Message(message) => {
            let (from, to) = ends(message);
            let lost = message.arrives.is_none();
            let kind = RowKind::Arrow { from, to, lost, kind: message.kind };
            Some(Row { at, kind, text: message.raw.clone() })
        }
        // The answer on the wire says the same; the verdict is said by a note of its replica.
        What::Decision(_) => None,
        What::Link { replica, state } => note(*replica, format!("link: {}", state_name(*state))),
        What::Overrun { replica } => {
            let text = "its next byte was overwritten".to_owned();
            Some(Row { at, kind: RowKind::Note { server: *replica, full: true }, text })
        }
        What::Action { server, text } => note(*server, text.clone()),
        What::Log { .. } => None,
    }
}

fn ends(message: &Message) -> (usize, usize) {
    if message.to_replica {
        (message.master, message.replica)
    } else {
        (message.replica, message.master)
    }
}

fn state_name(state: LinkState) -> &'static str {
    match state {
        LinkState::Up => "in sync",
        LinkState::Cut => "cut",
        LinkState::Connecting => "connecting",
        LinkState::Handshake => "handshake",
        LinkState::Transfer => "snapshot on its way",
    }
}

fn name(names: &[String], server: usize) -> &str {
    names.get(server).map_or("?", String::as_str)
}

/// Every entry in a line of its own: time, who, what, and what it means.
#[must_use]
pub fn text<'a>(entries: impl Iterator<Item = &'a Entry>, names: &[String]) -> String {
    let mut out = String::new();
    for entry in entries {
        let line = match &entry.what {
            What::Message(message) => {
                let (from, to) = ends(message);
                let lost = if message.arrives.is_none() { " (waits: the way is cut)" } else { "" };
                let (from, to) = (name(names, from), name(names, to));
                let meaning = match message.meaning {
                    "" => String::new(),
                    meaning => format!("  # {meaning}"),
                };
                format!("{from} -> {to}: {}{lost}{meaning}", message.raw)
            }
            What::Decision(decision) => {
                let verdict = match decision.verdict {
                    Verdict::Partial => "partial resync",
                    Verdict::Full => "full resync",
                };
                let reason = decision.reason.map_or(String::new(), |why| format!(", {why}"));
                format!("{} decides for {}: {verdict}{reason}", decision.master, decision.replica)
            }
            What::Link { replica, state } => {
                format!("{}: link {}", name(names, *replica), state_name(*state))
            }
            What::Log { server, line } => {
                format!("{} logs: {}", name(names, *server), one_line(line))
            }
            What::Overrun { replica } => {
                format!("{}: the byte it needs next was overwritten", name(names, *replica))
            }
            What::Action { text, .. } => format!("* {}", one_line(text)),
        };
        out.push_str(&format!("{:>14}  {line}\n", entry.at.to_string()));
    }
    out
}

/// Control characters would break a line-based form.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
