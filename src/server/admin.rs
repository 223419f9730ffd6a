//! The table of commands about connections, replication and settings, and the small ones of them.
//!
//! Each row says what `COMMAND` says of it in Redis 7.0: how many words it takes, whether a
//! replica without its master answers it, and what a transaction does with it. Errors are worded
//! as the engine words them.

use bytes::Bytes;

use super::answer::{
    Answer, NOT_AN_INTEGER, SYNTAX, bulk, error, integer, lower, ok, simple, text,
};
use super::engine::Engine;
use super::keyspace::DATABASES;
use super::{
    ConnId, Server, clients, debug, failover, roles, saves, settings, shutdown, transaction, wait,
};
use crate::wire::{Value, parse_integer};

/// One row of the table.
pub struct AdminCommand {
    /// In lower case.
    pub name: &'static str,
    /// As in Redis: the number of arguments with the name, or at least so many when negative.
    pub arity: i32,
    /// Whether a replica without its master answers it with `replica-serve-stale-data no`.
    pub stale: bool,
    /// What it is in a transaction.
    pub inside: Inside,
    pub run: fn(&mut Server, ConnId, &[Bytes]) -> Answer,
}

/// What a command is between MULTI and EXEC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// Queued like any other.
    Queued,
    /// Run at once.
    Now,
    /// The same, but where forbidden commands are named it is one of them.
    NowOrNever,
    /// Refused.
    Never,
}

const fn row(
    name: &'static str,
    arity: i32,
    stale: bool,
    inside: Inside,
    run: fn(&mut Server, ConnId, &[Bytes]) -> Answer,
) -> AdminCommand {
    AdminCommand { name, arity, stale, inside, run }
}

const STALE: bool = true;
const FRESH: bool = false;

const COMMANDS: &[AdminCommand] = &[
    row("ping", -1, FRESH, Inside::Queued, ping),
    row("echo", 2, STALE, Inside::Queued, |_, _, argv| Some(Value::Bulk(argv[1].clone()))),
    row("select", 2, STALE, Inside::Queued, select),
    row("info", -1, STALE, Inside::Queued, |server, _, argv| Some(server.info(argv))),
    row("role", 1, STALE, Inside::Queued, |server, _, _| Some(server.role())),
    row("config", -2, STALE, Inside::Queued, settings::config),
    row("replconf", -1, STALE, Inside::Queued, roles::replconf),
    row("replicaof", 3, STALE, Inside::Queued, roles::replicaof),
    row("slaveof", 3, STALE, Inside::Queued, roles::replicaof),
    row("psync", -3, FRESH, Inside::Never, roles::psync),
    row("sync", 1, FRESH, Inside::Never, roles::sync),
    row("multi", 1, STALE, Inside::NowOrNever, transaction::multi),
    row("exec", 1, STALE, Inside::Now, transaction::exec),
    row("discard", 1, STALE, Inside::Now, transaction::discard),
    row("watch", -2, STALE, Inside::NowOrNever, transaction::watch),
    row("unwatch", 1, STALE, Inside::Queued, transaction::unwatch),
    row("wait", 3, FRESH, Inside::Queued, wait::wait),
    row("failover", -1, STALE, Inside::Queued, failover::failover),
    row("client", -2, STALE, Inside::Queued, clients::client),
    row("debug", -2, STALE, Inside::Queued, debug::debug),
    row("save", 1, FRESH, Inside::Never, saves::save),
    row("bgsave", -1, FRESH, Inside::Queued, saves::bgsave),
    row("lastsave", 1, STALE, Inside::Queued, saves::lastsave),
    row("shutdown", -1, STALE, Inside::Never, shutdown::shutdown),
    row("time", 1, STALE, Inside::Queued, time),
    row("command", -1, STALE, Inside::Queued, command),
    row("hello", -1, STALE, Inside::Queued, hello),
    row("reset", 1, STALE, Inside::Now, reset),
    row("quit", -1, STALE, Inside::Now, quit),
];

/// Finds one that this engine has, by its name in any case.
pub fn find(engine: &Engine, name: &[u8]) -> Option<&'static AdminCommand> {
    let found = COMMANDS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))?;
    let known = match found.name {
        "wait" => engine.vocabulary.wait,
        "failover" => engine.vocabulary.failover,
        _ => true,
    };
    known.then_some(found)
}

/// Redis `processCommand`: at most 128 bytes of what came are shown.
pub fn unknown_command(engine: &Engine, name: &str, args: &[Bytes]) -> String {
    let old = engine.vocabulary.backquotes;
    let mut shown = String::new();
    for arg in args {
        if shown.len() >= 128 {
            break;
        }
        let arg: String = text(arg).chars().take(128 - shown.len().min(128)).collect();
        shown.push_str(&if old { format!("`{arg}`, ") } else { format!("'{arg}' ") });
    }
    let name: String = name.chars().take(128).collect();
    let name = if old { format!("`{name}`") } else { format!("'{name}'") };
    format!("ERR unknown command {name}, with args beginning with: {shown}")
}

impl Server {
    /// The words for a subcommand that there is not.
    pub(super) fn refused_subcommand(&self, command: &str, word: &str) -> String {
        let word: String = word.chars().take(128).collect();
        let what = match self.engine.vocabulary.subcommands {
            true => format!("unknown subcommand '{word}'"),
            false => format!("Unknown subcommand or wrong number of arguments for '{word}'"),
        };
        format!("ERR {what}. Try {} HELP.", command.to_ascii_uppercase())
    }

    /// The words for one that got too few arguments, or too many.
    pub(super) fn wrong_arity_of(&self, command: &str, word: &str) -> String {
        match self.engine.vocabulary.subcommands {
            true => format!("ERR wrong number of arguments for '{command}|{word}' command"),
            false => self.refused_subcommand(command, &word.to_ascii_uppercase()),
        }
    }
}

fn ping(_: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    match argv {
        [_] => simple("PONG"),
        [_, message] => Some(Value::Bulk(message.clone())),
        _ => error("ERR wrong number of arguments for 'ping' command"),
    }
}

fn select(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let Some(index) = parse_integer(&argv[1]) else { return error(NOT_AN_INTEGER) };
    match u32::try_from(index).ok().filter(|db| *db < DATABASES) {
        None => error("ERR DB index is out of range"),
        Some(db) => {
            server.clients.get_mut(&conn)?.db = db;
            ok()
        }
    }
}

fn time(server: &mut Server, _: ConnId, _: &[Bytes]) -> Answer {
    let (seconds, us) = (server.unix_ms() / 1000, server.unix_us() % 1_000_000);
    Some(Value::Array(vec![bulk(seconds.to_string()), bulk(us.to_string())]))
}

fn reset(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    server.discard_transaction(conn);
    let client = server.clients.get_mut(&conn)?;
    client.db = 0;
    client.name.clear();
    simple("RESET")
}

fn quit(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    server.close_when_answered(conn);
    ok()
}

fn hello(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let mut rest = argv[1..].iter();
    if let Some(version) = rest.next() {
        match parse_integer(version) {
            None => return error("ERR Protocol version is not an integer or out of range"),
            Some(2) => {}
            Some(_) => return error("NOPROTO unsupported protocol version"),
        }
    }
    while let Some(option) = rest.next() {
        match (lower(option).as_str(), rest.next()) {
            ("setname", Some(name)) => {
                if let Some(refused @ Value::Error(_)) = clients::set_name(server, conn, name) {
                    return Some(refused);
                }
            }
            _ => return error(format!("ERR Syntax error in HELLO option '{}'", text(option))),
        }
    }
    let role = if server.upstream.is_some() { "replica" } else { "master" };
    Some(Value::Array(vec![
        bulk("server"),
        bulk(server.engine.server_name().to_ascii_lowercase()),
        bulk("version"),
        bulk(server.engine.version),
        bulk("proto"),
        Value::Integer(2),
        bulk("id"),
        integer(clients::id(conn)),
        bulk("mode"),
        bulk("standalone"),
        bulk("role"),
        bulk(role),
        bulk("modules"),
        Value::Array(Vec::new()),
    ]))
}

/// What `redis-cli` asks for when it starts, without the texts of its help.
fn command(server: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    let own = COMMANDS.iter().filter(|row| find(server.engine, row.name.as_bytes()).is_some());
    let data = super::command::all();
    match argv.get(1).map(lower).as_deref() {
        None => {
            let own = own.map(|row| about(row.name, row.arity, "noscript", (0, 0, 0)));
            let data = data.iter().map(|row| {
                let flag = if row.write { "write" } else { "readonly" };
                about(row.name, row.arity, flag, row.key_positions())
            });
            Some(Value::Array(own.chain(data).collect()))
        }
        Some("count") if argv.len() == 2 => Some(integer((own.count() + data.len()) as u64)),
        Some("docs") => {
            let names = own.map(|row| row.name).chain(data.iter().map(|row| row.name));
            let asked: Vec<String> = argv[2..].iter().map(lower).collect();
            let wanted = names.filter(|name| asked.is_empty() || asked.iter().any(|a| a == name));
            let docs = wanted
                .flat_map(|name| [bulk(name), Value::Array(vec![bulk("group"), bulk("generic")])]);
            Some(Value::Array(docs.collect()))
        }
        Some("count") => error(server.wrong_arity_of("command", "count")),
        Some("help" | "list" | "info") => error(SYNTAX),
        Some(_) => error(server.refused_subcommand("command", &text(&argv[1]))),
    }
}

fn about(name: &str, arity: i32, flag: &'static str, keys: (i64, i64, i64)) -> Value {
    Value::Array(vec![
        bulk(name.to_owned()),
        Value::Integer(i64::from(arity)),
        Value::Array(vec![Value::Simple(Bytes::from_static(flag.as_bytes()))]),
        Value::Integer(keys.0),
        Value::Integer(keys.1),
        Value::Integer(keys.2),
    ])
}
