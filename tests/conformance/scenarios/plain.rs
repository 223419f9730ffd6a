//! One server, replicas that come, ask, listen, and go.

use crate::ask::World;
use crate::judge::Outcome;
use crate::pair::{Attached, Pair};
use crate::request::{Id, Request};
use crate::scenarios::settings;
use crate::writes::{Values, write};

/// Nothing was ever written, and little is.
pub fn fresh(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "1mb"]);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    for _ in 0..world.dice.range(3, 6) {
        let numbers = pair.numbers();
        let request = if world.dice.one_in(3) {
            // The id that INFO shows, which no request can match before there is a backlog.
            Request { id: Id::First, offset: "1".into(), ..Request::plain(&mut world.dice) }
        } else {
            Request::draw(&mut world.dice, &numbers[0], &world.memory)
        };
        if let Some(attached) = world.ask(&mut pair, &request)? {
            attached.leave(&mut world.judge, &mut pair)?;
        }
        if world.dice.one_in(3) {
            write(&mut world.judge, &mut pair, &mut world.dice, 2, Values::Small)?;
        }
    }
    Ok(())
}

/// Writes and requests in turn.
pub fn single(world: &mut World) -> Outcome {
    let sizes = ["1000", "16384", "20000", "32768", "65536", "100000", "1mb"];
    let settings = settings(world, &sizes);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let values = *world.dice.pick(&[Values::Small, Values::Middle]);
    let requests = world.dice.range(10, 16);
    rounds(world, &mut pair, requests, values, |_, _| Ok(()))
}

/// The same, and the size of the backlog changes.
pub fn resize(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "65536", "262144"]);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let requests = world.dice.range(8, 14);
    rounds(world, &mut pair, requests, Values::Middle, |world, pair| {
        let sizes = ["1", "16384", "16385", "20000", "30000", "65536", "262144", "1048576"];
        let size = world.dice.pick(&sizes);
        pair.say(&mut world.judge, &format!("CONFIG SET repl-backlog-size {size}"))?;
        pair.say(&mut world.judge, "CONFIG GET repl-backlog-size")
    })
}

/// Values longer than a block, and than the whole backlog.
pub fn bigblocks(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "65536", "262144", "1mb"]);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let requests = world.dice.range(6, 9);
    rounds(world, &mut pair, requests, Values::Big, |_, _| Ok(()))
}

/// A first full resync, then requests of all kinds with writes in between.
pub fn rounds(
    world: &mut World,
    pair: &mut Pair,
    requests: u64,
    values: Values,
    mut between: impl FnMut(&mut World, &mut Pair) -> Outcome,
) -> Outcome {
    let most = if values == Values::Big { 4 } else { 30 };
    write(&mut world.judge, pair, &mut world.dice, 3, values)?;
    let first = Request::full(&mut world.dice);
    let mut bystander = world.ask(pair, &first)?;
    if world.dice.one_in(2) {
        leave(world, pair, bystander.take())?;
    }
    for _ in 0..requests {
        let away = world.dice.range(0, most);
        write(&mut world.judge, pair, &mut world.dice, away, values)?;
        drain(world, pair, bystander.as_mut())?;
        if world.dice.one_in(2) {
            between(world, pair)?;
        }
        let numbers = pair.compare_info(&mut world.judge)?;
        let request = if world.dice.one_in(4) {
            Request::back(&mut world.dice, &world.memory)
        } else {
            Request::draw(&mut world.dice, &numbers[0], &world.memory)
        };
        let Some(mut replica) = world.ask(pair, &request)? else { continue };
        for _ in 0..world.dice.range(0, 2) {
            if world.dice.one_in(4) {
                ask_again(world, pair, &mut replica)?;
            }
            let count = world.dice.range(1, most);
            write(&mut world.judge, pair, &mut world.dice, count, values)?;
            drain(world, pair, bystander.as_mut())?;
            drain(world, pair, Some(&mut replica))?;
            if world.dice.one_in(5) {
                // Nobody answers in time; the question stands in the stream.
                pair.say(&mut world.judge, "WAIT 3 20")?;
                drain(world, pair, bystander.as_mut())?;
                drain(world, pair, Some(&mut replica))?;
            }
        }
        world.memory.position = replica.0[0].position;
        leave(world, pair, Some(replica))?;
    }
    pair.compare_logs(&mut world.judge)
}

/// A replica that is one already asks to become one: nobody answers. The stream goes on behind it,
/// and whoever reads that would meet an answer.
fn ask_again(world: &mut World, pair: &mut Pair, replica: &mut Attached) -> Outcome {
    world.judge.note("an online replica asks again");
    world.judge.requests += 1;
    let numbers = pair.numbers();
    let request = Request::full(&mut world.dice);
    let bytes = request.bytes(0, &numbers[0], &world.memory);
    replica.each(&world.judge, "asking again", |replica| replica.send(&bytes))?;
    Ok(())
}

fn drain(world: &mut World, pair: &mut Pair, replica: Option<&mut Attached>) -> Outcome {
    replica.map_or(Ok(()), |replica| replica.drain(&mut world.judge, pair))
}

fn leave(world: &mut World, pair: &mut Pair, replica: Option<Attached>) -> Outcome {
    replica.map_or(Ok(()), |replica| replica.leave(&mut world.judge, pair))
}
