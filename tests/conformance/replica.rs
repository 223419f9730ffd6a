//! A replica that is nothing but a socket: it asks, and reads the exact bytes of the answer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use psync::wire::encode_command;

use crate::process::PATIENCE;

pub struct Replica {
    socket: TcpStream,
    /// Read from the socket and not yet looked at.
    unread: Vec<u8>,
    /// The last byte of the history that was read.
    pub position: u64,
}

/// What a server says to PSYNC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Continue {
        id: Option<String>,
    },
    Full {
        id: String,
        offset: u64,
    },
    Error(String),
    /// The payload of a SYNC, which begins without a word.
    Payload,
}

/// The snapshot as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload {
    /// `$EOF:` (out of the socket) or `$length` (from disk).
    pub streamed: bool,
    pub rdb: Vec<u8>,
}

impl Replica {
    pub fn connect(port: u16) -> io::Result<Replica> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Replica { socket, unread: Vec::new(), position: 0 })
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    pub fn command<A: AsRef<[u8]>>(&mut self, argv: &[A]) -> io::Result<()> {
        self.send(&encode_command(argv))
    }

    /// One line without its end; the newlines that mean "still alive" are skipped.
    pub fn line(&mut self) -> io::Result<String> {
        loop {
            let alive = self.unread.iter().take_while(|byte| **byte == b'\n').count();
            self.unread.drain(..alive);
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.unread[..end]).into_owned();
                self.unread.drain(..end + 2);
                return Ok(line);
            }
            self.read_more()?;
        }
    }

    /// The answer to a PSYNC or SYNC.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let alive = self.unread.iter().take_while(|byte| **byte == b'\n').count();
            self.unread.drain(..alive);
            match self.unread.first() {
                Some(b'$') => return Ok(Answer::Payload),
                Some(_) => break,
                None => self.read_more()?,
            }
        }
        let line = self.line()?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["+CONTINUE"] => Ok(Answer::Continue { id: None }),
            ["+CONTINUE", id] => Ok(Answer::Continue { id: Some(id.to_owned()) }),
            ["+FULLRESYNC", id, offset] if offset.parse::<u64>().is_ok() => {
                Ok(Answer::Full { id: id.to_owned(), offset: offset.parse().unwrap_or_default() })
            }
            _ if line.starts_with('-') => Ok(Answer::Error(line)),
            _ => Err(io::Error::other(format!("'{line}' is no answer to PSYNC"))),
        }
    }

    /// The snapshot, in either form.
    pub fn payload(&mut self) -> io::Result<Payload> {
        let header = self.line()?;
        if let Some(mark) = header.strip_prefix("$EOF:") {
            let mark = mark.as_bytes();
            let mut searched = 0;
            loop {
                let found = self.unread[searched..].windows(40).position(|bytes| bytes == mark);
                if let Some(end) = found.map(|end| searched + end) {
                    let rdb = self.unread[..end].to_vec();
                    self.unread.drain(..end + 40);
                    return Ok(Payload { streamed: true, rdb });
                }
                searched = self.unread.len().saturating_sub(39);
                self.read_more()?;
            }
        }
        let length = header.strip_prefix('$').and_then(|length| length.parse().ok());
        let Some(length) = length else {
            return Err(io::Error::other(format!("'{header}' begins no snapshot")));
        };
        Ok(Payload { streamed: false, rdb: self.exactly(length)? })
    }

    /// The stream up to this byte of the history.
    pub fn stream_to(&mut self, end: u64) -> io::Result<Vec<u8>> {
        let Some(count) = end.checked_sub(self.position) else {
            let why = format!("it was to read up to {end} and is at {}", self.position);
            return Err(io::Error::other(why));
        };
        self.position = end;
        self.exactly(count as usize)
    }

    /// What came without being asked for, within a moment. Only to show that there is nothing.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        self.socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        while self.read_more().is_ok() {}
        self.socket.set_read_timeout(Some(PATIENCE))?;
        Ok(std::mem::take(&mut self.unread))
    }

    pub fn acknowledge(&mut self, offset: u64) -> io::Result<()> {
        self.command(&["REPLCONF", "ACK", &offset.to_string()])
    }

    fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < count {
            self.read_more()?;
        }
        let rest = self.unread.split_off(count);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 64 * 1024];
        match self.socket.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.unread.extend_from_slice(&chunk[..count]);
                Ok(())
            }
        }
    }
}
