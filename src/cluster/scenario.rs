//! A scenario: everything that determines a run, as one JSON value.
//!
//! Its keys are also query parameters, fragment keys and, in kebab case, attributes of the
//! element. A preset is a scenario; other keys override it.

use serde_json::Value as Json;

use super::act::refuse_replication;
use super::action::{
    Action, LARGEST_FLOOD, LARGEST_HEAP, LARGEST_LATENCY_US, LARGEST_RATE, LARGEST_VALUE,
    TimedAction,
};
use super::curve::{self, Point};
use super::field::{BadInput, Fields, kind_of};
use super::presets;
use crate::json;
use crate::server::config::Config;
use crate::server::engine::{ENGINES, Engine, REDIS_7_2};
use crate::table::Table;
use crate::time::Instant;

/// The schema's version.
pub const VERSION: u64 = 1;
/// Numbers travel through JavaScript, which counts exactly up to here (`Number.MAX_SAFE_INTEGER`).
pub const LARGEST_NUMBER: u64 = (1 << 53) - 1;

/// The most bytes of values in all keys of all servers together: each has its own copy, and the
/// page keeps more of them to go back in time.
const LARGEST_WORLD: u64 = 256 << 20;

/// Everything that determines a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The preset it began with.
    pub preset: Option<String>,
    /// Whose behaviour.
    pub engine: &'static Engine,
    /// Seeds everything random.
    pub seed: u64,
    /// How many replicas the master has at the start.
    pub replicas: usize,
    /// Directives of redis.conf, for every server.
    pub config: Table<String, String>,
    /// What clients write.
    pub workload: Workload,
    /// What links are like.
    pub network: Network,
    /// What is done, in the order of time.
    pub actions: Vec<TimedAction>,
}

/// What clients write, all the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// `SET`s a second, evenly spaced.
    pub writes_per_second: u64,
    /// How long each value is.
    pub value_bytes: u64,
    /// How many different keys.
    pub keys: u64,
    /// A rate that changes in time, in place of the steady one; empty for none.
    pub curve: Vec<Point>,
}

/// What links are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// For links without a word of their own.
    pub default: Wire,
    /// By the name of the replica.
    pub links: Table<String, Wire>,
}

/// What one link is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// One way, in microseconds.
    pub latency_us: u64,
    /// Each way; none is unlimited.
    pub bandwidth_bytes_per_second: Option<u64>,
}

impl Default for Scenario {
    fn default() -> Scenario {
        Scenario {
            preset: None,
            engine: &REDIS_7_2,
            seed: 1,
            replicas: 3,
            config: Table::default(),
            workload: Workload {
                writes_per_second: 20,
                value_bytes: 64,
                keys: 100,
                curve: Vec::new(),
            },
            network: Network {
                default: Wire { latency_us: 1000, bandwidth_bytes_per_second: Some(10_000_000) },
                links: Table::default(),
            },
            actions: Vec::new(),
        }
    }
}

impl Scenario {
    /// Reads a scenario from JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, or anything in it cannot be used; the error names the place.
    pub fn from_json(text: &str) -> Result<Scenario, BadInput> {
        let json = json::read(text)
            .map_err(|error| BadInput::new("scenario", format!("is not JSON: {error}")))?;
        Scenario::from_value(&json)
    }

    /// A preset by its name.
    ///
    /// # Errors
    /// When there is none of that name; the error lists those that there are.
    pub fn preset(name: &str) -> Result<Scenario, BadInput> {
        Scenario::from_value(&json::object(&mut [("preset", name.into())]))
    }

    /// Reads a scenario from a JSON value.
    ///
    /// # Errors
    /// When anything in it cannot be used; the error names the place.
    pub fn from_value(json: &Json) -> Result<Scenario, BadInput> {
        let mut fields = Fields::of("scenario", json)?;
        let mut scenario = Scenario::default();
        if let Some(name) = fields.optional_text("preset")? {
            let preset = presets::find(&name).ok_or_else(|| {
                let known = presets::all().iter().map(|preset| preset.name.as_str());
                let known = known.collect::<Vec<_>>().join(", ");
                fields.bad("preset", format!("is \"{name}\"; there are: {known}"))
            })?;
            scenario.read(Fields::of("preset", &preset.scenario)?)?;
            scenario.preset = Some(name);
        }
        scenario.read(fields)?;
        Ok(scenario)
    }

    /// Takes over what the fields say, and keeps the rest.
    fn read(&mut self, mut fields: Fields) -> Result<(), BadInput> {
        fields.number_or("version", VERSION, VERSION..=VERSION)?;
        if let Some(name) = fields.optional_text("engine")? {
            self.engine = Engine::by_name(&name).ok_or_else(|| {
                let known: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
                fields.bad("engine", format!("is \"{name}\"; there are: {}", known.join(", ")))
            })?;
        }
        self.seed = fields.number_or("seed", self.seed, 0..=LARGEST_NUMBER)?;
        self.replicas = fields.number_or("replicas", self.replicas as u64, 1..=100)? as usize;
        if let Some(directives) = fields.object("config")? {
            self.read_config(directives)?;
        }
        if let Some(workload) = fields.object("workload")? {
            self.workload.read(workload)?;
        }
        if let Some(problem) = self.workload.too_much(self.replicas + 1) {
            return Err(fields.bad("workload.value_bytes", problem));
        }
        if let Some(network) = fields.object("network")? {
            self.read_network(network)?;
        }
        if let Some(actions) = fields.take("actions") {
            self.read_actions(&fields.path("actions"), &actions)?;
        }
        fields.finish()
    }

    fn read_config(&mut self, mut directives: Fields) -> Result<(), BadInput> {
        let mut config = Config::defaults(self.engine);
        for name in directives.names() {
            let value = match directives.take(&name) {
                Some(Json::String(text)) => text,
                Some(number @ Json::Number(_)) => json::write(&number),
                None => continue,
                Some(other) => {
                    let problem = format!("must be a text or a number, not {}", kind_of(&other));
                    return Err(directives.bad(&name, problem));
                }
            };
            config
                .load(&name, &value)
                .map_err(|error| directives.bad(&name, format!("cannot be used: {error}")))?;
            self.config.insert(name, value);
        }
        Ok(())
    }

    fn read_network(&mut self, mut network: Fields) -> Result<(), BadInput> {
        self.network.default.read(&mut network)?;
        if let Some(mut links) = network.object("links")? {
            for name in links.names() {
                if !self.is_replica(&name) {
                    let last = self.replicas;
                    return Err(
                        links.bad(&name, format!("names no replica; the last is replica-{last}"))
                    );
                }
                let mut wire = self.network.default;
                if let Some(mut fields) = links.object(&name)? {
                    wire.read(&mut fields)?;
                    fields.finish()?;
                }
                self.network.links.insert(name, wire);
            }
        }
        network.finish()
    }

    fn read_actions(&mut self, place: &str, actions: &Json) -> Result<(), BadInput> {
        let Json::Array(items) = actions else {
            let problem = format!("must be a list, not {}", kind_of(actions));
            return Err(BadInput::new(place, problem));
        };
        let mut timed = Vec::new();
        let mut order: Vec<(u64, usize)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut fields = Fields::of(format!("{place}[{index}]"), item)?;
            let at = Instant(fields.number_or("at_us", 0, 0..=LARGEST_NUMBER)?);
            let action = Action::read(&mut fields)?;
            self.check_action(&fields, &action)?;
            fields.finish()?;
            timed.push(TimedAction { at, action });
            order.push((at.0, index));
        }
        // Actions of one moment stay in the order in which they were written. Numbers are sorted,
        // because the module carries a sorter for each type.
        order.sort_unstable();
        self.actions = order.iter().map(|(_, index)| timed[*index].clone()).collect();
        Ok(())
    }

    /// Whether an action can mean anything in this scenario; whether it changes anything when its
    /// time comes is another question.
    fn check_action(&self, fields: &Fields, action: &Action) -> Result<(), BadInput> {
        let known = |name: &str| name == "master" || self.is_replica(name);
        for (field, name) in action.names() {
            if !known(name) {
                let last = self.replicas;
                return Err(fields.bad(
                    field,
                    format!("is \"{name}\"; there are master and replica-1 to replica-{last}"),
                ));
            }
        }
        match action {
            Action::Config { directive, value, .. } => Config::defaults(self.engine)
                .set(directive, value)
                .map_err(|error| fields.bad("directive", format!("is \"{directive}\": {error}"))),
            Action::Write { argv, .. } => {
                refuse_replication(argv).map_err(|error| fields.bad("argv", error.problem))
            }
            _ => Ok(()),
        }
    }

    fn is_replica(&self, name: &str) -> bool {
        let number = name.strip_prefix("replica-").and_then(|n| n.parse::<usize>().ok());
        number.is_some_and(|n| (1..=self.replicas).contains(&n) && name == format!("replica-{n}"))
    }

    /// The scenario as JSON; reading it back gives the same scenario.
    #[must_use]
    pub fn to_value(&self) -> Json {
        let wire = |wire: &Wire, links: Json| {
            let bandwidth = wire.bandwidth_bytes_per_second.unwrap_or(0);
            json::object(&mut [
                ("latency_us", wire.latency_us.into()),
                ("bandwidth_bytes_per_second", bandwidth.into()),
                ("links", links),
            ])
        };
        let mut links: Vec<(&str, Json)> = Vec::new();
        for (name, own) in self.network.links.iter() {
            links.push((name, wire(own, Json::Null)));
        }
        let links = if links.is_empty() { Json::Null } else { json::object(&mut links) };
        let mut config: Vec<(&str, Json)> = Vec::new();
        for (directive, value) in self.config.iter() {
            config.push((directive, value.as_str().into()));
        }
        let actions = self.actions.iter().map(|TimedAction { at, action }| {
            let mut json = action.to_json();
            if let Some(fields) = json.as_object_mut() {
                fields.insert("at_us".to_owned(), at.0.into());
            }
            json
        });
        json::object(&mut [
            ("version", VERSION.into()),
            ("preset", self.preset.as_deref().into()),
            ("engine", self.engine.name.into()),
            ("seed", self.seed.into()),
            ("replicas", self.replicas.into()),
            ("config", json::object(&mut config)),
            ("workload", self.workload.to_json()),
            ("network", wire(&self.network.default, links)),
            ("actions", actions.collect()),
        ])
    }

    /// [`Scenario::to_value`] as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(&self.to_value())
    }

    /// The settings that every server starts with.
    #[must_use]
    pub fn server_config(&self) -> Config {
        let mut config = Config::defaults(self.engine);
        for (directive, value) in self.config.iter() {
            // They were tried when the scenario was read, so none is refused here.
            let loaded = config.load(directive, value);
            debug_assert!(loaded.is_ok(), "{directive} {value}: {loaded:?}");
        }
        config
    }
}

impl Workload {
    fn read(&mut self, mut fields: Fields) -> Result<(), BadInput> {
        if let Some(rate) = fields.number("writes_per_second", 0..=LARGEST_RATE)? {
            self.writes_per_second = rate;
            self.curve.clear();
        }
        if let Some(curve) = curve::read(&mut fields)? {
            self.curve = curve;
        }
        self.value_bytes = fields.number_or("value_bytes", self.value_bytes, 0..=LARGEST_VALUE)?;
        self.keys = fields.number_or("keys", self.keys, 1..=1_000_000)?;
        fields.finish()
    }

    fn to_json(&self) -> Json {
        let curve = (!self.curve.is_empty()).then(|| curve::to_json(&self.curve));
        json::object(&mut [
            ("writes_per_second", self.writes_per_second.into()),
            ("value_bytes", self.value_bytes.into()),
            ("keys", self.keys.into()),
            ("curve", curve.into()),
        ])
    }

    /// What is too much about it on so many servers, if anything is.
    pub(super) fn too_much(&self, servers: usize) -> Option<String> {
        let rate = self.writes_per_second.max(curve::peak(&self.curve));
        let products = [
            (rate, "writes a second", 1, LARGEST_FLOOD),
            (self.keys, "keys", 1, LARGEST_HEAP),
            (self.keys, "keys", servers as u64, LARGEST_WORLD),
        ];
        products.into_iter().find_map(|(count, of, servers, most)| {
            let all = count * servers * self.value_bytes;
            let mut text = format!("times {count} {of}");
            if servers > 1 {
                text += &format!(" times {servers} servers (replicas + 1)");
            }
            (all > most).then(|| format!("{text} makes {all} bytes; at most {most} do"))
        })
    }
}

impl Wire {
    /// A bandwidth of 0 is written for "unlimited".
    fn read(&mut self, fields: &mut Fields) -> Result<(), BadInput> {
        self.latency_us =
            fields.number_or("latency_us", self.latency_us, 0..=LARGEST_LATENCY_US)?;
        if let Some(bandwidth) = fields.number("bandwidth_bytes_per_second", 0..=1 << 40)? {
            self.bandwidth_bytes_per_second = Some(bandwidth).filter(|bytes| *bytes > 0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_scenario_is_the_default_one() {
        assert_eq!(Scenario::from_json("{}"), Ok(Scenario::default()));
    }

    #[test]
    fn every_preset_reads_and_reads_back_as_it_was_written() {
        for preset in presets::all() {
            let scenario = Scenario::preset(&preset.name).expect("a preset is a scenario");
            assert_eq!(Scenario::from_json(&scenario.to_json()), Ok(scenario));
        }
    }

    #[test]
    fn every_preset_has_room_for_as_many_replicas_as_there_can_be() {
        for preset in presets::all() {
            let many = format!(r#"{{"preset":"{}","replicas":100}}"#, preset.name);
            assert_eq!(Scenario::from_json(&many).map(|scenario| scenario.replicas), Ok(100));
        }
    }

    #[test]
    fn other_keys_override_the_preset_and_leave_the_rest() {
        let preset = Scenario::preset("short-blip").expect("there is one");
        let text = r#"{"preset":"short-blip","seed":9,"config":{"repl-backlog-size":"64kb"}}"#;
        let mine = Scenario::from_json(text).expect("good");
        assert_eq!(mine.seed, 9);
        assert_eq!(mine.server_config().backlog_bytes, 65536);
        assert_eq!(mine.actions, preset.actions);
        assert_eq!(mine.workload, preset.workload);
    }

    #[test]
    fn a_bad_scenario_is_refused_with_the_name_of_the_place() {
        for (text, says) in [
            ("nonsense", "scenario is not JSON: expected ident at line 1 column 2"),
            ("7", "scenario must be an object, not a number"),
            (r#"{"version":2}"#, "scenario.version is 2; it must be from 1 to 1"),
            (r#"{"replicas":101}"#, "scenario.replicas is 101; it must be from 1 to 100"),
            (r#"{"replicas":"3"}"#, "scenario.replicas must be a number, not a text"),
            (
                r#"{"engine":"redis-9"}"#,
                "scenario.engine is \"redis-9\"; there are: proposal, redis-2.8, \
                 redis-4.0, redis-6.2, redis-7.0, redis-7.2, valkey-9",
            ),
            (
                r#"{"config":{"repl-backlog-size":"big"}}"#,
                "scenario.config.repl-backlog-size cannot be used: Invalid argument 'big' for \
                 CONFIG SET 'repl-backlog-size' - argument must be a memory value",
            ),
            (
                r#"{"config":{"maxmemory":"1"}}"#,
                "scenario.config.maxmemory cannot be used: Unsupported CONFIG parameter: maxmemory",
            ),
            (
                r#"{"config":{"repl-timeout":[]}}"#,
                "scenario.config.repl-timeout must be a text or a number, not an array",
            ),
            (r#"{"workload":{"writes":1}}"#, "scenario.workload.writes is not known here"),
            (
                r#"{"seed":18014398509481984}"#,
                "scenario.seed is 18014398509481984; it must be from 0 to 9007199254740991",
            ),
            (
                r#"{"network":{"links":{"replica-4":{}}}}"#,
                "scenario.network.links.replica-4 names no replica; the last is replica-3",
            ),
            (r#"{"actions":{}}"#, "scenario.actions must be a list, not an object"),
            (
                r#"{"actions":[{"do":"cut","replica":"replica-1"},{"do":"cut"}]}"#,
                "scenario.actions[1].replica is missing",
            ),
            (
                r#"{"actions":[{"do":"cut","replica":"replica-4"}]}"#,
                "scenario.actions[0].replica is \"replica-4\"; there are master and replica-1 to replica-3",
            ),
            (
                r#"{"actions":[{"do":"config","directive":"x","value":"1"}]}"#,
                "scenario.actions[0].directive is \"x\": Unsupported CONFIG parameter: x",
            ),
            (
                r#"{"actions":[{"do":"write","argv":["SYNC"]}]}"#,
                "scenario.actions[0].argv is SYNC: only replicas say that, on their own link",
            ),
            (
                r#"{"workload":{"curve":[]}}"#,
                "scenario.workload.curve has 0 points; it must have 1 to 64",
            ),
            (
                r#"{"workload":{"curve":[{"at_us":5,"writes_per_second":1},{"at_us":4,"writes_per_second":1}]}}"#,
                "scenario.workload.curve[1].at_us is 4; it must be from 5 to 8640000000000",
            ),
            (
                r#"{"workload":{"curve":[{"at_us":5}]}}"#,
                "scenario.workload.curve[0].writes_per_second is missing",
            ),
            (r#"{"speed":1}"#, "scenario.speed is not known here"),
        ] {
            assert_eq!(Scenario::from_json(text).expect_err(text).to_string(), says, "{text}");
        }
    }

    #[test]
    fn more_than_a_page_has_room_for_is_refused_with_the_product_and_its_limit() {
        for (text, says) in [
            (
                r#"{"workload":{"writes_per_second":1000,"value_bytes":1000000}}"#,
                "scenario.workload.value_bytes times 1000 writes a second makes 1000000000 bytes; at most 134217728 do",
            ),
            (
                r#"{"replicas":99,"workload":{"keys":50,"value_bytes":60000}}"#,
                "scenario.workload.value_bytes times 50 keys times 100 servers (replicas + 1) \
                 makes 300000000 bytes; at most 268435456 do",
            ),
            (
                r#"{"workload":{"keys":1000,"value_bytes":60000}}"#,
                "scenario.workload.value_bytes times 1000 keys makes 60000000 bytes; at most 33554432 do",
            ),
        ] {
            assert_eq!(Scenario::from_json(text).expect_err(text).to_string(), says, "{text}");
        }
    }

    #[test]
    fn an_unknown_preset_is_refused_with_the_names_of_all_there_are() {
        let error = Scenario::preset("x").expect_err("there is none").to_string();
        assert!(error.starts_with("scenario.preset is \"x\"; there are: calm, "), "{error}");
        assert!(presets::all().iter().all(|preset| error.contains(&preset.name)), "{error}");
    }

    #[test]
    fn actions_are_put_in_the_order_of_time() {
        let text = r#"{"actions":[{"at_us":5,"do":"restart"},{"at_us":1,"do":"burst"}]}"#;
        let scenario = Scenario::from_json(text).expect("good");
        let at: Vec<u64> = scenario.actions.iter().map(|timed| timed.at.0).collect();
        assert_eq!(at, [1, 5]);
    }
}
