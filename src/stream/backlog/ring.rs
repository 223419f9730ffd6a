//! The circular buffer of Redis 2.8 to 6.2: exactly `repl-backlog-size` bytes, overwritten from
//! the oldest on.
//!
//! Invariant: `bytes` holds the window's bytes. Until it has grown to the full size it holds them
//! from index 0 on; afterwards `head` is where the next byte goes, and the oldest byte stands
//! there now. The buffer grows as bytes arrive, so a huge setting costs nothing until it is used.

use super::Retention;
use super::window::{RingWindow, Window};
use crate::stream::offset::{ByteCount, BytePos, Offset};

/// One circular buffer with its bytes.
#[derive(Clone, Debug)]
pub struct Ring {
    window: RingWindow,
    bytes: Vec<u8>,
    head: usize,
}

impl Ring {
    /// An empty ring of `size` bytes after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount) -> Ring {
        Ring { window: RingWindow::new(end, size), bytes: Vec::new(), head: 0 }
    }

    /// The size as an index; a size beyond the address space can never be filled anyway.
    fn capacity(&self) -> usize {
        usize::try_from(self.window.window().size.0).unwrap_or(usize::MAX)
    }

    fn check(&self) {
        debug_assert_eq!(self.bytes.len() as u64, self.window.window().histlen.0);
        debug_assert!(self.head == 0 || self.head < self.bytes.len());
    }
}

impl Retention for Ring {
    fn window(&self) -> Window {
        self.window.window()
    }

    fn append(&mut self, bytes: &[u8]) {
        self.window.append(ByteCount::of(bytes));
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
        self.check();
    }

    fn read(&self, from: BytePos, len: ByteCount) -> (&[u8], &[u8]) {
        let window = self.window();
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

    fn resize(&mut self, size: ByteCount) {
        let before = self.window.clone();
        self.window.resize(size);
        if self.window != before {
            self.bytes = Vec::new();
            self.head = 0;
        }
        self.check();
    }

    fn memory(&self) -> ByteCount {
        ByteCount(self.bytes.capacity() as u64)
    }

    fn boxed_clone(&self) -> Box<dyn Retention> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ring: &Ring) -> Vec<u8> {
        let window = ring.window();
        let (a, b) = ring.read(window.first, window.histlen);
        [a, b].concat()
    }

    #[test]
    fn the_newest_bytes_survive_in_order_however_they_arrive() {
        let stream: Vec<u8> = (0..200).collect();
        for size in 1..=20 {
            for piece in 1..=45 {
                let mut ring = Ring::new(Offset(7), ByteCount(size));
                let mut fed = 0;
                for bytes in stream.chunks(piece) {
                    ring.append(bytes);
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
        ring.append(b"abcdefghijk"); // keeps defghijk = 4..=11
        let read = |from, len| {
            let (a, b) = ring.read(BytePos(from), ByteCount(len));
            [a, b].concat()
        };
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
        ring.append(b"abc");
        assert!(ring.memory() < ByteCount(100));
        assert_eq!(kept(&ring), b"abc");
    }
}
