//! JSON texts: the one place where they are read and written.
//!
//! Natively `serde_json` does both. A browser brings a parser of its own, so the module for the page
//! carries none: the values are `serde_json`'s everywhere, the texts are read and written by what is
//! there. Both read the same values and write the same texts, up to 2^53 - 1: JavaScript has one kind of
//! number, so there `5.0` is 5, and what is larger is rounded before it is refused. The words of errors
//! are the parser's own.

use serde_json::{Map, Value};

#[cfg(target_arch = "wasm32")]
mod browser;

/// Reads a text.
///
/// # Errors
/// When it is not JSON: what is wrong and where, in the parser's words.
#[cfg(not(target_arch = "wasm32"))]
pub fn read(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Writes a value, without any blanks and with the keys of objects in their order.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn write(value: &Value) -> String {
    value.to_string()
}

#[cfg(target_arch = "wasm32")]
pub use browser::{read, write};

/// An object of these fields, which are moved out; one that is null is left out.
///
/// `json!` says the same in code of its own at every place.
#[must_use]
pub fn object(fields: &mut [(&str, Value)]) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        if !value.is_null() {
            object.insert((*name).to_owned(), value.take());
        }
    }
    Value::Object(object)
}
