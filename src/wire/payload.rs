//! The full-resync payload on a replica's link: what follows the `+FULLRESYNC` line.
//!
//! Either `$<len>\r\n` and that many bytes (a file, its size known) or `$EOF:<mark>\r\n`, bytes, and
//! the same 40-byte mark (a socket snapshot, its size unknown). No CRLF closes it: the next byte is
//! the stream's. Newlines in front keep the link alive while the snapshot is being made.
//!
//! Invariants: every byte after the header is either in `rdb`, or the mark, or in `rest`; nothing is
//! reserved for an announced length. Absent on purpose: reading the RDB, which needs all of it.

use super::PayloadError;
use super::inbox::Inbox;
use super::number::{parse_integer, push_decimal};
use bytes::Bytes;

/// Bytes of an EOF mark: `CONFIG_RUN_ID_SIZE`, Redis 6.2 server.h.
const MARK_LEN: usize = 40;

/// The line in front of a payload of known size in bytes.
#[must_use]
pub fn encode_length_header(len: u64) -> Bytes {
    let mut out = vec![b'$'];
    push_decimal(&mut out, len);
    out.extend_from_slice(b"\r\n");
    Bytes::from(out)
}

/// The line in front of a payload that ends where `mark` comes again. Real servers use random
/// hexadecimal digits; a CR or LF inside it would break the line.
#[must_use]
pub fn encode_eof_header(mark: &[u8; 40]) -> Bytes {
    Bytes::from([&b"$EOF:"[..], mark, b"\r\n"].concat())
}

/// How the end of a payload is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadForm {
    /// By its announced size in bytes.
    Length(u64),
    /// By a mark that stands behind it.
    Eof,
}

/// What came next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadEvent {
    /// A newline in front of the header: the master is alive.
    Keepalive,
    /// The header.
    Started {
        /// How the payload will end.
        form: PayloadForm,
    },
    /// More of the payload arrived. At most one for each call of `feed`.
    Progress {
        /// Bytes that surely belong to the payload; with a mark up to 39 fewer than are here.
        received: u64,
    },
    /// All of it. The decoder's work is done.
    Done {
        /// The payload.
        rdb: Bytes,
        /// The bytes received after it: the beginning of the stream.
        rest: Bytes,
    },
}

/// Reads the payload.
#[derive(Clone, Debug)]
pub struct PayloadDecoder {
    inbox: Inbox,
    max_bytes: u64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Header,
    Counted { len: u64, shown: u64 },
    Marked { mark: [u8; MARK_LEN], shown: u64 },
    Done,
    Failed(PayloadError),
}

impl PayloadDecoder {
    /// A decoder at position 0 that refuses payloads of more than `max_bytes` bytes.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        Self { inbox: Inbox::default(), max_bytes, state: State::Header }
    }

    /// Appends received bytes.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !matches!(self.state, State::Failed(_)) {
            self.inbox.feed(chunk);
        }
    }

    /// The next event, or `None` until more bytes are fed; after `Done` always `None`.
    ///
    /// # Errors
    /// The master answered with an error line, sent something else than a payload, or one above the
    /// limit. The error is final.
    #[expect(clippy::should_implement_trait, reason = "None means not yet, not never")]
    pub fn next(&mut self) -> Result<Option<PayloadEvent>, PayloadError> {
        let result = match self.state {
            State::Header => self.header(),
            State::Counted { len, shown } => Ok(self.counted(len, shown)),
            State::Marked { mark, shown } => self.marked(&mark, shown),
            State::Done => Ok(None),
            State::Failed(ref error) => Err(error.clone()),
        };
        if let Err(error) = &result {
            self.state = State::Failed(error.clone());
            self.inbox.close();
        }
        result
    }

    /// How many received bytes no event has returned.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.inbox.len()
    }

    /// How many bytes of memory the decoder holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.inbox.capacity()
    }

    /// The bytes fed after `Done` was returned, if the caller was late to switch decoders.
    #[must_use]
    pub fn into_rest(mut self) -> Bytes {
        self.inbox.take_all()
    }

    fn header(&mut self) -> Result<Option<PayloadEvent>, PayloadError> {
        let at = self.inbox.position(0);
        let (text, next) = match self.inbox.lf_line() {
            Ok(None) => return Ok(None),
            Ok(Some(line)) => line,
            Err(_) => return Err(PayloadError::HeaderTooLong { at }),
        };
        let line = self.inbox.take(next).slice(text);
        let Some((&first, text)) = line.split_first() else {
            return Ok(Some(PayloadEvent::Keepalive));
        };
        let form = match (first, text.strip_prefix(b"EOF:")) {
            (b'-', _) => return Err(PayloadError::Refused { at, line }),
            (b'$', Some(mark)) => {
                let mark = mark.try_into().map_err(|_| PayloadError::InvalidMark { at })?;
                self.state = State::Marked { mark, shown: 0 };
                PayloadForm::Eof
            }
            (b'$', None) => {
                let len = parse_integer(text).and_then(|len| u64::try_from(len).ok());
                let len = len.ok_or(PayloadError::InvalidLength { at })?;
                if len > self.max_bytes {
                    return Err(PayloadError::TooBig { at, max_bytes: self.max_bytes });
                }
                self.state = State::Counted { len, shown: 0 };
                PayloadForm::Length(len)
            }
            (got, _) => return Err(PayloadError::NotAPayload { at, got }),
        };
        Ok(Some(PayloadEvent::Started { form }))
    }

    fn counted(&mut self, len: u64, shown: u64) -> Option<PayloadEvent> {
        let received = self.inbox.len() as u64;
        if received < len {
            self.state = State::Counted { len, shown: received };
            return progress(shown, received);
        }
        // `len` is at most `received`, which is a usize.
        let rdb = self.inbox.take(usize::try_from(len).unwrap_or(usize::MAX));
        Some(self.done(rdb))
    }

    /// Looks for the mark where it has not been looked for: at and behind index `shown`.
    ///
    /// The mark may begin at `max_bytes` at the latest and is then complete MARK_LEN later. That
    /// bounds the search, so that the answer is the same however the bytes were cut.
    fn marked(
        &mut self,
        mark: &[u8; MARK_LEN],
        shown: u64,
    ) -> Result<Option<PayloadEvent>, PayloadError> {
        let longest = usize::try_from(self.max_bytes).unwrap_or(usize::MAX);
        let longest = longest.saturating_add(MARK_LEN);
        let body = self.inbox.waiting();
        let body = &body[..body.len().min(longest)];
        // `shown` counts bytes in memory, so it is a usize.
        let from = usize::try_from(shown).unwrap_or(usize::MAX);
        if let Some(end) = find(body, mark, from) {
            let rdb = self.inbox.take(end);
            self.inbox.skip(MARK_LEN);
            return Ok(Some(self.done(rdb)));
        }
        if body.len() == longest {
            let at = self.inbox.position(0);
            return Err(PayloadError::TooBig { at, max_bytes: self.max_bytes });
        }
        // With 100 bytes and no mark among them, one can still begin at index 61 (61 + 39 = 100).
        let received = (body.len() + 1).saturating_sub(MARK_LEN) as u64;
        self.state = State::Marked { mark: *mark, shown: received };
        Ok(progress(shown, received))
    }

    fn done(&mut self, rdb: Bytes) -> PayloadEvent {
        self.state = State::Done;
        PayloadEvent::Done { rdb, rest: self.inbox.take_all() }
    }
}

fn progress(shown: u64, received: u64) -> Option<PayloadEvent> {
    (received > shown).then_some(PayloadEvent::Progress { received })
}

/// The index of the first `mark` at or behind `from`.
///
/// A random mark begins by chance once in 256 bytes, so comparing at each first byte is enough.
fn find(body: &[u8], mark: &[u8; MARK_LEN], mut from: usize) -> Option<usize> {
    loop {
        let window = body.get(from..)?;
        from += window.iter().position(|&b| b == mark[0])?;
        if body.get(from..from + MARK_LEN)? == mark {
            return Some(from);
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &[u8; 40] = b"0123456789abcdef0123456789abcdef01234567";

    fn events(max_bytes: u64, chunks: &[&[u8]]) -> Result<Vec<PayloadEvent>, PayloadError> {
        let mut decoder = PayloadDecoder::new(max_bytes);
        let mut events = Vec::new();
        for chunk in chunks {
            decoder.feed(chunk);
            while let Some(event) = decoder.next()? {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn done(rdb: &'static str, rest: &'static str) -> PayloadEvent {
        PayloadEvent::Done { rdb: Bytes::from(rdb), rest: Bytes::from(rest) }
    }

    #[test]
    fn a_counted_payload() {
        let form = PayloadForm::Length(6);
        assert_eq!(
            events(6, &[b"\n", b"\n$6\r\nabc", b"", b"def*1\r"]),
            Ok(vec![
                PayloadEvent::Keepalive,
                PayloadEvent::Keepalive,
                PayloadEvent::Started { form },
                PayloadEvent::Progress { received: 3 },
                done("abcdef", "*1\r"),
            ])
        );
        assert_eq!(encode_length_header(6), "$6\r\n");
        assert_eq!(events(6, &[b"$0\r\n"]).unwrap()[1], done("", ""));
    }

    #[test]
    fn a_marked_payload() {
        let header = encode_eof_header(MARK);
        let tail = [&MARK[..], b"\n*1"].concat();
        assert_eq!(
            events(50, &[&header, &[b'0'; 41], &MARK[..39], &tail[39..]]),
            Ok(vec![
                PayloadEvent::Started { form: PayloadForm::Eof },
                PayloadEvent::Progress { received: 2 },
                PayloadEvent::Progress { received: 41 },
                done("00000000000000000000000000000000000000000", "\n*1"),
            ])
        );
        assert_eq!(events(0, &[&header, &tail]).unwrap()[1], done("", "\n*1"));
    }

    #[test]
    fn the_limit_is_kept_in_both_forms() {
        let at_limit = PayloadError::TooBig { at: 0, max_bytes: 3 };
        assert_eq!(events(3, &[b"$4\r\n"]), Err(at_limit));
        let header = encode_eof_header(MARK);
        let text = [&header[..], b"abcd", MARK].concat();
        let beyond = PayloadError::TooBig { at: header.len() as u64, max_bytes: 3 };
        assert_eq!(events(3, &[&text]), Err(beyond.clone()));
        assert_eq!(events(3, &[&text[..header.len() + 43]]), Err(beyond));
        assert!(events(3, &[&text[..header.len() + 42]]).is_ok());
        assert_eq!(events(4, &[&text]).unwrap()[1], done("abcd", ""));
        assert!(events(u64::MAX, &[b"$9223372036854775807\r\nabc"]).is_ok());
    }

    #[test]
    fn errors_say_what_and_where() {
        let line = Bytes::from("-ERR no");
        for (text, want) in [
            ("\n-ERR no\r\n", PayloadError::Refused { at: 1, line }),
            ("+OK\r\n", PayloadError::NotAPayload { at: 0, got: b'+' }),
            ("$\r\n", PayloadError::InvalidLength { at: 0 }),
            ("$-1\r\n", PayloadError::InvalidLength { at: 0 }),
            ("$9223372036854775808\r\n", PayloadError::InvalidLength { at: 0 }),
            ("$EOF:\r\n", PayloadError::InvalidMark { at: 0 }),
        ] {
            assert_eq!(events(99, &[text.as_bytes()]), Err(want), "{text:?}");
        }
    }

    #[test]
    fn late_bytes_are_kept() {
        let mut decoder = PayloadDecoder::new(9);
        decoder.feed(b"$1\r\na");
        while let Some(_event) = decoder.next().unwrap() {}
        decoder.feed(b"*1");
        assert_eq!(decoder.next(), Ok(None));
        assert_eq!(decoder.into_rest(), "*1");
    }
}
