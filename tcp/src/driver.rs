//! The loop: one server, its sockets, its clock.
//!
//! One turn: sleep until something can be done, do what other threads ask, let every socket do a
//! bounded piece, give what came of it to the server input by input, carry out its outputs.
//!
//! Invariant: after each input the server is drained before the next one, and everything it
//! wanted sent is with the sockets.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use psync::server::{ConnId, Event, Input, MOST_UNREAD_BYTES, Output, Server, Start};
use psync::time::Instant;

use crate::clock::{Clock, random_seed};
use crate::error::StartError;
use crate::handle::{Handle, Request, Requests, Running};
use crate::options::{Limits, Options};
use crate::sockets::Sockets;

/// How long a stopping server flushes what is on its way.
const FAREWELL: Duration = Duration::from_secs(1);

/// Something the server told about itself, and when.
#[derive(Clone, Debug)]
pub struct Happening {
    /// Since the driver started.
    pub at: Instant,
    /// The same moment as Unix time, in milliseconds.
    pub unix_ms: u64,
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
        let Options { listen, allow_remote, engine, mut config, master, seed, limits } = options;
        if !listen.ip().to_canonical().is_loopback() && !allow_remote {
            return Err(StartError::NotLoopback { address: listen });
        }
        let refused = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        config.port = address.port();
        let listener = mio::net::TcpListener::from_std(listener);
        let (sockets, waker) =
            Sockets::listen(listener, limits.connections).map_err(StartError::System)?;
        let (handle, requests) = Handle::new(address, waker);
        let seed = seed.map_or_else(random_seed, Ok)?;
        let clock = Clock::start();
        let now = clock.now();
        let unix_ms_at_zero = clock.unix_ms_at_zero();
        let server = Server::start(Start {
            now,
            unix_ms_at_zero,
            master,
            ..Start::new(engine, config, seed)
        });
        let observer = Box::new(observer);
        Ok(Driver { server, sockets, clock, limits, wake_at: now, requests, handle, observer })
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
                    Request::Stop => return self.farewell(),
                }
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
        self.sockets.turn();
        self.tell();
        if self.clock.now() >= self.wake_at {
            self.give(Input::Timeout);
            // The stream grows on connections that say nothing themselves.
            for conn in self.sockets.ids() {
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
                Output::Transmit { conn, bytes, .. } => self.sockets.transmit(conn, bytes),
                Output::Dial { conn, to } => self.sockets.dial(conn, &to),
                Output::Close { conn } => self.sockets.close(conn),
                Output::Pause { conn } => self.sockets.hold(conn, true),
                Output::Resume { conn } => self.sockets.hold(conn, false),
                Output::Save { .. } | Output::Exit => {}
                Output::Event(event) => {
                    let at = self.clock.now();
                    let unix_ms = self.clock.unix_ms(at);
                    (self.observer)(Happening { at, unix_ms, event });
                }
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return;
                }
            }
        }
    }

    /// Keeps a peer within its limits: stops reading, resumes, or cuts.
    fn limit(&mut self, conn: ConnId) {
        let Some(held) = self.server.held(conn) else { return };
        let overflows = held.is_replica && held.output > self.limits.replica_output_bytes;
        if overflows || held.input > self.limits.input_bytes {
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
            self.sockets.turn();
        }
        Ok(())
    }
}
