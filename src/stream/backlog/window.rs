//! What a backlog keeps, in numbers and without bytes.
//!
//! A window is the range of positions `first ..= first + histlen - 1`, and the next byte of the
//! history always follows it: `first + histlen == end + 1`. A request is served from it when
//! `first <= asked <= first + histlen`. Both ends are inclusive: who asks for `first + histlen`
//! has everything and gets a continuation of zero bytes.
//!
//! ```text
//! just created at end = 100:   first = 101, histlen = 0    serves 101 only
//! ten bytes later, end = 110:  first = 101, histlen = 10   serves 101 ..= 111
//! ring of 8 at end = 120:      first = 113, histlen = 8    serves 113 ..= 121
//! ```

use serde::Serialize;

use crate::stream::offset::{ByteCount, BytePos};

/// What is kept at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// `repl_backlog_first_byte_offset`: the oldest byte that is kept, or the next byte of the
    /// history when nothing is kept yet.
    pub first: BytePos,
    /// `repl_backlog_histlen`: how many bytes are kept.
    pub histlen: ByteCount,
    /// `repl-backlog-size`: how many are wanted.
    pub size: ByteCount,
    /// The first byte that was ever offered to this backlog. No size would have kept an older one.
    pub kept_since: BytePos,
}

impl Window {
    /// The byte that follows the window: the next one of the history.
    #[must_use]
    pub fn next(&self) -> BytePos {
        self.first + self.histlen
    }

    /// The newest byte that is kept, if any is.
    #[must_use]
    pub fn last(&self) -> Option<BytePos> {
        (self.histlen > ByteCount::ZERO).then(|| BytePos(self.next().0 - 1))
    }

    /// Whether a reader that asks for `pos` can be continued from here.
    #[must_use]
    pub fn serves(&self, pos: BytePos) -> bool {
        self.first <= pos && pos <= self.next()
    }
}
