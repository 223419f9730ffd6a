//! What bytes on a link say, for people: their raw form in one line, and their meaning.

use super::snapshot::PacketKind;
use crate::server::Kind;
use crate::wire::CommandDecoder;

/// Bytes of a message that are looked at; more would not fit a line anyway.
const SHOWN_BYTES: usize = 160;

impl From<Kind> for PacketKind {
    fn from(kind: Kind) -> PacketKind {
        match kind {
            Kind::Control => PacketKind::Control,
            Kind::Stream => PacketKind::Stream,
            Kind::Snapshot => PacketKind::Snapshot,
        }
    }
}

/// The raw form in one printable line.
pub fn raw(kind: Kind, bytes: &[u8]) -> String {
    if kind == Kind::Snapshot {
        return match bytes.first() {
            Some(b'$') if bytes.len() < 64 => printable(bytes.trim_ascii_end()),
            _ => format!("{} bytes of RDB", bytes.len()),
        };
    }
    let head = &bytes[..bytes.len().min(SHOWN_BYTES)];
    match first_command(bytes) {
        Some((words, more)) => {
            let more = if more { " …" } else { "" };
            format!("{}{more}", words.join(" "))
        }
        None => printable(head.trim_ascii_end()),
    }
}

/// One line of meaning.
pub fn meaning(kind: Kind, to_replica: bool, raw: &str) -> &'static str {
    let mut words = raw.split(' ');
    let (verb, option) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    match (kind, to_replica, verb.to_ascii_uppercase().as_str(), option) {
        (Kind::Snapshot, _, size, _) if size.starts_with('$') => "this many bytes of RDB follow",
        (Kind::Snapshot, ..) => "part of the snapshot",
        (_, false, "PING", _) => "are you there?",
        (_, true, "+PONG", _) => "I am here",
        (_, false, "REPLCONF", "listening-port") => "where I can be reached",
        (_, false, "REPLCONF", "capa") => "what I understand",
        (_, false, "REPLCONF", "version") => "which version I am",
        (_, false, "REPLCONF", "ACK") => "I have applied this much",
        (_, true, "REPLCONF", "GETACK") => "how far are you?",
        (_, true, "+OK", _) => "understood",
        (_, false, "PSYNC", "?") => "give me everything",
        (_, false, "PSYNC", _) => "continue from here?",
        (_, true, "+CONTINUE", _) => "yes: here is what you missed",
        (_, true, "+FULLRESYNC", _) => "no: take a snapshot first",
        (_, true, text, _) if text.starts_with('-') => "refused",
        (Kind::Stream, _, "PING", _) => "keepalive, part of the stream",
        (Kind::Stream, _, "SELECT", _) => "what follows is for this database",
        (Kind::Stream, ..) => "write stream",
        _ => "",
    }
}

/// The word to print on a capsule.
pub fn label(kind: Kind, bytes: &[u8]) -> String {
    if kind != Kind::Control {
        return String::new();
    }
    let line = raw(kind, bytes);
    let mut words = line.split(' ');
    let verb = words.next().unwrap_or_default().trim_start_matches(['+', '-']);
    match (verb, words.next()) {
        ("REPLCONF", Some("ACK")) => "ACK".to_owned(),
        _ => verb.to_owned(),
    }
}

/// The words of the first command, shortened, and whether more bytes follow it.
fn first_command(bytes: &[u8]) -> Option<(Vec<String>, bool)> {
    if bytes.first() != Some(&b'*') {
        return None;
    }
    let mut decoder = CommandDecoder::new();
    // Enough for any command that fits a line; the length of a longer one stands in its header.
    decoder.feed(&bytes[..bytes.len().min(4096)]);
    let frame = decoder.next().ok()??;
    let word = |arg: &bytes::Bytes| {
        let shown = printable(&arg[..arg.len().min(48)]);
        if arg.len() > 48 { format!("{shown}…") } else { shown }
    };
    let words = frame.argv.iter().take(8).map(word).collect();
    Some((words, bytes.len() > frame.raw.len()))
}

/// Control characters and other bytes as redis-cli has them (`sdscatrepr`): `\r`, `\t`, `\x00`, and a
/// backslash as two.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => out.push(char::from(*byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, to_replica: bool, bytes: &[u8]) -> String {
        let raw = raw(kind, bytes);
        let meaning = meaning(kind, to_replica, &raw);
        format!("{} | {raw} | {meaning}", label(kind, bytes))
    }

    #[test]
    fn messages_are_shown_raw_and_with_their_meaning() {
        let ask = b"*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n";
        assert_eq!(check(Kind::Control, false, ask), "PSYNC | PSYNC ? -1 | give me everything");
        let ack = b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$2\r\n14\r\n";
        assert_eq!(
            check(Kind::Control, false, ack),
            "ACK | REPLCONF ACK 14 | I have applied this much"
        );
        assert_eq!(
            check(Kind::Control, true, b"+CONTINUE abc\r\n"),
            "CONTINUE | +CONTINUE abc | yes: here is what you missed"
        );
        assert_eq!(
            check(Kind::Snapshot, true, b"$120\r\n"),
            " | $120 | this many bytes of RDB follow"
        );
        assert_eq!(
            check(Kind::Stream, true, b"*1\r\n$4\r\nping\r\n*1\r\n"),
            " | ping … | keepalive, part of the stream"
        );
        assert_eq!(check(Kind::Stream, true, b"k\\\r\n\x00"), r" | k\\\r\n\x00 | write stream");
    }
}
