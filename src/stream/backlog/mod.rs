//! What is still kept of a history, so that a reader who fell behind can be given the rest.
//!
//! One trait, [`Retention`]; each way of keeping bytes is a type of its own:
//!
//! * [`Ring`]: one circular buffer, as Redis 2.8 to 6.2 have it.
//!
//! The arithmetic of what is kept (`window`) is separate from the bytes (`ring`): planning a year
//! of writes at 260 MB/s needs the first and not the second, and a test holds the two equal.
//!
//! Absent on purpose: when a backlog is created and freed. That is the server's business.

mod ring;
mod window;

pub use ring::Ring;
pub use window::{RingWindow, Window};

use super::offset::{ByteCount, BytePos};

/// A way of keeping the newest part of a history, with its bytes.
///
/// Invariant for every implementation: the window is a suffix of what was appended, that is
/// `window().next()` is the byte that the next `append` will store first.
///
/// `Send`, so that a driver may run a server on a thread of its own.
pub trait Retention: std::fmt::Debug + Send {
    /// What is kept now, in numbers.
    fn window(&self) -> Window;

    /// Adds the newest bytes of the history, dropping as many of the oldest as it must.
    fn append(&mut self, bytes: &[u8]);

    /// The kept bytes from `from` on, at most `len` of them, as the two halves of a possible wrap.
    ///
    /// Positions outside the window give fewer bytes or none, never other bytes.
    fn read(&self, from: BytePos, len: ByteCount) -> (&[u8], &[u8]);

    /// Applies a new `repl-backlog-size`.
    fn resize(&mut self, size: ByteCount);

    /// Bytes of memory held at the moment.
    fn memory(&self) -> ByteCount;

    /// A copy behind a new box: worlds are cloned so that time can be travelled.
    fn boxed_clone(&self) -> Box<dyn Retention>;
}

impl Clone for Box<dyn Retention> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}
