//! The replies of the handshake, a line at a time.
//!
//! Invariant: bytes behind the last line returned stay untouched, because after `+FULLRESYNC` comes
//! the payload and after `+CONTINUE` the stream. Absent on purpose: what a line means.

use super::RespError;
use super::inbox::Inbox;
use bytes::Bytes;

/// Reads `+OK`, `-ERR …` and bare newlines from a replica's link to its master.
#[derive(Clone, Debug, Default)]
pub struct LineDecoder {
    inbox: Inbox,
    failed: Option<RespError>,
}

impl LineDecoder {
    /// A decoder at position 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends received bytes.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.failed.is_none() {
            self.inbox.feed(chunk);
        }
    }

    /// The next line without its LF or CRLF; a keepalive newline is an empty line. A master's
    /// `syncReadLine` peer (syncio.c, 6.2) accepts both ends, so does this.
    ///
    /// # Errors
    /// The peer sent more than [`MAX_LINE`](super::MAX_LINE) bytes without a line end.
    #[expect(clippy::should_implement_trait, reason = "None means not yet, not never")]
    pub fn next(&mut self) -> Result<Option<Bytes>, RespError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.inbox.lf_line() {
            Ok(None) => Ok(None),
            Ok(Some((text, next))) => Ok(Some(self.inbox.take(next).slice(text))),
            Err(_) => {
                let error = RespError::TooBigLine { at: self.inbox.position(0) };
                self.failed = Some(error);
                self.inbox.close();
                Err(error)
            }
        }
    }

    /// How many bytes are received but not returned.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.inbox.len()
    }

    /// The bytes behind the last line returned, for the next decoder.
    #[must_use]
    pub fn into_rest(mut self) -> Bytes {
        self.inbox.take_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAX_LINE;

    #[test]
    fn lines_and_what_follows_them() {
        let mut decoder = LineDecoder::new();
        decoder.feed(b"\n\n+CONTINUE abc\r\n\n*1\r\n$4");
        assert_eq!(decoder.next(), Ok(Some(Bytes::new())));
        assert_eq!(decoder.next(), Ok(Some(Bytes::new())));
        assert_eq!(decoder.next(), Ok(Some(Bytes::from_static(b"+CONTINUE abc"))));
        assert_eq!(decoder.into_rest(), "\n*1\r\n$4");
    }

    #[test]
    fn a_line_without_end_is_refused_once_and_for_all() {
        let mut decoder = LineDecoder::new();
        decoder.feed(b"\n");
        assert_eq!(decoder.next(), Ok(Some(Bytes::new())));
        decoder.feed(&vec![b'x'; MAX_LINE + 1]);
        let error = RespError::TooBigLine { at: 1 };
        assert_eq!(decoder.next(), Err(error));
        decoder.feed(b"\n+OK\r\n");
        assert_eq!((decoder.next(), decoder.buffered()), (Err(error), 0));
    }
}
