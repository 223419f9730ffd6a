//! What a step of a lesson waits for, in a few words: "waiting until …".
//!
//! The verdict of a decision is not told before it has come; the sentence above may.

use psync::lesson::until::{Condition, Event};

use crate::format::{server_title, thousands};
use crate::world::LinkState;

/// The words after "until".
#[must_use]
pub fn words(condition: &Condition) -> String {
    let so_many = |who: &str, bytes: u64, what: &str| [who, &thousands(bytes), what].concat();
    match condition {
        Condition::Event(event) | Condition::Times(_, event) => happening(event),
        Condition::InSync => "all replicas are in sync".to_owned(),
        Condition::Follows { server, master } => {
            [&server_title(server), " follows ", &server_title(master)].concat()
        }
        Condition::Link { replica, state } => [&server_title(replica), is(*state)].concat(),
        Condition::OffsetAtLeast { server, bytes } => {
            so_many(&server_title(server), *bytes, " is its offset")
        }
        Condition::BehindAtLeast { replica, bytes } => {
            so_many(&(server_title(replica) + " is "), *bytes, " bytes behind")
        }
        Condition::WindowAtLeast { bytes, .. } => so_many("", *bytes, " bytes are kept"),
        Condition::Equal(_) => "all have the same offset".to_owned(),
        Condition::MemoryAtLeast { bytes, .. } => so_many("", *bytes, " bytes are taken"),
        Condition::All(parts) | Condition::Any(parts) => {
            // What must not happen is nothing to wait for.
            let mut parts = parts.iter().filter(|part| !matches!(part, Condition::Not(_)));
            parts.next().map(words).unwrap_or_default()
        }
        Condition::Not(_) => String::new(),
    }
}

fn happening(event: &Event) -> String {
    let who = |name: &Option<String>| {
        name.as_ref().map_or_else(|| "somebody".to_owned(), |name| server_title(name))
    };
    match event {
        Event::Decision { replica, .. } => [&who(replica), " gets its answer"].concat(),
        Event::Link { replica, state } => {
            [who(replica).as_str(), state.map_or(" changes its link", is)].concat()
        }
        Event::Overrun { replica } => {
            ["the next byte of ", &who(replica), " is overwritten"].concat()
        }
        Event::Log { contains, .. } => ["the log says \u{201c}", contains, "\u{201d}"].concat(),
        Event::Message { replica, begins } => {
            [begins.trim_start_matches('+'), " travels on the link of ", &who(replica)].concat()
        }
        Event::Action { contains } => ["it is done: ", contains].concat(),
    }
}

fn is(state: LinkState) -> &'static str {
    match state {
        LinkState::Up => " is in sync",
        LinkState::Cut => " is cut off",
        LinkState::Connecting => " dials",
        LinkState::Handshake => " shakes hands",
        LinkState::Transfer => " loads a snapshot",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_says_what_it_waits_for() {
        let steps = psync::lesson::all().iter().flat_map(|lesson| &lesson.steps);
        let said: Vec<String> = steps.filter_map(|step| step.until.as_ref()).map(words).collect();
        assert!(said.iter().all(|words| words.len() > 8), "{said:#?}");
        for one in [
            "replica 1 is 3,000 bytes behind",
            "PSYNC travels on the link of replica 2",
            "the next byte of replica 2 is overwritten",
            "the log says \u{201c}closed ASAP\u{201d}",
            "replica 1 is cut off",
            "replica 2 gets its answer",
            "20,000 bytes are kept",
        ] {
            assert!(said.iter().any(|words| words == one), "{one:?} is not among {said:#?}");
        }
    }
}
