//! Every small world of shared blocks: each backlog size up to 8, blocks of 1 to 4 bytes, each
//! stream up to 12 bytes, each place at which a reader can enter, how much it takes, when it
//! leaves, each request, each resize.
//!
//! The model keeps the whole stream and every block for ever, and counts how many of the oldest
//! blocks a server may have given back (Redis 7.0 `incrementalTrimReplicationBacklog`).

use std::collections::BTreeMap;

use bytes::Bytes;
use psync::random::seeded;
use psync::stream::backlog::{
    Allocator, Blocks, BlocksWindow, Cut, Entry, Grain, Ledger, Reader, Retention, Window,
};
use psync::stream::history::History;
use psync::stream::offset::{ByteCount, BytePos, Offset};
use psync::stream::psync::{Decision, Request, decide};
use psync::time::Instant;

/// Bytes of history before the backlog exists.
const BEFORE: usize = 2;
const STREAM: usize = 12;

/// A block: the index of its first byte, and how many it can hold.
#[derive(Clone, Copy)]
struct Block {
    from: usize,
    holds: usize,
}

/// Keeps everything. A reader is the index of its next byte, and the block it refers to.
struct Naive {
    stream: Vec<u8>,
    blocks: Vec<Block>,
    given_back: usize,
    size: usize,
    smallest: usize,
    capped: bool,
    readers: BTreeMap<u64, (usize, Option<usize>)>,
}

impl Naive {
    fn new(size: usize, grain: Grain) -> Naive {
        Naive {
            stream: letters(BEFORE),
            blocks: Vec::new(),
            given_back: 0,
            size,
            smallest: grain.smallest as usize,
            capped: grain.capped,
            readers: BTreeMap::new(),
        }
    }

    fn append(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let at = self.stream.len();
            let room = self.blocks.last().map_or(0, |last| last.from + last.holds - at);
            let added = room == 0;
            if added {
                // In so small a backlog a sixteenth of it is nothing: the cap is the smallest.
                let wants = if self.capped { 0 } else { rest.len() };
                self.blocks.push(Block { from: at, holds: self.smallest.max(wants) });
            }
            let last = self.blocks.len() - 1;
            let room = self.blocks[last].from + self.blocks[last].holds - at;
            let (now, after) = rest.split_at(room.min(rest.len()));
            self.stream.extend_from_slice(now);
            rest = after;
            // Whoever waits for the next byte refers to the block in which it came.
            self.readers.values_mut().for_each(|(_, block)| *block = block.or(Some(last)));
            if added {
                self.trim();
            }
        }
    }

    fn first(&self) -> usize {
        self.blocks.get(self.given_back).map_or(self.stream.len(), |block| block.from)
    }

    fn trim(&mut self) {
        while self.blocks.len() - self.given_back > 1 {
            let head = self.blocks[self.given_back];
            let held = self.stream.len() - head.from;
            let pinned = self.readers.values().any(|(_, block)| *block == Some(self.given_back));
            if held <= self.size || pinned || held - head.holds <= self.size {
                break;
            }
            self.given_back += 1;
        }
    }

    fn attach(&mut self, number: u64, at: Option<usize>) {
        let end_of = |block: &Block| (block.from + block.holds).min(self.stream.len());
        let block = at.and_then(|at| self.blocks.iter().position(|block| at <= end_of(block)));
        let block = block.map(|block| block.max(self.given_back));
        self.readers.insert(number, (at.unwrap_or(self.stream.len()), block));
    }

    /// What a reader is given, at most so many bytes.
    fn take(&mut self, number: u64, most: usize) -> Vec<u8> {
        let (at, block) = self.readers[&number];
        let mut next = at;
        if let Some(mut block) = block {
            // Of one block at a time, and then on to the one in which the next byte is.
            let mut end = self.end_of(block);
            if next == end && block + 1 < self.blocks.len() {
                block += 1;
                end = self.end_of(block);
            }
            next += (end - next).min(most);
            if next == end && block + 1 < self.blocks.len() {
                block += 1;
            }
            self.readers.insert(number, (next, Some(block)));
        }
        self.trim();
        self.stream[at..next].to_vec()
    }

    fn end_of(&self, block: usize) -> usize {
        (self.blocks[block].from + self.blocks[block].holds).min(self.stream.len())
    }
}

fn letters(len: usize) -> Vec<u8> {
    (b'a'..=b'z').take(len).collect()
}

fn grains() -> impl Iterator<Item = Grain> {
    let allocator = Allocator::Exact;
    (1..=4)
        .flat_map(move |smallest| [true, false].map(|capped| Grain { allocator, smallest, capped }))
}

/// The real thing, its numbers alone, and the model, fed with the same.
struct World {
    real: Blocks,
    numbers: BlocksWindow,
    naive: Naive,
    given: BTreeMap<u64, (usize, Vec<u8>)>,
    id: (History, Bytes),
    asked: Option<Window>,
    requests: u64,
    says: String,
}

impl World {
    fn new(size: usize, grain: Grain, says: String) -> World {
        let (end, bytes) = (Offset(BEFORE as u64), ByteCount(size as u64));
        let history = History::begin(&mut seeded(1));
        let id = Bytes::copy_from_slice(history.replid.as_str().as_bytes());
        World {
            real: Blocks::new(end, bytes, grain),
            numbers: BlocksWindow::new(end, bytes, grain),
            naive: Naive::new(size, grain),
            given: BTreeMap::new(),
            id: (history, id),
            asked: None,
            requests: 0,
            says,
        }
    }

    fn append(&mut self, piece: &[u8]) {
        let added = self.real.append(&Bytes::copy_from_slice(piece), Cut::Whole);
        assert_eq!(added, self.numbers.append(ByteCount::of(piece)), "{}", self.says);
        self.naive.append(piece);
        self.check();
    }

    fn attach(&mut self, number: u64, at: Option<usize>) {
        let reader = Reader { number, name: None };
        let entry = at.map_or(Entry::Next, |at| Entry::At(BytePos(at as i64 + 1)));
        self.real.attach(reader, entry);
        self.numbers.attach(reader, entry);
        self.naive.attach(number, at);
        self.given.insert(number, (at.unwrap_or(self.naive.stream.len()), Vec::new()));
        self.check();
    }

    fn take(&mut self, number: u64, most: usize) {
        let bytes = self.real.take(number, most as u64).unwrap_or_default();
        self.numbers.sent(number, ByteCount::of(&bytes));
        if bytes.is_empty() {
            self.numbers.settle();
        }
        // It may be less than asked for: bytes that do not lie together in memory.
        assert_eq!(bytes, self.naive.take(number, bytes.len()), "{}", self.says);
        let all = self.naive.readers[&number].0 == self.naive.stream.len();
        assert!(most == 0 || !bytes.is_empty() || all, "nothing to take: {}", self.says);
        let (from, given) = self.given.get_mut(&number).expect("attached");
        given.extend_from_slice(&bytes);
        let wanted = &self.naive.stream[*from..*from + given.len()];
        assert_eq!(given, wanted, "other bytes than the stream's: {}", self.says);
        self.check();
    }

    fn detach(&mut self, number: u64) {
        self.real.detach(number, Instant::ZERO);
        self.numbers.detach(number, Instant::ZERO);
        self.naive.readers.remove(&number);
        self.given.remove(&number);
        self.naive.trim();
        self.check();
    }

    fn resize(&mut self, size: usize) {
        self.real.resize(ByteCount(size as u64));
        self.numbers.resize(ByteCount(size as u64));
        self.naive.size = size;
        self.naive.trim();
        self.check();
    }

    /// Numbers, bytes and every request against the model.
    fn check(&mut self) {
        let (window, first) = (self.real.ledger().window(), self.naive.first());
        let (says, stream) = (&self.says, &self.naive.stream);
        assert_eq!(window, self.numbers.window(), "{says}");
        assert_eq!(self.real.ledger().blocks(), self.numbers.blocks(), "{says}");
        assert_eq!(window.first.0, first as i64 + 1, "{says}");
        assert_eq!(window.histlen.0 as usize, stream.len() - first, "{says}");
        assert_eq!(self.real.read(window.first, window.histlen), stream[first..], "{says}");
        for (number, (from, given)) in &self.given {
            assert!(first <= from + given.len(), "dropped what {number} was not given: {says}");
            let pending = self.real.ledger().pending(*number);
            assert_eq!(pending, self.numbers.pending(*number), "{says}");
            assert!(pending as usize >= stream.len() - from - given.len(), "{says}");
        }
        self.check_requests(window, first);
    }

    /// Every request, where anything has changed since the last time.
    fn check_requests(&mut self, window: Window, first: usize) {
        self.id.0.end = Offset(self.naive.stream.len() as u64);
        if self.asked == Some(window) {
            return;
        }
        self.asked = Some(window);
        let end = self.naive.stream.len() as i64;
        for pos in -2..=end + 3 {
            let request = Request { replid: self.id.1.clone(), pos: BytePos(pos) };
            match decide(&self.id.0, Some(&window), &request) {
                Decision::Partial { from, len } => {
                    assert!((first as i64) < pos && pos <= end + 1, "{pos}: {}", self.says);
                    let rest = &self.naive.stream[pos as usize - 1..];
                    assert_eq!(self.real.read(from, len), rest, "{pos}: {}", self.says);
                }
                Decision::Full { reason } => {
                    let future = pos > end + 1;
                    let wanted = if future { "after-backlog" } else { "before-backlog" };
                    assert!(future || pos <= first as i64, "{pos}: {}", self.says);
                    assert_eq!(reason.name(), wanted, "{pos}: {}", self.says);
                }
            }
            self.requests += 1;
        }
    }

    /// The end of a turn of the loop.
    fn settle(&mut self) {
        self.real.settle();
        self.numbers.settle();
        self.naive.trim();
        self.check();
    }

    /// Once filled and with nothing pinned, at the end of every turn:
    /// size < histlen <= size + the oldest block.
    fn check_the_rule_of_the_window(&mut self) {
        self.settle();
        let histlen = self.naive.stream.len() - self.naive.first();
        let head = self.naive.blocks.get(self.naive.given_back).map_or(0, |block| block.holds);
        let (size, says) = (self.naive.size, &self.says);
        assert!(histlen <= size + head, "{histlen} bytes: {says}");
        assert!(self.naive.given_back == 0 || histlen > size, "{histlen} bytes: {says}");
    }
}

#[test]
fn every_request_in_every_small_world_of_blocks_is_answered_as_the_model_answers() {
    let mut requests = 0;
    for (size, grain) in (1..=8).flat_map(|size| grains().map(move |grain| (size, grain))) {
        for (piece, turns) in (1..=STREAM).flat_map(|piece| [(piece, true), (piece, false)]) {
            let mut world = World::new(size, grain, format!("{size}, {grain:?} in {piece}s"));
            for bytes in letters(BEFORE + STREAM)[BEFORE..].chunks(piece) {
                world.append(bytes);
                if turns {
                    world.check_the_rule_of_the_window();
                }
            }
            world.check_the_rule_of_the_window();
            requests += world.requests;
        }
    }
    assert!(requests > 50_000, "only {requests} requests were tried");
}

#[test]
fn a_reader_that_enters_anywhere_takes_anything_and_leaves_is_given_the_stream_and_pins_it() {
    let (mut readers, mut pinned) = (0, 0);
    for (size, grain) in (1..=8).flat_map(|size| grains().map(move |grain| (size, grain))) {
        for piece in [1, 2, 3, 5] {
            let steps = STREAM.div_ceil(piece);
            for enters in 0..=steps {
                for (most, leaves) in [0, 1, 3].map(|most| [1, 4, 99].map(|l| (most, l))).concat() {
                    let at_least = BEFORE;
                    for at in (at_least..=BEFORE + STREAM).map(Some).chain([None]) {
                        let says = format!(
                            "{size}, {grain:?} in {piece}s, {enters} {at:?} {most} {leaves}"
                        );
                        let Some(held) =
                            with_reader(size, grain, piece, (enters, at, most, leaves), says)
                        else {
                            continue;
                        };
                        readers += 1;
                        pinned += u64::from(held);
                    }
                }
            }
        }
    }
    assert!(readers > 100_000 && pinned > 10_000, "{readers} readers, {pinned} pinned");
}

/// One reader's life; whether it held more than the rule allows. None when it cannot enter there.
fn with_reader(
    size: usize,
    grain: Grain,
    piece: usize,
    (enters, at, most, leaves): (usize, Option<usize>, usize, usize),
    says: String,
) -> Option<bool> {
    let mut world = World::new(size, grain, says);
    let stream = letters(BEFORE + STREAM);
    let mut held = false;
    for (step, bytes) in stream[BEFORE..].chunks(piece).chain([&[][..]]).enumerate() {
        if step == enters {
            // Only where a request would be continued.
            let fits = |at| world.naive.first() <= at && at <= world.naive.stream.len();
            if !at.is_none_or(fits) {
                return None;
            }
            world.attach(7, at);
        }
        if world.given.contains_key(&7) {
            world.take(7, most);
            if step == enters + leaves {
                world.detach(7);
            }
        }
        if !bytes.is_empty() {
            world.append(bytes);
        }
        let histlen = world.naive.stream.len() - world.naive.first();
        held |= histlen > size + grain.smallest.max(piece as u64) as usize;
    }
    if world.given.contains_key(&7) {
        // Whoever drains in the end has been given everything.
        let (from, _) = world.given[&7];
        for _ in 0..=2 * STREAM {
            world.take(7, 5);
        }
        assert_eq!(world.given[&7].1, stream[from..], "{}", world.says);
        world.detach(7);
    }
    world.check_the_rule_of_the_window();
    Some(held)
}

#[test]
fn resizing_any_small_world_of_blocks_keeps_what_fits_and_gives_back_whole_blocks() {
    for (size, resized) in (1..=8).flat_map(|a| (1..=8).map(move |b| (a, b))) {
        for (grain, piece) in grains().flat_map(|grain| [1, 2, 5].map(|piece| (grain, piece))) {
            for when in 0..=STREAM.div_ceil(piece) {
                let says = format!("{size} to {resized} at {when}, {grain:?} in {piece}s");
                let mut world = World::new(size, grain, says);
                world.attach(7, None);
                for (step, bytes) in letters(BEFORE + STREAM)[BEFORE..].chunks(piece).enumerate() {
                    if step == when {
                        world.resize(resized);
                    }
                    world.append(bytes);
                    world.take(7, 2);
                }
                world.detach(7);
            }
        }
    }
}
