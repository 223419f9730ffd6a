//! Commands: what a server reads from a client, and a replica from its master after the payload.
//!
//! Invariants: the `raw` of all frames, joined, is the input, byte for byte, so a replica may count
//! it and proxy it; the arguments are slices of `raw`; a partly received command is not scanned again
//! when more of it arrives. Absent on purpose: command names, and `MULTI`: a frame is text with
//! borders, not yet a request.

use super::inbox::Inbox;
use super::number::{decimal_len, parse_integer};
use super::resp::{MAX_ARRAY, bulk_end, bulk_len, crlf_line, push_bulk, push_header};
use super::{RespError, inline};
use bytes::Bytes;
use std::ops::Range;

/// The text of a command as Redis writes it into its replication stream: an array of bulk strings.
#[must_use]
pub fn encode_command<A: AsRef<[u8]>>(argv: &[A]) -> Bytes {
    // The exact length, so that the vector becomes the shared slice without being copied.
    let len = usize::try_from(command_len(argv)).unwrap_or(0);
    let mut out = Vec::with_capacity(len);
    push_header(&mut out, b'*', argv.len());
    argv.iter().for_each(|arg| push_bulk(&mut out, arg.as_ref()));
    Bytes::from(out)
}

/// How many bytes [`encode_command`] makes of `argv`: `PING` is `*1\r\n$4\r\nPING\r\n`, 14.
#[must_use]
pub fn command_len<A: AsRef<[u8]>>(argv: &[A]) -> u64 {
    let header = |count: usize| decimal_len(count as u64) + 3;
    let bulk = |len: usize| header(len) + len as u64 + 2;
    header(argv.len()) + argv.iter().map(|arg| bulk(arg.as_ref().len())).sum::<u64>()
}

/// One command as it stood in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The arguments, the command's name first. Empty for `*0`, `*-1` and lines of blanks or none.
    /// An argument keeps all of `raw` in memory: store a copy of one that is to outlive it for long.
    pub argv: Vec<Bytes>,
    /// The exact bytes, line ends included.
    pub raw: Bytes,
    /// How the command was written.
    pub kind: FrameKind,
}

/// How a command was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// `*<n>\r\n` and n bulk strings: the only form a replication stream has.
    Array,
    /// A line of words. In a replication stream it means that the two sides have lost step.
    Inline,
    /// An empty line: the keepalive.
    Newline,
}

/// Cuts received bytes into [`Frame`]s.
#[derive(Clone, Debug, Default)]
pub struct CommandDecoder {
    inbox: Inbox,
    partial: Option<PartialArray>,
    failed: Option<RespError>,
}

/// An array command some arguments of which have not arrived. Indexes count from its first byte.
#[derive(Clone, Debug)]
struct PartialArray {
    left: i64,
    args: Vec<Range<usize>>,
    /// Everything before this index is read.
    cursor: usize,
    /// The announced length of the argument at `cursor`.
    bulk: Option<usize>,
}

impl CommandDecoder {
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

    /// The next command, or `None` while it is incomplete.
    ///
    /// Limits and words are those of `processMultibulkBuffer` and `processInlineBuffer`, Redis 6.2
    /// networking.c. Stricter than Redis in one point: the CRLF behind a bulk string and behind a
    /// length is checked, where Redis skips two bytes unread.
    ///
    /// # Errors
    /// The peer broke the protocol; a real server answers `-ERR Protocol error: ` and this error's
    /// text, and closes. The error is final.
    #[expect(clippy::should_implement_trait, reason = "None means not yet, not never")]
    pub fn next(&mut self) -> Result<Option<Frame>, RespError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.frame();
        if let Err(error) = result {
            self.failed = Some(error);
            self.partial = None;
            self.inbox.close();
        }
        result
    }

    /// How many bytes are received but not yet returned in a frame. 0 after an error.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.inbox.len()
    }

    /// How many bytes of memory the decoder holds, unfinished argument lists included.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let args = self.partial.as_ref().map_or(0, |partial| partial.args.capacity());
        self.inbox.capacity() + args * size_of::<Range<usize>>()
    }

    fn frame(&mut self) -> Result<Option<Frame>, RespError> {
        match (&self.partial, self.inbox.waiting().first()) {
            (Some(_), _) => self.arguments(),
            (None, None) => Ok(None),
            (None, Some(b'*')) => self.array(),
            (None, Some(_)) => self.line(),
        }
    }

    /// Reads the `*<n>` line at the front.
    fn array(&mut self) -> Result<Option<Frame>, RespError> {
        let at = self.inbox.position(0);
        let too_long = RespError::TooBigMultibulkLine { at };
        let Some((text, next)) = crlf_line(&mut self.inbox, 0, too_long)? else { return Ok(None) };
        match parse_integer(&self.inbox.waiting()[1..text.end]) {
            None | Some(MAX_PLUS_ONE..) => Err(RespError::InvalidMultibulkLength { at }),
            Some(..=0) => {
                let raw = self.inbox.take(next);
                Ok(Some(Frame { argv: Vec::new(), raw, kind: FrameKind::Array }))
            }
            Some(left) => {
                self.partial =
                    Some(PartialArray { left, args: Vec::new(), cursor: next, bulk: None });
                self.arguments()
            }
        }
    }

    /// Reads on where the last call stopped.
    fn arguments(&mut self) -> Result<Option<Frame>, RespError> {
        let Some(partial) = &mut self.partial else { return Ok(None) };
        while partial.left > 0 {
            let len = match partial.bulk {
                Some(len) => len,
                None => match bulk_header(&mut self.inbox, partial.cursor)? {
                    None => return Ok(None),
                    Some((len, next)) => {
                        partial.cursor = next;
                        *partial.bulk.insert(len)
                    }
                },
            };
            let end = partial.cursor + len;
            if !bulk_end(&self.inbox, end)? {
                return Ok(None);
            }
            partial.args.push(partial.cursor..end);
            partial.cursor = end + 2;
            partial.bulk = None;
            partial.left -= 1;
        }
        let raw = self.inbox.take(partial.cursor);
        let argv = partial.args.drain(..).map(|arg| raw.slice(arg)).collect();
        self.partial = None;
        Ok(Some(Frame { argv, raw, kind: FrameKind::Array }))
    }

    /// Reads a line that is no array: a keepalive or an inline command.
    fn line(&mut self) -> Result<Option<Frame>, RespError> {
        let at = self.inbox.position(0);
        let (text, next) = match self.inbox.lf_line() {
            Ok(None) => return Ok(None),
            Ok(Some(line)) => line,
            Err(_) => return Err(RespError::TooBigInline { at }),
        };
        let raw = self.inbox.take(next);
        if text.is_empty() {
            return Ok(Some(Frame { argv: Vec::new(), raw, kind: FrameKind::Newline }));
        }
        let argv = inline::split(&raw.slice(text)).ok_or(RespError::UnbalancedQuotes { at })?;
        Ok(Some(Frame { argv, raw, kind: FrameKind::Inline }))
    }
}

const MAX_PLUS_ONE: i64 = MAX_ARRAY + 1;

/// The `$<len>` line at index `from`: the length, and the index of the first byte of the argument.
fn bulk_header(inbox: &mut Inbox, from: usize) -> Result<Option<(usize, usize)>, RespError> {
    let at = inbox.position(from);
    match inbox.waiting().get(from) {
        None => return Ok(None),
        Some(b'$') => {}
        Some(&got) => return Err(RespError::ExpectedBulk { at, got }),
    }
    let too_long = RespError::TooBigBulkLine { at };
    let Some((text, next)) = crlf_line(inbox, from, too_long)? else { return Ok(None) };
    let len = bulk_len(&inbox.waiting()[text.start + 1..text.end], at)?;
    Ok(Some((len, next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAX_LINE;

    fn frames(text: &[u8]) -> (Vec<Frame>, Result<usize, RespError>) {
        let mut decoder = CommandDecoder::new();
        decoder.feed(text);
        let mut frames = Vec::new();
        loop {
            match decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return (frames, Ok(decoder.buffered())),
                Err(error) => return (frames, Err(error)),
            }
        }
    }

    #[test]
    fn commands_are_written_as_redis_writes_them() {
        assert_eq!(encode_command(&["ping"]), "*1\r\n$4\r\nping\r\n");
        assert_eq!(encode_command(&["SELECT", "0"]).len(), 23);
        assert_eq!(encode_command(&["REPLCONF", "GETACK", "*"]).len(), 37);
        assert_eq!(encode_command::<&str>(&[]), "*0\r\n");
        let long = ["SET".to_owned(), String::new(), "x".repeat(1000)];
        assert_eq!(encode_command(&long).len() as u64, command_len(&long));
    }

    #[test]
    fn every_kind_of_frame() {
        let text = b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n\n\r\nGET \"a b\"\r\n  \n*0\r\n*-1\r\n*-7\r\n*1\r\n$";
        let want: [(&[&str], &str, FrameKind); 8] = [
            (&["GET", "\r\n"], "*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n", FrameKind::Array),
            (&[], "\n", FrameKind::Newline),
            (&[], "\r\n", FrameKind::Newline),
            (&["GET", "a b"], "GET \"a b\"\r\n", FrameKind::Inline),
            (&[], "  \n", FrameKind::Inline),
            (&[], "*0\r\n", FrameKind::Array),
            (&[], "*-1\r\n", FrameKind::Array),
            (&[], "*-7\r\n", FrameKind::Array),
        ];
        let (got, end) = frames(text);
        assert_eq!(end, Ok(5));
        assert_eq!(got.len(), want.len());
        for (frame, (argv, raw, kind)) in got.into_iter().zip(want) {
            let argv = argv.iter().map(|arg| Bytes::from(*arg)).collect();
            assert_eq!(frame, Frame { argv, raw: Bytes::from(raw), kind });
        }
    }

    #[test]
    fn errors_say_what_and_where_in_redis_words() {
        for (text, at, words) in [
            ("PING\r\n*x\r\n", 6, "invalid multibulk length"),
            ("*1048577\r\n", 0, "invalid multibulk length"),
            ("*\r\n", 0, "invalid multibulk length"),
            ("*1\r\n$-1\r\n", 4, "invalid bulk length"),
            ("*1\r\n$536870913\r\n", 4, "invalid bulk length"),
            ("*1\r\n$1 \r\n", 4, "invalid bulk length"),
            ("*1\r\n:1\r\n", 4, "expected '$', got ':'"),
            ("*1\r\n\r", 4, r"expected '$', got '\r'"),
            ("*1\rx", 2, "expected CRLF"),
            ("*1\r\n$1\r\nab\r\n", 9, "expected CRLF"),
            ("\nSET \"a\r\n", 1, "unbalanced quotes in request"),
        ] {
            let (_, end) = frames(text.as_bytes());
            let error = end.expect_err(text);
            assert_eq!((error.at(), error.to_string().as_str()), (at, words), "{text:?}");
        }
        for (head, at, words) in [
            ("*", 0, "too big mbulk count string"),
            ("*1\r\n$", 4, "too big bulk count string"),
            ("x", 0, "too big inline request"),
        ] {
            let text = format!("{head}{}", "1".repeat(MAX_LINE));
            let error = frames(text.as_bytes()).1.expect_err(head);
            assert_eq!((error.at(), error.to_string().as_str()), (at, words));
            assert!(frames(&text.as_bytes()[..text.len() - 1]).1.is_ok(), "{head:?}");
        }
    }

    #[test]
    fn an_error_is_final_and_earlier_frames_are_not_lost() {
        let (got, end) = frames(b"PING\r\n*1\r\n+");
        assert_eq!((got.len(), end), (1, Err(RespError::ExpectedBulk { at: 10, got: b'+' })));
        let mut decoder = CommandDecoder::new();
        decoder.feed(b"*x\r\n");
        let error = decoder.next();
        decoder.feed(b"PING\r\n");
        assert_eq!((decoder.next(), decoder.buffered()), (error, 0));
    }

    #[test]
    fn arguments_are_slices_of_raw() {
        let (got, _) = frames(b"*2\r\n$1\r\na\r\n$2\r\nbc\r\n");
        assert_eq!(got[0].argv[1].as_ptr(), got[0].raw[15..].as_ptr());
    }
}
