//! In what a run and the one beside it differ: another engine, other values of directives.
//!
//! Everything else is the same on both sides: seed, replicas, writes, network, and what is done.

use psync::json;
use psync::server::config::parse_memory;
use serde_json::Value;

use crate::attributes::insert;
use crate::format::conf_size;
use crate::setup::{Change, Field, Setup, engine_title};
use crate::world::{Engine, Keeping, Scenario};

/// What the other side has differently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Another engine, by its name.
    pub engine: Option<String>,
    /// Directives with their values, as redis.conf writes them.
    pub config: Vec<(String, String)>,
}

impl Difference {
    /// Only this directive.
    #[must_use]
    pub fn of(directive: &str, value: &str) -> Difference {
        Difference { engine: None, config: vec![(directive.to_owned(), value.to_owned())] }
    }

    /// What shows something at once where nothing was asked for: a backlog of twice the size, and
    /// beside the proposal, which has none, an engine that has.
    #[must_use]
    pub fn first(setup: &Setup) -> Difference {
        match setup.engine().keeping {
            Keeping::Retained => {
                Difference { engine: Some("redis-7.2".to_owned()), config: Vec::new() }
            }
            _ => Difference::of("repl-backlog-size", &another(Field::Backlog, setup)),
        }
    }

    /// Reads `{"engine": ..., "config": {...}}`.
    ///
    /// # Errors
    ///
    /// In words.
    pub fn from_json(text: &str) -> Result<Difference, String> {
        let wants = || "it must be a JSON object with engine, config or both".to_owned();
        let Ok(Value::Object(json)) = json::read(text) else { return Err(wants()) };
        let mut difference = Difference::default();
        for (key, value) in json {
            match (key.as_str(), value) {
                ("engine", Value::String(name)) => difference.engine = Some(name),
                ("config", Value::Object(config)) => {
                    for (directive, value) in config {
                        let text =
                            value.as_str().map_or_else(|| json::write(&value), str::to_owned);
                        difference.config.push((directive, text));
                    }
                }
                _ => return Err(wants()),
            }
        }
        if difference == Difference::default() { Err(wants()) } else { Ok(difference) }
    }

    /// With one change more. The setup is that of the run compared with.
    pub fn change(&mut self, change: &Change, setup: &Setup) {
        match change {
            Change::Engine(name) => {
                self.engine = Some(name.clone()).filter(|name| *name != setup.engine);
            }
            Change::Config(directive, value) => {
                match self.config.iter_mut().find(|(name, _)| name == directive) {
                    Some((_, old)) => old.clone_from(value),
                    None => self.config.push(((*directive).to_owned(), value.clone())),
                }
            }
            // Writes, network and the rest are the same on both sides.
            Change::Grouped(..) | Change::Plain(..) => {}
        }
    }

    /// With this field in the place of all other directives, at a value that differs.
    pub fn choose(&mut self, field: Option<Field>, setup: &Setup) {
        self.config.clear();
        if let Some(change) = field.and_then(|field| field.read(&another(field, setup)).ok()) {
            self.change(&change, setup);
        }
    }

    /// The directive that the region shows a field for, and its text there.
    #[must_use]
    pub fn field(&self) -> Option<(Field, &str)> {
        let (name, value) = self.config.last()?;
        Some((Field::named(name)?, value.strip_prefix("replica ").unwrap_or(value)))
    }

    /// `scenario` with this in it.
    ///
    /// # Errors
    ///
    /// When the core refuses it, in its words.
    pub fn lay_over(&self, scenario: &Scenario) -> Result<Scenario, String> {
        let Value::Object(mut json) = scenario.to_value() else { return Ok(scenario.clone()) };
        if let Some(engine) = &self.engine {
            json.insert("engine".to_owned(), Value::from(engine.clone()));
        }
        for (directive, value) in &self.config {
            insert(&mut json, "config", directive, Value::from(value.clone()));
        }
        Scenario::from_value(&Value::Object(json)).map_err(|error| error.to_string())
    }

    /// What differs, as one side has it; without a setup as the other one has.
    #[must_use]
    pub fn words(&self, setup: Option<&Setup>) -> String {
        let engine = setup.map_or(self.engine.as_deref().unwrap_or_default(), |s| &s.engine);
        let engine = self.engine.as_ref().and_then(|_| Engine::by_name(engine)).map(engine_title);
        let directives = self.config.iter().map(|(name, value)| {
            let value = match setup {
                Some(setup) => Field::named(name).map(|field| field.text(setup)),
                None => Some(value.strip_prefix("replica ").unwrap_or(value).to_owned()),
            };
            format!("{name} {}", value.unwrap_or_default())
        });
        engine.into_iter().chain(directives).collect::<Vec<String>>().join(", ")
    }
}

/// A value worth trying in the place of the present one.
fn another(field: Field, setup: &Setup) -> String {
    let text = field.text(setup);
    let twice = |text: &str| conf_size(parse_memory(text).unwrap_or(1 << 19).saturating_mul(2));
    match (field.label(), text.as_str()) {
        ("repl-backlog-size", text) => twice(text),
        (_, "yes") => "no".to_owned(),
        (_, "no") => "yes".to_owned(),
        ("client-output-buffer-limit", text) => {
            let parts: Vec<&str> = text.split(' ').collect();
            match parts[..] {
                ["0", "0", _] => "1mb 0 0".to_owned(),
                [hard, soft, seconds] => format!("{} {} {seconds}", twice(hard), twice(soft)),
                _ => text.to_owned(),
            }
        }
        ("repl-backlog-ttl", "0") => "3600".to_owned(),
        ("repl-backlog-ttl", _) => "0".to_owned(),
        (_, "0") => "5".to_owned(),
        (_, text) => text.parse::<u64>().map_or(0, |n| n.saturating_mul(2)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::ENGINES;

    fn setup(preset: &str) -> (Scenario, Setup) {
        let scenario = Scenario::preset(preset).expect("a preset");
        let setup = Setup::read(&scenario, 0);
        (scenario, setup)
    }

    #[test]
    fn every_field_has_another_value_that_the_engine_takes() {
        for engine in ENGINES {
            let (scenario, _) = setup("two-windows");
            let own = Change::Engine(engine.name.to_owned()).lay_over(&scenario).expect("known");
            let setup = Setup::read(&own, 0);
            for field in Field::of(engine).into_iter().filter(|field| field.is_directive()) {
                let mut difference = Difference::default();
                difference.choose(Some(field), &setup);
                let (chosen, value) = difference.field().expect("it is shown");
                assert_eq!(chosen, field);
                assert_ne!(value, field.text(&setup), "{} of {}", field.label(), engine.name);
                let other = difference.lay_over(&own).expect("it is taken");
                assert_eq!(field.text(&Setup::read(&other, 0)), value);
            }
            let first = Difference::first(&setup);
            assert_ne!(first.lay_over(&own).expect("it is taken"), own);
        }
    }

    #[test]
    fn what_differs_is_named_with_the_values_of_each_side() {
        let (_, setup) = setup("too-long");
        let mut difference = Difference::first(&setup);
        assert_eq!(difference.words(None), "repl-backlog-size 32kb");
        assert_eq!(difference.words(Some(&setup)), "repl-backlog-size 16kb");
        difference.change(&Change::Engine("redis-7.2".to_owned()), &setup);
        assert_eq!(difference.words(None), "Redis 7.2, repl-backlog-size 32kb");
        difference.change(&Change::Engine(setup.engine.clone()), &setup);
        assert_eq!(difference.engine, None, "the same engine is no difference");
        difference.choose(None, &setup);
        assert_eq!(difference.words(None), "");
    }

    #[test]
    fn only_engine_and_config_may_differ_and_anything_else_is_refused_in_words() {
        let read = Difference::from_json(
            r#"{"engine":"redis-6.2","config":{"repl-backlog-size":"32kb","repl-backlog-ttl":9}}"#,
        );
        let read = read.expect("it is good");
        assert_eq!(read.words(None), "Redis 6.2, repl-backlog-size 32kb, repl-backlog-ttl 9");
        for wrong in ["", "7", "{}", "{\"seed\":3}", "{\"engine\":7}", "{\"config\":\"x\"}"] {
            let why = Difference::from_json(wrong).expect_err(wrong);
            assert!(why.contains("engine, config"), "{why}");
        }
        let (scenario, _) = setup("too-long");
        let unknown = Difference::of("maxmemory", "1").lay_over(&scenario);
        assert!(unknown.is_err_and(|why| why.contains("maxmemory")));
    }
}
