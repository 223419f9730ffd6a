//! Shared blocks in numbers: Redis 7.0+ and Valkey (`feedReplicationBuffer`, replication.c).
//!
//! One list of blocks holds the newest part of the history for the backlog and for all replicas.
//! The backlog refers to the oldest block, each reader to the block it is reading; such a
//! reference *pins* the block and with it all later ones. Blocks are given back only from the old
//! end, whole, and never so many that less than the wanted size would be left:
//!
//! ```text
//! size 16384, blocks of 20440:  histlen moves between 16385 and 36824
//! ```
//!
//! so the window is always larger than the setting once it has filled, and a slow replica makes it
//! grow without bound, to the advantage of everybody who comes back meanwhile.
//!
//! Invariants: blocks follow each other without gaps; every block but the newest is full; the pins
//! of a block are the readers that refer to it. Absent on purpose: the bytes (see `blocks`).

use std::collections::VecDeque;

use serde::Serialize;

use super::grain::{Grain, HEADER};
use super::{Entry, Ledger, Memory, Reader, Window};
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::table::Table;
use crate::time::Instant;

/// Bytes of the list node that holds a block.
const NODE: u64 = 24;
/// Blocks given back at once when a block is added, a reader moves on or the size changes, and
/// between two turns of the loop (`REPL_BACKLOG_TRIM_BLOCKS_PER_CALL`).
const TRIM_AT_ONCE: usize = 64;
const TRIM_A_TURN: usize = 10 * TRIM_AT_ONCE;
/// Every so many blocks one is put into an index (`REPL_BACKLOG_INDEX_PER_BLOCKS`).
const BLOCKS_AN_INDEX: u64 = 64;

/// How many borders of blocks given back are remembered. A block is a sixteenth of the backlog, or
/// more, so that this reaches back 64 times its size; every copy of a world along a run has them.
const MOST_DROPPED: usize = 1 << 10;

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// Its first byte.
    pub first: BytePos,
    /// Bytes in it.
    pub used: u64,
    /// Bytes it can hold.
    pub capacity: u64,
    /// Readers that refer to it, the backlog apart.
    pub pins: u32,
}

/// What happens to the list while it is fed, for who keeps the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes go into the newest block.
    Fill(u64),
    /// A block of this capacity is added.
    Add(u64),
    /// So many of the oldest blocks are given back.
    Drop(usize),
}

/// Where a reader stands: the number of its block since the beginning, and how many bytes of that
/// block it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    block: u64,
    sent: u64,
}

/// The list of blocks.
#[derive(Clone, Debug)]
pub struct BlocksWindow {
    end: Offset,
    size: ByteCount,
    kept_since: BytePos,
    grain: Grain,
    blocks: VecDeque<Block>,
    histlen: u64,
    /// The number of the oldest block, counted from the beginning.
    oldest: u64,
    /// Where the blocks given back began, oldest first: it takes their borders to say which size
    /// would have kept a byte.
    dropped: VecDeque<BytePos>,
    memory: u64,
    /// A reader without a place enters with the next byte.
    readers: Table<u64, Option<At>>,
}

impl BlocksWindow {
    /// No block yet, after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount, grain: Grain) -> BlocksWindow {
        BlocksWindow {
            end,
            size: size.max(ByteCount(1)),
            kept_since: end.next(),
            grain,
            blocks: VecDeque::new(),
            histlen: 0,
            oldest: 0,
            dropped: VecDeque::new(),
            memory: 0,
            readers: Table::default(),
        }
    }

    /// The blocks, oldest first.
    pub(super) fn list(&self) -> &VecDeque<Block> {
        &self.blocks
    }

    /// As [`Ledger::append`], telling what happens to the list.
    pub(super) fn feed(&mut self, piece: ByteCount, mut tell: impl FnMut(Step)) -> bool {
        let mut rest = piece.0;
        let mut any_added = false;
        while rest > 0 {
            let mut entry = None;
            let newest = (self.oldest + self.blocks.len() as u64).saturating_sub(1);
            if let Some(tail) = self.blocks.back_mut().filter(|tail| tail.used < tail.capacity) {
                let filled = rest.min(tail.capacity - tail.used);
                entry = Some(At { block: newest, sent: tail.used });
                tail.used += filled;
                self.grow(filled);
                rest -= filled;
                tell(Step::Fill(filled));
            }
            let added = rest > 0;
            if added {
                let filled = self.add_block(rest, &mut tell);
                rest -= filled;
                let newest = self.oldest + self.blocks.len() as u64 - 1;
                entry = entry.or(Some(At { block: newest, sent: 0 }));
            }
            self.admit(entry);
            any_added |= added;
            if added {
                let dropped = self.trim(TRIM_AT_ONCE);
                tell(Step::Drop(dropped));
            }
        }
        self.check();
        any_added
    }

    /// A new block for `rest` bytes, or as many as it holds.
    fn add_block(&mut self, rest: u64, tell: &mut impl FnMut(Step)) -> u64 {
        let capacity = self.grain.capacity(rest, self.size);
        let filled = rest.min(capacity);
        self.blocks.push_back(Block { first: self.end.next(), used: filled, capacity, pins: 0 });
        self.memory += capacity + HEADER + NODE;
        self.grow(filled);
        tell(Step::Add(capacity));
        tell(Step::Fill(filled));
        filled
    }

    fn grow(&mut self, count: u64) {
        self.end += ByteCount(count);
        self.histlen += count;
    }

    /// Readers that wait for the next byte enter with it.
    fn admit(&mut self, entry: Option<At>) {
        let Some(entry) = entry else { return };
        for (_, at) in self.readers.iter_mut().filter(|(_, at)| at.is_none()) {
            *at = Some(entry);
            self.blocks[(entry.block - self.oldest) as usize].pins += 1;
        }
    }

    /// Gives back at most so many of the oldest blocks (`incrementalTrimReplicationBacklog`).
    pub(super) fn trim(&mut self, most: usize) -> usize {
        let mut dropped = 0;
        while self.histlen > self.size.0 && dropped < most && self.blocks.len() > 1 {
            let oldest = self.blocks[0];
            if oldest.pins > 0 || self.histlen - oldest.capacity <= self.size.0 {
                break;
            }
            self.blocks.pop_front();
            self.dropped.push_back(oldest.first);
            if self.dropped.len() > MOST_DROPPED {
                self.dropped.pop_front();
            }
            self.oldest += 1;
            self.histlen -= oldest.used;
            self.memory -= oldest.capacity + HEADER + NODE;
            dropped += 1;
        }
        dropped
    }

    /// As [`Ledger::resize`], telling how many blocks were given back.
    pub(super) fn set_size(&mut self, size: ByteCount) -> usize {
        self.size = size.max(ByteCount(1));
        self.trim(TRIM_AT_ONCE)
    }

    /// Between two turns, telling how many blocks were given back.
    pub(super) fn trim_a_turn(&mut self) -> usize {
        self.trim(TRIM_A_TURN)
    }

    /// The next bytes for a reader: index of the block, first byte in it, how many at most. Moves
    /// on to the next block where this one is done with; then blocks may be given back.
    pub(super) fn next_part(&mut self, reader: u64) -> Option<(usize, u64, u64)> {
        loop {
            let at = (*self.readers.get(&reader)?)?;
            let index = (at.block - self.oldest) as usize;
            let block = self.blocks.get(index)?;
            if at.sent < block.used {
                return Some((index, at.sent, block.used - at.sent));
            }
            if index + 1 == self.blocks.len() {
                return None;
            }
            self.place(reader, Some(At { block: at.block + 1, sent: 0 }));
        }
    }

    /// Puts a reader elsewhere, and its pin with it.
    fn place(&mut self, reader: u64, to: Option<At>) {
        let Some(at) = self.readers.get_mut(&reader) else { return };
        let from = std::mem::replace(at, to);
        if let Some(from) = from {
            self.blocks[(from.block - self.oldest) as usize].pins -= 1;
        }
        if let Some(to) = to {
            self.blocks[(to.block - self.oldest) as usize].pins += 1;
        }
    }

    /// Takes note of bytes sent; says how many blocks could be given back.
    pub(super) fn advance(&mut self, reader: u64, mut count: u64) -> usize {
        while count > 0
            && let Some((_, _, left)) = self.next_part(reader)
            && let Some(Some(at)) = self.readers.get_mut(&reader)
        {
            let part = left.min(count);
            at.sent += part;
            count -= part;
        }
        // Done with a block that is not the newest one: on to the next.
        self.next_part(reader);
        self.trim(TRIM_AT_ONCE)
    }

    /// As [`Ledger::detach`], telling how many blocks could be given back.
    pub(super) fn release(&mut self, reader: u64) -> usize {
        self.place(reader, None);
        self.readers.remove(&reader);
        self.trim(TRIM_AT_ONCE)
    }

    /// Where a reader that continues at a byte stands: in the first block that reaches up to it,
    /// its end included (`addReplyReplicationBacklog`).
    fn find(&self, from: BytePos) -> Option<At> {
        let index = self.blocks.partition_point(|block| block.first + ByteCount(block.used) < from);
        let block = self.blocks.get(index)?;
        let sent = block.first.until(from)?.0;
        Some(At { block: self.oldest + index as u64, sent })
    }

    fn check(&self) {
        debug_assert_eq!(self.histlen, self.blocks.iter().map(|block| block.used).sum::<u64>());
        debug_assert!(self.blocks.iter().rev().skip(1).all(|block| block.used == block.capacity));
        let pins: u32 = self.blocks.iter().map(|block| block.pins).sum();
        debug_assert_eq!(pins as usize, self.readers.values().flatten().count());
        debug_assert_eq!(self.window().next(), self.end.next(), "not a suffix");
    }
}

impl Ledger for BlocksWindow {
    fn window(&self) -> Window {
        // The last `histlen` of `end` bytes: of 120 the last 8 begin with 113 = 120 - 8 + 1.
        let first = Offset(self.end.0 - self.histlen).next();
        let histlen = ByteCount(self.histlen);
        Window { first, histlen, size: self.size, kept_since: self.kept_since }
    }

    fn append(&mut self, piece: ByteCount) -> bool {
        self.feed(piece, |_| {})
    }

    /// Growing keeps everything, shrinking gives back whole blocks (7.0+).
    fn resize(&mut self, size: ByteCount) {
        self.set_size(size);
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        let at = match entry {
            Entry::Next => None,
            Entry::At(from) => self.find(from),
            Entry::Beside(other) => self.readers.get(&other).copied().flatten(),
        };
        self.readers.insert(reader.number, None);
        self.place(reader.number, at);
        self.check();
    }

    fn sent(&mut self, reader: u64, count: ByteCount) {
        self.advance(reader, count.0);
    }

    fn detach(&mut self, reader: u64, _: Instant) {
        self.release(reader);
    }

    fn settle(&mut self) {
        self.trim_a_turn();
    }

    /// Whole blocks from the one being sent to the newest, filled or not, and 64 bytes for each
    /// (`getClientOutputBufferMemoryUsage`).
    fn pending(&self, reader: u64) -> u64 {
        let at = self.readers.get(&reader).copied().flatten();
        let Some((at, last)) = at.zip(self.blocks.back()) else { return 0 };
        let index = (at.block - self.oldest) as usize;
        let from = self.blocks[index].first;
        let bytes = from.until(last.first).map_or(0, |count| count.0) + last.capacity;
        bytes + (HEADER + NODE) * (self.blocks.len() - index) as u64
    }

    /// Redis 7.0 `getMemoryOverheadData`: what exceeds the setting is put down to the replicas, as
    /// long as there are any; the index costs a few bytes more.
    fn memory(&self) -> Memory {
        let slow =
            if self.readers.is_empty() { 0 } else { self.memory.saturating_sub(self.size.0) };
        let indexed = (self.oldest + self.blocks.len() as u64) / BLOCKS_AN_INDEX
            - self.oldest / BLOCKS_AN_INDEX;
        // An empty radix tree is one node of 4 bytes; an entry adds about two and a pointer.
        let index = 4 + indexed * 16;
        Memory { backlog: self.memory - slow + index, replicas: slow }
    }

    /// A block is given back when without it more than the size is left; so the byte is kept as
    /// long as what follows its block fits.
    fn size_for(&self, pos: BytePos) -> Option<i64> {
        let end = self.end.next().0;
        if pos < self.kept_since || pos < self.dropped.front().copied().unwrap_or(self.kept_since) {
            return None;
        }
        let mut firsts =
            self.dropped.iter().copied().chain(self.blocks.iter().map(|block| block.first));
        let behind = firsts.find(|first| *first > pos);
        let behind = behind.map_or_else(
            // In the newest block, or not written yet: a block still to come begins behind it.
            || {
                self.blocks
                    .back()
                    .map_or(end, |last| last.first.0.saturating_add_unsigned(last.capacity))
            },
            |first| first.0,
        );
        Some(end - behind)
    }

    fn blocks(&self) -> Vec<Block> {
        self.blocks.iter().copied().collect()
    }

    fn reads_block(&self, reader: u64) -> Option<usize> {
        let at = self.readers.get(&reader).copied().flatten()?;
        usize::try_from(at.block - self.oldest).ok()
    }

    fn boxed_clone(&self) -> Box<dyn Ledger> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(grain: Grain, size: u64, piece: u64, until: u64) -> BlocksWindow {
        let mut blocks = BlocksWindow::new(Offset(0), ByteCount(size), grain);
        while blocks.end.0 < until {
            blocks.append(ByteCount(piece));
            blocks.settle();
        }
        blocks
    }

    #[test]
    fn the_first_trim_comes_when_a_real_server_trims_first() {
        for (grain, size, end, first, histlen) in [
            (Grain::JEMALLOC, 16384, 36900, 20441, 16460),
            (Grain::GLIBC, 16384, 32800, 16385, 16416),
            (Grain::JEMALLOC, 1_048_576, 1_069_100, 20441, 1_048_660),
        ] {
            let before = fed(grain, size, 100, end - 100).window();
            assert_eq!(before.first, BytePos(1), "not yet at {}", end - 100);
            let window = fed(grain, size, 100, end).window();
            assert_eq!((window.first, window.histlen), (BytePos(first), ByteCount(histlen)));
        }
    }

    #[test]
    fn shrinking_leaves_what_a_real_server_was_seen_to_leave() {
        let mut blocks = fed(Grain::JEMALLOC, 262_144, 1, 221_174);
        blocks.resize(ByteCount(16_384));
        assert_eq!(blocks.window().histlen, ByteCount(16_774));
        blocks.resize(ByteCount(1 << 20));
        assert_eq!(blocks.window().histlen, ByteCount(16_774), "nothing comes back");
    }

    #[test]
    fn a_slow_reader_pins_the_window_open_and_lets_go_when_it_leaves() {
        let mut blocks = fed(Grain::GLIBC, 16384, 100, 1000);
        let slow = Reader { number: 1, name: None };
        blocks.attach(slow, Entry::At(BytePos(501)));
        for _ in 0..10_000 {
            blocks.append(ByteCount(100));
        }
        assert_eq!(blocks.window().first, BytePos(1), "its block holds byte 1");
        assert!(blocks.pending(1) > 1_000_000);
        assert_eq!(blocks.blocks()[0].pins, 1);
        blocks.sent(1, ByteCount(500_000));
        assert!(blocks.window().first > BytePos(480_000), "{:?}", blocks.window());
        blocks.detach(1, Instant::ZERO);
        assert!(blocks.window().histlen < ByteCount(33_000), "{:?}", blocks.window());
    }

    #[test]
    fn what_a_caught_up_reader_makes_a_server_hold_is_counted_in_whole_blocks() {
        let mut blocks = BlocksWindow::new(Offset(0), ByteCount(16384), Grain::JEMALLOC);
        blocks.attach(Reader { number: 1, name: None }, Entry::Next);
        assert_eq!(blocks.pending(1), 0);
        blocks.append(ByteCount(10));
        blocks.sent(1, ByteCount(10));
        assert_eq!(blocks.pending(1), 20440 + 64, "a limit of 20000 cuts it");
        assert_eq!(blocks.memory().total(), 20440 + 64 + 4);
    }
}
