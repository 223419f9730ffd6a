//! Would the harness notice? One of two equal servers is tampered with, and the schedule must end
//! with a disagreement that names just that.

use crate::ask::World;
use crate::dice::Dice;
use crate::judge::{Judge, Outcome};
use crate::kind::Kind;
use crate::pair::Pair;
use crate::replica::Replica;
use crate::request::{Memory, Request};

/// When the tampering happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// While a replica is attached and has read everything.
    Attached,
    /// After it left.
    Away,
}

/// What is done to the one server and not, or otherwise, to the other.
type Tamper = fn(&mut Pair);

fn schedule(world: &mut World, when: When, tamper: Tamper) -> Outcome {
    let settings =
        vec![("repl-backlog-size", "16384".to_owned()), ("repl-diskless-sync", "no".to_owned())];
    let mut pair = Pair::start(world.kinds, "A", &settings);
    for when_now in [When::Attached, When::Away] {
        let request = Request::full(&mut world.dice);
        let mut attached = world.ask(&mut pair, &request)?.expect("a full resync");
        write(world, &mut pair, 3)?;
        attached.drain(&mut world.judge, &mut pair)?;
        if when == When::Attached && when_now == When::Attached {
            tamper(&mut pair);
        }
        attached.drain(&mut world.judge, &mut pair)?;
        world.memory.position = attached.0[0].position;
        attached.leave(&mut world.judge, &mut pair)?;
        if when == When::Away && when_now == When::Attached {
            tamper(&mut pair);
        }
        write(world, &mut pair, 30)?;
        let back = Request::back(&mut world.dice, &world.memory);
        if let Some(attached) = world.ask(&mut pair, &back)? {
            attached.leave(&mut world.judge, &mut pair)?;
        }
    }
    Ok(())
}

fn write(world: &mut World, pair: &mut Pair, count: u64) -> Outcome {
    for number in 0..count {
        let value = vec![b'v'; 2000];
        let key = format!("k{number}");
        pair.call(&mut world.judge, &[&b"SET"[..], key.as_bytes(), &value])?;
    }
    Ok(())
}

#[track_caller]
fn check(when: When, tamper: Tamper, noticed: &str) {
    let kinds = [Kind::Redis, Kind::Redis];
    let (judge, memory) = (Judge::default(), Memory::default());
    let mut world = World { kinds, judge, dice: Dice::of(1), memory };
    match schedule(&mut world, when, tamper) {
        Ok(()) => panic!("nothing was noticed, it was to be {noticed}"),
        Err(disagreement) => {
            let first = disagreement.what.lines().next().unwrap_or_default();
            assert!(first.contains(noticed), "{noticed}: {}", disagreement.what);
        }
    }
}

fn each(pair: &mut Pair, lines: [&str; 2]) {
    for (server, line) in pair.servers.iter_mut().zip(lines) {
        server.client.say(line);
    }
}

#[test]
fn tampering_with_nothing_is_no_disagreement() {
    let kinds = [Kind::Redis, Kind::Redis];
    let (judge, memory) = (Judge::default(), Memory::default());
    let mut world = World { kinds, judge, dice: Dice::of(1), memory };
    let outcome = schedule(&mut world, When::Away, |pair| each(pair, ["PING", "PING"]));
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_byte_of_the_stream_that_differs_is_noticed() {
    let tamper: Tamper = |pair| each(pair, ["PUBLISH a b", "PUBLISH a c"]);
    check(When::Attached, tamper, "bytes of the stream");
}

#[test]
fn a_byte_too_many_is_noticed() {
    let tamper: Tamper = |pair| each(pair, ["PUBLISH a b", "PUBLISH a bb"]);
    check(When::Attached, tamper, "master_repl_offset");
    check(When::Away, tamper, "master_repl_offset");
}

#[test]
fn a_window_that_begins_elsewhere_is_noticed() {
    // In the end the size is the same again, but the one block of a larger backlog is now two.
    let tamper: Tamper = |pair| {
        let value = "v".repeat(60_000);
        each(pair, ["PING", "CONFIG SET repl-backlog-size 1048576"]);
        each(pair, [&format!("SET big {value}"), &format!("SET big {value}")]);
        each(pair, ["PING", "CONFIG SET repl-backlog-size 16384"]);
        each(pair, ["SET big x", "SET big x"]);
    };
    check(When::Away, tamper, "repl_backlog_first_byte_offset");
}

#[test]
fn an_id_that_changed_on_one_side_is_noticed() {
    check(When::Away, |pair| each(pair, ["PING", "DEBUG CHANGE-REPL-ID"]), "master_replid");
}

#[test]
fn a_counter_that_moved_is_noticed() {
    let tamper: Tamper = |pair| {
        // Once on the one and twice on the other: the SELECT after it is on both.
        for port in [pair.ports()[0], pair.ports()[1], pair.ports()[1]] {
            let mut replica = Replica::connect(port).expect("it is there");
            replica.send(b"SYNC\r\n").expect("sent");
            replica.payload().expect("a snapshot");
        }
    };
    check(When::Away, tamper, "sync_full");
}

#[test]
fn a_key_that_only_one_side_has_is_noticed_in_the_snapshot() {
    // The same number of bytes, so that nothing else differs.
    let tamper: Tamper = |pair| {
        each(pair, ["SET a x", "SET b x"]);
        let flood = format!("SET flood {}", "v".repeat(60_000));
        each(pair, [&flood, &flood]);
    };
    check(When::Away, tamper, "keys of the snapshot");
}
