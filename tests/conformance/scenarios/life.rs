//! What becomes of a backlog: freed when nobody comes, lost or saved at a restart, fed with PINGs.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ask::World;
use crate::judge::Outcome;
use crate::pair::Pair;
use crate::process::{Process, wait_for};
use crate::request::{Id, Request};
use crate::scenarios::{plain, settings};
use crate::writes::{Values, write};

/// The backlog is freed a second after the last replica left, and with it the id is gone.
pub fn ttl(world: &mut World) -> Outcome {
    let mut settings = settings(world, &["16384", "1mb"]);
    settings.push(("repl-backlog-ttl", "1".into()));
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let mut request = Request::full(&mut world.dice);
    for round in 0..2 {
        if let Some(mut attached) = world.ask(&mut pair, &request)? {
            write(&mut world.judge, &mut pair, &mut world.dice, 5, Values::Small)?;
            attached.drain(&mut world.judge, &mut pair)?;
            world.memory.position = attached.0[0].position;
            attached.leave(&mut world.judge, &mut pair)?;
        }
        pair.wait(&mut world.judge, "the backlog is freed", |numbers| {
            numbers.number("repl_backlog_active") == 0
        })?;
        pair.compare_info(&mut world.judge)?;
        pair.compare_logs(&mut world.judge)?;
        // Nobody counts what is written now.
        write(&mut world.judge, &mut pair, &mut world.dice, round * 3, Values::Small)?;
        let former = world.memory.former.len().saturating_sub(1);
        let id = if world.dice.one_in(2) { Id::Former(former) } else { Id::First };
        request = Request { id, ..Request::back(&mut world.dice, &world.memory) };
    }
    let Some(attached) = world.ask(&mut pair, &request)? else { return Ok(()) };
    attached.leave(&mut world.judge, &mut pair)
}

/// Started again in the same folder, with a snapshot that was saved, or with whatever was left.
pub fn restart(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "65536", "1mb"]);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    plain::rounds(world, &mut pair, 2, Values::Small, |_, _| Ok(()))?;
    for _ in 0..2 {
        let back = Request::back(&mut world.dice, &world.memory);
        if let Some(attached) = world.ask(&mut pair, &back)? {
            attached.leave(&mut world.judge, &mut pair)?;
        }
        let expires_at = unix_ms() + 100;
        let expires = world.dice.one_in(2);
        if expires {
            // Gone before it is loaded again: the new history begins with its deletion.
            pair.say(&mut world.judge, &format!("SET fading x PXAT {expires_at}"))?;
        }
        let saves = !world.dice.one_in(4);
        if saves {
            pair.say(&mut world.judge, "SAVE")?;
        }
        if world.dice.one_in(3) {
            // What comes after the snapshot is lost, and its offsets are used again.
            write(&mut world.judge, &mut pair, &mut world.dice, 3, Values::Small)?;
        }
        pair.compare_info(&mut world.judge)?;
        pair.compare_logs(&mut world.judge)?;
        wait_for(|| (unix_ms() > expires_at).then_some(()));
        world.judge.note(format!("restart, saved: {saves}, with an expired key: {expires}"));
        let ended = pair.servers.each_mut().map(Process::restart);
        world.judge.holds("SHUTDOWN ends it", ended)?;
        pair.compare_info(&mut world.judge)?;
        let former = Id::Former(world.memory.former.len().saturating_sub(1));
        for id in [former, Id::Second] {
            let request = Request { id, ..Request::back(&mut world.dice, &world.memory) };
            if let Some(attached) = world.ask(&mut pair, &request)? {
                attached.leave(&mut world.judge, &mut pair)?;
            }
        }
        let numbers = pair.numbers();
        let request = Request::draw(&mut world.dice, &numbers[0], &world.memory);
        if let Some(attached) = world.ask(&mut pair, &request)? {
            attached.leave(&mut world.judge, &mut pair)?;
        }
        write(&mut world.judge, &mut pair, &mut world.dice, 6, Values::Small)?;
    }
    Ok(())
}

const NEVER: &str = "CONFIG SET repl-ping-replica-period 2147483647";
const EACH_SECOND: &str = "CONFIG SET repl-ping-replica-period 1";
/// `*1\r\n$4\r\nping\r\n`
const PING_BYTES: u64 = 14;

/// PINGs come by each server's own clock, so both are let run until they sent the same number.
pub fn pings(world: &mut World) -> Outcome {
    let settings = settings(world, &["16384", "1mb"]);
    let mut pair = Pair::start(world.kinds, "A", &settings);
    let request = Request::full(&mut world.dice);
    let Some(mut attached) = world.ask(&mut pair, &request)? else { return Ok(()) };
    for _ in 0..world.dice.range(1, 2) {
        write(&mut world.judge, &mut pair, &mut world.dice, 4, Values::Small)?;
        attached.drain(&mut world.judge, &mut pair)?;
        let start = pair.numbers()[0].end();
        let mut wanted = 1;
        // One may slip in before the period is long again; then the other one gets it too.
        loop {
            for server in &mut pair.servers {
                let goal = start + wanted * PING_BYTES;
                let end = |server: &mut Process| {
                    let end = server.info().get("master_repl_offset").cloned().unwrap_or_default();
                    end.parse::<u64>().unwrap_or_default()
                };
                if end(server) < goal {
                    server.client.ok(EACH_SECOND);
                    wait_for(|| (end(server) >= goal).then_some(()));
                    server.client.ok(NEVER);
                }
            }
            let ends = pair.numbers().map(|numbers| numbers.end());
            if ends[0] == ends[1] || wanted > 10 {
                break;
            }
            wanted = (ends[0].max(ends[1]) - start) / PING_BYTES;
        }
        attached.drain(&mut world.judge, &mut pair)?;
    }
    world.memory.position = attached.0[0].position;
    attached.leave(&mut world.judge, &mut pair)?;
    for _ in 0..2 {
        let numbers = pair.numbers();
        let request = Request::draw(&mut world.dice, &numbers[0], &world.memory);
        if let Some(attached) = world.ask(&mut pair, &request)? {
            attached.leave(&mut world.judge, &mut pair)?;
        }
    }
    Ok(())
}

fn unix_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
