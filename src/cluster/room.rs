//! How much room a world takes: what a copy of it costs, and whether anything in it grows without
//! end.

use super::sim::{Node, World};
use crate::server::Server;
use crate::stream::backlog::Keeping;

/// The lengths of everything in a world that grows, summed over its servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Events that wait for their time.
    pub events: usize,
    /// Connections, those being made included.
    pub connections: usize,
    /// Their ends, as servers number them.
    pub ends: usize,
    /// Segments on their way or waiting for a link to heal.
    pub segments: usize,
    /// What came for frozen servers.
    pub unread: usize,
    /// Beginnings of commands that the backlogs remember.
    pub command_starts: usize,
    /// Bytes of history that the backlogs hold.
    pub kept_bytes: u64,
    /// Keys.
    pub keys: usize,
}

impl World {
    /// How large everything is that could grow.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let mut sizes = Sizes {
            events: self.waiting_events(),
            connections: self.connections.values().count(),
            ends: self.ends.keys().count(),
            ..Sizes::default()
        };
        for connection in self.connections.values() {
            sizes.segments += connection.to_master.segments.len();
            sizes.segments += connection.to_replica.segments.len();
        }
        for node in &self.nodes {
            sizes.unread += node.inbox.len() + node.console.len();
            sizes.command_starts += node.server.known_command_starts();
            sizes.kept_bytes += kept(&node.server);
            sizes.keys += node.server.data().len();
        }
        sizes
    }

    /// Servers that follow each other hold the same bytes: from here on they are in memory once.
    pub(super) fn share(&mut self) {
        let Some(source) = self.source().cloned() else { return };
        for index in 0..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(index);
            let Some(node) = rest.first_mut() else { return };
            node.server.share(&source);
            // Replicas are behind by the same bytes.
            if let Some(other) = before.last() {
                node.server.share(&other.server);
            }
        }
    }

    /// The server that keeps most of the history.
    fn source(&self) -> Option<&Server> {
        self.nodes.iter().map(|node| &node.server).max_by_key(|server| kept(server))
    }

    /// About how many bytes a copy of this world takes that an earlier one, `before`, does not
    /// take already: blocks of the backlog that both hold are there once, and what its servers
    /// [share](World::share).
    pub(super) fn copy_bytes(&self, before: &World) -> u64 {
        let source = self.source();
        // How much of a history this server has that another one does not have.
        let behind = |server: &Server, other: &Server| {
            let (here, there) = (server.history(), other.history());
            let same = here.replid == there.replid;
            if same { here.end.0.abs_diff(there.end.0) } else { u64::MAX }
        };
        let of_node = |(index, node): (usize, &Node)| {
            let server = &node.server;
            let old = before.nodes.get(index);
            let fresh = old.map_or(u64::MAX, |old| behind(server, &old.server));
            let beside = index.checked_sub(1).map(|index| &self.nodes[index].server);
            let others = source.into_iter().chain(beside).map(|other| behind(server, other));
            let is_source = source.is_some_and(|source| std::ptr::eq(source, server));
            let own = others.filter(|_| !is_source).min().unwrap_or(u64::MAX).min(fresh);
            let kept = match server.engine().keeping {
                // The newest block is still being filled, so each copy has its own.
                Keeping::Blocks(_) => kept(server).min(own.saturating_add(server.open_bytes())),
                Keeping::Ring | Keeping::Retained => kept(server),
            };
            // An entry of the keyspace costs about this much besides its text, which is shared
            // until it is written over; a beginning of a command two bytes.
            let (data, starts) = (server.data(), server.known_command_starts() as u64);
            let text = data.payload_bytes().min(own);
            kept + text + starts * 2 + data.len() as u64 * 128 + 4096
        };
        self.nodes.iter().enumerate().map(of_node).sum()
    }
}

fn kept(server: &Server) -> u64 {
    server.window().map_or(0, |window| window.histlen.0)
}

#[cfg(test)]
mod tests {
    use super::super::scenario::Scenario;
    use super::*;
    use crate::time::{Instant, SECOND_US};

    fn world(text: &str) -> World {
        World::new(&Scenario::from_json(text).expect("a scenario"))
    }

    #[test]
    fn servers_that_share_go_on_as_those_that_do_not() {
        for text in [
            r#"{"workload":{"writes_per_second":500}}"#,
            r#"{"workload":{"writes_per_second":300,"value_bytes":30000,"keys":9}}"#,
            r#"{"engine":"redis-6.2","workload":{"writes_per_second":500,"keys":9}}"#,
        ] {
            let (mut shares, mut plain) = (world(text), world(text));
            // A chain: what a replica keeps for another one is read in the same pieces too.
            for world in [&mut shares, &mut plain] {
                world.run_until(Instant(SECOND_US));
                world.command(2, &["REPLICAOF", "10.0.0.2", "6379"]);
            }
            for tenth in 11..200 {
                let until = Instant(tenth * SECOND_US / 10);
                shares.run_until(until);
                plain.run_until(until);
                shares.share();
                assert_eq!(shares.digest(), plain.digest(), "at {until:?} of {text}");
                assert_eq!(shares.sizes(), plain.sizes(), "at {until:?} of {text}");
            }
        }
    }

    #[test]
    fn what_servers_share_is_counted_once() {
        let mut world = world(r#"{"workload":{"writes_per_second":1000,"value_bytes":1000}}"#);
        world.run_until(Instant(20 * SECOND_US));
        let before = world.clone();
        world.run_until(Instant(40 * SECOND_US));
        world.share();
        let history = world.nodes[0].server.window().expect("a backlog").histlen.0;
        let bytes = world.copy_bytes(&before);
        assert!((history..2 * history).contains(&bytes), "{bytes} for {history}");
        let again = world.clone();
        world.run_until(Instant(40 * SECOND_US + 10_000));
        assert!(world.copy_bytes(&again) < history / 2, "what copies share is counted once too");
    }
}
