//! Attributes and URL keys, read into a scenario.
//!
//! Every key of a scenario is an attribute (in kebab case) and a URL key; so is everything inside
//! `config`, `workload` and `network`, by its own name. Later pairs override earlier ones, whole
//! scenarios (`scenario=…`) come first of all. A run (`run=…`, made by "Share") stands for itself:
//! no pair is laid over it but those that say how it looks, and it begins paused at its moment.
//!
//! One wrong pair never spoils the rest: it is left out and complained about by its name. Unknown
//! names are no mistake: an element carries attributes of other scripts, a URL keys of other pages.

use psync::json;
use serde_json::{Map, Value};

use crate::difference::Difference;
use crate::session::lessons;
use crate::speed::Speed;
use crate::state::Theme;
use crate::world::{Scenario, Shared};

/// Everything above this cannot be told exactly by a JavaScript number.
pub const MAX_SAFE: u64 = (1 << 53) - 1;

/// One attribute or URL key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// `attribute` or `URL`, for messages.
    pub source: String,
    /// Its name.
    pub name: String,
    /// Its text.
    pub value: String,
    /// Of a link the run that it carries, or what is wrong with it.
    pub run: Option<Result<Shared, String>>,
}

/// What the pairs say.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The run.
    pub scenario: Scenario,
    /// The moment at which it is opened, paused; none: from its beginning.
    pub at_us: Option<u64>,
    /// Which palette.
    pub theme: Theme,
    /// Whether it starts by itself.
    pub autoplay: bool,
    /// The lesson to begin, by its name.
    pub lesson: Option<String>,
    /// Large type and presenter keys.
    pub presentation: bool,
    /// How fast.
    pub speed: Option<Speed>,
    /// What a run beside it has differently.
    pub compare: Option<Difference>,
    /// What was wrong, in words that name the pair.
    pub complaints: Vec<String>,
    /// The pair that each of them is about.
    pub wrong: Vec<Pair>,
}

const NUMBERS: [&str; 3] = ["version", "seed", "replicas"];
const TEXTS: [&str; 2] = ["preset", "engine"];
const JSONS: [&str; 4] = ["config", "workload", "network", "actions"];
const WORKLOAD: [&str; 3] = ["writes_per_second", "value_bytes", "keys"];
const NETWORK: [&str; 2] = ["latency_us", "bandwidth_bytes_per_second"];

/// The scenario of an element that says nothing.
const DEFAULT_PRESET: &str = "short-blip";

/// Reads pairs.
///
/// # Errors
///
/// None of its own: only when the core refuses even the default scenario, with its words.
pub fn read(pairs: &[Pair]) -> Result<Wanted, String> {
    let mut complaints = Vec::new();
    let (mut scenario, run) = base(pairs, &mut complaints);
    let (accepted, at_us) = match run {
        Some(run) => (run.scenario, Some(run.at.0)),
        None => (accept(&scenario)?, None),
    };
    let mut wanted = Wanted {
        scenario: accepted,
        at_us,
        theme: Theme::Auto,
        autoplay: false,
        lesson: None,
        presentation: false,
        speed: None,
        compare: None,
        complaints: Vec::new(),
        wrong: Vec::new(),
    };
    // One may be too much beside what a later one makes smaller: what was refused has a second try,
    // unless the same was said again.
    let mut refused = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        if lay(pair, &mut scenario, &mut wanted).is_err() {
            refused.push(index);
        }
    }
    for index in refused {
        let pair = &pairs[index];
        let again = pairs[index + 1..].iter().any(|later| later.name == pair.name);
        let mut aside = (scenario.clone(), wanted.clone());
        let (scenario, wanted) =
            if again { (&mut aside.0, &mut aside.1) } else { (&mut scenario, &mut wanted) };
        if let Err(why) = lay(pair, scenario, wanted) {
            complaints.push(complaint(pair, &why));
        }
    }
    // What differs is laid over the whole of the rest.
    for pair in pairs.iter().filter(|pair| pair.name == "compare") {
        match Difference::from_json(&pair.value)
            .and_then(|difference| difference.lay_over(&wanted.scenario).map(|_| difference))
        {
            Ok(difference) => wanted.compare = Some(difference),
            Err(why) => complaints.push(complaint(pair, &why)),
        }
    }
    (wanted.wrong, wanted.complaints) = complaints.into_iter().unzip();
    Ok(wanted)
}

fn complaint(pair: &Pair, why: &str) -> (Pair, String) {
    let Pair { source, name, value, .. } = pair;
    (pair.clone(), format!("{source} {name}=\"{}\" was left out: {why}", clip(value)))
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

type Base = (Map<String, Value>, Option<Shared>);

/// What everything else is laid over: a whole run or scenario, else the preset, else the default
/// one.
fn base(pairs: &[Pair], complaints: &mut Vec<(Pair, String)>) -> Base {
    let mut base = (preset(DEFAULT_PRESET), None);
    for pair in pairs {
        let changed = match pair.name.as_str() {
            "run" => match pair.run.clone() {
                Some(run) => run.map(|run| (preset(DEFAULT_PRESET), Some(run))),
                None => continue,
            },
            "scenario" => json_object(&pair.value).and_then(whole),
            "preset" => whole(preset(&pair.value)),
            _ => continue,
        };
        match changed {
            Ok(changed) => base = changed,
            Err(why) => complaints.push(complaint(pair, &why)),
        }
    }
    base
}

fn whole(scenario: Map<String, Value>) -> Result<Base, String> {
    accept(&scenario).map(|_| (scenario, None))
}

fn preset(name: &str) -> Map<String, Value> {
    let mut scenario = Map::new();
    scenario.insert("preset".to_owned(), Value::from(name));
    scenario
}

fn lay(pair: &Pair, scenario: &mut Map<String, Value>, wanted: &mut Wanted) -> Result<(), String> {
    if let Some((changed, accepted)) = one(pair, scenario, wanted)? {
        *scenario = changed;
        wanted.scenario = accepted;
    }
    Ok(())
}

type Laid = Option<(Map<String, Value>, Scenario)>;

fn one(pair: &Pair, scenario: &Map<String, Value>, wanted: &mut Wanted) -> Result<Laid, String> {
    let name = pair.name.as_str();
    match name {
        "theme" => {
            wanted.theme = Theme::from_name(&pair.value)
                .ok_or_else(|| "it must be auto, light, dark or contrast".to_owned())?;
            return Ok(None);
        }
        "autoplay" => {
            wanted.autoplay = pair.value != "false" && wanted.at_us.is_none();
            return Ok(None);
        }
        "lesson" if wanted.at_us.is_some() => return Ok(None),
        "lesson" => {
            wanted.lesson = Some(lessons::find(pair.value.trim())?.name.clone());
            return Ok(None);
        }
        "presentation" => {
            wanted.presentation = pair.value != "false";
            return Ok(None);
        }
        "speed" => {
            wanted.speed = Some(speed(&pair.value)?);
            return Ok(None);
        }
        _ => {}
    }
    let Some(kind) = kind(name).filter(|_| name != "preset" && wanted.at_us.is_none()) else {
        return Ok(None);
    };
    let mut changed = scenario.clone();
    let snake = name.replace('-', "_");
    match kind {
        Kind::Number => drop(changed.insert(snake, number(&pair.value)?)),
        Kind::Text => drop(changed.insert(snake, Value::from(pair.value.clone()))),
        Kind::Json => {
            let value = json::read(&pair.value)?;
            changed.insert(snake, value);
        }
        Kind::Of(group) => insert(&mut changed, group, &snake, number(&pair.value)?),
        Kind::Directive => {
            insert(&mut changed, "config", name, Value::from(pair.value.clone()));
        }
    }
    let accepted = accept(&changed)?;
    Ok(Some((changed, accepted)))
}

/// How a pair's text becomes a part of the scenario.
enum Kind {
    Number,
    Text,
    Json,
    Of(&'static str),
    Directive,
}

/// None for names that mean nothing to a scenario.
fn kind(name: &str) -> Option<Kind> {
    let snake = name.replace('-', "_");
    let is_in = |names: &[&str]| names.contains(&snake.as_str());
    Some(match () {
        () if is_in(&NUMBERS) => Kind::Number,
        () if is_in(&TEXTS) => Kind::Text,
        () if is_in(&JSONS) => Kind::Json,
        () if is_in(&WORKLOAD) => Kind::Of("workload"),
        () if is_in(&NETWORK) => Kind::Of("network"),
        () if name.starts_with("repl-") || name == "client-output-buffer-limit" => Kind::Directive,
        () => return None,
    })
}

/// Whether two lists of pairs say different things about which run is wanted. Everything else
/// (classes, styles, the palette) may change without a run being begun again.
#[must_use]
pub fn differ(before: &[Pair], now: &[Pair]) -> bool {
    let of_run = |pair: &&Pair| {
        ["scenario", "run", "lesson"].contains(&&*pair.name) || kind(&pair.name).is_some()
    };
    before.iter().filter(of_run).ne(now.iter().filter(of_run))
}

fn accept(scenario: &Map<String, Value>) -> Result<Scenario, String> {
    Scenario::from_value(&Value::Object(scenario.clone())).map_err(|error| error.to_string())
}

/// Puts a value into one of the objects of a scenario, which is made if it is not there.
pub fn insert(scenario: &mut Map<String, Value>, group: &str, name: &str, value: Value) {
    let place = scenario.entry(group).or_insert_with(|| Value::Object(Map::new()));
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    if let Some(place) = place.as_object_mut() {
        place.insert(name.to_owned(), value);
    }
}

fn json_object(text: &str) -> Result<Map<String, Value>, String> {
    match json::read(text)? {
        Value::Object(map) => Ok(map),
        _ => Err("it must be a JSON object".to_owned()),
    }
}

fn number(text: &str) -> Result<Value, String> {
    let n: u64 = text.trim().parse().map_err(|_| "it must be a whole number".to_owned())?;
    Ok(Value::from(n))
}

/// The step next to a factor such as `10`, `0.1` or `1/100`.
fn speed(text: &str) -> Result<Speed, String> {
    let bad = || "it must be a factor between 1/1000 and 1000".to_owned();
    let (over, under) = text.trim().split_once('/').unwrap_or((text.trim(), "1"));
    let (over, under) = millionths(over).zip(millionths(under)).ok_or_else(bad)?;
    let us = (over * 1_000_000).checked_div(under).ok_or_else(bad)?;
    if !(1000..=1_000_000_000).contains(&us) {
        return Err(bad());
    }
    let best = (-crate::speed::LIMIT..=crate::speed::LIMIT)
        .map(Speed::step)
        .min_by_key(|speed| u128::from(speed.us_per_second()).abs_diff(us));
    best.ok_or_else(bad)
}

/// `0.25` as 250,000. The parser of the standard library brings 10 kB of powers into the module.
fn millionths(text: &str) -> Option<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part: u32 = format!("{part:0<6}").parse().ok().filter(|_| digits)?;
    let whole: u32 = whole.parse().ok()?;
    Some(u128::from(whole) * 1_000_000 + u128::from(part))
}

/// The first number in `value` that JavaScript cannot hold exactly, by its path.
#[must_use]
pub fn unsafe_number(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::Number(n) => {
            let big = n.as_u64().is_some_and(|n| n > MAX_SAFE)
                || n.as_i64().is_some_and(|n| n.unsigned_abs() > MAX_SAFE)
                || n.as_f64().is_some_and(|f| f.abs() > MAX_SAFE as f64);
            big.then(|| path.to_owned())
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(i, value)| unsafe_number(value, &format!("{path}[{i}]"))),
        Value::Object(map) => {
            map.iter().find_map(|(key, value)| unsafe_number(value, &format!("{path}.{key}")))
        }
        _ => None,
    }
}

// Natively only: the core packs and unpacks links there, in a browser it does not.
#[cfg(not(target_arch = "wasm32"))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Instant;

    fn pair(name: &str, value: &str) -> Pair {
        let run = (name == "run").then(|| Shared::decode(value).map_err(|why| why.to_string()));
        let (name, value) = (name.to_owned(), value.to_owned());
        Pair { source: "attribute".to_owned(), name, value, run }
    }

    fn json(wanted: &Wanted) -> Value {
        serde_json::from_str(&wanted.scenario.to_json()).unwrap()
    }

    #[test]
    fn keys_of_every_kind_reach_the_scenario() {
        let wanted = read(&[
            pair("preset", "too-long"),
            pair("seed", "7"),
            pair("replicas", "5"),
            pair("repl-backlog-size", "32kb"),
            pair("writes-per-second", "50"),
            pair("latency-us", "2000"),
            pair("theme", "dark"),
            pair("autoplay", ""),
            pair("speed", "1/10"),
            pair("class", "wide"),
        ])
        .unwrap();
        assert_eq!(wanted.complaints, Vec::<String>::new());
        let json = json(&wanted);
        assert_eq!(json["seed"], 7);
        assert_eq!(json["replicas"], 5);
        assert_eq!(json["config"]["repl-backlog-size"], "32kb");
        assert_eq!(json["workload"]["writes_per_second"], 50);
        assert_eq!(json["network"]["latency_us"], 2000);
        assert_eq!((wanted.theme, wanted.autoplay), (Theme::Dark, true));
        assert_eq!(wanted.speed, Some(Speed::step(-10)));
    }

    #[test]
    fn what_fits_together_is_taken_in_any_order_and_of_two_the_later_counts() {
        // With the default of 100 keys this would be 600 MB.
        let mut all = [pair("replicas", "99"), pair("value-bytes", "60000"), pair("keys", "10")];
        for _ in 0..3 {
            all.rotate_left(1);
            let wanted = read(&all).unwrap();
            assert_eq!(wanted.complaints, Vec::<String>::new(), "{all:?}");
            assert_eq!(json(&wanted)["workload"]["value_bytes"], 60_000, "{all:?}");
        }
        let said_again = [&all[..], &[pair("value-bytes", "64")]].concat();
        assert_eq!(json(&read(&said_again).unwrap())["workload"]["value_bytes"], 64);
        let too_much = read(&[pair("replicas", "99"), pair("value-bytes", "60000")]).unwrap();
        assert_eq!(too_much.complaints.len(), 1);
    }

    #[test]
    fn a_wrong_pair_is_named_and_the_others_count() {
        let wanted = read(&[
            pair("seed", "abc"),
            pair("preset", "nonesuch"),
            pair("theme", "pink"),
            pair("speed", "0"),
            pair("config", "{"),
            pair("replicas", "4"),
        ])
        .unwrap();
        assert_eq!(json(&wanted)["replicas"], 4);
        assert_eq!(wanted.complaints.len(), 5, "{:?}", wanted.complaints);
        for (complaint, name) in
            wanted.complaints.iter().zip(["preset", "seed", "theme", "speed", "config"])
        {
            assert!(complaint.contains(&format!("attribute {name}=")), "{complaint}");
        }
    }

    #[test]
    fn a_lesson_is_named_or_numbered_and_an_unknown_one_is_answered_with_all_there_are() {
        let lesson = |value| read(&[pair("lesson", value), pair("presentation", "")]).unwrap();
        for value in ["7", "two-windows"] {
            assert_eq!(lesson(value).lesson.as_deref(), Some("two-windows"));
        }
        assert!(lesson("7").presentation);
        for wrong in ["0", "10", "seven", ""] {
            let wanted = lesson(wrong);
            assert_eq!((wanted.lesson, wanted.complaints.len()), (None, 1));
            let complaint = &wanted.complaints[0];
            assert!(complaint.starts_with("attribute lesson="), "{complaint}");
            assert!(complaint.contains("a-blip, too-long"), "{complaint}");
        }
    }

    #[test]
    fn what_a_run_beside_has_differently_is_laid_over_the_rest() {
        let compare = |value: &str| read(&[pair("compare", value), pair("preset", "too-long")]);
        let wanted = compare(r#"{"config":{"repl-backlog-size":"32kb"}}"#).unwrap();
        assert_eq!(wanted.compare, Some(Difference::of("repl-backlog-size", "32kb")));
        for wrong in ["32kb", r#"{"engine":"redis-9"}"#, r#"{"config":{"maxmemory":"1"}}"#] {
            let wanted = compare(wrong).unwrap();
            assert_eq!((wanted.compare, wanted.complaints.len()), (None, 1));
            assert!(
                wanted.complaints[0].starts_with("attribute compare="),
                "{:?}",
                wanted.complaints
            );
        }
    }

    #[test]
    fn a_run_stands_for_itself_paused_at_its_moment() {
        let scenario = Scenario::preset("too-long").unwrap();
        let code = Shared { scenario: scenario.clone(), at: Instant(17_000_000) }.encode();
        let around = [pair("preset", "short-blip"), pair("seed", "9"), pair("autoplay", "")];
        let after = [pair("replicas", "7"), pair("theme", "dark")];
        let with = |run: &str| {
            let pairs = [&around[..], &[pair("run", run)], &after].concat();
            read(&pairs).unwrap()
        };
        let wanted = with(&code);
        assert_eq!(wanted.complaints, Vec::<String>::new());
        assert_eq!((&wanted.scenario, wanted.at_us), (&scenario, Some(17_000_000)));
        assert_eq!((wanted.theme, wanted.autoplay), (Theme::Dark, false));
        // A bad one is left out, and all the others count.
        let wanted = with(&code.replacen("1.", "3.", 1));
        assert_eq!(wanted.complaints.len(), 1, "{:?}", wanted.complaints);
        assert!(wanted.complaints[0].contains("of version \"3\""), "{:?}", wanted.complaints);
        assert_eq!((wanted.scenario.replicas, wanted.at_us, wanted.autoplay), (7, None, true));
        // What comes after it takes its place.
        let wanted = read(&[pair("run", &code), pair("preset", "calm")]).unwrap();
        assert_eq!((wanted.scenario.preset.as_deref(), wanted.at_us), (Some("calm"), None));
    }

    #[test]
    fn only_what_is_about_the_run_begins_it_again() {
        let before = [pair("seed", "1"), pair("class", "wide"), pair("theme", "light")];
        let looks = [pair("seed", "1"), pair("style", "height:9px"), pair("theme", "dark")];
        assert!(!differ(&before, &looks));
        for (name, value) in
            [("seed", "2"), ("run", "1.x"), ("repl-timeout", "9"), ("scenario", "")]
        {
            let now = [&before[..], &[pair(name, value)]].concat();
            assert!(differ(&before, &now), "{name}");
        }
    }

    #[test]
    fn numbers_that_javascript_would_round_are_found() {
        let value = serde_json::json!({ "a": [1, { "b": MAX_SAFE + 1 }], "c": MAX_SAFE });
        assert_eq!(unsafe_number(&value, "scenario").as_deref(), Some("scenario.a[1].b"));
        assert_eq!(unsafe_number(&serde_json::json!({ "c": MAX_SAFE }), "x"), None);
    }
}
