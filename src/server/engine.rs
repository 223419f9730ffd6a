//! Whose behaviour a server shows: one table of differences per engine.
//!
//! Code asks the table (`engine.rdb_version`), never the name. Today it has one row; the others
//! join it as rows, not as branches.

/// The differences that the rest of the code asks about.
#[derive(Debug, PartialEq, Eq)]
pub struct Engine {
    /// As scenarios and the command line name it.
    pub name: &'static str,
    /// As INFO and the RDB header's `redis-ver` say it.
    pub version: &'static str,
    /// The number in the RDB magic.
    pub rdb_version: u32,
    /// Whether a replica announces `REPLCONF version` in its handshake, and a master knows that
    /// option. Valkey 8.0+ does; a Redis master answers with an error that replicas ignore.
    pub announces_version: bool,
    /// Whether a master started from a snapshot goes on under the saved id as its second one
    /// (Redis 7.0+, `rdbLoadRioWithLoadingCtx`).
    pub master_restart_keeps_id: bool,
    /// Default of `repl-backlog-size`, in bytes.
    pub default_backlog_bytes: u64,
}

/// Redis 6.2: one circular buffer, PSYNC2, immediate reconnect.
pub const REDIS_6_2: Engine = Engine {
    name: "redis-6.2",
    version: "6.2.14",
    rdb_version: 9,
    announces_version: false,
    master_restart_keeps_id: false,
    default_backlog_bytes: 1 << 20,
};

/// Every engine there is.
pub const ENGINES: &[&Engine] = &[&REDIS_6_2];

impl Engine {
    /// Finds an engine by the name that scenarios use.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Engine> {
        ENGINES.iter().find(|engine| engine.name == name).copied()
    }
}
