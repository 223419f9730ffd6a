//! Reading and writing with the browser's `JSON`.

use js_sys::{Array, JSON, Object, Reflect};
use serde_json::{Map, Number, Value};
use wasm_bindgen::{JsCast as _, JsValue};

/// How deep values may lie in each other, as in `serde_json`: it bounds the stack.
const DEEPEST: usize = 127;

/// Reads a text.
///
/// # Errors
/// When it is not JSON: what is wrong and where, in the parser's words.
pub fn read(text: &str) -> Result<Value, String> {
    let value = JSON::parse(text).map_err(|error| {
        let words = error.dyn_into::<js_sys::Error>();
        words.map_or_else(|_| String::new(), |error| String::from(error.message()))
    })?;
    from_js(&value, 0)
}

/// Writes a value, without any blanks and with the keys of objects in their order.
#[must_use]
pub fn write(value: &Value) -> String {
    JSON::stringify(&to_js(value)).map(String::from).unwrap_or_default()
}

fn from_js(value: &JsValue, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err("values lie too deep in each other".to_owned());
    }
    if let Some(number) = value.as_f64() {
        return number_from(number).map(Value::Number);
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::String(text));
    }
    if let Some(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if Array::is_array(value) {
        let items = Array::from(value);
        return items.iter().map(|item| from_js(&item, depth + 1)).collect();
    }
    let Some(object) = value.dyn_ref::<Object>() else { return Ok(Value::Null) };
    let mut fields = Map::new();
    for entry in Object::entries(object).iter() {
        let entry = Array::from(&entry);
        let key = entry.get(0).as_string().unwrap_or_default();
        fields.insert(key, from_js(&entry.get(1), depth + 1)?);
    }
    Ok(Value::Object(fields))
}

/// JavaScript has one kind of number: those that are whole count as whole, as far as they are exact.
fn number_from(number: f64) -> Result<Number, String> {
    if number.fract() == 0.0 && number.abs() < 1e18 {
        let whole = number as i64;
        return Ok(u64::try_from(whole).map_or_else(|_| Number::from(whole), Number::from));
    }
    Number::from_f64(number).ok_or_else(|| "a number is too large".to_owned())
}

fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Bool(flag) => JsValue::from_bool(*flag),
        Value::Number(number) => JsValue::from_f64(number.as_f64().unwrap_or_default()),
        Value::String(text) => JsValue::from_str(text),
        Value::Array(items) => items.iter().map(to_js).collect::<Array>().into(),
        Value::Object(fields) => {
            let object = Object::new();
            for (key, value) in fields {
                // An ordinary object takes any property; there is nothing to go wrong.
                let _ = Reflect::set(&object, &JsValue::from_str(key), &to_js(value));
            }
            object.into()
        }
    }
}
