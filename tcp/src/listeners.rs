//! The doors: sockets that listen, and who waits at them.
//!
//! A readiness is told once (the poller is edge-triggered), so a door is knocked on until the
//! kernel says that nobody waits there.
//!
//! Absent on purpose: how many may come in; the sockets count them.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::StartError;
use crate::options::Extra;

/// The token of the first door; the next ones count down from it.
const FIRST: usize = usize::MAX - 2;
/// More addresses than a machine sensibly has.
const MOST: usize = 64;

/// All doors of one server.
#[derive(Debug)]
pub struct Listeners {
    doors: Vec<Door>,
    /// The system has no more file descriptors; to be tried again later.
    exhausted: bool,
}

#[derive(Debug)]
struct Door {
    listener: TcpListener,
    address: SocketAddr,
    /// Whether somebody may be waiting.
    knocked: bool,
}

impl Listeners {
    /// Listens on an address and on some more; port 0 takes a free one, the same for all.
    ///
    /// # Errors
    /// When an address is refused that has to be there.
    pub fn bind(first: SocketAddr, more: &[Extra], backlog: u32) -> Result<Listeners, StartError> {
        let mut doors = vec![Door::open(first, backlog)?];
        let port = doors[0].address.port();
        for extra in more.iter().take(MOST) {
            let mut address = extra.address;
            if address.port() == 0 {
                address.set_port(port);
            }
            match Door::open(address, backlog) {
                Ok(door) => doors.push(door),
                Err(StartError::Listen { source, .. })
                    if extra.may_be_missing && is_missing(&source) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Listeners { doors, exhausted: false })
    }

    /// Where the first door is.
    pub fn address(&self) -> SocketAddr {
        self.doors[0].address
    }

    /// Watches all doors.
    pub fn register(&mut self, registry: &Registry) -> io::Result<()> {
        for (place, door) in self.doors.iter_mut().enumerate() {
            registry.register(&mut door.listener, Token(FIRST - place), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Somebody is at the door with this token. Whether it is a door at all.
    pub fn knock(&mut self, token: Token) -> bool {
        let door = FIRST.checked_sub(token.0).and_then(|place| self.doors.get_mut(place));
        door.map(|door| door.knocked = true).is_some()
    }

    /// Whether somebody may be waiting who can be let in.
    pub fn is_busy(&self) -> bool {
        !self.exhausted && self.doors.iter().any(|door| door.knocked)
    }

    /// Whether somebody has to wait until there are descriptors again.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Tries again after descriptors ran out.
    pub fn retry(&mut self) {
        self.exhausted = false;
    }

    /// The next one who waits.
    pub fn accept(&mut self) -> Option<(TcpStream, SocketAddr)> {
        if self.exhausted {
            return None;
        }
        for door in self.doors.iter_mut().filter(|door| door.knocked) {
            loop {
                match door.listener.accept() {
                    Ok(peer) => return Some(peer),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        door.knocked = false;
                        break;
                    }
                    // The peer was faster in leaving, which is no reason to stop.
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => {
                        self.exhausted = true;
                        return None;
                    }
                }
            }
        }
        None
    }
}

impl Door {
    fn open(address: SocketAddr, backlog: u32) -> Result<Door, StartError> {
        let listening = || -> io::Result<Door> {
            let socket =
                Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
            // A restarted server takes its port although old connections still time out on it.
            socket.set_reuse_address(true)?;
            if address.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.bind(&address.into())?;
            socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
            socket.set_nonblocking(true)?;
            let listener = TcpListener::from_std(socket.into());
            let address = listener.local_addr()?;
            // Somebody may have come already.
            Ok(Door { listener, address, knocked: true })
        };
        listening().map_err(|source| StartError::Listen { address, source })
    }
}

/// Whether the machine has no such address, or not even such a family of addresses.
fn is_missing(error: &io::Error) -> bool {
    // Without IPv6 a socket of that family is refused with EAFNOSUPPORT, which has no kind.
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(97)
}
