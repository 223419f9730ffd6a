//! Shared blocks with their bytes: Redis 7.0+ and Valkey.
//!
//! What is sent are slices of the blocks themselves, so a hundred readers of the same part of the
//! stream cost its bytes once, and nothing is copied on the way to a socket. A block that is still
//! being filled is sealed as far as somebody takes of it: the sealed part is shared from then on,
//! the rest of the same allocation goes on being filled.
//!
//! A server and those who follow it keep the same bytes; in a world of several of them they are in
//! memory once, because blocks may consist of slices of another server's ([`Retention::share`]).
//!
//! Invariant: one chunk for each block of the ledger, with as many bytes; what is not sealed yet
//! belongs to the newest. A backlog of 256 MiB has 16,384 chunks, so a chunk is small.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

use super::blocks_window::{BlocksWindow, Step};
use super::grain::Grain;
use super::{Cut, Entry, Ledger, Reader, Retention, same_bytes};
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::time::Instant;

/// A command of this size is not copied: its own bytes become a part of the block, and what the
/// keyspace holds of them is in memory once.
const LARGE: usize = 4096;

/// A full block sealed in more parts than this is joined into one, lest every small write of its
/// time cost a slice for ever.
const MOST_PARTS: usize = 8;

/// The list of blocks with its bytes.
#[derive(Clone, Debug)]
pub struct Blocks {
    ledger: BlocksWindow,
    held: Held,
}

/// The bytes of all blocks.
#[derive(Clone, Debug, Default)]
struct Held {
    chunks: VecDeque<Chunk>,
    /// What was added to the newest chunk since it was sealed last, and the room left in it.
    open: BytesMut,
    /// Whether somebody was sent all there was: what follows is not read in one with it.
    border: bool,
}

/// The sealed bytes of one block: mostly one part; while it was read as it grew, or where it lies
/// across two blocks of another server, several.
#[derive(Clone, Debug, Default)]
struct Chunk {
    first: Bytes,
    more: Vec<Part>,
}

/// Bytes of a block behind its first ones.
#[derive(Clone, Debug)]
struct Part {
    /// How many bytes stand before it.
    before: u32,
    /// Whether it is read in one with the part before it, although it lies elsewhere.
    goes_on: bool,
    bytes: Bytes,
}

impl Blocks {
    /// No block yet, after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount, grain: Grain) -> Blocks {
        Blocks { ledger: BlocksWindow::new(end, size, grain), held: Held::default() }
    }

    fn drop_oldest(&mut self, count: usize) {
        self.held.chunks.drain(..count);
        self.check();
    }

    fn check(&self) {
        debug_assert_eq!(self.held.chunks.len(), self.ledger.blocks().len());
    }
}

impl Held {
    /// Adds a chunk; nothing is added any more to the one before.
    fn add(&mut self, capacity: u64) {
        self.seal();
        if let Some(full) = self.chunks.back_mut() {
            full.close();
        }
        self.open = BytesMut::with_capacity(usize::try_from(capacity).unwrap_or(0));
        self.chunks.push_back(Chunk::default());
    }

    /// Adds to the newest chunk a part of this command.
    fn put(&mut self, command: &Bytes, part: Range<usize>) {
        if command.len() < LARGE {
            self.open.put_slice(&command[part]);
        } else if !part.is_empty() {
            self.seal();
            self.push(command.slice(part));
        }
    }

    /// More of the newest chunk may be shared from now on.
    fn seal(&mut self) {
        if !self.open.is_empty() {
            let part = self.open.split().freeze();
            self.push(part);
        }
    }

    fn push(&mut self, part: Bytes) {
        let goes_on = !std::mem::take(&mut self.border);
        if let Some(newest) = self.chunks.back_mut() {
            newest.push(part, goes_on);
        }
    }
}

impl Chunk {
    fn len(&self) -> u64 {
        let end = |part: &Part| part.before as usize + part.bytes.len();
        self.more.last().map_or(self.first.len(), end) as u64
    }

    fn push(&mut self, bytes: Bytes, goes_on: bool) {
        if self.first.is_empty() {
            self.first = bytes;
        } else {
            self.more.push(Part { before: self.len() as u32, goes_on, bytes });
        }
    }

    /// Nothing will be added any more.
    fn close(&mut self) {
        if self.more.iter().filter(|part| !part.goes_on).count() >= MOST_PARTS {
            let parts: Vec<&[u8]> = self.parts().map(|(_, part)| &part[..]).collect();
            *self = Chunk { first: Bytes::from(parts.concat()), more: Vec::new() };
        }
        self.more.shrink_to_fit();
    }

    /// Bytes from index `from` on, as many as lie together.
    fn slice(&self, from: u64, most: u64) -> Bytes {
        let after = self.more.partition_point(|part| u64::from(part.before) <= from);
        let (before, part) = match after.checked_sub(1).and_then(|index| self.more.get(index)) {
            Some(part) => (part.before, &part.bytes),
            None => (0, &self.first),
        };
        // Indexes of a slice in memory.
        let from = ((from - u64::from(before)) as usize).min(part.len());
        let len = usize::try_from(most).unwrap_or(usize::MAX).min(part.len() - from);
        part.slice(from..from + len)
    }

    /// The same, read in one where that goes on elsewhere.
    fn read(&self, from: u64, most: u64) -> Bytes {
        let first = self.slice(from, most);
        let end = from + first.len() as u64;
        let behind = self.more.iter().skip_while(|part| u64::from(part.before) < end);
        let mut behind = behind.take_while(|part| part.goes_on).peekable();
        if first.len() as u64 == most || behind.peek().is_none() {
            return first;
        }
        let mut all = first.to_vec();
        for part in behind {
            let left = usize::try_from(most).unwrap_or(usize::MAX) - all.len();
            all.extend_from_slice(&part.bytes[..left.min(part.bytes.len())]);
        }
        Bytes::from(all)
    }

    /// Each part, with whether it is read in one with the part before it.
    fn parts(&self) -> impl Iterator<Item = (bool, &Bytes)> {
        let more = self.more.iter().map(|part| (part.goes_on, &part.bytes));
        std::iter::once((false, &self.first)).chain(more)
    }

    /// Takes what another keeps too from there; `first` is the block's first byte. Whether all of
    /// it lay there already.
    fn share(&mut self, first: BytePos, other: &dyn Retention) -> bool {
        let (mut shared, mut all) = (Chunk::default(), true);
        for (goes_on, part) in self.parts() {
            let there = other.slices(first + ByteCount(shared.len()), part.len() as u64);
            if let [slice] = &there[..]
                && (slice.as_ptr(), slice.len()) == (part.as_ptr(), part.len())
            {
                shared.push(part.clone(), goes_on);
                continue;
            }
            all = false;
            let mut rest = &part[..];
            let same = there.iter().all(|slice| {
                let (now, after) = rest.split_at(slice.len().min(rest.len()));
                rest = after;
                same_bytes(now, slice)
            });
            if same && rest.is_empty() {
                for (index, slice) in there.into_iter().enumerate() {
                    shared.push(slice, goes_on || index > 0);
                }
            } else {
                shared.push(part.clone(), goes_on);
            }
        }
        *self = shared;
        all
    }
}

impl Retention for Blocks {
    fn ledger(&self) -> &dyn Ledger {
        &self.ledger
    }

    fn append(&mut self, command: &Bytes, cut: Cut) -> bool {
        let (mut added, held) = (false, &mut self.held);
        // What of the command goes into the newest chunk.
        let mut part = 0..0;
        for piece in cut.pieces(command) {
            added |= self.ledger.feed(ByteCount::of(piece), |step| match step {
                Step::Add(capacity) => {
                    held.put(command, part.clone());
                    part.start = part.end;
                    held.add(if command.len() < LARGE { capacity } else { 0 });
                }
                // No more than the piece holds.
                Step::Fill(count) => part.end += count as usize,
                Step::Drop(count) => drop(held.chunks.drain(..count)),
            });
        }
        held.put(command, part);
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
        if index + 1 == self.held.chunks.len() {
            self.held.seal();
            self.held.border = true;
        }
        let slice = self.held.chunks.get(index)?.read(from, most.min(left));
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
        let parts = self.held.chunks.iter().flat_map(Chunk::parts).map(|(_, part)| &part[..]);
        for part in parts.chain([&self.held.open[..]]) {
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

    fn slices(&self, mut from: BytePos, len: u64) -> Vec<Bytes> {
        let blocks = self.ledger.list();
        let end = from + ByteCount(len);
        let index = blocks.partition_point(|block| block.first <= from).saturating_sub(1);
        let mut slices = Vec::new();
        // The newest one is joined when it is full, and lies elsewhere then.
        let full = self.held.chunks.len().saturating_sub(1);
        for (block, chunk) in blocks.iter().zip(&self.held.chunks).take(full).skip(index) {
            while let (Some(skip), Some(left)) = (block.first.until(from), from.until(end)) {
                let slice = chunk.slice(skip.0, left.0);
                if slice.is_empty() {
                    break;
                }
                from = from + ByteCount::of(&slice);
                slices.push(slice);
            }
        }
        slices
    }

    fn share(&mut self, other: &dyn Retention) {
        let blocks = self.ledger.list().iter().zip(&mut self.held.chunks);
        for (block, chunk) in blocks.rev().skip(1) {
            if chunk.share(block.first, other) {
                return;
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Retention> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{below, seeded};

    /// The pieces in which a reader gets what there is for it.
    fn taken(blocks: &mut Blocks, reader: u64, most: u64) -> Vec<Bytes> {
        std::iter::from_fn(|| blocks.take(reader, most)).collect()
    }

    #[test]
    fn bytes_taken_from_another_list_are_read_in_the_same_pieces() {
        let mut rng = seeded(1);
        let (grain, size) = (Grain { smallest: 64, ..Grain::GLIBC }, ByteCount(4096));
        let mut master = Blocks::new(Offset(0), size, grain);
        master.append(&Bytes::from(vec![b'-'; 100]), Cut::Whole);
        let mut shares = Blocks::new(Offset(100), size, grain);
        let mut plain = shares.clone();
        let mut most_shared = 0;
        for turn in 0..3000 {
            let len = below(&mut rng, if turn % 7 == 0 { 900 } else { 30 }) as usize + 1;
            let command = Bytes::from(vec![b'a' + (turn % 26) as u8; len]);
            for list in [&mut master, &mut shares, &mut plain] {
                list.append(&command, Cut::Whole);
            }
            // One byte of each hundred is another one, as if the histories were not the same.
            if turn % 100 == 50 {
                master.append(&Bytes::from_static(b"m"), Cut::Whole);
                for list in [&mut shares, &mut plain] {
                    list.append(&Bytes::from_static(b"r"), Cut::Whole);
                }
            }
            if turn % 5 == 0 {
                shares.share(&master);
            }
            for (reader, every) in [(1, 3), (2, 11), (3, 90)] {
                if turn % every == 0 {
                    let most = below(&mut rng, 400) + 1;
                    let own = taken(&mut plain, reader, most);
                    assert_eq!(taken(&mut shares, reader, most), own, "turn {turn}");
                }
                if turn % (10 * every) == 0 {
                    let window = plain.ledger().window();
                    let from = window.first + ByteCount(below(&mut rng, window.histlen.0));
                    for list in [&mut shares, &mut plain] {
                        list.detach(reader, Instant::ZERO);
                        list.attach(Reader { number: reader, name: None }, Entry::At(from));
                    }
                }
            }
            let window = plain.ledger().window();
            assert_eq!(shares.ledger().window(), window);
            let all = |list: &Blocks| list.read(window.first, window.histlen);
            assert_eq!(all(&shares), all(&plain), "turn {turn}");
            let there = master.held.chunks.iter().flat_map(Chunk::parts);
            let there: Vec<_> = there.map(|(_, part)| part.as_ptr_range()).collect();
            let shared = shares
                .held
                .chunks
                .iter()
                .flat_map(Chunk::parts)
                .filter(|(_, part)| there.iter().any(|range| range.contains(&part.as_ptr())));
            most_shared = most_shared.max(shared.map(|(_, part)| part.len()).sum());
        }
        assert!(most_shared > 3000, "only {most_shared} bytes of 4096 were shared");
    }

    #[test]
    fn a_large_command_is_read_in_the_pieces_in_which_small_ones_are() {
        let mut rng = seeded(1);
        // A block's size does not depend on a command's here.
        let (grain, size) = (Grain { smallest: 3000, ..Grain::GLIBC }, ByteCount(48_000));
        let mut whole = Blocks::new(Offset(0), size, grain);
        let mut copied = whole.clone();
        for turn in 0..1000 {
            let (large, count) = (turn % 3 == 0, below(&mut rng, 20));
            let command = Bytes::from(vec![b'a' + (turn % 26) as u8; LARGE]);
            let command = command.slice(..if large { LARGE } else { count as usize + 1 });
            whole.append(&command, Cut::Whole);
            for part in command.chunks(100) {
                copied.append(&Bytes::copy_from_slice(part), Cut::Whole);
            }
            whole.settle();
            copied.settle();
            for (reader, every) in [(1, 2), (2, 5), (3, 31)] {
                if turn % (20 * every) == 0 {
                    for list in [&mut whole, &mut copied] {
                        list.detach(reader, Instant::ZERO);
                        list.attach(Reader { number: reader, name: None }, Entry::Next);
                    }
                }
                if turn % every == 0 {
                    let most = below(&mut rng, 3000) + 1;
                    let pieces = taken(&mut copied, reader, most);
                    assert_eq!(taken(&mut whole, reader, most), pieces, "turn {turn}");
                }
            }
            let window = copied.ledger().window();
            assert_eq!(whole.ledger().window(), window);
            let all = |list: &Blocks| list.read(window.first, window.histlen);
            assert_eq!(all(&whole), all(&copied), "turn {turn}");
        }
        let of_command = |part: &Bytes| part.len() > 1000;
        let parts = whole.held.chunks.iter().flat_map(Chunk::parts);
        assert!(parts.filter(|(_, part)| of_command(part)).count() > 10);
    }
}
