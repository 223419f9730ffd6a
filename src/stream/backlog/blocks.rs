//! Shared blocks with their bytes: Redis 7.0+ and Valkey.
//!
//! What is sent are slices of the blocks themselves, so a hundred readers of the same part of the
//! stream cost its bytes once, and nothing is copied on the way to a socket. A block that is still
//! being filled is sealed as far as somebody takes of it: the sealed part is shared from then on,
//! the rest of the same allocation goes on being filled.
//!
//! Invariant: one chunk for each block of the ledger, with as many bytes; what is not sealed yet
//! belongs to the newest. A backlog of 256 MiB has 16,384 chunks, so a chunk is small.

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
    /// What was added to the newest chunk since it was sealed last, and the room left in it.
    open: BytesMut,
}

/// The sealed bytes of one block: mostly one part; while it was read as it grew, several.
#[derive(Clone, Debug, Default)]
struct Chunk {
    first: Bytes,
    /// Each with the number of bytes before it.
    more: Vec<(u32, Bytes)>,
}

impl Blocks {
    /// No block yet, after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount, grain: Grain) -> Blocks {
        let ledger = BlocksWindow::new(end, size, grain);
        Blocks { ledger, chunks: VecDeque::new(), open: BytesMut::new() }
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
        let end = |(before, part): &(u32, Bytes)| *before as usize + part.len();
        self.more.last().map_or(self.first.len(), end) as u64
    }

    /// More of it may be shared from now on.
    fn seal(&mut self, open: &mut BytesMut) {
        if open.is_empty() {
            return;
        }
        let part = open.split().freeze();
        if self.first.is_empty() {
            self.first = part;
        } else {
            self.more.push((self.len() as u32, part));
        }
    }

    /// Nothing will be added any more.
    fn close(&mut self) {
        if self.more.len() >= MOST_PARTS {
            let more = self.more.iter().map(|(_, part)| &part[..]);
            let parts: Vec<&[u8]> = std::iter::once(&self.first[..]).chain(more).collect();
            *self = Chunk { first: Bytes::from(parts.concat()), more: Vec::new() };
        }
        self.more.shrink_to_fit();
    }

    /// Bytes from index `from` on, as many as lie together.
    fn slice(&self, from: u64, most: u64) -> Bytes {
        let after = self.more.partition_point(|(before, _)| u64::from(*before) <= from);
        let (before, part) = match after.checked_sub(1).and_then(|index| self.more.get(index)) {
            Some((before, part)) => (*before, part),
            None => (0, &self.first),
        };
        // Indexes of a slice in memory.
        let from = ((from - u64::from(before)) as usize).min(part.len());
        let len = usize::try_from(most).unwrap_or(usize::MAX).min(part.len() - from);
        part.slice(from..from + len)
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.first[..]).chain(self.more.iter().map(|(_, part)| &part[..]))
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
            let (chunks, open) = (&mut self.chunks, &mut self.open);
            added |= self.ledger.feed(ByteCount::of(piece), |step| match step {
                Step::Add(capacity) => {
                    if let Some(full) = chunks.back_mut() {
                        full.seal(open);
                        full.close();
                    }
                    *open = BytesMut::with_capacity(usize::try_from(capacity).unwrap_or(0));
                    chunks.push_back(Chunk::default());
                }
                Step::Fill(count) => {
                    // No more than the piece holds.
                    let (now, after) = rest.split_at(count as usize);
                    open.put_slice(now);
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
        let newest = index + 1 == self.chunks.len();
        let chunk = self.chunks.get_mut(index)?;
        if newest {
            chunk.seal(&mut self.open);
        }
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
        let (mut skip, mut out) = (skip.0 as usize, Vec::with_capacity(len));
        let parts = self.chunks.iter().flat_map(Chunk::parts).chain([&self.open[..]]);
        for part in parts {
            let rest = &part[skip.min(part.len())..];
            skip -= skip.min(part.len());
            out.extend_from_slice(&rest[..rest.len().min(len - out.len())]);
            if out.len() == len {
                break;
            }
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
