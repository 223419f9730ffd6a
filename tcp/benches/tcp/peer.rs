//! Who talks to a server under measurement: a client that writes, and raw replicas that cost as
//! little as possible, so that the server is what is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where in a history a replica stands.
pub struct Position {
    replid: String,
    pub offset: u64,
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("supported");
    socket
}

/// The next line that is not empty, byte by byte: what follows must stay in the socket.
fn line(socket: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        socket.read_exact(&mut byte).expect("a line");
        match byte[0] {
            b'\n' if line.is_empty() => {}
            b'\n' => return String::from_utf8_lossy(&line).trim().to_owned(),
            b'\r' => {}
            letter => line.push(letter),
        }
    }
}

/// Asks for everything and reads the snapshot; the stream follows.
pub fn attach(port: u16) -> (TcpStream, Position) {
    let mut socket = connect(port);
    socket.write_all(b"PSYNC ? -1\r\n").expect("sent");
    let answer = line(&mut socket);
    let position = answer.strip_prefix("+FULLRESYNC ").and_then(|rest| rest.split_once(' '));
    let (replid, offset) = position.expect("a full resync");
    let offset = offset.parse().expect("an offset");
    let length = line(&mut socket);
    let length: u64 = length[1..].parse().expect("a length");
    std::io::copy(&mut (&socket).take(length), &mut std::io::sink()).expect("a snapshot");
    // Bulk payloads of replication have no line end behind them.
    socket.write_all(b"REPLCONF ACK 0\r\n").expect("sent");
    (socket, Position { replid: replid.to_owned(), offset })
}

/// Asks for what was missed; gives the moment of asking.
pub fn resume(port: u16, from: &Position) -> (TcpStream, Instant) {
    let mut socket = connect(port);
    let ask = format!("PSYNC {} {}\r\n", from.replid, from.offset + 1);
    let began = Instant::now();
    socket.write_all(ask.as_bytes()).expect("sent");
    let answer = line(&mut socket);
    assert!(answer.starts_with("+CONTINUE"), "{answer}");
    (socket, began)
}

/// A replica that counts what it gets and keeps nothing.
pub struct Counter {
    socket: TcpStream,
    start: u64,
    count: Arc<AtomicU64>,
    reader: Option<JoinHandle<()>>,
}

impl Counter {
    pub fn attach(port: u16) -> Counter {
        let (socket, at) = attach(port);
        let count = Arc::new(AtomicU64::new(0));
        let (mut from, counted) = (socket.try_clone().expect("a handle"), count.clone());
        from.set_read_timeout(None).expect("supported");
        let reader = std::thread::spawn(move || {
            let mut piece = vec![0; 1 << 20];
            while let Ok(read @ 1..) = from.read(&mut piece) {
                counted.fetch_add(read as u64, Ordering::Relaxed);
            }
        });
        Counter { socket, start: at.offset, count, reader: Some(reader) }
    }

    /// Bytes of stream so far.
    pub fn read(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until it has everything up to an offset.
    pub fn wait_for(&self, offset: u64) {
        let end = Instant::now() + Duration::from_secs(120);
        while self.start + self.read() < offset {
            assert!(Instant::now() < end && !self.is_cut(), "a replica was cut or is too slow");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn is_cut(&self) -> bool {
        self.reader.as_ref().is_some_and(JoinHandle::is_finished)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A client that writes as fast as the server answers.
pub struct Writer {
    socket: TcpStream,
    answers: BufReader<TcpStream>,
}

/// Commands under way at the same time.
const WINDOW: usize = 64;

impl Writer {
    pub fn connect(port: u16) -> Writer {
        let socket = connect(port);
        let answers = BufReader::new(socket.try_clone().expect("a handle"));
        Writer { socket, answers }
    }

    /// Writes values of a size over a few keys until the stream has grown by so many bytes.
    pub fn write(mut self, bytes: u64, value_bytes: usize) {
        let value = "v".repeat(value_bytes);
        let commands: String = (0..WINDOW)
            .map(|key| {
                format!("*3\r\n$3\r\nSET\r\n$6\r\nkey:{key:02}\r\n${value_bytes}\r\n{value}\r\n")
            })
            .collect();
        let mut answer = String::new();
        for _ in 0..bytes.div_ceil(commands.len() as u64) {
            self.socket.write_all(commands.as_bytes()).expect("sent");
            for _ in 0..WINDOW {
                answer.clear();
                self.answers.read_line(&mut answer).expect("answered");
                assert_eq!(answer, "+OK\r\n");
            }
        }
    }
}
