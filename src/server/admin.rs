//! Commands about the connection, the replication and the settings.
//!
//! Errors are worded as Redis 6.2 words them.

use bytes::Bytes;

use super::command::arity_fits;
use super::downstream::Seat;
use super::keyspace::DATABASES;
use super::{Address, ConnId, Server};
use crate::stream::history::ReplId;
use crate::stream::offset::ByteCount;
use crate::wire::Value;
use crate::wire::parse_integer;

type Answer = Option<Value>;

struct AdminCommand {
    name: &'static str,
    arity: i32,
    run: fn(&mut Server, ConnId, &[Bytes]) -> Answer,
}

/// `None` as an answer means that the command has answered for itself, or must stay silent.
const COMMANDS: &[AdminCommand] = &[
    AdminCommand { name: "ping", arity: -1, run: ping },
    AdminCommand { name: "echo", arity: 2, run: |_, _, argv| Some(Value::Bulk(argv[1].clone())) },
    AdminCommand { name: "select", arity: 2, run: select },
    AdminCommand { name: "info", arity: -1, run: |server, _, argv| Some(server.info(argv)) },
    AdminCommand { name: "role", arity: 1, run: |server, _, _| Some(server.role()) },
    AdminCommand { name: "config", arity: -2, run: config },
    AdminCommand { name: "replconf", arity: -1, run: replconf },
    AdminCommand { name: "replicaof", arity: 3, run: replicaof },
    AdminCommand { name: "slaveof", arity: 3, run: replicaof },
    AdminCommand { name: "psync", arity: -3, run: psync },
    AdminCommand { name: "sync", arity: 1, run: sync },
];

fn ok() -> Answer {
    Some(Value::Simple(Bytes::from_static(b"OK")))
}

fn error(text: impl Into<String>) -> Answer {
    Some(Value::Error(Bytes::from(text.into())))
}

fn bulk(text: impl Into<String>) -> Value {
    Value::Bulk(Bytes::from(text.into()))
}

fn text(word: &Bytes) -> String {
    String::from_utf8_lossy(word).into_owned()
}

impl Server {
    /// Everything that is not a data command.
    pub(super) fn administer(&mut self, conn: ConnId, argv: &[Bytes]) {
        let name = text(&argv[0]);
        let found = COMMANDS.iter().find(|command| command.name.eq_ignore_ascii_case(&name));
        let is_replica = self.replica_seat(conn).is_some();
        let answer = match found {
            None => error(unknown_command(&name, &argv[1..])),
            Some(found) if !arity_fits(found.arity, argv.len()) => {
                error(format!("ERR wrong number of arguments for '{}' command", found.name))
            }
            Some(found) => (found.run)(self, conn, argv),
        };
        if let Some(answer) = answer {
            self.reply_value(conn, &answer, is_replica, argv);
        }
    }
}

/// Redis 6.2 `processCommand`.
fn unknown_command(name: &str, args: &[Bytes]) -> String {
    let mut shown = String::new();
    for arg in args {
        if shown.len() >= 128 {
            break;
        }
        let arg: String = text(arg).chars().take(128 - shown.len().min(128)).collect();
        shown.push_str(&format!("`{arg}`, "));
    }
    let name: String = name.chars().take(128).collect();
    format!("ERR unknown command `{name}`, with args beginning with: {shown}")
}

fn ping(_: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    match argv {
        [_] => Some(Value::Simple(Bytes::from_static(b"PONG"))),
        [_, message] => Some(Value::Bulk(message.clone())),
        _ => error("ERR wrong number of arguments for 'ping' command"),
    }
}

fn select(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let Some(index) = parse_integer(&argv[1]) else {
        return error("ERR value is not an integer or out of range");
    };
    match u32::try_from(index).ok().filter(|db| *db < DATABASES) {
        None => error("ERR DB index is out of range"),
        Some(db) => {
            server.clients.get_mut(&conn)?.db = db;
            ok()
        }
    }
}

fn config(server: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    match (argv[1].to_ascii_lowercase().as_slice(), &argv[2..]) {
        (b"get", [pattern]) => {
            let found = server.config.matching(&text(pattern));
            let pairs = found.into_iter().flat_map(|(name, value)| [bulk(name), bulk(value)]);
            Some(Value::Array(pairs.collect()))
        }
        (b"set", [directive, value]) => match server.set_config(&text(directive), &text(value)) {
            Ok(()) => ok(),
            Err(refused) => error(format!("ERR {refused}")),
        },
        (b"get" | b"set", _) => {
            let word = text(&argv[1]).to_ascii_uppercase();
            error(format!(
                "ERR Unknown subcommand or wrong number of arguments for '{word}'. Try CONFIG HELP."
            ))
        }
        _ => error(format!(
            "ERR Unknown subcommand or wrong number of arguments for '{}'. Try CONFIG HELP.",
            text(&argv[1])
        )),
    }
}

impl Server {
    /// `CONFIG SET`, with its effect on what is running.
    ///
    /// # Errors
    /// As [`Config::set`](super::config::Config::set).
    fn set_config(
        &mut self,
        directive: &str,
        value: &str,
    ) -> Result<(), super::config::ConfigError> {
        self.config.set(directive, value)?;
        if let Some(backlog) = &mut self.backlog {
            backlog.resize(ByteCount(self.config.backlog_bytes));
            let next = self.history.end.next();
            if backlog.ledger().window().first == next {
                self.command_starts.clear();
            }
        }
        Ok(())
    }
}

/// `REPLCONF <option> <value> …`. An unknown option is an error, an unknown capability is not.
fn replconf(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    if argv.len().is_multiple_of(2) {
        return error("ERR syntax error");
    }
    for pair in argv[1..].chunks_exact(2) {
        let (option, value) = (pair[0].to_ascii_lowercase(), &pair[1]);
        match option.as_slice() {
            b"ack" => {
                server.acknowledged(conn, value);
                return None;
            }
            b"getack" => return None,
            _ => {}
        }
        match server.dual_channel_option(conn, &option, value) {
            Some(Ok(())) => continue,
            Some(Err(refused)) => return error(refused),
            None => {}
        }
        let (knows_version, knows_run_id) =
            (server.engine.handshake.version, server.engine.handshake.run_id);
        let announced = &mut server.clients.get_mut(&conn)?.announced;
        match option.as_slice() {
            b"listening-port" => match parse_integer(value).and_then(|n| u16::try_from(n).ok()) {
                Some(port) => announced.port = Some(port),
                None => return error("ERR value is not an integer or out of range"),
            },
            b"ip-address" => announced.ip = Some(text(value)).filter(|ip| !ip.is_empty()),
            b"capa" if value.eq_ignore_ascii_case(b"eof") => announced.eof = true,
            b"capa" if value.eq_ignore_ascii_case(b"psync2") => announced.psync2 = true,
            b"capa" => {}
            b"version" if knows_version => announced.version = Some(text(value)),
            b"run-id" if knows_run_id => announced.run_id = ReplId::try_from(&value[..]).ok(),
            _ => return error(format!("ERR Unrecognized REPLCONF option: {}", text(&pair[0]))),
        }
    }
    ok()
}

fn replicaof(server: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    if argv[1].eq_ignore_ascii_case(b"no") && argv[2].eq_ignore_ascii_case(b"one") {
        server.promote();
        return ok();
    }
    let Some(port) = parse_integer(&argv[2]).and_then(|n| u16::try_from(n).ok()) else {
        return error("ERR Invalid master port");
    };
    let master = Address { host: text(&argv[1]), port };
    if server.upstream.as_ref().is_some_and(|upstream| *upstream.master() == master) {
        return Some(Value::Simple(Bytes::from_static(
            b"OK Already connected to specified master",
        )));
    }
    server.change_master(master);
    ok()
}

fn psync(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    // From a connection that is a replica already, PSYNC and SYNC are ignored.
    if !matches!(server.clients.get(&conn)?.seat, Seat::Replica(_)) {
        server.psync(conn, argv);
    }
    None
}

fn sync(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    if !matches!(server.clients.get(&conn)?.seat, Seat::Replica(_)) {
        server.sync(conn);
    }
    None
}
