//! Kinds of trouble, and how often each happens in one world.

use psync::cluster::{Action, Direction, Loss, World};
use psync::random::{Generator, below};
use psync::time::SECOND_US;

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Burst,
    Flood,
    Cut,
    CutOneWay,
    Freeze,
    Restart,
    Kill,
    Resize,
    Lossy,
    Slow,
    Workload,
    Promote,
    Follow,
    FollowReplica,
    Failover,
    Redraw,
    Limits,
    Patience,
}

/// Each with how often it is drawn where it is drawn at all.
const KINDS: [(Kind, u64); 19] = [
    (Kind::Write, 12),
    (Kind::Burst, 3),
    (Kind::Flood, 1),
    (Kind::Cut, 12),
    (Kind::CutOneWay, 5),
    (Kind::Freeze, 3),
    (Kind::Restart, 3),
    (Kind::Kill, 1),
    (Kind::Resize, 2),
    (Kind::Lossy, 2),
    (Kind::Slow, 2),
    (Kind::Workload, 2),
    (Kind::Promote, 2),
    (Kind::Follow, 2),
    (Kind::FollowReplica, 1),
    (Kind::Failover, 3),
    (Kind::Redraw, 2),
    (Kind::Limits, 1),
    (Kind::Patience, 1),
];

/// What may happen in one world.
pub struct Mix {
    weights: Vec<(Kind, u64)>,
    /// How eagerly cut links are healed.
    heals: u64,
    longest_pause_us: u64,
    one_in_nobody_left: u64,
}

impl Mix {
    /// Most kinds are left out; those that are not may be frequent. Something is always written.
    pub fn draw(rng: &mut Generator) -> Mix {
        let mut weights = Vec::new();
        for (kind, often) in KINDS {
            let chosen = below(rng, 5) < 2;
            let weight = often * (1 + below(rng, 4));
            if chosen || kind == Kind::Write {
                weights.push((kind, weight));
            }
        }
        Mix {
            weights,
            heals: 3 + below(rng, 12),
            longest_pause_us: [SECOND_US / 2, 2 * SECOND_US, 4 * SECOND_US][below(rng, 3) as usize],
            one_in_nobody_left: [6, 12, u64::MAX][below(rng, 3) as usize],
        }
    }

    pub fn longest_pause_us(&self) -> u64 {
        self.longest_pause_us
    }

    pub fn one_in_nobody_left(&self) -> u64 {
        self.one_in_nobody_left
    }

    /// What is done next: one action, or a few that belong together.
    pub fn next(&mut self, world: &World, rng: &mut Generator) -> Vec<Action> {
        let all: u64 = self.weights.iter().map(|(_, weight)| weight).sum::<u64>() + self.heals;
        let mut drawn = below(rng, all);
        for (kind, weight) in &self.weights {
            if drawn < *weight {
                return actions(*kind, world, rng);
            }
            drawn -= weight;
        }
        let replica = any_replica(world, rng);
        if below(rng, 3) == 0 {
            let server = any_server(world, rng);
            return vec![Action::Start { server: server.clone() }, Action::Thaw { server }];
        }
        vec![Action::Heal { replica, direction: Direction::Both }]
    }
}

fn names(world: &World) -> Vec<String> {
    world.servers().map(|(name, _)| name.to_owned()).collect()
}

fn any_server(world: &World, rng: &mut Generator) -> String {
    let names = names(world);
    names[below(rng, names.len() as u64) as usize].clone()
}

fn any_replica(world: &World, rng: &mut Generator) -> String {
    let names = names(world);
    names[1 + below(rng, names.len() as u64 - 1) as usize].clone()
}

/// How the replicas hang together at the start: all on the master, a chain, or a tree.
pub fn topology(world: &World, rng: &mut Generator) -> Vec<Action> {
    let names = names(world);
    let form = below(rng, 3);
    let mut actions = Vec::new();
    for at in 2..names.len() {
        // Always to a place further up, so that no circle of replicas comes about.
        let above = match form {
            0 => continue,
            1 => at - 1,
            _ => below(rng, at as u64) as usize,
        };
        let (server, master) = (names[at].clone(), names[above].clone());
        actions.push(Action::ReplicaOf { server, master });
    }
    actions
}

fn actions(kind: Kind, world: &World, rng: &mut Generator) -> Vec<Action> {
    let (server, replica) = (any_server(world, rng), any_replica(world, rng));
    let config = |server, directive: &str, value: String| Action::Config {
        server,
        directive: directive.to_owned(),
        value,
    };
    vec![match kind {
        Kind::Write => Action::Write { argv: command(rng), server },
        Kind::Burst => Action::Burst { writes: 1 + below(rng, 50), value_bytes: below(rng, 200) },
        Kind::Flood => Action::Burst { writes: 200, value_bytes: 300 + below(rng, 700) },
        Kind::Cut => Action::Cut { replica, direction: Direction::Both },
        Kind::CutOneWay => {
            let ways = [Direction::ToReplica, Direction::ToMaster];
            Action::Cut { replica, direction: ways[below(rng, 2) as usize] }
        }
        Kind::Freeze => Action::Freeze { server },
        Kind::Restart => Action::Restart { server, keep_id: below(rng, 2) == 0 },
        Kind::Kill => Action::Kill { server },
        Kind::Resize => {
            let value = 16384 + below(rng, 3) * 1000 + below(rng, 2) * 50_000;
            config(server, "repl-backlog-size", value.to_string())
        }
        Kind::Lossy => Action::Link {
            replica,
            latency_us: Some(below(rng, 30_000)),
            bandwidth_bytes_per_second: None,
            loss: Some(Loss { lost: below(rng, 3) as u32, of: 10 }),
        },
        Kind::Slow => Action::Link {
            replica,
            latency_us: None,
            bandwidth_bytes_per_second: Some([2000, 20_000, 0][below(rng, 3) as usize]),
            loss: None,
        },
        Kind::Workload => Action::Workload {
            writes_per_second: Some(below(rng, 30)),
            value_bytes: Some(below(rng, 300)),
            curve: None,
        },
        Kind::Promote => Action::Promote { server: replica },
        Kind::Follow => return follow_above(world, rng),
        Kind::FollowReplica => {
            Action::ReplicaOf { server: names(world)[0].clone(), master: replica }
        }
        Kind::Failover => return failover(world, replica, rng),
        Kind::Redraw => return topology(world, rng),
        Kind::Limits => {
            let limits = ["replica 30000 0 0", "replica 60000 10000 1", "replica 0 0 0"];
            let value = limits[below(rng, 3) as usize].to_owned();
            config(server, "client-output-buffer-limit", value)
        }
        Kind::Patience => config(server, "repl-backlog-ttl", (1 + below(rng, 3)).to_string()),
    }]
}

fn follow_above(world: &World, rng: &mut Generator) -> Vec<Action> {
    let names = names(world);
    let at = 1 + below(rng, names.len() as u64 - 1) as usize;
    let (server, above) = (names[at].clone(), below(rng, at as u64) as usize);
    vec![Action::ReplicaOf { server, master: names[above].clone() }]
}

/// A replica becomes the master and all follow it, the old master as well, in any order.
fn failover(world: &World, new: String, rng: &mut Generator) -> Vec<Action> {
    let mut others: Vec<String> = names(world).into_iter().filter(|name| *name != new).collect();
    let start = below(rng, others.len() as u64) as usize;
    others.rotate_left(start);
    let follow = others.into_iter().map(|server| Action::ReplicaOf { server, master: new.clone() });
    let mut actions: Vec<Action> = follow.collect();
    // Writes may still reach the old one, before or after.
    let at = below(rng, 2) as usize;
    actions.insert(0, Action::Promote { server: new.clone() });
    let late = Action::Write { argv: command(rng), server: "master".to_owned() };
    actions.insert(at, late);
    actions
}

fn command(rng: &mut Generator) -> Vec<String> {
    let key = format!("key:{}", below(rng, 5));
    let (number, db) = (below(rng, 3000), below(rng, 3));
    let line = match below(rng, 11) {
        0 => format!("SELECT {db}"),
        1 => format!("SET {key} v{number} PX {number}1"),
        2 => format!("SET {key} {number} EX 1"),
        3 => format!("PEXPIRE {key} {number}"),
        4 => format!("INCR {key}"),
        5 => format!("APPEND {key} x{number}"),
        6 => format!("DEL {key} key:1"),
        7 => format!("MSET {key} a key:2 b{number}"),
        8 => format!("PUBLISH channel {number}"),
        9 => format!("GET {key}"),
        _ => (if number < 300 { "FLUSHDB" } else { "INFO replication" }).to_owned(),
    };
    line.split(' ').map(str::to_owned).collect()
}
