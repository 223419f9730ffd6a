//! A run in one string: for the fragment of a link, or, the same, as a file.
//!
//! The string is `1.` and then base64url of a zlib stream of JSON: what the scenario differs by
//! from its preset, all actions, and the moment looked at. zlib carries a checksum, so a link that
//! lost a letter in an e-mail is refused and not half understood. The file is that JSON as it is.
//!
//! Hostile strings are refused before they cost anything: the text is measured first, and unpacked
//! only up to [`MOST_JSON_BYTES`]. Browsers have zlib and base64, so the module for the page carries
//! neither: there `static/psync-lab.js` unpacks, between [`letters`] and [`Shared::from_json`].

use serde_json::{Map, Value as Json};

use super::field::{BadInput, Fields};
use super::run::Run;
use super::scenario::{LARGEST_NUMBER, Scenario};
use crate::json;
use crate::time::Instant;

/// What a link restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The run, with every action done and planned.
    pub scenario: Scenario,
    /// The moment looked at.
    pub at: Instant,
}

/// A link longer than this is offered as a file instead: mailers and chats cut long links.
pub const LONGEST_LINK: usize = 4096;
/// The longest text that is looked at.
const LONGEST_TEXT: usize = 1 << 20;
/// The most JSON that a link or a file may hold: far more than anybody does by hand.
const MOST_JSON_BYTES: usize = 4 << 20;
/// The form of the string, and of the JSON in it.
const VERSION: u64 = 1;
#[cfg(not(target_arch = "wasm32"))]
const DAMAGED: &str = "is damaged: letters are missing or wrong";

/// The string of a link with these letters.
#[must_use]
pub fn link(letters: &str) -> String {
    format!("{VERSION}.{letters}")
}

/// The letters that carry the run in a link's string: base64url of what is packed.
///
/// # Errors
/// When it is of another version, too long, or has letters that no link has.
pub fn letters(text: &str) -> Result<&str, BadInput> {
    let text = text.trim();
    if text.len() > LONGEST_TEXT {
        return Err(bad("is too long: more than 1 MB"));
    }
    let Some((version, letters)) = text.split_once('.') else {
        return Err(bad("has no version: it must begin with \"1.\""));
    };
    if version.parse() != Ok(VERSION) {
        let shown: String = version.chars().take(12).collect();
        return Err(bad(&format!("is of version \"{shown}\"; this page reads version {VERSION}")));
    }
    let wrong = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'-' && byte != b'_';
    match letters.bytes().position(wrong) {
        Some(place) => Err(bad(&format!(
            "is damaged: letter {} is one that no link has",
            place + version.len() + 2
        ))),
        None => Ok(letters),
    }
}

fn bad(problem: &str) -> BadInput {
    BadInput::new("link", problem)
}

impl Shared {
    /// The run as it is.
    #[must_use]
    pub fn of(run: &Run) -> Shared {
        Shared { scenario: run.scenario(), at: run.now() }
    }

    /// The run again, at the same moment.
    #[must_use]
    pub fn run(&self) -> Run {
        let mut run = Run::new(self.scenario.clone());
        run.advance_to(self.at);
        run
    }

    /// As a string for the fragment of a link: letters, digits, `.`, `-` and `_`.
    ///
    /// Not in the browser, which packs with its own zlib: [`Shared::to_json`], then [`link`].
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn encode(&self) -> String {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(self.to_json().as_bytes(), 9);
        link(&URL_SAFE_NO_PAD.encode(packed))
    }

    /// What a link carries, not packed yet.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(&self.to_value())
    }

    /// As the text of a file: an action a line, so that two runs can be compared by eye.
    #[must_use]
    pub fn to_file(&self) -> String {
        // Inside of a JSON string no quote stands without a backslash: this is where a thing begins.
        let begins = "{\"at_us\"";
        let lines = self.to_json().replace(begins, &format!("\n{begins}"));
        format!("{}\n", lines.trim_start())
    }

    /// What of the scenario differs from its preset, by the scenario's own names; seed and actions
    /// are not among them.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let own = differences(&self.scenario);
        let told = ["preset", "seed", "actions", "version"];
        let names = own.as_object().into_iter().flatten().map(|(name, _)| name.clone());
        names.filter(|name| !told.contains(&name.as_str())).collect()
    }

    /// Reads a string that [`Shared::encode`] made.
    ///
    /// Not in the browser, which unpacks with its own zlib: [`letters`], then
    /// [`Shared::from_json`].
    ///
    /// # Errors
    /// When it is of another version, damaged, too large, or holds what is no run; the error says
    /// which.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn decode(text: &str) -> Result<Shared, BadInput> {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};
        let packed = URL_SAFE_NO_PAD.decode(letters(text)?).map_err(|_| bad(DAMAGED))?;
        let json =
            decompress_to_vec_zlib_with_limit(&packed, MOST_JSON_BYTES).map_err(|error| {
                bad(match error.status {
                    TINFLStatus::HasMoreOutput => "unpacks to more than 4 MB",
                    _ => DAMAGED,
                })
            })?;
        Shared::from_json(&String::from_utf8(json).map_err(|_| bad("holds no text"))?)
    }

    /// Reads what a link carried, unpacked.
    ///
    /// # Errors
    /// When it is no run; the error says why.
    pub fn from_json(text: &str) -> Result<Shared, BadInput> {
        Shared::read("link", text)
    }

    /// Reads the text of a file: one that [`Shared::to_file`] made, or a bare scenario.
    ///
    /// # Errors
    /// As [`Shared::decode`].
    pub fn from_file(text: &str) -> Result<Shared, BadInput> {
        if text.len() > MOST_JSON_BYTES {
            return Err(BadInput::new("file", "is too long: more than 4 MB"));
        }
        Shared::read("file", text)
    }

    fn read(place: &str, text: &str) -> Result<Shared, BadInput> {
        let json = json::read(text)
            .map_err(|error| BadInput::new(place, format!("is not JSON: {error}")))?;
        let mut fields = Fields::of(place, &json)?;
        let Some(scenario) = fields.take("scenario") else {
            // A scenario by itself begins at its beginning.
            let scenario = Scenario::from_value(&json)?;
            return Ok(Shared { scenario, at: Instant::ZERO });
        };
        fields.number_or("shared", VERSION, VERSION..=VERSION)?;
        let at = Instant(fields.number_or("at_us", 0, 0..=FURTHEST_US)?);
        fields.finish()?;
        Ok(Shared { scenario: Scenario::from_value(&scenario)?, at })
    }

    fn to_value(&self) -> Json {
        json::object(&mut [
            ("shared", VERSION.into()),
            ("at_us", self.at.0.into()),
            ("scenario", differences(&self.scenario)),
        ])
    }
}

/// The furthest moment that a link may ask for: a day, which a page runs to within a minute. The
/// scenario's own numbers have their own bounds.
const FURTHEST_US: u64 = 86_400 * crate::time::SECOND_US;
const _: () = assert!(FURTHEST_US <= LARGEST_NUMBER);

/// The scenario without what its preset, or the default one, says already.
fn differences(scenario: &Scenario) -> Json {
    let whole = scenario.to_value();
    let base = match &scenario.preset {
        Some(name) => Scenario::preset(name),
        None => Ok(Scenario::default()),
    };
    let Ok(base) = base.map(|base| base.to_value()) else { return whole };
    let mut own = Map::new();
    for (key, value) in whole.as_object().into_iter().flatten() {
        let changed = match (value, &base[key]) {
            // Of a group only the keys that differ are told; a key that is missing here cannot be
            // told like that, and is looked for below.
            (Json::Object(group), Json::Object(old)) => {
                let differs = |(name, _): &(&String, &Json)| old.get(*name) != group.get(*name);
                let mut differing = Map::new();
                for (name, value) in group.iter().filter(differs) {
                    differing.insert(name.clone(), value.clone());
                }
                (!differing.is_empty()).then_some(Json::Object(differing))
            }
            (value, old) => (value != old || key == "preset").then(|| value.clone()),
        };
        if let Some(changed) = changed {
            own.insert(key.clone(), changed);
        }
    }
    let own = Json::Object(own);
    if Scenario::from_value(&own).as_ref() == Ok(scenario) {
        return own;
    }
    // Something that the preset says was taken away: the whole stands for itself, without it.
    let mut whole = whole;
    if let Some(fields) = whole.as_object_mut() {
        fields.remove("preset");
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Action, presets};
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use miniz_oxide::deflate::compress_to_vec_zlib;

    #[test]
    fn every_preset_comes_back_from_a_short_string() {
        for preset in presets::all() {
            let scenario = Scenario::preset(&preset.name).expect("a preset");
            let shared = Shared { scenario, at: Instant(12_345_678) };
            let text = shared.encode();
            assert_eq!(Shared::decode(&text).as_ref(), Ok(&shared), "{text}");
            assert!(text.len() < 160, "{}: {}", preset.name, text.len());
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)));
            assert_eq!(Shared::from_file(&shared.to_file()), Ok(shared));
        }
    }

    #[test]
    fn a_run_comes_back_with_all_that_was_done_and_at_its_moment() {
        let mut run = Run::new(Scenario::preset("too-long").expect("a preset"));
        run.advance_us(9_000_000);
        run.act(Action::Burst { writes: 12, value_bytes: 30 }).expect("it can");
        run.advance_us(1_500_000);
        let again = Shared::decode(&Shared::of(&run).encode()).expect("good").run();
        assert_eq!((again.now(), again.digest()), (run.now(), run.digest()));
        assert_eq!(again.scenario(), run.scenario());
    }

    #[test]
    fn a_scenario_that_lacks_what_its_preset_has_is_told_whole() {
        let mut scenario = Scenario::preset("too-long").expect("a preset");
        scenario.config = Default::default();
        let shared = Shared { scenario, at: Instant(5) };
        let again = Shared::decode(&shared.encode()).expect("good");
        assert_eq!(again.scenario.config, shared.scenario.config);
        assert_eq!(again.scenario.preset, None);
    }

    #[test]
    fn damaged_strings_are_refused_and_say_what_was_wrong() {
        let good = Shared { scenario: Scenario::default(), at: Instant(7) }.encode();
        let of_json = |json: &str| {
            format!("1.{}", URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(json.as_bytes(), 9)))
        };
        let bomb = of_json(&format!("\"{}\"", "a".repeat(8 << 20)));
        assert!(bomb.len() < 20_000);
        for (text, says) in [
            (String::new(), "link has no version: it must begin with \"1.\""),
            (good.replacen('1', "2", 1), "link is of version \"2\"; this page reads version 1"),
            ("1.a*b".to_owned(), "link is damaged: letter 4 is one that no link has"),
            (good[..good.len() - 4].to_owned(), "link is damaged: letters are missing or wrong"),
            (bomb, "link unpacks to more than 4 MB"),
            ("1.".to_owned() + &"A".repeat(2 << 20), "link is too long: more than 1 MB"),
            (of_json("[]"), "link must be an object, not an array"),
            (
                of_json("{\"scenario\":{},\"at_us\":-1}"),
                "link.at_us is -1; it must be a whole number from 0 to 86400000000",
            ),
            (of_json("{\"scenario\":{},\"speed\":1}"), "link.speed is not known here"),
            (of_json("{\"shared\":2,\"scenario\":{}}"), "link.shared is 2; it must be from 1 to 1"),
            (
                of_json("{\"scenario\":{\"replicas\":0}}"),
                "scenario.replicas is 0; it must be from 1 to 100",
            ),
        ] {
            let error = Shared::decode(&text).expect_err(says).to_string();
            assert_eq!(error, says);
        }
        // Any single letter that is lost or changed is noticed, or changes nothing.
        for at in 2..good.len() {
            let mut letters: Vec<char> = good.chars().collect();
            letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
            let changed: String = letters.into_iter().collect();
            let decoded = Shared::decode(&changed);
            assert!(decoded.is_err() || decoded == Shared::decode(&good), "{changed}");
        }
    }
}
