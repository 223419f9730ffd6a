//! Received bytes that a decoder has not taken yet, and where in the stream they stand.
//!
//! Invariants: bytes leave in the order they came, each exactly once; a search for a line's end
//! never looks at a byte twice; memory is at most about twice what is waiting plus what arrived in
//! the last chunk. Absent on purpose: reserving ahead. Nothing here knows how long anything says it is.

use bytes::Bytes;
use std::ops::Range;

/// Most bytes of a line before its CR or LF, 64 KiB: `PROTO_INLINE_MAX_SIZE`, Redis 6.2 server.h.
pub const MAX_LINE: usize = 64 * 1024;

/// From this size on a taken piece may keep the buffer's allocation instead of being copied.
const HAND_OVER: usize = 64 * 1024;

/// An empty buffer keeps at most this much memory for the next chunk.
const KEEP: usize = 256 * 1024;

/// The received bytes; all indexes are relative to the first byte not taken yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    head: usize,
    taken: u64,
    searched: usize,
}

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFault {
    /// No end within [`MAX_LINE`] bytes.
    TooLong,
    /// A CR at this index that no LF follows.
    LoneCr(usize),
}

/// A line: where its text stands, and the index of the first byte after its end.
pub(super) type Line = (Range<usize>, usize);

impl Inbox {
    /// Appends a chunk.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        // Moving the waiting bytes down only when they are fewer than the dead ones in front of them
        // makes each byte pay for at most one move.
        if self.head > 0 && self.head >= self.bytes.len() - self.head {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// The bytes not taken yet.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// How many bytes are not taken yet.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Memory held, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The stream position of the byte at `index`: how many bytes came before it.
    pub(super) fn position(&self, index: usize) -> u64 {
        self.taken + index as u64
    }

    /// The next line from index `from` that ends in CRLF, or `None` while its end has not arrived.
    pub(super) fn crlf_line(&mut self, from: usize) -> Result<Option<Line>, LineFault> {
        let Some(cr) = self.find(b'\r', from)? else { return Ok(None) };
        match self.waiting().get(cr + 1) {
            None => Ok(None),
            Some(b'\n') => Ok(Some((from..cr, cr + 2))),
            Some(_) => Err(LineFault::LoneCr(cr)),
        }
    }

    /// The next line from the front that ends in LF; one CR before it is not part of the text.
    pub(super) fn lf_line(&mut self) -> Result<Option<Line>, LineFault> {
        let Some(lf) = self.find(b'\n', 0)? else { return Ok(None) };
        let text = &self.waiting()[..lf];
        let end = text.strip_suffix(b"\r").unwrap_or(text).len();
        Ok(Some((0..end, lf + 1)))
    }

    /// Takes the first `n` bytes (all of them if there are fewer).
    ///
    /// A small piece is copied, so that whoever stores it keeps nothing else alive; a piece that is
    /// most of a large buffer takes the buffer with it, so that a 10 MB value is not copied again.
    pub(super) fn take(&mut self, n: usize) -> Bytes {
        let n = n.min(self.len());
        let end = self.head + n;
        if n < HAND_OVER || n < self.bytes.capacity() / 2 {
            let piece = Bytes::copy_from_slice(&self.bytes[self.head..end]);
            self.skip(n);
            return piece;
        }
        let rest = self.bytes[end..].to_vec();
        let mut whole = std::mem::replace(&mut self.bytes, rest);
        whole.truncate(end);
        let piece = Bytes::from(whole).slice(self.head..);
        self.head = 0;
        self.count(n);
        piece
    }

    /// Drops the first `n` bytes (all of them if there are fewer).
    pub(super) fn skip(&mut self, n: usize) {
        let n = n.min(self.len());
        self.head += n;
        self.count(n);
        if self.head == self.bytes.len() {
            self.head = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEEP);
        }
    }

    /// Takes everything.
    pub(super) fn take_all(&mut self) -> Bytes {
        self.take(self.len())
    }

    /// Forgets everything and gives the memory back.
    pub(super) fn close(&mut self) {
        self.skip(self.len());
        self.bytes = Vec::new();
    }

    fn count(&mut self, n: usize) {
        self.taken += n as u64;
        self.searched = self.searched.saturating_sub(n);
    }

    /// The index of the first `byte` at or after `from`. The text before it may be [`MAX_LINE`] bytes
    /// long: with a limit of 4, `abcd\n` is a line and `abcde` is already too long, whatever follows.
    fn find(&mut self, byte: u8, from: usize) -> Result<Option<usize>, LineFault> {
        let limit = self.len().min(from + MAX_LINE + 1);
        let start = self.searched.clamp(from, limit);
        match self.waiting()[start..limit].iter().position(|&b| b == byte) {
            Some(n) => {
                self.searched = start + n;
                Ok(Some(start + n))
            }
            None if limit - from > MAX_LINE => Err(LineFault::TooLong),
            None => {
                self.searched = limit;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(bytes: &[u8]) -> Inbox {
        let mut inbox = Inbox::default();
        inbox.feed(bytes);
        inbox
    }

    #[test]
    fn lines_end_where_they_should() {
        assert_eq!(inbox(b"ab\r\nc").crlf_line(0), Ok(Some((0..2, 4))));
        assert_eq!(inbox(b"ab\r\nc\r\n").crlf_line(4), Ok(Some((4..5, 7))));
        assert_eq!(inbox(b"ab\r").crlf_line(0), Ok(None));
        assert_eq!(inbox(b"ab\rc").crlf_line(0), Err(LineFault::LoneCr(2)));
        assert_eq!(inbox(b"ab\r\nc").lf_line(), Ok(Some((0..2, 4))));
        assert_eq!(inbox(b"ab\nc").lf_line(), Ok(Some((0..2, 3))));
        assert_eq!(inbox(b"\n").lf_line(), Ok(Some((0..0, 1))));
        assert_eq!(inbox(b"ab\r").lf_line(), Ok(None));
    }

    #[test]
    fn a_line_of_the_limit_passes_and_one_more_byte_does_not() {
        let mut longest = vec![b'a'; MAX_LINE];
        assert_eq!(inbox(&longest).lf_line(), Ok(None));
        longest.push(b'\n');
        assert_eq!(inbox(&longest).lf_line(), Ok(Some((0..MAX_LINE, MAX_LINE + 1))));
        longest[MAX_LINE] = b'a';
        assert_eq!(inbox(&longest).lf_line(), Err(LineFault::TooLong));
        longest.push(b'\n');
        assert_eq!(inbox(&longest).lf_line(), Err(LineFault::TooLong));
    }

    #[test]
    fn taking_keeps_order_and_positions() {
        let mut inbox = inbox(b"abcdef");
        assert_eq!(inbox.take(2), "ab");
        inbox.skip(1);
        assert_eq!((inbox.position(0), inbox.waiting()), (3, &b"def"[..]));
        inbox.feed(b"gh");
        assert_eq!(inbox.take(99), "defgh");
        assert_eq!((inbox.position(0), inbox.len()), (8, 0));
    }

    #[test]
    fn a_large_piece_is_handed_over_and_a_small_one_is_copied() {
        let mut inbox = inbox(&vec![7; 4 * HAND_OVER]);
        let address = inbox.waiting().as_ptr();
        let small = inbox.take(10);
        assert_ne!(small.as_ptr(), address);
        let large = inbox.take(3 * HAND_OVER);
        assert_eq!(large.as_ptr(), address.wrapping_add(10));
        assert_eq!(inbox.len(), HAND_OVER - 10);
        assert!(inbox.capacity() <= HAND_OVER, "the rest has its own memory");
    }
}
