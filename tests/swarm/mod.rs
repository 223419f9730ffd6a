//! Random worlds: each seed draws its own engine, topology, settings and mix of trouble.
//!
//! A mix leaves out most kinds of trouble and makes much of a few, because what only happens when
//! something else does not happen is never met in a soup of everything.

mod tally;
mod trouble;

use psync::cluster::scenario::{Network, Wire, Workload};
use psync::cluster::trace::What;
use psync::cluster::{Action, Direction, Loss, Scenario, World};
use psync::random::{Generator, below, seeded};
use psync::server::engine::{ENGINES, Engine};
use psync::table::Table;
use psync::time::{Instant, SECOND_US};

pub use self::tally::Tally;
use self::trouble::Mix;
use crate::witness::{self, Fault, Rule, Witness};

/// More events than this are no world but a circle: the longest honest one has a twentieth. Without
/// a limit, broken replicas that follow each other and load again and again hardly let time go on,
/// and what they write down fills the memory of the machine.
const MOST_EVENTS: u64 = 100_000;

/// How one seed ended.
pub struct Ended {
    pub fault: Option<Fault>,
    pub tally: Tally,
    pub events: u64,
    pub digest: u64,
}

/// A world with what watches it.
struct Player {
    world: World,
    witness: Witness,
    tally: Tally,
    /// Whether the whole story is told: `PSYNC_TELL`, for a replay.
    tells: bool,
}

/// Plays one seed until something is wrong or all is over.
pub fn play(seed: u64) -> Ended {
    play_as(seed, engine_of(seed), &[])
}

/// The same with servers of another kind, and with a witness that ignores some rules.
pub fn play_as(seed: u64, engine: &'static Engine, ignores: &'static [Rule]) -> Ended {
    let mut rng = seeded(seed);
    let mut scenario = scenario(seed, &mut rng);
    scenario.engine = engine;
    let mut mix = Mix::draw(&mut rng);
    let mut player = Player {
        world: World::new(&scenario),
        witness: Witness::ignoring(ignores),
        tally: Tally::new(scenario.engine.name),
        tells: std::env::var_os("PSYNC_TELL").is_some(),
    };
    player.act(trouble::topology(&player.world, &mut rng));
    let end = Instant(10 * SECOND_US + below(&mut rng, 20 * SECOND_US));
    while player.world.now() < end && player.well() {
        player.watch(below(&mut rng, mix.longest_pause_us()));
        if below(&mut rng, mix.one_in_nobody_left()) == 0 {
            player.nobody_left(&mut rng);
        }
        let actions = mix.next(&player.world, &mut rng);
        player.act(actions);
    }
    if player.well() {
        player.end_in_peace();
    }
    Ended {
        fault: player.witness.faults.into_iter().next(),
        tally: player.tally,
        events: player.world.events(),
        digest: player.world.digest(),
    }
}

/// The engine that a seed draws.
pub fn engine_of(seed: u64) -> &'static Engine {
    scenario(seed, &mut seeded(seed)).engine
}

impl Player {
    fn well(&self) -> bool {
        self.witness.faults.is_empty()
    }

    fn look(&mut self, judges: bool) {
        for entry in self.witness.look(&mut self.world, judges) {
            self.tally.entry(&entry);
            if self.tells && !matches!(entry.what, What::Message(_)) {
                eprintln!("{} {:?}", entry.at, entry.what);
            }
        }
    }

    fn watch(&mut self, us: u64) {
        let until = self.world.now().after_us(us);
        while self.world.next_event_at().is_some_and(|at| at <= until) && self.well() {
            self.world.run_one();
            self.look(true);
            if self.world.events() > MOST_EVENTS {
                let text = format!("{MOST_EVENTS} events by {}", self.world.now());
                self.witness.fault(Rule::Ends, text);
            }
        }
        // Never on without being watched: that is where a circle has no end.
        if self.well() {
            self.world.run_until(until);
        }
    }

    /// Trouble that is there already (cutting what is cut) is refused, and that is fine.
    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            if !self.well() {
                return;
            }
            let answer = self.world.act(&action);
            self.tally.action(&action, answer.ok().flatten().as_ref());
            // A server that thaws does much at once.
            self.look(!matches!(action, Action::Thaw { .. }));
        }
    }

    /// All replicas are away for a while, and come back one after the other.
    fn nobody_left(&mut self, rng: &mut Generator) {
        let names = self.world.servers().skip(1).map(|(name, _)| name.to_owned());
        let replicas: Vec<String> = names.collect();
        let direction = Direction::Both;
        self.act(
            replicas.iter().cloned().map(|replica| Action::Cut { replica, direction }).collect(),
        );
        self.watch(below(rng, 6 * SECOND_US));
        for replica in replicas {
            self.act(vec![Action::Heal { replica, direction }]);
            self.watch(below(rng, SECOND_US));
        }
    }

    fn end_in_peace(&mut self) {
        self.repair();
        for _ in 0..200 {
            self.watch(SECOND_US / 2 + 7001);
            if !self.well() || witness::disagreement(&self.world).is_none() {
                return;
            }
        }
        let text = witness::disagreement(&self.world).unwrap_or_default();
        let text = format!("no peace after 100 calm seconds: {text}");
        self.witness.fault(Rule::EndsEqual, text);
    }

    /// Ends all trouble: every link whole, every server awake, without limits and following the
    /// first one.
    fn repair(&mut self) {
        let names: Vec<String> = self.world.servers().map(|(name, _)| name.to_owned()).collect();
        self.act(names.iter().map(|name| Action::Start { server: name.clone() }).collect());
        self.act(names.iter().map(|name| Action::Thaw { server: name.clone() }).collect());
        for server in &names {
            for (directive, value) in
                [("client-output-buffer-limit", "replica 0 0 0"), ("min-replicas-to-write", "0")]
            {
                let (directive, value) = (directive.to_owned(), value.to_owned());
                self.act(vec![Action::Config { server: server.clone(), directive, value }]);
            }
        }
        // It may follow one of the others, and they may follow it: a circle.
        self.act(vec![Action::Promote { server: names[0].clone() }]);
        for name in &names[1..] {
            let (replica, direction) = (name.clone(), Direction::Both);
            let calm = Action::Link {
                replica: replica.clone(),
                latency_us: Some(500),
                bandwidth_bytes_per_second: Some(10_000_000),
                loss: Some(Loss { lost: 0, of: 1 }),
            };
            let (server, master) = (name.clone(), names[0].clone());
            let follow = Action::ReplicaOf { server, master };
            self.act(vec![Action::Heal { replica, direction }, calm, follow]);
        }
    }
}

fn scenario(seed: u64, rng: &mut Generator) -> Scenario {
    let mut pick = |options: &[&str]| options[below(rng, options.len() as u64) as usize].to_owned();
    let limits = ["replica 0 0 0", "replica 40000 0 0", "replica 100000 20000 2"];
    let mut config = vec![
        ("repl-backlog-size", pick(&["200", "1000", "4096", "16384", "100000"])),
        ("repl-backlog-ttl", pick(&["0", "1", "3", "3600"])),
        ("repl-timeout", pick(&["3", "5", "60"])),
        ("repl-ping-replica-period", pick(&["1", "2", "10"])),
        ("repl-diskless-sync-delay", pick(&["0", "0", "1", "5"])),
        ("rdb-key-save-delay", pick(&["0", "0", "1000", "100000"])),
        ("client-output-buffer-limit", pick(&limits)),
        ("min-replicas-to-write", pick(&["0", "0", "0", "0", "1", "2"])),
        ("min-replicas-max-lag", pick(&["3", "10"])),
    ];
    match pick(&["yes", "no", "default"]).as_str() {
        "default" => {}
        answer => config.push(("repl-diskless-sync", answer.to_owned())),
    }
    let two_channels = pick(&["yes", "no"]);
    let engine = ENGINES[below(rng, ENGINES.len() as u64) as usize];
    if engine.dual_channel {
        config.push(("dual-channel-replication-enabled", two_channels));
    }
    let mut directives = Table::default();
    for (name, value) in config {
        directives.insert(name.to_owned(), value);
    }
    let mut pick = |options: &[u64]| options[below(rng, options.len() as u64) as usize];
    let replicas = 1 + pick(&[0, 1, 2, 3, 4]) as usize;
    let default = Wire {
        latency_us: pick(&[0, 100, 1000, 20_000]),
        bandwidth_bytes_per_second: [None, Some(100_000), Some(10_000_000)]
            [pick(&[0, 1, 2]) as usize],
    };
    let slow = Wire { bandwidth_bytes_per_second: Some(pick(&[3000, 10_000])), ..default };
    let mut links = Table::default();
    if pick(&[0, 1, 2]) == 0 {
        links.insert("replica-1".to_owned(), slow);
    }
    Scenario {
        engine,
        seed,
        replicas,
        config: directives,
        workload: Workload {
            writes_per_second: pick(&[0, 1, 5, 20]),
            value_bytes: pick(&[0, 10, 100, 600]),
            keys: pick(&[1, 10, 100]),
            curve: Vec::new(),
        },
        network: Network { default, links },
        ..Scenario::default()
    }
}
