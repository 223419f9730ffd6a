//! The transcript: what travelled last, as it stands on the wire, and what it means.
//!
//! Only the last rows until the moment looked at are in the document; the trace keeps the rest.
//! One write that goes to several replicas is one row.

use yew::Html;

use crate::format::{bytes, seconds, server_title, short_id};
use crate::markup::html;
use crate::run::RunHandle;
use crate::world::{Entry, Message, PacketKind, ServerSnapshot, What};

/// The most rows in the document.
const ROWS: usize = 60;
/// The most entries looked at to fill them, so that a long run costs no more than a short one.
const LOOK_BACK: usize = 600;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// A key for the list.
    pub seq: u64,
    /// `12.480`.
    pub time: String,
    /// `2→M`, or a word for what is no message.
    pub who: String,
    /// As on the wire.
    pub raw: String,
    /// What it means.
    pub meaning: String,
    /// `decision`, `event` or nothing: how it is tinted.
    pub class: &'static str,
    /// A stream row goes to several replicas: their numbers.
    to: Vec<usize>,
}

/// The list of rows.
pub fn transcript(run: &RunHandle) -> Html {
    let session = run.session();
    let now_us = session.snapshot().now_us;
    let rows = rows(session.run().trace().entries(), now_us, &session.snapshot().servers);
    if rows.is_empty() {
        return html! { <p class="hint">{ "Nothing has travelled yet." }</p> };
    }
    html! {
        // Newest first in the document, newest at the bottom on the screen: so it stays in sight
        // without a script that scrolls.
        <ol class="transcript">
            { for rows.iter().map(|row| html! {
                <li key={row.seq} class={row.class}>
                    <span class="time">{ &row.time }</span>
                    <span class="who">{ &row.who }</span>
                    <span class="raw">{ &row.raw }</span>
                    <span class="meaning">{ &row.meaning }</span>
                </li>
            }) }
        </ol>
    }
}

/// The last rows until `now_us`, newest first.
#[must_use]
pub fn rows<'a>(
    entries: impl DoubleEndedIterator<Item = &'a Entry>,
    now_us: u64,
    servers: &[ServerSnapshot],
) -> Vec<Row> {
    let until = entries.rev().skip_while(|entry| entry.at.0 > now_us);
    let mut rows: Vec<Row> = Vec::new();
    for entry in until.take(LOOK_BACK) {
        let Some(row) = row(entry, servers) else { continue };
        let full = rows.len() == ROWS;
        match rows.last_mut() {
            Some(last) if !row.to.is_empty() && !last.to.is_empty() && last.raw == row.raw => {
                merge(last, &row);
            }
            _ if full => break,
            _ => rows.push(row),
        }
    }
    rows
}

fn merge(last: &mut Row, row: &Row) {
    last.seq = row.seq;
    last.time.clone_from(&row.time);
    for replica in &row.to {
        if let Err(place) = last.to.binary_search(replica) {
            last.to.insert(place, *replica);
        }
    }
    last.who = match last.to.as_slice() {
        [one] => format!("M\u{2192}{one}"),
        [one, two] => format!("M\u{2192}{one},{two}"),
        [first, .., end] if end - first + 1 == last.to.len() => {
            format!("M\u{2192}{first}\u{2013}{end}")
        }
        many => format!("M\u{2192}{}", many.len()),
    };
}

fn row(entry: &Entry, servers: &[ServerSnapshot]) -> Option<Row> {
    let name = |index: usize| servers.get(index).map_or("?", |server| server.name.as_str());
    let new = |who: String, raw: String, meaning: String, class| Row {
        seq: entry.seq,
        time: seconds(entry.at.0),
        who,
        raw,
        meaning,
        class,
        to: Vec::new(),
    };
    Some(match &entry.what {
        What::Message(message) => return Some(message_row(message, new)),
        What::Action { text, .. } => {
            new("\u{2014}".to_owned(), text.clone(), String::new(), "event")
        }
        What::Overrun { replica } => new(
            replica.to_string(),
            format!("{} was overtaken", server_title(name(*replica))),
            "the next byte it needs is gone from the backlog".to_owned(),
            "event lost",
        ),
        What::Decision(_) | What::Link { .. } | What::Log { .. } => return None,
    })
}

fn message_row(
    message: &Message,
    new: impl Fn(String, String, String, &'static str) -> Row,
) -> Row {
    let replica = message.replica;
    let who = match message.to_replica {
        true => format!("M\u{2192}{replica}"),
        false => format!("{replica}\u{2192}M"),
    };
    let answer = message.raw.starts_with("+CONTINUE") || message.raw.starts_with("+FULLRESYNC");
    let class = match (answer, message.raw.starts_with("+CONTINUE")) {
        (true, true) => "decision partial",
        (true, false) => "decision full",
        (false, _) => "",
    };
    let meaning = match message.kind {
        PacketKind::Control => message.meaning.to_owned(),
        PacketKind::Stream | PacketKind::Snapshot => {
            format!("{} \u{b7} {}", message.meaning, bytes(message.bytes))
        }
    };
    let mut row = new(who, short_ids(&message.raw), meaning, class);
    if message.kind == PacketKind::Stream && message.to_replica {
        row.to.push(replica);
    }
    row
}

/// Forty characters of an id leave no room for what follows them.
fn short_ids(raw: &str) -> String {
    raw.split(' ').map(short_id).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Instant;

    fn entry(seq: u64, replica: usize, raw: &str, kind: PacketKind) -> Entry {
        let message = Message {
            master: 0,
            replica,
            to_replica: true,
            kind,
            bytes: 30,
            arrives: None,
            raw: raw.to_owned(),
            meaning: "x",
        };
        Entry { seq, at: Instant(seq * 1000), what: What::Message(message) }
    }

    #[test]
    fn one_write_to_several_replicas_is_one_row_and_the_newest_comes_first() {
        let stream = PacketKind::Stream;
        let entries = [
            entry(0, 1, "SET a 1", stream),
            entry(1, 2, "SET a 1", stream),
            entry(2, 3, "SET a 1", stream),
            entry(3, 2, "+CONTINUE", PacketKind::Control),
            entry(4, 1, "SET b 1", stream),
            entry(5, 3, "SET b 1", stream),
            entry(6, 1, "SET c 1", stream),
        ];
        let shown: Vec<_> = rows(entries.iter(), 5000, &[])
            .into_iter()
            .map(|row| format!("{} {} {} {}", row.time, row.who, row.raw, row.class))
            .collect();
        assert_eq!(
            shown,
            [
                "0.004 M\u{2192}1,3 SET b 1 ",
                "0.003 M\u{2192}2 +CONTINUE decision partial",
                "0.000 M\u{2192}1\u{2013}3 SET a 1 ",
            ]
        );
    }

    #[test]
    fn a_long_run_fills_a_short_list() {
        let entries: Vec<_> =
            (0..5000).map(|n| entry(n, 1, &format!("SET {n}"), PacketKind::Stream)).collect();
        assert_eq!(rows(entries.iter(), u64::MAX, &[]).len(), ROWS);
    }
}
