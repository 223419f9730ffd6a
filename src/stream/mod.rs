//! A byte history and who may continue it.
//!
//! Offsets count its bytes, an id names it, a backlog keeps its newest part, and `psync` decides
//! from these three alone whether a reader may go on from where it stopped.

pub mod backlog;
pub mod checks;
pub mod history;
pub mod offset;
pub mod psync;
