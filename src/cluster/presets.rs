//! Named scenarios, kept as data: the three stages in `stages.json`, single cases in `presets.json`.

use std::sync::OnceLock;

use serde_json::Value as Json;

use crate::json;

/// A scenario with a name and a sentence.
#[derive(Clone, Debug)]
pub struct Preset {
    /// As scenarios name it.
    pub name: String,
    /// For menus.
    pub title: String,
    /// What it shows, in a sentence.
    pub summary: String,
    /// What it sets.
    pub scenario: Json,
}

/// Every preset, in the order in which they are shown.
#[must_use]
pub fn all() -> &'static [Preset] {
    static PRESETS: OnceLock<Vec<Preset>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        let files = FILES.into_iter().filter_map(|file| json::read(file).ok());
        files.flat_map(|file| list(&file)).collect()
    })
}

const FILES: [&str; 2] = [include_str!("stages.json"), include_str!("presets.json")];

/// A preset by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.name == name)
}

fn list(file: &Json) -> Vec<Preset> {
    file.as_array().into_iter().flatten().filter_map(read).collect()
}

fn read(json: &Json) -> Option<Preset> {
    let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
    Some(Preset {
        name: text("name")?,
        title: text("title")?,
        summary: text("summary")?,
        scenario: json.get("scenario")?.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_of_the_file_is_complete_and_has_a_name_of_its_own() {
        let list = |file| serde_json::from_str::<Vec<Json>>(file).expect("a list");
        assert_eq!(FILES.into_iter().flat_map(list).count(), all().len());
        let mut names: Vec<&str> = all().iter().map(|preset| preset.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
    }
}
