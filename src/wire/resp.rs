//! Replies: RESP2 values, their text, and an incremental decoder for them.
//!
//! Invariants: a value's text has exactly one spelling, and the decoder accepts no other (save a lone
//! LF in a line, which does no harm); the parts of an unfinished array are kept as values, so bytes
//! are looked at once. Absent on purpose: RESP3
//! types, and commands from clients (see [`CommandDecoder`](super::CommandDecoder)).

use super::RespError;
use super::inbox::{Inbox, LineFault};
use super::number::{parse_integer, push_decimal, push_integer};
use bytes::Bytes;

/// Most elements of one array: 1024 * 1024 as in `processMultibulkBuffer`, Redis 6.2 networking.c.
pub const MAX_ARRAY: i64 = 1024 * 1024;

/// Most bytes of one bulk string: 512 MiB, the default of `proto-max-bulk-len`, Redis 6.2 config.c.
pub const MAX_BULK: i64 = 512 * 1024 * 1024;

/// Most arrays inside each other in a reply. Real replies to the commands we know need three.
pub const MAX_DEPTH: usize = 32;

/// One RESP2 value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `+text\r\n`
    Simple(Bytes),
    /// `-text\r\n`
    Error(Bytes),
    /// `:123\r\n`
    Integer(i64),
    /// `$3\r\nabc\r\n`
    Bulk(Bytes),
    /// `$-1\r\n`
    NullBulk,
    /// `*2\r\n…`
    Array(Vec<Value>),
    /// `*-1\r\n`
    NullArray,
}

impl Value {
    /// Appends the value's text.
    ///
    /// A CR or LF inside a `Simple` or `Error` would end it early and is written as a blank, as
    /// `addReplyErrorLength` does (Redis 6.2 networking.c).
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Value::Simple(text) => push_text(out, b'+', text),
            Value::Error(text) => push_text(out, b'-', text),
            Value::Integer(value) => {
                out.push(b':');
                push_integer(out, *value);
                out.extend_from_slice(b"\r\n");
            }
            Value::Bulk(bytes) => push_bulk(out, bytes),
            Value::NullBulk => out.extend_from_slice(b"$-1\r\n"),
            Value::Array(items) => {
                push_header(out, b'*', items.len());
                items.iter().for_each(|item| item.encode(out));
            }
            Value::NullArray => out.extend_from_slice(b"*-1\r\n"),
        }
    }
}

/// Reads the replies of a server, as a client does.
#[derive(Clone, Debug, Default)]
pub struct ReplyDecoder {
    inbox: Inbox,
    open: Vec<OpenArray>,
    bulk: Option<usize>,
    failed: Option<RespError>,
}

/// An array some elements of which have not arrived. Its room grows with them.
#[derive(Clone, Debug)]
struct OpenArray {
    left: i64,
    items: Vec<Value>,
}

/// What one look at the input gave.
enum Step {
    Whole(Value),
    Opened,
    NeedMore,
}

impl ReplyDecoder {
    /// A decoder at position 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends received bytes.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.failed.is_none() {
            self.inbox.feed(chunk);
        }
    }

    /// The next reply, or `None` while it is incomplete.
    ///
    /// # Errors
    /// The peer sent something that is no RESP2 value within the limits of this module.
    #[expect(clippy::should_implement_trait, reason = "None means not yet, not never")]
    pub fn next(&mut self) -> Result<Option<Value>, RespError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.value();
        if let Err(error) = result {
            self.failed = Some(error);
            self.open.clear();
            self.inbox.close();
        }
        result
    }

    /// How many received bytes do not yet belong to a finished part of a reply.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.inbox.len()
    }

    /// How many bytes of memory the decoder holds, the lists of unfinished arrays included.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let items: usize = self.open.iter().map(|array| array.items.capacity()).sum();
        let open = self.open.capacity() * size_of::<OpenArray>();
        self.inbox.capacity() + open + items * size_of::<Value>()
    }

    fn value(&mut self) -> Result<Option<Value>, RespError> {
        loop {
            let mut value = match self.step()? {
                Step::Whole(value) => value,
                Step::Opened => continue,
                Step::NeedMore => return Ok(None),
            };
            // A value may be the last one of its array, and that the last one of the array around it.
            loop {
                let Some(mut array) = self.open.pop() else { return Ok(Some(value)) };
                array.items.push(value);
                array.left -= 1;
                if array.left > 0 {
                    self.open.push(array);
                    break;
                }
                value = Value::Array(array.items);
            }
        }
    }

    /// Consumes one value without its elements, or nothing.
    fn step(&mut self) -> Result<Step, RespError> {
        if let Some(len) = self.bulk {
            return self.bulk_body(len);
        }
        let Some(&kind) = self.inbox.waiting().first() else { return Ok(Step::NeedMore) };
        let at = self.inbox.position(0);
        if !matches!(kind, b'+' | b'-' | b':' | b'$' | b'*') {
            return Err(RespError::UnknownType { at, got: kind });
        }
        let too_long = RespError::TooBigLine { at };
        let Some((text, next)) = crlf_line(&mut self.inbox, 0, too_long)? else {
            return Ok(Step::NeedMore);
        };
        let line = self.inbox.take(next);
        let text = line.slice(text.start + 1..text.end);
        match kind {
            b'+' => Ok(Step::Whole(Value::Simple(text))),
            b'-' => Ok(Step::Whole(Value::Error(text))),
            b':' => {
                let value = parse_integer(&text).ok_or(RespError::InvalidInteger { at })?;
                Ok(Step::Whole(Value::Integer(value)))
            }
            b'$' => match parse_integer(&text) {
                Some(-1) => Ok(Step::Whole(Value::NullBulk)),
                _ => self.bulk_body(bulk_len(&text, at)?),
            },
            _ => self.array(&text, at),
        }
    }

    /// Consumes `len` bytes and their CRLF, or remembers that they are due.
    fn bulk_body(&mut self, len: usize) -> Result<Step, RespError> {
        self.bulk = Some(len);
        if !bulk_end(&self.inbox, len)? {
            return Ok(Step::NeedMore);
        }
        self.bulk = None;
        let bytes = self.inbox.take(len);
        self.inbox.skip(2);
        Ok(Step::Whole(Value::Bulk(bytes)))
    }

    fn array(&mut self, text: &[u8], at: u64) -> Result<Step, RespError> {
        match parse_integer(text) {
            Some(-1) => Ok(Step::Whole(Value::NullArray)),
            Some(0) => Ok(Step::Whole(Value::Array(Vec::new()))),
            Some(1..=MAX_ARRAY) if self.open.len() == MAX_DEPTH => Err(RespError::TooDeep { at }),
            Some(left @ 1..=MAX_ARRAY) => {
                self.open.push(OpenArray { left, items: Vec::new() });
                Ok(Step::Opened)
            }
            _ => Err(RespError::InvalidMultibulkLength { at }),
        }
    }
}

/// Appends `$<len>\r\n<bytes>\r\n`.
pub(super) fn push_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    push_header(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends a `*` or `$` line.
pub(super) fn push_header(out: &mut Vec<u8>, kind: u8, count: usize) {
    out.push(kind);
    push_decimal(out, count as u64);
    out.extend_from_slice(b"\r\n");
}

fn push_text(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    out.extend(text.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
    out.extend_from_slice(b"\r\n");
}

/// A CRLF line, with this decoder's error for one that is too long.
pub(super) fn crlf_line(
    inbox: &mut Inbox,
    from: usize,
    too_long: RespError,
) -> Result<Option<super::inbox::Line>, RespError> {
    inbox.crlf_line(from).map_err(|fault| match fault {
        LineFault::TooLong => too_long,
        LineFault::LoneCr(cr) => RespError::MissingCrlf { at: inbox.position(cr) },
    })
}

/// The length that the text behind `$` names; `at` is where its line begins.
pub(super) fn bulk_len(text: &[u8], at: u64) -> Result<usize, RespError> {
    parse_integer(text)
        .filter(|len| (0..=MAX_BULK).contains(len))
        .and_then(|len| usize::try_from(len).ok())
        .ok_or(RespError::InvalidBulkLength { at })
}

/// Whether the CRLF at index `end` has arrived.
///
/// Redis skips these two bytes unread. Here they are checked: on a link whose bytes are counted, a
/// bulk that ends elsewhere than announced is the first sign of a desync, and the last cheap one.
pub(super) fn bulk_end(inbox: &Inbox, end: usize) -> Result<bool, RespError> {
    match inbox.waiting().get(end..).unwrap_or_default() {
        [] | [b'\r'] => Ok(false),
        [b'\r', b'\n', ..] => Ok(true),
        _ => Err(RespError::MissingCrlf { at: inbox.position(end) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn decode(text: &[u8]) -> Result<Option<Value>, RespError> {
        let mut decoder = ReplyDecoder::new();
        decoder.feed(text);
        decoder.next()
    }

    #[test]
    fn values_and_their_text() {
        let nested = Value::Array(vec![
            Value::Bulk(bytes("a\r\nb")),
            Value::Array(vec![]),
            Value::Array(vec![Value::NullArray, Value::Integer(-1)]),
        ]);
        for (value, text) in [
            (Value::Simple(bytes("OK")), "+OK\r\n"),
            (Value::Error(bytes("ERR no")), "-ERR no\r\n"),
            (Value::Integer(i64::MIN), ":-9223372036854775808\r\n"),
            (Value::Bulk(bytes("")), "$0\r\n\r\n"),
            (Value::NullBulk, "$-1\r\n"),
            (nested, "*3\r\n$4\r\na\r\nb\r\n*0\r\n*2\r\n*-1\r\n:-1\r\n"),
        ] {
            let mut out = Vec::new();
            value.encode(&mut out);
            assert_eq!(out.escape_ascii().to_string(), text.as_bytes().escape_ascii().to_string());
            assert_eq!(decode(text.as_bytes()), Ok(Some(value)), "{text:?}");
            for cut in 0..text.len() {
                assert_eq!(decode(&text.as_bytes()[..cut]), Ok(None), "{:?}", &text[..cut]);
            }
        }
    }

    #[test]
    fn a_line_end_inside_a_line_is_written_as_blanks() {
        let mut out = Vec::new();
        Value::Error(bytes("ERR a\r\n+OK")).encode(&mut out);
        assert_eq!(out, b"-ERR a  +OK\r\n");
    }

    #[test]
    fn errors_say_what_and_where() {
        for (text, want) in [
            ("x", RespError::UnknownType { at: 0, got: b'x' }),
            ("\n", RespError::UnknownType { at: 0, got: b'\n' }),
            ("+a\rb", RespError::MissingCrlf { at: 2 }),
            (":1x\r\n", RespError::InvalidInteger { at: 0 }),
            ("$-2\r\n", RespError::InvalidBulkLength { at: 0 }),
            ("$536870913\r\n", RespError::InvalidBulkLength { at: 0 }),
            ("*1\r\n$01\r\n", RespError::InvalidBulkLength { at: 4 }),
            ("*-2\r\n", RespError::InvalidMultibulkLength { at: 0 }),
            ("*1048577\r\n", RespError::InvalidMultibulkLength { at: 0 }),
            ("$1\r\nab", RespError::MissingCrlf { at: 5 }),
            ("$1\r\na\rb", RespError::MissingCrlf { at: 5 }),
        ] {
            assert_eq!(decode(text.as_bytes()), Err(want), "{text:?}");
        }
        let deep = b"*1\r\n".repeat(MAX_DEPTH + 1);
        assert_eq!(decode(&deep), Err(RespError::TooDeep { at: 4 * MAX_DEPTH as u64 }));
        assert_eq!(decode(&deep[4..]), Ok(None));
    }
}
