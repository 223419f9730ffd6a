//! Every small world: each backlog size up to 8, each stream up to 12 bytes, each request.
//!
//! The ring and the decision are compared with a model that keeps everything and knows nothing of
//! windows: it marks, byte by byte, what a buffer of that size still holds.

use bytes::Bytes;
use psync::random::seeded;
use psync::stream::backlog::{Cut, Ledger, Retention, Ring, RingWindow};
use psync::stream::checks::{Outcome, checks};
use psync::stream::history::History;
use psync::stream::offset::{ByteCount, BytePos, Offset};
use psync::stream::psync::{Decision, FullReason, Request, decide, remedy};

/// Keeps the whole stream, and of each byte whether a buffer of `size` would still hold it.
struct Naive {
    stream: Vec<u8>,
    held: Vec<bool>,
    size: usize,
}

impl Naive {
    /// A stream of `before` bytes that no backlog heard.
    fn new(before: usize, size: usize) -> Naive {
        Naive { stream: letters(before), held: vec![false; before], size }
    }

    fn append(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.stream.push(*byte);
            self.held.push(true);
            if self.held.iter().filter(|held| **held).count() > self.size {
                let oldest = self.held.iter().position(|held| *held).expect("one is held");
                self.held[oldest] = false;
            }
        }
    }

    fn resize(&mut self, size: usize) {
        if size != self.size {
            self.size = size;
            self.held.fill(false);
        }
    }

    /// What a reader that wants everything from `pos` on must be sent: all of it held, or nothing.
    fn rest(&self, pos: i64) -> Option<&[u8]> {
        let from = usize::try_from(pos).ok()?.checked_sub(1)?;
        let all_held = self.held.get(from..)?.iter().all(|held| *held);
        all_held.then(|| &self.stream[from..])
    }
}

fn letters(len: usize) -> Vec<u8> {
    (b'a'..=b'z').take(len).collect()
}

/// Compares a ring and its decisions with the model for every request; returns how many.
#[expect(clippy::panic, reason = "a difference from the model ends the test")]
fn check(ring: &Ring, naive: &Naive, world: &str) -> u32 {
    let history =
        History { end: Offset(naive.stream.len() as u64), ..History::begin(&mut seeded(1)) };
    let window = ring.ledger().window();
    let id = Bytes::copy_from_slice(history.replid.as_str().as_bytes());
    let mut requests = 0;
    for pos in -2..=naive.stream.len() as i64 + 3 {
        let request = Request { replid: id.clone(), pos: BytePos(pos) };
        let decision = decide(&history, Some(&window), &request);
        let all_passed = checks(&history, Some(&window), &request)
            .iter()
            .all(|check| check.outcome == Outcome::Passed);
        match (&decision, naive.rest(pos)) {
            (Decision::Partial { from, len }, Some(rest)) => {
                assert_eq!(ring.read(*from, *len), rest, "{world}, request {pos}");
            }
            (Decision::Full { reason }, None) => {
                let future = pos > naive.stream.len() as i64 + 1;
                let wanted = if future { "after-backlog" } else { "before-backlog" };
                assert_eq!(reason.name(), wanted, "{world}, request {pos}");
            }
            (decision, rest) => panic!("{world}, request {pos}: {decision:?}, model {rest:?}"),
        }
        let partial = matches!(decision, Decision::Partial { .. });
        assert_eq!(all_passed, partial, "the checks tell another story: {world}, request {pos}");
        requests += 1;
    }
    requests
}

#[test]
fn every_request_in_every_small_world_is_answered_as_a_model_that_keeps_everything_answers() {
    let mut requests = 0;
    for size in 1..=8 {
        for before in 0..=4 {
            for written in 0..=12 - before {
                for piece in 1..=written.max(1) {
                    let mut naive = Naive::new(before, size);
                    let mut ring = Ring::new(Offset(before as u64), ByteCount(size as u64));
                    let stream = letters(before + written);
                    for bytes in stream[before..].chunks(piece) {
                        naive.append(bytes);
                        ring.append(&Bytes::copy_from_slice(bytes), Cut::Whole);
                    }
                    let world = format!("size {size}, {before}+{written} bytes in {piece}s");
                    requests += check(&ring, &naive, &world);
                }
            }
        }
    }
    assert!(requests > 10_000, "only {requests} requests were tried");
}

#[test]
fn resizing_in_any_small_world_forgets_what_redis_6_2_forgets() {
    for (size, resized) in (1..=8).flat_map(|a| (1..=8).map(move |b| (a, b))) {
        for (before, after) in (0..=12).flat_map(|a| (0..=12 - a).map(move |b| (a, b))) {
            let mut naive = Naive::new(0, size);
            let mut ring = Ring::new(Offset(0), ByteCount(size as u64));
            let stream = letters(before + after);
            naive.append(&stream[..before]);
            ring.append(&Bytes::copy_from_slice(&stream[..before]), Cut::Whole);
            naive.resize(resized);
            ring.resize(ByteCount(resized as u64));
            naive.append(&stream[before..]);
            ring.append(&Bytes::copy_from_slice(&stream[before..]), Cut::Whole);
            check(&ring, &naive, &format!("{before} bytes, {size} to {resized}, {after} bytes"));
        }
    }
}

#[test]
fn the_remedy_of_every_small_refusal_is_the_smallest_size_that_the_model_accepts() {
    for size in 1..=8_usize {
        for written in 0..=12_usize {
            let mut ring = RingWindow::new(Offset(2), ByteCount(size as u64));
            ring.append(ByteCount(written as u64));
            for pos in 0..=(written + 2) as i64 {
                let reason =
                    FullReason::BeforeBacklog { asked: BytePos(pos), first: ring.window().first };
                if pos >= ring.window().first.0 {
                    continue;
                }
                let accepted = (1..=20_usize).find(|size| {
                    let mut naive = Naive::new(2, *size);
                    naive.append(&letters(written));
                    naive.rest(pos).is_some()
                });
                let remedy = remedy(&reason, Some(&ring.window())).map(|size| size.0 as usize);
                assert_eq!(remedy, accepted, "size {size}, {written} bytes, request {pos}");
            }
        }
    }
}
