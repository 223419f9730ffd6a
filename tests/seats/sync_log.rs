//! What the logs of a master and of a replica say about the same synchronizations.
//!
//! A master's lines name the replica with the port that it announced, and after a request comes
//! the decision; a replica's name the byte it asked for, and after it what it got. The lines are
//! those of redis-server 7.0 and valkey-server 9, and so of ours as either of them.

/// What one PSYNC came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The stream from this byte on.
    Partial(i64),
    /// Everything.
    Full,
}

/// A master's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The port that the replica announced.
    pub replica: u16,
    pub answer: Answer,
    /// Whether a continuation was asked for (INFO's `sync_partial_err` if it was not given).
    pub asked: bool,
}

/// INFO's counters of synchronizations, as a log tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub full: i64,
    pub partial_ok: i64,
    pub partial_err: i64,
}

impl Counted {
    pub fn of(decisions: &[Decision]) -> Counted {
        let count = |which: &dyn Fn(&Decision) -> bool| {
            decisions.iter().filter(|decision| which(decision)).count() as i64
        };
        Counted {
            full: count(&|decision| decision.answer == Answer::Full),
            partial_ok: count(&|decision| decision.answer != Answer::Full),
            partial_err: count(&|decision| decision.answer == Answer::Full && decision.asked),
        }
    }
}

/// All decisions in the log of a master.
pub fn decisions(log: &str) -> Vec<Decision> {
    let mut replica = 0;
    let mut decisions = Vec::new();
    for line in log.lines() {
        if let Some(peer) = between(line, "Replica ", " asks for synchronization") {
            replica = port_of(peer);
        }
        let accepted = between(line, "accepted. Sending ", ".");
        if let Some(words) = accepted {
            let peer = between(line, "request from ", " accepted").unwrap_or_default();
            let offset = words.rsplit(' ').next().and_then(|offset| offset.parse().ok());
            let answer = Answer::Partial(offset.unwrap_or_else(|| panic!("{line}")));
            decisions.push(Decision { replica: port_of(peer), answer, asked: true });
        } else if line.contains("Full resync requested by replica") {
            decisions.push(Decision { replica, answer: Answer::Full, asked: false });
        } else if line.contains("Partial resynchronization not accepted:")
            || line.contains("Unable to partial resync with replica")
        {
            decisions.push(Decision { replica, answer: Answer::Full, asked: true });
        }
    }
    decisions
}

/// Everything that a replica got, as its log tells it.
pub fn answers(log: &str) -> Vec<Answer> {
    let mut asked = 0;
    let mut answers = Vec::new();
    for line in log.lines() {
        if let Some(request) = between(line, "Trying a partial resynchronization (request ", ").") {
            let offset = request.rsplit(':').next().and_then(|offset| offset.parse().ok());
            asked = offset.unwrap_or_else(|| panic!("{line}"));
        } else if line.contains("Successful partial resynchronization with") {
            answers.push(Answer::Partial(asked));
        } else if line.contains("Full resync from ") {
            answers.push(Answer::Full);
        }
    }
    answers
}

/// Only whole lines of what was written after the first `from` bytes of a log; and their end.
pub fn lines_after(log: &str, from: usize) -> (&str, usize) {
    let new = log.get(from..).unwrap_or_default();
    let whole = new.rfind('\n').map_or(0, |end| end + 1);
    (&new[..whole], from + whole)
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

fn port_of(peer: &str) -> u16 {
    peer.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0)
}

#[test]
fn the_lines_of_both_engines_are_understood() {
    let master = "\
9:M 24 Nov 2026 10:00:00.001 * Replica 127.0.0.1:7001 asks for synchronization
9:M 24 Nov 2026 10:00:00.001 * Full resync requested by replica 127.0.0.1:7001
9:M 24 Nov 2026 10:00:00.002 * Replica 127.0.0.1:7002 asks for synchronization
9:M 24 Nov 2026 10:00:00.002 * Partial resynchronization not accepted: Requested offset for \
second ID was 8, but I can reply up to 7
9:M 24 Nov 2026 10:00:00.003 * Replica 127.0.0.1:7001 asks for synchronization
9:M 24 Nov 2026 10:00:00.003 * Partial resynchronization request from 127.0.0.1:7001 accepted. \
Sending 14 bytes of backlog starting from offset 29.
";
    let (partial, full) = (Answer::Partial(29), Answer::Full);
    let decision = |replica, answer, asked| Decision { replica, answer, asked };
    let found = decisions(master);
    let expected =
        [decision(7001, full, false), decision(7002, full, true), decision(7001, partial, true)];
    assert_eq!(found, expected);
    assert_eq!(Counted::of(&found), Counted { full: 2, partial_ok: 1, partial_err: 1 });
    let replica = "\
9:S 24 Nov 2026 10:00:00.001 * Partial resynchronization not possible (no cached master)
9:S 24 Nov 2026 10:00:00.001 * Full resync from master: 0123:28
9:S 24 Nov 2026 10:00:00.003 * Trying a partial resynchronization (request 0123:29).
9:S 24 Nov 2026 10:00:00.003 * Successful partial resynchronization with primary.
";
    assert_eq!(answers(replica), [full, partial]);
    assert_eq!(lines_after("a\nb\nc", 2), ("b\n", 4));
}
