//! Every small world of the proposal of 2011: each limit up to 8, each stream up to 12 bytes,
//! each moment at which a replica leaves and comes back, whatever it had taken, each request.
//! And every small world of each of the three ways of keeping with the others reckoned beside it,
//! which changes nothing.
//!
//! The model marks, byte by byte, what a list still holds; it knows no windows.

use bytes::Bytes;
use psync::random::seeded;
use psync::stream::backlog::{
    Allocator, Compared, Cut, Entry, Grain, Keeping, Reader, Retained, Retention, Window,
};
use psync::stream::history::{History, ReplId};
use psync::stream::offset::{ByteCount, BytePos, Offset};
use psync::stream::psync::{Decision, Request, decide};
use psync::time::Instant;

/// Bytes of history before the first list begins.
const BEFORE: usize = 2;
const STREAM: usize = 12;

fn letters(len: usize) -> Vec<u8> {
    (b'a'..=b'z').take(len).collect()
}

/// One replica's list, with a mark for every byte of the stream.
struct List {
    held: Vec<bool>,
    unsent: usize,
    attached: bool,
}

impl List {
    /// Nothing of what was written before is held.
    fn new(end: usize) -> List {
        List { held: vec![false; end], unsent: end, attached: true }
    }

    /// Drops the oldest until the limit is kept; of an attached replica's list only what it was
    /// given. Says whether the list survives.
    fn trim(&mut self, limit: usize) -> bool {
        while self.held.iter().filter(|held| **held).count() > limit {
            let oldest = self.held.iter().position(|held| *held).expect("one is held");
            if oldest >= self.unsent {
                return self.attached;
            }
            self.held[oldest] = false;
        }
        true
    }

    fn serves(&self, pos: i64) -> bool {
        let from = usize::try_from(pos).ok().and_then(|pos| pos.checked_sub(1));
        from.and_then(|from| self.held.get(from..))
            .is_some_and(|rest| rest.iter().all(|held| *held))
    }
}

/// What is asked for in each world.
struct World {
    real: Retained,
    stream: Vec<u8>,
    limit: usize,
    list: Option<List>,
    name: ReplId,
    stranger: ReplId,
    history: History,
    requests: u64,
    says: String,
}

impl World {
    fn new(limit: usize, says: String) -> World {
        let mut rng = seeded(1);
        let history = History { end: Offset(BEFORE as u64), ..History::begin(&mut rng) };
        World {
            real: Retained::new(history.end, ByteCount(limit as u64)),
            stream: letters(BEFORE),
            limit,
            list: None,
            name: ReplId::random(&mut rng),
            stranger: ReplId::random(&mut rng),
            history,
            requests: 0,
            says,
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.real.append(&Bytes::copy_from_slice(bytes), Cut::Whole);
        for byte in bytes {
            self.stream.push(*byte);
            if let Some(list) = &mut self.list {
                list.held.push(true);
            }
        }
        self.trim();
        self.check();
    }

    fn trim(&mut self) {
        let limit = self.limit;
        self.list = self.list.take().and_then(|mut list| list.trim(limit).then_some(list));
    }

    fn attach(&mut self, number: u64, entry: Entry) {
        let end = self.stream.len();
        self.real.attach(Reader { number, name: Some(self.name) }, entry);
        match (entry, &mut self.list) {
            (Entry::At(pos), Some(list)) => {
                (list.unsent, list.attached) = (pos.0 as usize - 1, true);
            }
            _ => self.list = Some(List::new(end)),
        }
        self.trim();
        self.check();
    }

    fn take(&mut self, number: u64, most: usize) {
        let Some(list) = &mut self.list else { return };
        let bytes = self.real.take(number, most as u64).unwrap_or_default();
        let from = list.unsent;
        list.unsent = (from + most).min(self.stream.len());
        assert_eq!(bytes, self.stream[from..list.unsent], "{}", self.says);
        self.trim();
        self.check();
    }

    fn detach(&mut self, number: u64, now: Instant) {
        self.real.detach(number, now);
        if let Some(list) = &mut self.list {
            list.attached = false;
        }
        self.trim();
        self.check();
    }

    fn window(&self) -> Option<Window> {
        self.real.ledger().window_for(Some(self.name))
    }

    fn check(&mut self) {
        let (window, says) = (self.window(), &self.says);
        self.history.end = Offset(self.stream.len() as u64);
        assert_eq!(self.real.ledger().window_for(Some(self.stranger)), None, "{says}");
        assert_eq!(window.is_some(), self.list.is_some(), "{says}");
        let memory = self.real.ledger().memory();
        assert_eq!(memory.total(), window.map_or(0, |window| window.histlen.0), "{says}");
        let id = Bytes::copy_from_slice(self.history.replid.as_str().as_bytes());
        for pos in -2..=self.stream.len() as i64 + 3 {
            let request = Request { replid: id.clone(), pos: BytePos(pos) };
            let decision = decide(&self.history, window.as_ref(), &request);
            let served = self.list.as_ref().is_some_and(|list| list.serves(pos));
            assert_eq!(matches!(decision, Decision::Partial { .. }), served, "{pos}: {says}");
            if let Decision::Partial { from, len } = decision {
                let rest = &self.stream[pos as usize - 1..];
                assert_eq!(self.real.read(from, len), rest, "{pos}: {says}");
            }
            self.requests += 1;
        }
    }
}

#[test]
fn a_list_is_rewound_to_any_byte_it_holds_and_freed_when_what_was_not_sent_is_too_much() {
    let (mut back, mut freed, mut requests) = (0, 0, 0);
    for (limit, piece) in (1..=8).flat_map(|limit| [1, 2, 5].map(|piece| (limit, piece))) {
        let steps = STREAM.div_ceil(piece);
        for (leaves, most) in (0..steps).flat_map(|leaves| [0, 1, 2, 9].map(|most| (leaves, most)))
        {
            for returns in leaves..=steps {
                for pos in BEFORE + 1..=BEFORE + STREAM + 1 {
                    let says =
                        format!("{limit} in {piece}s, away {leaves}..{returns}, {most}, {pos}");
                    let mut world = World::new(limit, says);
                    let came_back = one_absence(&mut world, piece, (leaves, returns), most, pos);
                    back += u64::from(came_back);
                    freed += u64::from(world.list.is_none());
                    requests += world.requests;
                }
            }
        }
    }
    assert!(back > 5_000 && freed > 1_000, "{back} came back, {freed} lists were freed");
    assert!(requests > 1_000_000, "only {requests} requests were tried");
}

/// A replica leaves, comes back and asks for byte `pos`; whether it was continued.
fn one_absence(
    world: &mut World,
    piece: usize,
    (leaves, returns): (usize, usize),
    most: usize,
    pos: usize,
) -> bool {
    let stream = letters(BEFORE + STREAM);
    let mut came_back = false;
    world.attach(1, Entry::Next);
    for (step, bytes) in stream[BEFORE..].chunks(piece).chain([&[][..]]).enumerate() {
        if !bytes.is_empty() {
            world.append(bytes);
        }
        if step <= leaves {
            world.take(1, most);
        }
        if step == leaves {
            world.detach(1, Instant::ZERO);
        }
        let fits = world.window().is_some_and(|window| window.serves(BytePos(pos as i64)));
        if step == returns && step > leaves && fits {
            world.attach(2, Entry::At(BytePos(pos as i64)));
            came_back = true;
        }
        if came_back {
            world.take(2, 2);
        }
    }
    for _ in 0..if came_back { STREAM } else { 0 } {
        world.take(2, 2);
    }
    came_back
}

#[test]
fn a_list_is_kept_as_long_as_the_time_allows_and_not_a_moment_longer() {
    for (left, before) in (0..=8).flat_map(|left| (0..=9).map(move |before| (left, before))) {
        let mut world = World::new(8, format!("left {left}, freed before {before}"));
        world.attach(1, Entry::Next);
        world.append(b"cd");
        world.take(1, 1);
        world.detach(1, Instant(left));
        world.real.forget_absent(Instant(before));
        if left < before {
            world.list = None;
        }
        world.check();
        // Whoever is attached is never absent.
        world.attach(2, Entry::Next);
        world.real.forget_absent(Instant(u64::MAX));
        world.check();
    }
}

#[test]
fn a_smaller_limit_frees_at_once_what_no_longer_fits() {
    for (limit, smaller) in (1..=8).flat_map(|a| (1..=8).map(move |b| (a, b))) {
        for (taken, attached) in (0..=STREAM).flat_map(|n| [true, false].map(|at| (n, at))) {
            let says = format!("{limit} to {smaller}, {taken} taken, attached {attached}");
            let mut world = World::new(limit, says);
            world.attach(1, Entry::Next);
            world.append(&letters(BEFORE + STREAM)[BEFORE..]);
            world.take(1, taken);
            if !attached {
                world.detach(1, Instant::ZERO);
            }
            world.limit = smaller;
            world.real.resize(ByteCount(smaller as u64));
            world.trim();
            world.check();
            world.append(b"x");
        }
    }
}

/// What a retention can be asked: numbers, bytes, and what it holds for its readers.
fn answers(kept: &dyn Retention, name: ReplId) -> impl PartialEq + std::fmt::Debug {
    let ledger = kept.ledger();
    let window = ledger.window();
    let of_reader = [1, 2, 3].map(|n| (ledger.pending(n), ledger.reads_block(n)));
    let sizes: Vec<_> = (0..16).map(|pos| ledger.size_for(BytePos(pos))).collect();
    let bytes = kept.read(window.first, window.histlen);
    let all = (ledger.blocks(), ledger.lists(), ledger.memory(), of_reader, sizes);
    (window, ledger.window_for(Some(name)), all, bytes)
}

#[test]
fn in_every_small_world_reckoning_the_other_ways_of_keeping_beside_changes_nothing() {
    let grain = Grain { allocator: Allocator::Exact, smallest: 2, capped: true };
    let name = ReplId::random(&mut seeded(3));
    for keeping in [Keeping::Ring, Keeping::Blocks(grain), Keeping::Retained] {
        for (size, piece) in (1..=8).flat_map(|size| (1..=5).map(move |piece| (size, piece))) {
            for (most, leaves) in [0, 1, 4].into_iter().flat_map(|m| (0..=6).map(move |l| (m, l))) {
                let (end, bytes) = (Offset(BEFORE as u64), ByteCount(size));
                let mut plain = keeping.retention(end, bytes);
                let mut beside: Box<dyn Retention> = Box::new(Compared::new(keeping, end, bytes));
                let mut both = |step: &dyn Fn(&mut dyn Retention) -> Option<Bytes>| {
                    let given = (step(&mut *plain), step(&mut *beside));
                    assert_eq!(given.0, given.1, "{keeping:?} {size} {piece} {most} {leaves}");
                    assert_eq!(answers(&*plain, name), answers(&*beside, name), "{keeping:?}");
                };
                for (at, bytes) in letters(BEFORE + STREAM)[BEFORE..].chunks(piece).enumerate() {
                    both(&|kept| {
                        let reader = |number| Reader { number, name: Some(name) };
                        match at {
                            0 => kept.attach(reader(1), Entry::Next),
                            _ if at == leaves => kept.detach(1, Instant::ZERO),
                            _ if at == leaves + 1 => {
                                kept.attach(reader(2), Entry::At(kept.ledger().window().next()));
                            }
                            _ if at == leaves + 2 => kept.resize(ByteCount(4)),
                            _ => kept.settle(),
                        }
                        kept.append(&Bytes::copy_from_slice(bytes), Cut::Whole);
                        let taken = kept.take(1, most);
                        taken.or_else(|| kept.take(2, most))
                    });
                }
            }
        }
    }
}
