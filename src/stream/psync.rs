//! The decision itself: may this reader go on where it stopped, or must it start again?
//!
//! [`decide`] is pure and total. It makes the tests in the order in which a real server makes
//! them (Redis `masterTryPartialResync`), and its answer carries the numbers that prove it; the
//! log line, the card on the page and the counters are derived from the answer, never the other
//! way round.
//!
//! Absent on purpose: refusals that are not decisions (a replica whose own link is down, an
//! offset that is no number). They are error replies, and no counter moves.

use bytes::Bytes;

use super::backlog::Window;
use super::history::{History, ReplId};
use super::offset::{ByteCount, BytePos};

/// What a reader asks: `PSYNC <replid> <offset>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The history it believes to be in. Any text: a peer may send what it likes.
    pub replid: Bytes,
    /// The next byte it wants.
    pub pos: BytePos,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// `+CONTINUE`, and then `len` bytes beginning with `from`.
    Partial {
        /// The first byte that is sent.
        from: BytePos,
        /// How many are sent at once; zero when nothing was missed.
        len: ByteCount,
    },
    /// `+FULLRESYNC`, and then the whole dataset.
    Full {
        /// Why the rest of the history alone would not do.
        reason: FullReason,
    },
}

/// Why a request was answered with a full resync; one variant a cause, with the numbers compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FullReason {
    /// The reader asked for it: `PSYNC ? -1`, or any id that begins with `?`.
    Requested,
    /// The id names neither the present history nor the older one.
    UnknownReplid {
        /// What was asked for.
        asked: Bytes,
        /// The two ids that would have done.
        replid: ReplId,
        /// Forty `0` when there is no second one.
        replid2: ReplId,
    },
    /// The older history was named, but beyond the point where the present one left it.
    PastSecondOffset {
        /// The position asked for.
        asked: BytePos,
        /// The last one that would have done.
        valid_up_to: BytePos,
    },
    /// Nothing is kept at all: no replica was ever here, or it was freed.
    NoBacklog {
        /// The position asked for.
        asked: BytePos,
    },
    /// The bytes asked for were overwritten.
    BeforeBacklog {
        /// The position asked for.
        asked: BytePos,
        /// The oldest one still kept.
        first: BytePos,
    },
    /// The position lies in the future of this history.
    AfterBacklog {
        /// The position asked for.
        asked: BytePos,
        /// The furthest one that would have done: the next byte to be written.
        next: BytePos,
    },
}

/// A way of deciding; there is one right one, [`decide`].
pub type Rule = fn(&History, Option<&Window>, &Request) -> Decision;

impl Request {
    /// What a reader without any history sends: `PSYNC ? -1`.
    #[must_use]
    pub fn full() -> Request {
        Request { replid: Bytes::from_static(b"?"), pos: BytePos(-1) }
    }

    /// Whether the reader itself wants everything.
    #[must_use]
    pub fn wants_full(&self) -> bool {
        self.replid.first() == Some(&b'?')
    }
}

impl FullReason {
    /// The short name that the page, the API and the tests use.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            FullReason::Requested => "requested",
            FullReason::UnknownReplid { .. } => "unknown-replid",
            FullReason::PastSecondOffset { .. } => "past-second-offset",
            FullReason::NoBacklog { .. } => "no-backlog",
            FullReason::BeforeBacklog { .. } => "before-backlog",
            FullReason::AfterBacklog { .. } => "after-backlog",
        }
    }

    /// Whether `sync_partial_err` moves: a reader that asks for everything is not refused.
    #[must_use]
    pub fn counts_as_error(&self) -> bool {
        !matches!(self, FullReason::Requested)
    }
}

/// Decides on `request` for a server with this history and this backlog.
///
/// Source: Redis 4.0 to 7.2 and Valkey, `masterTryPartialResync`.
#[must_use]
pub fn decide(history: &History, backlog: Option<&Window>, request: &Request) -> Decision {
    match refuse(history, backlog, request) {
        Err(reason) => Decision::Full { reason },
        Ok(len) => Decision::Partial { from: request.pos, len },
    }
}

fn refuse(
    history: &History,
    backlog: Option<&Window>,
    request: &Request,
) -> Result<ByteCount, FullReason> {
    let asked = request.pos;
    if request.wants_full() {
        return Err(FullReason::Requested);
    }
    if !history.replid.matches(&request.replid) {
        // A server without a second id still compares with forty zeros and a limit of -1, so a
        // reader that sends forty zeros is told about the offset and not about the id.
        if !history.replid2().matches(&request.replid) {
            return Err(FullReason::UnknownReplid {
                asked: request.replid.clone(),
                replid: history.replid,
                replid2: history.replid2(),
            });
        }
        let valid_up_to = history.second_replid_offset();
        if asked > valid_up_to {
            return Err(FullReason::PastSecondOffset { asked, valid_up_to });
        }
    }
    let Some(window) = backlog else {
        return Err(FullReason::NoBacklog { asked });
    };
    if asked < window.first {
        return Err(FullReason::BeforeBacklog { asked, first: window.first });
    }
    // Asking for the byte after the newest is not the future: it is "I have everything", and is
    // continued with zero bytes (end = 110: 111 is good, 112 is not).
    asked.until(window.next()).ok_or(FullReason::AfterBacklog { asked, next: window.next() })
}

/// The smallest `repl-backlog-size`, in bytes, with which `reason` would not have arisen.
///
/// None when no size can help: the id was the problem, the reader asked for everything, or the
/// bytes were written before this backlog existed.
#[must_use]
pub fn remedy(reason: &FullReason, backlog: Option<&Window>) -> Option<ByteCount> {
    let (FullReason::BeforeBacklog { asked, .. }, Some(window)) = (reason, backlog) else {
        return None;
    };
    // Everything from `asked` to the newest byte must fit: with 120 written and 110 asked for,
    // these are 110 ..= 120, which are 121 - 110 = 11 bytes.
    (*asked >= window.kept_since).then(|| asked.until(window.next())).flatten()
}

#[cfg(test)]
mod tests;
