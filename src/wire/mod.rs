//! What travels on a link: RESP2 text, the handshake's lines, and the RDB payload of a full resync.
//!
//! A replica reads its link with three decoders in turn: [`LineDecoder`] for the replies of the
//! handshake, after `+FULLRESYNC` a [`PayloadDecoder`], then [`CommandDecoder`] for the stream. Each
//! hands the bytes behind its own part to the next one unchanged, because from the first byte of the
//! stream on every byte is counted.
//!
//! Invariants of every decoder:
//! - What it returns depends on the bytes received, never on how they were cut into chunks (only
//!   [`PayloadEvent::Progress`] follows the chunks).
//! - "More bytes are needed" is `Ok(None)`. An error is final: the stream cannot be resynchronised,
//!   so the same error is returned from then on and further bytes are thrown away.
//! - Memory grows with the bytes received, never with a length that a peer announced.
//!
//! Absent on purpose: RESP3, sockets, a limit on the bytes held for one unfinished command (the
//! driver knows its `client-query-buffer-limit` and reads `buffered()`), and any meaning: whether a
//! command exists or a line is welcome is the server's question. `redis-protocol` is not used because
//! version 6 does not check a bulk's closing CRLF and rejects bare newlines and `$EOF:` payloads; it
//! is an oracle in the tests.

mod command;
mod crc64;
mod error;
mod inbox;
mod inline;
mod line;
mod number;
mod payload;
pub mod rdb;
mod resp;

pub use command::{CommandDecoder, Frame, FrameKind, command_len, encode_command};
pub use crc64::CRC64;
pub use error::{PayloadError, RespError};
pub use inbox::MAX_LINE;
pub use line::LineDecoder;
pub use number::parse_integer;
pub use payload::{
    PayloadDecoder, PayloadEvent, PayloadForm, encode_eof_header, encode_length_header,
};
pub use rdb::{Rdb, RdbEntry, RdbError};
pub use resp::{MAX_ARRAY, MAX_BULK, MAX_DEPTH, ReplyDecoder, Value};
