//! Actions in a few words, as branches are named by them: `cut replica-2 at 12.5 s`.

use super::action::{Action, Direction, Loss, TimedAction};
use crate::time::Instant;

impl Action {
    /// What it does, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Action::Cut { replica, direction } => format!("cut {replica}{}", way(*direction)),
            Action::Heal { replica, direction } => format!("heal {replica}{}", way(*direction)),
            Action::Write { argv, server } => {
                let command: String = argv.join(" ").chars().take(24).collect();
                format!("{command} on {server}")
            }
            Action::Burst { writes, value_bytes } => {
                format!("{writes} writes of {value_bytes} B")
            }
            Action::Workload { curve: Some(_), .. } => "writes as drawn".to_owned(),
            Action::Kill { server } => format!("kill {server}"),
            Action::Start { server } => format!("start {server}"),
            Action::Workload { writes_per_second, value_bytes, curve: None } => {
                let rate = writes_per_second.map(|rate| format!("{rate} writes a second"));
                let size = value_bytes.map(|bytes| format!("values of {bytes} B"));
                let parts: Vec<String> = rate.into_iter().chain(size).collect();
                parts.join(", ")
            }
            Action::Restart { server, keep_id: true } => format!("restart {server} with its ID"),
            Action::Restart { server, keep_id: false } => format!("restart {server}"),
            Action::Promote { server } => format!("promote {server}"),
            Action::ReplicaOf { server, master } => format!("{server} follows {master}"),
            Action::Config { server, directive, value } => {
                format!("{directive} {value} on {server}")
            }
            Action::Freeze { server } => format!("freeze {server}"),
            Action::Thaw { server } => format!("thaw {server}"),
            Action::Link { replica, latency_us, bandwidth_bytes_per_second, loss } => {
                let latency = latency_us.map(|us| format!("latency {} ms", thousandths(us)));
                let bandwidth = bandwidth_bytes_per_second.map(|bytes| match bytes {
                    0 => "no limit".to_owned(),
                    bytes => format!("{bytes} B/s"),
                });
                let loss = loss.map(|Loss { lost, of }| format!("loss {lost}/{of}"));
                let parts: Vec<String> = [latency, bandwidth, loss].into_iter().flatten().collect();
                format!("{replica}: {}", parts.join(", "))
            }
        }
    }
}

impl TimedAction {
    /// What it does, and when.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} at {}", self.action.words(), seconds(self.at))
    }
}

/// `12.5 s`.
pub(super) fn seconds(at: Instant) -> String {
    // To the thousandth; nobody tells moments apart below that.
    format!("{} s", thousandths(at.0 / 1000))
}

fn thousandths(count: u64) -> String {
    let text = format!("{}.{:03}", count / 1000, count % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Both => "",
        Direction::ToReplica => " (to the replica)",
        Direction::ToMaster => " (to the master)",
    }
}
