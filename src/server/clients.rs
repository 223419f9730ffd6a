//! CLIENT: who is connected, under which name, and away with them.

use bytes::Bytes;

use super::answer::{Answer, SYNTAX, bulk, error, integer, lower, ok, text};
use super::downstream::Seat;
use super::engine::Wording;
use super::{ConnId, Server};
use crate::time::SECOND_US;
use crate::wire::{Value, parse_integer};

/// Whose connection it is, as `CLIENT LIST TYPE` and `CLIENT KILL TYPE` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Normal,
    Replica,
    Master,
    PubSub,
}

impl Class {
    fn parse(word: &Bytes) -> Option<Class> {
        match lower(word).as_str() {
            "normal" => Some(Class::Normal),
            "replica" | "slave" => Some(Class::Replica),
            "master" | "primary" => Some(Class::Master),
            "pubsub" => Some(Class::PubSub),
            _ => None,
        }
    }
}

/// Which connections CLIENT KILL means.
#[derive(Default)]
struct Filter {
    class: Option<Class>,
    id: Option<u64>,
    addr: Option<String>,
    laddr: Option<String>,
    user: Option<String>,
    skips_me: bool,
}

pub fn client(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let refused = |word: &str| server.refused_subcommand("client", word);
    match (lower(&argv[1]).as_str(), &argv[2..]) {
        ("id", []) => Some(integer(id(conn))),
        ("getname", []) => {
            let name = &server.clients.get(&conn)?.name;
            Some(if name.is_empty() { Value::NullBulk } else { bulk(name.clone()) })
        }
        ("setname", [name]) => set_name(server, conn, name),
        ("info", []) => Some(bulk(server.client_line(conn) + "\n")),
        ("list", words) => list(server, words),
        ("kill", words) if !words.is_empty() => kill(server, conn, words),
        ("no-evict" | "no-touch", [word]) => match lower(word).as_str() {
            "on" | "off" => ok(),
            _ => error(SYNTAX),
        },
        ("setinfo", [_, _]) | ("unpause", []) => ok(),
        ("reply", [word]) if lower(word) == "on" => ok(),
        (word @ ("id" | "getname" | "setname" | "info" | "kill" | "no-evict" | "setinfo"), _) => {
            error(server.wrong_arity_of("client", word))
        }
        _ => error(refused(&text(&argv[1]))),
    }
}

/// Numbers as `CLIENT ID` says them: accepted ones and the link to the master never share one.
pub(super) fn id(conn: ConnId) -> u64 {
    conn.0 + 1
}

pub(super) fn set_name(server: &mut Server, conn: ConnId, name: &Bytes) -> Answer {
    if name.iter().any(|byte| !(b'!'..=b'~').contains(byte)) {
        return error("ERR Client names cannot contain spaces, newlines or special characters.");
    }
    server.clients.get_mut(&conn)?.name = text(name);
    ok()
}

fn list(server: &Server, words: &[Bytes]) -> Answer {
    let everybody = server.connections();
    let chosen: Vec<ConnId> = match words {
        [] => everybody,
        [word, class] if lower(word) == "type" => {
            let Some(wanted) = Class::parse(class) else {
                return error(format!("ERR Unknown client type '{}'", text(class)));
            };
            let of_class = everybody.into_iter().filter(|conn| server.class(*conn) == wanted);
            of_class.collect()
        }
        [word, ids @ ..] if lower(word) == "id" && !ids.is_empty() => {
            let numbers: Option<Vec<i64>> = ids.iter().map(|id| parse_integer(id)).collect();
            let Some(numbers) = numbers else { return error("ERR Invalid client ID") };
            let named = |conn: &ConnId| numbers.iter().any(|n| u64::try_from(*n) == Ok(id(*conn)));
            everybody.into_iter().filter(named).collect()
        }
        _ => return error(SYNTAX),
    };
    let lines = chosen.into_iter().map(|conn| server.client_line(conn) + "\n");
    Some(bulk(lines.collect::<String>()))
}

fn kill(server: &mut Server, conn: ConnId, words: &[Bytes]) -> Answer {
    let old_form = words.len() == 1;
    let filter = match words {
        [addr] => Filter { addr: Some(text(addr)), ..Filter::default() },
        pairs if pairs.len().is_multiple_of(2) => match filter(server, pairs) {
            Ok(filter) => filter,
            Err(refused) => return error(refused),
        },
        _ => return error(SYNTAX),
    };
    let killed: Vec<ConnId> = server
        .connections()
        .into_iter()
        .filter(|other| server.matches(*other, &filter) && !(filter.skips_me && *other == conn))
        .collect();
    for other in &killed {
        match server.clients.contains_key(other) {
            // The answer to who has ended itself still leaves.
            true if *other == conn => {}
            true => server.close(*other),
            false => server.drop_link(),
        }
    }
    let answer = match (old_form, killed.len()) {
        (true, 0) => return error("ERR No such client"),
        (true, _) => ok()?,
        (false, count) => integer(count as u64),
    };
    if killed.contains(&conn) {
        server.close_when_answered(conn);
    }
    Some(answer)
}

fn filter(server: &Server, pairs: &[Bytes]) -> Result<Filter, String> {
    let mut filter = Filter { skips_me: true, ..Filter::default() };
    for pair in pairs.chunks_exact(2) {
        let value = &pair[1];
        match lower(&pair[0]).as_str() {
            "id" => {
                let number = parse_integer(value).and_then(|n| u64::try_from(n).ok());
                filter.id = Some(number.filter(|n| *n > 0).ok_or({
                    match server.engine.wording {
                        Wording::Primary => SYNTAX,
                        Wording::Replica | Wording::Slave => {
                            "ERR client-id should be greater than 0"
                        }
                    }
                })?);
            }
            "type" => {
                let class = Class::parse(value);
                let unknown = || format!("ERR Unknown client type '{}'", text(value));
                filter.class = Some(class.ok_or_else(unknown)?);
            }
            "addr" => filter.addr = Some(text(value)),
            "laddr" => filter.laddr = Some(text(value)),
            "user" if text(value) == "default" => filter.user = Some(text(value)),
            "user" => return Err(format!("ERR No such user '{}'", text(value))),
            "skipme" => match lower(value).as_str() {
                "yes" => filter.skips_me = true,
                "no" => filter.skips_me = false,
                _ => return Err(SYNTAX.to_owned()),
            },
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    Ok(filter)
}

impl Server {
    /// Every connection, the link to the master included, oldest first.
    fn connections(&self) -> Vec<ConnId> {
        let link = self.upstream.as_ref().and_then(|upstream| upstream.connected());
        let mut all: Vec<ConnId> = self.clients.keys().copied().chain(link).collect();
        all.sort_unstable();
        all
    }

    fn class(&self, conn: ConnId) -> Class {
        match self.clients.get(&conn).map(|client| &client.seat) {
            None => Class::Master,
            Some(Seat::Client) => Class::Normal,
            Some(Seat::Replica(_)) => Class::Replica,
        }
    }

    fn matches(&self, conn: ConnId, filter: &Filter) -> bool {
        let class = self.class(conn);
        filter.class.is_none_or(|wanted| wanted == class)
            && filter.id.is_none_or(|wanted| wanted == id(conn))
            && filter.addr.as_ref().is_none_or(|wanted| *wanted == self.remote_address(conn))
            && filter.laddr.as_ref().is_none_or(|wanted| *wanted == self.local_address(conn))
            && (filter.user.is_none() || class != Class::Master)
    }

    fn remote_address(&self, conn: ConnId) -> String {
        match (self.clients.get(&conn), &self.upstream) {
            (Some(client), _) => client.address(),
            (None, Some(upstream)) => {
                format!("{}:{}", upstream.master().host, upstream.master().port)
            }
            (None, None) => String::new(),
        }
    }

    fn local_address(&self, _: ConnId) -> String {
        format!("127.0.0.1:{}", self.config.port)
    }

    /// One connection as `CLIENT LIST` shows it.
    #[must_use]
    pub fn client_line(&self, conn: ConnId) -> String {
        let valkey = self.engine.wording == Wording::Primary;
        let class = self.class(conn);
        let client = self.clients.get(&conn);
        let (since, heard) = match (client, &self.upstream) {
            (Some(client), _) => (client.since, client.heard),
            (None, Some(upstream)) => (upstream.status().last_io, upstream.status().last_io),
            (None, None) => return String::new(),
        };
        let flags = match class {
            Class::Replica => "S",
            Class::Master => "M",
            Class::Normal | Class::PubSub if client.is_some_and(|c| c.transaction.is_some()) => "x",
            Class::Normal | Class::PubSub if self.blocked.contains_key(&conn) => "b",
            Class::Normal | Class::PubSub => "N",
        };
        let queued = client.and_then(|client| client.transaction.as_ref());
        let multi = queued.map_or(-1, |transaction| transaction.len() as i64);
        let multi_mem = queued.map_or(0, super::transaction::Transaction::bytes);
        let qbuf = client.map_or(0, |client| client.decoder.buffered());
        let omem = self.output_of(conn);
        let (db, user) = match client {
            Some(client) => (client.db, "default"),
            None => (self.stream_db.unwrap_or(0), "(superuser)"),
        };
        let (capa, watch) = if valkey { (" capa=", " watch=0") } else { ("", "") };
        let tail = if valkey { " lib-name= lib-ver=" } else { "" };
        format!(
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={flags}{capa} db={db} sub=0 \
             psub=0 ssub=0 multi={multi}{watch} qbuf={qbuf} qbuf-free=0 argv-mem=0 \
             multi-mem={multi_mem} rbs=0 rbp=0 obl=0 oll=0 omem={omem} tot-mem={} events=r \
             cmd={} user={user} redir=-1 resp=2{tail}",
            id(conn),
            self.remote_address(conn),
            self.local_address(conn),
            conn.0 / 2 + 8,
            client.map_or("", |client| &client.name),
            self.now.us_since(since) / SECOND_US,
            self.now.us_since(heard) / SECOND_US,
            omem + qbuf as u64 + multi_mem,
            client.map_or("NULL", |client| client.last_command),
        )
    }
}
