//! All sockets of one server, and the poller that watches them.
//!
//! It turns what sockets do into [`Input`]s and carries out what the server asks for; it does not
//! know the server. The poller is edge-triggered (a readiness is told once), so what could still
//! be read or written is remembered in `readable` and `sendable` until the kernel says "not now".
//! Both are worked off a bounded piece at a time, so that one busy peer cannot starve the others.
//!
//! Invariant: after the server was told `Closed`, or said `Close`, a connection can only be here
//! as one that ends, and no input mentions it again.
//!
//! Absent on purpose: keepalive probes. Both seats of replication notice a silent peer by their own
//! timeouts, and an idle client costs a few hundred bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use psync::server::{Address, ConnId, Input};

use crate::connection::{Connection, Incoming, ROOM_BYTES, Stage};

const LISTENER: Token = Token(usize::MAX - 1);
const WAKER: Token = Token(usize::MAX - 2);
/// Bytes of one read, and each connection reads once in a turn: so much of it can be answered
/// before anybody looks at how much the answers hold.
const READ_BYTES: usize = 64 * 1024;
/// Connections accepted in one turn (Redis `MAX_ACCEPTS_PER_CALL`).
const ACCEPTS_A_TURN: usize = 1000;
/// How long to sleep at most while connections end or no more can be accepted.
const SOON: Duration = Duration::from_millis(100);
/// As Redis says it.
const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// Whether somebody may be waiting at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    Nobody,
    Somebody,
    /// Somebody, but the system has no more file descriptors.
    Later,
}

/// The sockets.
#[derive(Debug)]
pub struct Sockets {
    poll: Poll,
    events: Events,
    listener: TcpListener,
    accepting: Accepting,
    max_connections: usize,
    next_accepted: u64,
    connections: BTreeMap<ConnId, Connection>,
    readable: BTreeSet<ConnId>,
    /// Readable or not, nothing is read from these for now.
    held: BTreeSet<ConnId>,
    sendable: BTreeSet<ConnId>,
    ending: BTreeSet<ConnId>,
    inputs: VecDeque<Input>,
    scratch: Vec<u8>,
}

impl Sockets {
    /// Watches a listener.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn listen(
        mut listener: TcpListener,
        max_connections: usize,
    ) -> io::Result<(Sockets, Arc<Waker>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let sockets = Sockets {
            poll,
            events: Events::with_capacity(1024),
            listener,
            accepting: Accepting::Somebody,
            max_connections,
            next_accepted: 2,
            connections: BTreeMap::new(),
            readable: BTreeSet::new(),
            held: BTreeSet::new(),
            sendable: BTreeSet::new(),
            ending: BTreeSet::new(),
            inputs: VecDeque::new(),
            scratch: vec![0; READ_BYTES],
        };
        Ok((sockets, waker))
    }

    /// The connections there are, those that end included.
    pub fn ids(&self) -> Vec<ConnId> {
        self.connections.keys().copied().collect()
    }

    /// Whether anything waits to be written.
    pub fn has_unsent(&self) -> bool {
        self.connections.values().any(Connection::has_unsent)
    }

    /// The next thing to tell the server.
    pub fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// Sleeps until a socket can do something, somebody wakes the loop, or `patience` is over.
    ///
    /// # Errors
    /// When the poller fails, which no peer can cause.
    pub fn wait(&mut self, patience: Duration) -> io::Result<()> {
        let busy = self.accepting == Accepting::Somebody
            || !self.sendable.is_empty()
            || !self.readable.is_subset(&self.held)
            || !self.inputs.is_empty();
        let soon = self.accepting == Accepting::Later || !self.ending.is_empty();
        let patience = match (busy, soon) {
            (true, _) => Duration::ZERO,
            (false, true) => patience.min(SOON),
            (false, false) => patience,
        };
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            match event.token() {
                WAKER => {}
                LISTENER => self.accepting = Accepting::Somebody,
                Token(token) => {
                    let conn = ConnId(token as u64);
                    let Some(connection) = self.connections.get_mut(&conn) else { continue };
                    if event.is_readable() || event.is_read_closed() || event.is_error() {
                        self.readable.insert(conn);
                    }
                    if event.is_writable() || event.is_error() {
                        connection.writable = true;
                        self.sendable.insert(conn);
                    }
                }
            }
        }
        Ok(())
    }

    /// Lets every socket do a bounded piece of what it can do.
    pub fn turn(&mut self) {
        self.accept();
        for conn in std::mem::take(&mut self.sendable) {
            self.write(conn);
        }
        let readable: Vec<ConnId> = self.readable.difference(&self.held).copied().collect();
        for conn in readable {
            self.read(conn);
        }
        let now = Instant::now();
        let over = |conn: &ConnId| match self.connections.get(conn).map(|c| &c.stage) {
            Some(Stage::Ending { until, .. }) => *until <= now,
            _ => true,
        };
        let over: Vec<ConnId> = self.ending.iter().copied().filter(over).collect();
        for conn in over {
            self.forget(conn);
        }
    }

    /// The server sends.
    pub fn transmit(&mut self, conn: ConnId, bytes: Bytes) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.push(bytes);
            if connection.wants_to_write() {
                self.sendable.insert(conn);
            }
        }
    }

    /// The server ends a connection, after what it has sent.
    pub fn close(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if matches!(connection.stage, Stage::Connecting(_)) {
            return self.forget(conn);
        }
        connection.begin_ending();
        self.held.remove(&conn);
        self.ending.insert(conn);
        self.sendable.insert(conn);
    }

    /// The network ends a connection: nothing more is sent, and the server is told.
    pub fn cut(&mut self, conn: ConnId) {
        let ending = self.ending.contains(&conn);
        if self.connections.contains_key(&conn) {
            self.forget(conn);
            if !ending {
                self.inputs.push_back(Input::Closed { conn });
            }
        }
    }

    /// Stops or resumes reading from a connection.
    pub fn hold(&mut self, conn: ConnId, hold: bool) {
        if hold && self.connections.contains_key(&conn) && !self.ending.contains(&conn) {
            self.held.insert(conn);
        } else {
            self.held.remove(&conn);
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
        if self.accepting == Accepting::Nobody {
            return;
        }
        for _ in 0..ACCEPTS_A_TURN {
            match self.listener.accept() {
                Ok((socket, peer)) => self.accepted(socket, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.accepting = Accepting::Nobody;
                    return;
                }
                // The peer was faster in leaving, which is no reason to stop.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.accepting = Accepting::Later;
                    return;
                }
            }
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
        if matches!(connection.stage, Stage::Connecting(_)) {
            self.readable.remove(&conn);
            return;
        }
        let ending = matches!(connection.stage, Stage::Ending { .. });
        match connection.read(&mut self.scratch) {
            Incoming::Nothing => {
                self.readable.remove(&conn);
            }
            Incoming::Bytes(_) if ending => {}
            Incoming::Bytes(count) => {
                let bytes = Bytes::copy_from_slice(&self.scratch[..count]);
                self.inputs.push_back(Input::Received { conn, bytes });
            }
            Incoming::End if ending => self.forget(conn),
            Incoming::End => {
                self.readable.remove(&conn);
                self.inputs.push_back(Input::Closed { conn });
                // A peer that only closed its own half still gets what is on its way, but as for
                // a real server it is gone: nothing more is made for it.
                self.close(conn);
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        self.settle(conn);
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let outgoing = connection.write();
        connection.tell_end();
        let ending = matches!(connection.stage, Stage::Ending { .. });
        if outgoing.broken {
            return self.cut(conn);
        }
        if outgoing.wrote > 0 && !ending {
            self.inputs.push_back(Input::Writable { conn, room: outgoing.wrote });
        }
    }

    fn forget(&mut self, conn: ConnId) {
        self.readable.remove(&conn);
        self.held.remove(&conn);
        self.sendable.remove(&conn);
        self.ending.remove(&conn);
        if let Some(mut connection) = self.connections.remove(&conn) {
            // Dropping the socket ends the watch as well; this only does it a moment earlier.
            let _ = self.poll.registry().deregister(&mut connection.socket);
        }
    }
}
