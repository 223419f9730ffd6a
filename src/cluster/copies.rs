//! Copies of a world along its way, so that going to any moment replays little.
//!
//! One copy every so often, all along the run; when they are too many, or take too much memory,
//! those go that leave the smallest gaps, so that the longest is about twice the shortest. Beside
//! these a few stand near where somebody went lately, because who drags a slider comes by again.
//!
//! Invariants: the copies rise in time, and the first one is of the beginning. A copy is never
//! changed, so branches of one run share those before they part.

use std::collections::VecDeque;
use std::rc::Rc;

use super::sim::World;
use crate::time::{Instant, SECOND_US};

/// A world, and how many of the actions it has seen.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub world: World,
    pub done: usize,
}

/// About how much memory the copies may take, in bytes.
pub const MOST_BYTES: u64 = 96 << 20;
/// With an hour between them these are less than four seconds apart.
const MOST_COPIES: usize = 1024;
/// How many stand near the places gone to lately.
const MOST_NEAR: usize = 12;

/// The copies of one run.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    kept: Vec<Rc<Moment>>,
    near: VecDeque<Rc<Moment>>,
    /// Simulated time between two of `kept`.
    every_us: u64,
    bytes: u64,
}

impl Copies {
    /// Of a run at its beginning.
    pub fn new(world: &World) -> Copies {
        let first = Rc::new(Moment { world: world.clone(), done: 0 });
        Copies { kept: vec![first], near: VecDeque::new(), every_us: SECOND_US, bytes: 0 }
    }

    /// When the next one is due.
    pub fn due(&self) -> Instant {
        // While the run is replayed the last copy lies ahead, and none is added.
        let last = self.kept.last().map_or(Instant::ZERO, |copy| copy.world.now());
        last.after_us(self.every_us)
    }

    /// Adds one at the end.
    pub fn add(&mut self, world: &mut World, done: usize) {
        world.share();
        self.kept.push(Rc::new(Moment { world: world.clone(), done }));
        self.bytes += self.bytes_of(self.kept.len() - 1);
        while self.kept.len() > MOST_COPIES || (self.bytes > MOST_BYTES && self.kept.len() > 2) {
            self.thin_out();
        }
    }

    /// Adds one near a place gone to.
    pub fn add_near(&mut self, world: &mut World, done: usize) {
        world.share();
        if self.near.len() == MOST_NEAR {
            self.near.pop_front();
        }
        self.near.push_back(Rc::new(Moment { world: world.clone(), done }));
    }

    /// The one goes whose neighbours are closest to each other; the first and the last stay.
    fn thin_out(&mut self) {
        let at = |index: usize| self.kept.get(index).map_or(Instant::ZERO, |copy| copy.world.now());
        let gap = |index: &usize| at(index + 1).us_since(at(index - 1));
        let Some(index) = (1..self.kept.len() - 1).min_by_key(gap) else { return };
        if gap(&index) > self.every_us * 3 {
            self.every_us *= 2;
        }
        self.bytes -= self.bytes_of(index) + self.bytes_of(index + 1);
        self.kept.remove(index);
        self.bytes += self.bytes_of(index);
    }

    fn count_bytes(&mut self) {
        self.bytes = (0..self.kept.len()).map(|index| self.bytes_of(index)).sum();
    }

    /// What one takes that the one before it does not take already; the first is there anyway.
    fn bytes_of(&self, index: usize) -> u64 {
        let before = index.checked_sub(1).and_then(|before| self.kept.get(before));
        let pair = self.kept.get(index).zip(before);
        pair.map_or(0, |(copy, before)| copy.world.copy_bytes(&before.world))
    }

    /// The last one at or before `to`.
    pub fn before(&self, to: Instant) -> Option<&Moment> {
        let after = self.kept.partition_point(|copy| copy.world.now() <= to);
        let kept = after.checked_sub(1).and_then(|index| self.kept.get(index));
        let near = self.near.iter().filter(|copy| copy.world.now() <= to);
        // Of copies of one moment the one that has seen more actions.
        near.chain(kept).max_by_key(|copy| (copy.world.now(), copy.done)).map(|copy| &**copy)
    }

    /// Simulated time between two copies.
    pub fn every_us(&self) -> u64 {
        self.every_us
    }

    /// Forgets those of another future: after `now`, or with more than `done` actions.
    pub fn cut_off(&mut self, now: Instant, done: usize) {
        let stays = |copy: &Rc<Moment>| copy.world.now() <= now && copy.done <= done;
        self.kept.retain(stays);
        self.near.retain(stays);
        self.count_bytes();
    }

    /// Keeps at most about `most` of those after `from`: for a branch that is put aside.
    pub fn thin(&mut self, from: Instant, most: usize) {
        self.near.clear();
        let first = self.kept.partition_point(|copy| copy.world.now() <= from);
        let step = (self.kept.len() - first).div_ceil(most.max(1)).max(1);
        let mut index = 0;
        self.kept.retain(|_| {
            index += 1;
            index <= first || (index - first) % step == 0
        });
        self.count_bytes();
    }

    /// How many, and about how many bytes they take.
    pub fn size(&self) -> (usize, u64) {
        (self.kept.len() + self.near.len(), self.bytes)
    }
}
