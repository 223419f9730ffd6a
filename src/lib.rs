//! Redis-style replication with partial resynchronization, written once without I/O.

pub mod stream;
pub mod wire;
