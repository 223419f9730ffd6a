//! One TCP connection: its socket, what waits to be written, and where it stands.
//!
//! Invariants:
//! * `unsent` never holds more than the room that the server was given ([`ROOM_BYTES`]), because
//!   room comes back only for bytes that the kernel took;
//! * a connection that ends flushes what it holds for at most [`LINGER`], then it is dropped.
//!
//! Absent on purpose: any meaning of the bytes, and the server's own queue behind the room.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use mio::net::TcpStream;

/// How many bytes one connection takes from the server before the kernel took some. Sixteen of
/// the server's largest chunks: one vectored write hands them over without joining them.
pub const ROOM_BYTES: u64 = 256 * 1024;

/// How long a closed connection may still flush and read what its peer has under way. Dropped
/// with unread input, the kernel would answer with a reset, which can destroy an error reply
/// that the peer has not read yet.
pub const LINGER: Duration = Duration::from_secs(2);

/// Slices in one vectored write; far below any system's `IOV_MAX`.
const MOST_SLICES: usize = 64;

/// Where a connection stands.
#[derive(Debug)]
pub enum Stage {
    /// Being made; these addresses are still to be tried.
    Connecting(Vec<SocketAddr>),
    /// Both ends talk.
    Open,
    /// The server has done with it; `told` once the peer has been sent the end.
    Ending {
        /// When it is dropped at the latest.
        until: Instant,
        /// Whether the end has been sent.
        told: bool,
    },
}

/// What one read gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The peer sends no more: it closed its half, reset, or is gone.
    End,
}

/// What writing gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Bytes the kernel took.
    pub wrote: u64,
    /// Whether the connection is broken.
    pub broken: bool,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    /// The socket; whoever registers it with a poller needs it.
    pub socket: TcpStream,
    /// Where it stands.
    pub stage: Stage,
    /// Whether the kernel may take bytes, as far as is known.
    pub writable: bool,
    unsent: VecDeque<Bytes>,
    unsent_bytes: u64,
}

impl Connection {
    /// A connection around a socket.
    pub fn new(socket: TcpStream, stage: Stage) -> Connection {
        // Small messages matter here more than full packets; without it ACKs wait for each other.
        // Where it is refused everything still works.
        let _ = socket.set_nodelay(true);
        Connection { socket, stage, writable: true, unsent: VecDeque::new(), unsent_bytes: 0 }
    }

    /// Takes bytes for writing.
    pub fn push(&mut self, bytes: Bytes) {
        self.unsent_bytes += bytes.len() as u64;
        self.unsent.push_back(bytes);
        debug_assert!(self.unsent_bytes <= ROOM_BYTES, "more than there is room");
    }

    /// Whether writing would make sense now.
    pub fn wants_to_write(&self) -> bool {
        self.writable && !self.unsent.is_empty() && !matches!(self.stage, Stage::Connecting(_))
    }

    /// Whether anything waits to be written.
    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Reads once.
    pub fn read(&mut self, scratch: &mut [u8]) -> Incoming {
        loop {
            return match self.socket.read(scratch) {
                Ok(0) => Incoming::End,
                Ok(count) => Incoming::Bytes(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => Incoming::Nothing,
                Err(_) => Incoming::End,
            };
        }
    }

    /// Writes until the kernel takes no more or nothing is left.
    pub fn write(&mut self) -> Outgoing {
        let mut wrote = 0;
        while self.wants_to_write() {
            match self.write_some() {
                Ok(0) => return Outgoing { wrote, broken: true },
                Ok(count) => {
                    wrote += count as u64;
                    self.sent(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(_) => return Outgoing { wrote, broken: true },
            }
        }
        Outgoing { wrote, broken: false }
    }

    fn write_some(&mut self) -> io::Result<usize> {
        let slices: Vec<IoSlice<'_>> =
            self.unsent.iter().take(MOST_SLICES).map(|bytes| IoSlice::new(bytes)).collect();
        self.socket.write_vectored(&slices)
    }

    fn sent(&mut self, mut count: usize) {
        self.unsent_bytes -= count as u64;
        while let Some(front) = self.unsent.front_mut() {
            let part = front.len().min(count);
            front.advance(part);
            count -= part;
            if !front.is_empty() {
                break;
            }
            self.unsent.pop_front();
        }
    }

    /// The server has done with it: flush, say so, wait for the peer's end.
    pub fn begin_ending(&mut self) {
        if !matches!(self.stage, Stage::Ending { .. }) {
            self.stage = Stage::Ending { until: Instant::now() + LINGER, told: false };
        }
        self.tell_end();
    }

    /// Sends the end once everything else has left.
    pub fn tell_end(&mut self) {
        if let Stage::Ending { told, .. } = &mut self.stage
            && !*told
            && self.unsent.is_empty()
        {
            *told = true;
            // A peer that is gone already needs no telling.
            let _ = self.socket.shutdown(Shutdown::Write);
        }
    }

    /// Whether the connection being made stands: `None` while that is open.
    pub fn connected(&self) -> Option<io::Result<()>> {
        if let Ok(Some(error)) | Err(error) = self.socket.take_error() {
            return Some(Err(error));
        }
        match self.socket.peer_addr() {
            Ok(_) => Some(Ok(())),
            Err(error) if error.kind() == ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }
}
