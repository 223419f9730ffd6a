//! The handshake of a replica, byte for byte, with and without announcing its version.

use bytes::Bytes;
use psync::server::config::Config;
use psync::server::engine::{Engine, Handshake, REDIS_6_2};
use psync::server::{Address, ConnId, Input, Output, Server, Start};
use psync::time::Instant;

/// As Redis 6.2, but announcing a version as newer servers do.
const ANNOUNCES: Handshake = Handshake { version: true, ..REDIS_6_2.handshake };
static ANNOUNCING: Engine =
    Engine { name: "announcing", version: "9.1.2", handshake: ANNOUNCES, ..REDIS_6_2 };
static PLAIN: Engine = REDIS_6_2;

const NOW: Instant = Instant(1);

fn start(engine: &'static Engine, master: Option<Address>) -> Server {
    let config = Config { port: 6380, ..Config::defaults(engine) };
    Server::start(Start { master, ..Start::new(engine, config, 1) })
}

fn sent(server: &mut Server) -> Vec<Bytes> {
    let mut sent = Vec::new();
    loop {
        match server.poll() {
            Output::Transmit { bytes, .. } => sent.push(bytes),
            Output::Timeout(_) => return sent,
            _ => {}
        }
    }
}

/// Connects a replica to a master of the same engine; gives what each said, `R>` and `M>`.
fn transcript(engine: &'static Engine) -> Vec<String> {
    let mut master = start(engine, None);
    let address = Address { host: "m".to_owned(), port: 6379 };
    let mut replica = start(engine, Some(address));
    sent(&mut replica);
    let (dialed, accepted) = (ConnId(1), ConnId(2));
    let room = 1 << 20;
    master.handle(
        NOW,
        Input::Accepted { conn: accepted, peer_ip: "r".to_owned(), peer_port: 1, room },
    );
    replica.handle(NOW, Input::Dialed { conn: dialed, room });
    let mut said = Vec::new();
    loop {
        let from_replica = sent(&mut replica);
        for bytes in from_replica {
            said.push(format!("R> {}", bytes.escape_ascii()));
            master.handle(NOW, Input::Received { conn: accepted, bytes });
        }
        let from_master = sent(&mut master);
        if from_master.is_empty() {
            return said;
        }
        for bytes in from_master {
            let text: String = bytes.escape_ascii().to_string().chars().take(12).collect();
            said.push(format!("M> {text}"));
            replica.handle(NOW, Input::Received { conn: dialed, bytes });
        }
    }
}

#[test]
fn a_replica_of_6_2_introduces_itself_in_four_messages() {
    assert_eq!(
        transcript(&PLAIN),
        [
            r"R> *1\r\n$4\r\nPING\r\n",
            r"M> +PONG\r\n",
            r"R> *3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$4\r\n6380\r\n",
            r"R> *5\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$4\r\ncapa\r\n$6\r\npsync2\r\n",
            r"M> +OK\r\n",
            r"M> +OK\r\n",
            r"R> *3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n",
            r"M> +FULLRESYNC ",
            r"M> $143\r\n",
            r"M> REDIS0009\xf",
        ]
    );
}

#[test]
fn an_engine_that_announces_its_version_says_one_message_more_and_is_understood() {
    let said = transcript(&ANNOUNCING);
    assert_eq!(said[4], r"R> *3\r\n$8\r\nREPLCONF\r\n$7\r\nversion\r\n$5\r\n9.1.2\r\n");
    assert_eq!(said.iter().filter(|line| *line == r"M> +OK\r\n").count(), 3);
    assert!(said.iter().any(|line| line.starts_with("M> +FULLRESYNC")), "{said:?}");
}
