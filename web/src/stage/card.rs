//! What a replica's card says: words only, computed from the snapshot.
//!
//! The same texts serve full cards, rows and tiles; where there is less room fewer are shown.
//! Absent on purpose: colours and positions.

use super::conditions::{Conditions, Slower};
use super::figures::{lasting, percent};
use super::standing::{Halt, Standing, is_cut, standing, words};
use super::topology::{Topology, master_of};
use crate::format::{bytes, server_title, short_id, thousands, thousands_signed};
use crate::world::{
    BacklogSnapshot, LinkSnapshot, PacketKind, ServerSnapshot, Snapshot, Trace, Transfer, Verdict,
    What,
};
use psync::json;

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
    /// How often its master cut it for its output.
    pub kills: u64,
    /// Whether that was the last thing that happened to it.
    pub killed: bool,
}

impl Tally {
    /// In words; where another master than the usual one has to be named, that alone.
    fn text(self, master: Option<String>) -> String {
        let Tally { partial, full, kills, .. } = self;
        match master {
            Some(master) => format!("follows {master}"),
            None if kills > 0 => format!("{partial} partial \u{b7} {full} full \u{b7} {kills} cut"),
            None => format!("{partial} partial \u{b7} {full} full"),
        }
    }
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
    /// Whether it has a link.
    pub link: bool,
    /// Whether that is cut.
    pub cut: bool,
    /// Whether it is cut one way only: towards the replica, or towards the master.
    pub one_way: Option<bool>,
    /// Why it does nothing.
    pub halt: Option<Halt>,
    /// What its link is like, in one word; empty where it is as good as the others.
    pub condition: &'static str,
    /// The same in numbers.
    pub numbers: String,
}

/// What a replica makes its master hold, when that is worth a word.
struct Output {
    text: String,
    meter: Option<Meter>,
}

impl Output {
    /// A reader of blocks always refers to one, and that block counts as a whole: only a reader
    /// that is not at the newest block holds anything back.
    fn of(link: &LinkSnapshot, backlog: Option<&BacklogSnapshot>) -> Option<Output> {
        let held = link.output_bytes.filter(|held| *held > 0)?;
        let newest = backlog.and_then(|backlog| backlog.blocks.as_ref()).map(|b| b.len() - 1);
        if newest.is_some() && link.reads_block >= newest {
            return None;
        }
        let Some(limit) = link.output_limit_bytes else {
            return Some(Output { text: format!("output {}, no limit", bytes(held)), meter: None });
        };
        let text = format!("output {} of {} limit", bytes(held), bytes(limit));
        let meter = Meter { name: "output of its limit", percent: percent(held, limit) };
        Some(Output { text, meter: Some(meter) })
    }
}

impl Card {
    /// The card of the server of this index.
    #[must_use]
    pub fn new(
        snapshot: &Snapshot,
        topology: &Topology,
        index: usize,
        tally: Tally,
        slower: Slower,
    ) -> Option<Card> {
        let server = snapshot.servers.get(index)?;
        let Some(link) = &server.link else {
            return Some(Card::of_master(snapshot, index, server));
        };
        let master = master_of(snapshot, server);
        let backlog = master.and_then(|master| snapshot.servers[master].backlog.as_ref());
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
        let conditions = Conditions::of(link, slower);
        let output = Output::of(link, backlog);
        // On the dial and the bus there is only one master; every other one is named.
        let elsewhere = master.is_some_and(|master| master != topology.subject) || index == 0;
        Some(Card {
            server: index,
            name: server.name.clone(),
            title: server_title(&server.name),
            standing,
            state: words(server, link, tally.killed, snapshot.now_us, rate),
            figure,
            cover: match (&output, transfer) {
                (Some(_), None) => format!("{} B behind", thousands(link.behind_bytes)),
                _ if held_by_pin(link, standing, backlog) => "while pinned".to_owned(),
                _ => cover(link, standing, rate),
            },
            detail: match (&output, transfer) {
                (Some(output), _) => output.text.clone(),
                (None, Some(transfer)) => time_left(snapshot, index, link, transfer),
                (None, None) => detail(link, standing),
            },
            meter: output
                .and_then(|output| output.meter.filter(|_| transfer.is_none()))
                .or_else(|| meter(link, standing, transfer, backlog.map(|b| b.size))),
            tally: tally.text(elsewhere.then(|| server_title(&link.master))),
            link: true,
            cut: is_cut(link),
            one_way: (link.cut_to_replica != link.cut_to_master).then_some(link.cut_to_replica),
            halt: Halt::of(server),
            condition: conditions.word(),
            numbers: conditions.numbers(),
        })
    }

    /// A master beside the one on the dial: nobody feeds it.
    fn of_master(snapshot: &Snapshot, index: usize, server: &ServerSnapshot) -> Card {
        let followers = snapshot.servers.iter().filter_map(|other| other.link.as_ref());
        let followers = followers.filter(|link| link.master == server.name).count();
        Card {
            server: index,
            name: server.name.clone(),
            title: server_title(&server.name),
            standing: Standing::Apart,
            state: Halt::of(server).map_or("a master", Halt::word).to_owned(),
            figure: thousands(server.master_repl_offset),
            cover: String::new(),
            detail: format!("its own history {}", short_id(&server.replid)),
            meter: None,
            tally: match followers {
                0 => "nobody follows it".to_owned(),
                1 => "one follows it".to_owned(),
                n => format!("{n} follow it"),
            },
            link: false,
            cut: false,
            one_way: None,
            halt: Halt::of(server),
            condition: "",
            numbers: String::new(),
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
        action(verb, "replica", &self.name)
    }

    /// What makes it a master.
    #[must_use]
    pub fn promote_action(&self) -> String {
        action("promote", "server", &self.name)
    }

    /// What restarts it.
    #[must_use]
    pub fn restart_action(&self) -> String {
        action("restart", "server", &self.name)
    }
}

/// An action as the buttons carry it.
fn action(verb: &str, field: &str, name: &str) -> String {
    json::write(&json::object(&mut [("do", verb.into()), (field, name.into())]))
}

/// What happened to each server until now, by its index.
#[must_use]
pub fn tallies(snapshot: &Snapshot, trace: &Trace) -> Vec<Tally> {
    let mut out = vec![Tally::default(); snapshot.servers.len()];
    let mut decided = vec![0; out.len()];
    let decisions = trace.decisions().iter();
    for decision in decisions.take_while(|decision| decision.at_us <= snapshot.now_us) {
        let index = snapshot.servers.iter().position(|server| server.name == decision.replica);
        if let Some((index, tally)) = index.and_then(|index| Some((index, out.get_mut(index)?))) {
            decided[index] = decision.at_us;
            match decision.verdict {
                Verdict::Partial => tally.partial += 1,
                Verdict::Full => tally.full += 1,
            }
        }
    }
    for entry in trace.entries().take_while(|entry| entry.at.0 <= snapshot.now_us) {
        let killed = output_kill(&entry.what).filter(|index| *index < out.len());
        if let Some(index) = killed {
            out[index].kills += 1;
            out[index].killed = entry.at.0 >= decided[index];
        }
    }
    out
}

/// The server that this line says was cut because its output was too much. The world gives the
/// server of index N the address 10.0.0.(N + 1).
#[must_use]
pub fn output_kill(what: &What) -> Option<usize> {
    let What::Log { line, .. } = what else { return None };
    if !line.contains("scheduled to be closed ASAP") {
        return None;
    }
    let (_, address) = line.split_once("addr=10.0.0.")?;
    address.split(':').next()?.parse::<usize>().ok()?.checked_sub(1)
}

/// Whether a replica is covered only as long as a slower one reads: without that its next byte would
/// leave with the next block.
#[must_use]
pub fn held_by_pin(
    link: &LinkSnapshot,
    standing: Standing,
    backlog: Option<&BacklogSnapshot>,
) -> bool {
    let blocks = backlog.and_then(|backlog| backlog.blocks.as_ref());
    let pinned = blocks.is_some_and(|blocks| blocks.iter().rev().skip(1).any(|b| b.pins > 0));
    standing == Standing::Covered && pinned && link.room_bytes == Some(0)
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
        let tally = Tally { partial: 1, full: 1, ..Tally::default() };
        Card::new(&snapshot, &Topology::new(&snapshot, None), 1, tally, Slower::default()).unwrap()
    }

    #[test]
    fn output_that_waits_is_held_against_its_limit() {
        let mut link = fixture::link();
        (link.output_bytes, link.output_limit_bytes) = (Some(48_000), Some(64_000));
        link.behind_bytes = 50_000;
        let card = card(link);
        assert_eq!(card.detail, "output 48.0 KB of 64.0 KB limit");
        assert_eq!(card.cover, "50,000 B behind");
        assert_eq!(card.meter, Some(Meter { name: "output of its limit", percent: 75 }));
    }

    #[test]
    fn who_was_cut_is_told_by_the_address_in_the_log_line() {
        let line = |line: &str| What::Log { server: 0, line: line.to_owned() };
        let said = line(
            "Client id=2 addr=10.0.0.3:40001 laddr=127.0.0.1:6379 scheduled to be closed ASAP for \
             overcoming of output buffer limits.",
        );
        assert_eq!(output_kill(&said), Some(2));
        assert_eq!(output_kill(&line("Client addr=10.0.0.3:1 was told something")), None);
    }

    #[test]
    fn a_server_in_a_chain_says_whom_it_follows_and_a_master_that_it_has_none() {
        let mut world = fixture::world(vec![fixture::link(); 2]);
        if let Some(link) = &mut world.servers[2].link {
            "replica-1".clone_into(&mut link.master);
        }
        let card = |world: &Snapshot, index| {
            Card::new(
                world,
                &Topology::new(world, None),
                index,
                Tally::default(),
                Slower::default(),
            )
            .unwrap()
        };
        assert_eq!(card(&world, 2).tally, "follows replica 1");
        world.servers[1].link = None;
        let apart = card(&world, 1);
        assert_eq!((apart.state.as_str(), apart.tally.as_str()), ("a master", "one follows it"));
        assert!(!apart.link);
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
        assert_eq!(card.tally, "1 partial \u{b7} 1 full");
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
