//! Ours in the replica's seat: it follows a real master through random schedules.
//!
//! The world: a real master, a real replica of it that may be promoted, ours behind either of
//! them, and another real replica behind ours. After each step all keys, offsets and ids are
//! equal, the logs of both sides of every link tell of the same synchronizations, INFO's counters
//! are what the log says, and where the step leaves no choice ours got what a real replica gets.
//!
//! Found out: a replica that is turned into a master and back always needs everything, written to
//! or not, because it asks with the id it took as a master. A master that restarts from what it
//! saved when it was ended serves everybody a continuation.

mod steps;
mod world;

use std::time::Instant;

use self::steps::STEPS;
use self::world::World;
use crate::conformance_table::{self, Part, Row};
use crate::dice::Dice;
use crate::kind::Kind;
use crate::{from_environment, seed_for};

/// Of each pair, in the plain test command; `PSYNC_SCHEDULES` has any other number.
const SCHEDULES: u64 = 2;
const STEPS_IN_A_SCHEDULE: u64 = 12;

/// Runs schedules, and writes a row of the conformance table a kind of ours. A disagreement ends
/// the test where it is met, after it was counted.
fn follow(real: Kind, part: &str) {
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for ours in [Kind::OursAsRedis, Kind::OursAsValkey] {
        let started = Instant::now();
        let seed = seed_for(&format!("{ours:?} follows {real:?}"));
        let mut row = Row { seed: Some(seed), seat: "replica".into(), ..Row::default() };
        for number in 0..from_environment("PSYNC_SCHEDULES").unwrap_or(SCHEDULES) {
            let mut world = World::start(real, ours, Dice::of(seed.wrapping_add(number)));
            row.server = world.version();
            row.schedules += 1;
            // A panic is a disagreement too, but the table is written before it goes on.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                world.schedule();
            }));
            row.requests += world.tally.syncs;
            row.checks += world.tally.checks;
            if let Err(panic) = outcome {
                row.disagreements += 1;
                eprintln!("{}", world.evidence());
                failures.push(panic);
                break;
            }
        }
        row.engine = ours.engine().to_owned();
        row.seconds = started.elapsed().as_secs();
        println!("{row:?}");
        rows.push(row);
    }
    conformance_table::write(part, Part { suite: "replica seat".into(), rows, ..Part::default() });
    if let Some(failure) = failures.pop() {
        std::panic::resume_unwind(failure);
    }
}

impl World {
    fn schedule(&mut self) {
        // Drawn without repetition, so that two schedules leave little out.
        let mut left = STEPS.to_vec();
        for _ in 0..STEPS_IN_A_SCHEDULE {
            let drawn = self.dice.range(0, left.len() as u64 - 1);
            let (name, step) = left.swap_remove(drawn as usize);
            let started = Instant::now();
            self.begin(name);
            let expected = step(self);
            self.settle(expected);
            println!("  {name}: {} ms", started.elapsed().as_millis());
        }
    }
}

#[test]
fn we_follow_a_real_redis_as_real_replicas_do() {
    follow(Kind::Redis, "replica-seat-redis");
}

#[test]
fn we_follow_a_real_valkey_as_real_replicas_do() {
    follow(Kind::Valkey, "replica-seat-valkey");
}
