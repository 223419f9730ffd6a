//! The data commands themselves.
//!
//! What goes into the stream is mostly what came; what has to do with time stands in `expiry`.

use bytes::Bytes;

use super::command::{Context, Effect};
use super::expiry::{self, Expiry};
use super::keyspace::{Entry, Keyspace};
use crate::wire::Value;
use crate::wire::parse_integer;

const SYNTAX: &str = "ERR syntax error";
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
/// Redis `proto-max-bulk-len`: no string may grow beyond it.
const LONGEST_STRING: usize = 512 << 20;

fn ok() -> Value {
    Value::Simple(Bytes::from_static(b"OK"))
}

pub fn get(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let found = data.live(context.db, &argv[1], context.expired_by_ms);
    Effect::read(found.map_or(Value::NullBulk, |entry| Value::Bulk(entry.value.clone())))
}

pub fn strlen(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let found = data.live(context.db, &argv[1], context.expired_by_ms);
    Effect::read(Value::Integer(found.map_or(0, |entry| entry.value.len() as i64)))
}

pub fn exists(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let live = |key: &&Bytes| data.live(context.db, key, context.expired_by_ms).is_some();
    Effect::read(Value::Integer(argv[1..].iter().filter(live).count() as i64))
}

pub fn dbsize(data: &mut Keyspace, context: &Context, _: &[Bytes]) -> Effect {
    Effect::read(Value::Integer(data.size_of(context.db).0 as i64))
}

pub fn publish(_: &mut Keyspace, _: &Context, argv: &[Bytes]) -> Effect {
    // Nobody subscribes here, but subscribers of a replica may: it is in the stream all the same.
    Effect::wrote(Value::Integer(0), argv)
}

pub fn flushall(data: &mut Keyspace, _: &Context, argv: &[Bytes]) -> Effect {
    flush(data, None, argv)
}

pub fn flushdb(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    flush(data, Some(context.db), argv)
}

fn flush(data: &mut Keyspace, db: Option<u32>, argv: &[Bytes]) -> Effect {
    let known =
        |word: &Bytes| [&b"sync"[..], b"async"].iter().any(|w| word.eq_ignore_ascii_case(w));
    if argv.len() > 2 || !argv[1..].iter().all(known) {
        return Effect::error(SYNTAX);
    }
    data.clear(db);
    Effect::wrote(ok(), argv)
}

pub fn del(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let mut deleted = 0;
    for key in &argv[1..] {
        deleted += i64::from(data.remove(context.db, key).is_some());
    }
    let propagate = (deleted > 0).then(|| argv.to_vec());
    Effect { reply: Value::Integer(deleted), propagate }
}

pub fn append(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let old = data.live(context.db, &argv[1], context.expired_by_ms).cloned();
    let (before, expires_at_ms) = old.map_or((Bytes::new(), None), |e| (e.value, e.expires_at_ms));
    if before.len() + argv[2].len() > LONGEST_STRING {
        return Effect::error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    }
    let value = Bytes::from([&before[..], &argv[2][..]].concat());
    let len = value.len() as i64;
    data.set(context.db, argv[1].clone(), Entry { value, expires_at_ms });
    Effect::wrote(Value::Integer(len), argv)
}

pub fn incr(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    add(data, context, argv, 1)
}

pub fn decr(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    add(data, context, argv, -1)
}

pub fn incrby(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    match parse_integer(&argv[2]) {
        Some(by) => add(data, context, argv, by),
        None => Effect::error(NOT_AN_INTEGER),
    }
}

pub fn decrby(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    match parse_integer(&argv[2]).and_then(i64::checked_neg) {
        Some(by) => add(data, context, argv, by),
        None => Effect::error(NOT_AN_INTEGER),
    }
}

fn add(data: &mut Keyspace, context: &Context, argv: &[Bytes], by: i64) -> Effect {
    let old = data.live(context.db, &argv[1], context.expired_by_ms);
    let before = old.map_or(Some(0), |entry| parse_integer(&entry.value));
    let expires_at_ms = old.and_then(|entry| entry.expires_at_ms);
    let Some(before) = before else {
        return Effect::error(NOT_AN_INTEGER);
    };
    let Some(after) = before.checked_add(by) else {
        return Effect::error("ERR increment or decrement would overflow");
    };
    let value = Bytes::from(after.to_string());
    data.set(context.db, argv[1].clone(), Entry { value, expires_at_ms });
    Effect::wrote(Value::Integer(after), argv)
}

pub fn mset(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    if argv.len().is_multiple_of(2) {
        return Effect::error(match context.engine.vocabulary.subcommands {
            true => "ERR wrong number of arguments for 'mset' command",
            false => "ERR wrong number of arguments for MSET",
        });
    }
    for pair in argv[1..].chunks_exact(2) {
        let entry = Entry { value: pair[1].clone(), expires_at_ms: None };
        data.set(context.db, pair[0].clone(), entry);
    }
    Effect::wrote(ok(), argv)
}

/// The options of `SET` once read.
#[derive(Default)]
struct SetOptions {
    only_if: Option<bool>,
    keep_ttl: bool,
    gives_old: bool,
    expiry: Option<Expiry>,
}

pub fn set(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let options = match set_options(context, &argv[3..]) {
        Ok(options) => options,
        Err(error) => return Effect::error(&error),
    };
    let old = data.live(context.db, &argv[1], context.expired_by_ms).cloned();
    let given = match &old {
        Some(old) if options.gives_old => Value::Bulk(old.value.clone()),
        _ => Value::NullBulk,
    };
    if options.only_if.is_some_and(|must_exist| must_exist != old.is_some()) {
        return Effect::read(given);
    }
    let reply = if options.gives_old { given } else { ok() };
    let kept = old.filter(|_| options.keep_ttl).and_then(|entry| entry.expires_at_ms);
    match options.expiry {
        Some(expiry) => expiry::set_with(data, context, argv, &expiry, reply),
        None => {
            let entry = Entry { value: argv[2].clone(), expires_at_ms: kept };
            data.set(context.db, argv[1].clone(), entry);
            Effect { reply, propagate: Some(without_get(argv)) }
        }
    }
}

/// Replicas have nobody to give the old value to.
fn without_get(argv: &[Bytes]) -> Vec<Bytes> {
    let (head, options) = argv.split_at(3);
    let others = options.iter().filter(|word| !word.eq_ignore_ascii_case(b"get"));
    head.iter().chain(others).cloned().collect()
}

fn set_options(context: &Context, words: &[Bytes]) -> Result<SetOptions, String> {
    let mut options = SetOptions::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let word = word.to_ascii_lowercase();
        match word.as_slice() {
            b"nx" if options.only_if.is_none() => options.only_if = Some(false),
            b"xx" if options.only_if.is_none() => options.only_if = Some(true),
            b"get" => options.gives_old = true,
            b"keepttl" if options.expiry.is_none() => options.keep_ttl = true,
            b"ex" | b"px" | b"exat" | b"pxat" if options.expiry.is_none() && !options.keep_ttl => {
                let time = rest.next().ok_or(SYNTAX)?;
                let unit = if word.starts_with(b"ex") { 1000 } else { 1 };
                let relative = !word.ends_with(b"at");
                options.expiry = Some(Expiry::read(context, "set", time, unit, relative)?);
            }
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    Ok(options)
}

pub fn setnx(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    if data.live(context.db, &argv[1], context.expired_by_ms).is_some() {
        return Effect::read(Value::Integer(0));
    }
    let entry = Entry { value: argv[2].clone(), expires_at_ms: None };
    data.set(context.db, argv[1].clone(), entry);
    Effect::wrote(Value::Integer(1), argv)
}

pub fn mget(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let value = |key: &Bytes| match data.live(context.db, key, context.expired_by_ms) {
        Some(entry) => Value::Bulk(entry.value.clone()),
        None => Value::NullBulk,
    };
    Effect::read(Value::Array(argv[1..].iter().map(value).collect()))
}

/// In the stream a `SET`.
pub fn getset(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let old = get(data, context, argv).reply;
    let entry = Entry { value: argv[2].clone(), expires_at_ms: None };
    data.set(context.db, argv[1].clone(), entry);
    Effect::wrote(old, &[Bytes::from_static(b"SET"), argv[1].clone(), argv[2].clone()])
}

/// In the stream a `DEL`.
pub fn getdel(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let old = get(data, context, argv).reply;
    match data.remove(context.db, &argv[1]) {
        None => Effect::read(old),
        Some(_) => Effect::wrote(old, &[Bytes::from_static(b"DEL"), argv[1].clone()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::command;
    use crate::server::engine::REDIS_6_2;

    /// Runs a line on the data at `now_ms`; gives the encoded reply and what is propagated.
    fn run(data: &mut Keyspace, now_ms: u64, line: &str) -> (String, Option<String>) {
        let argv: Vec<Bytes> =
            line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        let engine = &REDIS_6_2;
        let (db, expired_by_ms, lazy_expire) = (0, now_ms, false);
        let context = Context { db, now_ms, expired_by_ms, engine, lazy_expire };
        let effect = (command::find(&argv[0]).expect("known").run)(data, &context, &argv);
        let mut reply = Vec::new();
        effect.reply.encode(&mut reply);
        let propagated = effect.propagate.map(|argv| {
            argv.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
        });
        (String::from_utf8_lossy(&reply).trim_end().to_owned(), propagated)
    }

    #[test]
    fn each_command_answers_and_propagates_as_redis_6_2_does() {
        let mut data = Keyspace::default();
        let same = "=";
        for (now_ms, line, reply, propagated) in [
            (0, "SET k v", "+OK", Some(same)),
            (0, "SET k w NX", "$-1", None),
            (0, "SET new w XX", "$-1", None),
            (0, "SET k v NX XX", "-ERR syntax error", None),
            (0, "SET k v EX", "-ERR syntax error", None),
            (0, "SET k v EX x", "-ERR value is not an integer or out of range", None),
            (0, "SET k v PX 0", "-ERR invalid expire time in set", None),
            (0, "SET k v PX 9223372036854775807", "+OK", Some("SET k v PX 9223372036854775807")),
            (5, "SET k v PX 9223372036854775807", "-ERR invalid expire time in set", None),
            (5, "SET t v ex 10", "+OK", Some("SET t v PX 10000")),
            (5, "PTTL t", ":10000", None),
            (505, "TTL t", ":10", None),
            (506, "TTL t", ":9", None),
            (20000, "GET t", "$-1", None),
            (5, "TTL nothing", ":-2", None),
            (5, "SET n 41", "+OK", Some(same)),
            (5, "TTL n", ":-1", None),
            (5, "INCR n", ":42", Some(same)),
            (5, "INCRBY n 9223372036854775807", "-ERR increment or decrement would overflow", None),
            (5, "INCR k", "-ERR value is not an integer or out of range", None),
            (5, "DECR n", ":41", Some(same)),
            (5, "APPEND n x", ":3", Some(same)),
            (5, "STRLEN n", ":3", None),
            (5, "EXPIRE n 100", ":1", Some(same)),
            (5, "EXPIRE n -1", ":1", Some("DEL n")),
            (5, "EXPIRE n 100", ":0", None),
            (5, "MSET a 1 b 2", "+OK", Some(same)),
            (5, "MSET a 1 b", "-ERR wrong number of arguments for MSET", None),
            (5, "EXISTS a b c", ":2", None),
            (5, "DEL a c", ":1", Some(same)),
            (5, "DEL a c", ":0", None),
            (5, "PUBLISH ch m", ":0", Some(same)),
            (5, "FLUSHALL now", "-ERR syntax error", None),
            (5, "FLUSHALL async", "+OK", Some(same)),
            (5, "DBSIZE", ":0", None),
        ] {
            let wanted = propagated.map(|text| if text == same { line } else { text }.to_owned());
            assert_eq!(run(&mut data, now_ms, line), (reply.to_owned(), wanted), "{line}");
        }
    }
}
