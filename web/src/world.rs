//! The core's names that the page uses, in one place.

pub use psync::cluster::curve::{Point, rate_at};
pub use psync::cluster::decision::{CounterMoved, DecisionRecord, Remedy, Verdict};
pub use psync::cluster::snapshot::{
    BacklogSnapshot, Counters, LinkSnapshot, LinkState, ListSnapshot, MemorySnapshot, Packet,
    PacketKind, Role, ServerSnapshot, Snapshot, Transfer,
};
pub use psync::cluster::trace::{Entry, Message, What};
pub use psync::cluster::{
    Action, BadInput, Branch, Branches, BytesAt, Comparison, Counterfactual, Delta, Direction,
    Finding, Loss, Preset, ReplicaSample, Report, Run, Sample, Scenario, Shared, Spread, Tally,
    TimedAction, Trace, presets,
};
pub use psync::server::engine::{ENGINES, Engine};
pub use psync::stream::backlog::{Block, Keeping};
pub use psync::stream::checks::{Check, CheckName, Outcome};
pub use psync::stream::offset::BytePos;
pub use psync::time::Instant;
