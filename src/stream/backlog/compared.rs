//! One retention, and the ledgers of the other two ways of keeping, fed with the same run.
//!
//! The three can then be compared where it counts: what each would take in memory for this
//! stream, these replicas and these outages.

use bytes::Bytes;

use super::{Cut, Entry, Grain, Keeping, Ledger, Memory, Reader, Retention};
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::time::Instant;

/// A retention with the numbers of the others beside it.
#[derive(Clone, Debug)]
pub struct Compared {
    kept: Box<dyn Retention>,
    /// None for the way in which it is kept: that retention has one of its own.
    ledgers: [(Keeping, Option<Box<dyn Ledger>>); 3],
}

impl Compared {
    /// An empty one of this kind, and empty ledgers beside it.
    #[must_use]
    pub fn new(keeping: Keeping, end: Offset, size: ByteCount) -> Compared {
        let blocks = match keeping {
            Keeping::Blocks(_) => keeping,
            Keeping::Ring | Keeping::Retained => Keeping::Blocks(Grain::JEMALLOC),
        };
        let ledgers = [Keeping::Ring, blocks, Keeping::Retained];
        let ledgers = ledgers.map(|other| {
            let ledger = (other != keeping).then(|| other.ledger(end, size));
            (other, ledger)
        });
        Compared { kept: keeping.retention(end, size), ledgers }
    }

    fn others(&mut self) -> impl Iterator<Item = &mut Box<dyn Ledger>> {
        self.ledgers.iter_mut().filter_map(|(_, ledger)| ledger.as_mut())
    }
}

impl Retention for Compared {
    fn ledger(&self) -> &dyn Ledger {
        self.kept.ledger()
    }

    fn append(&mut self, command: &Bytes, cut: Cut) -> bool {
        for piece in cut.pieces(command) {
            for ledger in self.others() {
                ledger.append(ByteCount::of(piece));
            }
        }
        self.kept.append(command, cut)
    }

    fn attach(&mut self, reader: Reader, entry: Entry) {
        for ledger in self.others() {
            ledger.attach(reader, entry);
        }
        self.kept.attach(reader, entry);
    }

    fn take(&mut self, reader: u64, most: u64) -> Option<Bytes> {
        let bytes = self.kept.take(reader, most)?;
        for ledger in self.others() {
            ledger.sent(reader, ByteCount::of(&bytes));
        }
        Some(bytes)
    }

    fn detach(&mut self, reader: u64, now: Instant) {
        for ledger in self.others() {
            ledger.detach(reader, now);
        }
        self.kept.detach(reader, now);
    }

    fn forget_absent(&mut self, before: Instant) {
        for ledger in self.others() {
            ledger.forget_absent(before);
        }
        self.kept.forget_absent(before);
    }

    fn settle(&mut self) {
        for ledger in self.others() {
            ledger.settle();
        }
        self.kept.settle();
    }

    fn read(&self, from: BytePos, len: ByteCount) -> Vec<u8> {
        self.kept.read(from, len)
    }

    fn resize(&mut self, size: ByteCount) {
        for ledger in self.others() {
            ledger.resize(size);
        }
        self.kept.resize(size);
    }

    fn slices(&self, from: BytePos, len: u64) -> Vec<Bytes> {
        self.kept.slices(from, len)
    }

    fn share(&mut self, other: &dyn Retention) {
        self.kept.share(other);
    }

    fn compared(&self) -> Option<[(Keeping, Memory); 3]> {
        Some(self.ledgers.each_ref().map(|(keeping, ledger)| {
            let ledger = ledger.as_deref().unwrap_or(self.kept.ledger());
            (*keeping, ledger.memory())
        }))
    }

    fn boxed_clone(&self) -> Box<dyn Retention> {
        Box::new(self.clone())
    }
}
