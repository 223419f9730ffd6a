//! Our server behind TCP against redis-server and valkey-server, in one run on one machine.
//!
//! * Catch-up: a raw replica was away for 512 MB and gets them as a partial resync; against them
//!   also what the loopback itself carries between two threads of this process.
//! * Fan-out: bytes delivered to eight raw replicas for each second of the server's processor.
//! * Memory: what a process with a full backlog of 256 MB and eight replicas holds.
//!
//! The servers take turns round by round, so that a busy moment of the machine meets all of them.
//! A ratio above 1 means better than valkey-server, or than redis-server where there is no other.

mod peer;
mod process;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use peer::{Counter, Position, Writer, attach, resume};
use process::{Process, seats};

const MIB: u64 = 1 << 20;
const CATCH_UP_BYTES: u64 = 512 * MIB;
const FAN_OUT_BYTES: u64 = 256 * MIB;
const BACKLOG_BYTES: u64 = 256 * MIB;
const REPLICAS: usize = 8;
const ROUNDS: usize = 5;

fn main() {
    // Cargo passes `--bench`, and the names of benchmarks to run.
    let filters: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|part| name.contains(&**part));
    println!("{:<34} | {:>10} | {:>10} | {:>10} | ratio", "behind TCP", "ours", "redis", "valkey");
    if wanted("catch-up") {
        let limit = median((0..ROUNDS).map(|_| loopback()).collect());
        println!("{:<34} | {limit:>10.0} |", "loopback by itself, MB/s");
        row("catch-up of 512 MB, MB/s", &catch_up(), true);
    }
    if wanted("fan-out") {
        row("fan-out to 8, MB per CPU second", &fan_out(), true);
    }
    if wanted("memory") {
        row("256 MB backlog, 8 replicas, MiB", &memory(), false);
    }
}

/// Prints one line; `more_is_better` says which way the ratio goes.
fn row(name: &str, figures: &[Option<f64>], more_is_better: bool) {
    let [ours, redis, valkey] = figures else { return };
    let shown = |figure: &Option<f64>| figure.map_or("none".to_owned(), |f| format!("{f:.0}"));
    let ratio = ours
        .zip(valkey.or(*redis))
        .map(|(ours, theirs)| if more_is_better { ours / theirs } else { theirs / ours });
    let ratio = ratio.map_or("none".to_owned(), |ratio| format!("{ratio:.2}"));
    let (ours, redis, valkey) = (shown(ours), shown(redis), shown(valkey));
    println!("{name:<34} | {ours:>10} | {redis:>10} | {valkey:>10} | {ratio}");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The medians of rounds in which the servers take turns.
fn by_turns<S>(
    mut prepare: impl FnMut(Process) -> S,
    mut measure: impl FnMut(&mut S) -> f64,
    args: &[&str],
) -> Vec<Option<f64>> {
    let mut servers: Vec<Option<S>> =
        seats().iter().map(|seat| Process::start(seat.as_ref()?, args).map(&mut prepare)).collect();
    let mut figures = vec![Vec::new(); servers.len()];
    for _ in 0..ROUNDS {
        for (server, figures) in servers.iter_mut().zip(&mut figures) {
            figures.extend(server.as_mut().map(&mut measure));
        }
    }
    figures.into_iter().map(|figures| (!figures.is_empty()).then(|| median(figures))).collect()
}

/// What the loopback carries, in MB/s.
fn loopback() -> f64 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let sender = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("it comes");
        let piece = vec![7; MIB as usize];
        (0..CATCH_UP_BYTES / MIB).for_each(|_| socket.write_all(&piece).expect("it reads"));
    });
    let mut socket = TcpStream::connect(address).expect("it listens");
    let began = Instant::now();
    let mut piece = vec![0; MIB as usize];
    while socket.read(&mut piece).expect("more") > 0 {}
    let rate = rate(CATCH_UP_BYTES, began.elapsed());
    sender.join().expect("no panic");
    rate
}

fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// The rate at which a replica that was away gets what it missed, in MB/s.
fn catch_up() -> Vec<Option<f64>> {
    struct Filled {
        process: Process,
        from: Position,
        bytes: u64,
    }
    let prepare = |process: Process| {
        let (socket, from) = attach(process.port);
        drop(socket);
        Writer::connect(process.port).write(CATCH_UP_BYTES, 16 * 1024);
        let bytes = process.offset() - from.offset;
        Filled { process, from, bytes }
    };
    let measure = |filled: &mut Filled| {
        let (mut socket, began) = resume(filled.process.port, &filled.from);
        let mut piece = vec![0; MIB as usize];
        let mut left = filled.bytes;
        while left > 0 {
            let count = socket.read(&mut piece).expect("more");
            assert!(count > 0, "it was cut with {left} bytes missing");
            left = left.saturating_sub(count as u64);
        }
        rate(filled.bytes, began.elapsed())
    };
    let args = ["--repl-backlog-size", "600mb", "--repl-backlog-ttl", "0"];
    by_turns(prepare, measure, &args)
}

/// What eight replicas get for each second that the server computes, in MB.
fn fan_out() -> Vec<Option<f64>> {
    let prepare = |process: Process| {
        let replicas: Vec<Counter> = (0..REPLICAS).map(|_| Counter::attach(process.port)).collect();
        (process, replicas)
    };
    let measure = |(process, replicas): &mut (Process, Vec<Counter>)| {
        let before = process.cpu();
        let start: u64 = replicas.iter().map(Counter::read).sum();
        Writer::connect(process.port).write(FAN_OUT_BYTES / ROUNDS as u64, 1024);
        let end = process.offset();
        replicas.iter().for_each(|replica| replica.wait_for(end));
        let delivered: u64 = replicas.iter().map(Counter::read).sum::<u64>() - start;
        rate(delivered, process.cpu() - before)
    };
    by_turns(prepare, measure, &["--repl-backlog-size", "64mb"])
}

/// What a process holds, in MiB.
fn memory() -> Vec<Option<f64>> {
    let prepare = |process: Process| {
        let replicas: Vec<Counter> = (0..REPLICAS).map(|_| Counter::attach(process.port)).collect();
        Writer::connect(process.port).write(BACKLOG_BYTES * 5 / 4, 1024);
        let end = process.offset();
        replicas.iter().for_each(|replica| replica.wait_for(end));
        (process, replicas)
    };
    let measure = |(process, _): &mut (Process, Vec<Counter>)| process.rss_mib() as f64;
    by_turns(prepare, measure, &["--repl-backlog-size", "256mb"])
}
