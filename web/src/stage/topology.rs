//! Who follows whom: which server the dial shows, who has a card, and from where each link leaves.
//!
//! A place is not a role: after a promotion the server at the place `master` may follow another
//! one, and a replica may have replicas of its own. Invariant: every server but the one on the
//! dial has a card, in the order of the servers. Absent on purpose: positions.

use crate::world::{LinkSnapshot, ServerSnapshot, Snapshot};

/// Where a card's link comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The server on the dial, by the bus.
    Bus,
    /// The server of another card: its slot.
    Card(usize),
    /// Nobody: it is a master itself.
    Nobody,
}

/// The whole arrangement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Index of the server on the dial.
    pub subject: usize,
    /// Indices of the servers with cards.
    pub cards: Vec<usize>,
    /// Where each card's link comes from.
    pub feeds: Vec<Feed>,
    /// The master at the top of each server's chain, itself for a master.
    roots: Vec<usize>,
}

impl Topology {
    /// As the snapshot has it. Of several masters the dial shows the chosen one, otherwise the one
    /// that most servers belong to, the first of equals.
    #[must_use]
    pub fn new(snapshot: &Snapshot, chosen: Option<usize>) -> Topology {
        let servers = &snapshot.servers;
        let masters: Vec<Option<usize>> =
            servers.iter().map(|server| master_of(snapshot, server)).collect();
        let roots: Vec<usize> = (0..servers.len()).map(|index| root(&masters, index)).collect();
        let is_master = |index: usize| servers.get(index).is_some_and(|s| s.link.is_none());
        let followers = |index: usize| roots.iter().filter(|root| **root == index).count();
        let most = (0..servers.len()).rev().filter(|n| is_master(*n)).max_by_key(|n| followers(*n));
        let subject = chosen.filter(|n| is_master(*n)).or(most).unwrap_or(0);
        let cards: Vec<usize> = (0..servers.len()).filter(|n| *n != subject).collect();
        let feed = |card: &usize| match masters[*card] {
            None => Feed::Nobody,
            Some(master) if master == subject => Feed::Bus,
            Some(master) => Feed::Card(if master < subject { master } else { master - 1 }),
        };
        let feeds = cards.iter().map(feed).collect();
        Topology { subject, cards, feeds, roots }
    }

    /// The server on the dial.
    #[must_use]
    pub fn master<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a ServerSnapshot> {
        snapshot.servers.get(self.subject)
    }

    /// Replicas of the server on the dial, at any distance, as (index, server, link): those that
    /// have a place on its history.
    pub fn replicas<'a>(
        &self,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = (usize, &'a ServerSnapshot, &'a LinkSnapshot)> + use<'_, 'a> {
        let mine = self.roots.iter().map(|root| *root == self.subject);
        let servers = snapshot.servers.iter().enumerate().zip(mine);
        servers
            .filter(|((index, _), mine)| *mine && *index != self.subject)
            .filter_map(|((index, server), _)| Some((index, server, server.link.as_ref()?)))
    }
}

/// The index of the server that this one follows.
#[must_use]
pub fn master_of(snapshot: &Snapshot, server: &ServerSnapshot) -> Option<usize> {
    let name = &server.link.as_ref()?.master;
    snapshot.servers.iter().position(|other| other.name == *name)
}

/// Up the chain; servers that follow each other in a circle have no top, and count as their own.
fn root(masters: &[Option<usize>], index: usize) -> usize {
    let mut at = index;
    for _ in 0..masters.len() {
        match masters[at] {
            Some(master) => at = master,
            None => return at,
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture;

    fn follow(world: &mut Snapshot, server: usize, master: Option<&str>) {
        world.servers[server].link = master.map(|name| {
            let mut link = fixture::link();
            name.clone_into(&mut link.master);
            link
        });
    }

    fn star() -> Snapshot {
        fixture::world(vec![fixture::link(); 3])
    }

    #[test]
    fn at_first_the_master_is_on_the_dial_and_feeds_every_card() {
        let topology = Topology::new(&star(), None);
        assert_eq!((topology.subject, &topology.cards[..]), (0, &[1, 2, 3][..]));
        assert_eq!(topology.feeds, [Feed::Bus; 3]);
        assert_eq!(Topology::new(&star(), Some(2)), topology, "a replica is never on the dial");
    }

    #[test]
    fn a_promoted_server_takes_the_dial_when_the_others_follow_it() {
        let mut world = star();
        follow(&mut world, 1, None);
        let split = Topology::new(&world, None);
        assert_eq!(split.subject, 0, "two still follow the old one");
        assert_eq!(split.feeds, [Feed::Nobody, Feed::Bus, Feed::Bus]);
        assert_eq!(Topology::new(&world, Some(1)).subject, 1, "but either can be looked at");
        follow(&mut world, 2, Some("replica-1"));
        follow(&mut world, 0, Some("replica-1"));
        let after = Topology::new(&world, None);
        assert_eq!((after.subject, &after.cards[..]), (1, &[0, 2, 3][..]));
        // Replica 3 follows the old master, which has the first card now.
        assert_eq!(after.feeds, [Feed::Bus, Feed::Bus, Feed::Card(0)]);
        assert_eq!(after.replicas(&world).count(), 3);
    }

    #[test]
    fn servers_in_a_circle_hang_nobody_up() {
        let mut world = star();
        follow(&mut world, 1, Some("replica-2"));
        follow(&mut world, 2, Some("replica-1"));
        let topology = Topology::new(&world, None);
        assert_eq!(topology.replicas(&world).map(|(n, _, _)| n).collect::<Vec<_>>(), [3]);
        assert_eq!(topology.feeds, [Feed::Card(1), Feed::Card(0), Feed::Bus]);
        follow(&mut world, 0, Some("replica-3"));
        follow(&mut world, 3, Some("master"));
        assert_eq!(Topology::new(&world, None).subject, 0);
    }
}
