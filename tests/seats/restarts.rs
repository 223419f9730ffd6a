//! The end of Redis' `psync2.tcl`, and `psync2-master-restart.tcl`: servers that went away come
//! back from the snapshots they saved, and continue. Five servers of several kinds.
//!
//! Found out: a master that comes back has a new id, and all its replicas continue through its
//! second one. A replica that comes back asks with the id and offset of its snapshot. Neither
//! needs anything that it had before.

use crate::dice::Dice;
use crate::mixed_chains::{Chains, draw};
use crate::seed_for;

fn stories(family: &str) {
    let seed = seed_for(&format!("restarts of {family}"));
    let mut dice = Dice::of(seed);
    let kinds = draw(family, &mut dice);
    let mut chains = Chains::start(&kinds, Dice::of(seed));
    let last = kinds.len() - 1;

    println!("  the old master comes back as a replica after a failover");
    let new = dice.range(1, last as u64) as usize;
    let old = chains.master;
    let before = chains.continued();
    chains.promote(new);
    chains.write();
    for replica in (0..=last).filter(|replica| *replica != new) {
        chains.point(replica, new);
    }
    chains.all_equal();
    // Who was behind another than the new master is cut once more on the way.
    assert!(chains.continued() >= before + last as i64, "one each, {old} too");

    println!("  a replica comes back from its snapshot, and continues");
    let replica = *dice.pick(&chains.replicas());
    let before = chains.continued();
    chains.servers[replica].end();
    chains.write();
    chains.again(replica);
    chains.all_equal();
    assert_eq!(chains.continued(), before + 1);

    println!("  the master comes back from its snapshot, and all continue");
    let before = chains.continued();
    let master = chains.master;
    let id = chains.servers[master].client.info("master_replid");
    chains.servers[master].end();
    chains.again(master);
    let server = &mut chains.servers[master];
    assert_ne!(server.client.info("master_replid"), id);
    assert_eq!(server.client.info("master_replid2"), id);
    chains.write();
    chains.all_equal();
    assert_eq!(chains.continued(), before + last as i64);
    assert_eq!(chains.servers[master].number("sync_full"), 0);

    println!("  all end, replicas first, and all come back");
    let before = chains.continued();
    for replica in chains.replicas() {
        chains.servers[replica].end();
    }
    chains.servers[master].end();
    chains.again(master);
    chains.write();
    for replica in chains.replicas() {
        chains.again(replica);
    }
    chains.all_equal();
    assert_eq!(chains.continued(), before + last as i64);
    assert_eq!(chains.servers[master].number("sync_full"), 0);
}

#[test]
fn ours_and_redis_come_back_from_their_snapshots() {
    stories("redis");
}

#[test]
fn ours_and_valkey_come_back_from_their_snapshots() {
    stories("valkey");
}

#[test]
fn all_kinds_come_back_from_their_snapshots() {
    stories("all kinds");
}
