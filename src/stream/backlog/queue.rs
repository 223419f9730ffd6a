//! Bytes in the order in which they will leave, as slices that others may share.
//!
//! Invariant: `bytes` is the sum of the slices; none of them is empty.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    slices: VecDeque<Bytes>,
    bytes: u64,
}

impl Queue {
    pub fn push(&mut self, slice: Bytes) {
        if !slice.is_empty() {
            self.bytes += slice.len() as u64;
            self.slices.push_back(slice);
        }
    }

    #[cfg(debug_assertions)]
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// The next bytes, at most so many; small slices are joined, as a server's one write per turn
    /// joins them.
    pub fn take(&mut self, most: u64) -> Option<Bytes> {
        let first = self.pop(most)?;
        let fits = |queue: &Queue, taken: usize| {
            queue.slices.front().is_some_and(|next| (taken + next.len()) as u64 <= most)
        };
        if !fits(self, first.len()) {
            return Some(first);
        }
        let mut joined = BytesMut::from(&first[..]);
        while fits(self, joined.len()) {
            joined.extend_from_slice(&self.pop(most)?);
        }
        Some(joined.freeze())
    }

    /// Drops so many bytes from the front.
    pub fn skip(&mut self, mut count: u64) {
        while count > 0
            && let Some(slice) = self.pop(count)
        {
            count -= slice.len() as u64;
        }
    }

    /// At most `len` bytes behind the first `from`, without taking them.
    pub fn peek(&self, mut from: u64, len: u64) -> Vec<u8> {
        let mut out = Vec::new();
        for slice in &self.slices {
            let size = slice.len() as u64;
            if from >= size {
                from -= size;
                continue;
            }
            let left = len - out.len() as u64;
            // Both are at most the length of a slice in memory.
            let part = &slice[from as usize..(from + left.min(size - from)) as usize];
            out.extend_from_slice(part);
            from = 0;
            if out.len() as u64 == len {
                break;
            }
        }
        out
    }

    fn pop(&mut self, most: u64) -> Option<Bytes> {
        if most == 0 {
            return None;
        }
        let mut slice = self.slices.pop_front()?;
        if slice.len() as u64 > most {
            // `most` is below a length in memory, so it fits an index.
            self.slices.push_front(slice.split_off(most as usize));
        }
        self.bytes -= slice.len() as u64;
        Some(slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slices_are_joined_and_large_ones_are_cut() {
        let mut queue = Queue::default();
        for text in ["abc", "", "de", "fghijk"] {
            queue.push(Bytes::from(text));
        }
        assert_eq!(queue.peek(2, 4), b"cdef");
        assert_eq!(queue.take(6).as_deref(), Some(&b"abcde"[..]));
        assert_eq!(queue.take(4).as_deref(), Some(&b"fghi"[..]));
        queue.skip(1);
        assert_eq!((queue.len(), queue.take(9).as_deref()), (1, Some(&b"k"[..])));
        assert_eq!(queue.take(9), None);
    }
}
