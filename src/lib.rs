//! Redis-style replication with partial resynchronization, written once without I/O.

pub mod cluster;
pub mod random;
pub mod server;
pub mod stream;
pub mod time;
pub mod wire;
