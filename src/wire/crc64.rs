//! CRC-64 in Redis' own variant (crc64.c): the checksum of snapshots, and of datasets.
//!
//! One table for all who need it. Natively it is the large one that takes sixteen bytes at a time;
//! in the page the small one, because the large one is 32 KB of numbers that no compressor can
//! make smaller. Both give the same sums.

use crc::{CRC_64_REDIS, Crc, Table};

#[cfg(target_arch = "wasm32")]
type Lookup = Table<1>;
#[cfg(not(target_arch = "wasm32"))]
type Lookup = Table<16>;

/// The algorithm with its table.
pub static CRC64: Crc<u64, Lookup> = Crc::<u64, Lookup>::new(&CRC_64_REDIS);

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_redis() {
        // The vector in the test of Redis' crc64.c.
        assert_eq!(super::CRC64.checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }
}
