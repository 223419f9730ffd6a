//! The tree of servers, and what is done to it.

use crate::data::come_to_rest;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::load::Load;
use crate::server::Server;
use crate::sync_log::{Counted, decisions};
use crate::wire::Wire;

/// Enough for what is written while a link is down, however slow the machine.
const BACKLOG_BYTES: &str = "64000000";
/// No PING while offsets must stand still; one after the other while links are being killed.
const SILENT: u64 = 2_147_483_647;
const BUSY: u64 = 1;

/// Links killed in a cycle.
const KILLS: u64 = 12;

pub struct Chains {
    pub servers: Vec<Server>,
    /// From each replica to its master.
    wires: Vec<Option<Wire>>,
    pub master: usize,
    /// Whom each follows.
    parents: Vec<Option<usize>>,
    dice: Dice,
    load: Load,
}

impl Chains {
    /// The first is the master of all others, which get everything from it.
    pub fn start(kinds: &[Kind], mut dice: Dice) -> Chains {
        let settings = [("repl-backlog-size", BACKLOG_BYTES)];
        let servers: Vec<Server> =
            kinds.iter().map(|kind| Server::start(*kind, &settings)).collect();
        let load = Load::begin(dice.range(0, u64::MAX - 1));
        let wires = kinds.iter().map(|_| None).collect();
        let parents = vec![None; kinds.len()];
        let mut chains = Chains { servers, wires, master: 0, parents, dice, load };
        println!("  {kinds:?}");
        chains.load.write_to(chains.port());
        chains.load.go_on_for(20);
        for replica in 1..kinds.len() {
            chains.point(replica, 0);
        }
        chains.wait_for_links();
        chains.converge();
        chains
    }

    /// A new tree, links killed in it, and then all must be equal.
    pub fn cycle(&mut self) {
        self.redraw();
        self.kill_links();
        self.converge();
    }

    fn redraw(&mut self) {
        let others: Vec<usize> = (0..self.servers.len()).filter(|n| *n != self.master).collect();
        let new = *self.dice.pick(&others);
        self.promote(new);
        self.load.write_to(self.port());
        self.set_ping_period(BUSY);
        let mut placed = vec![new];
        let mut left: Vec<usize> = (0..self.servers.len()).filter(|n| *n != new).collect();
        while !left.is_empty() {
            let drawn = self.dice.range(0, left.len() as u64 - 1) as usize;
            let replica = left.swap_remove(drawn);
            let master = *self.dice.pick(&placed);
            self.point(replica, master);
            placed.push(replica);
        }
        self.wait_for_links();
    }

    /// Those who follow the new master must know of its new id before anybody asks them.
    pub fn promote(&mut self, new: usize) {
        let server = &mut self.servers[new];
        let old_id = server.client.info("master_replid");
        server.client.ok("REPLICAOF NO ONE");
        let id = server.client.info("master_replid");
        assert_ne!(id, old_id);
        (self.wires[new], self.parents[new], self.master) = (None, None, new);
        for replica in 0..self.servers.len() {
            if replica != new && self.root_of(replica) == new {
                self.servers[replica].until_info("master_replid", &id);
                self.servers[replica].until_info("master_link_status", "up");
            }
        }
    }

    fn root_of(&self, mut server: usize) -> usize {
        while let Some(parent) = self.parents[server] {
            server = parent;
        }
        server
    }

    /// Makes a server a replica of another that is in its place already, once that has all it has.
    pub fn point(&mut self, replica: usize, master: usize) {
        let wire = Wire::to(self.servers[master].port());
        wire.hold();
        self.servers[replica].follow(wire.port());
        // From here on it gets nothing new.
        let has = self.servers[replica].number("master_repl_offset");
        if self.parents[replica].is_some() || replica != self.master {
            self.servers[master].until("it has caught up", |server| {
                let up = server.client.info("role") == "master"
                    || server.client.info("master_link_status") == "up";
                (up && server.number("master_repl_offset") >= has).then_some(())
            });
        }
        wire.heal();
        self.wires[replica] = Some(wire);
        self.parents[replica] = Some(master);
    }

    fn kill_links(&mut self) {
        for _ in 0..KILLS {
            self.load.go_on_for(self.dice.range(1, 30));
            let victim = self.dice.range(0, self.servers.len() as u64 - 1) as usize;
            let server = &mut self.servers[victim];
            match (self.dice.range(0, 3), &self.wires[victim]) {
                (0, _) => _ = server.client.say("CLIENT KILL TYPE master"),
                (1, _) => _ = server.client.say("CLIENT KILL TYPE replica"),
                (2, Some(wire)) => wire.kill_after(self.dice.range(0, 5000)),
                (_, Some(wire)) => {
                    wire.cut();
                    self.load.go_on_for(self.dice.range(1, 100));
                    wire.heal();
                }
                (_, None) => {}
            }
        }
    }

    /// Some writes, and no more after them.
    pub fn write(&mut self) {
        self.load.write_to(self.port());
        self.load.go_on_for(20);
        self.load.pause();
    }

    pub fn replicas(&self) -> Vec<usize> {
        (0..self.servers.len()).filter(|number| *number != self.master).collect()
    }

    /// Starts one again that has ended, behind whom it followed.
    pub fn again(&mut self, who: usize) {
        let master = self.wires[who].as_ref().map(Wire::port);
        self.servers[who].again(master);
    }

    pub fn all_equal(&mut self) {
        self.wait_for_links();
        self.converge();
    }

    fn wait_for_links(&mut self) {
        let replicas = self.parents.iter().zip(&mut self.servers).filter(|(of, _)| of.is_some());
        for (_, server) in replicas {
            server.until_info("master_link_status", "up");
        }
    }

    /// Stops the load; then all must become equal, and each server but the first has needed
    /// everything exactly once.
    pub fn converge(&mut self) {
        self.load.pause();
        self.set_ping_period(SILENT);
        for wire in self.wires.iter().flatten() {
            wire.defuse();
        }
        let master = self.master;
        let mut servers: Vec<(usize, &mut Server)> = self.servers.iter_mut().enumerate().collect();
        servers.sort_by_key(|(number, _)| *number != master);
        let mut servers: Vec<&mut Server> = servers.into_iter().map(|(_, server)| server).collect();
        come_to_rest(&mut servers);
        self.same_digests();
        let full = self.count(|counted| counted.full);
        assert_eq!(full, self.servers.len() as i64 - 1, "a full resync that nobody needed");
    }

    /// The real servers' own word for it.
    fn same_digests(&mut self) {
        let real = self.servers.iter_mut().filter(|server| !server.is_ours());
        let digests: Vec<String> = real.map(|server| server.client.say("DEBUG DIGEST")).collect();
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
    }

    /// Summed over all servers and all their runs.
    pub fn count(&self, what: impl Fn(&Counted) -> i64) -> i64 {
        let counted =
            self.servers.iter().map(|server| Counted::of(&decisions(&server.whole_log())));
        counted.map(|counted| what(&counted)).sum()
    }

    pub fn continued(&self) -> i64 {
        self.count(|counted| counted.partial_ok)
    }

    pub fn port(&self) -> u16 {
        self.servers[self.master].port()
    }

    fn set_ping_period(&mut self, seconds: u64) {
        let line = format!("CONFIG SET repl-ping-replica-period {seconds}");
        self.servers[self.master].client.ok(&line);
    }

    /// The tree in one line, with what was needed for it.
    pub fn shown(&self) -> String {
        let parents = self.parents.iter().map(|parent| match parent {
            Some(parent) => parent.to_string(),
            None => "master".to_owned(),
        });
        let tree = parents.collect::<Vec<_>>().join(" ");
        let written = self.load.written();
        format!("{tree}; {written} batches written, {} continuations", self.continued())
    }
}
