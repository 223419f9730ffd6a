//! The keyboard: one table, used by the handler and by the sheet that explains it.

use crate::state::{Compare, Msg, State, Switch};
use crate::world::Action;

/// A key (or several) and what it does, as the sheet prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// As printed on the keys.
    pub keys: &'static [&'static str],
    /// What they do.
    pub does: &'static str,
}

/// The sheet.
pub const SHEET: &[Line] = &[
    Line { keys: &["Space"], does: "play or pause" },
    Line { keys: &[".", "\u{2192}"], does: "step to the next event" },
    Line { keys: &["[", "]"], does: "previous or next decision" },
    Line { keys: &["1", "\u{2026}", "9"], does: "cut or heal the link of that replica" },
    Line { keys: &["w"], does: "write one key" },
    Line { keys: &["b"], does: "write a burst" },
    Line { keys: &["r"], does: "restart the master" },
    Line { keys: &["p"], does: "promote the server chosen" },
    Line { keys: &["f"], does: "let it follow the next server" },
    Line { keys: &["z"], does: "freeze or thaw it" },
    Line { keys: &["k"], does: "kill or start it" },
    Line { keys: &["R"], does: "restart it with its saved ID" },
    Line { keys: &["<", ">"], does: "cut or heal its link, one way: to the master, to it" },
    Line { keys: &["o"], does: "inspect it" },
    Line { keys: &["i"], does: "dial, or memory as implemented" },
    Line { keys: &["l"], does: "learn: stages and lessons" },
    Line { keys: &["t"], does: "presentation, for the last row" },
    Line { keys: &["PgUp", "PgDn"], does: "while presenting: back and on" },
    Line { keys: &["c"], does: "compare with another engine or setting" },
    Line { keys: &["s"], does: "share this moment, or open a file" },
    Line { keys: &["g"], does: "lanes, or a chart on the same clock" },
    Line { keys: &["+", "-"], does: "shorter or longer timeline" },
    Line { keys: &["\u{21e7} \u{2190}", "\u{21e7} \u{2192}"], does: "move the timeline" },
    Line { keys: &["?"], does: "this sheet" },
    Line { keys: &["Esc"], does: "close it, a complaint or the presentation" },
];

/// What a key asks for, by its `KeyboardEvent.key`; none for keys that are not ours.
#[must_use]
pub fn msg(key: &str, state: &State) -> Option<Msg> {
    if state.sheet || state.learn || state.sharing.is_some() {
        // The dialog closes itself on Escape; nothing else passes it.
        return None;
    }
    Some(match key {
        " " => Msg::TogglePlay,
        "." | "ArrowRight" => Msg::Step,
        "[" => Msg::PreviousDecision,
        "]" => Msg::NextDecision,
        "w" => Msg::Act(write()),
        "b" => Msg::Act(burst(BURST_WRITES, BURST_BYTES)),
        "r" => Msg::Act(restart("master")),
        "o" => Msg::Inspect(state.selection.unwrap_or(0)),
        "p" | "f" | "z" | "k" | "R" | "<" | ">" => of_chosen(key, state.selection),
        "i" => Msg::View(state.view.other()),
        "l" => Msg::Learn(true),
        "t" => Msg::Presentation(!state.presentation),
        "PageDown" if state.presentation => Msg::Onward(true),
        "PageUp" if state.presentation => Msg::Onward(false),
        "Escape" if state.presentation => Msg::Presentation(false),
        "c" => Msg::Compare(Compare::Toggle),
        "s" => Msg::Share(true),
        "g" => Msg::Chart(!state.chart),
        "+" => Msg::Zoom(500),
        "-" => Msg::Zoom(2000),
        "ShiftArrowLeft" => Msg::Show(state.stretch.panned(-1)),
        "ShiftArrowRight" => Msg::Show(state.stretch.panned(1)),
        "?" => Msg::Sheet(true),
        "Escape" => state.complaint.as_ref().map(|_| Msg::Dismiss)?,
        _ => Msg::ToggleLink(key.parse::<usize>().ok().filter(|n| (1..=9).contains(n))?),
    })
}

/// What a key does to the server looked at.
fn of_chosen(key: &str, chosen: Option<usize>) -> Msg {
    let Some(server) = chosen else {
        return Msg::Complain("Choose a server first: press its name on the map.".to_owned());
    };
    match key {
        "p" => Msg::Promote(server),
        "f" => Msg::FollowNext(server),
        "z" => Msg::Toggle(Switch::Frozen, server),
        "k" => Msg::Toggle(Switch::Killed, server),
        "<" => Msg::Toggle(Switch::ToMaster, server),
        ">" => Msg::Toggle(Switch::ToReplica, server),
        _ => Msg::Act(Action::Restart { server: name(server), keep_id: true }),
    }
}

/// A server's name by its index, as the world gives them.
#[must_use]
pub fn name(server: usize) -> String {
    if server == 0 { "master".to_owned() } else { format!("replica-{server}") }
}

/// How many writes a burst is, unless said otherwise.
pub const BURST_WRITES: u64 = 100;
/// How long each of their values is.
pub const BURST_BYTES: u64 = 64;

/// One write to the master.
#[must_use]
pub fn write() -> Action {
    burst(1, BURST_BYTES)
}

/// Many of them at once.
#[must_use]
pub fn burst(writes: u64, value_bytes: u64) -> Action {
    Action::Burst { writes, value_bytes }
}

/// A server stops and starts again, with a new run id.
#[must_use]
pub fn restart(server: &str) -> Action {
    Action::Restart { server: server.to_owned(), keep_id: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::View;

    #[test]
    fn keys_do_what_the_sheet_says() {
        let state = State::default();
        assert!(matches!(msg(" ", &state), Some(Msg::TogglePlay)));
        assert!(matches!(msg("3", &state), Some(Msg::ToggleLink(3))));
        assert!(matches!(msg("b", &state), Some(Msg::Act(_))));
        assert!(matches!(msg("i", &state), Some(Msg::View(View::Memory))));
        assert!(matches!(msg("p", &state), Some(Msg::Complain(_))), "nobody is chosen");
        let chosen = State { selection: Some(2), ..State::default() };
        assert!(matches!(msg("p", &chosen), Some(Msg::Promote(2))));
        assert!(matches!(msg("f", &chosen), Some(Msg::FollowNext(2))));
        assert!(matches!(msg("k", &chosen), Some(Msg::Toggle(Switch::Killed, 2))));
        assert!(matches!(msg("o", &chosen), Some(Msg::Inspect(2))));
        assert!(matches!(msg("g", &state), Some(Msg::Chart(true))));
        assert!(matches!(msg("-", &state), Some(Msg::Zoom(2000))));
        let moved = state.stretch.panned(1);
        assert!(matches!(msg("ShiftArrowRight", &state), Some(Msg::Show(to)) if to == moved));
        assert!(msg("0", &state).is_none());
        assert!(msg("12", &state).is_none());
        assert!(msg("F5", &state).is_none());
        let said: Vec<&str> = SHEET.iter().flat_map(|line| line.keys).copied().collect();
        for key in ('!'..='~').map(String::from).chain(["ArrowRight".to_owned(), " ".to_owned()]) {
            let printed = match key.as_str() {
                " " => "Space",
                "ArrowRight" => "\u{2192}",
                // The dots between 1 and 9.
                digit if ("2"..="8").contains(&digit) => "\u{2026}",
                other => other,
            };
            let does = msg(&key, &chosen).is_some();
            assert_eq!(does, said.contains(&printed), "the sheet and {key:?}");
        }
        assert!(msg("w", &State { sheet: true, ..State::default() }).is_none());
    }
}
