//! The table of data commands: what may be called, with how many arguments, on which keys.
//!
//! A data command is a pure step on the keyspace: it gets the data and the time, and gives back a
//! reply and what replicas must be told. Who may call it, whether an expired key must be deleted
//! first and how the effect reaches the stream is the server's business.
//!
//! Absent on purpose: everything that concerns connections, replication or settings (see `admin`).

use bytes::Bytes;

use super::engine::Engine;
use super::keyspace::Keyspace;
use super::{expiry, keys, strings};
use crate::wire::Value;

/// What a data command knows besides the data.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The selected database.
    pub db: u32,
    /// Unix time in milliseconds.
    pub now_ms: u64,
    /// A key whose expiry is not later than this is gone. On a replica that applies its master's
    /// stream this is 0: the master saw the key alive, and a `DEL` follows when it is not.
    pub expired_by_ms: u64,
    /// Whose words and stream.
    pub engine: &'static Engine,
    /// `lazyfree-lazy-expire`: whether what is over is deleted with UNLINK.
    pub lazy_expire: bool,
}

impl Context {
    /// The command that tells replicas that a key is over.
    #[must_use]
    pub fn deletion(&self, key: &Bytes) -> Vec<Bytes> {
        let word: &[u8] = if self.lazy_expire { b"UNLINK" } else { b"DEL" };
        vec![Bytes::copy_from_slice(word), key.clone()]
    }
}

/// What a data command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// For the caller.
    pub reply: Value,
    /// For the stream; none when the data is as it was.
    pub propagate: Option<Vec<Bytes>>,
}

/// One row of the table.
pub struct DataCommand {
    /// In lower case.
    pub name: &'static str,
    /// As in Redis: the number of arguments with the name, or at least so many when negative.
    pub arity: i32,
    /// Whether it may change data, and so is refused by a read-only replica.
    pub write: bool,
    /// Which arguments are keys: (first, step), up to the last; none when 0.
    keys: (usize, usize),
    /// Whether only the first of them is a key.
    one_key: bool,
    /// The step itself.
    pub run: fn(&mut Keyspace, &Context, &[Bytes]) -> Effect,
}

const fn row(
    name: &'static str,
    arity: i32,
    write: bool,
    keys: (usize, usize, bool),
    run: fn(&mut Keyspace, &Context, &[Bytes]) -> Effect,
) -> DataCommand {
    DataCommand { name, arity, write, keys: (keys.0, keys.1), one_key: keys.2, run }
}

const NO_KEY: (usize, usize, bool) = (0, 0, false);
const ONE_KEY: (usize, usize, bool) = (1, 1, true);
const ALL_KEYS: (usize, usize, bool) = (1, 1, false);
const EVERY_SECOND: (usize, usize, bool) = (1, 2, false);

const COMMANDS: &[DataCommand] = &[
    row("append", 3, true, ONE_KEY, strings::append),
    row("dbsize", 1, false, NO_KEY, strings::dbsize),
    row("decr", 2, true, ONE_KEY, strings::decr),
    row("del", -2, true, ALL_KEYS, strings::del),
    row("exists", -2, false, ALL_KEYS, strings::exists),
    row("expire", 3, true, ONE_KEY, expiry::expire),
    row("expireat", 3, true, ONE_KEY, expiry::expireat),
    row("getdel", 2, true, ONE_KEY, strings::getdel),
    row("getset", 3, true, ONE_KEY, strings::getset),
    row("keys", 2, false, NO_KEY, keys::keys),
    row("mget", -2, false, ALL_KEYS, strings::mget),
    row("persist", 2, true, ONE_KEY, expiry::persist),
    row("psetex", 4, true, ONE_KEY, expiry::psetex),
    row("scan", -2, false, NO_KEY, keys::scan),
    row("setex", 4, true, ONE_KEY, expiry::setex),
    row("setnx", 3, true, ONE_KEY, strings::setnx),
    row("type", 2, false, ONE_KEY, keys::type_of),
    row("decrby", 3, true, ONE_KEY, strings::decrby),
    row("flushall", -1, true, NO_KEY, strings::flushall),
    row("flushdb", -1, true, NO_KEY, strings::flushdb),
    row("get", 2, false, ONE_KEY, strings::get),
    row("incr", 2, true, ONE_KEY, strings::incr),
    row("incrby", 3, true, ONE_KEY, strings::incrby),
    row("mset", -3, true, EVERY_SECOND, strings::mset),
    row("pexpire", 3, true, ONE_KEY, expiry::pexpire),
    row("pexpireat", 3, true, ONE_KEY, expiry::pexpireat),
    row("publish", 3, false, NO_KEY, strings::publish),
    row("set", -3, true, ONE_KEY, strings::set),
    row("strlen", 2, false, ONE_KEY, strings::strlen),
    row("ttl", 2, false, ONE_KEY, expiry::ttl),
    row("pttl", 2, false, ONE_KEY, expiry::pttl),
    row("unlink", -2, true, ALL_KEYS, strings::del),
];

/// The whole table.
#[must_use]
pub fn all() -> &'static [DataCommand] {
    COMMANDS
}

/// Finds a data command by its name, in any case.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static DataCommand> {
    COMMANDS.iter().find(|command| command.name.as_bytes().eq_ignore_ascii_case(name))
}

impl DataCommand {
    /// Whether so many arguments, the name included, will do.
    #[must_use]
    pub fn takes(&self, argc: usize) -> bool {
        arity_fits(self.arity, argc)
    }

    /// Where the keys stand, as `COMMAND` says it: first, last, step; the last counts from the end
    /// when negative.
    #[must_use]
    pub fn key_positions(&self) -> (i64, i64, i64) {
        let (first, step) = self.keys;
        let last = if first == 0 {
            0
        } else if self.one_key {
            1
        } else {
            -1
        };
        (first as i64, last, if first == 0 { 0 } else { step as i64 })
    }

    /// The keys among the arguments.
    pub fn keys<'a>(&self, argv: &'a [Bytes]) -> impl Iterator<Item = &'a Bytes> {
        let (first, step) = self.keys;
        let (skip, take) = match (first, self.one_key) {
            (0, _) => (argv.len(), 0),
            (first, true) => (first, 1),
            (first, false) => (first, argv.len()),
        };
        argv.iter().skip(skip).step_by(step.max(1)).take(take)
    }
}

/// Redis' rule for the number of arguments: exactly `arity`, or at least `-arity`.
#[must_use]
pub fn arity_fits(arity: i32, argc: usize) -> bool {
    let wanted = arity.unsigned_abs() as usize;
    if arity < 0 { argc >= wanted } else { argc == wanted }
}

impl Effect {
    /// A reply, and nothing for the stream.
    #[must_use]
    pub fn read(reply: Value) -> Effect {
        Effect { reply, propagate: None }
    }

    /// An error reply; the text begins with its code.
    #[must_use]
    pub fn error(text: &str) -> Effect {
        Effect::read(Value::Error(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// A reply, and the command for the stream as it came.
    #[must_use]
    pub fn wrote(reply: Value, argv: &[Bytes]) -> Effect {
        Effect { reply, propagate: Some(argv.to_vec()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(command: &str) -> Vec<String> {
        let argv: Vec<Bytes> =
            command.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        let found = find(&argv[0]).expect("a command of the table");
        found.keys(&argv).map(|key| String::from_utf8_lossy(key).into_owned()).collect()
    }

    #[test]
    fn the_table_knows_which_arguments_are_keys() {
        assert_eq!(keys("set k v EX 10"), ["k"]);
        assert_eq!(keys("DEL a b c"), ["a", "b", "c"]);
        assert_eq!(keys("mset a 1 b 2"), ["a", "b"]);
        assert_eq!(keys("dbsize"), Vec::<String>::new());
        assert_eq!(keys("flushall async"), Vec::<String>::new());
    }

    #[test]
    fn arity_is_exact_or_a_minimum() {
        let get = find(b"GET").expect("get");
        assert!(get.takes(2) && !get.takes(1) && !get.takes(3));
        let del = find(b"del").expect("del");
        assert!(del.takes(2) && del.takes(9) && !del.takes(1));
    }
}
