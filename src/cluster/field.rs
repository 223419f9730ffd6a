//! Reading JSON objects written by people, with errors that name the place.
//!
//! Nothing is skipped silently: a field that nobody asked for is an error too, because it is
//! usually a misspelled one.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value as Json};

use crate::json;

/// Somebody gave something that cannot be used: where it stood, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadInput {
    /// Such as `scenario.actions[2].replica`.
    pub place: String,
    /// Such as `is missing`.
    pub problem: String,
}

impl BadInput {
    /// At this place there is this problem.
    #[must_use]
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> BadInput {
        BadInput { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.problem)
    }
}

impl std::error::Error for BadInput {}

/// The fields of one object; each is taken out when it is read.
pub(crate) struct Fields {
    place: String,
    left: Map<String, Json>,
}

impl Fields {
    pub fn of(place: impl Into<String>, json: &Json) -> Result<Fields, BadInput> {
        let place = place.into();
        match json {
            Json::Object(fields) => Ok(Fields { place, left: fields.clone() }),
            other => {
                Err(BadInput::new(place, format!("must be an object, not {}", kind_of(other))))
            }
        }
    }

    /// An error about one field.
    pub fn bad(&self, name: &str, problem: impl Into<String>) -> BadInput {
        BadInput::new(self.path(name), problem)
    }

    pub fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// Takes a field out, as it is. `null` counts as absent.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        self.left.remove(name).filter(|json| !json.is_null())
    }

    pub fn text(&mut self, name: &str) -> Result<String, BadInput> {
        self.optional_text(name)?.ok_or_else(|| self.bad(name, "is missing"))
    }

    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, BadInput> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.bad(name, format!("must be a text, not {}", kind_of(&other)))),
        }
    }

    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, BadInput> {
        let items = self.list(name)?;
        let text = |(index, item): (usize, Json)| match item {
            Json::String(text) => Ok(text),
            other => Err(self.bad(
                &format!("{name}[{index}]"),
                format!("must be a text, not {}", kind_of(&other)),
            )),
        };
        items.into_iter().enumerate().map(text).collect()
    }

    pub fn list(&mut self, name: &str) -> Result<Vec<Json>, BadInput> {
        match self.take(name) {
            None => Err(self.bad(name, "is missing")),
            Some(Json::Array(items)) => Ok(items),
            Some(other) => Err(self.bad(name, format!("must be a list, not {}", kind_of(&other)))),
        }
    }

    pub fn flag_or(&mut self, name: &str, default: bool) -> Result<bool, BadInput> {
        match self.take(name) {
            None => Ok(default),
            Some(Json::Bool(flag)) => Ok(flag),
            Some(other) => {
                Err(self.bad(name, format!("must be true or false, not {}", kind_of(&other))))
            }
        }
    }

    /// A whole number within bounds. Numbers travel through JavaScript, so 2^53 is the end.
    pub fn number(
        &mut self,
        name: &str,
        bounds: RangeInclusive<u64>,
    ) -> Result<Option<u64>, BadInput> {
        let Some(json) = self.take(name) else { return Ok(None) };
        let (min, max) = (bounds.start(), bounds.end());
        // JavaScript has one kind of number, so 5.0 is 5 to it and must be to us.
        let whole = json.as_u64().or_else(|| {
            let float = json.as_f64()?;
            (float >= 0.0 && float.fract() == 0.0 && float <= 9_007_199_254_740_992.0)
                .then_some(float as u64)
        });
        match (whole, &json) {
            (Some(number), _) if bounds.contains(&number) => Ok(Some(number)),
            (Some(number), _) => {
                Err(self.bad(name, format!("is {number}; it must be from {min} to {max}")))
            }
            (None, Json::Number(_)) => {
                let number = json::write(&json);
                Err(self.bad(
                    name,
                    format!("is {number}; it must be a whole number from {min} to {max}"),
                ))
            }
            (None, other) => {
                Err(self.bad(name, format!("must be a number, not {}", kind_of(other))))
            }
        }
    }

    pub fn number_or(
        &mut self,
        name: &str,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> Result<u64, BadInput> {
        Ok(self.number(name, bounds)?.unwrap_or(default))
    }

    /// A whole number that must be there.
    pub fn needed(&mut self, name: &str, bounds: RangeInclusive<u64>) -> Result<u64, BadInput> {
        self.number(name, bounds)?.ok_or_else(|| self.bad(name, "is missing"))
    }

    /// An object inside this one.
    pub fn object(&mut self, name: &str) -> Result<Option<Fields>, BadInput> {
        let place = self.path(name);
        self.take(name).map(|json| Fields::of(place, &json)).transpose()
    }

    /// The names of the fields that nobody has taken yet.
    pub fn names(&self) -> Vec<String> {
        self.left.keys().cloned().collect()
    }

    /// Nothing may be left over.
    pub fn finish(self) -> Result<(), BadInput> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.bad(name, "is not known here")),
        }
    }
}

pub(super) fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
