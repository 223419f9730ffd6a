//! Writes: strings of all sizes in several databases, transactions, and keys that expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;

use crate::client::Client;
use crate::data::DATABASES;
use crate::dice::Dice;

type Batch = Vec<Vec<Bytes>>;

/// Few, so that they are overwritten, deleted and expire.
const KEYS: u64 = 60;
/// Above it a value is compressed in a snapshot, and is more than one piece on the way.
const BIG: u64 = 100_000;

/// One transaction, or some commands without; at most about `big` bytes a value, if any is big.
pub fn batch(dice: &mut Dice, big: u64) -> Batch {
    let mut batch = vec![line(&format!("SELECT {}", dice.pick(&DATABASES)))];
    let together = dice.one_in(4);
    if together {
        batch.push(line("MULTI"));
    }
    for _ in 0..dice.range(1, 5) {
        batch.push(command(dice, big));
    }
    if together {
        batch.push(line("EXEC"));
    }
    batch
}

/// Writes so many batches, of small values.
#[track_caller]
pub fn write(client: &mut Client, dice: &mut Dice, batches: u64) {
    let commands: Batch = (0..batches).flat_map(|_| batch(dice, 0)).collect();
    client.try_call_all(&commands).expect("a server that takes writes");
}

/// Writes at least so many bytes that nobody can compress away, in values of a few kilobytes.
#[track_caller]
pub fn write_bytes(client: &mut Client, dice: &mut Dice, bytes: u64) {
    let (mut commands, mut written) = (vec![line("SELECT 0")], 0);
    while written < bytes {
        let size = dice.range(1000, 5000);
        commands.push(vec![word("SET"), key(dice), Bytes::from(dice.letters(size))]);
        written += size;
    }
    client.try_call_all(&commands).expect("a server that takes writes");
}

fn command(dice: &mut Dice, big: u64) -> Vec<Bytes> {
    let key = key(dice);
    let size = match dice.range(0, 19) {
        0 if big > 0 => dice.range(1, big),
        1..4 => dice.range(300, 3000),
        _ => dice.range(0, 200),
    };
    let milliseconds = |dice: &mut Dice| {
        let long = dice.one_in(2);
        let ms = if long { dice.range(500_000, 900_000) } else { dice.range(1, 300) };
        word(&ms.to_string())
    };
    match dice.range(0, 12) {
        0 => vec![word("DEL"), key, word("0")],
        1 => vec![word("INCR"), word(&format!("n{}", dice.range(0, 5)))],
        2 => vec![word("APPEND"), key, Bytes::from(dice.letters(size % 50))],
        3 => vec![word("PEXPIRE"), key, milliseconds(dice)],
        4 => vec![word("SET"), key, value(dice, size), word("PX"), milliseconds(dice)],
        5 => {
            let other = self::key(dice);
            vec![word("MSET"), key, value(dice, size), other, value(dice, 10)]
        }
        6 if dice.one_in(30) => vec![word("FLUSHDB")],
        7 => vec![word("PUBLISH"), key, value(dice, 20)],
        _ => vec![word("SET"), key, value(dice, size)],
    }
}

/// Now and then an integer, which a snapshot writes in other ways.
fn value(dice: &mut Dice, size: u64) -> Bytes {
    match dice.range(0, 5) {
        0 => word(&dice.range(0, 1 << 40).to_string()),
        1 => Bytes::from(vec![b'x'; size as usize]),
        _ => Bytes::from(dice.letters(size)),
    }
}

fn key(dice: &mut Dice) -> Bytes {
    word(&format!("key {}", dice.range(0, KEYS)))
}

fn word(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn line(text: &str) -> Vec<Bytes> {
    text.split(' ').map(word).collect()
}

/// Somebody who writes all the time, to the server that is the master at the moment.
pub struct Load {
    port: Arc<AtomicU16>,
    ended: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// While the port is this, nothing is written.
const NOBODY: u16 = 0;
/// Between two batches: a load, not a flood, on a machine with two processors.
const BREATH: Duration = Duration::from_millis(2);

impl Load {
    /// Nothing is written before it is told where.
    pub fn begin(seed: u64) -> Load {
        let port = Arc::new(AtomicU16::new(NOBODY));
        let (ended, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (to, end, count) = (port.clone(), ended.clone(), written.clone());
        let thread = std::thread::spawn(move || {
            let mut dice = Dice::of(seed);
            let mut connection: Option<(u16, Client)> = None;
            while !end.load(Ordering::SeqCst) {
                let port = to.load(Ordering::SeqCst);
                connection = connection.filter(|(to, _)| *to == port);
                if port != NOBODY && connection.is_none() {
                    connection = Client::connect(port).ok().map(|client| (port, client));
                }
                let batch = batch(&mut dice, BIG);
                let done = connection.as_mut().map(|(_, client)| client.try_call_all(&batch));
                match done {
                    Some(Ok(_)) => {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                    Some(Err(_)) => connection = None,
                    None => {}
                }
                std::thread::sleep(BREATH);
            }
        });
        Load { port, ended, written, thread: Some(thread) }
    }

    /// From here on this server is written to.
    pub fn write_to(&self, port: u16) {
        self.port.store(port, Ordering::SeqCst);
    }

    /// Nothing is written any more when this returns.
    pub fn pause(&self) {
        self.port.store(NOBODY, Ordering::SeqCst);
        // A batch may be on its way to where the port was.
        std::thread::sleep(5 * BREATH);
    }

    /// Batches so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
