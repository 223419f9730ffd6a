//! A world of servers: time, links, a workload, actions, and the trace of all that happened.
//!
//! A run is a function of (scenario, seed). [`World`] is that function, event by event; [`Run`]
//! puts a tape recorder around it, so that time can be travelled.
//!
//! Invariants: integers only, no iteration over anything unordered, ties in the event queue broken
//! by a counter; the digest of a run is the same natively and in WebAssembly.
//!
//! Absent on purpose: wall-clock time, and everything that a browser or a socket would know.

mod act;
pub mod action;
mod branches;
mod comparison;
mod copies;
mod counterfactual;
pub mod curve;
pub mod decision;
mod digest;
pub mod export;
pub mod field;
mod link;
mod message;
mod network;
mod observe;
pub mod presets;
mod process;
mod room;
mod run;
mod samples;
pub mod scenario;
pub mod share;
mod sim;
pub mod snapshot;
mod tally;
pub mod trace;
mod words;
mod workload;

pub use action::{Action, Direction, Loss, TimedAction};
pub use branches::{Branch, Branches};
pub use comparison::{Comparison, Delta, Report};
pub use counterfactual::{Counterfactual, Finding};
pub use decision::{DecisionRecord, Verdict};
pub use field::BadInput;
pub use message::printable;
pub use observe::BytesAt;
pub use presets::Preset;
pub use room::Sizes;
pub use run::{Kept, Run};
pub use samples::{ReplicaSample, Sample, Spread};
pub use scenario::Scenario;
pub use share::Shared;
pub use sim::World;
pub use snapshot::Snapshot;
pub use tally::Tally;
pub use trace::Trace;
