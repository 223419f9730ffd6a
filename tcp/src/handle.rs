//! How other threads talk to a running server: look at it, break one of its connections, stop it.
//!
//! Nobody but the loop touches the server, so looking means sending a function there and waiting
//! for its answer. That is slower than a lock and cannot disturb the machine's contract.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use mio::Waker;
use psync::server::{ConnId, Server};

use crate::error::Stopped;

/// What a handle asks of the loop.
pub(crate) enum Request {
    Inspect(Box<dyn FnOnce(&Server) + Send>),
    Disconnect(ConnId),
    /// What became of a snapshot that was asked for so many times.
    Saved {
        ok: bool,
        asks: usize,
    },
    /// Stop as SHUTDOWN does, saving or not.
    ShutDown {
        save: bool,
    },
    Stop,
}

/// The loop's end of all handles.
pub(crate) type Requests = Receiver<Request>;

/// Talks to a server that runs on another thread; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    address: SocketAddr,
    requests: Sender<Request>,
    waker: Arc<Waker>,
}

impl Handle {
    pub(crate) fn new(address: SocketAddr, waker: Arc<Waker>) -> (Handle, Requests) {
        let (requests, receiver) = channel();
        (Handle { address, requests, waker }, receiver)
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs a function on the server, between two of its inputs, and gives back what it says.
    ///
    /// # Errors
    /// When the server has stopped.
    pub fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Server) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, answers) = channel();
        self.ask(Request::Inspect(Box::new(move |server| {
            // Who asked may have gone away meanwhile; then nobody wants the answer.
            let _ = answer.send(look(server));
        })))?;
        answers.recv().map_err(|_| Stopped)
    }

    /// Breaks a connection as a failing network does: what is under way is lost, and the server
    /// learns that it is closed. Unknown ones are ignored.
    ///
    /// # Errors
    /// When the server has stopped.
    pub fn disconnect(&self, conn: ConnId) -> Result<(), Stopped> {
        self.ask(Request::Disconnect(conn))
    }

    /// Asks the server to stop: what is on its way to peers is still flushed. A server that has
    /// stopped already is left alone.
    pub fn stop(&self) {
        let _ = self.ask(Request::Stop);
    }

    /// Asks the server to end as a client's `SHUTDOWN SAVE` or `SHUTDOWN NOSAVE` would: replicas
    /// get what is theirs first.
    pub fn shut_down(&self, save: bool) {
        let _ = self.ask(Request::ShutDown { save });
    }

    /// A snapshot stands on disk, or does not.
    pub(crate) fn saved(&self, ok: bool, asks: usize) {
        let _ = self.ask(Request::Saved { ok, asks });
    }

    fn ask(&self, request: Request) -> Result<(), Stopped> {
        self.requests.send(request).map_err(|_| Stopped)?;
        // The loop looks at its requests after every wake; if waking fails, at the next tick.
        let _ = self.waker.wake();
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A server on a thread of its own. Dropped, it stops and is waited for.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    pub(crate) fn new(handle: Handle, thread: JoinHandle<io::Result<()>>) -> Running {
        Running { handle, thread: Some(thread) }
    }

    /// Talks to it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops it and waits until it has.
    ///
    /// # Errors
    /// When its loop ended with an error, or panicked.
    pub fn stop(mut self) -> io::Result<()> {
        self.handle.stop();
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the server's thread panicked")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        let _ = self.join();
    }
}
