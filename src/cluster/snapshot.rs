//! What can be seen of a world at one moment: the public JSON of `snapshot()`, and what the
//! drawing needs besides.
//!
//! The page is a pure function of this value. Absent on purpose: anything that can be changed
//! through it.

use serde::Serialize;

use crate::stream::backlog::Block;

/// A whole world at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Simulated time.
    pub now_us: u64,
    /// The servers; the first one is `master`, the others `replica-1`… in order.
    pub servers: Vec<ServerSnapshot>,
    /// What travels at this moment.
    pub packets: Vec<Packet>,
    /// Bytes of history per second that the first server wrote lately (a mean over some seconds).
    pub write_bytes_per_second: u64,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerSnapshot {
    /// `master`, `replica-1`, …: a name for the place, whatever the role is now.
    pub name: String,
    /// What it is now.
    pub role: Role,
    /// Fresh at every start.
    pub run_id: String,
    /// `master_replid`.
    pub replid: String,
    /// `master_replid2`: forty `0` when there is none.
    pub replid2: String,
    /// -1 when there is none.
    pub second_replid_offset: i64,
    /// Bytes of history produced or applied.
    pub master_repl_offset: u64,
    /// None when there is none.
    pub backlog: Option<BacklogSnapshot>,
    /// The link to its master; none on a server that is no replica.
    pub link: Option<LinkSnapshot>,
    /// Of INFO stats.
    pub counters: Counters,
    /// How many keys.
    pub keys: u64,
    /// Equal on two servers exactly when their data is.
    pub dataset_digest: String,
    /// Stopped as by SIGSTOP.
    pub frozen: bool,
    /// Without a process, as after SIGKILL; the rest is what would start.
    pub killed: bool,
    /// How long until the backlog is freed, while no replica is attached and a TTL is set.
    pub backlog_ttl_left_us: Option<u64>,
    /// `connected_slaves`.
    pub connected_replicas: u64,
}

/// Master or replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Accepts writes.
    Master,
    /// Follows another server.
    Replica,
}

/// What a server keeps of its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BacklogSnapshot {
    /// The oldest byte kept.
    pub first_byte_offset: i64,
    /// How many bytes are kept.
    pub histlen: u64,
    /// `repl-backlog-size`.
    pub size: u64,
    /// Where in its buffer the next byte goes, where the engine keeps a circular one (up to 6.2).
    pub index: Option<u64>,
    /// The blocks, oldest first, where the engine keeps blocks (7.0 on).
    pub blocks: Option<Vec<Block>>,
    /// The list kept for each replica, where the engine keeps lists (the proposal).
    pub lists: Option<Vec<ListSnapshot>>,
    /// What each way of keeping this stream for these replicas would take, in bytes: as real
    /// servers account it, on this very run.
    pub memory: Vec<MemorySnapshot>,
}

/// One replica's list in the proposal of 2011.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListSnapshot {
    /// Whose: `replica-1`; none when that process is gone.
    pub replica: Option<String>,
    /// Whether it is attached.
    pub attached: bool,
    /// The oldest byte kept.
    pub first_byte_offset: i64,
    /// How many bytes are kept.
    pub histlen: u64,
    /// How many of them it was not sent yet: the newest.
    pub unsent_bytes: u64,
}

/// What one way of keeping takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemorySnapshot {
    /// `ring`, `blocks` or `retained`.
    pub keeping: &'static str,
    /// For those who are away.
    pub backlog_bytes: u64,
    /// For those who are attached and slow.
    pub replicas_bytes: u64,
}

/// A replica's link to its master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkSnapshot {
    /// What it is doing.
    pub state: LinkState,
    /// Name of the master at the other end.
    pub master: String,
    /// Bytes the master has written that this replica has not applied. Meaningless across
    /// different histories, and then the master's whole offset.
    pub behind_bytes: u64,
    /// While it is not in sync: how long, at the present write rate, the master still keeps what
    /// this replica needs. Zero when it is too late; null when up, or when nothing is written.
    pub covered_us: Option<u64>,
    /// Bytes that can still be written before the replica's next byte is overwritten; negative:
    /// how many of the bytes it needs are gone. Null when they share no history or no backlog.
    pub room_bytes: Option<i64>,
    /// The next byte this replica would ask for.
    pub next_byte: i64,
    /// The id it would ask with; null when it would ask for everything.
    pub asks_replid: Option<String>,
    /// Whether that id names the master's present or second history.
    pub same_history: bool,
    /// Nothing passes from master to replica.
    pub cut_to_replica: bool,
    /// Nothing passes from replica to master.
    pub cut_to_master: bool,
    /// Since when the present outage lasts: the moment the link went down.
    pub down_since_us: Option<u64>,
    /// One way.
    pub latency_us: u64,
    /// Each way; null is unlimited.
    pub bandwidth_bytes_per_second: Option<u64>,
    /// The chance that a segment is lost and sent again, such as `1/100`; null is none.
    pub loss: Option<String>,
    /// The snapshot on its way, in state `transfer`.
    pub transfer: Option<Transfer>,
    /// What this replica makes its master hold (`omem`), while it is attached.
    pub output_bytes: Option<u64>,
    /// The hard limit on that; null is none.
    pub output_limit_bytes: Option<u64>,
    /// The block that its master is sending it, where the master keeps blocks: index in `blocks`.
    pub reads_block: Option<usize>,
}

/// The states of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// The stream flows.
    Up,
    /// The network lets nothing through, in one direction or both.
    Cut,
    /// Waiting for the next try, or for the connection.
    Connecting,
    /// PING, REPLCONF, PSYNC.
    Handshake,
    /// A snapshot is on its way.
    Transfer,
}

/// A snapshot on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// Bytes that have arrived.
    pub received: u64,
    /// All of them, if announced.
    pub total: Option<u64>,
}

/// Of INFO stats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Full resyncs served.
    pub sync_full: u64,
    /// Partial ones served.
    pub sync_partial_ok: u64,
    /// Partial ones refused.
    pub sync_partial_err: u64,
}

/// Bytes on the wire between a replica and its master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Packet {
    /// Whose link: the index of the replica in `servers`.
    pub replica: usize,
    /// Direction.
    pub to_replica: bool,
    /// When it left.
    pub sent_us: u64,
    /// When it arrives.
    pub arrives_us: u64,
    /// What it is.
    pub kind: PacketKind,
    /// How many bytes.
    pub bytes: u64,
    /// For control messages a word to print on it: `PSYNC`, `CONTINUE`, `ACK`…
    pub label: String,
}

/// The three kinds of bytes on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PacketKind {
    /// Handshake, PSYNC and its answer, ACK.
    Control,
    /// The write stream.
    Stream,
    /// A full resync's payload.
    Snapshot,
}
