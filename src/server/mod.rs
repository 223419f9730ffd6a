//! One server: data, history, backlog, the replicas attached to it and its own link to a master.
//!
//! There is one type for both seats. A replica is a server with an upstream; promotion drops the
//! upstream; a sub-replica's master is itself a replica.
//!
//! The contract with whoever drives it (the simulated world, the page, a TCP loop): call
//! [`Server::handle`] with one [`Input`], then drain [`Server::poll`] until it answers
//! [`Output::Timeout`], and only then give the next input. Nothing else moves the machine; it
//! reads no clock and knows no socket.
//!
//! Invariants, checked at the end of every input in debug builds:
//! * the backlog ends where the history ends (`window.next() == end.next()`);
//! * an attached replica can only exist while there is a backlog;
//! * nothing is queued for a connection that is gone.
//!
//! Absent on purpose: the network. Servers do not know each other; they see connections.

pub mod admin;
mod bgsave;
pub mod command;
pub mod config;
mod dispatch;
pub mod downstream;
mod dual_channel;
pub mod engine;
mod info;
pub mod keyspace;
mod limits;
mod log;
mod outbox;
mod outside;
mod psync;
mod restore;
mod stream;
mod strings;
pub mod timers;
pub mod upstream;

use std::collections::VecDeque;

use bytes::Bytes;

use self::bgsave::Saving;
use self::config::Config;
use self::dispatch::Client;
pub use self::dispatch::{Held, MOST_UNREAD_BYTES};
use self::dual_channel::Awaited;
use self::engine::{Engine, Naming};
use self::keyspace::Keyspace;
pub use self::outbox::Kind;
use self::outbox::Outbox;
use self::psync::Forgotten;
pub use self::psync::{Decided, Remedy};
use self::timers::{Timer, Timers};
use self::upstream::Upstream;
pub use self::upstream::{LinkStatus, Phase};
use crate::random::{Generator, below, seeded};
use crate::stream::backlog::Retention;
use crate::stream::history::{History, ReplId};
use crate::stream::offset::BytePos;
use crate::table::Table;
use crate::time::{Instant, SECOND_US};
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

/// The machine.
#[derive(Clone, Debug)]
pub struct Server {
    engine: &'static Engine,
    config: Config,
    run_id: ReplId,
    unix_ms_at_zero: u64,
    started: Instant,
    now: Instant,
    rng: Generator,
    data: Keyspace,
    history: History,
    backlog: Option<Box<dyn Retention>>,
    /// Where each command of the kept stream begins, oldest first.
    command_starts: VecDeque<BytePos>,
    /// The database that the stream is in; none forces a SELECT (Redis `slaveseldb`).
    stream_db: Option<u32>,
    /// Since when there is no replica, for `repl-backlog-ttl`.
    no_replicas_since: Instant,
    forgotten: Option<Forgotten>,
    clients: Table<ConnId, Client>,
    upstream: Option<Upstream>,
    next_dial: u64,
    outboxes: Table<ConnId, Outbox>,
    /// Those that may have something to send.
    ready: Table<ConnId, ()>,
    /// Those that are cut at the end of this turn.
    doomed: Vec<ConnId>,
    /// The snapshot that is being made.
    saving: Option<Saving>,
    /// By the connection of its snapshot: a replica whose other connection is still to ask for
    /// the stream (`replicas_waiting_psync`).
    awaited: Table<ConnId, Awaited>,
    compares: bool,
    outputs: VecDeque<Output>,
    timers: Timers,
    ticks: u64,
    last_tick: Instant,
    counters: Counters,
}

impl Server {
    /// Starts an empty server.
    #[must_use]
    pub fn start(start: Start) -> Server {
        let mut rng = seeded(start.seed);
        let run_id = ReplId::random(&mut rng);
        let mut history = History::begin(&mut rng);
        if start.engine.naming == Naming::RunId {
            history.replid = run_id;
        }
        let mut server = Server {
            engine: start.engine,
            config: start.config,
            run_id,
            unix_ms_at_zero: start.unix_ms_at_zero,
            started: start.now,
            now: start.now,
            data: Keyspace::default(),
            history,
            backlog: None,
            command_starts: VecDeque::new(),
            stream_db: None,
            no_replicas_since: start.now,
            forgotten: None,
            clients: Table::default(),
            upstream: None,
            next_dial: 1,
            outboxes: Table::default(),
            ready: Table::default(),
            doomed: Vec::new(),
            saving: None,
            awaited: Table::default(),
            compares: start.compares,
            outputs: VecDeque::new(),
            timers: Timers::default(),
            ticks: 0,
            last_tick: start.now,
            counters: Counters::default(),
            rng,
        };
        // Servers tick once a second, but not all at the same moment.
        let phase = below(&mut server.rng, SECOND_US);
        server.timers.arm(Timer::Cron, start.now.after_us(phase));
        server.restore(start.snapshot, start.master);
        server
    }

    /// The server that a restart of this one gives: the saved data, no connections, new ids.
    ///
    /// With `keep_id` the saved snapshot's id and offset are there to be used as the engine uses
    /// them. Settings and role stay as they were, as after `CONFIG REWRITE`.
    #[must_use]
    pub fn restarted(&self, seed: u64, now: Instant, keep_id: bool) -> Server {
        let mut snapshot = self.snapshot();
        if !keep_id {
            snapshot.aux.clear();
        }
        Server::start(Start {
            engine: self.engine,
            config: self.config.clone(),
            seed,
            now,
            unix_ms_at_zero: self.unix_ms_at_zero,
            master: self.upstream.as_ref().map(|upstream| upstream.master().clone()),
            snapshot: Some(snapshot),
            compares: self.compares,
        })
    }

    /// Takes one input at `now`. Inputs about connections that are gone are ignored: they were
    /// under way when the connection ended.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Accepted { conn, peer_ip, peer_port, room } => {
                self.accepted(conn, (peer_ip, peer_port), room);
            }
            Input::Dialed { conn, room } => self.dialed(conn, room),
            Input::Received { conn, bytes } => self.received(conn, &bytes),
            Input::Writable { conn, room } => {
                if let Some(outbox) = self.outboxes.get_mut(&conn) {
                    outbox.grant(room);
                    self.ready.insert(conn, ());
                }
                self.snapshot_moved(conn);
                self.run_commands(conn);
            }
            Input::Closed { conn } => self.closed(conn),
            Input::Saved { ok } => self.saved(ok),
            Input::Timeout => self.look_at_the_clock(),
        }
        self.check();
    }

    /// The next thing the driver must do; `Timeout` when there is nothing more.
    pub fn poll(&mut self) -> Output {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            let Some(conn) = self.ready.first().copied() else {
                if self.ends_turn() {
                    continue;
                }
                break;
            };
            if let Some((kind, bytes)) = self.next_bytes(conn) {
                return Output::Transmit { conn, kind, bytes };
            }
            self.ready.remove(&conn);
            if self.outboxes.get(&conn).is_some_and(Outbox::is_finished) {
                self.forget(conn);
                return Output::Close { conn };
            }
            self.flushed(conn);
        }
        // Only a server without any timer would sleep for ever, and the cron timer never stops.
        Output::Timeout(self.timers.next().unwrap_or(self.now.after_us(SECOND_US)))
    }

    /// What goes out next on a connection: first what is queued for it, then the stream.
    fn next_bytes(&mut self, conn: ConnId) -> Option<(Kind, Bytes)> {
        if let Some(queued) = self.outboxes.get_mut(&conn)?.take() {
            return Some(queued);
        }
        if !self.reads_stream(conn) {
            return None;
        }
        let outbox = self.outboxes.get_mut(&conn)?;
        let bytes = self.backlog.as_mut()?.take(conn.0, outbox.room_for_stream())?;
        outbox.spend(bytes.len() as u64);
        Some((Kind::Stream, bytes))
    }

    /// What a server does between two turns of its loop, when all is sent that can be sent. Says
    /// whether there is anything new to do.
    fn ends_turn(&mut self) -> bool {
        if self.cut_doomed() {
            return true;
        }
        if let Some(backlog) = &mut self.backlog {
            backlog.settle();
        }
        false
    }

    fn received(&mut self, conn: ConnId, bytes: &Bytes) {
        if self.clients.contains_key(&conn) {
            self.client_received(conn, bytes);
        } else if self.upstream.as_ref().is_some_and(|upstream| upstream.is_on(conn)) {
            self.upstream_received(bytes);
        } else if self.upstream.as_ref().is_some_and(|upstream| upstream.has_rdb_channel(conn)) {
            self.rdb_channel_received(bytes);
        }
    }

    fn closed(&mut self, conn: ConnId) {
        self.outboxes.remove(&conn);
        if self.upstream.as_ref().is_some_and(|upstream| upstream.is_on(conn)) {
            if self.link_phase() == Some(Phase::Connecting) {
                self.log("Error condition on socket for SYNC: Connection refused");
            }
            self.upstream_lost();
        } else if self.upstream.as_ref().is_some_and(|upstream| upstream.has_rdb_channel(conn)) {
            self.rdb_channel_ended();
        } else {
            self.client_gone(conn);
        }
    }

    /// Fires what is due. Only a timeout does so, never another input: a server that was stopped
    /// for a while reads what has come before it looks at the clock.
    fn look_at_the_clock(&mut self) {
        while let Some((timer, at)) = self.timers.pop_due(self.now) {
            match timer {
                Timer::Cron => self.cron(at),
                Timer::Expire => self.expire_due(),
                Timer::SnapshotReady => self.snapshot_ready(),
                Timer::HandshakeLine => self.line_never_ended(),
            }
        }
    }

    /// The tick of once a second (Redis `replicationCron`). Ticks that were missed are not made up
    /// for, but the next one keeps to the beat.
    fn cron(&mut self, at: Instant) {
        let missed = self.now.us_since(at) / SECOND_US;
        self.timers.arm(Timer::Cron, at.after_us((missed + 1).saturating_mul(SECOND_US)));
        self.ticks += 1;
        self.last_tick = self.now;
        self.upstream_cron();
        self.downstream_cron();
    }

    fn send(&mut self, conn: ConnId, kind: Kind, bytes: Bytes) {
        if let Some(outbox) = self.outboxes.get_mut(&conn) {
            outbox.push(kind, bytes);
            self.ready.insert(conn, ());
        }
    }

    /// Ends a connection at once; what is queued for it is lost.
    fn close(&mut self, conn: ConnId) {
        if self.outboxes.remove(&conn).is_some() {
            self.outputs.push_back(Output::Close { conn });
        }
        self.client_gone(conn);
    }

    /// Ends a connection when everything queued has left.
    fn close_after_reply(&mut self, conn: ConnId) {
        if let Some(outbox) = self.outboxes.get_mut(&conn) {
            outbox.finish();
            self.ready.insert(conn, ());
        }
    }

    fn forget(&mut self, conn: ConnId) {
        self.outboxes.remove(&conn);
        self.client_gone(conn);
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Says a line, written in the words of Redis 6.2, in the words of the engine.
    fn log(&mut self, line: impl AsRef<str>) {
        self.tell(Event::Log(self.engine.words(line.as_ref())));
    }

    fn saved(&mut self, ok: bool) {
        self.log(if ok { "DB saved on disk" } else { "Error saving DB on disk" });
    }

    fn unix_ms(&self) -> u64 {
        self.unix_ms_at_zero + self.now.0 / 1000
    }

    fn check(&self) {
        if let Some(backlog) = &self.backlog {
            debug_assert_eq!(
                backlog.ledger().window().next(),
                self.history.end.next(),
                "not a suffix"
            );
        }
        debug_assert!(self.backlog.is_some() || self.replicas().next().is_none());
        if let Some(followed) = self.upstream.as_ref().and_then(Upstream::followed)
            && self.shares_history()
        {
            debug_assert_eq!(followed.applied, self.history.end, "two ends of one history");
            debug_assert_eq!(followed.replid, self.history.replid, "two names of one history");
        }
        debug_assert!(self.clients.keys().all(|conn| self.outboxes.contains_key(conn)));
    }
}
