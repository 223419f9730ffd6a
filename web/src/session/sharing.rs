//! Giving a run away, and opening one that was given: as a link, as a file.
//!
//! Both carry the same: the preset, what differs from it, the seed, every action done and planned,
//! and the moment looked at. Not carried is what belongs to the reader and not to the run: futures
//! left behind, a lesson, the palette, the speed. What cannot be read changes nothing.

use super::Session;
use crate::format::{seconds, thousands};
use crate::state::Sharing;
use crate::world::{BadInput, Shared, presets};

/// What a link has before its string.
pub const KEY: &str = "run=";

impl Session {
    /// The run as a string for the fragment of a link.
    #[must_use]
    pub fn share(&self) -> String {
        Shared::of(self.run()).encode()
    }

    /// The run as the text of a file, for those whose link would be too long.
    #[must_use]
    pub fn file(&self) -> String {
        Shared::of(self.run()).to_file()
    }

    pub(super) fn offer(&mut self, open: bool) {
        self.state.sharing = open.then(|| {
            let shared = Shared::of(self.run());
            let preset = shared.scenario.preset.as_deref();
            let name =
                format!("psync-lab-{}-{}.json", preset.unwrap_or("own"), shared.scenario.seed);
            Sharing {
                code: shared.encode(),
                file: shared.to_file(),
                name,
                carries: carries(&shared),
                copied: None,
            }
        });
    }

    pub(super) fn copied(&mut self, done: bool) {
        if let Some(sharing) = &mut self.state.sharing {
            sharing.copied = Some(done);
        }
    }

    pub(super) fn open(&mut self, shared: Result<Shared, BadInput>) -> Result<(), String> {
        let shared = shared.map_err(|error| error.to_string())?;
        self.load_run(shared.run());
        self.state.sharing = None;
        Ok(())
    }
}

/// Reads what a file holds: a run, a bare scenario, or a link to a run.
pub(super) fn read(text: &str) -> Result<Shared, BadInput> {
    let text = text.trim();
    if text.starts_with('{') {
        return Shared::from_file(text);
    }
    if let Some((_, link)) = text.split_once(KEY) {
        let ends = |c: char| c == '&' || c.is_whitespace();
        return Shared::decode(link.split(ends).next().unwrap_or_default());
    }
    match text.split_once('.') {
        // The string alone, without the address before it.
        Some((version, _)) if version.parse::<u64>().is_ok() => Shared::decode(text),
        _ => Shared::from_file(text),
    }
}

fn carries(shared: &Shared) -> Vec<(&'static str, String)> {
    let scenario = &shared.scenario;
    let preset =
        presets::all().iter().find(|preset| Some(&preset.name) == scenario.preset.as_ref());
    let preset = preset.map_or("own scenario", |preset| preset.title.as_str());
    let changes = shared.changes().join(", ");
    let done = scenario.actions.iter().filter(|action| action.at <= shared.at).count();
    let planned = scenario.actions.len() - done;
    let mut actions = format!("{done} done");
    if planned > 0 {
        actions += &format!(", {planned} to come");
    }
    let mut carries = vec![("preset", preset.to_owned()), ("seed", thousands(scenario.seed))];
    if !changes.is_empty() {
        carries.push(("changed", changes));
    }
    carries.push(("actions", actions));
    carries.push(("moment", format!("{} s", seconds(shared.at.0))));
    carries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_reads_no_file_that_is_too_long_for_the_core_and_every_other() {
        let script = include_str!("../../../static/psync-lab.js");
        let (_, limit) = script.split_once("const LONGEST_FILE = ").expect("its limit");
        let (limit, _) = limit.split_once(';').expect("its end");
        let (mega, shift) = limit.split_once(" << ").expect("a shift");
        let limit = mega.parse::<usize>().expect("a number") << shift.parse::<u32>().expect("one");
        let says = |bytes: usize| read(&"{".repeat(bytes)).expect_err("braces").to_string();
        let too_long = format!("more than {} MB", limit >> 20);
        assert!(says(limit + 1).ends_with(&too_long), "{}", says(limit + 1));
        assert!(!says(limit).ends_with(&too_long), "{}", says(limit));
        assert!(script.contains(&format!("it is longer than {} MB", limit >> 20)));
    }
}
