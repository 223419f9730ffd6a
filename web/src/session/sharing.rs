//! Giving a run away, and opening one that was given: as a link, as a file.
//!
//! Both carry the same: the preset, what differs from it, the seed, every action done and planned,
//! and the moment looked at. Not carried is what belongs to the reader and not to the run: futures
//! left behind, a lesson, the palette, the speed. What cannot be read changes nothing.

use super::Session;
use crate::format::{seconds, thousands};
use crate::state::Sharing;
use crate::world::{Shared, presets};

/// What a link has before its string.
pub const KEY: &str = "run=";

/// What is to be shown, and the text that its link carries.
#[derive(Debug)]
pub(super) struct Unpacked {
    sharing: Sharing,
    text: String,
}

impl Session {
    /// What has to be packed before "Share" can show a link. It is given once.
    pub fn to_pack(&mut self) -> Option<String> {
        let unpacked = self.unpacked.as_mut()?;
        Some(std::mem::take(&mut unpacked.text)).filter(|text| !text.is_empty())
    }

    pub(super) fn offer(&mut self, open: bool) {
        self.state.sharing = None;
        self.unpacked = open.then(|| {
            let shared = Shared::of(self.run());
            let preset = shared.scenario.preset.as_deref();
            let name =
                format!("psync-lab-{}-{}.json", preset.unwrap_or("own"), shared.scenario.seed);
            let sharing = Sharing {
                code: String::new(),
                file: shared.to_file(),
                name,
                carries: carries(&shared),
                copied: None,
            };
            Unpacked { sharing, text: shared.to_json() }
        });
    }

    pub(super) fn packed(&mut self, link: String) {
        // It may have been closed meanwhile.
        if let Some(Unpacked { sharing, .. }) = self.unpacked.take() {
            self.state.sharing = Some(Sharing { code: link, ..sharing });
        }
    }

    pub(super) fn copied(&mut self, done: bool) {
        if let Some(sharing) = &mut self.state.sharing {
            sharing.copied = Some(done);
        }
    }

    pub(super) fn open(&mut self, text: &str) -> Result<(), String> {
        let shared = Shared::from_file(text.trim()).map_err(|error| error.to_string())?;
        self.load_run(shared.run());
        self.offer(false);
        Ok(())
    }
}

/// The string of the link that a file holds, where it is no run itself: an address, or the string
/// alone.
#[must_use]
pub fn link_in(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.starts_with('{') {
        return None;
    }
    if let Some((_, link)) = text.split_once(KEY) {
        return link.split(|c: char| c == '&' || c.is_whitespace()).next();
    }
    // The string alone, without the address before it.
    let (version, _) = text.split_once('.')?;
    version.parse::<u64>().is_ok().then_some(text)
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
        let says =
            |bytes: usize| Shared::from_file(&"{".repeat(bytes)).expect_err("braces").to_string();
        let too_long = format!("more than {} MB", limit >> 20);
        assert!(says(limit + 1).ends_with(&too_long), "{}", says(limit + 1));
        assert!(!says(limit).ends_with(&too_long), "{}", says(limit));
        assert!(script.contains(&format!("it is longer than {} MB", limit >> 20)));
    }
}
