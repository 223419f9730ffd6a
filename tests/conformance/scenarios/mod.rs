//! What a schedule is about. Each draws its own settings, writes and requests.

mod failover;
mod life;
mod plain;
mod slow;

use crate::ask::World;
use crate::judge::Outcome;
use crate::process::Settings;

type Scenario = fn(&mut World) -> Outcome;

/// All of them; consecutive seeds go through them in turn.
pub const ALL: [(&str, Scenario); 15] = [
    ("single", plain::single),
    ("failover", failover::promotion),
    ("resize", plain::resize),
    ("ttl", life::ttl),
    ("bigblocks", plain::bigblocks),
    ("pings", life::pings),
    ("single", plain::single),
    ("joiners of a disk snapshot", slow::disk_joiners),
    ("restart", life::restart),
    ("pinned", slow::pinned),
    ("failover", failover::promotion),
    ("fresh", plain::fresh),
    ("joiners of a snapshot over the socket", slow::socket_joiners),
    ("output limit", slow::output_limit),
    ("resize", plain::resize),
];

/// Settings with this backlog size, and a snapshot from disk or over the socket by chance.
fn settings(world: &mut World, sizes: &[&str]) -> Settings {
    let size = (*world.dice.pick(sizes)).to_owned();
    let diskless = if world.dice.one_in(2) { "yes" } else { "no" };
    let settings = vec![("repl-backlog-size", size), ("repl-diskless-sync", diskless.to_owned())];
    world.judge.note(format!("{settings:?}"));
    settings
}
