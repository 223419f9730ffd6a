//! A world of servers: time, links, a workload, actions, and the trace of all that happened.

pub mod decision;
pub mod snapshot;
pub mod trace;
