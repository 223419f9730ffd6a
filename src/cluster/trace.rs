//! Everything that happened in a run, in order.

use serde::Serialize;

use super::decision::DecisionRecord;
use super::snapshot::{LinkState, PacketKind};
use crate::time::Instant;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number in the run, from 0.
    pub seq: u64,
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum What {
    /// Bytes were put on a link.
    Message(Message),
    /// A master answered a PSYNC.
    Decision(Box<DecisionRecord>),
    /// A replica's link changed its state.
    Link {
        /// Index of the replica in the snapshot's servers.
        replica: usize,
        /// The new state.
        state: LinkState,
    },
    /// A server logged a line.
    Log {
        /// Index of the server.
        server: usize,
        /// The text, without prefix.
        line: String,
    },
    /// The next byte that an absent replica needs was overwritten.
    Overrun {
        /// Index of the replica.
        replica: usize,
    },
    /// Somebody did something to the world.
    Action {
        /// Index of the server or replica concerned.
        server: usize,
        /// In a few words: `cut link to replica-1`.
        text: String,
    },
}

/// Bytes on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whose link: index of the replica.
    pub replica: usize,
    /// Direction.
    pub to_replica: bool,
    /// Kind.
    pub kind: PacketKind,
    /// Size.
    pub bytes: u64,
    /// As on the wire, made printable: `PSYNC 8f3a… 1264861`, `+CONTINUE`, `SET key:1 …`.
    pub raw: String,
    /// One line of meaning.
    pub meaning: &'static str,
}
