//! A list for each replica, in numbers: the proposal of 2011.
//!
//! For each replica, connected or not, the master keeps what it has sent in a list of that
//! replica's own, and goes on adding to it while the replica is away, up to a limit of bytes
//! (`repl-backlog-size`, each) and of time (`repl-backlog-ttl`). A replica that comes back is
//! known by its run id and is rewound to just after what it has. What it was sent before is dropped
//! first when the limit is reached; when what it was not sent is too much alone, its list is freed,
//! and it needs everything.
//!
//! The counter of a conversation begins with the master's offset at the replica's snapshot rather
//! than with 0, so that the counters of all replicas can be shown on one dial.
//!
//! Invariants: every list ends where the history ends; of an attached replica's list nothing is
//! dropped that it was not sent; an absent replica's list holds all that it was not sent, or is gone.
//! Absent on purpose: the bytes (see `retained`).

use serde::Serialize;

use super::{Entry, Ledger, Memory, Reader, Window};
use crate::stream::history::ReplId;
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::time::Instant;

/// One replica's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Whose: the run id it gave, if it gave one.
    pub name: Option<ReplId>,
    /// Its connection, while it is attached.
    pub reader: Option<u64>,
    /// The oldest byte kept.
    pub first: BytePos,
    /// The next byte to be sent.
    pub unsent: BytePos,
    /// Since when it is away.
    pub left: Option<Instant>,
    /// The first byte that was ever kept for it.
    pub since: BytePos,
}

/// All lists.
#[derive(Clone, Debug)]
pub struct RetainedWindow {
    end: Offset,
    size: ByteCount,
    lists: Vec<Kept>,
}

impl RetainedWindow {
    /// No list yet, after `end` bytes of history. A size of zero counts as one.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount) -> RetainedWindow {
        RetainedWindow { end, size: size.max(ByteCount(1)), lists: Vec::new() }
    }

    /// Keeps each list within the limit.
    fn trim(&mut self) {
        let (next, size) = (self.end.next(), self.size.0);
        // The last `size` bytes: of 120 the last 8 begin with 113 = 121 - 8.
        let oldest = BytePos(next.0.saturating_sub_unsigned(size));
        self.lists.retain(|list| list.reader.is_some() || list.unsent >= oldest);
        for list in &mut self.lists {
            list.first = list.first.max(oldest.min(list.unsent));
        }
        self.check();
    }

    fn window_of(&self, list: &Kept) -> Window {
        let histlen = list.first.until(self.end.next()).unwrap_or_default();
        Window { first: list.first, histlen, size: self.size, kept_since: list.since }
    }

    fn check(&self) {
        let next = self.end.next();
        for list in &self.lists {
            debug_assert!(list.since <= list.first && list.first <= list.unsent, "{list:?}");
            debug_assert!(list.unsent <= next, "{list:?} reaches beyond {next}");
            debug_assert!(list.reader.is_some() != list.left.is_some(), "{list:?}");
        }
    }
}

impl Ledger for RetainedWindow {
    fn window(&self) -> Window {
        let next = self.end.next();
        let none =
            Window { first: next, histlen: ByteCount::ZERO, size: self.size, kept_since: next };
        let windows = self.lists.iter().map(|list| self.window_of(list));
        windows.min_by_key(|window| window.first).unwrap_or(none)
    }

    fn window_for(&self, name: Option<ReplId>) -> Option<Window> {
        let list = self.lists.iter().find(|list| name.is_some() && list.name == name)?;
        Some(self.window_of(list))
    }

    fn append(&mut self, piece: ByteCount) -> bool {
        self.end += piece;
        self.trim();
        self.lists.iter().any(|list| list.reader.is_some())
    }

    fn resize(&mut self, size: ByteCount) {
        self.size = size.max(ByteCount(1));
        self.trim();
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        let next = self.end.next();
        let of_reader = |list: &Kept| list.name.is_some() && list.name == reader.name;
        let before = self.lists.iter().find(|list| of_reader(list)).copied();
        let unsent = match entry {
            Entry::Next => next,
            Entry::At(from) => from,
            Entry::Beside(other) => {
                let beside = self.lists.iter().find(|list| list.reader == Some(other));
                beside.map_or(next, |list| list.unsent)
            }
        };
        // A list is rewound; whoever gets a snapshot begins a new one.
        let list = match before.filter(|_| matches!(entry, Entry::At(_))) {
            // Where this is only reckoned beside another way of keeping, the other may have kept
            // more; then it is as if this one had as well.
            Some(list) => {
                Kept { first: list.first.min(unsent), since: list.since.min(unsent), ..list }
            }
            None => Kept {
                name: reader.name,
                first: unsent,
                since: unsent,
                unsent,
                reader: None,
                left: None,
            },
        };
        self.lists.retain(|list| !of_reader(list));
        self.lists.push(Kept { reader: Some(reader.number), left: None, unsent, ..list });
        self.trim();
    }

    fn sent(&mut self, reader: u64, count: ByteCount) {
        let next = self.end.next();
        if let Some(list) = self.lists.iter_mut().find(|list| list.reader == Some(reader)) {
            list.unsent = (list.unsent + count).min(next);
        }
        self.trim();
    }

    fn detach(&mut self, reader: u64, now: Instant) {
        if let Some(list) = self.lists.iter_mut().find(|list| list.reader == Some(reader)) {
            (list.reader, list.left) = (None, Some(now));
        }
        // Nobody could come back to a list without a name.
        self.lists.retain(|list| list.reader.is_some() || list.name.is_some());
        self.trim();
    }

    fn forget_absent(&mut self, before: Instant) {
        self.lists.retain(|list| list.left.is_none_or(|left| left >= before));
    }

    fn pending(&self, reader: u64) -> u64 {
        let list = self.lists.iter().find(|list| list.reader == Some(reader));
        list.and_then(|list| list.unsent.until(self.end.next())).map_or(0, |count| count.0)
    }

    fn memory(&self) -> Memory {
        let kept = |attached: bool| {
            let lists = self.lists.iter().filter(|list| list.reader.is_some() == attached);
            lists.map(|list| self.window_of(list).histlen.0).sum()
        };
        Memory { backlog: kept(false), replicas: kept(true) }
    }

    fn lists(&self) -> Vec<Kept> {
        self.lists.clone()
    }

    fn boxed_clone(&self) -> Box<dyn Ledger> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;

    fn reader(number: u64, name: ReplId) -> Reader {
        Reader { number, name: Some(name) }
    }

    #[test]
    fn a_replica_that_comes_back_in_time_finds_its_own_list() {
        let mut rng = seeded(1);
        let (one, two) = (ReplId::random(&mut rng), ReplId::random(&mut rng));
        let mut lists = RetainedWindow::new(Offset(100), ByteCount(50));
        lists.attach(reader(1, one), Entry::Next);
        lists.append(ByteCount(20));
        lists.attach(reader(2, two), Entry::Next);
        lists.sent(1, ByteCount(20));
        lists.detach(1, Instant(7));
        lists.append(ByteCount(30));
        let window = lists.window_for(Some(one)).expect("kept");
        assert_eq!((window.first, window.histlen), (BytePos(101), ByteCount(50)));
        assert_eq!(lists.window_for(Some(two)).expect("attached").first, BytePos(121));
        lists.append(ByteCount(20));
        let window = lists.window_for(Some(one)).expect("kept");
        assert_eq!((window.first, window.histlen), (BytePos(121), ByteCount(50)));
        lists.append(ByteCount(1));
        assert_eq!(lists.window_for(Some(one)), None, "51 bytes not sent are more than 50");
        assert_eq!(lists.memory(), Memory { backlog: 0, replicas: 51 });
    }

    #[test]
    fn a_list_is_freed_when_its_replica_stays_away_too_long() {
        let name = ReplId::random(&mut seeded(1));
        let mut lists = RetainedWindow::new(Offset(0), ByteCount(50));
        lists.attach(reader(1, name), Entry::Next);
        lists.detach(1, Instant(10));
        lists.forget_absent(Instant(10));
        assert!(lists.window_for(Some(name)).is_some());
        lists.forget_absent(Instant(11));
        assert_eq!(lists.window_for(Some(name)), None);
    }
}
