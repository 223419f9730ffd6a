//! Whole systems under random trouble, many of them.
//!
//! Each seed draws a world and a schedule of cuts (both ways and one way), freezes, restarts,
//! resizes, bursts, lossy links, promotions and changes of master. While it runs, a witness
//! compares the servers after every event; at the end everything is repaired and all must become
//! equal.
//!
//! `PSYNC_RUNS` says how many seeds (1,000 by default), `PSYNC_SEED` which one is the first.

mod witness;

use std::sync::atomic::{AtomicU64, Ordering};

use psync::cluster::scenario::{Network, Wire, Workload};
use psync::cluster::{Action, Direction, Loss, Scenario, World};
use psync::random::{Generator, below, seeded};
use psync::server::engine::ENGINES;
use psync::table::Table;
use psync::time::{Instant, SECOND_US};

use witness::Witness;

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("PSYNC_RUNS and PSYNC_SEED are numbers"))
}

#[test]
fn simulation_of_a_thousand_random_worlds_keeps_every_invariant_and_ends_equal() {
    let (first, runs) = (setting("PSYNC_SEED", 1), setting("PSYNC_RUNS", 1000));
    let next = AtomicU64::new(first);
    let totals = [const { AtomicU64::new(0) }; 3];
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + runs {
                        break;
                    }
                    let ended = std::panic::catch_unwind(|| play(seed));
                    let Ok(counts) = ended else {
                        let engine = scenario(seed, &mut seeded(seed)).engine.name;
                        eprintln!("engine {engine}, replay: cargo xtask test --only native simulation --runs 1 --seed {seed}");
                        panic!("seed {seed} broke an invariant");
                    };
                    for (total, count) in totals.iter().zip(counts) {
                        total.fetch_add(count, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let [events, partial, full] = totals.map(AtomicU64::into_inner);
    println!("{runs} runs from seed {first}: {events} events, {partial} partial, {full} full");
    // A schedule in which nothing interesting happens would prove nothing.
    if runs >= 100 {
        assert!(partial > runs / 2 && full > runs, "{partial} partial, {full} full");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 1..=5 {
        assert_eq!(digest_of(seed), digest_of(seed), "seed {seed}");
        assert_ne!(digest_of(seed), digest_of(seed + 100), "seed {seed}");
    }
}

fn digest_of(seed: u64) -> u64 {
    let mut rng = seeded(seed);
    let mut world = World::new(&scenario(seed, &mut rng));
    for _ in 0..20 {
        let _refused = world.act(&trouble(&world, &mut rng));
        world.run_until(world.now().after_us(SECOND_US / 2));
    }
    world.digest()
}

/// Plays one seed to its end; gives (events, partial, full).
#[expect(clippy::panic, reason = "a world that finds no peace ends the test")]
fn play(seed: u64) -> [u64; 3] {
    let mut rng = seeded(seed);
    let mut world = World::new(&scenario(seed, &mut rng));
    let mut witness = Witness::default();
    let end = Instant(20 * SECOND_US + below(&mut rng, 20 * SECOND_US));
    while world.now() < end {
        let pause = below(&mut rng, 3 * SECOND_US);
        watch(&mut world, &mut witness, pause);
        if below(&mut rng, 12) == 0 {
            nobody_left(&mut world, &mut witness, &mut rng);
        }
        let action = trouble(&world, &mut rng);
        // Trouble that is there already (cutting what is cut) is refused, and that is fine.
        let _refused = world.act(&action);
        witness.look(&mut world);
    }
    repair(&mut world);
    for _ in 0..200 {
        watch(&mut world, &mut witness, SECOND_US / 2 + 7001);
        if witness::disagreement(&world).is_none() {
            let counts = world.servers().map(|(_, server)| server.counters());
            let (partial, full) = counts.fold((0, 0), |(partial, full), counters| {
                (partial + counters.sync_partial_ok, full + counters.sync_full)
            });
            return [world.events(), partial, full];
        }
    }
    panic!("seed {seed}: no peace after 100 calm seconds: {:?}", witness::disagreement(&world));
}

/// All replicas are away for a while, and come back one after the other.
fn nobody_left(world: &mut World, witness: &mut Witness, rng: &mut Generator) {
    let replicas: Vec<String> = world.servers().skip(1).map(|(name, _)| name.to_owned()).collect();
    let direction = Direction::Both;
    for replica in replicas.clone() {
        let _refused = world.act(&Action::Cut { replica, direction });
    }
    watch(world, witness, below(rng, 6 * SECOND_US));
    for replica in replicas {
        let _refused = world.act(&Action::Heal { replica, direction });
        watch(world, witness, below(rng, SECOND_US));
    }
}

fn watch(world: &mut World, witness: &mut Witness, us: u64) {
    let until = world.now().after_us(us);
    while let Some(at) = world.next_event_at().filter(|at| *at <= until) {
        world.run_until(at);
        witness.look(world);
    }
    world.run_until(until);
}

fn scenario(seed: u64, rng: &mut Generator) -> Scenario {
    let mut pick = |options: &[u64]| options[below(rng, options.len() as u64) as usize];
    let config = [
        ("repl-backlog-size", pick(&[200, 1000, 4096, 16384, 100_000])),
        ("repl-backlog-ttl", pick(&[0, 1, 3, 3600])),
        ("repl-timeout", pick(&[3, 5, 60])),
        ("repl-ping-replica-period", pick(&[1, 2, 10])),
        ("repl-diskless-sync-delay", pick(&[0, 0, 1, 5])),
        ("rdb-key-save-delay", pick(&[0, 0, 1000, 100_000])),
    ];
    let two_channels = ["yes", "no"][pick(&[0, 1]) as usize];
    let engine = ENGINES[below(rng, ENGINES.len() as u64) as usize];
    let mut config: Table<String, String> =
        config.map(|(name, value)| (name.to_owned(), value.to_string())).into();
    if engine.dual_channel {
        config.insert("dual-channel-replication-enabled".to_owned(), two_channels.to_owned());
    }
    let mut pick = |options: &[u64]| options[below(rng, options.len() as u64) as usize];
    Scenario {
        engine,
        seed,
        replicas: 1 + pick(&[0, 1, 2, 3, 4]) as usize,
        config,
        workload: Workload {
            writes_per_second: pick(&[0, 1, 5, 20]),
            value_bytes: pick(&[0, 10, 100, 600]),
            keys: pick(&[1, 10, 100]),
            curve: Vec::new(),
        },
        network: Network {
            default: Wire {
                latency_us: pick(&[0, 100, 1000, 20_000]),
                bandwidth_bytes_per_second: [None, Some(100_000), Some(10_000_000)]
                    [pick(&[0, 1, 2]) as usize],
            },
            links: Default::default(),
        },
        ..Scenario::default()
    }
}

/// One random action.
fn trouble(world: &World, rng: &mut Generator) -> Action {
    let names: Vec<String> = world.servers().map(|(name, _)| name.to_owned()).collect();
    let at = below(rng, names.len() as u64) as usize;
    let server = names[at].clone();
    let replica = names[1 + below(rng, names.len() as u64 - 1) as usize].clone();
    let ways = [Direction::Both, Direction::Both, Direction::ToReplica, Direction::ToMaster];
    let direction = ways[below(rng, 4) as usize];
    match below(rng, 26) {
        0..=4 => Action::Cut { replica, direction },
        5..=9 => Action::Heal { replica, direction },
        10 => Action::Freeze { server },
        11..=12 => Action::Thaw { server },
        13 => Action::Restart { server, keep_id: below(rng, 2) == 0 },
        14 => Action::Burst { writes: 1 + below(rng, 50), value_bytes: below(rng, 200) },
        15 => Action::Config {
            server,
            directive: "repl-backlog-size".to_owned(),
            value: (16384 + below(rng, 3) * 1000).to_string(),
        },
        16 => Action::Link {
            replica,
            latency_us: Some(below(rng, 30_000)),
            bandwidth_bytes_per_second: None,
            loss: Some(Loss { lost: below(rng, 3) as u32, of: 10 }),
        },
        19 => Action::Workload {
            writes_per_second: Some(below(rng, 30)),
            value_bytes: Some(below(rng, 300)),
            curve: None,
        },
        17 => Action::Promote { server: replica },
        20 => Action::ReplicaOf { server: names[0].clone(), master: replica },
        // Always to a place further up, so that no circle of replicas comes about.
        18 => Action::ReplicaOf {
            master: names[below(rng, at.max(1) as u64) as usize].clone(),
            server,
        },
        _ => Action::Write { argv: command(rng), server },
    }
}

fn command(rng: &mut Generator) -> Vec<String> {
    let key = format!("key:{}", below(rng, 5));
    let (number, db) = (below(rng, 3000), below(rng, 3));
    let line = match below(rng, 11) {
        0 => format!("SELECT {db}"),
        1 => format!("SET {key} v{number} PX {number}1"),
        2 => format!("SET {key} {number} EX 1"),
        3 => format!("PEXPIRE {key} {number}"),
        4 => format!("INCR {key}"),
        5 => format!("APPEND {key} x{number}"),
        6 => format!("DEL {key} key:1"),
        7 => format!("MSET {key} a key:2 b{number}"),
        8 => format!("PUBLISH channel {number}"),
        9 => format!("GET {key}"),
        _ => (if number < 300 { "FLUSHDB" } else { "INFO replication" }).to_owned(),
    };
    line.split(' ').map(str::to_owned).collect()
}

/// Ends all trouble: every link whole, every server awake and following the first one.
fn repair(world: &mut World) {
    let names: Vec<String> = world.servers().map(|(name, _)| name.to_owned()).collect();
    for name in &names {
        let _awake = world.act(&Action::Thaw { server: name.clone() });
    }
    // It may follow one of the others, and they may follow it: a circle.
    let _master = world.act(&Action::Promote { server: names[0].clone() });
    for name in &names[1..] {
        let (replica, direction) = (name.clone(), Direction::Both);
        let _whole = world.act(&Action::Heal { replica: replica.clone(), direction });
        let calm = Action::Link {
            replica,
            latency_us: Some(500),
            bandwidth_bytes_per_second: Some(10_000_000),
            loss: Some(Loss { lost: 0, of: 1 }),
        };
        world.act(&calm).expect("every replica has a link");
        let (server, master) = (name.clone(), names[0].clone());
        world.act(&Action::ReplicaOf { server, master }).expect("every replica can follow");
    }
}
