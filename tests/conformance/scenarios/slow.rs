//! Replicas that do not read, and replicas that come while a snapshot is being made.

use crate::ask::{World, compare_answers};
use crate::judge::Outcome;
use crate::pair::{Attached, Pair, go_online};
use crate::replica::{Answer, Replica};
use crate::request::Request;
use crate::scenarios::settings;
use crate::writes::{Values, write};

/// Far more than the kernel takes for a reader that does not read.
const FLOOD_BYTES: u64 = 24 << 20;
const FLOOD_VALUE_BYTES: u64 = 200_000;

/// Who does not read keeps everything since then, so that others may come back from far away; when
/// it is gone, so is all that.
pub fn pinned(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "65536"]);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let request = Request::full(&mut world.dice);
    let Some(slow) = world.ask(&mut pair, &request)? else { return Ok(()) };
    flood(world, &mut pair)?;
    let numbers = pair.numbers();
    let size = numbers[0].number("repl_backlog_size");
    let outgrown = numbers.each_ref().map(|numbers| numbers.histlen() > 16 * size);
    world.judge.holds("it keeps more than the setting", outgrown)?;

    // The oldest byte of each is another one, but both must give it.
    world.judge.note("another one asks for the oldest byte");
    world.judge.requests += 1;
    let mut other = pair.connect(&world.judge)?;
    let mut side = 0;
    let answers = other.each(&world.judge, "the answer", |replica| {
        let (id, first) = (numbers[side].id(), numbers[side].first().to_string());
        side += 1;
        replica.command(&["PSYNC", id, &first])?;
        replica.answer()
    })?;
    compare_answers(&mut world.judge, &answers)?;
    other.vanish(&mut world.judge, &mut pair)?;

    let oldest = numbers.map(|numbers| numbers.first());
    slow.vanish(&mut world.judge, &mut pair)?;
    // First and histlen are compared to the byte: what was pinned is gone on both sides.
    pair.compare_info(&mut world.judge)?;
    pair.compare_logs_without_numbers(&mut world.judge)?;
    let offset = oldest[0].min(oldest[1]).to_string();
    let request = Request { offset, ..Request::plain(&mut world.dice) };
    let Some(attached) = world.ask(&mut pair, &request)? else { return Ok(()) };
    attached.leave(&mut world.judge, &mut pair)
}

/// Who does not read is cut off when it is owed more than the limit.
pub fn output_limit(world: &mut World) -> Outcome {
    // Up to 1 MiB, blocks are smaller than what glibc takes from the system page by page.
    let mut settings = settings(world, &["16384", "65536", "1mb"]);
    settings.push(("client-output-buffer-limit", "replica 512kb 0 0".into()));
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let request = Request::full(&mut world.dice);
    let Some(slow) = world.ask(&mut pair, &request)? else { return Ok(()) };
    world.memory.position = slow.0[0].position;
    flood(world, &mut pair)?;
    pair.wait(&mut world.judge, "it is cut off", |numbers| numbers.replicas() == 0)?;
    pair.compare_info(&mut world.judge)?;
    pair.compare_logs(&mut world.judge)?;
    drop(slow);
    let back = Request::back(&mut world.dice, &world.memory);
    let Some(attached) = world.ask(&mut pair, &back)? else { return Ok(()) };
    attached.leave(&mut world.judge, &mut pair)
}

fn flood(world: &mut World, pair: &mut Pair) -> Outcome {
    for round in 0..FLOOD_BYTES / FLOOD_VALUE_BYTES {
        let value = vec![b'a' + (round % 26) as u8; FLOOD_VALUE_BYTES as usize];
        pair.call(&mut world.judge, &[&b"SET"[..], b"flood", &value])?;
    }
    Ok(())
}

/// Who comes while a snapshot for another is being written to disk gets the same one, with the
/// same offset; what was written in between both get as stream.
pub fn disk_joiners(world: &mut World) -> Outcome {
    let mut pair = slow_snapshots(world, "no")?;
    let mut replicas = Vec::new();
    for _ in 0..world.dice.range(2, 3) {
        let mut replica = request_snapshot(world, &pair)?;
        take_offset(world, &mut replica)?;
        replicas.push(replica);
        let count = world.dice.range(1, 5);
        write(&mut world.judge, &mut pair, &mut world.dice, count, Values::Small)?;
    }
    let offsets = replicas.iter().map(|replica| replica.0.each_ref().map(|r| r.position));
    let offsets: Vec<[u64; 2]> = offsets.collect();
    let same = [0, 1].map(|side| offsets.iter().all(|offset| offset[side] == offsets[0][side]));
    world.judge.holds("joiners get the offset of the first one", same)?;
    for replica in &mut replicas {
        replica.load(&mut world.judge)?;
    }
    listen_and_leave(world, pair, replicas)
}

/// Who comes while a snapshot goes over the socket to another waits for the next one, and its
/// offset is the one of that.
pub fn socket_joiners(world: &mut World) -> Outcome {
    let mut pair = slow_snapshots(world, "yes")?;
    let mut first = request_snapshot(world, &pair)?;
    take_offset(world, &mut first)?;
    write(&mut world.judge, &mut pair, &mut world.dice, 3, Values::Small)?;
    let mut second = request_snapshot(world, &pair)?;
    pair.wait(&mut world.judge, "both are replicas", |numbers| numbers.replicas() == 2)?;
    pair.say(&mut world.judge, "CONFIG SET rdb-key-save-delay 0")?;
    first.load(&mut world.judge)?;
    take_offset(world, &mut second)?;
    let later = [0, 1].map(|side| second.0[side].position > first.0[side].position);
    world.judge.holds("the second one begins later", later)?;
    second.load(&mut world.judge)?;
    listen_and_leave(world, pair, vec![first, second])
}

/// A server with so many keys that a snapshot takes more than a second.
fn slow_snapshots(world: &mut World, diskless: &str) -> Outcome<Pair> {
    let settings =
        vec![("repl-backlog-size", "1mb".to_owned()), ("repl-diskless-sync", diskless.to_owned())];
    let mut pair = Pair::start(world.kinds, "A", &settings);
    for number in 0..60 {
        pair.say(&mut world.judge, &format!("SET filler{number} x"))?;
    }
    pair.say(&mut world.judge, "CONFIG SET rdb-key-save-delay 20000")?;
    pair.compare_info(&mut world.judge)?;
    Ok(pair)
}

/// Asks for everything, and does not wait for the answer. It announces a version, so that Valkey
/// has no reason to avoid the disk.
fn request_snapshot(world: &mut World, pair: &Pair) -> Outcome<Attached> {
    let request = Request { version: Some("9.1.2"), ..Request::full(&mut world.dice) };
    world.judge.note("a joiner");
    world.judge.requests += 1;
    let mut replica = pair.connect(&world.judge)?;
    let handshake = request.handshake();
    replica.each(&world.judge, "joining", |replica| {
        for command in &handshake {
            replica.command(command)?;
            replica.line()?;
        }
        replica.command(&["PSYNC", "?", "-1"])
    })?;
    Ok(replica)
}

/// Reads `+FULLRESYNC` and stands at its offset.
fn take_offset(world: &mut World, replica: &mut Attached) -> Outcome {
    let answers = replica.each(&world.judge, "the answer", Replica::answer)?;
    compare_answers(&mut world.judge, &answers)?;
    let full = answers.each_ref().map(|answer| matches!(answer, Answer::Full { .. }));
    world.judge.holds("the answer is +FULLRESYNC", full)?;
    for (replica, answer) in replica.0.iter_mut().zip(&answers) {
        if let Answer::Full { offset, .. } = answer {
            replica.position = *offset;
        }
    }
    Ok(())
}

fn listen_and_leave(world: &mut World, mut pair: Pair, mut replicas: Vec<Attached>) -> Outcome {
    let count = replicas.len() as i64;
    let mut all: Vec<&mut Attached> = replicas.iter_mut().collect();
    go_online(&mut world.judge, &mut pair, &mut all, count)?;
    write(&mut world.judge, &mut pair, &mut world.dice, 5, Values::Small)?;
    for replica in &mut replicas {
        replica.drain(&mut world.judge, &mut pair)?;
    }
    pair.compare_logs_in_any_order(&mut world.judge)?;
    for replica in replicas {
        replica.leave(&mut world.judge, &mut pair)?;
    }
    Ok(())
}
