//! Our `psync-server` beside real servers, step by step.
//!
//! A schedule is a seed: it draws a scenario, settings, writes and synchronization requests, and
//! gives each step to two servers. Answers, ids (as relations), offsets, counters, the bytes of
//! the stream, the window of the backlog to the byte and the log lines must be the same. A
//! schedule ends at its first disagreement, because everything after would differ too.
//!
//!     PSYNC_SEED=7 PSYNC_REQUESTS=1000 cargo test --test conformance
//!
//! How we know that the harness is right: a real server beside another of its kind never
//! disagrees, and Redis beside Valkey does.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "the whole crate is a test, its helpers included")]

mod ask;
#[path = "../real_redis/client.rs"]
mod client;
#[path = "../conformance_table/mod.rs"]
mod conformance_table;
mod dice;
mod judge;
mod kind;
mod log_shape;
mod numbers;
mod pair;
mod process;
#[path = "../programs/mod.rs"]
mod programs;
mod replica;
mod request;
mod scenarios;
mod sensitivity;
mod writes;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ask::World;
use conformance_table::{Part, Row};
use dice::Dice;
use judge::Judge;
use kind::Kind;
use process::Process;
use request::Memory;

/// Requests a server in the plain test command; `PSYNC_REQUESTS` has any other number.
const REQUESTS: u64 = 300;
/// Of the tests of the harness itself.
const FEW_REQUESTS: u64 = 60;
/// After so many there is nothing to learn from more.
const MOST_DISAGREEMENTS: usize = 12;

struct Findings {
    row: Row,
    disagreements: Vec<String>,
}

/// Runs schedules until there were that many requests.
fn run(kinds: [Kind; 2], requests: u64) -> Findings {
    let started = Instant::now();
    let seed = from_environment("PSYNC_SEED").unwrap_or_else(fresh_seed);
    println!("{kinds:?}: PSYNC_SEED={seed}");
    let mut row = Row { seed: Some(seed), seat: "master".into(), ..Row::default() };
    let mut disagreements = Vec::new();
    while row.requests < requests && disagreements.len() < MOST_DISAGREEMENTS {
        let seed = seed.wrapping_add(row.schedules);
        let (name, scenario) = scenarios::ALL[(seed % scenarios::ALL.len() as u64) as usize];
        let judge = Judge::default();
        let mut world = World { kinds, judge, dice: Dice::of(seed), memory: Memory::default() };
        let begun = Instant::now();
        let outcome = scenario(&mut world);
        let took = begun.elapsed().as_millis();
        println!("  {seed} {name}: {} requests, {took} ms", world.judge.requests);
        row.schedules += 1;
        row.requests += world.judge.requests;
        row.checks += world.judge.checks;
        match outcome {
            Ok(()) => {}
            Err(disagreement) if disagreement.generous => {
                println!("  given up, PSYNC_SEED={seed} {name}: {}", disagreement.what);
                row.given_up += 1;
            }
            Err(disagreement) => {
                disagreements.push(format!("PSYNC_SEED={seed} {name}: {}", disagreement.what));
            }
        }
    }
    row.disagreements = disagreements.len() as u64;
    row.engine = kinds[1].engine().to_owned();
    row.seconds = started.elapsed().as_secs();
    let mut one = Process::start(kinds[0], &[]);
    let version = one.client.info(kinds[0].version_field());
    row.server = format!("{} {version}", kinds[0].name());
    Findings { row, disagreements }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn requests_or(usual: u64) -> u64 {
    from_environment("PSYNC_REQUESTS").unwrap_or(usual)
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Small enough to be typed, and different each time.
    now.as_millis() as u64 % 1_000_000_007
}

#[track_caller]
fn assert_none(Findings { row, disagreements: found }: &Findings) {
    assert!(found.is_empty(), "{} disagreements:\n\n{}", found.len(), found.join("\n\n"));
    // A generous allocator is rare; what is not rare would be a wrong rule.
    let excused = 1 + row.schedules / 20;
    assert!(row.given_up <= excused, "{} of {} given up", row.given_up, row.schedules);
}

fn prove(kinds: [Kind; 2], part: &str) {
    let findings = run(kinds, requests_or(REQUESTS));
    let suite = "random schedules, side by side".to_owned();
    let rows = vec![findings.row.clone()];
    conformance_table::write(part, Part { suite, rows, ..Part::default() });
    assert_none(&findings);
}

#[test]
fn our_server_as_redis_does_what_redis_does() {
    prove([Kind::Redis, Kind::OursAsRedis], "master-seat-redis");
}

#[test]
fn our_server_as_valkey_does_what_valkey_does() {
    prove([Kind::Valkey, Kind::OursAsValkey], "master-seat-valkey");
}

#[test]
fn a_real_redis_never_disagrees_with_another() {
    assert_none(&run([Kind::Redis, Kind::Redis], requests_or(FEW_REQUESTS)));
}

#[test]
fn a_real_valkey_never_disagrees_with_another() {
    assert_none(&run([Kind::Valkey, Kind::Valkey], requests_or(FEW_REQUESTS)));
}

/// Otherwise agreement would prove nothing.
#[test]
fn redis_and_valkey_are_told_apart_in_every_schedule() {
    let findings = run([Kind::Redis, Kind::Valkey], FEW_REQUESTS);
    let (found, row) = (findings.disagreements.len() as u64, &findings.row);
    assert_eq!(found, row.schedules, "{:#?}", findings.disagreements);
}
