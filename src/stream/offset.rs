//! Counting bytes of history, and naming one of them.
//!
//! The classic mistake of replication code is the one between "how many bytes have been produced"
//! and "which byte comes next". Here they are different types:
//!
//! * [`Offset`] counts. After 100 bytes, `master_repl_offset` is `Offset(100)`.
//! * [`BytePos`] names one byte, beginning with 1. After 100 bytes the last one is `BytePos(100)`
//!   and the next one is `BytePos(101)`; a replica that has all 100 asks `PSYNC <id> 101`.
//! * [`ByteCount`] is a length.
//!
//! Only the arithmetic that makes sense exists. Absent on purpose: adding two positions, and any
//! silent conversion between the three.

use std::fmt;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// How many bytes of a history exist (`master_repl_offset`) or have been applied.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Offset(pub u64);

/// The name of one byte of a history, counted from 1; what `PSYNC` carries.
///
/// Signed, because a peer may name any 64-bit number and real servers answer (with a refusal).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BytePos(pub i64);

/// A number of bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteCount(pub u64);

impl Offset {
    /// Before the first byte.
    pub const ZERO: Offset = Offset(0);

    /// The end of a history as a peer or a file names it. None for negative numbers, and for those
    /// so near the end of 64 bits that the positions of what follows could not be told apart: up to
    /// 2^62 there is room for as much again, which at 1 GB/s lasts 146 years.
    #[must_use]
    pub fn told(end: i64) -> Option<Offset> {
        u64::try_from(end).ok().filter(|end| *end <= 1 << 62).map(Offset)
    }

    /// The byte that will be produced next: after 100 bytes, number 101.
    #[must_use]
    pub fn next(self) -> BytePos {
        BytePos(i64::try_from(self.0).map_or(i64::MAX, |bytes| bytes.saturating_add(1)))
    }

    /// The last byte produced, or none at the very beginning.
    #[must_use]
    pub fn last(self) -> Option<BytePos> {
        (self.0 > 0).then(|| BytePos(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }

    /// How many bytes this offset is ahead of `other`; none when it is behind.
    #[must_use]
    pub fn ahead_of(self, other: Offset) -> Option<ByteCount> {
        self.0.checked_sub(other.0).map(ByteCount)
    }

    /// How many bytes `other` is ahead, counting "not at all" as zero.
    #[must_use]
    pub fn behind(self, other: Offset) -> ByteCount {
        ByteCount(other.0.saturating_sub(self.0))
    }
}

impl BytePos {
    /// The offset of a reader that has everything before this byte: before byte 101 there are 100.
    ///
    /// None for positions that no history has (zero and below).
    #[must_use]
    pub fn offset_before(self) -> Option<Offset> {
        u64::try_from(self.0).ok().and_then(|pos| pos.checked_sub(1)).map(Offset)
    }

    /// How many bytes lie from here up to, and not including, `later`; none when it is earlier.
    #[must_use]
    pub fn until(self, later: BytePos) -> Option<ByteCount> {
        later.0.checked_sub(self.0).and_then(|n| u64::try_from(n).ok()).map(ByteCount)
    }
}

impl ByteCount {
    /// Nothing.
    pub const ZERO: ByteCount = ByteCount(0);

    /// The length of a slice.
    #[must_use]
    pub fn of(bytes: &[u8]) -> ByteCount {
        ByteCount(bytes.len() as u64)
    }
}

impl Add<ByteCount> for Offset {
    type Output = Offset;
    fn add(self, count: ByteCount) -> Offset {
        Offset(self.0.saturating_add(count.0))
    }
}

impl AddAssign<ByteCount> for Offset {
    fn add_assign(&mut self, count: ByteCount) {
        *self = *self + count;
    }
}

impl Add<ByteCount> for BytePos {
    type Output = BytePos;
    fn add(self, count: ByteCount) -> BytePos {
        BytePos(self.0.saturating_add_unsigned(count.0))
    }
}

impl Add for ByteCount {
    type Output = ByteCount;
    fn add(self, other: ByteCount) -> ByteCount {
        ByteCount(self.0.saturating_add(other.0))
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, other: ByteCount) {
        *self = *self + other;
    }
}

macro_rules! display_as_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
display_as_number!(Offset, BytePos, ByteCount);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_byte_after_a_hundred_is_number_hundred_and_one() {
        assert_eq!(Offset(100).next(), BytePos(101));
        assert_eq!(Offset(100).last(), Some(BytePos(100)));
        assert_eq!(BytePos(101).offset_before(), Some(Offset(100)));
    }

    #[test]
    fn a_history_without_bytes_has_no_last_byte_and_begins_with_number_one() {
        assert_eq!(Offset::ZERO.last(), None);
        assert_eq!(Offset::ZERO.next(), BytePos(1));
        assert_eq!(BytePos(1).offset_before(), Some(Offset::ZERO));
    }

    #[test]
    fn positions_that_no_history_has_name_no_offset() {
        assert_eq!(BytePos(0).offset_before(), None);
        assert_eq!(BytePos(-1).offset_before(), None);
        assert_eq!(BytePos(i64::MIN).until(BytePos(i64::MAX)), None, "overflows, so no answer");
    }

    #[test]
    fn distances_are_never_negative() {
        assert_eq!(BytePos(5).until(BytePos(8)), Some(ByteCount(3)));
        assert_eq!(BytePos(8).until(BytePos(5)), None);
        assert_eq!(Offset(3).ahead_of(Offset(5)), None);
        assert_eq!(Offset(3).behind(Offset(5)), ByteCount(2));
    }
}
