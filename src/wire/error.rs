//! What can be wrong with received bytes. All of it is the peer's fault or decision.
//!
//! Invariant: every error knows where in the received bytes it is. Absent on purpose: "incomplete",
//! which is no error, and the faults inside a snapshot (see [`RdbError`](super::RdbError)).

use bytes::Bytes;
use std::fmt;

/// What a peer sent wrong. Every `at` counts the bytes received before the line or byte at fault,
/// from the decoder's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RespError {
    /// A `*` line that is no integer, or above [`MAX_ARRAY`](super::MAX_ARRAY).
    InvalidMultibulkLength {
        /// Where the line begins.
        at: u64,
    },
    /// A `$` line that is no integer, negative, or above [`MAX_BULK`](super::MAX_BULK).
    InvalidBulkLength {
        /// Where the line begins.
        at: u64,
    },
    /// A `*` line longer than [`MAX_LINE`](super::MAX_LINE).
    TooBigMultibulkLine {
        /// Where the line begins.
        at: u64,
    },
    /// A `$` line longer than [`MAX_LINE`](super::MAX_LINE).
    TooBigBulkLine {
        /// Where the line begins.
        at: u64,
    },
    /// An inline command longer than [`MAX_LINE`](super::MAX_LINE).
    TooBigInline {
        /// Where the line begins.
        at: u64,
    },
    /// A reply's line longer than [`MAX_LINE`](super::MAX_LINE).
    TooBigLine {
        /// Where the line begins.
        at: u64,
    },
    /// An element of a command that is no bulk string.
    ExpectedBulk {
        /// Where the element begins.
        at: u64,
        /// Its first byte.
        got: u8,
    },
    /// An inline command with a quote that is not closed, or closed in the middle of a word.
    UnbalancedQuotes {
        /// Where the line begins.
        at: u64,
    },
    /// A length line or a bulk string that does not end in CRLF.
    MissingCrlf {
        /// Where the CR should be followed by LF, or where the CRLF should be.
        at: u64,
    },
    /// A reply that begins with none of `+ - : $ *`.
    UnknownType {
        /// Where the reply begins.
        at: u64,
        /// Its first byte.
        got: u8,
    },
    /// A `:` line that is no i64.
    InvalidInteger {
        /// Where the line begins.
        at: u64,
    },
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) arrays inside each other.
    TooDeep {
        /// Where the innermost begins.
        at: u64,
    },
}

impl RespError {
    /// How many bytes the decoder had received before the line or byte at fault.
    #[must_use]
    pub fn at(&self) -> u64 {
        match *self {
            RespError::InvalidMultibulkLength { at }
            | RespError::InvalidBulkLength { at }
            | RespError::TooBigMultibulkLine { at }
            | RespError::TooBigBulkLine { at }
            | RespError::TooBigInline { at }
            | RespError::TooBigLine { at }
            | RespError::ExpectedBulk { at, .. }
            | RespError::UnbalancedQuotes { at }
            | RespError::MissingCrlf { at }
            | RespError::UnknownType { at, .. }
            | RespError::InvalidInteger { at }
            | RespError::TooDeep { at } => at,
        }
    }
}

impl fmt::Display for RespError {
    /// What Redis 6.2 writes behind `-ERR Protocol error: `, where it has words for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match *self {
            RespError::ExpectedBulk { got, .. } => {
                return write!(f, "expected '$', got '{}'", got.escape_ascii());
            }
            RespError::UnknownType { got, .. } => {
                return write!(f, "unknown reply type '{}'", got.escape_ascii());
            }
            RespError::InvalidMultibulkLength { .. } => "invalid multibulk length",
            RespError::InvalidBulkLength { .. } => "invalid bulk length",
            RespError::TooBigMultibulkLine { .. } => "too big mbulk count string",
            RespError::TooBigBulkLine { .. } => "too big bulk count string",
            RespError::TooBigInline { .. } => "too big inline request",
            RespError::TooBigLine { .. } => "too big line",
            RespError::UnbalancedQuotes { .. } => "unbalanced quotes in request",
            RespError::MissingCrlf { .. } => "expected CRLF",
            RespError::InvalidInteger { .. } => "invalid integer",
            RespError::TooDeep { .. } => "too many nested arrays",
        };
        f.write_str(text)
    }
}

impl std::error::Error for RespError {}

/// Why there is no payload: the master's answer or fault. Every `at` counts the bytes received
/// before the line or payload at fault, from the decoder's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadError {
    /// The master sent an error line instead.
    Refused {
        /// Where the line begins.
        at: u64,
        /// The line, with its `-`, without its end.
        line: Bytes,
    },
    /// A line that does not begin with `$`.
    NotAPayload {
        /// Where the line begins.
        at: u64,
        /// Its first byte.
        got: u8,
    },
    /// `$` and something that is no length in bytes.
    InvalidLength {
        /// Where the line begins.
        at: u64,
    },
    /// `$EOF:` and something else than 40 bytes.
    InvalidMark {
        /// Where the line begins.
        at: u64,
    },
    /// No line end within [`MAX_LINE`](super::MAX_LINE) bytes.
    HeaderTooLong {
        /// Where the line begins.
        at: u64,
    },
    /// A payload above the limit given to [`PayloadDecoder::new`](super::PayloadDecoder::new).
    TooBig {
        /// Where the header (if it names the length) or the payload begins.
        at: u64,
        /// The limit, in bytes.
        max_bytes: u64,
    },
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { at, line } => {
                write!(f, "the master refused at byte {at}: {}", line.escape_ascii())
            }
            Self::NotAPayload { at, got } => {
                let got = got.escape_ascii();
                write!(f, "the line at byte {at} begins with '{got}' where '$' is expected")
            }
            Self::InvalidLength { at } => {
                write!(f, "the header at byte {at} names no valid payload length")
            }
            Self::InvalidMark { at } => {
                write!(f, "the EOF mark of the header at byte {at} is not 40 bytes long")
            }
            Self::HeaderTooLong { at } => write!(f, "the header at byte {at} does not end"),
            Self::TooBig { at, max_bytes } => {
                write!(f, "the payload at byte {at} is larger than the limit of {max_bytes} bytes")
            }
        }
    }
}

impl std::error::Error for PayloadError {}
