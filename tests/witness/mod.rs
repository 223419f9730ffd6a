//! Watches a world and knows what must never happen.
//!
//! * Every byte between two offsets is the same on all servers that share the id.
//! * A server's offset never goes back while its id and its process stay the same, except by a
//!   full resync from a master that lags itself.
//! * A replica at an offset that its master also stood at, in the same history, holds the same
//!   data as the master held then.

use std::collections::BTreeMap;

use psync::cluster::World;
use psync::cluster::trace::What;
use psync::server::{Phase, Server};
use psync::stream::history::ReplId;
use psync::stream::offset::ByteCount;

/// What was seen so far.
#[derive(Default)]
pub struct Witness {
    /// By id: the first position seen, and all bytes from there on.
    streams: BTreeMap<ReplId, (i64, Vec<u8>)>,
    /// By server: what it was when last looked at.
    last: BTreeMap<String, Seen>,
    /// By index of the server: snapshots loaded.
    loaded: BTreeMap<usize, u64>,
    /// By id and offset: the data of the master there.
    masters: BTreeMap<(ReplId, u64), u64>,
}

#[derive(Clone, Copy, PartialEq)]
struct Seen {
    run_id: ReplId,
    replid: ReplId,
    end: u64,
    /// How many snapshots it has loaded.
    loaded: u64,
}

impl Witness {
    /// Looks at every server that has changed.
    pub fn look(&mut self, world: &mut World) {
        for entry in world.take_entries() {
            if let What::Log { server, line } = entry.what
                && line.ends_with("Loading DB in memory")
            {
                *self.loaded.entry(server).or_default() += 1;
            }
        }
        for (index, (name, server)) in world.servers().enumerate() {
            let history = server.history();
            let now = Seen {
                run_id: server.run_id(),
                replid: history.replid,
                end: history.end.0,
                loaded: self.loaded.get(&index).copied().unwrap_or(0),
            };
            let before = self.last.insert(name.to_owned(), now);
            if let Some(before) = before
                && before == (Seen { end: before.end, ..now })
            {
                assert!(now.end >= before.end, "{name} went from {} to {}", before.end, now.end);
            }
            if server.link().is_none() && server.window().is_some() {
                self.masters.insert((now.replid, now.end), server.data().digest());
            }
            if before != Some(now) {
                self.compare_bytes(name, server);
            }
        }
        for (name, server) in world.servers() {
            let in_stream = server.link_phase() == Some(Phase::Connected);
            let (replid, end) = position(server);
            // Who had to say SYNC was told no numbers, and calls its place by meaningless ones.
            let link = server.link();
            let numbered = link.is_none_or(|link| !link.is_unnumbered());
            let master = self.masters.get(&(replid, end)).filter(|_| numbered);
            if let Some(digest) = master.filter(|_| in_stream) {
                assert_eq!(server.data().digest(), *digest, "{name} differs at offset {end}");
            }
        }
    }

    /// Compares the newest bytes of a server with what others had under the same id.
    fn compare_bytes(&mut self, name: &str, server: &Server) {
        let Some(window) = server.window() else { return };
        let first = window.first.0;
        let replid = server.history().replid;
        let (seen_first, seen) = self.streams.entry(replid).or_insert_with(|| (first, Vec::new()));
        if first < *seen_first {
            // An older beginning than was seen so far, as after a promotion: start over with it.
            *seen_first = first;
            seen.clear();
        }
        let seen_next = *seen_first + seen.len() as i64;
        if first > seen_next {
            // A gap: more was written at once than the backlog holds.
            *seen_first = first;
            seen.clear();
        }
        let known_to = *seen_first + seen.len() as i64;
        let kept = server.kept_bytes(window.first, ByteCount(window.histlen.0));
        let overlap = (known_to.min(window.next().0) - first).max(0) as usize;
        let from = (first - *seen_first) as usize;
        assert!(
            seen[from..from + overlap] == kept[..overlap],
            "{name} has other bytes than its history {replid} from {first} on"
        );
        seen.extend_from_slice(&kept[overlap..]);
    }
}

/// The history that a server is in, and how far: its master's on a replica.
fn position(server: &Server) -> (ReplId, u64) {
    let followed = server.link().and_then(|link| link.followed);
    let history = server.history();
    followed.map_or((history.replid, history.end.0), |f| (f.replid, f.applied.0))
}

/// Why the world is not at peace: some server differs from the first one.
pub fn disagreement(world: &World) -> Option<String> {
    let mut servers = world.servers();
    let (_, master) = servers.next()?;
    let wanted = (position(master), master.data().digest());
    servers.find_map(|(name, server)| {
        let has = (position(server), server.data().digest());
        let up = server.link_phase() == Some(Phase::Connected);
        // Who had to say SYNC was told no numbers; its data must be the same nevertheless.
        let unnumbered = server.link().and_then(|link| link.followed).is_some_and(|f| f.unnumbered);
        let equal = if unnumbered { has.1 == wanted.1 } else { has == wanted };
        (!up || !equal)
            .then(|| format!("{name}: {:?} with {has:?}, master {wanted:?}", server.link_phase()))
    })
}
