//! Redis-style replication with partial resynchronization, written once without I/O.
//!
//! A replica that lost its master for a moment asks `PSYNC <id> <offset>`: "this is the history
//! I was in, and this is the next byte I need". If the master is in the same history and still
//! keeps that byte, it sends just the rest. Otherwise it sends everything again. This crate is
//! that decision and everything around it: the bytes, the backlog, the handshake, the timeouts.
//!
//! # The one-way flow
//!
//! ```text
//! scenario -> workload -> server -> backlog -> link -> server -> trace -> snapshot -> view
//! ```
//!
//! * [`stream`]: a byte history and who may continue it. Offsets count bytes, ids name histories,
//!   a backlog keeps the newest part, and [`stream::psync::decide`] decides, purely.
//! * [`wire`]: what travels on a link. RESP commands and replies, and the RDB payload.
//! * [`server`]: one server, master and replica in one type. [`server::Server`] takes inputs with
//!   the time they came at and says what it wants done.
//! * [`cluster`]: a world of servers, deterministic to the last event. [`cluster::Run`] plays a
//!   [`cluster::Scenario`] and can be wound back.
//! * [`lesson`]: lessons as data, and who leads through them.
//!
//! A room uses only rooms named above it; a test checks that. [`time`], [`random`], [`table`]
//! and [`json`] stand outside the rooms, because several of them use these.
//!
//! # What always holds
//!
//! * The backlog is a suffix of the history: its last byte is the newest one.
//! * Two servers with the same replication id hold the same bytes at the same offsets.
//! * A partial resynchronization sends exactly the bytes from the one asked for to the newest.
//! * A run is a function of its scenario: the same natively and in WebAssembly.
//! * What differs between engines stands in one table (`server::engine`); code asks the row.
//!
//! # Absent on purpose
//!
//! Sockets, clocks, threads, files and the browser: drivers have those (`psync-tcp`, `psync-lab`).
//! Data types other than strings: replication does not care what it replicates.

pub mod cluster;
pub mod json;
pub mod lesson;
pub mod random;
pub mod server;
pub mod stream;
pub mod table;
pub mod time;
pub mod wire;
