//! RDB: the snapshot that a full resync carries.
//!
//! String keys with their database and expiry, AUX fields, and the checksum; written as Redis 6.2
//! (version 9) and 7.0 (version 10) lay them out (rdb.c), read from all versions that the real servers
//! of today send.
//!
//! Invariants: `decode(encode(x)) = x`; a length in the file is believed only as far as bytes for it
//! are there; everything else than strings is refused by name and position, never skipped, because a
//! replica without those keys would look complete. Absent on purpose: other value types, functions,
//! modules, dropping expired or duplicate keys, a limit on database numbers (all three the server's
//! business), and the LRU/LFU hints, which are read and forgotten.

mod decode;
mod encode;
mod error;
mod lzf;
mod names;
mod reader;

use bytes::Bytes;
pub use error::RdbError;

/// A decoded snapshot, or one to encode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rdb {
    /// Format version: 9 for Redis 5.0 to 6.2, 10 for 7.0, 11 for 7.2, 80 for Valkey 9.
    pub version: u32,
    /// AUX fields in file order, such as `redis-ver`, `repl-id`, `repl-offset`, `repl-stream-db`.
    pub aux: Vec<(Bytes, Bytes)>,
    /// Keys in file order.
    pub entries: Vec<RdbEntry>,
}

/// One key with its string value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdbEntry {
    /// The number of its database.
    pub db: u32,
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
    /// When the key expires, in milliseconds since 1970. It may have expired already.
    pub expires_at_ms: Option<u64>,
}

impl Rdb {
    /// The value of the first AUX field called `name`.
    #[must_use]
    pub fn aux(&self, name: &str) -> Option<&Bytes> {
        self.aux.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// The checksum of a file's bytes.
fn checksum(bytes: &[u8]) -> u64 {
    super::crc64::CRC64.checksum(bytes)
}

/// The opcodes and encodings of the format, Redis 7.0 rdb.h.
mod code {
    pub(super) const IDLE: u8 = 248;
    pub(super) const FREQ: u8 = 249;
    pub(super) const AUX: u8 = 250;
    pub(super) const RESIZEDB: u8 = 251;
    pub(super) const EXPIRETIME_MS: u8 = 252;
    pub(super) const EXPIRETIME: u8 = 253;
    pub(super) const SELECTDB: u8 = 254;
    pub(super) const EOF: u8 = 255;

    /// The value type of a string.
    pub(super) const STRING: u8 = 0;

    /// First byte of a length in 4 big-endian bytes.
    pub(super) const LEN_32: u8 = 0x80;
    /// First byte of a length in 8 big-endian bytes.
    pub(super) const LEN_64: u8 = 0x81;

    /// The first version whose files end in a checksum.
    pub(super) const CHECKSUM_SINCE: u32 = 5;
    /// The first version written with the magic `VALKEY`; 13 to 79 belong to nobody.
    pub(super) const VALKEY_SINCE: u32 = 80;
}
