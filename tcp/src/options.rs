//! What a driver is told before it starts.

use std::net::{Ipv4Addr, SocketAddr};

use psync::server::Address;
use psync::server::config::Config;
use psync::server::engine::Engine;
use psync::wire::Rdb;

use crate::snapshot_file::SnapshotFile;

/// Which server to run, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. [`Config::port`], which a replica announces to
    /// its master, becomes the port that was taken.
    pub listen: SocketAddr,
    /// Where to listen as well; port 0 takes the first one's.
    pub also_listen: Vec<Extra>,
    /// Connections that may wait for being accepted (`tcp-backlog`).
    pub tcp_backlog: u32,
    /// Whether an address that other machines can reach is meant. This server knows no passwords.
    pub allow_remote: bool,
    /// Whose behaviour it shows.
    pub engine: &'static Engine,
    /// Its settings.
    pub config: Config,
    /// The master to follow, if any.
    pub master: Option<Address>,
    /// What was saved before, to begin with.
    pub snapshot: Option<Rdb>,
    /// Where to save; without one nothing is kept.
    pub snapshot_file: Option<SnapshotFile>,
    /// Seeds ids and ticks; without one the operating system gives it.
    pub seed: Option<u64>,
    /// What one peer may cost.
    pub limits: Limits,
}

/// One more address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// That address.
    pub address: SocketAddr,
    /// Whether it is no error when this machine has no such address (`bind -::1`).
    pub may_be_missing: bool,
}

/// What one peer may cost. The values are a real server's defaults. What waits for replicas is
/// bounded by the server itself (`client-output-buffer-limit`), what waits for clients by
/// [`MOST_UNREAD_BYTES`](psync::server::MOST_UNREAD_BYTES).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time; one more is refused (`maxclients`).
    pub connections: usize,
    /// Bytes of one unfinished command; beyond, the connection is cut
    /// (`client-query-buffer-limit`, in bytes).
    pub input_bytes: u64,
}

impl Options {
    /// A master on a free port of the loopback, with the engine's defaults.
    #[must_use]
    pub fn new(engine: &'static Engine) -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            also_listen: Vec::new(),
            tcp_backlog: 511,
            allow_remote: false,
            engine,
            config: Config::defaults(engine),
            master: None,
            snapshot: None,
            snapshot_file: None,
            seed: None,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connections: 10_000, input_bytes: 1 << 30 }
    }
}
