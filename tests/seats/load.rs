//! Writes: strings of all sizes in several databases, transactions, and keys that expire.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;

use crate::client::Client;
use crate::data::DATABASES;
use crate::dice::Dice;
use crate::until;

type Batch = Vec<Vec<Bytes>>;

/// Few, so that they are overwritten, deleted and expire.
const KEYS: u64 = 60;
/// Above it a value is compressed in a snapshot, and is more than one piece on the way.
const BIG: u64 = 100_000;

/// Keys expire within this time, or long after any test is over.
pub const SOON_MS: u64 = 300;

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
        let ms = if long { dice.range(500_000, 900_000) } else { dice.range(1, SOON_MS) };
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
    /// Locked while a batch is on its way.
    target: Arc<Mutex<Target>>,
    written: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Nobody,
    Port(u16),
    Ended,
}

/// Between two batches: a load, not a flood, on a machine with two processors.
const BREATH: Duration = Duration::from_millis(2);

impl Load {
    /// Nothing is written before it is told where.
    pub fn begin(seed: u64) -> Load {
        let target = Arc::new(Mutex::new(Target::Nobody));
        let written = Arc::new(AtomicU64::new(0));
        let (to, count) = (target.clone(), written.clone());
        let thread = std::thread::spawn(move || write_all_the_time(seed, &to, &count));
        Load { target, written, thread: Some(thread) }
    }

    /// From here on this server is written to, and no other.
    pub fn write_to(&self, port: u16) {
        self.turn(Target::Port(port));
    }

    /// Nothing is written any more when this returns.
    pub fn pause(&self) {
        self.turn(Target::Nobody);
    }

    /// Batches so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Waits until so many more batches were written.
    pub fn go_on_for(&self, batches: u64) {
        let enough = self.written() + batches;
        let done = || (self.written() >= enough).then_some(());
        until("more is written", || format!("{} of {enough}", self.written()), done);
    }

    fn turn(&self, target: Target) {
        *self.target.lock().expect("whole") = target;
    }
}

fn write_all_the_time(seed: u64, target: &Mutex<Target>, written: &AtomicU64) {
    let mut dice = Dice::of(seed);
    let mut connection: Option<(u16, Client)> = None;
    loop {
        std::thread::sleep(BREATH);
        let target = target.lock().expect("whole");
        let port = match *target {
            Target::Ended => return,
            Target::Nobody => continue,
            Target::Port(port) => port,
        };
        connection = connection.filter(|(to, _)| *to == port);
        if connection.is_none() {
            connection = Client::connect(port).ok().map(|client| (port, client));
        }
        let batch = batch(&mut dice, BIG);
        match connection.as_mut().map(|(_, client)| client.try_call_all(&batch)) {
            Some(Ok(_)) => {
                written.fetch_add(1, Ordering::SeqCst);
            }
            Some(Err(_)) => connection = None,
            None => {}
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.turn(Target::Ended);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
