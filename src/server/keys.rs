//! KEYS, SCAN, TYPE: looking through the keys of a database.
//!
//! A cursor of SCAN is a place in the order of keys, given as the number of keys before it, so a
//! key that stays all the time is seen unless keys before it go. Real servers promise more.

use bytes::Bytes;

use super::command::{Context, Effect};
use super::config::glob;
use super::keyspace::Keyspace;
use crate::wire::{Value, parse_integer};

const SYNTAX: &str = "ERR syntax error";
/// How many keys SCAN looks at when it is not told.
const SCAN_COUNT: u64 = 10;

pub fn keys(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let found = data.live_keys(context.db, context.expired_by_ms);
    let found = found.filter(|key| glob(&argv[1], key));
    Effect::read(Value::Array(found.map(|key| Value::Bulk(key.clone())).collect()))
}

pub fn type_of(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let found = data.live(context.db, &argv[1], context.expired_by_ms);
    let name: &[u8] = if found.is_some() { b"string" } else { b"none" };
    Effect::read(Value::Simple(Bytes::copy_from_slice(name)))
}

struct Scan {
    pattern: Option<Bytes>,
    count: u64,
    strings: bool,
}

pub fn scan(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let cursor = parse_integer(&argv[1]).and_then(|n| usize::try_from(n).ok());
    let Some(cursor) = cursor else { return Effect::error("ERR invalid cursor") };
    let scan = match options(&argv[2..]) {
        Ok(scan) => scan,
        Err(refused) => return Effect::error(refused),
    };
    let count = usize::try_from(scan.count).unwrap_or(usize::MAX);
    let mut rest = data.live_keys(context.db, context.expired_by_ms).skip(cursor);
    let seen: Vec<&Bytes> = rest.by_ref().take(count).collect();
    let next = if rest.next().is_some() { cursor + seen.len() } else { 0 };
    let fits = |key: &&&Bytes| {
        scan.strings && scan.pattern.as_ref().is_none_or(|pattern| glob(pattern, key))
    };
    let found = seen.iter().filter(fits).map(|key| Value::Bulk((*key).clone())).collect();
    Effect::read(Value::Array(vec![
        Value::Bulk(Bytes::from(next.to_string())),
        Value::Array(found),
    ]))
}

fn options(words: &[Bytes]) -> Result<Scan, &'static str> {
    let mut scan = Scan { pattern: None, count: SCAN_COUNT, strings: true };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let value = rest.next().ok_or(SYNTAX)?;
        match word.to_ascii_lowercase().as_slice() {
            b"match" => scan.pattern = Some(value.clone()),
            b"count" => {
                let count =
                    parse_integer(value).ok_or("ERR value is not an integer or out of range")?;
                let count = u64::try_from(count).ok().filter(|count| *count > 0);
                scan.count = count.ok_or(SYNTAX)?;
            }
            b"type" => scan.strings = value.eq_ignore_ascii_case(b"string"),
            _ => return Err(SYNTAX),
        }
    }
    Ok(scan)
}
