//! Why bytes are no RDB that can be loaded. All of it is the sender's fault or choice.
//!
//! Invariant: every error names a byte of the file, counted from 0.

use std::fmt;

/// What is wrong with a file, or unsupported in it, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RdbError {
    /// It begins with neither `REDIS` and four digits nor `VALKEY` and three.
    NotAnRdb {
        /// The first bytes, at most nine.
        magic: Vec<u8>,
    },
    /// A version other than Redis' 1 to 12 and Valkey's 80 to 99.
    UnsupportedVersion {
        /// The announced version.
        version: u32,
    },
    /// It ends too early.
    Truncated {
        /// Where the missing part begins.
        at: u64,
        /// What that part is.
        expected: &'static str,
        /// How many bytes of it are missing.
        missing: u64,
    },
    /// A first byte that begins no length, or an encoding where a plain length belongs.
    InvalidLength {
        /// Where it stands.
        at: u64,
        /// The byte.
        got: u8,
    },
    /// A string in an encoding that does not exist.
    InvalidEncoding {
        /// Where the string begins.
        at: u64,
        /// The encoding's number, 4 to 63.
        got: u8,
    },
    /// A compressed string that is damaged, or announces a size it cannot have.
    InvalidCompression {
        /// Where the compressed bytes begin.
        at: u64,
        /// What is wrong with them.
        problem: &'static str,
    },
    /// A database number above 2^32 - 1.
    InvalidDb {
        /// Where the number stands.
        at: u64,
    },
    /// A key whose value is no string.
    UnsupportedType {
        /// Where the type stands.
        at: u64,
        /// Its number in rdb.h.
        code: u8,
        /// Its name, such as `list` or `hash (listpack)`.
        name: &'static str,
    },
    /// A part other than keys, such as functions or module data.
    UnsupportedOpcode {
        /// Where the opcode stands.
        at: u64,
        /// Its number in rdb.h.
        code: u8,
        /// What it introduces.
        name: &'static str,
    },
    /// A byte that is neither an opcode nor a value type of any version known here.
    UnknownCode {
        /// Where it stands.
        at: u64,
        /// The byte.
        code: u8,
    },
    /// The content does not fit the checksum behind it.
    WrongChecksum {
        /// Where the checksum stands.
        at: u64,
        /// The one in the file.
        stored: u64,
        /// The one of the content.
        computed: u64,
    },
    /// Bytes behind the end.
    TrailingBytes {
        /// Where they begin.
        at: u64,
        /// How many they are.
        count: u64,
    },
}

impl fmt::Display for RdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnRdb { magic } => {
                write!(f, "not an RDB file: it begins with '{}' at byte 0", magic.escape_ascii())
            }
            Self::UnsupportedVersion { version } => {
                write!(f, "RDB version {version} (byte 5) is not supported")
            }
            Self::Truncated { at, expected, missing } => {
                write!(f, "truncated: {missing} bytes of {expected} at byte {at} are missing")
            }
            Self::InvalidLength { at, got } => {
                write!(f, "invalid length: byte {at} is {got:#04x}")
            }
            Self::InvalidEncoding { at, got } => {
                write!(f, "the string at byte {at} has the unknown encoding {got}")
            }
            Self::InvalidCompression { at, problem } => {
                write!(f, "the compressed string at byte {at} {problem}")
            }
            Self::InvalidDb { at } => write!(f, "the database number at byte {at} is too large"),
            Self::UnsupportedType { at, code, name } => write!(
                f,
                "the key at byte {at} holds a {name} (type {code}), only strings are supported"
            ),
            Self::UnsupportedOpcode { at, code, name } => {
                write!(f, "unsupported: {name} (opcode {code}) at byte {at}")
            }
            Self::UnknownCode { at, code } => {
                write!(f, "byte {at} is {code}, which is no known opcode or value type")
            }
            Self::WrongChecksum { at, stored, computed } => write!(
                f,
                "the checksum at byte {at} is {stored:016x}, the content's is {computed:016x}"
            ),
            Self::TrailingBytes { at, count } => {
                write!(f, "{count} bytes follow the end at byte {at}")
            }
        }
    }
}

impl std::error::Error for RdbError {}
