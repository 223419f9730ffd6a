//! What a run is made of, as the settings panel shows and changes it.
//!
//! Changes that the world takes while it runs are actions; the others begin the run again, with
//! the same actions.

use psync::cluster::curve::Point;
use psync::server::config::{Config, ConfigError, OutputLimit, parse_memory};
use psync::server::engine::REDIS_7_2;
use serde_json::Value;

use crate::attributes::{MAX_SAFE, insert};
use crate::format::conf_size;
use crate::world::{Action, Engine, Keeping, Scenario, ServerSnapshot, Snapshot, TimedAction};

/// What the panel shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// The preset it was made from.
    pub preset: Option<String>,
    /// `redis-6.2`.
    pub engine: String,
    /// Of all that is random.
    pub seed: u64,
    /// How many.
    pub replicas: u64,
    /// `repl-backlog-size` of the master, as redis.conf writes it.
    pub backlog: String,
    /// The other modelled directives of the master, as redis.conf writes them.
    pub directives: Vec<(&'static str, String)>,
    /// Of the steady workload.
    pub writes_per_second: u64,
    /// A drawn rate in place of a steady one, and the moment at which it began.
    pub curve: Option<(u64, Vec<Point>)>,
    /// Length of each value.
    pub value_bytes: u64,
    /// One way, of every link.
    pub latency_us: u64,
}

/// A modelled directive of redis.conf, apart from the backlog's size.
#[derive(Debug)]
pub struct Directive {
    /// Its own name.
    pub name: &'static str,
    /// Its unit, or what may be typed.
    pub unit: &'static str,
    /// Whether an engine has it.
    known: fn(&Engine) -> bool,
}

/// The one whose value is a list.
const LIMIT: &str = "client-output-buffer-limit";

const ALWAYS: fn(&Engine) -> bool = |_| true;

/// In the order of the panel.
pub const DIRECTIVES: &[Directive] = &[
    Directive { name: "repl-backlog-ttl", unit: "s, 0 = never", known: ALWAYS },
    Directive { name: LIMIT, unit: "hard soft s", known: ALWAYS },
    Directive { name: "repl-timeout", unit: "s", known: ALWAYS },
    Directive { name: "repl-ping-replica-period", unit: "s", known: ALWAYS },
    Directive {
        name: "repl-diskless-sync",
        unit: "yes or no",
        // Since 2.8.18; nobody thought of it in 2011.
        known: |engine| !matches!(engine.keeping, Keeping::Retained),
    },
    Directive {
        name: "repl-diskless-sync-delay",
        unit: "s",
        known: |engine| !matches!(engine.keeping, Keeping::Retained),
    },
    Directive {
        name: "dual-channel-replication-enabled",
        unit: "yes or no",
        known: |engine| engine.dual_channel,
    },
];

impl PartialEq for Directive {
    fn eq(&self, other: &Directive) -> bool {
        self.name == other.name
    }
}

impl Eq for Directive {}

impl Directive {
    /// Asks the core whether it takes the value; its answer, in words, is shown where it does not.
    fn read(&self, text: &str) -> Result<Change, String> {
        let value = if self.name == LIMIT { format!("replica {text}") } else { text.to_owned() };
        let mut trial = Config::defaults(&REDIS_7_2);
        match trial.set(self.name, &value) {
            Ok(()) => Ok(Change::Config(self.name, value)),
            Err(ConfigError::Invalid { wants, .. }) => Err(format!("Not that: {wants}.")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What a configuration says, for every directive of the panel.
fn directives(config: &Config) -> Vec<(&'static str, String)> {
    let text = |directive: &Directive| match directive.name {
        LIMIT => {
            let OutputLimit { hard_bytes, soft_bytes, soft_seconds } = config.replica_limit;
            format!("{} {} {soft_seconds}", conf_size(hard_bytes), conf_size(soft_bytes))
        }
        name => config.matching(name).into_iter().next().map(|(_, text)| text).unwrap_or_default(),
    };
    DIRECTIVES.iter().map(|directive| (directive.name, text(directive))).collect()
}

/// `replica 256mb 64mb 60` without its first word, which stands on the label.
fn limit_of(value: &str) -> String {
    value.strip_prefix("replica ").unwrap_or(value).to_owned()
}

/// An engine as people write it.
#[must_use]
pub fn engine_title(engine: &Engine) -> String {
    let version: Vec<&str> = engine.version.split('.').take(2).collect();
    match engine.keeping {
        Keeping::Retained => "The 2011 proposal".to_owned(),
        _ => format!("{} {}", engine.server_name(), version.join(".")),
    }
}

/// One field of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `repl-backlog-size`.
    Backlog,
    /// Another directive.
    Directive(&'static Directive),
    /// Writes per second.
    Writes,
    /// Bytes in a value.
    ValueBytes,
    /// Milliseconds one way.
    Latency,
    /// How many replicas.
    Replicas,
    /// Seed.
    Seed,
}

/// A checked change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `CONFIG SET` on the master.
    Config(&'static str, String),
    /// A key of a group of the scenario: `workload`, `network`.
    Grouped(&'static str, &'static str, u64),
    /// A key of the scenario itself.
    Plain(&'static str, u64),
    /// Another engine, by its name.
    Engine(String),
}

impl Setup {
    /// The engine's row.
    #[must_use]
    pub fn engine(&self) -> &'static Engine {
        Engine::by_name(&self.engine).unwrap_or(&REDIS_7_2)
    }

    /// Reads a scenario; of its actions, those until `now_us` count.
    #[must_use]
    pub fn read(scenario: &Scenario, now_us: u64) -> Setup {
        let config = scenario.server_config();
        let mut setup = Setup {
            preset: scenario.preset.clone(),
            engine: scenario.engine.name.to_owned(),
            seed: scenario.seed,
            replicas: scenario.replicas as u64,
            backlog: conf_size(config.backlog_bytes),
            directives: directives(&config),
            writes_per_second: scenario.workload.writes_per_second,
            curve: Some(scenario.workload.curve.clone())
                .filter(|curve| !curve.is_empty())
                .map(|curve| (0, curve)),
            value_bytes: scenario.workload.value_bytes,
            latency_us: scenario.network.default.latency_us,
        };
        let until = |timed: &&TimedAction| timed.at.0 <= now_us;
        for timed in scenario.actions.iter().take_while(until) {
            setup.follow(timed.at.0, &timed.action);
        }
        setup
    }

    /// Lets an action that was made change what is shown.
    fn follow(&mut self, at_us: u64, action: &Action) {
        match action {
            Action::Config { server, directive, value } if server == "master" => {
                if directive == "repl-backlog-size" {
                    value.clone_into(&mut self.backlog);
                }
                let named = self.directives.iter_mut().find(|(name, _)| name == directive);
                if let Some((name, text)) = named {
                    *text = if *name == LIMIT { limit_of(value) } else { value.clone() };
                }
            }
            Action::Link { latency_us: Some(latency_us), .. } => self.latency_us = *latency_us,
            Action::Workload { writes_per_second, value_bytes, curve } => {
                match (writes_per_second, curve, &mut self.curve) {
                    (Some(_), ..) => self.curve = None,
                    (_, Some(curve), _) => self.curve = Some((at_us, curve.clone())),
                    // What is changed besides begins it again.
                    (_, _, Some((began_us, _))) => *began_us = at_us,
                    _ => {}
                }
                self.writes_per_second = writes_per_second.unwrap_or(self.writes_per_second);
                self.value_bytes = value_bytes.unwrap_or(self.value_bytes);
            }
            _ => {}
        }
    }
}

impl Field {
    /// In the order of the panel, as far as `engine` knows them.
    #[must_use]
    pub fn of(engine: &Engine) -> Vec<Field> {
        let known = |directive: &&Directive| (directive.known)(engine);
        let directives = DIRECTIVES.iter().filter(known).map(Field::Directive);
        std::iter::once(Field::Backlog)
            .chain(directives)
            .chain([Field::Writes, Field::ValueBytes, Field::Latency, Field::Replicas, Field::Seed])
            .collect()
    }

    /// The field of a directive.
    #[must_use]
    pub fn named(directive: &str) -> Option<Field> {
        let found = DIRECTIVES.iter().find(|known| known.name == directive).map(Field::Directive);
        found.or_else(|| (directive == Field::Backlog.label()).then_some(Field::Backlog))
    }

    /// Whether it is a directive of redis.conf.
    #[must_use]
    pub fn is_directive(self) -> bool {
        matches!(self, Field::Backlog | Field::Directive(_))
    }

    /// Its label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Field::Backlog => "repl-backlog-size",
            Field::Directive(directive) => directive.name,
            Field::Writes => "Writes per second",
            Field::ValueBytes => "Value size",
            Field::Latency => "Latency, one way",
            Field::Replicas => "Replicas",
            Field::Seed => "Seed",
        }
    }

    /// Whether the world takes it while it runs.
    #[must_use]
    pub fn is_live(self) -> bool {
        !matches!(self, Field::Replicas | Field::Seed)
    }

    /// Its unit, or what may be typed.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Field::Backlog => "16kb, 1mb",
            Field::Directive(directive) => directive.unit,
            Field::Writes => "/s",
            Field::ValueBytes => "B",
            Field::Latency => "ms",
            Field::Replicas => "1 to 100",
            Field::Seed => "",
        }
    }

    /// For the input's id, unique inside one element.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Field::Backlog => "set-backlog",
            Field::Directive(directive) => directive.name,
            Field::Writes => "set-writes",
            Field::ValueBytes => "set-value-bytes",
            Field::Latency => "set-latency",
            Field::Replicas => "set-replicas",
            Field::Seed => "set-seed",
        }
    }

    /// Its text at present.
    #[must_use]
    pub fn text(self, setup: &Setup) -> String {
        match self {
            Field::Backlog => setup.backlog.clone(),
            Field::Directive(directive) => {
                let found = setup.directives.iter().find(|(name, _)| *name == directive.name);
                found.map(|(_, text)| text.clone()).unwrap_or_default()
            }
            Field::Writes => setup.writes_per_second.to_string(),
            Field::ValueBytes => setup.value_bytes.to_string(),
            Field::Latency => milliseconds(setup.latency_us),
            Field::Replicas => setup.replicas.to_string(),
            Field::Seed => setup.seed.to_string(),
        }
    }

    /// Reads what was typed.
    ///
    /// # Errors
    ///
    /// In words to print below the field.
    pub fn read(self, text: &str) -> Result<Change, String> {
        let text = text.trim();
        Ok(match self {
            Field::Backlog => Change::Config("repl-backlog-size", conf_size(size(text)?)),
            Field::Directive(directive) => directive.read(text)?,
            Field::Writes => {
                Change::Grouped("workload", "writes_per_second", whole(text, 0, 1_000_000)?)
            }
            Field::ValueBytes => {
                Change::Grouped("workload", "value_bytes", whole(text, 1, 1 << 20)?)
            }
            Field::Latency => Change::Grouped("network", "latency_us", latency(text)?),
            Field::Replicas => Change::Plain("replicas", whole(text, 1, 100)?),
            Field::Seed => Change::Plain("seed", whole(text, 0, MAX_SAFE)?),
        })
    }
}

impl Change {
    /// As actions, when the world takes it while it runs.
    #[must_use]
    pub fn actions(&self, snapshot: &Snapshot) -> Option<Vec<Action>> {
        match self {
            Change::Config(directive, value) => Some(vec![Action::Config {
                server: "master".to_owned(),
                directive: (*directive).to_owned(),
                value: value.clone(),
            }]),
            Change::Grouped("network", "latency_us", latency_us) => {
                let replicas = snapshot.servers.iter().filter(|server| server.link.is_some());
                let link = |server: &ServerSnapshot| Action::Link {
                    replica: server.name.clone(),
                    latency_us: Some(*latency_us),
                    bandwidth_bytes_per_second: None,
                    loss: None,
                };
                Some(replicas.map(link).collect())
            }
            Change::Grouped("workload", key, value) => {
                let given = |name| (*key == name).then_some(*value);
                Some(vec![Action::Workload {
                    writes_per_second: given("writes_per_second"),
                    value_bytes: given("value_bytes"),
                    curve: None,
                }])
            }
            _ => None,
        }
    }

    /// `scenario` with this change in it from its beginning.
    ///
    /// # Errors
    ///
    /// When the core refuses it, in its words.
    pub fn lay_over(&self, scenario: &Scenario) -> Result<Scenario, String> {
        let Value::Object(mut json) = scenario.to_value() else { return Ok(scenario.clone()) };
        match self {
            Change::Config(directive, value) => {
                insert(&mut json, "config", directive, Value::from(value.clone()));
            }
            Change::Grouped(group, key, value) => {
                insert(&mut json, group, key, Value::from(*value));
            }
            Change::Engine(name) => {
                json.insert("engine".to_owned(), Value::from(name.clone()));
            }
            Change::Plain(key, value) => {
                json.insert((*key).to_owned(), Value::from(*value));
            }
        }
        Scenario::from_value(&Value::Object(json)).map_err(|error| error.to_string())
    }
}

fn milliseconds(us: u64) -> String {
    let text = format!("{}.{:03}", us / 1000, us % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn whole(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let n: Option<u64> = text.parse().ok();
    n.filter(|n| (least..=most).contains(n))
        .ok_or_else(|| format!("A whole number from {least} to {most}, please."))
}

/// A size as redis.conf writes it: `1kb` is 1024, `1k` is 1000.
fn size(text: &str) -> Result<u64, String> {
    parse_memory(text)
        .filter(|n| (1..=MAX_SAFE).contains(n))
        .ok_or_else(|| "A size such as 16384, 16kb or 1mb, please.".to_owned())
}

fn latency(text: &str) -> Result<u64, String> {
    let bad = || "Milliseconds from 0 to 10000, please.".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.chars().all(|c| c.is_ascii_digit()) {
        return Err(bad());
    }
    let whole: u64 = whole.parse().map_err(|_| bad())?;
    let part: u64 = format!("{part:0<3}").parse().map_err(|_| bad())?;
    Some(whole).filter(|ms| *ms <= 10_000).map(|ms| ms * 1000 + part).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::ENGINES;

    fn directive(name: &str) -> Field {
        Field::named(name).expect("one of ours")
    }

    #[test]
    fn every_engine_has_a_title_of_its_own_and_only_its_own_directives() {
        let titles: Vec<String> = ENGINES.iter().map(|engine| engine_title(engine)).collect();
        assert_eq!(
            titles,
            [
                "The 2011 proposal",
                "Redis 2.8",
                "Redis 4.0",
                "Redis 6.2",
                "Redis 7.0",
                "Redis 7.2",
                "Valkey 9.1"
            ]
        );
        let dual = directive("dual-channel-replication-enabled");
        let with: Vec<&str> = ENGINES
            .iter()
            .filter(|engine| Field::of(engine).contains(&dual))
            .map(|engine| engine.name)
            .collect();
        assert_eq!(with, ["valkey-9"]);
    }

    #[test]
    fn a_directive_is_refused_in_the_words_of_the_server() {
        let diskless = directive("repl-diskless-sync").read("maybe");
        assert!(diskless.is_err_and(|why| why.contains("yes")));
        assert!(directive(LIMIT).read("64kb").is_err());
        let taken = directive(LIMIT).read("64kb 0 0");
        assert_eq!(taken, Ok(Change::Config(LIMIT, "replica 64kb 0 0".to_owned())));
    }

    #[test]
    fn fields_take_what_redis_conf_takes_and_say_what_they_want() {
        let backlog = |text| Field::Backlog.read(text);
        assert_eq!(backlog("16kb"), Ok(Change::Config("repl-backlog-size", "16kb".to_owned())));
        assert_eq!(backlog(" 1M "), Ok(Change::Config("repl-backlog-size", "1000000".to_owned())));
        for wrong in ["", "kb", "0", "-1", "1tb", "1.5mb", "99999999999999999999"] {
            assert!(backlog(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Field::Latency.read("1.5"), Ok(Change::Grouped("network", "latency_us", 1500)));
        assert!(Field::Latency.read("1.5.5").is_err());
        assert_eq!(Field::Replicas.read("100"), Ok(Change::Plain("replicas", 100)));
        let wrong = Field::Replicas.read("101");
        assert_eq!(wrong, Err("A whole number from 1 to 100, please.".to_owned()));
    }

    #[test]
    fn a_setup_reads_back_what_was_changed() {
        let scenario = Scenario::preset("too-long").unwrap();
        for (field, text) in [
            (Field::Backlog, "32kb"),
            (directive("repl-backlog-ttl"), "60"),
            (directive(LIMIT), "64kb 0 5"),
            (directive("repl-diskless-sync"), "yes"),
            (directive("repl-timeout"), "5"),
            (Field::Writes, "77"),
            (Field::Latency, "2.5"),
            (Field::Replicas, "9"),
            (Field::Seed, "5"),
        ] {
            let changed = field.read(text).unwrap().lay_over(&scenario).unwrap();
            assert_eq!(field.text(&Setup::read(&changed, 0)), text, "{}", field.label());
        }
    }
}
