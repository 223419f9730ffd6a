//! A decision spelled out: every test a server makes, in its order, with both numbers.
//!
//! The card on the page shows this list. It is computed from the same inputs as
//! [`decide`](super::psync::decide), and a test holds the two equal over every small world:
//! the answer is partial exactly when no check failed, and the failed check is the reason.

use serde::Serialize;

use super::backlog::Window;
use super::history::History;
use super::psync::Request;

/// One test of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which test.
    pub name: CheckName,
    /// How it ended; a test after the failed one is not reached.
    pub outcome: Outcome,
    /// What the replica brought: an id or a position.
    pub asked: String,
    /// What the server compared it with.
    pub against: String,
    /// Bytes that were lacking, where that is a number: how far beyond the limit the request was.
    pub short_by: Option<u64>,
}

/// The tests, in the order in which a server makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckName {
    /// Does it want a continuation at all (not `PSYNC ? -1`)?
    WantsPartial,
    /// Is the id asked for the present id, or the second one?
    SameHistory,
    /// Under the second id: not beyond the point where the histories part?
    BeforeParting,
    /// Is anything kept at all?
    HasBacklog,
    /// Is the first byte asked for still kept?
    StillKept,
    /// Is it not ahead of what was written?
    NotAhead,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Good.
    Passed,
    /// This is why the answer is a full resync.
    Failed,
    /// An earlier test had failed.
    NotReached,
}

/// All tests for one request. `BeforeParting` is in the list only when the second id was named.
#[must_use]
pub fn checks(history: &History, backlog: Option<&Window>, request: &Request) -> Vec<Check> {
    let asked_id = String::from_utf8_lossy(&request.replid).into_owned();
    let pos = request.pos;
    let first_id = history.replid.matches(&request.replid);
    let second_id = !first_id && history.replid2().matches(&request.replid);
    let mut list = List { checks: Vec::new(), failed: false };

    list.add(CheckName::WantsPartial, !request.wants_full(), &asked_id, "any id but ?", None);
    let known = match history.second {
        Some(second) => format!("{} or {}", history.replid, second.replid),
        None => history.replid.to_string(),
    };
    let same = if first_id { history.replid.to_string() } else { known };
    let same = if second_id { history.replid2().to_string() } else { same };
    list.add(CheckName::SameHistory, first_id || second_id, &asked_id, &same, None);
    if second_id {
        let limit = history.second_replid_offset();
        let over = limit.until(pos).map(|n| n.0).filter(|n| *n > 0);
        list.add(CheckName::BeforeParting, pos <= limit, pos, limit, over);
    }
    let Some(window) = backlog else {
        list.add(CheckName::HasBacklog, false, pos, "no backlog", None);
        list.add(CheckName::StillKept, false, pos, "-", None);
        list.add(CheckName::NotAhead, false, pos, "-", None);
        return list.checks;
    };
    list.add(CheckName::HasBacklog, true, pos, format!("{} bytes", window.histlen), None);
    let missing = pos.until(window.first).map(|n| n.0).filter(|n| *n > 0);
    list.add(CheckName::StillKept, pos >= window.first, pos, window.first, missing);
    let ahead = window.next().until(pos).map(|n| n.0).filter(|n| *n > 0);
    list.add(CheckName::NotAhead, pos <= window.next(), pos, window.next(), ahead);
    list.checks
}

struct List {
    checks: Vec<Check>,
    failed: bool,
}

impl List {
    fn add(
        &mut self,
        name: CheckName,
        good: bool,
        asked: impl ToString,
        against: impl ToString,
        short_by: Option<u64>,
    ) {
        let outcome = match (self.failed, good) {
            (true, _) => Outcome::NotReached,
            (false, true) => Outcome::Passed,
            (false, false) => Outcome::Failed,
        };
        self.failed |= !good;
        let short_by = short_by.filter(|_| outcome == Outcome::Failed);
        self.checks.push(Check {
            name,
            outcome,
            asked: asked.to_string(),
            against: against.to_string(),
            short_by,
        });
    }
}
