//! Watches a world and knows what must never happen.
//!
//! It believes no server: which history continues which, and up to where, it works out from the
//! offsets that it saw, and what a history's data is at an offset from the masters that stood
//! there. Its rules are those of [`Rule`].

use std::collections::BTreeMap;

use psync::cluster::trace::{Entry, What};
use psync::cluster::{DecisionRecord, Verdict, World};
use psync::server::{Phase, Server};
use psync::stream::checks::Outcome;
use psync::stream::history::ReplId;
use psync::stream::offset::{ByteCount, BytePos};

/// So much is written at most in one world; all honest ones stay below it.
const MOST_BYTES: usize = 64 << 20;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Every byte between two offsets is the same on all servers that share the id.
    SameBytes,
    /// At one offset of one history there is one dataset: a replica's data is its history's.
    SameData,
    /// A server's offset never goes back while its id and its process stay the same, except by a
    /// full resync from a master that lags itself.
    NeverBack,
    /// A continuation only where all that the asker has is the beginning of what the master has.
    NeverAcross,
    /// No full resync where a continuation was possible.
    NotForNothing,
    /// The list of checks on the card tells the same story as the answer.
    SameStory,
    /// When all trouble is over all replicas become equal to the master.
    EndsEqual,
    /// A world has an end: servers do not start over for ever.
    Ends,
}

/// A broken rule.
#[derive(Clone, Debug)]
pub struct Fault {
    pub rule: Rule,
    pub text: String,
}

/// What was seen so far.
#[derive(Default)]
pub struct Witness {
    /// What was found broken.
    pub faults: Vec<Fault>,
    /// Rules that are not looked at.
    ignores: &'static [Rule],
    /// How many bytes of histories are remembered or were.
    remembered: usize,
    /// By id: the first position seen, and all bytes from there on.
    streams: BTreeMap<ReplId, (i64, Vec<u8>)>,
    /// By id: the history that it continues, and how much of it.
    parents: BTreeMap<ReplId, (ReplId, u64)>,
    /// By index of the server: what it was when last looked at.
    last: Vec<Option<Seen>>,
    /// By index of the server: snapshots loaded.
    loaded: BTreeMap<usize, u64>,
    /// By id and offset: the data there.
    data: BTreeMap<(ReplId, u64), u64>,
}

#[derive(Clone, Copy, PartialEq)]
struct Seen {
    run_id: ReplId,
    replid: ReplId,
    end: u64,
    /// How many snapshots it has loaded.
    loaded: u64,
    /// The older history that it can serve, and how many bytes of that it has.
    second: Option<(ReplId, u64)>,
}

impl Witness {
    /// One that does not look at some rules.
    pub fn ignoring(rules: &'static [Rule]) -> Witness {
        Witness { ignores: rules, ..Witness::default() }
    }

    /// Looks at every server that has changed; gives what was written since the last time.
    /// Decisions are judged when nothing else happened in between.
    pub fn look(&mut self, world: &mut World, judges: bool) -> Vec<Entry> {
        let entries = world.take_entries();
        for entry in &entries {
            if let What::Log { server, line } = &entry.what
                && line.ends_with("Loading DB in memory")
            {
                *self.loaded.entry(*server).or_default() += 1;
            }
        }
        let servers: Vec<(&str, &Server)> = world.servers().collect();
        for (index, (name, server)) in servers.iter().enumerate() {
            self.look_at(index, name, server);
        }
        for (name, server) in &servers {
            self.compare_data(name, server);
        }
        for entry in entries.iter().filter(|_| judges) {
            if let What::Decision(record) = &entry.what {
                self.judge(&servers, record);
            }
        }
        entries
    }

    pub fn fault(&mut self, rule: Rule, text: String) {
        if !self.ignores.contains(&rule) {
            self.faults.push(Fault { rule, text });
        }
    }

    fn look_at(&mut self, index: usize, name: &str, server: &Server) {
        let history = server.history();
        let (replid, end) = (history.replid, history.end.0);
        let loaded = self.loaded.get(&index).copied().unwrap_or(0);
        if self.last.len() <= index {
            self.last.resize(index + 1, None);
        }
        let before = self.last[index];
        // That it continues an older history is its own word; how far that one went is not.
        let claims = history.second.map(|second| second.replid);
        let second = before.and_then(|before| match claims {
            // What a new process had saved, perhaps long ago and in another history, only it knows.
            Some(id) if before.run_id != server.run_id() => {
                let limit = history.second_replid_offset().0 - 1;
                Some((id, u64::try_from(limit).unwrap_or(0).min(end)))
            }
            Some(id) if id == before.replid && replid != id => Some((id, before.end)),
            Some(id) => before.second.filter(|(known, _)| *known == id),
            None => None,
        });
        let now = Seen { run_id: server.run_id(), replid, end, loaded, second };
        self.last[index] = Some(now);
        if before == Some(now) {
            return;
        }
        if let Some(parent) = second {
            self.parents.entry(replid).or_insert(parent);
        }
        let same =
            before.filter(|b| (b.run_id, b.replid, b.loaded) == (now.run_id, replid, loaded));
        if let Some(before) = same.filter(|before| end < before.end) {
            self.fault(Rule::NeverBack, format!("{name} went from {} to {end}", before.end));
        }
        // A master's data is that of its history; before PSYNC2 every server's history is its own.
        let own = server.link().is_none() || replid == server.run_id();
        if own && server.window().is_some() {
            let digest = server.data().digest();
            let known = *self.data.entry((replid, end)).or_insert(digest);
            if known != digest {
                self.fault(Rule::SameData, format!("{name} holds two datasets at {replid}:{end}"));
            }
        }
        self.compare_bytes(name, server, same.map_or(0, |before| before.end));
    }

    /// The data of a history at an offset, where it is known.
    fn data_at(&self, mut replid: ReplId, offset: u64) -> Option<u64> {
        loop {
            if let Some(digest) = self.data.get(&(replid, offset)) {
                return Some(*digest);
            }
            let (parent, shared) = self.parents.get(&replid)?;
            if offset > *shared {
                return None;
            }
            replid = *parent;
        }
    }

    /// How many bytes the history `replid` begins with that are also those of `other`.
    fn shared(&self, replid: ReplId, end: u64, other: ReplId) -> Option<u64> {
        let (mut replid, mut shared) = (replid, end);
        while replid != other {
            let (parent, cut) = self.parents.get(&replid)?;
            (replid, shared) = (*parent, shared.min(*cut));
        }
        Some(shared)
    }

    fn compare_data(&mut self, name: &str, server: &Server) {
        let followed = server.link().and_then(|link| link.followed);
        // Who had to say SYNC was told no numbers.
        let Some(followed) = followed.filter(|followed| !followed.unnumbered) else { return };
        // A master without a backlog counts no writes. When it turns into a replica its id and
        // offset mean nothing, and nobody else has ever heard of them.
        let of_another = server.history().replid == server.run_id();
        let up = server.link_phase() == Some(Phase::Connected);
        if !of_another && !up && server.window().is_none() {
            return;
        }
        let (replid, offset) = (followed.replid, followed.applied.0);
        let known = self.data_at(replid, offset);
        if known.is_some_and(|digest| digest != server.data().digest()) {
            let text = format!("{name} differs from its history {replid} at offset {offset}");
            self.fault(Rule::SameData, text);
        }
    }

    /// Compares the newest bytes of a server, those behind `seen`, with what others had under the
    /// same id, or under that of the history which this one continues.
    fn compare_bytes(&mut self, name: &str, server: &Server, seen: u64) {
        let Some(window) = server.window() else { return };
        let replid = server.history().replid;
        // A little more than what is new, so that a change of what was there is noticed.
        let first = window.first.0.max(seen as i64 - 32);
        let count = BytePos(first).until(window.next()).unwrap_or(ByteCount::ZERO);
        let kept = server.kept_bytes(BytePos(first), count);
        if let (false, Some((parent, shared))) =
            (self.streams.contains_key(&replid), self.parents.get(&replid))
            && let Some((from, bytes)) = self.streams.get(parent)
        {
            let to = (*shared as i64 + 1).min(*from + bytes.len() as i64).min(window.next().0);
            let both = first.max(*from);
            if both < to
                && kept[(both - first) as usize..(to - first) as usize]
                    != bytes[(both - from) as usize..(to - from) as usize]
            {
                let text = format!("{name} continues {parent} as {replid} with other bytes");
                self.fault(Rule::SameBytes, text);
            }
        }
        let (known_first, known) =
            self.streams.entry(replid).or_insert_with(|| (first, Vec::new()));
        let known_next = *known_first + known.len() as i64;
        if first < *known_first || first > known_next {
            // An older beginning than was seen so far, as after a promotion: start over with it.
            // Or a gap: more was written at once than the backlog holds.
            (*known_first, *known) = (first, Vec::new());
        }
        let known_next = *known_first + known.len() as i64;
        let overlap = (known_next.min(window.next().0) - first).max(0) as usize;
        let from = (first - *known_first) as usize;
        if known[from..from + overlap] == kept[..overlap] {
            known.extend_from_slice(&kept[overlap..]);
            self.remembered += kept.len() - overlap;
            if self.remembered > MOST_BYTES {
                self.fault(Rule::Ends, format!("{name} wrote more than {MOST_BYTES} bytes"));
            }
        } else {
            let text = format!("{name} has other bytes than its history {replid} from {first} on");
            self.fault(Rule::SameBytes, text);
        }
    }

    fn judge(&mut self, servers: &[(&str, &Server)], record: &DecisionRecord) {
        let failed = record.checks.iter().any(|check| check.outcome == Outcome::Failed);
        let partial = record.verdict == Verdict::Partial;
        let says = format!(
            "{} to {}: {}:{} of {:?}, {:?}",
            record.master,
            record.replica,
            record.request.replid,
            record.request.offset,
            record.window,
            record.reason
        );
        if partial == failed {
            self.fault(Rule::SameStory, says.clone());
        }
        let find = |name: &str| servers.iter().position(|(other, _)| *other == name);
        let (Some(at), Some(asker)) = (find(&record.master), find(&record.replica)) else { return };
        let (master, asker) = (servers[at].1, servers[asker].1);
        let Some(has) = u64::try_from(record.request.offset - 1).ok() else { return };
        let asked = ReplId::try_from(record.request.replid.as_bytes()).unwrap_or(ReplId::NONE);
        let (replid, end) = (master.history().replid, master.history().end.0);
        if partial {
            let shared = self.shared(replid, end, asked).filter(|shared| has <= *shared);
            // It may have asked long ago and have gone on elsewhere since.
            let still = position(asker) == (asked, has);
            let differs = still
                && self.data_at(replid, has).is_some_and(|data| data != asker.data().digest());
            if shared.is_none() || differs {
                self.fault(Rule::NeverAcross, says);
            }
        } else if !matches!(record.reason, None | Some("requested" | "no-backlog")) {
            let second = self.last[at].and_then(|seen| seen.second);
            let older = second.is_some_and(|(id, shared)| id == asked && has <= shared);
            let pos = record.request.offset;
            let held = record.window.as_ref().is_some_and(|w| w.first <= pos && pos <= w.last + 1);
            if (asked == replid || older) && held {
                self.fault(Rule::NotForNothing, says);
            }
        }
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
