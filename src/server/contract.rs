//! What is said between a server and whoever drives it: the inputs, the outputs, the start.
//!
//! The rule that goes with it stands in the parent module: one input, then all outputs until
//! `Timeout`, then the next input. Absent on purpose: any of the machine's state.

use bytes::Bytes;

use super::config::Config;
use super::engine::Engine;
use super::outbox::Kind;
use super::psync::Decided;
use super::upstream::Phase;
use crate::time::Instant;
use crate::wire::Rdb;

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
    /// Read nothing more from a connection until [`Output::Resume`]: what the peer sends waits in
    /// the network, and in the end with the peer.
    Pause {
        /// This one.
        conn: ConnId,
    },
    /// Read on.
    Resume {
        /// This one, which was paused.
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

/// INFO's counters of served synchronizations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Full resyncs.
    pub sync_full: u64,
    /// Partial ones.
    pub sync_partial_ok: u64,
    /// Partial ones refused.
    pub sync_partial_err: u64,
    /// Commands executed.
    pub commands: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Replicas cut because they made the server hold too much.
    pub output_limit_cuts: u64,
    /// Keys deleted because their time was over.
    pub expired_keys: u64,
    /// Bytes received, from masters as well.
    pub net_input: u64,
    /// Bytes sent, to replicas as well.
    pub net_output: u64,
    /// Bytes received from masters: handshakes, snapshots and stream.
    pub repl_input: u64,
    /// Bytes of snapshots and stream sent to replicas.
    pub repl_output: u64,
}

/// What a server is given when it starts.
#[derive(Clone, Debug)]
pub struct Start {
    /// Whose behaviour it shows.
    pub engine: &'static Engine,
    /// Its settings.
    pub config: Config,
    /// Seeds its ids and the phase of its clock ticks.
    pub seed: u64,
    /// Now.
    pub now: Instant,
    /// Unix time, in milliseconds, of `Instant::ZERO`.
    pub unix_ms_at_zero: u64,
    /// The master to follow, if any.
    pub master: Option<Address>,
    /// The snapshot on its disk, if there is one.
    pub snapshot: Option<Rdb>,
    /// Whether the memory of all ways of keeping a history is reckoned beside the engine's own.
    pub compares: bool,
}

impl Start {
    /// An empty master that starts at the beginning of time.
    #[must_use]
    pub fn new(engine: &'static Engine, config: Config, seed: u64) -> Start {
        let (now, unix_ms_at_zero) = (Instant::ZERO, 0);
        let (master, snapshot, compares) = (None, None, false);
        Start { engine, config, seed, now, unix_ms_at_zero, master, snapshot, compares }
    }
}
