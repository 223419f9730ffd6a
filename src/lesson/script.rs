//! A lesson as it is written down.
//!
//! ```json
//! { "name": "a-blip", "title": "A blip", "intro": "…", "scenario": { … },
//!   "steps": [ { "say": "…", "look": ["dial"], "do": [ … ], "ask": { "label": "…", "do": [ … ] },
//!                "until": { … } } ],
//!   "goal": { "say": "…", "hint": "…", "until": { … } },
//!   "solution": [ { "when": { … }, "do": { … } } ] }
//! ```
//!
//! `do` is done when a step is entered, `ask` by the reader. The goal is the last step. The
//! solution is one way to the goal, for the test that plays every lesson to its end.

use serde_json::Value as Json;

use super::until::Condition;
use crate::cluster::field::Fields;
use crate::cluster::{Action, BadInput, Scenario};
use crate::json;

/// What the page can point at besides servers (`master`, `replica-1`, …).
pub const PLACES: [&str; 16] = [
    "dial",
    "ruler",
    "fuse",
    "write-head",
    "backlog-first",
    "offset",
    "replid",
    "replid2",
    "cards",
    "links",
    "decision",
    "timeline",
    "transcript",
    "blocks",
    "lists",
    "memory",
];

/// One lesson.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// As links name it.
    pub name: String,
    /// For menus.
    pub title: String,
    /// What it is about, in a sentence.
    pub intro: String,
    /// Where it plays.
    pub scenario: Scenario,
    /// Its steps; the last one is the goal.
    pub steps: Vec<Step>,
    /// One way to the goal: when, and what to do then.
    pub solution: Vec<(Option<Condition>, Action)>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// One sentence.
    pub say: String,
    /// What the page points at.
    pub look: Vec<String>,
    /// Done when the step is entered.
    pub does: Vec<Action>,
    /// What the reader is asked to do.
    pub ask: Option<Ask>,
    /// What it waits for; none, and the reader goes on when it is read.
    pub until: Option<Condition>,
    /// For a goal: help for those who ask for it.
    pub hint: Option<String>,
}

/// Something for the reader to do.
#[derive(Clone, Debug)]
pub struct Ask {
    /// On the button.
    pub label: String,
    /// What it does.
    pub does: Vec<Action>,
}

impl Lesson {
    /// Reads a lesson.
    ///
    /// # Errors
    /// When the text is not JSON or not a lesson; the error begins with `place` and names the
    /// field.
    pub fn from_json(place: &str, text: &str) -> Result<Lesson, BadInput> {
        let json = json::read(text)
            .map_err(|error| BadInput::new(place, format!("is not JSON: {error}")))?;
        let mut fields = Fields::of(place, &json)?;
        let (name, title) = (fields.text("name")?, fields.text("title")?);
        let intro = fields.text("intro")?;
        let scenario =
            fields.take("scenario").ok_or_else(|| fields.bad("scenario", "is missing"))?;
        let scenario = Scenario::from_value(&scenario)
            .map_err(|error| fields.bad("scenario", format!("cannot be used: {error}")))?;
        let reader = Reader { scenario: &scenario };
        let mut steps = Vec::new();
        for (index, json) in fields.list("steps")?.iter().enumerate() {
            steps.push(reader.step(Fields::of(fields.path(&format!("steps[{index}]")), json)?)?);
        }
        let goal = fields.object("goal")?.ok_or_else(|| fields.bad("goal", "is missing"))?;
        let goal = reader.step(goal)?;
        if goal.until.is_none() || goal.hint.is_none() {
            return Err(fields.bad("goal", "must have a condition and a hint"));
        }
        steps.push(goal);
        let mut solution = Vec::new();
        for (index, json) in fields.list("solution")?.iter().enumerate() {
            let mut fields = Fields::of(fields.path(&format!("solution[{index}]")), json)?;
            let when = reader.condition(&mut fields, "when")?;
            let action = fields.take("do").ok_or_else(|| fields.bad("do", "is missing"))?;
            solution.push((when, reader.action(&fields, "do", &action)?));
            fields.finish()?;
        }
        fields.finish()?;
        Ok(Lesson { name, title, intro, scenario, steps, solution })
    }

    /// The number of its goal among its steps.
    #[must_use]
    pub fn goal(&self) -> usize {
        self.steps.len() - 1
    }
}

/// Reads the parts of a lesson that plays in this scenario.
struct Reader<'a> {
    scenario: &'a Scenario,
}

impl Reader<'_> {
    fn step(&self, mut fields: Fields) -> Result<Step, BadInput> {
        let say = fields.text("say")?;
        let mut look = Vec::new();
        for json in self.optional_list(&mut fields, "look")? {
            let name = json.as_str().unwrap_or_default();
            if !PLACES.contains(&name) && !self.is_server(name) {
                return Err(fields.bad("look", format!("names \"{name}\", which is no place")));
            }
            look.push(name.to_owned());
        }
        let does = self.actions(&mut fields)?;
        let ask = match fields.object("ask")? {
            Some(mut ask) => {
                let (label, does) = (ask.text("label")?, self.actions(&mut ask)?);
                ask.finish()?;
                Some(Ask { label, does })
            }
            None => None,
        };
        let until = self.condition(&mut fields, "until")?;
        let hint = fields.optional_text("hint")?;
        fields.finish()?;
        Ok(Step { say, look, does, ask, until, hint })
    }

    fn optional_list(&self, fields: &mut Fields, name: &str) -> Result<Vec<Json>, BadInput> {
        match fields.take(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) => Ok(items),
            Some(_) => Err(fields.bad(name, "must be a list")),
        }
    }

    fn actions(&self, fields: &mut Fields) -> Result<Vec<Action>, BadInput> {
        let list = self.optional_list(fields, "do")?;
        list.iter().map(|json| self.action(fields, "do", json)).collect()
    }

    fn action(&self, fields: &Fields, name: &str, json: &Json) -> Result<Action, BadInput> {
        let action = Action::from_value(json)
            .map_err(|error| fields.bad(name, format!("cannot be used: {error}")))?;
        let unknown = action.names().into_iter().find(|(_, server)| !self.is_server(server));
        match unknown {
            Some((_, server)) => Err(fields.bad(name, format!("names no server: \"{server}\""))),
            None => Ok(action),
        }
    }

    fn condition(&self, fields: &mut Fields, name: &str) -> Result<Option<Condition>, BadInput> {
        let Some(fields) = fields.object(name)? else { return Ok(None) };
        Condition::read(fields, &|server| self.is_server(server)).map(Some)
    }

    fn is_server(&self, name: &str) -> bool {
        let number = name.strip_prefix("replica-").and_then(|n| n.parse::<usize>().ok());
        name == "master" || number.is_some_and(|n| (1..=self.scenario.replicas).contains(&n))
    }
}
