//! The socket shell of PSYNC Lab: everything that knows sockets, files and processes.
//!
//! [`Driver`] puts one [`Server`](psync::server::Server) of the core behind TCP, on one thread:
//!
//! ```text
//!   sockets --Input--> Server --Output--> sockets        clock --now, Timeout--> Server
//!                        \--Event--> observer             handle --inspect, shut_down, stop-->
//!                        \--Save---> snapshot file, on a thread beside
//! ```
//!
//! The same unchanged machine that runs in the page runs here; a driver only carries bytes, keeps
//! time and counts room. That is why a real `redis-server` can be its replica or its master.
//!
//! [`service`] makes a process of it, the program `psync-server`, that starts, logs and ends as
//! redis-server does:
//!
//! ```text
//!   arguments --command_line--> redis_conf --> settings --> Driver
//!                               (words)        (directives)    \--log lines--> journal (manner)
//! ```
//!
//! Invariants:
//! * the machine's contract: one input, then everything it asks for, then the next input;
//! * a connection holds a bounded amount of memory (see [`Limits`]), whatever its peer does;
//! * a turn costs what its busy connections cost, however many others are open;
//! * nothing a peer sends or does can stop the loop or make it panic;
//! * only the loopback is listened on, unless [`Options::allow_remote`] says otherwise.
//!
//! Absent on purpose: what bytes mean (the core), TLS, passwords, Unix sockets.

mod clock;
pub mod command_line;
mod connection;
pub mod descriptors;
pub mod directives;
mod driver;
mod error;
mod handle;
pub mod journal;
mod listeners;
pub mod manner;
mod options;
pub mod redis_conf;
mod saver;
pub mod service;
pub mod settings;
mod snapshot_file;
mod sockets;
pub mod words;

pub use clock::{Clock, random_seed};
pub use driver::{Driver, Happening};
pub use error::{StartError, Stopped};
pub use handle::{Handle, Running};
pub use options::{Extra, Limits, Options};
pub use snapshot_file::SnapshotFile;
