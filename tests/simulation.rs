//! Whole systems under random trouble, many of them.
//!
//! Each seed draws its own world and its own mix of trouble (see `swarm`). While it runs, a
//! witness looks at all servers after every event; at the end everything is repaired and all must
//! become equal.
//!
//! `PSYNC_RUNS` says how many seeds (5,000 by default), `PSYNC_SEED` which one is the first.

mod swarm;
mod witness;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use psync::server::engine::ENGINES;

use swarm::Tally;

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("PSYNC_RUNS and PSYNC_SEED are numbers"))
}

/// What must happen at least once in so many runs, on average.
const ONE_IN: [(&str, u64); 26] = [
    ("full: requested", 1),
    ("full: unknown-replid", 2),
    ("full: before-backlog", 5),
    ("full: after-backlog", 100),
    ("full: past-second-offset", 50),
    ("full: no-backlog", 50),
    ("full with a remedy", 10),
    ("partial by the id", 1),
    ("partial by the second id", 10),
    ("partial of nothing", 5),
    ("partial from a replica or new master", 5),
    ("old master continued", 20),
    ("cut by an output limit", 20),
    ("joined a snapshot", 20),
    ("snapshot put off", 5),
    ("backlog freed", 10),
    ("told to come later", 5),
    ("snapshot nobody needs", 20),
    ("promotion with a second id", 2),
    ("fell back to SYNC", 20),
    ("overrun", 5),
    ("restart with its id", 5),
    ("resize", 5),
    ("kill", 5),
    ("snapshot on a second channel", 50),
    ("write refused for want of replicas", 10),
];

#[test]
fn simulation_of_thousands_of_random_worlds_keeps_every_invariant_and_ends_equal() {
    let (first, runs) = (setting("PSYNC_SEED", 1), setting("PSYNC_RUNS", 5000));
    let next = AtomicU64::new(first);
    let total = Mutex::new((0, 0, Tally::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + runs {
                        break;
                    }
                    let (events, tally) = play(seed);
                    let mut total = total.lock().expect("no run has ended badly");
                    total.0 += events;
                    total.1 = events.max(total.1);
                    total.2.join(&tally);
                }
            });
        }
    });
    let (events, most, tally) = total.into_inner().expect("no run has ended badly");
    println!("{runs} runs from seed {first}: {events} events, at most {most} in one");
    println!("{}", tally.lines());
    if runs >= 1000 {
        check_that_everything_happened(runs, &tally);
    }
}

/// Plays one seed; gives how many events it had, and what happened.
#[expect(clippy::panic, reason = "a broken rule ends the test")]
fn play(seed: u64) -> (u64, Tally) {
    let ended = std::panic::catch_unwind(|| swarm::play(seed));
    match ended.map(|ended| (ended.fault, ended.events, ended.tally)) {
        Ok((None, events, tally)) => (events, tally),
        wrong => {
            let engine = swarm::engine_of(seed).name;
            eprintln!(
                "engine {engine}, replay: cargo xtask test --only native simulation --runs 1 --seed {seed}"
            );
            match wrong {
                Ok((Some(fault), ..)) => panic!("seed {seed}: {:?}: {}", fault.rule, fault.text),
                _ => panic!("seed {seed} ended in a panic"),
            }
        }
    }
}

/// A swarm in which something never happens proves nothing about it.
fn check_that_everything_happened(runs: u64, tally: &Tally) {
    let mut missing = Vec::new();
    let mut want = |what: &str, least: u64| {
        let count = tally.count(what);
        if count < least {
            missing.push(format!("{what}: {count}, wanted {least}"));
        }
    };
    for (what, one_in) in ONE_IN {
        want(what, runs / one_in);
    }
    for engine in ENGINES {
        want(&format!("{}: partial", engine.name), runs / 10);
        want(&format!("{}: full", engine.name), runs / 5);
    }
    assert!(missing.is_empty(), "in {runs} runs: {missing:#?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let digest = |seed| swarm::play(seed).digest;
    for seed in 1..=5 {
        assert_eq!(digest(seed), digest(seed), "seed {seed}");
        assert_ne!(digest(seed), digest(seed + 100), "seed {seed}");
    }
}
