//! What passes between a server and whoever drives it: inputs, outputs, events.
//!
//! Absent on purpose: sockets. A connection is a number.

use bytes::Bytes;

use super::{Decided, Kind, Phase};
use crate::time::Instant;

/// A connection. Who opens one numbers it: the driver takes even numbers for those it accepts,
/// the server odd ones for those it dials, so the two never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What can happen to a server.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody connected.
    Accepted {
        /// An even number, never used before.
        conn: ConnId,
        /// The peer's IP address, for logs.
        peer_ip: String,
        /// The peer's port.
        peer_port: u16,
        /// How many bytes the transport takes at once.
        room: u64,
    },
    /// A connection asked for by [`Output::Dial`] stands.
    Dialed {
        /// As asked for.
        conn: ConnId,
        /// How many bytes the transport takes at once.
        room: u64,
    },
    /// Bytes arrived.
    Received {
        /// On this connection.
        conn: ConnId,
        /// Never empty.
        bytes: Bytes,
    },
    /// The transport can take more.
    Writable {
        /// On this connection.
        conn: ConnId,
        /// How many bytes more than before.
        room: u64,
    },
    /// A connection ended, or a dialed one could not be made.
    Closed {
        /// This one; it is never mentioned again.
        conn: ConnId,
    },
    /// What was asked for with [`Output::Save`] is done.
    Saved {
        /// Whether it stands on disk.
        ok: bool,
    },
    /// The moment asked for by [`Output::Timeout`] has come.
    Timeout,
}

/// What a server wants from its driver.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes; they fit the room that was given.
    Transmit {
        /// On this connection.
        conn: ConnId,
        /// What they are.
        kind: Kind,
        /// The bytes.
        bytes: Bytes,
    },
    /// Open a connection.
    Dial {
        /// An odd number, never used before.
        conn: ConnId,
        /// To here.
        to: Address,
    },
    /// End a connection. No `Closed` follows.
    Close {
        /// This one.
        conn: ConnId,
    },
    /// Put this snapshot on disk, in place of the last one, and say [`Input::Saved`]. A driver
    /// without a disk may leave it.
    Save {
        /// The file's bytes.
        rdb: Bytes,
    },
    /// End the process.
    Exit,
    /// Something worth telling happened.
    Event(Event),
    /// Nothing more now; wake the server at this moment at the latest.
    Timeout(Instant),
}

/// What a server tells about itself.
#[derive(Clone, Debug)]
pub enum Event {
    /// A PSYNC was answered.
    Decided(Box<Decided>),
    /// The link to its master changed its phase.
    Link(Phase),
    /// A line for the log, in the words of the engine, without prefix.
    Log(String),
}
