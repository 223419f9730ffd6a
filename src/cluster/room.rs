//! How much room a world takes: what a copy of it costs, and whether anything in it grows without
//! end.

use super::sim::{Node, World};
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
            sizes.kept_bytes += node.server.window().map_or(0, |window| window.histlen.0);
            sizes.keys += node.server.data().len();
        }
        sizes
    }

    /// About how many bytes a copy of this world takes that an earlier one, `before`, does not
    /// take already: blocks of the backlog that both hold are there once.
    pub(super) fn copy_bytes(&self, before: Option<&World>) -> u64 {
        let of_node = |(index, node): (usize, &Node)| {
            let old = before.and_then(|world| world.nodes.get(index)).map(|node| &node.server);
            let histlen = node.server.window().map_or(0, |window| window.histlen.0);
            let fresh = match (node.server.engine().keeping, old) {
                // The newest block is still being filled, so each copy has its own.
                (Keeping::Blocks(_), Some(old)) => {
                    let (then, now) = (old.history().end.0, node.server.history().end.0);
                    now.saturating_sub(then).saturating_add(OPEN_BLOCK_BYTES)
                }
                _ => u64::MAX,
            };
            // An entry of the keyspace costs about this much besides its text, which copies share
            // until it is written over.
            let text = node.server.data().payload_bytes().min(fresh);
            let starts = node.server.known_command_starts() as u64 * 8;
            histlen.min(fresh) + text + starts + node.server.data().len() as u64 * 128 + 4096
        };
        self.nodes.iter().enumerate().map(of_node).sum()
    }
}

/// About the size of the smallest block.
const OPEN_BLOCK_BYTES: u64 = 20 << 10;
