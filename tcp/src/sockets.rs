//! All sockets of one server, and the poller that watches them.
//!
//! It turns what sockets do into [`Input`]s and carries out what the server asks for; it does not
//! know the server. The poller is edge-triggered (a readiness is told once), so a connection that
//! could still be read or written stands in a queue until the kernel says "not now". Each gets a
//! bounded piece of a turn, so that one busy peer cannot starve the others.
//!
//! Invariants:
//! * after the server was told `Closed`, or said `Close`, a connection can only be here as one
//!   that ends, and no input mentions it again;
//! * a turn costs what its busy connections cost: nothing looks at all of them.
//!
//! Absent on purpose: keepalive probes. Both seats of replication notice a silent peer by their own
//! timeouts, and an idle client costs a few hundred bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use psync::server::{Address, ConnId, Input};

use crate::connection::{Connection, Incoming, LINGER, ROOM_BYTES, Stage};
use crate::listeners::Listeners;

const WAKER: Token = Token(usize::MAX - 1);
/// Bytes of one read, and each connection reads once in a turn: so much of it can be answered
/// before anybody looks at how much the answers hold.
const READ_BYTES: usize = 64 * 1024;
/// A read of at most so many bytes is rather copied than given away in its large buffer.
const COPIED_BYTES: usize = 4096;
/// Connections accepted in one turn (Redis `MAX_ACCEPTS_PER_CALL`).
const ACCEPTS_A_TURN: usize = 1000;
/// How long to wait with accepting when there are no file descriptors.
const SOON: Duration = Duration::from_millis(100);
/// As Redis says it.
const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// The sockets.
#[derive(Debug)]
pub struct Sockets {
    poll: Poll,
    events: Events,
    listeners: Listeners,
    max_connections: usize,
    next_accepted: u64,
    connections: BTreeMap<ConnId, Connection>,
    /// Those to read from in the next turn; one that is gone by then is passed over.
    to_read: Vec<ConnId>,
    /// Those still to be read from in this turn.
    reading: VecDeque<ConnId>,
    /// Those to write to; likewise.
    to_write: Vec<ConnId>,
    /// Those for which the server has no room left, so that more may wait there.
    full: BTreeSet<ConnId>,
    /// When connections that end are dropped at the latest; all wait equally long, so the first to
    /// begin is the first to go.
    ending: VecDeque<(Instant, ConnId)>,
    inputs: VecDeque<Input>,
    /// What is read into, [`READ_BYTES`] long.
    scratch: Vec<u8>,
    /// The last scratch that was given away as it was; it comes back when nobody else has it.
    lent: Option<Bytes>,
}

impl Sockets {
    /// Watches listeners.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn listen(
        mut listeners: Listeners,
        max_connections: usize,
    ) -> io::Result<(Sockets, Arc<Waker>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        listeners.register(poll.registry())?;
        let sockets = Sockets {
            poll,
            events: Events::with_capacity(1024),
            listeners,
            max_connections,
            next_accepted: 2,
            connections: BTreeMap::new(),
            to_read: Vec::new(),
            reading: VecDeque::new(),
            to_write: Vec::new(),
            full: BTreeSet::new(),
            ending: VecDeque::new(),
            inputs: VecDeque::new(),
            scratch: vec![0; READ_BYTES],
            lent: None,
        };
        Ok((sockets, waker))
    }

    /// The connections there are, those that end included.
    pub fn ids(&self) -> Vec<ConnId> {
        self.connections.keys().copied().collect()
    }

    /// Those for which the server may hold more than there is room for.
    pub fn full(&self) -> Vec<ConnId> {
        self.full.iter().copied().collect()
    }

    /// Whether anything waits to be written.
    pub fn has_unsent(&self) -> bool {
        self.connections.values().any(Connection::has_unsent)
    }

    /// The next thing to tell the server. Reading waits until everything before is told, so that
    /// never more than one read is in memory, however many peers send at the same time.
    pub fn next_input(&mut self) -> Option<Input> {
        loop {
            if let Some(input) = self.inputs.pop_front() {
                return Some(input);
            }
            let conn = self.reading.pop_front()?;
            self.read(conn);
        }
    }

    /// Sleeps until a socket can do something, somebody wakes the loop, or `patience` is over.
    ///
    /// # Errors
    /// When the poller fails, which no peer can cause.
    pub fn wait(&mut self, patience: Duration) -> io::Result<()> {
        let patience = self.patience(patience);
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let token = event.token();
            if token == WAKER || self.listeners.knock(token) {
                continue;
            }
            let conn = ConnId(token.0 as u64);
            let Some(connection) = self.connections.get_mut(&conn) else { continue };
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                connection.readable = true;
                queue_read(&mut self.to_read, conn, connection);
            }
            if event.is_writable() || event.is_error() {
                connection.writable = true;
                queue_write(&mut self.to_write, conn, connection);
            }
        }
        Ok(())
    }

    /// How long to sleep at most.
    fn patience(&self, wanted: Duration) -> Duration {
        let busy = self.listeners.is_busy()
            || !self.to_write.is_empty()
            || !self.to_read.is_empty()
            || !self.inputs.is_empty();
        if busy {
            return Duration::ZERO;
        }
        let end = self.ending.front().map(|(end, _)| end.duration_since(Instant::now()));
        let soon = self.listeners.is_exhausted().then_some(SOON);
        // The poller counts whole milliseconds; waking a little early would mean turning idly.
        let end = end.map(|end| end + Duration::from_millis(1));
        [end, soon].into_iter().flatten().fold(wanted, Duration::min)
    }

    /// Begins a turn: lets newcomers in, drops who has ended long enough. What the others sent
    /// comes with [`Sockets::next_input`], a bounded piece of each.
    pub fn begin_turn(&mut self) {
        self.accept();
        self.reading.extend(self.to_read.drain(..));
        let now = Instant::now();
        while let Some((_, conn)) = self.ending.pop_front_if(|(end, _)| *end <= now) {
            self.forget(conn);
        }
    }

    /// Ends a turn: writes what has come together, as far as the kernel takes it.
    pub fn end_turn(&mut self) {
        for conn in std::mem::take(&mut self.to_write) {
            self.write(conn);
        }
    }

    /// The server sends.
    pub fn transmit(&mut self, conn: ConnId, bytes: Bytes) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.push(bytes);
            if connection.is_full() {
                self.full.insert(conn);
            }
            queue_write(&mut self.to_write, conn, connection);
        }
    }

    /// The server ends a connection, after what it has sent.
    pub fn close(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if matches!(connection.stage, Stage::Connecting(_)) {
            return self.forget(conn);
        }
        if !matches!(connection.stage, Stage::Ending { .. }) {
            self.ending.push_back((Instant::now() + LINGER, conn));
        }
        connection.begin_ending();
        if connection.is_over() {
            return self.forget(conn);
        }
        connection.held = false;
        // What the peer still sends is read and thrown away.
        queue_read(&mut self.to_read, conn, connection);
        queue_write(&mut self.to_write, conn, connection);
    }

    /// The network ends a connection: nothing more is sent, and the server is told.
    pub fn cut(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let ending = matches!(connection.stage, Stage::Ending { .. });
        self.forget(conn);
        if !ending {
            self.inputs.push_back(Input::Closed { conn });
        }
    }

    /// Stops or resumes reading from a connection.
    pub fn hold(&mut self, conn: ConnId, hold: bool) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if connection.held != hold && !matches!(connection.stage, Stage::Ending { .. }) {
            connection.held = hold;
            queue_read(&mut self.to_read, conn, connection);
        }
    }

    /// The server dials. A name is resolved here and now, as `redis-server` does it too.
    pub fn dial(&mut self, conn: ConnId, to: &Address) {
        let addresses = (to.host.as_str(), to.port).to_socket_addrs();
        self.try_next(conn, addresses.map(Iterator::collect).unwrap_or_default());
    }

    fn try_next(&mut self, conn: ConnId, addresses: Vec<SocketAddr>) {
        let mut rest = addresses.into_iter();
        while let Some(address) = rest.next() {
            let Ok(socket) = TcpStream::connect(address) else { continue };
            let stage = Stage::Connecting(rest.clone().collect());
            if self.watch(conn, Connection::new(socket, stage)).is_ok() {
                return;
            }
        }
        self.inputs.push_back(Input::Closed { conn });
    }

    /// A connection being made has news.
    fn settle(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let Stage::Connecting(rest) = &mut connection.stage else { return };
        let rest = std::mem::take(rest);
        match connection.connected() {
            None => connection.stage = Stage::Connecting(rest),
            Some(Ok(())) => {
                connection.stage = Stage::Open;
                self.inputs.push_back(Input::Dialed { conn, room: ROOM_BYTES });
            }
            Some(Err(_)) => {
                self.forget(conn);
                self.try_next(conn, rest);
            }
        }
    }

    fn accept(&mut self) {
        self.listeners.retry();
        for _ in 0..ACCEPTS_A_TURN {
            let Some((socket, peer)) = self.listeners.accept() else { return };
            self.accepted(socket, peer);
        }
    }

    fn accepted(&mut self, mut socket: TcpStream, peer: SocketAddr) {
        if self.connections.len() >= self.max_connections {
            // A fresh socket takes these few bytes, or the peer does not learn why.
            let _ = socket.write(TOO_MANY);
            return;
        }
        let conn = ConnId(self.next_accepted);
        self.next_accepted += 2;
        if self.watch(conn, Connection::new(socket, Stage::Open)).is_ok() {
            let peer_ip = peer.ip().to_canonical().to_string();
            self.inputs.push_back(Input::Accepted {
                conn,
                peer_ip,
                peer_port: peer.port(),
                room: ROOM_BYTES,
            });
        }
    }

    fn watch(&mut self, conn: ConnId, mut connection: Connection) -> io::Result<()> {
        // Tokens are pointer-sized; after 2^31 connections a 32-bit machine refuses new ones.
        let token = usize::try_from(conn.0).map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut connection.socket, Token(token), interest)?;
        self.connections.insert(conn, connection);
        Ok(())
    }

    fn read(&mut self, conn: ConnId) {
        self.settle(conn);
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        connection.reading = false;
        if connection.held || !connection.readable {
            return;
        }
        if matches!(connection.stage, Stage::Connecting(_)) {
            connection.readable = false;
            return;
        }
        let ending = matches!(connection.stage, Stage::Ending { .. });
        match connection.read(&mut self.scratch) {
            Incoming::Nothing => connection.readable = false,
            Incoming::Bytes(count) => {
                queue_read(&mut self.to_read, conn, connection);
                if !ending {
                    let bytes = self.received(count);
                    self.inputs.push_back(Input::Received { conn, bytes });
                }
            }
            Incoming::Broken => self.cut(conn),
            Incoming::End => {
                connection.readable = false;
                connection.peer_ended = true;
                if !ending {
                    self.inputs.push_back(Input::Closed { conn });
                }
                // A peer that only closed its own half still gets what is on its way, but as for
                // a real server it is gone: nothing more is made for it.
                self.close(conn);
            }
        }
    }

    /// What was just read. A large piece is given away with the buffer it is in.
    fn received(&mut self, count: usize) -> Bytes {
        if count <= COPIED_BYTES {
            return Bytes::copy_from_slice(&self.scratch[..count]);
        }
        let mut next = match self.lent.take() {
            Some(lent) if lent.is_unique() => Vec::from(lent),
            _ => Vec::with_capacity(READ_BYTES),
        };
        next.resize(READ_BYTES, 0);
        let mut full = std::mem::replace(&mut self.scratch, next);
        full.truncate(count);
        let bytes = Bytes::from(full);
        self.lent = Some(bytes.clone());
        bytes
    }

    fn write(&mut self, conn: ConnId) {
        self.settle(conn);
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        connection.writing = false;
        let outgoing = connection.write();
        connection.tell_end();
        let ending = matches!(connection.stage, Stage::Ending { .. });
        if outgoing.broken {
            return self.cut(conn);
        }
        if connection.is_over() {
            return self.forget(conn);
        }
        if outgoing.wrote > 0 {
            self.full.remove(&conn);
            if !ending {
                self.inputs.push_back(Input::Writable { conn, room: outgoing.wrote });
            }
        }
    }

    fn forget(&mut self, conn: ConnId) {
        self.full.remove(&conn);
        if let Some(mut connection) = self.connections.remove(&conn) {
            // Dropping the socket ends the watch as well; this only does it a moment earlier.
            let _ = self.poll.registry().deregister(&mut connection.socket);
        }
    }
}

/// Puts a connection in line for reading, if there may be something and nobody holds it.
fn queue_read(to_read: &mut Vec<ConnId>, conn: ConnId, connection: &mut Connection) {
    if connection.readable && !connection.held && !connection.reading {
        connection.reading = true;
        to_read.push(conn);
    }
}

/// Puts a connection in line for writing: it has something, or it is being made.
fn queue_write(to_write: &mut Vec<ConnId>, conn: ConnId, connection: &mut Connection) {
    let has_news = connection.wants_to_write() || !matches!(connection.stage, Stage::Open);
    if has_news && !connection.writing {
        connection.writing = true;
        to_write.push(conn);
    }
}
