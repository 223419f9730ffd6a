//! A decision as the page, the API and the tests see it: one JSON value with everything that
//! proves it. The names are those of the public interface.

use serde::Serialize;

use crate::stream::checks::Check;

/// One answer to one `PSYNC`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionRecord {
    /// Its number in the trace.
    pub seq: u64,
    /// When the master decided.
    pub at_us: u64,
    /// Who decided.
    pub master: String,
    /// Who asked.
    pub replica: String,
    /// What was asked.
    pub request: RequestRecord,
    /// How it was answered.
    pub verdict: Verdict,
    /// Why not partial: the names of [`FullReason::name`](crate::stream::psync::FullReason::name).
    pub reason: Option<&'static str>,
    /// What the master kept at that moment; none without a backlog or with an empty one.
    pub window: Option<WindowRecord>,
    /// Bytes that the answer sends: the missing part of the stream, or the snapshot.
    pub bytes: u64,
    /// Bytes that a full resync costs at this moment.
    pub full_bytes: u64,
    /// Bytes of history between the replica and the master; none when they share no history.
    pub missing_bytes: Option<u64>,
    /// The smallest setting that would have made it partial.
    pub remedy: Option<Remedy>,
    /// The line that a real server logs.
    pub log_line: String,
    /// The tests made, in their order.
    pub checks: Vec<Check>,
    /// The counters that moved, with their new values.
    pub counters_moved: Vec<CounterMoved>,
}

/// `PSYNC <replid> <offset>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// The id asked for.
    pub replid: String,
    /// The next byte wanted.
    pub offset: i64,
}

/// Partial or full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// `+CONTINUE`.
    Partial,
    /// `+FULLRESYNC`.
    Full,
}

/// The oldest and the newest byte kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WindowRecord {
    /// Oldest.
    pub first: i64,
    /// Newest.
    pub last: i64,
}

/// A directive with a value, as `CONFIG SET` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// Such as `repl-backlog-size`.
    pub directive: &'static str,
    /// Such as `20480`.
    pub value: String,
}

/// A counter of INFO that a decision moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CounterMoved {
    /// Such as `sync_full`.
    pub name: &'static str,
    /// Its value afterwards.
    pub value: u64,
}
