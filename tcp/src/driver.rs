//! The loop: one server, its sockets, its clock.
//!
//! One turn: sleep until something can be done, do what other threads ask, read a bounded piece of
//! every peer that sent some, give it to the server input by input, and write what came of it.
//!
//! Invariant: after each input the server is drained before the next one, and everything it
//! wanted sent is with the sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use psync::server::{ConnId, Event, Input, MOST_UNREAD_BYTES, Output, Server, Start};
use psync::time::Instant;

use crate::clock::{Clock, random_seed};
use crate::connection::ROOM_BYTES;
use crate::error::StartError;
use crate::handle::{Handle, Request, Requests, Running};
use crate::listeners::Listeners;
use crate::options::{Limits, Options};
use crate::saver::Saver;
use crate::sockets::Sockets;

/// How long a stopping server flushes what is on its way.
const FAREWELL: Duration = Duration::from_secs(1);

/// The connection on which signals speak. Sockets count from 2, so that no peer has it.
const SIGNAL: ConnId = ConnId(0);

/// Something the server told about itself, and when.
#[derive(Clone, Debug)]
pub struct Happening {
    /// Since the driver started.
    pub at: Instant,
    /// The same moment as Unix time, in milliseconds.
    pub unix_ms: u64,
    /// Whether the server is a replica (then).
    pub is_replica: bool,
    /// What.
    pub event: Event,
}

type Observer = Box<dyn FnMut(Happening) + Send>;

/// A server behind TCP.
pub struct Driver {
    server: Server,
    sockets: Sockets,
    clock: Clock,
    limits: Limits,
    wake_at: Instant,
    requests: Requests,
    handle: Handle,
    observer: Observer,
    saver: Saver,
    /// Whether it is to end after this turn.
    leaving: bool,
}

impl Driver {
    /// Listens and starts the server; nothing is answered until it runs. What happens is told to
    /// `observer`, on the loop's thread.
    ///
    /// # Errors
    /// When the address is not allowed or not free, or the system lacks something.
    pub fn start(
        options: Options,
        observer: impl FnMut(Happening) + Send + 'static,
    ) -> Result<Driver, StartError> {
        let Options { listen, also_listen, tcp_backlog, allow_remote, .. } = options;
        let Options { engine, mut config, master, snapshot, snapshot_file, .. } = options;
        let Options { seed, limits, .. } = options;
        let more = also_listen.iter().map(|extra| extra.address);
        let remote = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
        if let Some(address) = std::iter::once(listen).chain(more).find(remote)
            && !allow_remote
        {
            return Err(StartError::NotLoopback { address });
        }
        let listeners = Listeners::bind(listen, &also_listen, tcp_backlog)?;
        let address = listeners.address();
        config.port = address.port();
        let (sockets, waker) =
            Sockets::listen(listeners, limits.connections).map_err(StartError::System)?;
        let (handle, requests) = Handle::new(address, waker);
        let seed = seed.map_or_else(random_seed, Ok)?;
        let clock = Clock::start();
        let now = clock.now();
        let unix_ms_at_zero = clock.unix_ms_at_zero();
        let server = Server::start(Start {
            now,
            unix_ms_at_zero,
            master,
            snapshot,
            ..Start::new(engine, config, seed)
        });
        let saver = Saver::new(snapshot_file, handle.clone());
        Ok(Driver {
            server,
            sockets,
            clock,
            limits,
            wake_at: now,
            requests,
            handle,
            observer: Box::new(observer),
            saver,
            leaving: false,
        })
    }

    /// How other threads talk to it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs on this thread until it is asked to stop.
    ///
    /// # Errors
    /// When the poller fails, which no peer can cause.
    pub fn run(mut self) -> io::Result<()> {
        self.drain();
        loop {
            self.sockets.wait(self.clock.until(self.wake_at))?;
            while let Ok(request) = self.requests.try_recv() {
                match request {
                    Request::Inspect(look) => look(&self.server),
                    Request::Disconnect(conn) => {
                        self.sockets.cut(conn);
                        self.tell();
                    }
                    Request::Saved { ok, asks } => {
                        self.saver.done();
                        (0..asks).for_each(|_| self.give(Input::Saved { ok }));
                    }
                    Request::ShutDown { save } => self.shut_down(save),
                    Request::Stop => self.leaving = true,
                }
            }
            if self.leaving {
                return self.farewell();
            }
            self.turn();
        }
    }

    /// Runs on a thread of its own.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn spawn(self) -> Result<Running, StartError> {
        let handle = self.handle();
        let named = std::thread::Builder::new().name("psync-tcp".to_owned());
        let thread = named.spawn(move || self.run()).map_err(StartError::System)?;
        Ok(Running::new(handle, thread))
    }

    fn turn(&mut self) {
        self.sockets.begin_turn();
        self.tell();
        self.sockets.end_turn();
        self.tell();
        if self.clock.now() >= self.wake_at {
            self.give(Input::Timeout);
            // The stream grows on connections that say nothing themselves.
            for conn in self.sockets.full() {
                self.limit(conn);
            }
        }
    }

    /// Tells the server what came of its sockets.
    fn tell(&mut self) {
        while let Some(input) = self.sockets.next_input() {
            let talking = match &input {
                Input::Received { conn, .. } | Input::Writable { conn, .. } => Some(*conn),
                _ => None,
            };
            self.give(input);
            if let Some(conn) = talking {
                self.limit(conn);
            }
        }
    }

    fn give(&mut self, input: Input) {
        self.server.handle(self.clock.now(), input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.server.poll() {
                Output::Transmit { conn: SIGNAL, bytes, .. } => self.signal_answered(&bytes),
                Output::Transmit { conn, bytes, .. } => self.sockets.transmit(conn, bytes),
                Output::Dial { conn, to } => self.sockets.dial(conn, &to),
                Output::Close { conn } => self.sockets.close(conn),
                Output::Pause { conn } => self.sockets.hold(conn, true),
                Output::Resume { conn } => self.sockets.hold(conn, false),
                Output::Save { rdb } => self.saver.save(rdb),
                Output::Exit => self.leaving = true,
                Output::Event(event) => self.observe(event),
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return;
                }
            }
        }
    }

    fn observe(&mut self, event: Event) {
        let at = self.clock.now();
        let unix_ms = self.clock.unix_ms(at);
        let is_replica = self.server.link_phase().is_some();
        (self.observer)(Happening { at, unix_ms, is_replica, event });
    }

    /// A signal says what a client says with SHUTDOWN, and so it is said on a connection that no
    /// socket has: what then happens is the server's business.
    fn shut_down(&mut self, save: bool) {
        let text: &[u8] = if save { b"SHUTDOWN SAVE\r\n" } else { b"SHUTDOWN NOSAVE\r\n" };
        let peer_ip = "127.0.0.1".to_owned();
        self.give(Input::Accepted { conn: SIGNAL, peer_ip, peer_port: 0, room: ROOM_BYTES });
        self.give(Input::Received { conn: SIGNAL, bytes: Bytes::from_static(text) });
    }

    /// Only a server that does not know SHUTDOWN has something to say to it.
    fn signal_answered(&mut self, answer: &[u8]) {
        if answer.starts_with(b"-ERR unknown command") {
            self.observe(Event::Log("User requested shutdown...".to_owned()));
            self.leaving = true;
        }
    }

    /// Keeps a peer within its limits: stops reading, resumes, or cuts.
    fn limit(&mut self, conn: ConnId) {
        let Some(held) = self.server.held(conn) else { return };
        if held.input > self.limits.input_bytes {
            self.sockets.cut(conn);
        } else {
            self.sockets.hold(conn, !held.is_replica && held.output > MOST_UNREAD_BYTES);
        }
    }

    /// Flushes what peers have coming, as far as they take it.
    fn farewell(mut self) -> io::Result<()> {
        for conn in self.sockets.ids() {
            self.sockets.close(conn);
        }
        let end = self.clock.now().after_us(FAREWELL.as_micros() as u64);
        while self.sockets.has_unsent() && self.clock.now() < end {
            self.sockets.wait(self.clock.until(end))?;
            self.sockets.begin_turn();
            // Read, so that the end is no reset, but not heard any more.
            while self.sockets.next_input().is_some() {}
            self.sockets.end_turn();
        }
        self.saver.finish();
        Ok(())
    }
}
