//! What happens to the servers of a schedule, and what ours gets from it.

use super::world::{BACKLOG_BYTES, BEHIND, Expected, OTHER, OURS, REAL, World};
use crate::load::{Load, write, write_bytes};

type Step = (&'static str, fn(&mut World) -> Expected);

pub const STEPS: &[Step] = &[
    ("writes", writes),
    ("a cut", a_cut),
    ("cuts under load", cuts_under_load),
    ("more than the backlog", more_than_the_backlog),
    ("a cut somewhere in a resync", cut_in_a_resync),
    ("the backlog expires", backlog_expires),
    ("the master restarts from its snapshot", master_restarts),
    ("the master crashes", master_crashes),
    ("the other one is promoted", promotion),
    ("to the other one in the chain", chain),
    ("to another master and back", another_master),
    ("we are a master for a while", promoted_for_a_while),
    ("we crash", we_crash),
    ("CLIENT KILL", client_kill),
    ("the backlog changes its size", resize),
    ("a cut behind us", cut_behind_us),
    ("PING", ping),
];

impl World {
    fn write(&mut self, batches: u64) {
        let client = &mut self.servers[self.master].client;
        write(client, &mut self.dice, batches);
    }

    fn write_bytes(&mut self, bytes: u64) {
        let client = &mut self.servers[self.master].client;
        write_bytes(client, &mut self.dice, bytes);
    }

    /// More than any backlog of ours keeps. What is kept may exceed the setting by a block.
    fn outrun(&mut self) {
        let set = self.master().number("repl_backlog_size") as u64;
        self.write_bytes(3 * set.max(BACKLOG_BYTES));
    }

    /// Cuts the link of ours, and waits until both sides know.
    fn cut_ours(&mut self) {
        let (master, ours) = (self.followed, &mut self.servers[OURS]);
        self.wires[master].cut();
        ours.until_info("master_link_status", "down");
        self.servers[master].until_info("connected_slaves", "0");
    }

    fn diskless(&mut self) {
        let word = if self.dice.one_in(2) { "yes" } else { "no" };
        self.master().client.ok(&format!("CONFIG SET repl-diskless-sync {word}"));
    }
}

fn writes(world: &mut World) -> Expected {
    let load = Load::begin(world.dice.range(0, u64::MAX - 1));
    load.write_to(world.master().port());
    load.go_on_for(100);
    Expected::Nothing
}

fn a_cut(world: &mut World) -> Expected {
    world.cut_ours();
    world.write(20);
    world.wires[world.followed].heal();
    Expected::Partial
}

fn cuts_under_load(world: &mut World) -> Expected {
    let load = Load::begin(world.dice.range(0, u64::MAX - 1));
    load.write_to(world.master().port());
    for _ in 0..world.dice.range(1, 4) {
        load.go_on_for(world.dice.range(1, 60));
        let bytes = world.dice.range(1, 20_000);
        world.wires[world.followed].kill_after(bytes);
    }
    load.go_on_for(50);
    Expected::Either
}

fn more_than_the_backlog(world: &mut World) -> Expected {
    world.diskless();
    world.cut_ours();
    world.outrun();
    world.wires[world.followed].heal();
    Expected::Full
}

fn cut_in_a_resync(world: &mut World) -> Expected {
    world.diskless();
    world.cut_ours();
    if world.dice.one_in(2) {
        world.outrun();
    } else {
        world.write(20);
    }
    let handshake = world.dice.range(1, 700);
    let transfer = world.dice.range(700, 150_000);
    let bytes = if world.dice.one_in(2) { handshake } else { transfer };
    world.wires[world.followed].kill_after(bytes);
    world.wires[world.followed].heal();
    Expected::Either
}

fn backlog_expires(world: &mut World) -> Expected {
    if world.followed != world.master {
        return a_cut(world);
    }
    world.master().client.ok("CONFIG SET repl-backlog-ttl 1");
    world.cut_ours();
    let master = world.master();
    master.until_info("repl_backlog_active", "0");
    master.client.ok("CONFIG SET repl-backlog-ttl 3600");
    world.write(5);
    world.wires[world.followed].heal();
    Expected::Full
}

/// Its replicas have all when it ends, so what it saves is where they continue.
fn master_restarts(world: &mut World) -> Expected {
    world.write(20);
    world.settle(Expected::Nothing);
    world.master().end();
    world.master().again(None);
    world.write(5);
    if world.followed == world.master { Expected::Partial } else { Expected::Either }
}

/// What lies on its disk is what some synchronization left there, or nothing.
fn master_crashes(world: &mut World) -> Expected {
    world.write(5);
    world.master().crash();
    world.master().again(None);
    world.write(5);
    Expected::Either
}

fn promotion(world: &mut World) -> Expected {
    world.come_to_rest();
    let (old, new) = (world.master, REAL[1 - world.master]);
    let followed = world.followed;
    world.servers[new].client.ok("REPLICAOF NO ONE");
    world.master = new;
    world.write(5);
    if followed != new {
        world.point(OURS, new);
    }
    world.point(old, new);
    Expected::Partial
}

fn chain(world: &mut World) -> Expected {
    world.write(5);
    world.settle(Expected::Nothing);
    let next = REAL[1 - world.followed];
    world.point(OURS, next);
    world.write(5);
    Expected::Partial
}

fn another_master(world: &mut World) -> Expected {
    let back = world.followed;
    write(&mut world.servers[OTHER].client, &mut world.dice, 10);
    world.point(OURS, OTHER);
    world.settle(Expected::Full);
    world.write(5);
    world.point(OURS, back);
    Expected::Full
}

fn promoted_for_a_while(world: &mut World) -> Expected {
    world.servers[OURS].client.ok("REPLICAOF NO ONE");
    if world.dice.one_in(2) {
        write(&mut world.servers[OURS].client, &mut world.dice, 5);
    }
    let master = world.followed;
    world.point(OURS, master);
    Expected::Full
}

/// What it got with its last full resync is on its disk, with the offset it had then.
fn we_crash(world: &mut World) -> Expected {
    world.servers[OURS].crash();
    world.write(5);
    let port = world.wires[world.followed].port();
    world.servers[OURS].again(Some(port));
    Expected::Either
}

fn client_kill(world: &mut World) -> Expected {
    let killed = world.servers[world.followed].client.say("CLIENT KILL TYPE replica");
    assert_ne!(killed, "0");
    world.write(5);
    world.servers[world.followed].until_info("connected_slaves", &killed);
    Expected::Partial
}

fn resize(world: &mut World) -> Expected {
    let bytes = world.dice.range(1, 2 * BACKLOG_BYTES);
    world.master().client.ok(&format!("CONFIG SET repl-backlog-size {bytes}"));
    world.write_bytes(bytes / 2);
    Expected::Nothing
}

fn cut_behind_us(world: &mut World) -> Expected {
    world.wires[OURS].cut();
    world.servers[BEHIND].until_info("master_link_status", "down");
    if world.dice.one_in(2) {
        world.outrun();
    } else {
        world.write(20);
    }
    world.wires[OURS].heal();
    Expected::Nothing
}

fn ping(world: &mut World) -> Expected {
    let master = world.master();
    master.client.ok("CONFIG SET repl-ping-replica-period 1");
    let end = master.number("master_repl_offset");
    master.until("there were PINGs", |master| {
        (master.number("master_repl_offset") > end + 14).then_some(())
    });
    master.client.ok("CONFIG SET repl-ping-replica-period 2147483647");
    Expected::Nothing
}
