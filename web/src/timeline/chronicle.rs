//! The trace as the lanes show it: phases of link states, flags, and message lines.
//!
//! Read once and then only what is new. Acting in the past replaces the end of the trace: when the
//! last entry read is no longer the same, everything is read again. Stream messages closer than
//! [`SAMPLE_US`] on the same link are one line; control messages are all kept. What the trace has
//! dropped is dropped here too, a little later; flags stay longer. Absent on purpose: pixels.

use crate::stage::card::output_kill;
use crate::world::{DecisionRecord, Entry, LinkState, PacketKind, Trace, Verdict, What};

/// The densest that stream messages are remembered.
pub const SAMPLE_US: u64 = 10_000;

/// How many flags are kept; the oldest go in a piece of a quarter.
const MOST_FLAGS: usize = 4096;
/// Entries of the trace that go before what came of them goes here.
const FORGET_EVERY: u64 = 10_000;

/// What a flag marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagKind {
    /// A link was cut.
    Cut,
    /// A link was healed.
    Heal,
    /// An absent replica was overtaken.
    Overrun,
    /// A master cut a replica whose output was too much.
    Kill,
    /// A server became a master, or follows another one.
    Turn,
    /// A server was restarted.
    Restart,
    /// A partial resync.
    Partial,
    /// A full resync.
    Full,
    /// Anything else somebody did.
    Deed,
}

impl FlagKind {
    /// What stands on it.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            FlagKind::Cut => "\u{d7}",
            FlagKind::Heal => "+",
            FlagKind::Overrun => "!",
            FlagKind::Kill => "\u{2717}",
            FlagKind::Turn => "\u{25c6}",
            FlagKind::Restart => "\u{21bb}",
            FlagKind::Partial => "\u{bb}",
            FlagKind::Full => "\u{25a4}",
            FlagKind::Deed => "\u{2022}",
        }
    }
}

/// Something that mattered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// When.
    pub at_us: u64,
    /// On whose lane: an index in the snapshot's servers.
    pub lane: usize,
    /// What.
    pub kind: FlagKind,
    /// Its number in the trace, if it is a decision.
    pub decision: Option<u64>,
    /// In words.
    pub text: String,
}

impl Flag {
    /// Its decision's number among those that are kept.
    #[must_use]
    pub fn number(&self, trace: &Trace) -> Option<usize> {
        trace.decisions().binary_search_by_key(&self.decision?, |decision| decision.seq).ok()
    }
}

/// A message, sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was sent.
    pub at_us: u64,
    /// When it arrives; none when it waits for a link to heal.
    pub arrives_us: Option<u64>,
    /// Direction.
    pub to_replica: bool,
    /// What it is.
    pub kind: PacketKind,
}

/// From when on a link is in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Since when; until the next one.
    pub from_us: u64,
    /// The state.
    pub state: LinkState,
}

/// Everything the lanes show.
#[derive(Debug, Default)]
pub struct Chronicle {
    last: Option<Entry>,
    /// The first entry of the trace when something was forgotten last.
    first: u64,
    sampled: Vec<Option<u64>>,
    /// By lane, in order of time.
    pub phases: Vec<Vec<Phase>>,
    /// In order of time.
    pub flags: Vec<Flag>,
    /// By the replica's lane, in order of time.
    lines: Vec<Vec<Line>>,
    /// By lane: since when it follows which other lane; the first one's until then.
    sources: Vec<Vec<(u64, usize)>>,
}

impl Chronicle {
    /// Reads what is new.
    pub fn read(&mut self, trace: &Trace) {
        let Some(end) = trace.entries().next_back().map(|entry| entry.seq) else {
            *self = Chronicle::default();
            return;
        };
        // An entry that was dropped because there were too many is still the same.
        let same = self.last.as_ref().is_none_or(|last| {
            last.seq <= end && trace.entry(last.seq).is_none_or(|entry| entry == last)
        });
        if !same {
            *self = Chronicle::default();
        }
        let first = trace.entries().next().map_or(0, |entry| entry.seq);
        let next = self.last.as_ref().map_or(0, |last| last.seq + 1);
        let from = next.max(first);
        // Decisions are kept for longer than what came between them.
        let before = |seq: u64| trace.decisions().partition_point(|decision| decision.seq < seq);
        for decision in trace.decisions().get(before(next)..before(first)).unwrap_or_default() {
            self.decision(decision);
        }
        for entry in (from..=end).filter_map(|seq| trace.entry(seq)) {
            self.entry(entry);
        }
        if from <= end {
            self.last = trace.entry(end).cloned();
        }
        if first >= self.first + FORGET_EVERY {
            self.first = first;
            self.forget(trace.kept_since().map_or(0, |at| at.0));
        }
    }

    /// Forgets what was before this moment; of what lasts, the last one before it still holds.
    fn forget(&mut self, before_us: u64) {
        for lines in &mut self.lines {
            lines.drain(..lines.partition_point(|line| line.at_us < before_us));
        }
        for phases in &mut self.phases {
            let over = phases.partition_point(|phase| phase.from_us <= before_us);
            phases.drain(..over.saturating_sub(1));
        }
        for sources in &mut self.sources {
            let over = sources.partition_point(|(from_us, _)| *from_us <= before_us);
            sources.drain(..over.saturating_sub(1));
        }
        if self.flags.len() > MOST_FLAGS {
            self.flags.drain(..MOST_FLAGS / 4);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let at_us = entry.at.0;
        match &entry.what {
            What::Message(message) => {
                let lane = message.replica;
                if message.kind != PacketKind::Control && self.too_dense(lane, at_us) {
                    return;
                }
                let (to_replica, kind) = (message.to_replica, message.kind);
                let arrives_us = message.arrives.map(|at| at.0);
                lane_in(&mut self.lines, lane).push(Line { at_us, arrives_us, to_replica, kind });
            }
            What::Decision(decision) => self.decision(decision),
            What::Link { replica, state } => {
                let lane = lane_in(&mut self.phases, *replica);
                lane.push(Phase { from_us: at_us, state: *state });
            }
            What::Overrun { replica } => {
                let text = format!("replica-{replica}: overtaken");
                self.flag(at_us, *replica, FlagKind::Overrun, text);
            }
            What::Action { server, text } => {
                let kind = match text.split_whitespace().next() {
                    Some("cut") => FlagKind::Cut,
                    Some("heal") => FlagKind::Heal,
                    Some("restart" | "start") => FlagKind::Restart,
                    Some("promote") => FlagKind::Turn,
                    _ if text.contains(" follows ") => FlagKind::Turn,
                    _ => FlagKind::Deed,
                };
                self.flag(at_us, *server, kind, text.clone());
            }
            what @ What::Log { .. } => {
                if let Some(lane) = output_kill(what) {
                    let text = format!("{}: cut, output limit", name_of(lane));
                    self.flag(at_us, lane, FlagKind::Kill, text);
                }
            }
        }
    }

    fn decision(&mut self, decision: &DecisionRecord) {
        let (kind, what) = match decision.verdict {
            Verdict::Partial => (FlagKind::Partial, "partial resync"),
            Verdict::Full => (FlagKind::Full, "full resync"),
        };
        let text = match decision.reason {
            Some(reason) => format!("{}: {what}, {reason}", decision.replica),
            None => format!("{}: {what}", decision.replica),
        };
        let (at_us, lane) = (decision.at_us, lane_of(&decision.replica));
        self.follow(lane, lane_of(&decision.master), at_us);
        self.flags.push(Flag { at_us, lane, kind, decision: Some(decision.seq), text });
    }

    /// From now on this lane's messages come from that one. The decision is the first thing that
    /// names the master, but the handshake before it belongs to it too.
    fn follow(&mut self, lane: usize, master: usize, at_us: u64) {
        let phases = self.phases.get(lane).map(Vec::as_slice).unwrap_or_default();
        let dialled = phases.iter().rev().find(|phase| phase.state == LinkState::Connecting);
        let sources = lane_in(&mut self.sources, lane);
        if sources.last().map_or(0, |(_, known)| *known) != master {
            let from_us = dialled.map_or(at_us, |phase| phase.from_us.min(at_us));
            let from_us = from_us.max(sources.last().map_or(0, |(from_us, _)| *from_us));
            sources.push((from_us, master));
        }
    }

    /// The lane of the master that `lane` followed at this moment.
    #[must_use]
    pub fn source(&self, lane: usize, at_us: u64) -> usize {
        let sources = self.sources.get(lane).map(Vec::as_slice).unwrap_or_default();
        let known = sources.partition_point(|(from_us, _)| *from_us <= at_us);
        known.checked_sub(1).map_or(0, |last| sources[last].1)
    }

    fn flag(&mut self, at_us: u64, lane: usize, kind: FlagKind, text: String) {
        self.flags.push(Flag { at_us, lane, kind, decision: None, text });
    }

    fn too_dense(&mut self, lane: usize, at_us: u64) -> bool {
        let last = lane_in(&mut self.sampled, lane);
        if last.is_some_and(|last| at_us < last + SAMPLE_US) {
            return true;
        }
        *last = Some(at_us);
        false
    }

    /// The lines of a lane sent from `from_us` to `to_us`.
    #[must_use]
    pub fn lines_in(&self, lane: usize, from_us: u64, to_us: u64) -> &[Line] {
        let lines = self.lines.get(lane).map(Vec::as_slice).unwrap_or_default();
        let first = lines.partition_point(|line| line.at_us < from_us);
        let end = lines.partition_point(|line| line.at_us <= to_us);
        lines.get(first..end).unwrap_or_default()
    }

    /// The flags from `from_us` to `to_us`.
    #[must_use]
    pub fn flags_in(&self, from_us: u64, to_us: u64) -> &[Flag] {
        let first = self.flags.partition_point(|flag| flag.at_us < from_us);
        let end = self.flags.partition_point(|flag| flag.at_us <= to_us);
        self.flags.get(first..end).unwrap_or_default()
    }

    /// Which of `servers` servers get one of `most` lanes: the first ones, and then those that
    /// somebody acted upon or that were overtaken, the latest first; in the order of their
    /// numbers. Resyncs alone earn no lane: at the start everybody has one.
    #[must_use]
    pub fn lanes(&self, servers: usize, most: usize) -> Vec<usize> {
        if servers <= most {
            return (0..servers).collect();
        }
        let mut lanes: Vec<usize> = (0..most.div_ceil(2)).collect();
        let trouble = |flag: &&Flag| !matches!(flag.kind, FlagKind::Full | FlagKind::Partial);
        for flag in self.flags.iter().rev().filter(trouble) {
            if lanes.len() < most && flag.lane < servers && !lanes.contains(&flag.lane) {
                lanes.push(flag.lane);
            }
        }
        let mut next = 0;
        while lanes.len() < most {
            if !lanes.contains(&next) {
                lanes.push(next);
            }
            next += 1;
        }
        (0..servers).filter(|lane| lanes.contains(lane)).collect()
    }
}

/// Grows a list of lanes as needed; a world has at most a few hundred.
fn lane_in<T: Default + Clone>(lanes: &mut Vec<T>, lane: usize) -> &mut T {
    let lane = lane.min(1023);
    if lanes.len() <= lane {
        lanes.resize(lane + 1, T::default());
    }
    &mut lanes[lane]
}

/// `replica-2` is the server of index 2, `master` that of index 0.
fn lane_of(name: &str) -> usize {
    name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn name_of(lane: usize) -> String {
    if lane == 0 { "master".to_owned() } else { format!("replica-{lane}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Instant, Message, Run, Scenario};

    fn played(preset: &str, us: u64) -> Chronicle {
        let mut run = Run::new(Scenario::preset(preset).expect("a preset"));
        run.advance_us(us);
        let mut chronicle = Chronicle::default();
        chronicle.read(run.trace());
        chronicle
    }

    #[test]
    fn a_run_of_hours_leaves_no_more_here_than_the_trace_keeps() {
        let text = r#"{"replicas":1,"workload":{"writes_per_second":200}}"#;
        let mut run = Run::new(Scenario::from_json(text).expect("a scenario"));
        let mut chronicle = Chronicle::default();
        while run.trace().dropped() < 200_000 {
            run.advance_us(10_000_000);
            chronicle.read(run.trace());
        }
        let lines: usize = chronicle.lines.iter().map(Vec::len).sum();
        let most = psync::cluster::trace::MOST_ENTRIES + FORGET_EVERY as usize;
        assert!(lines > 10_000 && lines < most, "{lines}");
        let since = run.trace().kept_since().expect("much was dropped");
        assert!(since.0 > 1_000_000_000, "{since:?}");
        let first = chronicle.lines_in(1, 0, u64::MAX).first().expect("there are lines");
        assert!(first.at_us + 100_000_000 > since.0, "{first:?} {since:?}");
        assert_eq!(chronicle.phases[1].len(), 1, "in sync all the time");
    }

    #[test]
    fn decisions_have_their_flags_when_nothing_else_of_that_time_is_kept() {
        let text = r#"{"workload":{"writes_per_second":200}}"#;
        let mut run = Run::new(Scenario::from_json(text).expect("a scenario"));
        run.advance_us(100_000_000);
        let since = run.trace().kept_since().expect("much was dropped");
        let mut chronicle = Chronicle::default();
        chronicle.read(run.trace());
        let flags = chronicle.flags_in(0, since.0);
        assert!(flags.len() >= 3, "{flags:?}");
        let numbers = flags.iter().map(|flag| flag.number(run.trace()));
        assert!(numbers.eq((0..flags.len()).map(Some)), "{flags:?}");
        chronicle.read(run.trace());
        assert_eq!(chronicle.flags_in(0, since.0).len(), run.trace().decisions().len(), "once");
    }

    #[test]
    fn an_output_kill_stands_on_the_lane_of_the_replica() {
        let chronicle = played("two-windows", 40_000_000);
        let kills = chronicle.flags.iter().filter(|flag| flag.kind == FlagKind::Kill);
        assert_eq!(kills.map(|flag| flag.lane).collect::<Vec<_>>(), [1, 2, 2, 2]);
    }

    /// What was cut, healed, restarted and promoted, at the moments at which it was asked for.
    const STORY: &str = r#"{ "workload": { "writes_per_second": 20 },
        "config": { "repl-backlog-size": "16kb", "repl-diskless-sync-delay": "0" }, "actions": [
            { "at_us": 2000000, "do": "cut", "replica": "replica-1" },
            { "at_us": 2500000, "do": "heal", "replica": "replica-1" },
            { "at_us": 5000000, "do": "cut", "replica": "replica-2" },
            { "at_us": 5500000, "do": "burst", "writes": 200, "value_bytes": 200 },
            { "at_us": 6000000, "do": "heal", "replica": "replica-2" },
            { "at_us": 9000000, "do": "restart", "server": "replica-3" },
            { "at_us": 12000000, "do": "promote", "server": "replica-1" }
        ] }"#;

    #[test]
    fn every_kind_of_flag_comes_from_a_run_and_stands_where_it_happened() {
        use FlagKind::{Cut, Deed, Full, Heal, Kill, Overrun, Partial, Restart, Turn};
        let mut run = Run::new(Scenario::from_json(STORY).expect("a scenario"));
        run.advance_us(15_000_000);
        let mut chronicle = Chronicle::default();
        chronicle.read(run.trace());
        let decided = |n: usize| run.trace().decisions()[n].at_us;
        // The first three decisions are the beginnings.
        let expected = [
            (Cut, 1, 2_000_000, "cut link to replica-1"),
            (Heal, 1, 2_500_000, "heal link to replica-1"),
            (Partial, 1, decided(3), "replica-1: partial resync"),
            (Cut, 2, 5_000_000, "cut link to replica-2"),
            (Deed, 0, 5_500_000, "burst of 200 writes of 200 bytes"),
            (Overrun, 2, 5_500_000, "replica-2: overtaken"),
            (Heal, 2, 6_000_000, "heal link to replica-2"),
            (Full, 2, decided(4), "replica-2: full resync, before-backlog"),
            (Restart, 3, 9_000_000, "restart replica-3"),
            (Full, 3, decided(5), "replica-3: full resync, requested"),
            (Turn, 1, 12_000_000, "promote replica-1"),
        ];
        let flags = &chronicle.flags[3..];
        let said = flags.iter().map(|flag| (flag.kind, flag.lane, flag.at_us, flag.text.as_str()));
        assert_eq!(said.collect::<Vec<_>>(), expected);
        assert!(decided(3) > 2_500_000 && decided(4) > 6_000_000, "after the healing");
        // The one that is left needs a replica that reads too slowly.
        let chronicle = played("two-windows", 40_000_000);
        let kill = chronicle.flags.iter().find(|flag| flag.kind == Kill).expect("a kill");
        assert_eq!((kill.lane, kill.text.as_str()), (1, "replica-1: cut, output limit"));
        let kinds = [Cut, Heal, Overrun, Kill, Turn, Restart, Partial, Full, Deed];
        let mut glyphs = kinds.map(FlagKind::glyph).to_vec();
        glyphs.sort_unstable();
        glyphs.dedup();
        assert_eq!(glyphs.len(), kinds.len(), "each is told apart without its colour");
    }

    #[test]
    fn after_a_promotion_messages_come_from_the_lane_of_the_new_master() {
        let chronicle = played("promotion", 20_000_000);
        assert_eq!(chronicle.source(2, 5_000_000), 0);
        assert_eq!(chronicle.source(2, 15_000_000), 1);
        assert_eq!(chronicle.source(0, 15_000_000), 1);
        let turns = chronicle.flags.iter().filter(|flag| flag.kind == FlagKind::Turn);
        assert_eq!(turns.count(), 4);
        // The handshake of the new link is no longer drawn from the old master.
        assert_eq!(chronicle.source(2, 8_500_000), 1);
    }

    fn entry(seq: u64, at: u64, what: What) -> Entry {
        Entry { seq, at: Instant(at), what }
    }

    fn write(seq: u64, at: u64, replica: usize) -> Entry {
        let message = Message {
            replica,
            master: 0,
            to_replica: true,
            kind: PacketKind::Stream,
            bytes: 80,
            arrives: Some(Instant(at + 1000)),
            raw: String::new(),
            meaning: "",
        };
        entry(seq, at, What::Message(message))
    }

    fn trace(entries: Vec<Entry>) -> Trace {
        let mut trace = Trace::default();
        let end = entries.last().map_or(Instant(0), |entry| entry.at);
        trace.extend(end, entries);
        trace
    }

    fn action(seq: u64, at: u64, server: usize, text: &str) -> Entry {
        entry(seq, at, What::Action { server, text: text.to_owned() })
    }

    /// Decisions a millisecond apart, as the first one of a run.
    fn decisions(count: u64) -> Vec<Entry> {
        let mut run = Run::new(Scenario::preset("too-long").expect("a preset"));
        run.advance_us(1_000_000);
        let first = run.trace().decisions().first().expect("a replica came").clone();
        let one = |n: u64| {
            let decision = DecisionRecord { seq: n, at_us: n * 1000, ..first.clone() };
            entry(n, n * 1000, What::Decision(Box::new(decision)))
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_flag_leads_to_its_own_decision_however_many_were_dropped_before_it() {
        let mut trace = Trace::default();
        let mut chronicle = Chronicle::default();
        for some in decisions(9001).chunks(100) {
            trace.extend(some[some.len() - 1].at, some.to_vec());
            chronicle.read(&trace);
        }
        assert!(trace.dropped_decisions() > 0);
        let leads_home = |chronicle: &Chronicle| {
            let mut lost = 0;
            for flag in &chronicle.flags {
                match flag.number(&trace) {
                    Some(number) => assert_eq!(trace.decisions()[number].at_us, flag.at_us),
                    None => lost += 1,
                }
            }
            (chronicle.flags.len() - lost, lost)
        };
        let kept = trace.decisions().len();
        assert_eq!(leads_home(&chronicle).0, kept);
        // Read afresh, as after an action in the past, it knows the same.
        let mut fresh = Chronicle::default();
        fresh.read(&trace);
        assert_eq!(leads_home(&fresh).0, kept);
    }

    #[test]
    fn only_what_is_new_is_read_and_a_dense_stream_is_sampled() {
        let mut all = trace((0..100).map(|i| write(i, i * 1000, 1)).collect());
        let mut chronicle = Chronicle::default();
        chronicle.read(&all);
        assert_eq!(chronicle.lines_in(1, 0, u64::MAX).len(), 10);
        all.extend(Instant(100_000), vec![write(100, 100_000, 2)]);
        chronicle.read(&all);
        assert_eq!(chronicle.lines_in(2, 0, u64::MAX).len(), 1);
        assert_eq!(chronicle.lines_in(1, 50_000, 70_000).len(), 3);
        assert!(chronicle.lines_in(9, 0, u64::MAX).is_empty());
    }

    #[test]
    fn acting_in_the_past_replaces_what_came_after() {
        let mut chronicle = Chronicle::default();
        chronicle.read(&trace(vec![action(0, 10, 1, "cut link to replica-1"), write(1, 20, 2)]));
        chronicle.read(&trace(vec![action(0, 10, 1, "cut link to replica-1"), write(1, 15, 1)]));
        assert_eq!(chronicle.flags.len(), 1);
        assert_eq!(chronicle.flags[0].kind, FlagKind::Cut);
        assert_eq!(chronicle.lines_in(1, 0, u64::MAX).len(), 1);
        assert!(chronicle.lines_in(2, 0, u64::MAX).is_empty());
    }

    #[test]
    fn a_crowd_shows_its_first_lanes_and_those_with_trouble() {
        let mut chronicle = Chronicle::default();
        chronicle.read(&trace(vec![action(0, 10, 77, "cut link"), action(1, 20, 41, "cut link")]));
        assert_eq!(chronicle.lanes(4, 6), [0, 1, 2, 3]);
        assert_eq!(chronicle.lanes(101, 6), [0, 1, 2, 3, 41, 77]);
    }

    #[test]
    fn link_states_become_phases() {
        let mut chronicle = Chronicle::default();
        let state = |seq, at, state| entry(seq, at, What::Link { replica: 2, state });
        chronicle.read(&trace(vec![state(0, 5, LinkState::Up), state(1, 9, LinkState::Cut)]));
        assert_eq!(chronicle.phases[2][1], Phase { from_us: 9, state: LinkState::Cut });
        assert!(chronicle.phases[0].is_empty());
    }
}
