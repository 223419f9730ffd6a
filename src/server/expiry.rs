//! Times to live: the commands that set and show them, and what happens when one is over.
//!
//! A master deletes an expired key before anybody touches it, or when its time comes, and says so
//! in the stream; a replica never decides on its own that a key is gone. How a time is written
//! into the stream is the engine's (`StreamForm::expiries`).

use bytes::Bytes;

use super::Server;
use super::command::{Context, DataCommand, Effect};
use super::engine::Expiries;
use super::keyspace::{Entry, Keyspace};
use super::timers::Timer;
use crate::time::Instant;
use crate::wire::{Value, parse_integer};

const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

/// A time to live as it was said.
pub struct Expiry {
    /// Unix milliseconds.
    at_ms: u64,
    /// Whether it was said relative to now.
    relative: bool,
}

impl Expiry {
    /// Reads the time of `SET` and its like.
    ///
    /// # Errors
    /// In the engine's words, when it is no number, not positive, or too far away.
    pub fn read(
        context: &Context,
        command: &str,
        time: &Bytes,
        unit: i64,
        relative: bool,
    ) -> Result<Expiry, String> {
        let time = parse_integer(time).ok_or(NOT_AN_INTEGER)?;
        let at_ms = unix_ms(context, time, unit, relative).filter(|_| time > 0);
        Ok(Expiry { at_ms: at_ms.ok_or_else(|| invalid(context, command))?, relative })
    }
}

fn invalid(context: &Context, command: &str) -> String {
    match context.engine.vocabulary.subcommands {
        true => format!("ERR invalid expire time in '{command}' command"),
        false => format!("ERR invalid expire time in {command}"),
    }
}

/// A time in Unix milliseconds, or none when it is outside what can be counted.
fn unix_ms(context: &Context, time: i64, unit: i64, relative: bool) -> Option<u64> {
    let base = if relative { i64::try_from(context.now_ms).ok()? } else { 0 };
    u64::try_from(time.checked_mul(unit)?.checked_add(base)?.max(0)).ok()
}

fn words(words: &[&str], key: &Bytes, rest: &[Bytes]) -> Vec<Bytes> {
    let mut all = vec![Bytes::copy_from_slice(words[0].as_bytes()), key.clone()];
    all.extend_from_slice(rest);
    all.extend(words[1..].iter().map(|word| Bytes::copy_from_slice(word.as_bytes())));
    all
}

/// `SET key value` with a time: stores, and says so as the engine says it.
pub fn set_with(
    data: &mut Keyspace,
    context: &Context,
    argv: &[Bytes],
    expiry: &Expiry,
    reply: Value,
) -> Effect {
    let (key, value) = (&argv[1], &argv[2]);
    let Expiry { at_ms, relative } = *expiry;
    let form = context.engine.stream;
    if form.past_set_deletes && at_ms <= context.expired_by_ms {
        let gone = data.remove(context.db, key).is_some();
        return Effect { reply, propagate: gone.then(|| context.deletion(key)) };
    }
    let entry = Entry { value: value.clone(), expires_at_ms: Some(at_ms) };
    data.set(context.db, key.clone(), entry);
    let (word, time) = match form.expiries {
        Expiries::AsSaid => return Effect::wrote(reply, argv),
        Expiries::Milliseconds if relative => ("PX", at_ms - context.now_ms),
        Expiries::Milliseconds | Expiries::Absolute => ("PXAT", at_ms),
    };
    let mut said = words(&["SET", word, &time.to_string()], key, std::slice::from_ref(value));
    if form.keeps_spelling && argv.len() == said.len() {
        // Only the two words of the time are put in place of those that came.
        said[0] = argv[0].clone();
        if argv[3].eq_ignore_ascii_case(&said[3]) {
            said[3] = argv[3].clone();
        }
    }
    Effect::wrote(reply, &said)
}

pub fn setex(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    set_for(data, context, argv, ("setex", 1000))
}

pub fn psetex(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    set_for(data, context, argv, ("psetex", 1))
}

/// `SETEX key time value`: from 7.0 on a `SET` in the stream, before as it came.
fn set_for(
    data: &mut Keyspace,
    context: &Context,
    argv: &[Bytes],
    (name, unit): (&str, i64),
) -> Effect {
    let expiry = match Expiry::read(context, name, &argv[2], unit, true) {
        Ok(expiry) => expiry,
        Err(refused) => return Effect::error(&refused),
    };
    let as_set = [argv[0].clone(), argv[1].clone(), argv[3].clone()];
    let reply = Value::Simple(Bytes::from_static(b"OK"));
    let effect = set_with(data, context, &as_set, &expiry, reply);
    match context.engine.stream.expiries {
        Expiries::Absolute => effect,
        Expiries::AsSaid | Expiries::Milliseconds => Effect::wrote(effect.reply, argv),
    }
}

pub fn expire(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    expire_at(data, context, argv, ("expire", 1000, true))
}

pub fn pexpire(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    expire_at(data, context, argv, ("pexpire", 1, true))
}

pub fn expireat(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    expire_at(data, context, argv, ("expireat", 1000, false))
}

pub fn pexpireat(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    expire_at(data, context, argv, ("pexpireat", 1, false))
}

fn expire_at(
    data: &mut Keyspace,
    context: &Context,
    argv: &[Bytes],
    (name, unit, relative): (&str, i64, bool),
) -> Effect {
    let Some(time) = parse_integer(&argv[2]) else {
        return Effect::error(NOT_AN_INTEGER);
    };
    let Some(at) = unix_ms(context, time, unit, relative) else {
        return Effect::error(&invalid(context, name));
    };
    let Some(old) = data.live(context.db, &argv[1], context.expired_by_ms).cloned() else {
        return Effect::read(Value::Integer(0));
    };
    if at <= context.expired_by_ms {
        data.remove(context.db, &argv[1]);
        return Effect::wrote(Value::Integer(1), &context.deletion(&argv[1]));
    }
    data.set(context.db, argv[1].clone(), Entry { expires_at_ms: Some(at), ..old });
    match context.engine.stream.expiries {
        Expiries::Absolute => {
            let said = words(&["PEXPIREAT", &at.to_string()], &argv[1], &[]);
            Effect::wrote(Value::Integer(1), &said)
        }
        Expiries::AsSaid | Expiries::Milliseconds => Effect::wrote(Value::Integer(1), argv),
    }
}

pub fn persist(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    let old = data.live(context.db, &argv[1], context.expired_by_ms);
    let Some(old) = old.filter(|old| old.expires_at_ms.is_some()).cloned() else {
        return Effect::read(Value::Integer(0));
    };
    data.set(context.db, argv[1].clone(), Entry { expires_at_ms: None, ..old });
    Effect::wrote(Value::Integer(1), argv)
}

pub fn ttl(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    // Half a second up, as `ttlGenericCommand` rounds.
    Effect::read(Value::Integer(match time_left(data, context, argv) {
        Ok(ms) => (ms + 500) / 1000,
        Err(code) => code,
    }))
}

pub fn pttl(data: &mut Keyspace, context: &Context, argv: &[Bytes]) -> Effect {
    Effect::read(Value::Integer(time_left(data, context, argv).unwrap_or_else(|code| code)))
}

/// Milliseconds left, or Redis' codes: -2 without a key, -1 without an expiry.
fn time_left(data: &Keyspace, context: &Context, argv: &[Bytes]) -> Result<i64, i64> {
    let entry = data.live(context.db, &argv[1], context.expired_by_ms).ok_or(-2)?;
    let at = entry.expires_at_ms.ok_or(-1)?;
    Ok(i64::try_from(at.saturating_sub(context.now_ms)).unwrap_or(i64::MAX))
}

impl Server {
    /// Deletes those keys of a command whose time is over, before it is run.
    pub(super) fn expire_keys_of(&mut self, found: &DataCommand, db: u32, argv: &[Bytes]) {
        if self.upstream.is_some() || self.pauses_writes() {
            return;
        }
        let now_ms = self.unix_ms();
        let keys = found.keys(argv).filter(|key| self.data.holds_expired(db, key, now_ms));
        let expired: Vec<Bytes> = keys.cloned().collect();
        for key in expired {
            if let Some(deletion) = self.expire(db, &key) {
                self.propagate_expiry(db, &deletion);
            }
        }
    }

    /// Deletes a key, and gives what replicas are told.
    fn expire(&mut self, db: u32, key: &Bytes) -> Option<Vec<Bytes>> {
        self.data.remove(db, key)?;
        self.counters.expired_keys += 1;
        self.last_save.changes += 1;
        Some(self.context(db, 0).deletion(key))
    }

    /// The timer of the next expiry has come. These deletions are never a transaction.
    pub(super) fn expire_due(&mut self) {
        let now_ms = self.unix_ms();
        while let Some((db, key)) = self.data.first_expired(now_ms) {
            if self.upstream.is_some() || self.pauses_writes() {
                break;
            }
            if let Some(deletion) = self.expire(db, &key) {
                self.feed(db, &deletion);
            }
        }
        self.arm_expiry();
    }

    /// Wakes a master when its next key expires. A replica waits for the DEL, and a server whose
    /// writes are paused for their end.
    pub(super) fn arm_expiry(&mut self) {
        let looks = self.active_expire && self.upstream.is_none() && !self.pauses_writes();
        match self.data.next_expiry_ms().filter(|_| looks) {
            None => self.timers.disarm(Timer::Expire),
            Some(at_ms) => {
                let us = at_ms.saturating_sub(self.unix_ms_at_zero).saturating_mul(1000);
                self.timers.arm(Timer::Expire, Instant(us));
            }
        }
    }
}
