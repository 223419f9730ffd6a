//! Would a broken rule be noticed?
//!
//! Servers are given wrong rules, and the swarm plays until its witness finds something, or a
//! check of the core itself does. What no random world can reach (ids that differ in their last
//! letter, or only in case) must be found by trying every small decision.

#[expect(dead_code, reason = "what happened is counted where the healthy swarm is judged")]
mod swarm;
mod witness;

use std::panic::catch_unwind;

use bytes::Bytes;
use psync::server::engine::{
    ENGINES, Engine, Lifetime, PROPOSAL, REDIS_2_8, REDIS_4_0, REDIS_6_2, REDIS_7_0, REDIS_7_2,
    Relink, VALKEY_9,
};
use psync::stream::backlog::Window;
use psync::stream::history::{History, ReplId, SecondId};
use psync::stream::offset::{ByteCount, BytePos, Offset};
use psync::stream::psync::{Decision, FullReason, Request, Rule as Decide, decide};

use witness::Rule;

/// After so many seeds a mutant that nobody noticed has won.
const MOST_SEEDS: u64 = 1000;

/// What can be wrong with a decision, and each flaw as a rule that a server can have.
macro_rules! flaws {
    ($($flaw:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Flaw {
            $($flaw),*
        }

        const RULES: &[(Flaw, Decide)] =
            &[$((Flaw::$flaw, |h, w, r| flawed(h, w, r, Flaw::$flaw))),*];
    };
}

flaws! {
    None,
    UpperExclusive,
    UpperByOneTooMany,
    UpperBySize,
    LowerExclusive,
    LowerByOneTooMany,
    FirstLetterOfIds,
    BeginningOfIds,
    CaseOfIds,
    NoIds,
    SecondWithoutLimit,
    SecondExclusive,
    SecondByOneTooMany,
    SecondIgnored,
    SecondWithoutWindow,
    FirstWithinLimitOfSecond,
    QuestionMarkIsAnId,
}

/// The decision once more, with a flaw.
fn flawed(history: &History, backlog: Option<&Window>, request: &Request, flaw: Flaw) -> Decision {
    let asked = request.pos;
    let full = |reason| Decision::Full { reason };
    if request.wants_full() && flaw != Flaw::QuestionMarkIsAnId {
        return full(FullReason::Requested);
    }
    let is = |id: ReplId| {
        let (id, text) = (id.as_str().as_bytes(), &request.replid[..]);
        match flaw {
            Flaw::NoIds => true,
            Flaw::FirstLetterOfIds => text.first() == id.first(),
            Flaw::BeginningOfIds => text.get(..39) == id.get(..39),
            Flaw::CaseOfIds => text == id,
            _ => text.eq_ignore_ascii_case(id),
        }
    };
    let first = is(history.replid);
    let second = !first && flaw != Flaw::SecondIgnored && is(history.replid2());
    if !first && !second {
        let asked = request.replid.clone();
        let (replid, replid2) = (history.replid, history.replid2());
        return full(FullReason::UnknownReplid { asked, replid, replid2 });
    }
    let limit = history.second_replid_offset();
    let valid_up_to = match flaw {
        Flaw::SecondWithoutLimit => BytePos(i64::MAX),
        Flaw::SecondExclusive => BytePos(limit.0 - 1),
        Flaw::SecondByOneTooMany => BytePos(limit.0 + 1),
        _ => limit,
    };
    let bounded = second || (flaw == Flaw::FirstWithinLimitOfSecond && history.second.is_some());
    if bounded && asked > valid_up_to {
        return full(FullReason::PastSecondOffset { asked, valid_up_to });
    }
    let Some(window) = backlog else {
        return full(FullReason::NoBacklog { asked });
    };
    let lower = match flaw {
        Flaw::LowerExclusive => window.first.0 + 1,
        Flaw::LowerByOneTooMany => window.first.0 - 1,
        _ => window.first.0,
    };
    let upper = match flaw {
        Flaw::UpperExclusive => window.next().0 - 1,
        Flaw::UpperByOneTooMany => window.next().0 + 1,
        Flaw::UpperBySize => (window.first + window.size).0,
        _ => window.next().0,
    };
    let anywhere = flaw == Flaw::SecondWithoutWindow && second;
    if asked.0 < lower && !anywhere {
        return full(FullReason::BeforeBacklog { asked, first: window.first });
    }
    if asked.0 > upper && !anywhere {
        return full(FullReason::AfterBacklog { asked, next: window.next() });
    }
    Decision::Partial { from: asked, len: asked.until(window.next()).unwrap_or_default() }
}

/// What no random world can reach. A letter's case and the last of forty letters do not matter
/// among random ids; a replica that asks for everything says so with an id that names nothing;
/// and nobody is ahead by one byte, because a replica counts whole commands.
const TOO_FINE: [Flaw; 5] = [
    Flaw::BeginningOfIds,
    Flaw::CaseOfIds,
    Flaw::QuestionMarkIsAnId,
    Flaw::UpperByOneTooMany,
    Flaw::SecondByOneTooMany,
];

/// Every decision of a small world: ids in every spelling, every limit, window and position.
fn small_decisions(mut tell: impl FnMut(&History, Option<&Window>, &Request)) -> u64 {
    let id = |letter: &str| letter.repeat(40).parse::<ReplId>().expect("an id");
    let (ours, older, other) = (id("a"), id("b"), id("c"));
    let mut names: Vec<String> = Vec::new();
    for id in [ours, older, other, ReplId::NONE] {
        let text = id.as_str();
        let almost = format!("{}{}", &text[..39], "d");
        names.extend([text.to_owned(), text.to_uppercase(), almost, text[..39].to_owned()]);
        names.push(format!("{text}0"));
    }
    names.extend(["", "?", "?abc", "a", "b"].map(str::to_owned));
    let mut windows = vec![None];
    for (first, histlen) in (1..=4).flat_map(|first| (0..=3).map(move |len| (first, len))) {
        let (first, kept_since) = (BytePos(first), BytePos(1));
        for size in histlen..=histlen + 2 {
            let (histlen, size) = (ByteCount(histlen), ByteCount(size));
            windows.push(Some(Window { first, histlen, size, kept_since }));
        }
    }
    let mut count = 0;
    for window in &windows {
        let end = window.map_or(Offset(4), |window| Offset(window.next().0 as u64 - 1));
        let limits = (0..=8).map(|limit| SecondId { replid: older, valid_up_to: BytePos(limit) });
        for second in limits.map(Some).chain([None]) {
            let history = History { replid: ours, second, end };
            for (name, pos) in names.iter().flat_map(|name| (-2..=9).map(move |pos| (name, pos))) {
                let replid = Bytes::from(name.clone());
                tell(&history, window.as_ref(), &Request { replid, pos: BytePos(pos) });
                count += 1;
            }
        }
    }
    count
}

/// Whether the request may be continued, said as a list of conditions without any order.
fn model(history: &History, window: Option<&Window>, request: &Request) -> bool {
    let name = request.replid.to_ascii_lowercase();
    let pos = request.pos.0;
    let names_first = name == history.replid.as_str().as_bytes();
    let second = history.second;
    let names_second = second.is_some_and(|second| {
        name == second.replid.as_str().as_bytes() && pos <= second.valid_up_to.0
    });
    // Without a second id there is one of forty zeros, good up to -1: never inside a window.
    let held = window.is_some_and(|window| {
        let kept = window.first.0..window.first.0 + window.histlen.0 as i64;
        kept.contains(&pos) || pos == kept.end
    });
    held && (names_first || names_second)
}

#[test]
fn the_decision_is_right_in_every_small_world_and_each_flaw_is_found_there() {
    let tried = small_decisions(|history, window, request| {
        let decision = decide(history, window, request);
        let partial = matches!(decision, Decision::Partial { .. });
        assert_eq!(partial, model(history, window, request), "{history:?} {window:?} {request:?}");
        assert_eq!(decision, flawed(history, window, request, Flaw::None), "{request:?}");
    });
    assert!(tried > 100_000, "only {tried} decisions were tried");
    for &(flaw, rule) in RULES {
        let (mut tried, mut first) = (0_u64, None);
        small_decisions(|history, window, request| {
            tried += 1;
            if first.is_none() {
                let (decision, right) =
                    (rule(history, window, request), decide(history, window, request));
                // A reader that asks for everything is refused by its id as well, but that is
                // another reason.
                first = (decision != right).then_some((tried, request.clone()));
            }
        });
        match &first {
            Some((at, request)) => {
                println!("{flaw:?}: caught by the small decisions after {at}: {request:?}");
            }
            None => println!("{flaw:?}: right in all {tried} small decisions"),
        }
        assert_eq!(first.is_some(), flaw != Flaw::None, "{flaw:?}");
    }
}

/// A server that is wrong in one way.
struct Mutant {
    name: String,
    /// The rows that have it; each seed takes the next one.
    engines: Vec<&'static Engine>,
}

fn leak(engine: Engine) -> &'static Engine {
    Box::leak(Box::new(engine))
}

fn mutants() -> Vec<Mutant> {
    let reachable =
        RULES.iter().filter(|(flaw, _)| *flaw != Flaw::None && !TOO_FINE.contains(flaw));
    let mut mutants: Vec<Mutant> = reachable
        .map(|(flaw, rule)| {
            let rows = [PROPOSAL, REDIS_2_8, REDIS_4_0, REDIS_6_2, REDIS_7_0, REDIS_7_2, VALKEY_9];
            let rows = rows.map(|row| leak(Engine { decide: *rule, ..row }));
            Mutant { name: format!("{flaw:?}"), engines: rows.to_vec() }
        })
        .collect();
    // Writes that no backlog hears are not counted: under the same id an offset then stands for
    // two datasets (#4407). Redis 4.0.0 to 4.0.2 were like that.
    let keeps = Lifetime { changes_id: false, ..REDIS_6_2.lifetime };
    let rows = [REDIS_4_0, REDIS_6_2, REDIS_7_0].map(|row| leak(Engine { lifetime: keeps, ..row }));
    mutants.push(Mutant {
        name: "the id is kept when the backlog goes".into(),
        engines: rows.to_vec(),
    });
    // The same with run ids, which never change: there a byte is lost instead.
    let lifetime = Lifetime { creation_takes_a_byte: false, ..REDIS_2_8.lifetime };
    let row = leak(Engine { lifetime, ..REDIS_2_8 });
    mutants.push(Mutant { name: "a new backlog takes no byte".into(), engines: vec![row] });
    // A replica goes on serving the old history after it was given another one (#2694).
    let relink = Relink { full_resync_cuts: false, ..REDIS_2_8.relink };
    let row = leak(Engine { relink, ..REDIS_2_8 });
    mutants.push(Mutant { name: "a full resync cuts nobody".into(), engines: vec![row] });
    mutants
}

/// Plays until something is wrong; after how many seeds, and what it was.
///
/// The card is worked out by another function than the answer, so it always disagrees with a
/// flaw; the witness must find it without.
fn caught(engines: &[&'static Engine], seeds: u64) -> Option<(u64, String)> {
    (0..seeds).find_map(|seed| {
        let engine = engines[(seed % engines.len() as u64) as usize];
        match catch_unwind(|| swarm::play_as(seed, engine, &[Rule::SameStory]).fault) {
            Ok(fault) => fault.map(|fault| (seed + 1, format!("{:?}: {}", fault.rule, fault.text))),
            Err(_) => Some((seed + 1, "a check inside the core".to_owned())),
        }
    })
}

/// Gives each of many to one of two threads.
fn on_two_threads<T: Sync, R: Send>(many: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let results = std::thread::scope(|scope| {
        let halves = many.chunks(many.len().div_ceil(2).max(1));
        let threads = halves.map(|half| scope.spawn(|| half.iter().map(&one).collect::<Vec<_>>()));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    assert_eq!(results.len(), many.len(), "some were not tried to the end");
    results
}

#[test]
fn each_broken_rule_is_noticed_by_the_swarm_and_no_whole_one() {
    // What panics is a mutant, and is expected to.
    std::panic::set_hook(Box::new(|_| {}));
    let mutants = mutants();
    let results = on_two_threads(&mutants, |mutant| caught(&mutant.engines, MOST_SEEDS));
    let _silent = std::panic::take_hook();
    for (mutant, result) in mutants.iter().zip(&results) {
        match result {
            Some((seeds, how)) => println!("{}: caught after {seeds} seeds by {how}", mutant.name),
            None => println!("{}: never in {MOST_SEEDS} seeds", mutant.name),
        }
    }
    let missed: Vec<&str> = mutants
        .iter()
        .zip(&results)
        .filter(|(_, result)| result.is_none())
        .map(|(mutant, _)| mutant.name.as_str())
        .collect();
    assert!(missed.is_empty(), "nobody noticed: {missed:?}");
    // The same worlds with servers that are right, of every kind.
    let seeds = results.iter().flatten().map(|(seeds, _)| *seeds).max().unwrap_or(0);
    let falsely = on_two_threads(ENGINES, |engine| caught(&[*engine], seeds));
    println!(
        "the {} right servers: {} flagged in the same {seeds} seeds",
        ENGINES.len(),
        falsely.iter().flatten().count()
    );
    for (engine, result) in ENGINES.iter().zip(falsely) {
        assert_eq!(result, None, "{} is flagged without a flaw", engine.name);
    }
}

/// Replicas that follow each other in a circle: who loads a snapshot cuts its own replicas, they
/// come back, are refused although they miss nothing, load, cut theirs, and so round and round,
/// thousands of times a second. Unwatched, what such a world writes down fills the machine.
#[test]
fn a_world_that_goes_round_in_a_circle_is_stopped() {
    let rule = RULES.iter().find(|(flaw, _)| *flaw == Flaw::UpperExclusive).expect("a flaw").1;
    let engine = leak(Engine { decide: rule, ..VALKEY_9 });
    let but_that = &[Rule::SameStory, Rule::NotForNothing];
    let stopped = (0..MOST_SEEDS).find(|seed| {
        let fault = swarm::play_as(*seed, engine, but_that).fault;
        fault.is_some_and(|fault| fault.rule == Rule::Ends)
    });
    println!("a circle was stopped after {:?} seeds", stopped.map(|seed| seed + 1));
    assert!(stopped.is_some(), "no circle in {MOST_SEEDS} seeds");
}
