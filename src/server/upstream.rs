//! This server's link to its master: dial, lose, retry; become a replica, become a master.
//!
//! `handshake` speaks on the link until the answer to PSYNC, `follow` takes the snapshot and the
//! stream. What survives a lost link is little: the history (id and applied offset, which the
//! server has anyway) and the database that the stream was in. Everything received but not
//! applied is thrown away, because the master sends it again.

mod follow;
mod handshake;

use self::handshake::Awaiting;
use super::outbox::Outbox;
use super::{Address, ConnId, Event, Output, Server};
use crate::stream::history::ReplId;
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::LineDecoder;
use crate::wire::PayloadDecoder;
use crate::wire::{CommandDecoder, Frame};

/// Where the link stands; the names are those of ROLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the next try.
    Connect,
    /// A connection is being made.
    Connecting,
    /// PING, REPLCONF, PSYNC.
    Handshake,
    /// A snapshot is arriving.
    Transfer,
    /// The stream flows.
    Connected,
}

impl Phase {
    /// As ROLE prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Connect => "connect",
            Phase::Connecting => "connecting",
            Phase::Handshake => "handshake",
            Phase::Transfer => "sync",
            Phase::Connected => "connected",
        }
    }
}

/// The link as INFO shows it.
#[derive(Clone, Debug)]
pub struct LinkStatus {
    /// To whom.
    pub master: Address,
    /// Where it stands.
    pub phase: Phase,
    /// When something last arrived.
    pub last_io: Instant,
    /// Since when the stream has not flowed.
    pub down_since: Option<Instant>,
    /// (received, announced) bytes of the snapshot that is arriving.
    pub transfer: Option<(u64, Option<u64>)>,
    /// Whether the next PSYNC will ask for a continuation.
    pub can_resume: bool,
    /// Bytes of stream received and not applied yet: half a command, an open MULTI.
    pub unapplied: u64,
}

impl LinkStatus {
    /// `slave_read_repl_offset`.
    #[must_use]
    pub fn read_offset(&self, applied: Offset) -> u64 {
        applied.0 + self.unapplied
    }
}

#[derive(Clone, Debug)]
pub(super) struct Upstream {
    master: Address,
    conn: Option<ConnId>,
    step: Step,
    /// When something last arrived, or the present step began.
    last_io: Instant,
    down_since: Option<Instant>,
    /// There is a history to continue, in this database (Redis' cached master).
    resume: Option<u32>,
}

#[derive(Clone, Debug)]
enum Step {
    Waiting,
    Connecting,
    Handshake(LineDecoder, Awaiting),
    Transfer(Transfer),
    Online(Online),
}

#[derive(Clone, Debug)]
struct Transfer {
    decoder: PayloadDecoder,
    replid: ReplId,
    end: Offset,
    received: u64,
    total: Option<u64>,
    /// After an `$EOF` payload the master waits for the first ACK before it streams.
    ack_at_once: bool,
}

#[derive(Clone, Debug)]
struct Online {
    decoder: CommandDecoder,
    /// The commands of an open MULTI, itself included.
    transaction: Vec<Frame>,
}

impl Upstream {
    pub fn master(&self) -> &Address {
        &self.master
    }

    pub fn is_on(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    pub fn resume_in(&mut self, db: u32) {
        self.resume = Some(db);
    }

    pub fn phase(&self) -> Phase {
        match self.step {
            Step::Waiting => Phase::Connect,
            Step::Connecting => Phase::Connecting,
            Step::Handshake(..) => Phase::Handshake,
            Step::Transfer(_) => Phase::Transfer,
            Step::Online(_) => Phase::Connected,
        }
    }

    pub fn status(&self) -> LinkStatus {
        let transfer = match &self.step {
            Step::Transfer(transfer) => Some((transfer.received, transfer.total)),
            _ => None,
        };
        let unapplied = match &self.step {
            Step::Online(online) => {
                let open: usize = online.transaction.iter().map(|frame| frame.raw.len()).sum();
                (open + online.decoder.buffered()) as u64
            }
            _ => 0,
        };
        LinkStatus {
            master: self.master.clone(),
            phase: self.phase(),
            last_io: self.last_io,
            down_since: self.down_since,
            transfer,
            can_resume: self.resume.is_some() || matches!(self.step, Step::Online(_)),
            unapplied,
        }
    }
}

impl Server {
    /// Begins to follow a master, without a word about what was before.
    pub(super) fn follow(&mut self, master: Address) {
        self.upstream = Some(Upstream {
            master,
            conn: None,
            step: Step::Waiting,
            last_io: self.now,
            down_since: Some(self.now),
            resume: None,
        });
        self.dial("Connecting");
    }

    /// `REPLICAOF host port`.
    ///
    /// A replica keeps its history for the new master; a master makes one from its own id and
    /// offset. Up to 6.2 all sub-replicas are cut off at once.
    pub(super) fn change_master(&mut self, master: Address) {
        let was_master = self.upstream.is_none();
        let resume = match &self.upstream {
            None => Some(self.stream_db.unwrap_or(0)),
            Some(Upstream { step: Step::Online(_), .. }) => Some(self.stream_db.unwrap_or(0)),
            Some(upstream) => upstream.resume,
        };
        self.hang_up();
        self.disconnect_replicas();
        if was_master {
            self.log(
                "Before turning into a replica, using my own master parameters to synthesize a \
                 cached master: I may be able to synchronize with the new master with just a \
                 partial transfer.",
            );
        }
        let Address { host, port } = &master;
        self.log(format!("REPLICAOF {host}:{port} enabled (user request)"));
        self.follow(master);
        if let Some(upstream) = &mut self.upstream {
            upstream.resume = resume;
        }
        self.arm_expiry();
    }

    /// `REPLICAOF NO ONE`: from here on this is a history of its own, which old readers can still
    /// enter up to the present offset.
    pub(super) fn promote(&mut self) {
        if self.upstream.is_none() {
            return;
        }
        self.hang_up();
        self.upstream = None;
        self.history.shift_id(&mut self.rng);
        let (id1, id2) = (self.history.replid, self.history.replid2());
        let limit = self.history.second_replid_offset();
        self.log(format!(
            "Setting secondary replication ID to {id2}, valid up to offset: {limit}. New \
             replication ID is {id1}"
        ));
        self.disconnect_replicas();
        self.stream_db = None;
        // The time to live counts from here (4.0.7+), not from when this replica was alone.
        self.no_replicas_since = self.now;
        self.arm_expiry();
        self.log("MASTER MODE enabled (user request)");
    }

    pub(super) fn dial(&mut self, verb: &str) {
        let conn = ConnId(self.next_dial);
        self.next_dial += 2;
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        upstream.conn = Some(conn);
        upstream.last_io = now;
        let to = upstream.master.clone();
        self.log(format!("{verb} to MASTER {}:{}", to.host, to.port));
        self.log("MASTER <-> REPLICA sync started");
        self.enter(Step::Connecting);
        self.outputs.push_back(Output::Dial { conn, to });
    }

    fn enter(&mut self, step: Step) {
        let Some(upstream) = &mut self.upstream else { return };
        upstream.step = step;
        upstream.down_since = match upstream.phase() {
            Phase::Connected => None,
            _ => upstream.down_since.or(Some(self.now)),
        };
        let phase = upstream.phase();
        self.tell(Event::Link(phase));
    }

    /// The peer or the network ended the link.
    pub(super) fn upstream_lost(&mut self) {
        let Some(upstream) = &mut self.upstream else { return };
        upstream.conn = None;
        match upstream.phase() {
            Phase::Connected => {
                upstream.resume = Some(self.stream_db.unwrap_or(0));
                self.log("Connection with master lost.");
                self.log("Caching the disconnected master state.");
                self.enter(Step::Waiting);
                // 6.2+: at once, then once a second.
                self.dial("Reconnecting");
            }
            _ => self.enter(Step::Waiting),
        }
    }

    /// Ends the link from this side and drops what it held.
    fn hang_up(&mut self) {
        let Some(conn) = self.upstream.as_mut().and_then(|upstream| upstream.conn.take()) else {
            return;
        };
        // Without an outbox the connection is still being made, and is given up all the same.
        self.outboxes.remove(&conn);
        self.outputs.push_back(Output::Close { conn });
    }

    /// Ends the link from this side, as if it had been lost.
    fn drop_link(&mut self) {
        self.hang_up();
        self.upstream_lost();
    }

    /// The stream cannot be trusted: nothing of it is continued.
    fn distrust_link(&mut self) {
        self.hang_up();
        if let Some(upstream) = &mut self.upstream {
            upstream.resume = None;
        }
        self.enter(Step::Waiting);
    }

    /// Once a second: give up on silence, try again, acknowledge.
    pub(super) fn upstream_cron(&mut self) {
        let Some(upstream) = &self.upstream else { return };
        let silent = self.now.whole_seconds_since(upstream.last_io) > self.config.timeout_seconds;
        match upstream.phase() {
            Phase::Connecting | Phase::Handshake if silent => {
                self.log("Timeout connecting to the MASTER...");
                self.drop_link();
            }
            Phase::Transfer if silent => {
                self.log(
                    "Timeout receiving bulk data from MASTER... If the problem persists try to \
                     set the 'repl-timeout' parameter in redis.conf to a larger value.",
                );
                self.drop_link();
            }
            Phase::Connected if silent => {
                self.log("MASTER timeout: no data nor PING received...");
                self.drop_link();
            }
            _ => {}
        }
        match self.upstream.as_ref().map(Upstream::phase) {
            Some(Phase::Connect) => self.dial("Connecting"),
            Some(Phase::Connected) => self.acknowledge(),
            _ => {}
        }
    }

    pub(super) fn dialed(&mut self, conn: ConnId, room: u64) {
        let expected = self
            .upstream
            .as_ref()
            .is_some_and(|up| up.is_on(conn) && up.phase() == Phase::Connecting);
        if !expected {
            // It was given up meanwhile, and the driver has been told to close it.
            return;
        }
        self.outboxes.insert(conn, Outbox::new(room));
        self.log("Non blocking connect for SYNC fired the event.");
        self.begin_handshake();
    }

    pub(super) fn upstream_received(&mut self, bytes: &[u8]) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        upstream.last_io = now;
        match &mut upstream.step {
            Step::Waiting | Step::Connecting => {}
            Step::Handshake(lines, _) => {
                lines.feed(bytes);
                self.read_handshake();
            }
            Step::Transfer(transfer) => {
                transfer.decoder.feed(bytes);
                self.read_transfer();
            }
            Step::Online(online) => {
                online.decoder.feed(bytes);
                self.read_stream();
            }
        }
    }
}
