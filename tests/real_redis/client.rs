//! A small blocking client, for our server and real ones alike.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use psync::wire::{ReplyDecoder, Value, encode_command};

/// A connection to a server on the loopback.
pub struct Client {
    socket: TcpStream,
    replies: ReplyDecoder,
}

impl Client {
    pub fn connect(port: u16) -> io::Result<Client> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Client { socket, replies: ReplyDecoder::new() })
    }

    /// Sends one command and waits for its reply.
    pub fn try_call<A: AsRef<[u8]>>(&mut self, argv: &[A]) -> io::Result<Value> {
        self.socket.write_all(&encode_command(argv))?;
        self.next_reply()
    }

    /// Sends many commands at once and waits for all replies.
    #[allow(dead_code, reason = "not every test crate that includes this file has so many")]
    pub fn try_call_all(&mut self, commands: &[Vec<Bytes>]) -> io::Result<Vec<Value>> {
        let bytes: Vec<u8> = commands.iter().flat_map(|argv| encode_command(argv)).collect();
        self.socket.write_all(&bytes)?;
        commands.iter().map(|_| self.next_reply()).collect()
    }

    fn next_reply(&mut self) -> io::Result<Value> {
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(value) = self.replies.next().map_err(io::Error::other)? {
                return Ok(value);
            }
            match self.socket.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.replies.feed(&chunk[..count]),
            }
        }
    }

    /// As `try_call`, for a server that must answer.
    #[track_caller]
    pub fn call<A: AsRef<[u8]>>(&mut self, argv: &[A]) -> Value {
        let shown = || argv.iter().map(|word| word.as_ref().escape_ascii().to_string());
        self.try_call(argv).unwrap_or_else(|error| panic!("{:?}: {error}", shown().next()))
    }

    /// Sends a line of words that must be answered with OK.
    #[track_caller]
    pub fn ok(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(self.call(&words), Value::Simple(Bytes::from_static(b"OK")), "{line}");
    }

    /// Sends a line of words, and gives the reply as text: numbers as digits, nothing as "(nil)".
    #[track_caller]
    pub fn say(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        match self.call(&words) {
            Value::Simple(text) | Value::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
            Value::Error(text) => format!("-{}", String::from_utf8_lossy(&text)),
            Value::Integer(number) => number.to_string(),
            Value::NullBulk | Value::NullArray => "(nil)".to_owned(),
            Value::Array(items) => format!("{items:?}"),
        }
    }

    /// One field of INFO; empty when there is none.
    #[track_caller]
    pub fn info(&mut self, field: &str) -> String {
        let text = self.say("INFO everything");
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| *name == field).map(|(_, value)| value.to_owned()).collect()
    }
}
