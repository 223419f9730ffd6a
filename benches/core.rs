//! The core against its limits, in one run on one machine.
//!
//! * Appending to the backlog, against `memcpy` of the same bytes into a buffer of the same size:
//!   nothing that stores bytes can be faster than storing them.
//! * `decide`, with a small and a huge window: it must not depend on the size.
//! * Simulated events per second.
//! * Going to any moment of a one-hour run: people drag a slider, so a frame (16 ms) is the limit.
//!
//! Each figure is the median of many rounds; a ratio compares medians of the same run.

use std::hint::black_box;
use std::time::Instant as Clock;

use bytes::Bytes;
use psync::cluster::{Run, Scenario, World};
use psync::random::{below, seeded};
use psync::stream::backlog::{Cut, Ledger, Retention, Ring, RingWindow};
use psync::stream::history::History;
use psync::stream::offset::{ByteCount, Offset};
use psync::stream::psync::{Request, decide};
use psync::time::{Instant, SECOND_US};

const ROUNDS: usize = 61;

/// The median time of one round, in nanoseconds.
fn median_ns(mut round: impl FnMut()) -> f64 {
    round();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Clock::now();
            round();
            start.elapsed().as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn row(name: &str, figure: &str, against: &str) {
    println!("{name:<44} {figure:>20}   {against}");
}

fn append(write: usize) {
    const SIZE: usize = 1 << 20;
    const WRITES: usize = 4096;
    let bytes = Bytes::from(vec![7_u8; write]);
    let mut ring = Ring::new(Offset(0), ByteCount(SIZE as u64));
    // Full before it is measured, so that every byte overwrites one.
    ring.append(&Bytes::from(vec![0; SIZE]), Cut::Whole);
    let ours = median_ns(|| {
        for _ in 0..WRITES {
            ring.append(black_box(&bytes), Cut::Whole);
        }
    });
    let mut buffer = vec![0_u8; SIZE];
    let copy = median_ns(|| {
        let mut at = 0;
        for _ in 0..WRITES {
            if at + write > SIZE {
                at = 0;
            }
            buffer[at..at + write].copy_from_slice(black_box(&bytes));
            at += write;
        }
        black_box(&mut buffer);
    });
    let gigabytes = (write * WRITES) as f64 / ours;
    row(
        &format!("backlog append, writes of {write} B"),
        &format!("{gigabytes:.2} GB/s"),
        &format!("{:.2} x the time of memcpy", ours / copy),
    );
}

fn decision(name: &str, size: u64) {
    const DECISIONS: u64 = 10_000;
    let mut window = RingWindow::new(Offset(0), ByteCount(size));
    window.append(ByteCount(size * 3));
    let window = window.window();
    let history = History { end: Offset(size * 3), ..History::begin(&mut seeded(1)) };
    let replid = Bytes::copy_from_slice(history.replid.as_str().as_bytes());
    let request = Request { replid, pos: window.first };
    let ns = median_ns(|| {
        for _ in 0..DECISIONS {
            black_box(decide(black_box(&history), Some(&window), black_box(&request)));
        }
    });
    row(&format!("decide, window of {name}"), &format!("{:.1} ns", ns / DECISIONS as f64), "");
}

fn simulation(replicas: usize) {
    let mut scenario = Scenario { replicas, ..Scenario::default() };
    scenario.workload.writes_per_second = 200;
    let start = Clock::now();
    let mut world = World::new(&scenario);
    let mut simulated = 0;
    while start.elapsed().as_millis() < 1500 {
        world.run_until(world.now().after_us(SECOND_US));
        world.take_entries();
        simulated += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    row(
        &format!("simulation, {replicas} replicas, 200 writes/s"),
        &format!("{:.2} M events/s", world.events() as f64 / seconds / 1e6),
        &format!("{:.0} x real time", f64::from(simulated) / seconds),
    );
}

/// Seeks to random moments of an hour, and drags back through a minute of it.
fn seeking(name: &str, text: &str) {
    const HOUR_US: u64 = 3600 * SECOND_US;
    let scenario = Scenario::from_json(text).expect("a good scenario");
    let mut run = Run::new(scenario);
    run.advance_us(HOUR_US);
    let mut rng = seeded(1);
    let random: Vec<u64> = (0..301).map(|_| below(&mut rng, HOUR_US)).collect();
    let from = random[0];
    let dragged: Vec<u64> = (0..301).map(|n| from.saturating_sub(n * SECOND_US / 5)).collect();
    for (way, moments) in [("random", random), ("dragged", dragged)] {
        let mut times: Vec<f64> = moments
            .into_iter()
            .map(|moment| {
                let start = Clock::now();
                run.seek(Instant(moment));
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let kept = run.kept();
        row(
            &format!("seek in an hour, {name}, {way}"),
            &format!("{:.2} ms, p99 {:.2} ms", times[150], times[297]),
            &format!("{} copies, {} MB", kept.copies, kept.copies_bytes >> 20),
        );
    }
}

fn main() {
    println!("{:<44} {:>20}   against", "native", "figure");
    for write in [64, 1024, 16 * 1024] {
        append(write);
    }
    decision("16 KB", 16 << 10);
    decision("1 GB", 1 << 30);
    for replicas in [3, 20, 100] {
        simulation(replicas);
    }
    seeking("3 replicas, 16 writes/s", r#"{"preset":"too-long"}"#);
    seeking("3 replicas, 20 writes/s, 1 MB", "{}");
    seeking("3 replicas, 200 writes/s", r#"{"workload":{"writes_per_second":200}}"#);
}
