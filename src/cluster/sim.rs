//! The world itself: servers, connections, and a queue of what happens next.
//!
//! [`World::run_until`] takes the earliest event, hands it to its server and drains what the
//! server wants. Of two events at the same moment the one scheduled first comes first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use bytes::Bytes;

use super::digest::Digest;
use super::link::{Connection, Link, Way};
use super::scenario::{Scenario, Wire};
use super::snapshot::LinkState;
use super::tally::Meter;
use super::trace::{Entry, What};
use super::workload::Clients;
use crate::random::{Generator, below, seeded};
use crate::server::{Address, ConnId, Event as ServerEvent, Input, Output, Server, Start};
use crate::table::Table;
use crate::time::{Instant, SECOND_US};
use crate::wire::encode_command;

/// Unix time at the beginning of every world: 2011-10-30 00:00 UTC, when partial
/// resynchronization was first proposed.
const UNIX_MS_AT_ZERO: u64 = 1_319_932_800_000;

/// The console's and the clients' connections: open from the start, without a network between.
pub(super) const CONSOLE: ConnId = ConnId(0);
const CLIENTS: ConnId = ConnId(2);
const FIRST_ACCEPTED: u64 = 4;

/// Servers, links, clients, and what happens next.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) now: Instant,
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
    pub(super) connections: Table<u64, Connection>,
    /// (server, its number) to (connection, which way it sends): both ends of each connection.
    pub(super) ends: Table<(usize, ConnId), (u64, Way)>,
    pub(super) rng: Generator,
    pub(super) clients: Clients,
    pub(super) written: Vec<Entry>,
    pub(super) meter: Meter,
    next_connection: u64,
    next_entry: u64,
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    events: u64,
    digest: Digest,
}

/// A server at its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub server: Server,
    pub name: String,
    pub address: Address,
    pub frozen: bool,
    /// It has no process; `server` is what would start.
    pub killed: bool,
    /// The snapshot that was saved last.
    pub disk: Option<Bytes>,
    /// What came while it was frozen.
    pub inbox: VecDeque<Input>,
    /// Replies to the console.
    pub console: Vec<u8>,
    /// Whether the last command of the console was not answered at once.
    pub waits: bool,
    pub link_state: Option<LinkState>,
    pub overrun: bool,
    /// (moment, offset) lately, a sample every quarter of a second, to know the write rate.
    pub rate: VecDeque<(Instant, u64)>,
    wake_at: Option<Instant>,
    next_accepted: u64,
}

impl Node {
    /// Another process stands here, or will.
    pub fn forget_process(&mut self, server: Server) {
        self.server = server;
        self.inbox.clear();
        self.rate.clear();
        self.console.clear();
        self.waits = false;
        self.wake_at = None;
    }
}

/// Something that will happen; ordered by time, then by the order of scheduling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scheduled {
    at: Instant,
    number: u64,
    event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A server's timer.
    Wake(usize),
    /// The first segment that way may have arrived.
    Deliver(u64, Way),
    /// The wire has taken so many bytes.
    Room(u64, Way, u64),
    /// A connection attempt reaches its end.
    Establish(u64),
    /// A connection attempt fails.
    Refuse(u64),
    /// The clients' next write.
    Write,
}

/// Events between two looks at the clock: of the dearest, with their 16 KiB, a third of a
/// millisecond in the page; a look costs about a microsecond.
const EVENTS_AT_ONCE: u64 = 16;

const RATE_SAMPLE_US: u64 = SECOND_US / 4;
const RATE_SAMPLES: usize = 16;

impl World {
    /// The world of a scenario at its beginning; its actions are not looked at.
    #[must_use]
    pub fn new(scenario: &Scenario) -> World {
        let now = Instant::ZERO;
        let mut rng = seeded(scenario.seed);
        let clients = Clients::new(scenario.workload.clone(), below(&mut rng, u64::MAX), now);
        let mut world = World {
            now,
            nodes: Vec::new(),
            links: Vec::new(),
            connections: Table::default(),
            ends: Table::default(),
            clients,
            written: Vec::new(),
            meter: Meter::default(),
            next_connection: 0,
            next_entry: 0,
            queue: BinaryHeap::new(),
            scheduled: 0,
            events: 0,
            digest: Digest::default(),
            rng,
        };
        for index in 0..=scenario.replicas {
            world.add_node(scenario, index);
        }
        for index in 0..world.nodes.len() {
            world.open_local_connections(index);
            world.drain(index);
        }
        world.schedule_write();
        world
    }

    fn add_node(&mut self, scenario: &Scenario, index: usize) {
        let name = if index == 0 { "master".to_owned() } else { format!("replica-{index}") };
        let wire = scenario.network.links.get(&name).unwrap_or(&scenario.network.default);
        let Wire { latency_us, bandwidth_bytes_per_second } = *wire;
        self.links.push(Link {
            latency_us,
            bandwidth_bytes_per_second,
            loss: None,
            cut_to_replica: false,
            cut_to_master: false,
        });
        let address = Address { host: format!("10.0.0.{}", index + 1), port: 6379 };
        let server = Server::start(Start {
            engine: scenario.engine,
            config: scenario.server_config(),
            seed: below(&mut self.rng, u64::MAX),
            now: self.now,
            unix_ms_at_zero: UNIX_MS_AT_ZERO,
            master: (index > 0).then(|| Address { host: "10.0.0.1".to_owned(), port: 6379 }),
            snapshot: None,
            compares: true,
        });
        self.nodes.push(Node {
            server,
            name,
            address,
            frozen: false,
            killed: false,
            disk: None,
            inbox: VecDeque::new(),
            console: Vec::new(),
            waits: false,
            link_state: None,
            overrun: false,
            rate: VecDeque::new(),
            wake_at: None,
            next_accepted: FIRST_ACCEPTED,
        });
    }

    pub(super) fn open_local_connections(&mut self, index: usize) {
        for conn in [CONSOLE, CLIENTS] {
            self.open_local(index, conn);
        }
    }

    fn open_local(&mut self, index: usize, conn: ConnId) {
        let peer_ip = "127.0.0.1".to_owned();
        let input = Input::Accepted { conn, peer_ip, peer_port: 0, room: u64::MAX };
        self.nodes[index].server.handle(self.now, input);
    }

    /// Runs everything that happens up to and at `until`.
    pub fn run_until(&mut self, until: Instant) {
        self.run_while(until, &|| true);
    }

    /// The same, as long as `goes_on` says so; it is asked after every few events. Whether it came
    /// to the end. It may stop within a moment, in which a hundred replicas can load a snapshot;
    /// before anything is done the rest of that moment must be run.
    pub fn run_while(&mut self, until: Instant, goes_on: &dyn Fn() -> bool) -> bool {
        let mut asked = self.events;
        while self.next_event_at().is_some_and(|at| at <= until) {
            if self.events >= asked + EVENTS_AT_ONCE {
                if !goes_on() {
                    return false;
                }
                asked = self.events;
            }
            self.run_one();
        }
        self.now = self.now.max(until);
        true
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_event_at(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse(next)| next.at)
    }

    /// Runs one event.
    pub fn run_one(&mut self) {
        let Some(Reverse(Scheduled { at, event, .. })) = self.queue.pop() else { return };
        self.now = self.now.max(at);
        self.events += 1;
        match event {
            Event::Wake(index) => {
                // A later wake-up may have been replaced by an earlier one.
                if self.nodes[index].wake_at == Some(at) {
                    self.nodes[index].wake_at = None;
                    self.give(index, Input::Timeout);
                }
            }
            Event::Deliver(id, way) => self.deliver(id, way),
            Event::Room(id, way, room) => self.give_room(id, way, room),
            Event::Establish(id) => self.establish(id),
            Event::Refuse(id) => self.refuse(id),
            Event::Write => self.client_write(),
        }
    }

    fn client_write(&mut self) {
        // Not so when the rate was changed after this was scheduled.
        if self.clients.due() == Some(self.now) {
            let command = self.clients.next_write();
            self.give_clients(command);
            self.schedule_write();
        }
    }

    pub(super) fn schedule_write(&mut self) {
        if let Some(due) = self.clients.due() {
            self.schedule(due, Event::Write);
        }
    }

    /// Gives a command to the server that takes writes.
    pub(super) fn give_clients(&mut self, bytes: Bytes) {
        let index = self.writable().unwrap_or(0);
        self.give(index, Input::Received { conn: CLIENTS, bytes });
    }

    /// The first server that is a master.
    pub(super) fn writable(&self) -> Option<usize> {
        self.nodes.iter().position(|node| node.server.link().is_none() && !node.killed)
    }

    /// Runs a command on a server from the console.
    pub(super) fn command(&mut self, index: usize, argv: &[impl AsRef<[u8]>]) {
        if self.nodes[index].waits && self.console_answer(index).is_none() {
            // Who types on has given up waiting, and has another connection.
            self.give(index, Input::Closed { conn: CONSOLE });
            self.open_local(index, CONSOLE);
            self.drain(index);
        }
        self.nodes[index].console.clear();
        let input = Input::Received { conn: CONSOLE, bytes: encode_command(argv) };
        self.give(index, input);
        self.nodes[index].waits = self.console_answer(index).is_none();
    }

    pub(super) fn schedule(&mut self, at: Instant, event: Event) {
        let number = self.scheduled;
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled { at: at.max(self.now), number, event }));
    }

    /// Gives a server an input, or keeps it while the server is frozen; nobody takes it when it is
    /// killed.
    pub(super) fn give(&mut self, index: usize, input: Input) {
        if self.nodes[index].killed {
            return;
        }
        if self.nodes[index].frozen {
            // The clock is looked at when it thaws.
            if !matches!(input, Input::Timeout) {
                self.nodes[index].inbox.push_back(input);
            }
            return;
        }
        self.nodes[index].server.handle(self.now, input);
        self.drain(index);
    }

    /// Does what a server wants, until it wants nothing more.
    pub(super) fn drain(&mut self, index: usize) {
        let mut closed = Vec::new();
        loop {
            match self.nodes[index].server.poll() {
                Output::Transmit { conn: CONSOLE, bytes, .. } => {
                    self.nodes[index].console.extend_from_slice(&bytes);
                }
                Output::Transmit { conn: CLIENTS, .. } => {}
                Output::Transmit { conn, kind, bytes } => self.transmit(index, conn, kind, bytes),
                Output::Dial { conn, to } => self.dial(index, conn, &to),
                Output::Close { conn: conn @ (CONSOLE | CLIENTS) } => closed.push(conn),
                Output::Close { conn } => self.close(index, conn),
                Output::Pause { conn } => self.pause(index, conn),
                Output::Resume { conn } => self.resume(index, conn),
                // A restart takes what the server holds then, as if it had saved at the last
                // moment; a kill takes what was saved.
                Output::Save { rdb } => self.nodes[index].disk = Some(rdb),
                // `SHUTDOWN`: what it saved before stands on the disk.
                Output::Exit => return self.end_process(index),
                Output::Event(ServerEvent::Decided(decided)) => self.decided(index, &decided),
                Output::Event(ServerEvent::Link(_)) => {}
                Output::Event(ServerEvent::Log(line)) => {
                    self.record(What::Log { server: index, line });
                }
                Output::Timeout(at) => {
                    // What is overdue happens now: a promoted replica finds keys long expired.
                    let at = at.max(self.now);
                    if self.nodes[index].wake_at != Some(at) {
                        self.nodes[index].wake_at = Some(at);
                        self.schedule(at, Event::Wake(index));
                    }
                    break;
                }
            }
        }
        // As redis-cli does after `CLIENT KILL TYPE normal`: it connects again.
        if !closed.is_empty() {
            closed.into_iter().for_each(|conn| self.open_local(index, conn));
            return self.drain(index);
        }
        self.sample_rate(index);
        if let Some(backlog) = self.nodes[index].server.backlog() {
            self.meter.holds(backlog.ledger().memory().total());
        }
        self.note_link_state(index);
        self.note_overruns(index);
    }

    fn sample_rate(&mut self, index: usize) {
        let (now, node) = (self.now, &mut self.nodes[index]);
        if node.rate.back().is_none_or(|(at, _)| now.us_since(*at) >= RATE_SAMPLE_US) {
            node.rate.push_back((now, node.server.history().end.0));
            if node.rate.len() > RATE_SAMPLES {
                node.rate.pop_front();
            }
        }
    }

    pub(super) fn record(&mut self, what: What) {
        what.feed(self.now, &mut self.digest);
        let seq = self.next_entry;
        self.next_entry += 1;
        self.written.push(Entry { seq, at: self.now, what });
    }

    /// A server at its place is replaced by another, as at a restart.
    pub(super) fn replace_server(&mut self, index: usize, server: Server) {
        self.nodes[index].forget_process(server);
        self.open_local_connections(index);
        self.drain(index);
    }

    pub(super) fn take_accepted(&mut self, index: usize) -> ConnId {
        let node = &mut self.nodes[index];
        let conn = ConnId(node.next_accepted);
        node.next_accepted += 2;
        conn
    }

    pub(super) fn new_connection_id(&mut self) -> u64 {
        self.next_connection += 1;
        self.next_connection
    }

    /// Takes out the entries written since the last call.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.written)
    }

    /// How many events wait for their time.
    pub(super) fn waiting_events(&self) -> usize {
        self.queue.len()
    }

    /// The number that the next entry will have.
    #[must_use]
    pub fn next_entry(&self) -> u64 {
        self.next_entry
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many events have been run; for benchmarks.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// A number that stands for everything that happened and for what all servers hold now.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = self.digest;
        digest.word(self.now.0);
        for node in &self.nodes {
            digest.word(node.server.history().end.0);
            digest.bytes(node.server.history().replid.as_str().as_bytes());
            digest.word(node.server.data().digest());
        }
        digest.value()
    }

    /// The servers, for tests that look inside.
    pub fn servers(&self) -> impl Iterator<Item = (&str, &Server)> {
        self.nodes.iter().map(|node| (node.name.as_str(), &node.server))
    }
}
