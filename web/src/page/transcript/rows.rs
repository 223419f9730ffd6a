//! What the transcript lists: rows around the moment looked at, made of the entries of the trace.
//!
//! One write that goes to several replicas is one row. Where more than a few messages of a kind
//! travel within a tenth of a second they are one row too, with their number and their bytes: a
//! flood is told in ten rows a second. The tenths are those of the clock, so that a row is the same
//! from wherever it is looked at.

use crate::format::{bytes, seconds, server_title, short_id, thousands};
use crate::world::{Entry, Instant, Message, PacketKind, ServerSnapshot, Trace, What};

/// The most rows until the moment looked at.
pub const BEFORE: usize = 60;
/// The most rows of what comes after it, where that is known.
pub const AFTER: usize = 30;
/// The most rows while the list stands still under a reader.
pub const HELD: usize = 400;
/// The most entries looked at to find them, so that a flood costs no more than this.
const LOOKED_AT: usize = 20_000;
/// Messages within one of these may be told together.
const BUCKET_US: u64 = 100_000;
/// More different messages than this in one of them are.
const FEW: u64 = 4;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of its first entry; a key for the list.
    pub seq: u64,
    /// The number of its last one.
    pub end: u64,
    /// The moment of the first.
    pub at_us: u64,
    /// `2→M`, or a dash for what is no message.
    pub who: String,
    /// What is said, in a line.
    pub raw: String,
    /// The same as on the wire, where that is known.
    pub whole: String,
    /// What it means.
    pub meaning: String,
    /// `decision`, `event` or nothing: how it is tinted.
    pub class: &'static str,
}

/// The rows to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Oldest first.
    pub rows: Vec<Row>,
    /// Which of them is the last one until the moment looked at.
    pub current: Option<usize>,
    /// There are older ones.
    pub earlier: bool,
    /// There are later ones.
    pub later: bool,
}

/// The rows around `now_us`; those from entry `held` on while a reader looks at that.
#[must_use]
pub fn listed(trace: &Trace, now_us: u64, held: Option<u64>, servers: &[ServerSnapshot]) -> Listed {
    let held = held.and_then(|seq| trace.entry(seq));
    let now = Instant(now_us);
    let (begins, ends) = match held {
        Some(entry) => (Some(entry.at), Some(now)),
        None => (
            reach(&mut trace.between(Instant(0), now).rev(), BEFORE),
            reach(&mut trace.between(now, Instant(u64::MAX)), AFTER),
        ),
    };
    // A tenth is told as a whole, or its row would change with what is listed.
    let from = begins.map_or(0, |at| at.0 - at.0 % BUCKET_US);
    let to = ends.map_or(u64::MAX, |at| at.0);
    let mut rows =
        rows(&mut trace.between(Instant(from), Instant(to)).take(LOOKED_AT * 2), servers);
    let (from, to) = match held {
        Some(entry) => {
            let from = rows.partition_point(|row| row.seq < entry.seq);
            (from, from + HELD)
        }
        None => {
            let now = rows.partition_point(|row| row.at_us <= now_us);
            (now.saturating_sub(BEFORE), now + AFTER)
        }
    };
    let later = to < rows.len();
    rows.truncate(to);
    rows.drain(..from.min(rows.len()));
    // While the list is held the row at the cursor may be beyond its end.
    let current = match held.is_some() && later {
        true => None,
        false => rows.partition_point(|row| row.at_us <= now_us).checked_sub(1),
    };
    Listed { rows, current, earlier: from > 0 || begins.is_some(), later }
}

/// The moment by which there are more than `most` rows; none when there are not so many.
fn reach(entries: &mut dyn Iterator<Item = &Entry>, most: usize) -> Option<Instant> {
    let (mut rows, mut looked_at) = (0, 0);
    let mut bucket = u64::MAX;
    for entry in entries {
        let here = entry.at.0 / BUCKET_US;
        // Messages of one tenth are at least one row; other things are one each.
        if class(&entry.what).is_some() {
            rows += usize::from(here != bucket);
            bucket = here;
        } else if tells(&entry.what) {
            rows += 1;
        }
        looked_at += 1;
        if rows > most || looked_at == LOOKED_AT {
            return Some(entry.at);
        }
    }
    None
}

/// Whether this has a row.
fn tells(what: &What) -> bool {
    matches!(what, What::Message(_) | What::Action { .. } | What::Overrun { .. })
}

/// Messages of one class may be told together.
fn class(what: &What) -> Option<(PacketKind, bool)> {
    let What::Message(message) = what else { return None };
    let acks = message.kind == PacketKind::Control && message.raw.starts_with("REPLCONF ACK");
    (acks || message.kind != PacketKind::Control).then_some((message.kind, message.to_replica))
}

/// The rows of these entries, oldest first.
#[must_use]
pub fn rows<'a>(entries: impl Iterator<Item = &'a Entry>, servers: &[ServerSnapshot]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut bucket: Vec<(&Entry, &Message)> = Vec::new();
    for entry in entries {
        let full = |(first, _): &(&Entry, _)| first.at.0 / BUCKET_US != entry.at.0 / BUCKET_US;
        match &entry.what {
            What::Message(message) if class(&entry.what).is_some() => {
                if bucket.first().is_some_and(full) {
                    pour(&mut bucket, &mut rows);
                }
                bucket.push((entry, message));
            }
            what if tells(what) => {
                pour(&mut bucket, &mut rows);
                rows.push(single(entry, servers));
            }
            _ => {}
        }
    }
    pour(&mut bucket, &mut rows);
    rows
}

/// Messages that are one row.
struct Group<'a> {
    class: Option<(PacketKind, bool)>,
    first: (&'a Entry, &'a Message),
    raw: &'a str,
    /// Different ones, one after the other.
    kinds: u64,
    messages: u64,
    bytes: u64,
    waits: bool,
    /// The replicas on whose links they travel, in order.
    links: Vec<usize>,
    end: u64,
}

impl<'a> Group<'a> {
    fn of(first: (&'a Entry, &'a Message)) -> Group<'a> {
        let class = class(&first.0.what);
        let (raw, links) = (first.1.raw.as_str(), Vec::new());
        let end = first.0.seq;
        Group { class, first, raw, kinds: 1, messages: 0, bytes: 0, waits: false, links, end }
    }

    fn add(&mut self, entry: &Entry, message: &'a Message) {
        self.end = entry.seq;
        self.kinds += u64::from(message.raw != self.raw);
        self.raw = &message.raw;
        self.messages += 1;
        self.bytes += message.bytes;
        self.waits |= message.arrives.is_none();
        if let Err(place) = self.links.binary_search(&message.replica) {
            self.links.insert(place, message.replica);
        }
    }

    fn row(&self, together: bool) -> Row {
        let (entry, message) = self.first;
        let who = ways(message, &self.links);
        let new = |raw: String, whole: String, meaning: String, class| Row {
            seq: entry.seq,
            end: self.end,
            at_us: entry.at.0,
            who,
            raw,
            whole,
            meaning: match self.waits {
                true => format!("{meaning} \u{b7} waits: the way is cut"),
                false => meaning,
            },
            class,
        };
        if together {
            let what = match message.kind {
                PacketKind::Control => "REPLCONF ACK",
                PacketKind::Stream => "pieces of the stream",
                PacketKind::Snapshot => "pieces of the snapshot",
            };
            let raw = format!("{} {what}", thousands(self.messages));
            let whole = format!("{} \u{2026}", message.raw);
            return new(raw, whole, bytes(self.bytes), "many");
        }
        let class = match message.raw.as_bytes() {
            [b'+', b'C', ..] => "decision partial",
            [b'+', b'F', ..] => "decision full",
            _ => "",
        };
        let meaning = match message.kind {
            PacketKind::Control => message.meaning.to_owned(),
            _ => format!("{} \u{b7} {}", message.meaning, bytes(message.bytes)),
        };
        new(message.raw.clone(), on_the_wire(message), meaning, class)
    }
}

/// Makes rows of the messages of one bucket.
fn pour(bucket: &mut Vec<(&Entry, &Message)>, rows: &mut Vec<Row>) {
    // There are six classes at most, so nothing is gained by a map.
    let mut sums: Vec<Group> = Vec::new();
    for &(entry, message) in bucket.iter() {
        let class = class(&entry.what);
        let known = sums.iter().position(|sum| sum.class == class);
        let index = known.unwrap_or(sums.len());
        if known.is_none() {
            sums.push(Group::of((entry, message)));
        }
        sums[index].add(entry, message);
    }
    let mut alone: Option<Group> = None;
    for (entry, message) in bucket.drain(..) {
        let class = class(&entry.what);
        let many = sums.iter().find(|sum| sum.class == class && sum.kinds > FEW);
        if let Some(sum) = many {
            if sum.first.0.seq == entry.seq {
                rows.extend(alone.take().map(|group| group.row(false)));
                rows.push(sum.row(true));
            }
            continue;
        }
        let same = alone.as_ref().is_some_and(|group| {
            message.to_replica && group.class == class && group.raw == message.raw
        });
        if !same {
            rows.extend(alone.take().map(|group| group.row(false)));
        }
        alone.get_or_insert_with(|| Group::of((entry, message))).add(entry, message);
    }
    rows.extend(alone.map(|group| group.row(false)));
}

/// The row of what is never told together with others.
fn single(entry: &Entry, servers: &[ServerSnapshot]) -> Row {
    let name = |index: usize| servers.get(index).map_or("?", |server| server.name.as_str());
    let new = |who: String, raw: String, meaning: &str, class| Row {
        seq: entry.seq,
        end: entry.seq,
        at_us: entry.at.0,
        who,
        whole: raw.clone(),
        raw,
        meaning: meaning.to_owned(),
        class,
    };
    match &entry.what {
        What::Message(message) => {
            let mut group = Group::of((entry, message));
            group.add(entry, message);
            group.row(false)
        }
        What::Overrun { replica } => new(
            place(*replica),
            format!("{} was overtaken", server_title(name(*replica))),
            "the next byte it needs is gone from the backlog",
            "event lost",
        ),
        What::Action { text, .. } => new("\u{2014}".to_owned(), text.clone(), "", "event"),
        What::Decision(_) | What::Link { .. } | What::Log { .. } => {
            new(String::new(), String::new(), "", "")
        }
    }
}

/// `M→1–3`: who says it to whom.
fn ways(message: &Message, links: &[usize]) -> String {
    let replicas = match links {
        [one] => place(*one),
        [one, two] => format!("{},{}", place(*one), place(*two)),
        [first, .., last] if last - first + 1 == links.len() => format!("{first}\u{2013}{last}"),
        many => format!("{}\u{d7}", many.len()),
    };
    let master = place(message.master);
    match message.to_replica {
        true => format!("{master}\u{2192}{replicas}"),
        false => format!("{replicas}\u{2192}{master}"),
    }
}

/// A server in a letter.
fn place(index: usize) -> String {
    if index == 0 { "M".to_owned() } else { index.to_string() }
}

/// Forty characters of an id leave no room for what follows them.
#[must_use]
pub fn short_ids(raw: &str) -> String {
    raw.split(' ').map(short_id).collect::<Vec<_>>().join(" ")
}

/// Every byte of it, where the trace has them all; otherwise what it has.
fn on_the_wire(message: &Message) -> String {
    let raw = &message.raw;
    let line = match raw.as_bytes().first() {
        Some(b'+' | b'-' | b'$') => format!("{raw}\r\n"),
        _ => {
            let words: Vec<&str> = raw.split(' ').collect();
            let word = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
            format!("*{}\r\n{}", words.len(), words.iter().map(word).collect::<String>())
        }
    };
    // What was shortened, or had blanks inside, has another length than what was sent.
    match line.len() as u64 == message.bytes {
        true => line.replace("\r\n", "\\r\\n"),
        false => raw.clone(),
    }
}

/// The rows as plain text, a line each.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let mut out = String::new();
    for Row { at_us, who, raw, meaning, .. } in rows {
        let meaning = if meaning.is_empty() { "" } else { &format!("  # {meaning}") };
        out.push_str(&format!("{:>10}  {who:<6}  {raw}{meaning}\n", seconds(*at_us)));
    }
    out
}

#[cfg(test)]
mod tests;
