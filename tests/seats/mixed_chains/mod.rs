//! Five servers of several kinds in trees that are drawn anew under load, in the manner of Redis'
//! `tests/integration/psync2.tcl`.
//!
//! A cycle: another server becomes the master, all others are pointed, in random order, at servers
//! that already have their place, and links are killed, while somebody writes to the master of the
//! moment. At the end of a cycle all five are equal, and nobody ever needed a second full resync.
//!
//! Which kinds go together: a redis-server 7.0 reads no newer snapshot than version 10, and
//! valkey-server 9 writes 11 at the oldest. So where both families meet, the first master, which
//! gives everybody a snapshot, is a redis-server or ours as one; all that follows are
//! continuations, which need no snapshot.
//!
//! The original stops writing while it draws a tree, because a replica must not ask somebody who
//! has less than it has itself: that is refused, and rightly so. Here the writes go on, and the
//! wire to a new master is held until that has caught up.

mod chains;

pub use self::chains::Chains;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::kind::Kind::{OursAsRedis, OursAsValkey, Redis, Valkey};
use crate::{from_environment, seed_for};

/// In the plain test command; `PSYNC_CYCLES` has any other number.
const CYCLES: u64 = 3;

/// Five servers; those whose snapshots all can read come first.
pub fn draw(family: &str, dice: &mut Dice) -> [Kind; 5] {
    let (mut kinds, any): (Vec<Kind>, &[Kind]) = match family {
        "redis" => (vec![OursAsRedis, Redis], &[OursAsRedis, Redis]),
        "valkey" => (vec![OursAsValkey, Valkey], &[OursAsValkey, Valkey]),
        _ => {
            let all = [OursAsRedis, Redis, OursAsValkey, Valkey].to_vec();
            (all, &[OursAsRedis, Redis, OursAsValkey, Valkey])
        }
    };
    if dice.one_in(2) {
        kinds.swap(0, 1);
    }
    while kinds.len() < 5 {
        kinds.push(*dice.pick(any));
    }
    kinds.try_into().unwrap_or_else(|_| panic!("five"))
}

fn cycles(family: &str) {
    let seed = seed_for(&format!("chains of {family}"));
    let mut dice = Dice::of(seed);
    let kinds = draw(family, &mut dice);
    let mut chains = Chains::start(&kinds, dice);
    for cycle in 1..=from_environment("PSYNC_CYCLES").unwrap_or(CYCLES) {
        chains.cycle();
        println!("  {family}, cycle {cycle}: {}", chains.shown());
    }
    assert!(chains.continued() > 0, "nobody ever continued");
}

#[test]
fn mixed_chains_of_ours_and_redis() {
    cycles("redis");
}

#[test]
fn mixed_chains_of_ours_and_valkey() {
    cycles("valkey");
}

#[test]
fn mixed_chains_of_all_kinds() {
    cycles("all kinds");
}
