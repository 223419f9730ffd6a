//! A list for each replica with its bytes: the proposal of 2011.
//!
//! Invariant: one queue for each list of the ledger, in its order, with the bytes from the list's
//! first one to the end of the history. The slices are shared between queues, as the objects of
//! the proposal were.

use bytes::Bytes;

use super::queue::Queue;
use super::retained_window::RetainedWindow;
use super::{Cut, Entry, Ledger, Reader, Retention};
use crate::stream::history::ReplId;
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::time::Instant;

/// All lists with their bytes.
#[derive(Clone, Debug)]
pub struct Retained {
    ledger: RetainedWindow,
    queues: Vec<Held>,
}

/// The bytes of one list.
#[derive(Clone, Debug)]
struct Held {
    name: Option<ReplId>,
    reader: Option<u64>,
    first: BytePos,
    queue: Queue,
}

impl Retained {
    /// No list yet, after `end` bytes of history.
    #[must_use]
    pub fn new(end: Offset, size: ByteCount) -> Retained {
        Retained { ledger: RetainedWindow::new(end, size), queues: Vec::new() }
    }

    /// Drops what the ledger has dropped.
    fn follow_ledger(&mut self) {
        let lists = self.ledger.lists();
        let same = |held: &Held, list: &super::Kept| match held.name {
            Some(name) => list.name == Some(name),
            None => list.reader == held.reader,
        };
        self.queues.retain(|held| lists.iter().any(|list| same(held, list)));
        for held in &mut self.queues {
            if let Some(list) = lists.iter().find(|list| same(held, list)) {
                held.queue.skip(held.first.until(list.first).map_or(0, |count| count.0));
                held.first = held.first.max(list.first);
                held.reader = list.reader;
            }
        }
        debug_assert_eq!(self.queues.len(), lists.len());
    }
}

impl Retention for Retained {
    fn ledger(&self) -> &dyn Ledger {
        &self.ledger
    }

    fn append(&mut self, command: &Bytes, _: Cut) -> bool {
        for held in &mut self.queues {
            held.queue.push(command.clone());
        }
        let added = self.ledger.append(ByteCount::of(command));
        self.follow_ledger();
        added
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        // What is rewound keeps its queue; a snapshot begins a new one, beside another's perhaps.
        let of_reader = |held: &Held| held.name.is_some() && held.name == reader.name;
        let rewound = matches!(entry, Entry::At(_)) && self.queues.iter().any(of_reader);
        if !rewound {
            let beside = match entry {
                Entry::Beside(other) => {
                    self.ledger.lists().into_iter().find(|l| l.reader == Some(other))
                }
                Entry::Next | Entry::At(_) => None,
            };
            let mut queue = Queue::default();
            let next = self.ledger.window().next();
            let first = beside.map_or(next, |list| list.unsent);
            if let Some(list) = beside {
                queue.push(Bytes::from(self.read_of(list.reader, list.unsent, u64::MAX)));
            }
            self.queues.retain(|held| !of_reader(held));
            self.queues.push(Held { name: reader.name, reader: Some(reader.number), first, queue });
        }
        self.ledger.attach(reader, entry);
        self.follow_ledger();
    }

    fn take(&mut self, reader: u64, most: u64) -> Option<Bytes> {
        let list = self.ledger.lists().into_iter().find(|list| list.reader == Some(reader))?;
        let bytes = Bytes::from(self.read_of(Some(reader), list.unsent, most));
        self.ledger.sent(reader, ByteCount::of(&bytes));
        self.follow_ledger();
        Some(bytes).filter(|bytes| !bytes.is_empty())
    }

    fn detach(&mut self, reader: u64, now: Instant) {
        self.ledger.detach(reader, now);
        self.follow_ledger();
    }

    fn forget_absent(&mut self, before: Instant) {
        self.ledger.forget_absent(before);
        self.follow_ledger();
    }

    fn settle(&mut self) {}

    fn read(&self, from: BytePos, len: ByteCount) -> Vec<u8> {
        let longest = self.queues.iter().min_by_key(|held| held.first);
        longest.map_or_else(Vec::new, |held| held.read(from, len.0))
    }

    fn resize(&mut self, size: ByteCount) {
        self.ledger.resize(size);
        self.follow_ledger();
    }

    fn boxed_clone(&self) -> Box<dyn Retention> {
        Box::new(self.clone())
    }
}

impl Retained {
    fn read_of(&self, reader: Option<u64>, from: BytePos, len: u64) -> Vec<u8> {
        let held = self.queues.iter().find(|held| held.reader == reader);
        held.map_or_else(Vec::new, |held| held.read(from, len))
    }
}

impl Held {
    fn read(&self, from: BytePos, len: u64) -> Vec<u8> {
        self.first.until(from).map_or_else(Vec::new, |skip| self.queue.peek(skip.0, len))
    }
}
