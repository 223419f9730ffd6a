//! Shared blocks with their bytes: Redis 7.0+ and Valkey.
//!
//! What is sent are slices of the blocks themselves, so a hundred readers of the same part of the
//! stream cost its bytes once, and nothing is copied on the way to a socket. A block that is still
//! being filled is sealed as far as somebody takes of it: the sealed part is shared from then on,
//! the rest of the same allocation goes on being filled.
//!
//! Invariant: one chunk for each block of the ledger, with as many bytes.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::blocks_window::{BlocksWindow, Step};
use super::grain::Grain;
use super::{Cut, Entry, Ledger, Reader, Retention};
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::time::Instant;

/// A full block sealed in more parts than this is joined into one, lest every small write of its
/// time cost a slice for ever.
const MOST_PARTS: usize = 8;

/// The list of blocks with its bytes.
#[derive(Clone, Debug)]
pub struct Blocks {
    ledger: BlocksWindow,
    chunks: VecDeque<Chunk>,
}

/// The bytes of one block: sealed parts, and what was added since.
#[derive(Clone, Debug, Default)]
struct Chunk {
    /// Each with the number of bytes before it.
    parts: Vec<(u32, Bytes)>,
    open: BytesMut,
}

impl Blocks {
    /// No block yet, after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount, grain: Grain) -> Blocks {
        Blocks { ledger: BlocksWindow::new(end, size, grain), chunks: VecDeque::new() }
    }

    fn drop_oldest(&mut self, count: usize) {
        self.chunks.drain(..count);
        self.check();
    }

    fn check(&self) {
        debug_assert_eq!(self.chunks.len(), self.ledger.blocks().len());
    }
}

impl Chunk {
    fn len(&self) -> u64 {
        let sealed = self.parts.last().map_or(0, |(before, part)| *before as usize + part.len());
        (sealed + self.open.len()) as u64
    }

    /// Makes all of it shareable.
    fn seal(&mut self) {
        if !self.open.is_empty() {
            let before = (self.len() - self.open.len() as u64) as u32;
            let part = self.open.split().freeze();
            self.parts.push((before, part));
        }
    }

    /// Nothing will be added any more.
    fn close(&mut self) {
        self.seal();
        self.open = BytesMut::new();
        if self.parts.len() > MOST_PARTS {
            let parts: Vec<&[u8]> = self.parts.iter().map(|(_, part)| &part[..]).collect();
            self.parts = vec![(0, Bytes::from(parts.concat()))];
        }
        self.parts.shrink_to_fit();
    }

    /// Sealed bytes from index `from` on, as many as lie together.
    fn slice(&self, from: u64, most: u64) -> Bytes {
        let index = self.parts.partition_point(|(before, _)| u64::from(*before) <= from);
        let Some((before, part)) = index.checked_sub(1).and_then(|index| self.parts.get(index))
        else {
            return Bytes::new();
        };
        // Indexes of a slice in memory.
        let from = ((from - u64::from(*before)) as usize).min(part.len());
        let len = usize::try_from(most).unwrap_or(usize::MAX).min(part.len() - from);
        part.slice(from..from + len)
    }

    /// Bytes from index `from` on, sealed or not.
    fn copy(&self, from: usize, out: &mut Vec<u8>, most: usize) {
        let end = out.len() + most;
        let parts = self.parts.iter().map(|(_, part)| &part[..]).chain([&self.open[..]]);
        let mut skip = from;
        for part in parts {
            let rest = &part[skip.min(part.len())..];
            skip -= skip.min(part.len());
            out.extend_from_slice(&rest[..rest.len().min(end - out.len())]);
        }
    }
}

impl Retention for Blocks {
    fn ledger(&self) -> &dyn Ledger {
        &self.ledger
    }

    fn append(&mut self, command: &Bytes, cut: Cut) -> bool {
        let mut added = false;
        for piece in cut.pieces(command) {
            let mut rest = piece;
            let chunks = &mut self.chunks;
            added |= self.ledger.feed(ByteCount::of(piece), |step| match step {
                Step::Add(capacity) => {
                    if let Some(full) = chunks.back_mut() {
                        full.close();
                    }
                    let open = BytesMut::with_capacity(usize::try_from(capacity).unwrap_or(0));
                    chunks.push_back(Chunk { parts: Vec::new(), open });
                }
                Step::Fill(count) => {
                    // No more than the piece holds.
                    let (now, after) = rest.split_at(count as usize);
                    if let Some(chunk) = chunks.back_mut() {
                        chunk.open.put_slice(now);
                    }
                    rest = after;
                }
                Step::Drop(count) => {
                    chunks.drain(..count);
                }
            });
        }
        self.check();
        added
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        self.ledger.attach(reader, entry);
    }

    fn take(&mut self, reader: u64, most: u64) -> Option<Bytes> {
        let next = self.ledger.next_part(reader);
        let Some((index, from, left)) = next.filter(|_| most > 0) else {
            let dropped = self.ledger.trim_a_turn();
            self.drop_oldest(dropped);
            return None;
        };
        let chunk = self.chunks.get_mut(index)?;
        chunk.seal();
        let slice = chunk.slice(from, most.min(left));
        let dropped = self.ledger.advance(reader, slice.len() as u64);
        self.drop_oldest(dropped);
        Some(slice).filter(|slice| !slice.is_empty())
    }

    fn detach(&mut self, reader: u64, _: Instant) {
        let dropped = self.ledger.release(reader);
        self.drop_oldest(dropped);
    }

    fn forget_absent(&mut self, _: Instant) {}

    fn settle(&mut self) {
        let dropped = self.ledger.trim_a_turn();
        self.drop_oldest(dropped);
    }

    fn read(&self, from: BytePos, len: ByteCount) -> Vec<u8> {
        let window = self.ledger.window();
        let Some(skip) = window.first.until(from).filter(|skip| *skip <= window.histlen) else {
            return Vec::new();
        };
        // At most `histlen`, which counts bytes in memory.
        let len = len.0.min(window.histlen.0 - skip.0) as usize;
        let (mut skip, mut out) = (skip.0, Vec::with_capacity(len));
        for chunk in &self.chunks {
            if skip >= chunk.len() {
                skip -= chunk.len();
                continue;
            }
            if out.len() == len {
                break;
            }
            let most = len - out.len();
            chunk.copy(skip as usize, &mut out, most);
            skip = 0;
        }
        out
    }

    fn resize(&mut self, size: ByteCount) {
        let dropped = self.ledger.set_size(size);
        self.drop_oldest(dropped);
    }

    fn boxed_clone(&self) -> Box<dyn Retention> {
        Box::new(self.clone())
    }
}
