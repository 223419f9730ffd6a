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

use crate::stream::offset::{ByteCount, BytePos, Offset};

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

/// The window of one circular buffer (Redis 2.8 to 6.2, `feedReplicationBacklog`).
///
/// Invariants: `histlen <= size`, and `histlen` never exceeds the bytes offered since creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingWindow {
    end: Offset,
    histlen: ByteCount,
    size: ByteCount,
    kept_since: BytePos,
}

impl RingWindow {
    /// An empty window after `end` bytes of history. A size of zero counts as one, the smallest
    /// that a server accepts.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount) -> RingWindow {
        RingWindow {
            end,
            histlen: ByteCount::ZERO,
            size: size.max(ByteCount(1)),
            kept_since: end.next(),
        }
    }

    /// Takes `count` more bytes of history.
    pub fn append(&mut self, count: ByteCount) {
        self.end += count;
        self.histlen = (self.histlen + count).min(self.size);
        self.check();
    }

    /// Applies a new size. Redis up to 6.2 throws the content away at any change
    /// (`resizeReplicationBacklog`), so an online resize costs every absent replica its partial
    /// resynchronization; the same size changes nothing.
    pub fn resize(&mut self, size: ByteCount) {
        if size != self.size {
            *self = RingWindow::new(self.end, size);
        }
    }

    /// What is kept now.
    #[must_use]
    pub fn window(&self) -> Window {
        // The last `histlen` of `end` bytes: of 120 the last 8 begin with 113 = 120 - 8 + 1.
        let first = Offset(self.end.0 - self.histlen.0).next();
        Window { first, histlen: self.histlen, size: self.size, kept_since: self.kept_since }
    }

    fn check(&self) {
        debug_assert!(self.histlen <= self.size, "more is kept than fits: {self:?}");
        debug_assert!(self.histlen.0 <= self.end.0, "more is kept than was written: {self:?}");
        debug_assert!(self.window().first >= self.kept_since, "older than itself: {self:?}");
        debug_assert_eq!(self.window().next(), self.end.next(), "not a suffix");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (first, histlen) after creating a ring of `size` at `end` and appending `count` bytes.
    fn kept(end: u64, size: u64, count: u64) -> (i64, u64) {
        let mut ring = RingWindow::new(Offset(end), ByteCount(size));
        ring.append(ByteCount(count));
        let window = ring.window();
        (window.first.0, window.histlen.0)
    }

    #[test]
    fn the_worked_examples_of_the_module_page_hold() {
        assert_eq!(kept(100, 16, 0), (101, 0));
        assert_eq!(kept(100, 16, 10), (101, 10));
        assert_eq!(kept(100, 8, 20), (113, 8));
    }

    #[test]
    fn both_ends_of_the_window_are_served_and_their_neighbours_are_not() {
        let mut ring = RingWindow::new(Offset(100), ByteCount(8));
        ring.append(ByteCount(20));
        let serves = |pos| ring.window().serves(BytePos(pos));
        assert!(!serves(112) && serves(113) && serves(121) && !serves(122));
    }

    #[test]
    fn resizing_forgets_everything_unless_the_size_is_the_same() {
        let mut ring = RingWindow::new(Offset(0), ByteCount(8));
        ring.append(ByteCount(20));
        ring.resize(ByteCount(8));
        assert_eq!(ring.window().histlen, ByteCount(8));
        ring.resize(ByteCount(9));
        assert_eq!(ring.window(), RingWindow::new(Offset(20), ByteCount(9)).window());
    }

    #[test]
    fn a_size_of_zero_is_the_smallest_size() {
        assert_eq!(kept(0, 0, 5), (5, 1));
    }
}
