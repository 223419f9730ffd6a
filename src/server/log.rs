//! The lines that a server logs about its decisions, in the words of its engine (replication.c).
//!
//! A line is derived from the decision and its numbers, never the other way round. Lines are
//! written in the words of Redis 6.2 and then said in the engine's own (`Engine::words`).

use super::engine::{Engine, Naming, Wording};
use crate::stream::backlog::Window;
use crate::stream::history::History;
use crate::stream::offset::BytePos;
use crate::stream::psync::{Decision, FullReason, Request};

/// Who decided for whom, and what it was held against.
pub struct Facts<'a> {
    /// Whose words.
    pub engine: &'a Engine,
    /// Who asked, as logs name it.
    pub peer: &'a str,
    /// What the request was held against.
    pub history: &'a History,
    /// And what was kept of it.
    pub window: Option<&'a Window>,
}

/// What a server logs about an answer; the line that says why comes last.
#[must_use]
pub fn decision_lines(facts: &Facts, request: &Request, decision: &Decision) -> Vec<String> {
    let lines = match decision {
        Decision::Partial { from, len } => vec![format!(
            "Partial resynchronization request from {} accepted. Sending {len} bytes of backlog \
             starting from offset {from}.",
            facts.peer
        )],
        Decision::Full { reason } => refusal(facts, request, reason),
    };
    lines.iter().map(|line| facts.engine.words(line)).collect()
}

fn refusal(facts: &Facts, request: &Request, reason: &FullReason) -> Vec<String> {
    let peer = facts.peer;
    match reason {
        FullReason::Requested => vec![format!("Full resync requested by replica {peer}")],
        FullReason::UnknownReplid { asked, replid, .. } if facts.engine.naming == Naming::RunId => {
            let asked = String::from_utf8_lossy(asked);
            vec![format!(
                "Partial resynchronization not accepted: Runid mismatch (Client asked for runid \
                 '{asked}', my runid is '{replid}')"
            )]
        }
        FullReason::UnknownReplid { asked, replid, replid2 } => vec![format!(
            "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for \
             '{}', my replication IDs are '{replid}' and '{replid2}')",
            String::from_utf8_lossy(asked)
        )],
        FullReason::PastSecondOffset { asked, valid_up_to } => vec![format!(
            "Partial resynchronization not accepted: Requested offset for second ID was {asked}, \
             but I can reply up to {valid_up_to}"
        )],
        FullReason::NoBacklog { asked }
        | FullReason::BeforeBacklog { asked, .. }
        | FullReason::AfterBacklog { asked, .. } => {
            let mut lines = vec![lack(facts, request, *asked)];
            // Also without a backlog: at end = 0, with nothing ever written, already byte 1 lies
            // in the future.
            if *asked >= facts.history.end.next() {
                lines.push(future(facts, *asked));
            }
            lines
        }
    }
}

fn future(facts: &Facts, asked: BytePos) -> String {
    let (peer, end) = (facts.peer, facts.history.end);
    let (is, was) = match facts.engine.wording {
        Wording::Primary => (format!(" ({asked})"), format!(" ({end})")),
        Wording::Replica | Wording::Slave => (String::new(), ".".to_owned()),
    };
    format!(
        "Warning: replica {peer} tried to PSYNC with an offset{is} that is greater than the master \
         replication offset{was}"
    )
}

/// Valkey 9.1 also says which id was named, and what it could have answered (#2877).
fn lack(facts: &Facts, request: &Request, asked: BytePos) -> String {
    let id = String::from_utf8_lossy(&request.replid);
    let what = match (facts.engine.wording, facts.window) {
        (Wording::Primary, None) => format!(": {id}:{asked}"),
        // Without the colon after "was", as it is there.
        (Wording::Primary, Some(window)) => {
            let (first, next) = (window.first, window.next());
            format!(" {id}:{asked}, and I can only reply with the range [{first}, {next}]")
        }
        (Wording::Replica | Wording::Slave, _) => format!(": {asked}"),
    };
    let peer = facts.peer;
    format!(
        "Unable to partial resync with replica {peer} for lack of backlog (Replica request \
         was{what})."
    )
}

/// The line that names the reason, where a warning follows it that names none.
pub(super) fn reason_line(lines: &[String], decision: &Decision) -> String {
    let no_backlog = matches!(decision, Decision::Full { reason: FullReason::NoBacklog { .. } });
    let line = if no_backlog { lines.first() } else { lines.last() };
    line.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::server::engine::REDIS_6_2;
    use crate::stream::history::ReplId;
    use crate::stream::offset::{ByteCount, BytePos, Offset};

    fn check(decision: Decision) -> String {
        let request = Request { replid: Bytes::from_static(b"abc"), pos: BytePos(7) };
        let history = History { replid: ReplId::NONE, second: None, end: Offset(4) };
        let (engine, peer) = (&REDIS_6_2, "10.0.0.2:6379");
        let facts = Facts { engine, peer, history: &history, window: None };
        decision_lines(&facts, &request, &decision).join(" | ")
    }

    #[test]
    fn each_answer_is_logged_as_redis_logs_it() {
        assert_eq!(
            check(Decision::Partial { from: BytePos(7), len: ByteCount(3) }),
            "Partial resynchronization request from 10.0.0.2:6379 accepted. Sending 3 bytes of \
             backlog starting from offset 7."
        );
        let full = |reason| check(Decision::Full { reason });
        let (asked, next) = (BytePos(7), BytePos(5));
        assert_eq!(full(FullReason::Requested), "Full resync requested by replica 10.0.0.2:6379");
        assert_eq!(
            full(FullReason::UnknownReplid {
                asked: Bytes::from_static(b"abc"),
                replid: ReplId::NONE,
                replid2: ReplId::NONE
            }),
            format!(
                "Partial resynchronization not accepted: Replication ID mismatch (Replica asked \
                 for 'abc', my replication IDs are '{0}' and '{0}')",
                "0".repeat(40)
            )
        );
        assert_eq!(
            full(FullReason::PastSecondOffset { asked, valid_up_to: next }),
            "Partial resynchronization not accepted: Requested offset for second ID was 7, but I \
             can reply up to 5"
        );
        let lack = "Unable to partial resync with replica 10.0.0.2:6379 for lack of backlog \
                    (Replica request was: 7).";
        let future = "Warning: replica 10.0.0.2:6379 tried to PSYNC with an offset that is \
                      greater than the master replication offset.";
        assert_eq!(full(FullReason::NoBacklog { asked }), format!("{lack} | {future}"));
        assert_eq!(full(FullReason::AfterBacklog { asked, next }), format!("{lack} | {future}"));
        let asked = BytePos(4);
        let lack = lack.replace("was: 7", "was: 4");
        assert_eq!(full(FullReason::NoBacklog { asked }), lack);
        assert_eq!(full(FullReason::BeforeBacklog { asked, first: BytePos(9) }), lack);
    }
}
