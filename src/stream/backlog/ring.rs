//! The circular buffer of Redis 2.8 to 6.2: exactly `repl-backlog-size` bytes, overwritten from
//! the oldest on.
//!
//! Invariant: `bytes` holds the window's bytes. Until it has grown to the full size it holds them
//! from index 0 on; afterwards `head` is where the next byte goes, and the oldest byte stands
//! there now. The buffer grows as bytes arrive, so a huge setting costs nothing until it is used.

use bytes::Bytes;

use super::queue::Queue;
use super::ring_window::RingWindow;
use super::{Cut, Entry, Ledger, Reader, Retention};
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::table::Table;
use crate::time::Instant;

/// One circular buffer with its bytes.
#[derive(Clone, Debug)]
pub struct Ring {
    window: RingWindow,
    bytes: Vec<u8>,
    head: usize,
    /// What each attached reader was not sent yet.
    queues: Table<u64, Queue>,
}

impl Ring {
    /// An empty ring of `size` bytes after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount) -> Ring {
        let window = RingWindow::new(end, size);
        Ring { window, bytes: Vec::new(), head: 0, queues: Table::default() }
    }

    /// The size as an index; a size beyond the address space can never be filled anyway.
    fn capacity(&self) -> usize {
        usize::try_from(self.window.window().size.0).unwrap_or(usize::MAX)
    }

    fn check(&self) {
        debug_assert_eq!(self.bytes.len() as u64, self.window.window().histlen.0);
        debug_assert!(self.head == 0 || self.head < self.bytes.len());
        #[cfg(debug_assertions)]
        for (reader, queue) in self.queues.iter() {
            debug_assert_eq!(queue.len(), self.window.pending(*reader), "reader {reader}");
        }
    }

    /// Overwrites the oldest bytes with the newest.
    fn write(&mut self, bytes: &[u8]) {
        let capacity = self.capacity();
        // Of more than a whole turn only the last turn survives.
        let mut rest = &bytes[bytes.len().saturating_sub(capacity)..];
        if self.bytes.len() < capacity {
            let (grow, after) = rest.split_at(rest.len().min(capacity - self.bytes.len()));
            self.bytes.extend_from_slice(grow);
            rest = after;
        }
        while !rest.is_empty() {
            let (now, after) = rest.split_at(rest.len().min(capacity - self.head));
            self.bytes[self.head..self.head + now.len()].copy_from_slice(now);
            self.head += now.len();
            if self.head == capacity {
                self.head = 0;
            }
            rest = after;
        }
    }

    /// The two halves of a possible wrap.
    fn halves(&self, from: BytePos, len: ByteCount) -> (&[u8], &[u8]) {
        let window = self.window.window();
        let Some(skip) = window.first.until(from).filter(|skip| *skip <= window.histlen) else {
            return (&[], &[]);
        };
        // Both fit an index: they are at most `histlen`, which counts bytes in memory.
        let skip = skip.0 as usize;
        let len = len.0.min(window.histlen.0 - skip as u64) as usize;
        let (newer, older) = self.bytes.split_at(self.head);
        if skip >= older.len() {
            let from = skip - older.len();
            return (&newer[from..from + len], &[]);
        }
        let first = len.min(older.len() - skip);
        (&older[skip..skip + first], &newer[..len - first])
    }
}

impl Retention for Ring {
    fn ledger(&self) -> &dyn Ledger {
        &self.window
    }

    fn append(&mut self, command: &Bytes, _: Cut) -> bool {
        let added = self.window.append(ByteCount::of(command));
        self.write(command);
        for (_, queue) in self.queues.iter_mut() {
            queue.push(command.clone());
        }
        self.check();
        added
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        self.window.attach(reader, entry);
        let mut queue = Queue::default();
        match entry {
            Entry::Next => {}
            // The missing part is copied at once, however long it is (`addReplyReplicationBacklog`).
            Entry::At(from) => queue.push(Bytes::from(self.read(from, ByteCount(u64::MAX)))),
            Entry::Beside(other) => queue = self.queues.get(&other).cloned().unwrap_or_default(),
        }
        self.queues.insert(reader.number, queue);
        self.check();
    }

    fn take(&mut self, reader: u64, most: u64) -> Option<Bytes> {
        let bytes = self.queues.get_mut(&reader)?.take(most)?;
        self.window.sent(reader, ByteCount::of(&bytes));
        self.check();
        Some(bytes)
    }

    fn detach(&mut self, reader: u64, now: Instant) {
        self.queues.remove(&reader);
        self.window.detach(reader, now);
    }

    fn forget_absent(&mut self, _: Instant) {}

    fn settle(&mut self) {}

    fn read(&self, from: BytePos, len: ByteCount) -> Vec<u8> {
        let (older, newer) = self.halves(from, len);
        [older, newer].concat()
    }

    fn resize(&mut self, size: ByteCount) {
        let before = self.window.window();
        self.window.resize(size);
        if self.window.window() != before {
            self.bytes = Vec::new();
            self.head = 0;
        }
        self.check();
    }

    fn boxed_clone(&self) -> Box<dyn Retention> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ring: &Ring) -> Vec<u8> {
        let window = ring.ledger().window();
        ring.read(window.first, window.histlen)
    }

    #[test]
    fn the_newest_bytes_survive_in_order_however_they_arrive() {
        let stream: Vec<u8> = (0..200).collect();
        for size in 1..=20 {
            for piece in 1..=45 {
                let mut ring = Ring::new(Offset(7), ByteCount(size));
                let mut fed = 0;
                for bytes in stream.chunks(piece) {
                    ring.append(&Bytes::copy_from_slice(bytes), Cut::Whole);
                    fed += bytes.len();
                    let from = fed.saturating_sub(size as usize);
                    assert_eq!(kept(&ring), stream[from..fed], "size {size}, piece {piece}");
                }
            }
        }
    }

    #[test]
    fn a_reader_gets_its_bytes_across_the_wrap_and_nothing_outside_the_window() {
        let mut ring = Ring::new(Offset(0), ByteCount(8));
        ring.append(&Bytes::from_static(b"abcdefghijk"), Cut::Whole); // keeps defghijk = 4..=11
        let read = |from, len| ring.read(BytePos(from), ByteCount(len));
        assert_eq!(read(6, 5), b"fghij");
        assert_eq!(read(4, 100), b"defghijk");
        assert_eq!(read(11, 1), b"k");
        assert_eq!(read(12, 1), b"");
        assert_eq!(read(3, 1), b"");
        assert_eq!(read(i64::MIN, 1), b"");
        assert_eq!(read(i64::MAX, 1), b"");
    }

    #[test]
    fn a_huge_setting_costs_nothing_until_it_is_used() {
        let mut ring = Ring::new(Offset(0), ByteCount(i64::MAX as u64));
        ring.append(&Bytes::from_static(b"abc"), Cut::Whole);
        assert!(ring.bytes.capacity() < 100);
        assert_eq!(kept(&ring), b"abc");
    }
}
