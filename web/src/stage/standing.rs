//! How a replica stands to its master: the one judgement that hands, cards, links and lanes share.
//!
//! A standing decides colour, glyph and word everywhere, so that no two places can disagree.
//! Absent on purpose: any judgement that the core has made already. Room, cover and states are
//! taken from the snapshot as they are.

use super::figures::{lasting, percent};
use crate::world::{LinkSnapshot, LinkState, ServerSnapshot};

/// In order of urgency, least first: of two that overlap on the dial the greater is on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It follows nobody: a master, but not the one on the dial.
    Apart,
    /// The stream flows and it keeps up.
    InSync,
    /// The stream flows, but it is well behind.
    CatchingUp,
    /// A snapshot is on its way.
    Transfer,
    /// It does not follow, and there is no position of it on the master's history.
    Adrift,
    /// It does not follow, but all it needs is still kept.
    Covered,
    /// The next byte it needs is gone.
    Overtaken,
}

impl Standing {
    /// The class on the page, which carries the colour.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Standing::Apart => "is-apart",
            Standing::InSync => "is-sync",
            Standing::CatchingUp => "is-catching",
            Standing::Transfer => "is-full",
            Standing::Adrift => "is-adrift",
            Standing::Covered => "is-fuse",
            Standing::Overtaken => "is-lost",
        }
    }

    /// The second cue beside the colour.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            Standing::Apart => "\u{25c6}",
            Standing::InSync => "\u{25cf}",
            Standing::CatchingUp => "\u{bb}",
            Standing::Transfer => "\u{25a4}",
            Standing::Adrift => "?",
            Standing::Covered => "\u{25d4}",
            Standing::Overtaken => "\u{2717}",
        }
    }

    /// Whether it has a place on the master's history.
    #[must_use]
    pub fn has_place(self) -> bool {
        !matches!(self, Standing::Apart | Standing::Adrift | Standing::Transfer)
    }
}

/// How the replica behind `link` stands.
#[must_use]
pub fn standing(link: &LinkSnapshot, rate: u64) -> Standing {
    if link.state == LinkState::Transfer {
        return Standing::Transfer;
    }
    if link.state == LinkState::Up && !is_cut(link) {
        return if keeps_up(link, rate) { Standing::InSync } else { Standing::CatchingUp };
    }
    match link.room_bytes {
        Some(room) if room < 0 => Standing::Overtaken,
        Some(_) if link.same_history => Standing::Covered,
        _ => Standing::Adrift,
    }
}

/// Whether somebody cut it, in one direction or both.
#[must_use]
pub fn is_cut(link: &LinkSnapshot) -> bool {
    link.cut_to_replica || link.cut_to_master
}

/// Why a server does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// As by SIGSTOP.
    Frozen,
    /// It has no process.
    Killed,
}

impl Halt {
    /// Of this server, if it is halted.
    #[must_use]
    pub fn of(server: &ServerSnapshot) -> Option<Halt> {
        match (server.killed, server.frozen) {
            (true, _) => Some(Halt::Killed),
            (_, true) => Some(Halt::Frozen),
            _ => None,
        }
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Halt::Frozen => "frozen",
            Halt::Killed => "killed",
        }
    }

    /// The second cue.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            Halt::Frozen => "\u{2016}",
            Halt::Killed => "\u{2205}",
        }
    }
}

/// What is in flight is not behind: two latencies and a quarter of a second of writes are granted,
/// and one command of half a kilobyte.
fn keeps_up(link: &LinkSnapshot, rate: u64) -> bool {
    let granted_us = u128::from(link.latency_us) * 2 + 250_000;
    u128::from(link.behind_bytes) <= u128::from(rate) * granted_us / 1_000_000 + 512
}

/// The state in words. `killed`: its master cut it for its output since it was last answered.
#[must_use]
pub fn words(
    server: &ServerSnapshot,
    link: &LinkSnapshot,
    killed: bool,
    now_us: u64,
    rate: u64,
) -> String {
    if let Some(halt) = Halt::of(server) {
        return halt.word().to_owned();
    }
    // What is still on the wire keeps the replica busy: it learns only afterwards.
    if killed && !is_cut(link) {
        return "cut: output limit".to_owned();
    }
    if is_cut(link) || link.state == LinkState::Cut {
        return match (link.cut_to_replica, link.cut_to_master, link.down_since_us) {
            (true, false, _) => "cut to replica".to_owned(),
            (false, true, _) => "cut to master".to_owned(),
            (.., None) => "link cut".to_owned(),
            (.., Some(since)) => {
                format!("link cut \u{b7} {}", lasting(now_us.saturating_sub(since)))
            }
        };
    }
    match link.state {
        LinkState::Transfer => match link.transfer {
            Some(t) => match t.total {
                Some(total) => {
                    format!("full resync \u{b7} {} %", percent(t.received, total))
                }
                None => "full resync".to_owned(),
            },
            None => "full resync".to_owned(),
        },
        LinkState::Handshake => "handshake".to_owned(),
        LinkState::Connecting => "reconnecting".to_owned(),
        LinkState::Up | LinkState::Cut => match standing(link, rate) {
            Standing::CatchingUp => "catching up".to_owned(),
            _ => "in sync".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture;
    use crate::world::Transfer;

    fn link(change: impl FnOnce(&mut LinkSnapshot)) -> LinkSnapshot {
        let mut link = fixture::link();
        change(&mut link);
        link
    }

    fn cut(room: Option<i64>) -> LinkSnapshot {
        link(|l| {
            l.state = LinkState::Cut;
            l.cut_to_replica = true;
            l.cut_to_master = true;
            l.room_bytes = room;
            l.down_since_us = Some(1_000_000);
        })
    }

    #[test]
    fn a_cut_replica_is_covered_until_the_byte_it_needs_is_overwritten() {
        assert_eq!(standing(&cut(Some(9831)), 3000), Standing::Covered);
        assert_eq!(standing(&cut(Some(0)), 3000), Standing::Covered);
        assert_eq!(standing(&cut(Some(-1)), 3000), Standing::Overtaken);
        assert_eq!(standing(&cut(None), 3000), Standing::Adrift);
    }

    #[test]
    fn bytes_in_flight_do_not_count_as_behind() {
        assert_eq!(standing(&link(|l| l.behind_bytes = 500), 0), Standing::InSync);
        assert_eq!(standing(&link(|l| l.behind_bytes = 5000), 0), Standing::CatchingUp);
        assert_eq!(standing(&link(|l| l.behind_bytes = 5000), 100_000), Standing::InSync);
    }

    #[test]
    fn the_card_says_what_the_link_is_doing() {
        let now = 2_900_000;
        let mut server = fixture::replica(1, fixture::link());
        let say = |server: &ServerSnapshot, l: &LinkSnapshot| words(server, l, false, now, 3000);
        assert_eq!(say(&server, &fixture::link()), "in sync");
        assert_eq!(say(&server, &cut(Some(1))), "link cut \u{b7} 1.9 s");
        let one_way = LinkSnapshot { cut_to_master: false, ..cut(Some(1)) };
        assert_eq!(say(&server, &one_way), "cut to replica");
        let loading = link(|l| {
            l.state = LinkState::Transfer;
            l.transfer = Some(Transfer { received: 16_400_000, total: Some(48_200_000) });
        });
        assert_eq!(say(&server, &loading), "full resync \u{b7} 34 %");
        assert_eq!(say(&server, &link(|l| l.state = LinkState::Connecting)), "reconnecting");
        assert_eq!(say(&server, &link(|l| l.behind_bytes = 90_000)), "catching up");
        let killed = words(&server, &fixture::loading(), true, now, 3000);
        assert_eq!(killed, "cut: output limit");
        server.frozen = true;
        assert_eq!(say(&server, &fixture::link()), "frozen");
        server.killed = true;
        assert_eq!(say(&server, &fixture::link()), "killed");
    }
}
