//! What can keep a driver from starting or running. Nothing that a peer does is among it: a peer
//! can only end its own connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why a driver did not start.
#[derive(Debug)]
pub enum StartError {
    /// The caller asked for an address that others can reach, without saying that this is meant.
    NotLoopback {
        /// That address.
        address: SocketAddr,
    },
    /// The operating system refused the address.
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The operating system gave no poller, waker or thread.
    System(io::Error),
    /// The operating system gave no random seed.
    Entropy(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::NotLoopback { address } => write!(
                f,
                "{address} can be reached from other machines, and this server knows no passwords; \
                 listen on 127.0.0.1 or ::1, or allow it explicitly"
            ),
            StartError::Listen { address, source } => {
                write!(f, "cannot listen on {address}: {source}")
            }
            StartError::System(source) => {
                write!(f, "the operating system gave no event loop: {source}")
            }
            StartError::Entropy(why) => write!(f, "no random seed: {why}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Listen { source, .. } | StartError::System(source) => Some(source),
            StartError::NotLoopback { .. } | StartError::Entropy(_) => None,
        }
    }
}

/// The driver that was asked does not run any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server has stopped")
    }
}

impl std::error::Error for Stopped {}
