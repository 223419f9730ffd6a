//! What a replica's card says: words only, computed from the snapshot.
//!
//! The same texts serve full cards, rows and tiles; where there is less room fewer are shown.
//! Absent on purpose: colours and positions.

use super::figures::{lasting, percent};
use super::standing::{Standing, is_cut, standing, words};
use crate::format::{bytes, server_title, thousands, thousands_signed};
use crate::world::{
    DecisionRecord, LinkSnapshot, PacketKind, ServerSnapshot, Snapshot, Transfer, Verdict,
};

/// A progress bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// What it measures, for those who do not see it.
    pub name: &'static str,
    /// Whole percent.
    pub percent: u64,
}

/// How often a replica's PSYNC was answered in which way, until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Partial ones.
    pub partial: u64,
    /// Full ones.
    pub full: u64,
}

/// The texts of one card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Index in the snapshot's servers.
    pub server: usize,
    /// As the actions name it.
    pub name: String,
    /// As people say it.
    pub title: String,
    /// How it stands.
    pub standing: Standing,
    /// The state in words.
    pub state: String,
    /// Its offset, or what it loads.
    pub figure: String,
    /// How long it is covered, or empty.
    pub cover: String,
    /// Behind, room, gone, left.
    pub detail: String,
    /// Room or progress.
    pub meter: Option<Meter>,
    /// Past answers.
    pub tally: String,
    /// Whether its link is cut.
    pub cut: bool,
}

impl Card {
    /// The card of `server`.
    #[must_use]
    pub fn new(
        snapshot: &Snapshot,
        index: usize,
        server: &ServerSnapshot,
        link: &LinkSnapshot,
        tally: Tally,
        size: Option<u64>,
    ) -> Card {
        let rate = snapshot.write_bytes_per_second;
        let standing = standing(link, rate);
        let transfer = link.transfer.filter(|_| standing == Standing::Transfer);
        let figure = match transfer {
            Some(Transfer { received, total: Some(total) }) => {
                format!("{} of {}", bytes(received), bytes(total))
            }
            Some(Transfer { received, total: None }) => bytes(received),
            None => thousands(server.master_repl_offset),
        };
        Card {
            server: index,
            name: server.name.clone(),
            title: server_title(&server.name),
            standing,
            state: words(server, link, snapshot.now_us, rate),
            figure,
            cover: cover(link, standing, rate),
            detail: match transfer {
                Some(transfer) => time_left(snapshot, index, link, transfer),
                None => detail(link, standing),
            },
            meter: meter(link, standing, transfer, size),
            tally: format!("answered: {} partial \u{b7} {} full", tally.partial, tally.full),
            cut: is_cut(link),
        }
    }

    /// Without the texts that a row or a tile does not show: it changes less often then.
    #[must_use]
    pub fn brief(self) -> Card {
        let none = String::new;
        Card { figure: none(), cover: none(), detail: none(), tally: none(), meter: None, ..self }
    }

    /// What the button at the link is called.
    #[must_use]
    pub fn toggle_name(&self) -> String {
        format!("{} link to {}", if self.cut { "Heal" } else { "Cut" }, self.title)
    }

    /// The action behind that button.
    #[must_use]
    pub fn toggle_action(&self) -> String {
        let verb = if self.cut { "heal" } else { "cut" };
        serde_json::json!({ "do": verb, "replica": self.name }).to_string()
    }

    /// What restarts it.
    #[must_use]
    pub fn restart_action(&self) -> String {
        serde_json::json!({ "do": "restart", "server": self.name }).to_string()
    }
}

/// How often which answer was given to each server, by its index.
#[must_use]
pub fn tallies<'a>(
    snapshot: &Snapshot,
    decisions: impl Iterator<Item = &'a DecisionRecord>,
) -> Vec<Tally> {
    let mut out = vec![Tally::default(); snapshot.servers.len()];
    for decision in decisions.take_while(|decision| decision.at_us <= snapshot.now_us) {
        let index = snapshot.servers.iter().position(|server| server.name == decision.replica);
        if let Some(tally) = index.and_then(|index| out.get_mut(index)) {
            match decision.verdict {
                Verdict::Partial => tally.partial += 1,
                Verdict::Full => tally.full += 1,
            }
        }
    }
    out
}

fn cover(link: &LinkSnapshot, standing: Standing, rate: u64) -> String {
    match (standing, link.covered_us) {
        (Standing::Covered, Some(us)) => format!("covered {}", lasting(us)),
        (Standing::Covered, None) if rate == 0 => "covered: no writes".to_owned(),
        (Standing::Covered, None) => "covered".to_owned(),
        (Standing::Overtaken, _) => "too late".to_owned(),
        _ => String::new(),
    }
}

fn detail(link: &LinkSnapshot, standing: Standing) -> String {
    let behind = thousands(link.behind_bytes);
    match (standing, link.room_bytes) {
        (Standing::Covered, Some(room)) => {
            format!("{behind} B behind \u{b7} {} B of room", thousands_signed(room))
        }
        (Standing::Overtaken, Some(room)) => {
            format!("{behind} B behind \u{b7} {} B gone", thousands(room.unsigned_abs()))
        }
        (Standing::Adrift, _) if link.asks_replid.is_none() => "will ask for everything".to_owned(),
        (Standing::Adrift, _) if !link.same_history => "its history is not the master's".to_owned(),
        (Standing::Adrift, None) => "the master keeps no backlog".to_owned(),
        _ => format!("{behind} B behind"),
    }
}

/// By the bandwidth; without a limit by what is already on its way, when that is the rest.
fn time_left(snapshot: &Snapshot, index: usize, link: &LinkSnapshot, t: Transfer) -> String {
    let Some(total) = t.total else { return "size not announced".to_owned() };
    let rest = total.saturating_sub(t.received);
    if let Some(bandwidth) = link.bandwidth_bytes_per_second.filter(|&b| b > 0) {
        let us = u128::from(rest) * 1_000_000 / u128::from(bandwidth);
        return format!("{} left", lasting(u64::try_from(us).unwrap_or(u64::MAX)));
    }
    let flying = snapshot
        .packets
        .iter()
        .filter(|p| p.replica == index && p.to_replica && p.kind == PacketKind::Snapshot);
    match flying.map(|packet| packet.arrives_us).max() {
        Some(at) => format!("{} left", lasting(at.saturating_sub(snapshot.now_us))),
        None => format!("{} left", bytes(rest)),
    }
}

fn meter(
    link: &LinkSnapshot,
    standing: Standing,
    transfer: Option<Transfer>,
    size: Option<u64>,
) -> Option<Meter> {
    match (standing, transfer) {
        (_, Some(Transfer { received, total: Some(total) })) => {
            Some(Meter { name: "received", percent: percent(received, total) })
        }
        (Standing::Covered, _) => {
            let room = u64::try_from(link.room_bytes?).ok()?;
            Some(Meter { name: "room left", percent: percent(room, size?) })
        }
        (Standing::Overtaken, _) => Some(Meter { name: "room left", percent: 0 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture::{self, SIZE};

    fn card(link: LinkSnapshot) -> Card {
        let snapshot = fixture::world(vec![link]);
        let server = &snapshot.servers[1];
        let link = server.link.as_ref().unwrap();
        Card::new(&snapshot, 1, server, link, Tally { partial: 1, full: 1 }, Some(SIZE))
    }

    #[test]
    fn a_cut_replica_reads_as_in_the_picture() {
        let card = card(fixture::cut(6553));
        assert_eq!(card.state, "link cut \u{b7} 1.9 s");
        assert_eq!(card.figure, "1,278,007");
        assert_eq!(card.cover, "covered 3.2 s");
        assert_eq!(card.detail, "6,553 B behind \u{b7} 9,831 B of room");
        assert_eq!(card.meter, Some(Meter { name: "room left", percent: 60 }));
        assert_eq!(card.toggle_name(), "Heal link to replica 1");
        assert_eq!(card.toggle_action(), r#"{"do":"heal","replica":"replica-1"}"#);
    }

    #[test]
    fn an_overtaken_replica_says_how_much_is_gone() {
        let card = card(fixture::cut(SIZE + 3316));
        assert_eq!(card.cover, "too late");
        assert_eq!(card.detail, "19,700 B behind \u{b7} 3,316 B gone");
    }

    #[test]
    fn a_transfer_says_how_much_and_how_long() {
        let card = card(fixture::loading());
        assert_eq!(card.state, "full resync \u{b7} 34 %");
        assert_eq!(card.figure, "16.4 MB of 48.2 MB");
        assert_eq!(card.detail, "1.3 s left");
    }

    #[test]
    fn a_healthy_replica_is_quiet() {
        let card = card(fixture::link());
        assert_eq!((card.state.as_str(), card.cover.as_str()), ("in sync", ""));
        assert_eq!(card.detail, "0 B behind");
        assert_eq!(card.tally, "answered: 1 partial \u{b7} 1 full");
        assert_eq!(card.toggle_name(), "Cut link to replica 1");
        assert!(card.meter.is_none());
    }

    #[test]
    fn a_replica_without_a_common_history_has_no_room_to_speak_of() {
        let mut link = fixture::cut(10);
        link.room_bytes = None;
        assert_eq!(card(link.clone()).detail, "the master keeps no backlog");
        link.same_history = false;
        assert_eq!(card(link.clone()).detail, "its history is not the master's");
        link.asks_replid = None;
        assert_eq!(card(link).detail, "will ask for everything");
    }
}
