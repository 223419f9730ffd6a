//! This server's link to its master: dial, lose, retry; become a replica, become a master.
//!
//! `handshake` speaks on the link until the answer to PSYNC, `follow` takes the snapshot and the
//! stream. What survives a lost link is little: which history was followed, how far it was
//! applied, and the database that the stream was in. Everything received but not applied is thrown
//! away, because the master sends it again.

mod dual;
mod follow;
mod handshake;

use self::dual::Dual;
use self::handshake::Awaiting;
use super::outbox::Outbox;
use super::timers::Timer;
use super::{Address, ConnId, Event, Output, Server};
use crate::stream::history::{History, ReplId};
use crate::stream::offset::{BytePos, Offset};
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
    /// The history it follows.
    pub followed: Option<Followed>,
    /// Bytes of stream received and not applied yet: half a command, an open MULTI.
    pub unapplied: u64,
    /// Bytes of stream that wait here for their snapshot (dual channel replication).
    pub buffered: u64,
    /// The most that these have been, in the present or the last such resync.
    pub buffer_peak: u64,
}

impl LinkStatus {
    /// `slave_repl_offset`; `other` where nothing is followed.
    #[must_use]
    pub fn applied_offset(&self, other: Offset) -> i64 {
        self.followed.map_or(other.next(), |followed| followed.next()).0 - 1
    }

    /// Whether its history was taken over without being told its numbers (`SYNC`).
    #[must_use]
    pub fn is_unnumbered(&self) -> bool {
        self.followed.is_some_and(|followed| followed.unnumbered)
    }

    /// `slave_read_repl_offset`.
    #[must_use]
    pub fn read_offset(&self, other: Offset) -> i64 {
        self.applied_offset(other).saturating_add_unsigned(self.unapplied)
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
    /// The history that is followed, as far as it was applied; while the link is down it is what
    /// can be continued (Redis' cached master).
    followed: Option<Followed>,
    /// The id that a master announced last, whether or not its snapshot ever came.
    announced: Option<ReplId>,
    /// The second connection of a full resync on two.
    rdb_channel: Option<ConnId>,
    /// The most stream that ever waited here for its snapshot, in bytes.
    buffer_peak: u64,
}

/// A history as its reader knows it.
///
/// From 4.0 on it is this server's own history as well; before, the two are different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its id.
    pub replid: ReplId,
    /// How many bytes of it were applied.
    pub applied: Offset,
    /// The database that its stream is in.
    pub db: u32,
    /// After `SYNC` nobody has said what the first byte's number is. Real servers count from -1
    /// then: after `n` bytes they say `n - 1`, and ask for byte `n`.
    pub unnumbered: bool,
}

impl Followed {
    /// The next byte that is asked for.
    #[must_use]
    pub fn next(&self) -> BytePos {
        let next = self.applied.next();
        if self.unnumbered { BytePos(next.0 - 1) } else { next }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Waiting,
    Connecting,
    Handshake(LineDecoder, Awaiting),
    Transfer(Transfer),
    Dual(Box<Dual>),
    Online(Online),
}

#[derive(Clone, Debug)]
struct Transfer {
    decoder: PayloadDecoder,
    replid: ReplId,
    end: Offset,
    received: u64,
    total: Option<u64>,
    /// It ends with a mark: then the master waits for the first ACK before it streams.
    streamed: bool,
    /// Asked for with `SYNC`: `replid` and `end` are not the master's word.
    unnumbered: bool,
}

#[derive(Clone, Debug)]
struct Online {
    decoder: CommandDecoder,
    /// What came since the last command and is none: it counts together with the next.
    blanks: Vec<Frame>,
    /// The commands of an open MULTI, itself included.
    transaction: Vec<Frame>,
}

impl Upstream {
    pub fn master(&self) -> &Address {
        &self.master
    }

    /// Its connection, once it stands.
    pub fn connected(&self) -> Option<ConnId> {
        self.conn.filter(|_| matches!(self.step, Step::Transfer(_) | Step::Online(_)))
    }

    pub fn is_on(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    /// Whether this is the second connection of a full resync on two.
    pub fn has_rdb_channel(&self, conn: ConnId) -> bool {
        self.rdb_channel == Some(conn)
    }

    pub fn followed(&self) -> Option<&Followed> {
        self.followed.as_ref()
    }

    pub fn phase(&self) -> Phase {
        match self.step {
            Step::Waiting => Phase::Connect,
            Step::Connecting => Phase::Connecting,
            Step::Handshake(..) => Phase::Handshake,
            Step::Transfer(_) | Step::Dual(_) => Phase::Transfer,
            Step::Online(_) => Phase::Connected,
        }
    }

    pub fn status(&self) -> LinkStatus {
        let transfer = match &self.step {
            Step::Transfer(transfer) => Some((transfer.received, transfer.total)),
            Step::Dual(dual) => Some((dual.received(), None)),
            _ => None,
        };
        let buffered = match &self.step {
            Step::Dual(dual) => dual.buffered(),
            _ => 0,
        };
        let unapplied = match &self.step {
            Step::Online(online) => {
                let open = online.blanks.iter().chain(&online.transaction);
                let open: usize = open.map(|frame| frame.raw.len()).sum();
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
            can_resume: self.followed.is_some(),
            followed: self.followed,
            unapplied,
            buffered,
            buffer_peak: self.buffer_peak,
        }
    }
}

impl Online {
    /// The stream goes on with these bytes.
    fn begin(bytes: &[u8]) -> Online {
        let mut decoder = CommandDecoder::new();
        decoder.feed(bytes);
        Online { decoder, blanks: Vec::new(), transaction: Vec::new() }
    }
}

impl Server {
    /// Begins to follow a master, continuing this history if there is one. Dialing comes next.
    pub(super) fn follow(&mut self, master: Address, followed: Option<Followed>) {
        let announced = self.upstream.as_ref().and_then(|upstream| upstream.announced);
        self.upstream = Some(Upstream {
            master,
            conn: None,
            step: Step::Waiting,
            last_io: self.now,
            down_since: Some(self.now),
            followed,
            announced,
            rdb_channel: None,
            buffer_peak: 0,
        });
        self.tell(Event::Link(Phase::Connect));
    }

    /// `REPLICAOF host port`.
    ///
    /// With PSYNC2 a replica keeps its history for the new master, and a master makes one from its
    /// own id and offset; up to 6.2 all its replicas are cut off at once. Before, nothing of the
    /// old history means anything to the new master.
    pub(super) fn change_master(&mut self, master: Address) {
        self.close_open_transaction();
        let mut followed = match &self.upstream {
            None => Some(self.as_followed()),
            Some(upstream) => upstream.followed,
        };
        let was_master = self.upstream.is_none();
        self.hang_up();
        if self.engine.relink.new_master_cuts {
            self.disconnect_replicas();
        }
        if !self.shares_history() {
            followed = None;
            self.free_backlog();
        } else if was_master {
            self.log(
                "Before turning into a replica, using my own master parameters to synthesize a \
                 cached master: I may be able to synchronize with the new master with just a \
                 partial transfer.",
            );
        }
        self.follow(master, followed);
        if self.engine.relink.follows_at_once {
            self.dial("Connecting");
        }
        self.arm_expiry();
    }

    /// This server's own history, as somebody who follows it.
    fn as_followed(&self) -> Followed {
        let History { replid, end, .. } = self.history;
        let db = self.stream_db.unwrap_or(0);
        Followed { replid, applied: end, db, unnumbered: false }
    }

    /// `REPLICAOF NO ONE`: from here on this is a history of its own, which old readers can still
    /// enter up to the present offset (PSYNC2; before, it always was one of its own).
    pub(super) fn promote(&mut self) {
        if self.upstream.is_none() {
            return;
        }
        self.hang_up();
        self.upstream = None;
        if self.shares_history() {
            self.history.shift_id(&mut self.rng);
            let (id1, id2) = (self.history.replid, self.history.replid2());
            let limit = self.history.second_replid_offset();
            self.log(format!(
                "Setting secondary replication ID to {id2}, valid up to offset: {limit}. New \
                 replication ID is {id1}"
            ));
            self.disconnect_replicas();
            self.stream_db = None;
        }
        if self.engine.lifetime.restarts_at_promotion {
            self.no_replicas_since = self.now;
        }
        self.arm_expiry();
    }

    fn new_dial(&mut self) -> ConnId {
        let conn = ConnId(self.next_dial);
        self.next_dial += 2;
        conn
    }

    pub(super) fn dial(&mut self, verb: &str) {
        let (conn, now) = (self.new_dial(), self.now);
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
        if !matches!(step, Step::Handshake(..)) {
            self.timers.disarm(Timer::HandshakeLine);
        }
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
        self.abort_dual();
        let Some(upstream) = &mut self.upstream else { return };
        upstream.conn = None;
        let was_online = upstream.phase() == Phase::Connected;
        self.enter(Step::Waiting);
        if was_online {
            self.log("Connection with master lost.");
            self.log("Caching the disconnected master state.");
            if self.engine.relink.at_once {
                self.dial("Reconnecting");
            }
        }
    }

    /// Ends the link from this side and drops what it held.
    fn hang_up(&mut self) {
        self.abort_dual();
        let Some(conn) = self.upstream.as_mut().and_then(|upstream| upstream.conn.take()) else {
            return;
        };
        self.end_dialed(conn);
    }

    fn end_dialed(&mut self, conn: ConnId) {
        // Without an outbox the connection is still being made, and is given up all the same.
        self.outboxes.remove(&conn);
        self.outputs.push_back(Output::Close { conn });
    }

    /// Ends the link from this side, as if it had been lost.
    pub(super) fn drop_link(&mut self) {
        self.hang_up();
        self.upstream_lost();
    }

    /// The stream cannot be trusted: nothing of it is continued.
    fn distrust_link(&mut self) {
        self.hang_up();
        if let Some(upstream) = &mut self.upstream {
            upstream.followed = None;
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
            // Who said SYNC was told no offset, and says none.
            Some(Phase::Connected) if !self.link().is_some_and(|link| link.is_unnumbered()) => {
                self.acknowledge();
            }
            _ => {}
        }
    }

    pub(super) fn dialed(&mut self, conn: ConnId, room: u64) {
        if self.upstream.as_ref().is_some_and(|upstream| upstream.has_rdb_channel(conn)) {
            self.outboxes.insert(conn, Outbox::new(room));
            return self.introduce_rdb_channel(conn);
        }
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
                self.time_half_a_line();
            }
            Step::Transfer(transfer) => {
                transfer.decoder.feed(bytes);
                self.read_transfer();
            }
            Step::Dual(_) => self.main_channel_received(bytes),
            Step::Online(online) => {
                online.decoder.feed(bytes);
                self.read_stream();
            }
        }
    }
}
