//! Answers to clients, in the few shapes that commands give.

use bytes::Bytes;

use crate::wire::Value;

/// What a command answers; `None` when it has answered for itself, or must stay silent.
pub type Answer = Option<Value>;

pub const SYNTAX: &str = "ERR syntax error";
pub const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

pub fn ok() -> Answer {
    simple("OK")
}

pub fn simple(text: &'static str) -> Answer {
    Some(Value::Simple(Bytes::from_static(text.as_bytes())))
}

/// An error; the text begins with its code.
pub fn error(text: impl Into<String>) -> Answer {
    Some(Value::Error(Bytes::from(text.into())))
}

pub fn bulk(text: impl Into<String>) -> Value {
    Value::Bulk(Bytes::from(text.into()))
}

pub fn integer(n: u64) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A word that a client sent, for comparing and printing.
pub fn text(word: &Bytes) -> String {
    String::from_utf8_lossy(word).into_owned()
}

/// The same in lower case.
pub fn lower(word: &Bytes) -> String {
    text(word).to_ascii_lowercase()
}
