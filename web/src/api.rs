//! Arguments and results of the element's methods: JavaScript values checked on their way in,
//! plain objects on their way out.
//!
//! Every error names the method and the argument. Numbers stay numbers, never `BigInt`; one that
//! JavaScript would round is an error instead.

use js_sys::{Array, Error, JSON, Number};
use psync::json;
use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::attributes::{MAX_SAFE, Pair, unsafe_number};
use crate::world::{Action, Scenario, Shared, Snapshot};

/// The longest that one call may run the world: a day. More would look like a page that hangs.
pub const LONGEST_US: u64 = 86_400_000_000;

/// `snapshot()`: the world, and whether it stands.
#[derive(Serialize)]
pub struct SnapshotOut<'a> {
    /// Whether time stands.
    pub paused: bool,
    /// The world.
    #[serde(flatten)]
    pub snapshot: &'a Snapshot,
}

/// An `Error` of `method` with this text.
pub fn error(method: &str, text: &str) -> JsValue {
    Error::new(&format!("{method}: {text}")).into()
}

/// A plain object.
///
/// # Errors
///
/// When a number in it is above 2^53 - 1.
pub fn plain<T: Serialize + ?Sized>(method: &str, value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|why| error(method, &format!("a number above 2^53 - 1 cannot be told: {why}")))
}

/// A JSON value as a plain object.
#[must_use]
pub fn value(value: &Value) -> JsValue {
    // What was just written is read.
    JSON::parse(&json::write(value)).unwrap_or(JsValue::NULL)
}

/// A JSON text as a plain object.
///
/// # Errors
///
/// When a number in it is above 2^53 - 1.
pub fn parsed(method: &str, text: &str) -> Result<JsValue, JsValue> {
    let value = json::read(text).map_err(|why| error(method, &why))?;
    match unsafe_number(&value, "result") {
        Some(path) => Err(error(method, &format!("{path} is above 2^53 - 1"))),
        None => JSON::parse(text).map_err(|_| error(method, "the result is no JSON")),
    }
}

/// A whole number of microseconds.
///
/// # Errors
///
/// When it is not, or too large.
pub fn microseconds(method: &str, argument: &JsValue) -> Result<u64, JsValue> {
    let shown = || show(argument);
    let n = argument.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0).ok_or_else(|| {
        error(method, &format!("us must be a non-negative whole number, got {}", shown()))
    })?;
    // Checked to be whole and in range, so the cast is exact.
    if n > MAX_SAFE as f64 {
        return Err(error(method, &format!("us must be at most 2^53 - 1, got {}", shown())));
    }
    Ok(n as u64)
}

/// Refuses to run the world for more than a day in one call.
///
/// # Errors
///
/// When `us` is more than that.
pub fn not_too_long(method: &str, us: u64) -> Result<(), JsValue> {
    if us > LONGEST_US {
        let text = format!("us would run the world for {us} at once; the most is {LONGEST_US}");
        return Err(error(method, &text));
    }
    Ok(())
}

/// An action.
///
/// # Errors
///
/// When it is none, in the core's words.
pub fn action(argument: &JsValue) -> Result<Action, JsValue> {
    const METHOD: &str = "act(action)";
    let text = object_text(METHOD, "action", argument)?;
    Action::from_json(&text).map_err(|why| error(METHOD, &why.to_string()))
}

/// A scenario.
///
/// # Errors
///
/// When it is none, in the core's words.
pub fn scenario(argument: &JsValue) -> Result<Scenario, JsValue> {
    const METHOD: &str = "load(scenario)";
    let text = object_text(METHOD, "scenario", argument)?;
    Scenario::from_json(&text).map_err(|why| error(METHOD, &why.to_string()))
}

/// The `[source, name, value]` lists of the element's script; of a link also what it carries,
/// unpacked, and what was wrong with it.
#[must_use]
pub fn pairs(list: &Array) -> Vec<Pair> {
    let text = |entry: &Array, i| entry.get(i).as_string().unwrap_or_default();
    list.iter()
        .map(|entry| {
            let entry = Array::from(&entry);
            let (name, value) = (text(&entry, 1), text(&entry, 2));
            let run = (name == "run").then(|| match entry.get(3).as_string() {
                Some(json) => Shared::from_json(&json).map_err(|why| why.to_string()),
                None => Err(text(&entry, 4)),
            });
            Pair { source: text(&entry, 0), name, value, run }
        })
        .collect()
}

fn object_text(method: &str, name: &str, argument: &JsValue) -> Result<String, JsValue> {
    if !argument.is_object() || Array::is_array(argument) {
        return Err(error(method, &format!("{name} must be an object, got {}", show(argument))));
    }
    let text = JSON::stringify(argument)
        .ok()
        .and_then(|text| text.as_string())
        .ok_or_else(|| error(method, &format!("{name} must be plain JSON")))?;
    let value = json::read(&text).map_err(|why| error(method, &format!("{name}: {why}")))?;
    match unsafe_number(&value, name) {
        Some(path) => Err(error(method, &format!("{path} is above 2^53 - 1"))),
        None => Ok(text),
    }
}

/// A value in an error message: short, and strings in quotes.
fn show(value: &JsValue) -> String {
    let json = || JSON::stringify(value).ok().and_then(|text| text.as_string());
    let kind = || value.js_typeof().as_string().unwrap_or_default();
    let number = || value.unchecked_ref::<Number>().to_string_with_radix(10).ok().map(String::from);
    let text = match (value.as_string(), value.as_f64()) {
        (Some(text), _) => format!("\"{text}\""),
        (_, Some(_)) => number().unwrap_or_else(kind),
        (None, None) if value.is_object() => json().unwrap_or_else(kind),
        (None, None) if value.is_null() => "null".to_owned(),
        (None, None) => kind(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    }
}
