//! A raw replica: it asks for everything, keeps the stream it is sent, and can say whether that is
//! what was written, byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::child::{Server, until};

pub struct Replica {
    socket: TcpStream,
    stream: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

/// A write command as clients send it and streams carry it.
pub fn command(argv: &[&str]) -> String {
    let words = argv.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", argv.len(), words.collect::<String>())
}

impl Replica {
    /// Attaches one and has it read for as long as it lives.
    pub fn attach(server: &Server) -> Replica {
        let (socket, mut from) = full_resync(server);
        let stream = Arc::new(Mutex::new(Vec::new()));
        let kept = stream.clone();
        let reader = std::thread::spawn(move || {
            let mut chunk = vec![0; 256 * 1024];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                kept.lock().expect("whole").extend_from_slice(&chunk[..count]);
            }
        });
        Replica { socket, stream, reader: Some(reader) }
    }

    /// Waits until the stream ends with these bytes, and gives all of it.
    #[track_caller]
    pub fn stream_up_to(&self, last: &str) -> Vec<u8> {
        until("the replica has everything", || {
            let stream = self.stream.lock().expect("whole");
            // The master may ping behind it.
            let tail = &stream[stream.len().saturating_sub(last.len() + 1000)..];
            let arrived = tail.windows(last.len()).any(|part| part == last.as_bytes());
            arrived.then(|| stream.clone())
        })
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Asks for everything and reads the snapshot; the stream follows.
pub fn full_resync(server: &Server) -> (TcpStream, BufReader<TcpStream>) {
    let mut socket = server.connect();
    socket.write_all(command(&["PSYNC", "?", "-1"]).as_bytes()).expect("sent");
    let mut from = BufReader::new(socket.try_clone().expect("a second handle"));
    let answer = line(&mut from);
    assert!(answer.starts_with("+FULLRESYNC "), "{answer}");
    let length = line(&mut from);
    let length = length.strip_prefix('$').and_then(|length| length.parse().ok());
    let mut snapshot = vec![0; length.expect("a snapshot with a length")];
    from.read_exact(&mut snapshot).expect("a whole snapshot");
    (socket, from)
}

/// The next line that is not empty: a master that prepares sends newlines.
fn line(from: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        assert!(from.read_line(&mut line).expect("more") > 0, "it ended");
        if !line.trim().is_empty() {
            return line.trim().to_owned();
        }
    }
}

/// Checks that a stream is these writes in this order, and nothing else but SELECT and PING.
#[track_caller]
pub fn assert_stream(mut stream: &[u8], writes: &[String]) {
    let others = [command(&["SELECT", "0"]), command(&["PING"])];
    let mut writes = writes.iter();
    while !stream.is_empty() {
        let other = others.iter().find(|other| stream.starts_with(other.as_bytes()));
        let expected = match other {
            Some(other) => other,
            None => writes.next().expect("nothing that nobody wrote"),
        };
        let shown = String::from_utf8_lossy(&stream[..stream.len().min(80)]);
        assert!(stream.starts_with(expected.as_bytes()), "not {:.80}: {shown}", expected);
        stream = &stream[expected.len()..];
    }
    assert_eq!(writes.count(), 0, "writes are missing");
}
