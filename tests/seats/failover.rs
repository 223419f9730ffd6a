//! `FAILOVER` between ours and a real server, there and back: the roles change, and nobody needs
//! everything again.

use crate::data::agree;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::load::write;
use crate::seed_for;
use crate::server::Server;
use crate::sync_log::{Counted, decisions};

fn there_and_back(first: Kind, second: Kind) {
    let seed = seed_for(&format!("FAILOVER from {first:?} to {second:?}"));
    let mut dice = Dice::of(seed);
    let (mut master, mut replica) = (Server::start(first, &[]), Server::start(second, &[]));
    write(&mut master.client, &mut dice, 50);
    replica.follow(master.port());
    for _ in 0..2 {
        write(&mut master.client, &mut dice, 50);
        agree(&mut [&mut master, &mut replica]);
        master.client.ok("FAILOVER");
        replica.until_info("role", "master");
        master.until_info("role", "slave");
        std::mem::swap(&mut master, &mut replica);
        write(&mut master.client, &mut dice, 50);
        agree(&mut [&mut master, &mut replica]);
    }
    let full = [&master, &replica].map(|server| Counted::of(&decisions(&server.whole_log())).full);
    assert_eq!(full.iter().sum::<i64>(), 1, "the first attach only");
}

#[test]
fn failover_between_ours_and_redis() {
    there_and_back(Kind::OursAsRedis, Kind::Redis);
    there_and_back(Kind::Redis, Kind::OursAsRedis);
}

#[test]
fn failover_between_ours_and_valkey() {
    there_and_back(Kind::OursAsValkey, Kind::Valkey);
    there_and_back(Kind::Valkey, Kind::OursAsValkey);
}
