//! The lines that a server logs about its decisions, in the words of Redis 6.2 (replication.c).
//!
//! A line is derived from the decision and its numbers, never the other way round.

use crate::stream::psync::{Decision, FullReason, Request};

/// What a server logs about an answer; the line that says why comes last.
#[must_use]
pub fn decision_lines(peer: &str, request: &Request, decision: &Decision) -> Vec<String> {
    let lack = |asked| {
        format!(
            "Unable to partial resync with replica {peer} for lack of backlog \
             (Replica request was: {asked})."
        )
    };
    let reason = match decision {
        Decision::Partial { from, len } => {
            return vec![format!(
                "Partial resynchronization request from {peer} accepted. Sending {len} bytes of \
                 backlog starting from offset {from}."
            )];
        }
        Decision::Full { reason } => reason,
    };
    match reason {
        FullReason::Requested => vec![format!("Full resync requested by replica {peer}")],
        FullReason::UnknownReplid { asked, replid, replid2 } => vec![format!(
            "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for \
             '{}', my replication IDs are '{replid}' and '{replid2}')",
            String::from_utf8_lossy(asked)
        )],
        FullReason::PastSecondOffset { asked, valid_up_to } => vec![format!(
            "Partial resynchronization not accepted: Requested offset for second ID was {asked}, \
             but I can reply up to {valid_up_to}"
        )],
        FullReason::NoBacklog { .. } | FullReason::BeforeBacklog { .. } => {
            vec![lack(request.pos)]
        }
        FullReason::AfterBacklog { .. } => vec![
            lack(request.pos),
            format!(
                "Warning: replica {peer} tried to PSYNC with an offset that is greater than the \
                 master replication offset."
            ),
        ],
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::stream::history::ReplId;
    use crate::stream::offset::{ByteCount, BytePos};

    fn check(decision: Decision) -> String {
        let request = Request { replid: Bytes::from_static(b"abc"), pos: BytePos(7) };
        decision_lines("10.0.0.2:6379", &request, &decision).join(" | ")
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
        assert_eq!(full(FullReason::NoBacklog { asked }), lack);
        assert_eq!(full(FullReason::BeforeBacklog { asked, first: BytePos(9) }), lack);
        assert_eq!(
            full(FullReason::AfterBacklog { asked, next }),
            format!(
                "{lack} | Warning: replica 10.0.0.2:6379 tried to PSYNC with an offset that is \
                 greater than the master replication offset."
            )
        );
    }
}
