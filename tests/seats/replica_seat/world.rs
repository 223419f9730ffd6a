//! The servers of a schedule, and what must hold between them after each step.

use crate::data::{agree, come_to_rest};
use crate::dice::Dice;
use crate::kind::Kind;
use crate::server::Server;
use crate::sync_log::{Answer, Counted, answers, decisions, lines_after};
use crate::wire::Wire;

/// Small, so that it is soon outrun.
pub const BACKLOG_BYTES: u64 = 65_536;

/// What ours must have got in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Continuations only.
    Partial,
    /// Everything, once at least.
    Full,
    /// Whatever the logs say.
    Either,
    /// Nothing, it stayed attached.
    Nothing,
}

/// Comparisons made.
#[derive(Default)]
pub struct Tally {
    pub syncs: u64,
    pub checks: u64,
}

/// The two real servers that can be the master.
pub const REAL: [usize; 2] = [0, 1];
pub const OURS: usize = 2;
/// Real, behind ours.
pub const BEHIND: usize = 3;
/// Real, with other data.
pub const OTHER: usize = 4;

pub struct World {
    pub dice: Dice,
    pub tally: Tally,
    /// By the numbers above.
    pub servers: Vec<Server>,
    /// To each of them. Every link goes through the wire to its master.
    pub wires: Vec<Wire>,
    /// Which of the real ones is the master.
    pub master: usize,
    /// Whom ours follows.
    pub followed: usize,
    /// How far each log was compared.
    read: Vec<usize>,
    step: &'static str,
    steps: Vec<&'static str>,
}

impl World {
    pub fn start(real: Kind, ours: Kind, dice: Dice) -> World {
        let backlog = BACKLOG_BYTES.to_string();
        let settings = [("repl-backlog-size", backlog.as_str())];
        let behind = if ours == Kind::OursAsRedis { Kind::Redis } else { Kind::Valkey };
        let kinds = [real, real, ours, behind, real];
        let servers: Vec<Server> =
            kinds.iter().map(|kind| Server::start(*kind, &settings)).collect();
        let wires = servers.iter().map(|server| Wire::to(server.port())).collect();
        let mut world = World {
            dice,
            tally: Tally::default(),
            servers,
            wires,
            master: REAL[0],
            followed: REAL[0],
            read: vec![0; kinds.len()],
            step: "start",
            steps: Vec::new(),
        };
        world.point(REAL[1], REAL[0]);
        world.point(OURS, REAL[0]);
        world.point(BEHIND, OURS);
        world.settle(Expected::Full);
        world
    }

    pub fn version(&mut self) -> String {
        self.servers[self.master].version()
    }

    /// Makes a server a replica of another.
    pub fn point(&mut self, replica: usize, master: usize) {
        let port = self.wires[master].port();
        self.servers[replica].follow(port);
        if replica == OURS {
            self.followed = master;
        }
    }

    /// Those that follow the same history, the master first.
    fn together(&self) -> Vec<usize> {
        let master = if self.followed == OTHER { OTHER } else { self.master };
        let with = [REAL[0], REAL[1], OURS, BEHIND];
        let with = with.into_iter().filter(|who| master != OTHER || ![0, 1].contains(who));
        std::iter::once(master).chain(with.filter(|who| *who != master)).collect()
    }

    pub fn master(&mut self) -> &mut Server {
        &mut self.servers[self.master]
    }

    pub fn begin(&mut self, step: &'static str) {
        self.step = step;
        self.steps.push(step);
    }

    pub fn evidence(&self) -> String {
        let logs: String = self.servers.iter().map(Server::evidence).collect();
        format!("after the steps {:?}\n{logs}", self.steps)
    }

    /// Waits until all are equal, then looks at how they came to be.
    pub fn settle(&mut self, expected: Expected) {
        let together = self.together();
        agree(&mut self.chosen(&together));
        self.tally.checks += 3 * (together.len() as u64 - 1);
        self.compare_logs(expected);
        self.compare_counters();
    }

    /// No key expires any more.
    pub fn come_to_rest(&mut self) {
        let together = self.together();
        come_to_rest(&mut self.chosen(&together));
    }

    /// These, the first in front.
    fn chosen(&mut self, together: &[usize]) -> Vec<&mut Server> {
        let mut chosen: Vec<(usize, &mut Server)> = self.servers.iter_mut().enumerate().collect();
        chosen.retain(|(number, _)| together.contains(number));
        chosen.sort_by_key(|(number, _)| *number != together[0]);
        chosen.into_iter().map(|(_, server)| server).collect()
    }

    /// The masters' decisions about each replica, and what that replica's log says it got.
    fn compare_logs(&mut self, expected: Expected) {
        let mut decided = Vec::new();
        let mut got = Vec::new();
        for (number, server) in self.servers.iter().enumerate() {
            let log = server.whole_log();
            let (new, read) = lines_after(&log, self.read[number]);
            self.read[number] = read;
            decided.extend(decisions(new));
            got.push(answers(new));
        }
        // What was decided on a connection that was cut at that moment may not have arrived.
        let lost: u64 = self.wires.iter().map(Wire::defuse).sum();
        for (server, got) in self.servers.iter().zip(&mut got) {
            let of = |d: &&crate::sync_log::Decision| d.replica == server.port();
            let mut decided: Vec<Answer> =
                decided.iter().filter(of).map(|decision| decision.answer).collect();
            self.tally.syncs += decided.len() as u64;
            self.tally.checks += decided.len() as u64;
            let (all, step, name) = (decided.clone(), self.step, server.name());
            for answer in got.iter() {
                let found = decided.iter().position(|decision| decision == answer);
                let Some(found) = found else {
                    panic!("{step}: {name} says it got {got:?}, its masters say {all:?}")
                };
                decided.remove(found);
            }
            let fits = decided.len() as u64 <= lost;
            assert!(fits, "{step}: {name} got {got:?}, its masters decided {all:?}, {lost} cuts");
        }
        let ours = &got[OURS];
        let full = ours.contains(&Answer::Full);
        let fits = match expected {
            Expected::Partial => !ours.is_empty() && !full,
            Expected::Full => full,
            Expected::Either => true,
            Expected::Nothing => ours.is_empty(),
        };
        self.tally.checks += 1;
        assert!(fits, "{}: expected {expected:?}, ours got {ours:?}", self.step);
    }

    /// INFO's counters are what the log of the same run says.
    fn compare_counters(&mut self) {
        for server in &mut self.servers {
            let counted = Counted::of(&decisions(&server.log()));
            let told = Counted {
                full: server.number("sync_full"),
                partial_ok: server.number("sync_partial_ok"),
                partial_err: server.number("sync_partial_err"),
            };
            assert_eq!(told, counted, "{}: INFO and log of {}", self.step, server.name());
            self.tally.checks += 3;
        }
    }
}
