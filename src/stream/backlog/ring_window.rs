//! A circular buffer in numbers: Redis 2.8 to 6.2.
//!
//! Each attached replica has besides a private output list with a copy of what it was not sent
//! yet; it costs nothing to the others and lets nobody resume.
//!
//! Absent on purpose: the bytes (see `ring`). A real list counts its nodes, at least 16 KiB each;
//! here a queue counts its bytes.

use super::{Entry, Ledger, Memory, Reader, Window};
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::table::Table;
use crate::time::Instant;

/// The window of one circular buffer (Redis 2.8 to 6.2, `feedReplicationBacklog`).
///
/// Invariants: `histlen <= size`, and `histlen` never exceeds the bytes offered since creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingWindow {
    end: Offset,
    histlen: ByteCount,
    size: ByteCount,
    kept_since: BytePos,
    /// What each attached reader was not sent yet.
    queued: Table<u64, u64>,
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
            queued: Table::default(),
        }
    }

    fn check(&self) {
        debug_assert!(self.histlen <= self.size, "more is kept than fits: {self:?}");
        debug_assert!(self.histlen.0 <= self.end.0, "more is kept than was written: {self:?}");
        debug_assert!(self.window().first >= self.kept_since, "older than itself: {self:?}");
        debug_assert_eq!(self.window().next(), self.end.next(), "not a suffix");
    }
}

impl Ledger for RingWindow {
    fn window(&self) -> Window {
        // The last `histlen` of `end` bytes: of 120 the last 8 begin with 113 = 120 - 8 + 1.
        let first = Offset(self.end.0 - self.histlen.0).next();
        Window { first, histlen: self.histlen, size: self.size, kept_since: self.kept_since }
    }

    fn append(&mut self, piece: ByteCount) -> bool {
        self.end += piece;
        self.histlen = (self.histlen + piece).min(self.size);
        let mut any = false;
        for (_, queued) in self.queued.iter_mut() {
            *queued += piece.0;
            any = true;
        }
        self.check();
        any
    }

    /// Redis up to 6.2 throws the content away at any change (`resizeReplicationBacklog`), so an
    /// online resize costs every absent replica its partial resynchronization; the same size
    /// changes nothing.
    fn resize(&mut self, size: ByteCount) {
        if size != self.size {
            let queued = std::mem::take(&mut self.queued);
            *self = RingWindow { queued, ..RingWindow::new(self.end, size) };
        }
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        let queued = match entry {
            Entry::Next => 0,
            Entry::At(from) => from.until(self.end.next()).map_or(0, |count| count.0),
            Entry::Beside(other) => self.pending(other),
        };
        self.queued.insert(reader.number, queued);
    }

    fn sent(&mut self, reader: u64, count: ByteCount) {
        if let Some(queued) = self.queued.get_mut(&reader) {
            *queued = queued.saturating_sub(count.0);
        }
    }

    fn detach(&mut self, reader: u64, _: Instant) {
        self.queued.remove(&reader);
    }

    fn pending(&self, reader: u64) -> u64 {
        self.queued.get(&reader).copied().unwrap_or(0)
    }

    fn memory(&self) -> Memory {
        Memory { backlog: self.size.0, replicas: self.queued.values().sum() }
    }

    fn boxed_clone(&self) -> Box<dyn Ledger> {
        Box::new(self.clone())
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
