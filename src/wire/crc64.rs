//! CRC-64 in Redis' own variant (crc64.c): the checksum of snapshots, and of datasets.
//!
//! One table for all who need it, the large one that takes sixteen bytes at a time. It is reckoned
//! when it is first needed: 32 KB of numbers that no compressor can make smaller are not carried.

use std::sync::LazyLock;

use crc::{CRC_64_REDIS, Crc, Table};

/// The algorithm with its table.
pub static CRC64: LazyLock<Crc<u64, Table<16>>> =
    LazyLock::new(|| Crc::<u64, Table<16>>::new(&CRC_64_REDIS));

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_redis() {
        // The vector in the test of Redis' crc64.c.
        assert_eq!(super::CRC64.checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }
}
