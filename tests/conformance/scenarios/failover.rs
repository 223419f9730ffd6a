//! Two servers a side: B follows A, is promoted, and A follows B.

use crate::ask::{World, compare_answers};
use crate::judge::Outcome;
use crate::numbers::Numbers;
use crate::pair::{Attached, Pair};
use crate::process::wait_for;
use crate::request::{Id, Request, Way};
use crate::scenarios::settings;
use crate::writes::{Values, write};

pub fn promotion(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "65536", "1mb"]);
    let mut a = Pair::start(world.kinds, "A", &settings);
    write(&mut world.judge, &mut a, &mut world.dice, 5, Values::Small)?;
    let mut b = Pair::start_replica(&a, "B", &settings);
    a.knows(&b);
    until_followed(world, &mut a, &mut b)?;
    let count = world.dice.range(1, 40);
    write(&mut world.judge, &mut a, &mut world.dice, count, Values::Middle)?;
    until_followed(world, &mut a, &mut b)?;
    ask_of(world, &mut a, 1)?;
    ask_of(world, &mut b, 2)?;
    if world.dice.one_in(2) {
        link_down(world, &mut a, &mut b)?;
    }

    let subreplica = attach(world, &mut b)?;
    let subreplica = through_b(world, &mut a, &mut b, subreplica)?;
    promote(world, &mut b)?;
    // It comes back for the new id; until then it is nobody's replica.
    drop(subreplica);
    b.wait(&mut world.judge, "B has cut its own replica", |numbers| numbers.replicas() == 0)?;
    a.wait(&mut world.judge, "A knows that B left", |numbers| numbers.replicas() == 0)?;
    compare(world, &mut a, &mut b)?;
    let ahead = world.dice.range(0, 1) * world.dice.range(0, 3);
    write(&mut world.judge, &mut a, &mut world.dice, ahead, Values::Small)?;
    let count = world.dice.range(0, 20);
    write(&mut world.judge, &mut b, &mut world.dice, count, Values::Small)?;
    for offset in limits(&mut b) {
        let request = Request { id: Id::Second, offset, ..Request::plain(&mut world.dice) };
        if let Some(attached) = world.ask(&mut b, &request)? {
            attached.leave(&mut world.judge, &mut b)?;
        }
    }
    ask_of(world, &mut b, 2)?;

    world.judge.note(format!("A follows B, ahead by {ahead} writes"));
    for side in 0..2 {
        let port = b.ports()[side].to_string();
        let words = ["REPLICAOF", "127.0.0.1", &port];
        let reply = a.servers[side].client.try_call(&words);
        assert!(reply.is_ok(), "{reply:?}");
    }
    b.knows(&a);
    until_followed(world, &mut b, &mut a)?;
    write(&mut world.judge, &mut b, &mut world.dice, 4, Values::Small)?;
    until_followed(world, &mut b, &mut a)?;
    ask_of(world, &mut a, 2)?;
    ask_of(world, &mut b, 1)
}

/// A raw replica of B with everything that B has.
fn attach(world: &mut World, b: &mut Pair) -> Outcome<Option<Attached>> {
    world.memory.position = b.numbers()[0].end();
    let request = Request::back(&mut world.dice, &world.memory);
    world.ask(b, &request)
}

/// What A writes comes out of B, byte for byte.
fn through_b(
    world: &mut World,
    a: &mut Pair,
    b: &mut Pair,
    subreplica: Option<Attached>,
) -> Outcome<Option<Attached>> {
    let Some(mut subreplica) = subreplica else { return Ok(None) };
    world.judge.note("A writes, and B's replica listens");
    let count = world.dice.range(1, 9);
    write(&mut world.judge, a, &mut world.dice, count, Values::Small)?;
    until_followed(world, a, b)?;
    subreplica.drain(&mut world.judge, b)?;
    Ok(Some(subreplica))
}

/// By command, or by a replica that asks for it. Both cut B's own replicas.
fn promote(world: &mut World, b: &mut Pair) -> Outcome {
    if !world.dice.one_in(3) {
        world.judge.note("B is promoted");
        return b.say(&mut world.judge, "REPLICAOF NO ONE");
    }
    world.judge.note("B is asked to take over");
    world.judge.requests += 1;
    let numbers = b.numbers();
    let mut asker = b.connect(&world.judge)?;
    let mut side = 0;
    let answers = asker.each(&world.judge, "the answer", |replica| {
        let next = (numbers[side].end() + 1).to_string();
        replica.command(&["PSYNC", numbers[side].id(), &next, "FAILOVER"])?;
        side += 1;
        replica.answer()
    })?;
    compare_answers(&mut world.judge, &answers)?;
    b.wait(&mut world.judge, "B is a master", |numbers| numbers.text("role") == "master")?;
    drop(asker);
    Ok(())
}

/// The requests around the end of the second id: the last good one, and the first bad one.
fn limits(b: &mut Pair) -> [String; 2] {
    let limit = b.numbers()[0].number("second_repl_offset");
    [limit.to_string(), (limit + 1).to_string()]
}

/// B looks for a master where there is none: whoever asks B has to wait.
fn link_down(world: &mut World, a: &mut Pair, b: &mut Pair) -> Outcome {
    let mut subreplica = attach(world, b)?;
    world.judge.note("B's link is down");
    b.say(&mut world.judge, "REPLICAOF 127.0.0.1 1")?;
    let down = |numbers: &Numbers| numbers.text("master_link_status") == "down";
    b.wait(&mut world.judge, "the link is down", down)?;
    a.wait(&mut world.judge, "A knows that B left", |numbers| numbers.replicas() == 0)?;
    ask_of(world, b, 2)?;
    b.compare_info(&mut world.judge)?;
    if world.dice.one_in(2) {
        write(&mut world.judge, a, &mut world.dice, 5, Values::Small)?;
    }
    for side in 0..2 {
        let port = a.ports()[side].to_string();
        let reply = b.servers[side].client.try_call(&["REPLICAOF", "127.0.0.1", &port]);
        assert!(reply.is_ok(), "{reply:?}");
    }
    until_followed(world, a, b)?;
    let Some(mut subreplica) = subreplica.take() else { return Ok(()) };
    // It was never cut, and gets what B had missed.
    subreplica.drain(&mut world.judge, b)?;
    subreplica.leave(&mut world.judge, b)
}

/// Waits until the replica has everything, then holds all against each other.
fn until_followed(world: &mut World, master: &mut Pair, replica: &mut Pair) -> Outcome {
    master.wait(&mut world.judge, "the replica is online", |numbers| numbers.all_online(1))?;
    // Asked again each time: a stream that just began may still get its first PING.
    let came = [0, 1].map(|side| {
        let followed = || {
            let [master, replica] = [&mut *master, &mut *replica].map(|pair| {
                let server = &mut pair.servers[side];
                Numbers(server.info())
            });
            let up = replica.text("master_link_status") == "up";
            (up && replica.end() == master.end()).then_some(())
        };
        wait_for(followed).is_some()
    });
    world.judge.holds("the replica has everything", came)?;
    compare(world, master, replica)
}

fn compare(world: &mut World, one: &mut Pair, other: &mut Pair) -> Outcome {
    for pair in [one, other] {
        let numbers = pair.compare_info(&mut world.judge)?;
        world.memory.keep(&numbers);
        pair.compare_logs(&mut world.judge)?;
    }
    Ok(())
}

fn ask_of(world: &mut World, pair: &mut Pair, requests: u64) -> Outcome {
    for _ in 0..requests {
        let numbers = pair.numbers();
        let mut request = Request::draw(&mut world.dice, &numbers[0], &world.memory);
        if request.way == Way::Failover && numbers[0].text("role") == "slave" {
            // It would take over, which is another story.
            request.way = Way::Psync;
        }
        if let Some(attached) = world.ask(pair, &request)? {
            attached.leave(&mut world.judge, pair)?;
        }
    }
    Ok(())
}
