//! What is still kept of a history, and who is reading it.
//!
//! A replica that fell behind can be given the rest only while the rest is kept. There are three
//! ways of keeping it, each a pair of types:
//!
//! * [`RingWindow`] / [`Ring`]: one circular buffer, and a private queue for every replica
//!   (Redis 2.8 to 6.2);
//! * [`BlocksWindow`] / [`Blocks`]: one list of blocks that the backlog and all replicas share
//!   (Redis 7.0+, Valkey);
//! * [`RetainedWindow`] / [`Retained`]: a list for each replica, kept while it is away (the
//!   proposal of 2011).
//!
//! The first of each pair is a [`Ledger`]: the arithmetic of what is kept, without the bytes. The
//! second is a [`Retention`]: a ledger and the bytes it speaks of. Planning a year of writes at
//! 260 MB/s needs only the first, and a property test holds the two equal. [`Compared`] keeps one
//! retention and the ledgers of the others, so that all three can be compared on the same run.
//!
//! Readers are part of it, because that is where the three differ most: what a slow replica has
//! not taken yet is a copy of its own in the first, and pins the shared list in the second.
//!
//! Absent on purpose: when a backlog is created and freed. That is the server's business.

mod blocks;
mod blocks_window;
mod compared;
mod cut;
mod grain;
mod queue;
mod retained;
mod retained_window;
mod ring;
mod ring_window;
mod window;

use bytes::Bytes;

pub use blocks::Blocks;
pub use blocks_window::{Block, BlocksWindow};
pub use compared::Compared;
pub use cut::Cut;
pub use grain::{Allocator, Grain};
pub use retained::Retained;
pub use retained_window::{Kept, RetainedWindow};
pub use ring::Ring;
pub use ring_window::RingWindow;
pub use window::Window;

use super::history::ReplId;
use super::offset::{ByteCount, BytePos, Offset};
use crate::time::Instant;

/// Somebody who reads the stream: an attached replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its connection; never used again after it was detached.
    pub number: u64,
    /// The replica's own run id, where the protocol tells it. Only the proposal of 2011 asks.
    pub name: Option<ReplId>,
}

/// Where a reader enters the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// With the next byte to be written: its snapshot holds everything before.
    Next,
    /// With this byte, which is kept.
    At(BytePos),
    /// Where this other reader stands: it joins a snapshot that is being made for the other.
    Beside(u64),
}

/// Bytes of memory, as a real server of the kind would account them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// For those who are away (`mem_replication_backlog`).
    pub backlog: u64,
    /// For those who are attached and slow (`mem_clients_slaves`).
    pub replicas: u64,
}

impl Memory {
    /// Both.
    #[must_use]
    pub fn total(self) -> u64 {
        self.backlog + self.replicas
    }
}

/// The three ways of keeping a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// One circular buffer, and a private queue a replica.
    Ring,
    /// One shared list of blocks of this grain.
    Blocks(Grain),
    /// A list a replica, connected or not.
    Retained,
}

impl Keeping {
    /// As the page and the API name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Keeping::Ring => "ring",
            Keeping::Blocks(_) => "blocks",
            Keeping::Retained => "retained",
        }
    }

    /// An empty one after `end` bytes of history.
    #[must_use]
    pub fn retention(self, end: Offset, size: ByteCount) -> Box<dyn Retention> {
        match self {
            Keeping::Ring => Box::new(Ring::new(end, size)),
            Keeping::Blocks(grain) => Box::new(Blocks::new(end, size, grain)),
            Keeping::Retained => Box::new(Retained::new(end, size)),
        }
    }

    /// The same without bytes.
    #[must_use]
    pub fn ledger(self, end: Offset, size: ByteCount) -> Box<dyn Ledger> {
        match self {
            Keeping::Ring => Box::new(RingWindow::new(end, size)),
            Keeping::Blocks(grain) => Box::new(BlocksWindow::new(end, size, grain)),
            Keeping::Retained => Box::new(RetainedWindow::new(end, size)),
        }
    }
}

/// What is kept and for whom, in numbers.
///
/// Invariant for every implementation: a window is a suffix of what was appended, that is
/// `window().next()` is the byte that the next `append` will add first.
pub trait Ledger: std::fmt::Debug + Send {
    /// What is kept now. Where each replica has a list of its own, the longest of them.
    fn window(&self) -> Window;

    /// What a request of the replica of this name is held against; none when nothing is kept for
    /// it. Only the proposal of 2011 distinguishes.
    fn window_for(&self, _name: Option<ReplId>) -> Option<Window> {
        Some(self.window())
    }

    /// Takes one more piece of history. Says whether new memory was taken for it: then a server
    /// looks at its output limits.
    fn append(&mut self, piece: ByteCount) -> bool;

    /// Applies a new `repl-backlog-size`.
    fn resize(&mut self, size: ByteCount);

    /// A reader enters.
    fn attach(&mut self, reader: Reader, entry: Entry);

    /// A reader was given so many bytes.
    fn sent(&mut self, reader: u64, count: ByteCount);

    /// A reader leaves.
    fn detach(&mut self, reader: u64, now: Instant);

    /// Frees what is kept for readers that left before this moment.
    fn forget_absent(&mut self, _before: Instant) {}

    /// Between two turns of a server's loop: memory that can be given back is.
    fn settle(&mut self) {}

    /// Bytes that a reader makes the server hold (`omem` in CLIENT LIST).
    fn pending(&self, reader: u64) -> u64;

    /// Memory as the real server accounts it.
    fn memory(&self) -> Memory;

    /// The smallest `repl-backlog-size` with which byte `pos` would still be kept now; below what
    /// is set, by as many bytes as can still be written before it is dropped. None when no size
    /// would have kept it. What other readers pin is left aside.
    fn size_for(&self, pos: BytePos) -> Option<i64> {
        let window = self.window();
        // With 120 written and 110 asked for these are 110 ..= 120: 121 - 110 = 11 bytes.
        (pos >= window.kept_since).then(|| window.next().0 - pos.0)
    }

    /// The blocks, oldest first, where there are blocks.
    fn blocks(&self) -> Vec<Block> {
        Vec::new()
    }

    /// Which of the blocks a reader is being sent, where there are blocks: its index.
    fn reads_block(&self, _reader: u64) -> Option<usize> {
        None
    }

    /// The lists, where each replica has one.
    fn lists(&self) -> Vec<Kept> {
        Vec::new()
    }

    /// A copy behind a new box.
    fn boxed_clone(&self) -> Box<dyn Ledger>;
}

/// A ledger with the bytes it speaks of.
///
/// `Send`, so that a driver may run a server on a thread of its own.
pub trait Retention: std::fmt::Debug + Send {
    /// The numbers.
    fn ledger(&self) -> &dyn Ledger;

    /// Adds one command, fed in pieces as [`Cut`] says, dropping as many of the oldest bytes as it
    /// must. Says whether new memory was taken.
    fn append(&mut self, command: &Bytes, cut: Cut) -> bool;

    /// A reader enters.
    fn attach(&mut self, reader: Reader, entry: Entry);

    /// The next bytes for a reader, at most so many.
    fn take(&mut self, reader: u64, most: u64) -> Option<Bytes>;

    /// A reader leaves.
    fn detach(&mut self, reader: u64, now: Instant);

    /// Frees what is kept for readers that left before this moment.
    fn forget_absent(&mut self, before: Instant);

    /// Between two turns of a server's loop.
    fn settle(&mut self);

    /// The kept bytes from `from` on, at most `len` of them.
    ///
    /// Positions outside the window give fewer bytes or none, never other bytes.
    fn read(&self, from: BytePos, len: ByteCount) -> Vec<u8>;

    /// Applies a new `repl-backlog-size`.
    fn resize(&mut self, size: ByteCount);

    /// The kept bytes from `from` on, at most `len` of them, as slices that others may share; fewer
    /// where they are not kept like that, or not yet.
    fn slices(&self, _from: BytePos, _len: u64) -> Vec<Bytes> {
        Vec::new()
    }

    /// Takes the bytes that another one keeps too from there, so that they are in memory once.
    fn share(&mut self, _other: &dyn Retention) {}

    /// What each of the three ways would take on this run, where that is compared.
    fn compared(&self) -> Option<[(Keeping, Memory); 3]> {
        None
    }

    /// A copy behind a new box: worlds are cloned so that time can be travelled.
    fn boxed_clone(&self) -> Box<dyn Retention>;
}

/// Whether two slices are equal, looked at in words: where the standard library is compiled for
/// size it compares byte by byte, and copies of a flood's world compare megabytes.
#[must_use]
pub fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let same = |(one, other): (&[u8; 8], &[u8; 8])| word(one) == word(other);
    one.len() == other.len() && rest == other_rest && words.iter().zip(others).all(same)
}

impl Clone for Box<dyn Retention> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}

impl Clone for Box<dyn Ledger> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}

#[cfg(test)]
mod tests {
    use super::same_bytes;

    #[test]
    fn slices_are_the_same_when_every_byte_is_and_none_is_missing() {
        let bytes: Vec<u8> = (0..40).collect();
        for len in 0..=bytes.len() {
            assert!(same_bytes(&bytes[..len], &bytes.clone()[..len]), "{len} bytes");
            for at in 0..len {
                let mut other = bytes[..len].to_vec();
                other[at] ^= 0x80;
                assert!(!same_bytes(&bytes[..len], &other), "byte {at} of {len}");
                assert!(!same_bytes(&bytes[..len], &bytes[..at]), "{at} bytes of {len}");
            }
        }
    }
}
