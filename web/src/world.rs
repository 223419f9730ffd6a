//! The core's names that the page uses, in one place.

use std::ops::Deref;
use std::rc::Rc;

pub use psync::cluster::curve::{Point, rate_at};
pub use psync::cluster::decision::{CounterMoved, DecisionRecord, Remedy, Verdict};
pub use psync::cluster::snapshot::{
    BacklogSnapshot, Counters, LinkSnapshot, LinkState, ListSnapshot, MemorySnapshot, Packet,
    PacketKind, Role, ServerSnapshot, Snapshot, Transfer,
};
pub use psync::cluster::trace::{Entry, Message, What};
pub use psync::cluster::{
    Action, Branch, Branches, BytesAt, Comparison, Counterfactual, Delta, Direction, Finding, Loss,
    Preset, ReplicaSample, Report, Run, Sample, Scenario, Shared, Spread, Tally, TimedAction,
    Trace, presets,
};
pub use psync::server::engine::{ENGINES, Engine};
pub use psync::stream::backlog::{Block, Keeping};
pub use psync::stream::checks::{Check, CheckName, Outcome};
pub use psync::stream::offset::BytePos;
pub use psync::time::Instant;

/// A snapshot on its way to what draws it. Two of them are equal when they are one: a new one is made
/// when something changed, and comparing each of their fields would say no more.
#[derive(Clone, Debug)]
pub struct Shown(pub Rc<Snapshot>);

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Shown {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}
