//! CONFIG: read and change settings while running.
//!
//! From 7.0 on several at once, all or none; errors are worded as the engine words them.

use bytes::Bytes;

use super::answer::{Answer, SYNTAX, bulk, error, lower, ok, text};
use super::config::{Config, ConfigError};
use super::{ConnId, Counters, Server};
use crate::stream::offset::ByteCount;
use crate::wire::Value;

pub fn config(server: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    let several = server.engine.vocabulary.subcommands;
    match (lower(&argv[1]).as_str(), &argv[2..]) {
        ("get", [pattern]) => Some(found(&server.config, std::slice::from_ref(pattern))),
        ("get", patterns) if several && !patterns.is_empty() => {
            Some(found(&server.config, patterns))
        }
        ("set", [_, _]) => set(server, &argv[2..]),
        ("set", pairs) if several && pairs.len() >= 2 => match pairs.len().is_multiple_of(2) {
            true => set(server, pairs),
            false => error(SYNTAX),
        },
        ("resetstat", []) => {
            server.counters = Counters::default();
            ok()
        }
        ("rewrite", []) => error("ERR The server is running without a config file"),
        (word @ ("get" | "set" | "resetstat" | "rewrite"), _) => {
            error(server.wrong_arity_of("config", word))
        }
        _ => error(server.refused_subcommand("config", &text(&argv[1]))),
    }
}

/// Name, value, name, value; each name once, however many patterns it fits.
fn found(config: &Config, patterns: &[Bytes]) -> Value {
    let mut found: Vec<(&str, String)> = Vec::new();
    for pattern in patterns {
        for (name, value) in config.matching(&text(pattern)) {
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, value));
            }
        }
    }
    Value::Array(found.into_iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect())
}

fn set(server: &mut Server, pairs: &[Bytes]) -> Answer {
    let mut changed = server.config.clone();
    let mut named: Vec<String> = Vec::new();
    for pair in pairs.chunks_exact(2) {
        let (directive, value) = (text(&pair[0]), text(&pair[1]));
        if named.contains(&directive.to_ascii_lowercase()) {
            return error(failed(&directive, "duplicate parameter"));
        }
        named.push(directive.to_ascii_lowercase());
        if let Err(refused) = changed.set(&directive, &value) {
            return error(match (server.engine.vocabulary.subcommands, refused) {
                (false, refused) => format!("ERR {refused}"),
                (true, ConfigError::Unknown { directive }) => {
                    let what = "Unknown option or number of arguments for CONFIG SET";
                    format!("ERR {what} - '{directive}'")
                }
                (true, ConfigError::Invalid { directive, wants, .. }) => failed(directive, &wants),
            });
        }
    }
    server.config = changed;
    if let Some(backlog) = &mut server.backlog {
        backlog.resize(ByteCount(server.config.backlog_bytes));
        let next = server.history.end.next();
        if backlog.ledger().window().first == next {
            server.command_starts.clear();
        }
    }
    ok()
}

fn failed(directive: &str, why: &str) -> String {
    format!("ERR CONFIG SET failed (possibly related to argument '{directive}') - {why}")
}
