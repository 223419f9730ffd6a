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

mod admin;
mod answer;
mod bgsave;
mod blocked;
mod clients;
pub mod command;
pub mod config;
mod contract;
mod debug;
mod dispatch;
pub mod downstream;
mod dual_channel;
pub mod engine;
mod expiry;
mod failover;
mod info;
mod keys;
pub mod keyspace;
mod limits;
pub mod log;
mod outbox;
mod outside;
mod propagation;
mod psync;
mod restore;
mod roles;
mod saves;
mod settings;
mod shutdown;
mod sleep;
mod starts;
mod stream;
mod strings;
pub mod timers;
mod transaction;
pub mod upstream;
mod wait;

use std::collections::VecDeque;

use bytes::Bytes;

use self::bgsave::Saving;
use self::blocked::Blocked;
use self::config::Config;
pub use self::contract::{Address, ConnId, Counters, Event, Input, Output, Start};
use self::dispatch::Client;
pub use self::dispatch::{Held, MOST_UNREAD_BYTES};
use self::dual_channel::Awaited;
use self::engine::{Engine, Naming};
use self::failover::Failover;
use self::keyspace::Keyspace;
pub use self::outbox::Kind;
use self::outbox::Outbox;
use self::propagation::Unit;
use self::psync::Forgotten;
pub use self::psync::{Decided, Remedy};
use self::saves::LastSave;
use self::shutdown::Shutdown;
use self::sleep::{Kept, Sleep};
use self::starts::Starts;
use self::timers::{Timer, Timers};
use self::transaction::Watchers;
use self::upstream::Upstream;
pub use self::upstream::{LinkStatus, Phase};
use crate::random::{Generator, below, seeded};
use crate::stream::backlog::Retention;
use crate::stream::history::{History, ReplId};
use crate::table::Table;
use crate::time::{Instant, SECOND_US};
use crate::wire::Rdb;

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
    command_starts: Starts,
    /// The database that the stream is in; none forces a SELECT (Redis `slaveseldb`).
    stream_db: Option<u32>,
    /// Since when there is no replica, for `repl-backlog-ttl`.
    no_replicas_since: Instant,
    forgotten: Option<Forgotten>,
    clients: Table<ConnId, Client>,
    /// Those of them that are replicas: looked at for every write, however many clients there are.
    seated: Table<ConnId, ()>,
    /// Those that wait before their next command.
    blocked: Table<ConnId, Blocked>,
    /// Keys that clients watch.
    watchers: Watchers,
    /// The command that is being executed.
    unit: Unit,
    /// Whether replicas are asked at the end of this turn how far they are.
    wants_acks: bool,
    failover: Option<Failover>,
    shutdown: Option<Shutdown>,
    /// Whether it has stopped, and says so when all is sent.
    exits: bool,
    asleep: Option<Sleep>,
    /// What came while it was asleep.
    kept: Kept,
    last_save: LastSave,
    /// Whether expired keys are looked for (`DEBUG SET-ACTIVE-EXPIRE`).
    active_expire: bool,
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
            command_starts: Starts::default(),
            stream_db: None,
            no_replicas_since: start.now,
            forgotten: None,
            clients: Table::default(),
            seated: Table::default(),
            blocked: Table::default(),
            watchers: Watchers::default(),
            unit: Unit::default(),
            wants_acks: false,
            failover: None,
            shutdown: None,
            exits: false,
            asleep: None,
            kept: Kept::default(),
            last_save: LastSave {
                at_s: (start.unix_ms_at_zero + start.now.0 / 1000) / 1000,
                ok: true,
                count: 0,
                changes: 0,
            },
            active_expire: true,
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

    /// What it saves when it is stopped: its data, and with `keep_id` the id and offset of its
    /// history.
    #[must_use]
    pub fn last_snapshot(&self, keep_id: bool) -> Rdb {
        let mut snapshot = self.snapshot();
        if !keep_id {
            snapshot.aux.clear();
        }
        snapshot
    }

    /// The server that a new process in the place of this one is, with this snapshot on its disk:
    /// no connections, new ids.
    ///
    /// The snapshot's id and offset, if it has them, are used as the engine uses them. Settings and
    /// role stay as they were, as after `CONFIG REWRITE`.
    #[must_use]
    pub fn started_again(&self, seed: u64, now: Instant, snapshot: Option<Rdb>) -> Server {
        Server::start(Start {
            engine: self.engine,
            config: self.config.clone(),
            seed,
            now,
            unix_ms_at_zero: self.unix_ms_at_zero,
            master: self.upstream.as_ref().map(|upstream| upstream.master().clone()),
            snapshot,
            compares: self.compares,
        })
    }

    /// Takes one input at `now`. Inputs about connections that are gone are ignored: they were
    /// under way when the connection ended.
    pub fn handle(&mut self, now: Instant, input: Input) {
        if let Some(input) = self.keep(now, input) {
            self.now = self.now.max(now);
            self.take(input);
        }
        self.check();
    }

    fn take(&mut self, input: Input) {
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
    }

    /// The next thing the driver must do; `Timeout` when there is nothing more.
    pub fn poll(&mut self) -> Output {
        if let Some(sleep) = &self.asleep {
            return Output::Timeout(sleep.until);
        }
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
                self.count_sent(conn, kind, bytes.len() as u64);
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
        let goes_on = self.answer_waiting()
            || self.advance_failover()
            || self.advance_shutdown()
            || self.ask_for_acks()
            || self.cut_doomed()
            || self.says_good_bye();
        if goes_on {
            return true;
        }
        if let Some(backlog) = &mut self.backlog {
            backlog.settle();
        }
        false
    }

    fn count_sent(&mut self, conn: ConnId, kind: Kind, bytes: u64) {
        self.counters.net_output += bytes;
        if kind != Kind::Control && self.clients.contains_key(&conn) {
            self.counters.repl_output += bytes;
        }
    }

    fn received(&mut self, conn: ConnId, bytes: &Bytes) {
        self.counters.net_input += bytes.len() as u64;
        if self.clients.contains_key(&conn) {
            self.client_received(conn, bytes);
        } else if self.upstream.as_ref().is_some_and(|upstream| upstream.is_on(conn)) {
            self.counters.repl_input += bytes.len() as u64;
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
                // The end of the turn sees who is done.
                Timer::Wait | Timer::Shutdown => {}
            }
        }
    }

    /// The tick of once a second (Redis `replicationCron`). Ticks that were missed are not made up
    /// for, but the next one keeps to the beat.
    fn cron(&mut self, at: Instant) {
        let beat = if self.failover.is_some() { failover::TICK_US } else { SECOND_US };
        let missed = self.now.us_since(at) / beat;
        self.timers.arm(Timer::Cron, at.after_us((missed + 1).saturating_mul(beat)));
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

    fn unix_ms(&self) -> u64 {
        self.unix_ms_at_zero + self.now.0 / 1000
    }

    fn unix_us(&self) -> u64 {
        self.unix_ms_at_zero.saturating_mul(1000).saturating_add(self.now.0)
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
        // The link to the master has one or two of its own. Not looked at one by one: that would
        // make a debug build crawl with ten thousand clients.
        let (clients, outboxes) = (self.clients.len(), self.outboxes.len());
        debug_assert!((clients..=clients + 2).contains(&outboxes), "{clients} for {outboxes}");
        debug_assert!(self.seated.keys().all(|conn| self.clients.contains_key(conn)));
    }
}
