//! Random peers in both seats of every engine: whatever they say, a server survives and answers.
//!
//! Each seed draws what clients, replicas and masters say: real commands with hostile numbers,
//! answers of a master in any order, snapshots good and bad, bytes changed at random. `PSYNC_SEED`
//! says which seed is the first.
#![cfg(not(target_arch = "wasm32"))]

use bytes::Bytes;
use psync::random::{Generator, below, seeded};
use psync::server::config::Config;
use psync::server::engine::{ENGINES, Engine};
use psync::server::{Address, ConnId, Input, Output, Server, Start};
use psync::time::Instant;
use psync::wire::{Rdb, RdbEntry, encode_command};

const ID: &str = "0123456789012345678901234567890123456789";
const ROOM: u64 = 1 << 20;
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "-1",
    "100",
    "9223372036854775807",
    "9223372036854775800",
    "-9223372036854775808",
    "18446744073709551615",
    "4294967296",
    "1e300",
    "nan",
    "",
];
const WORDS: &str = "SET GET DEL EXPIRE PEXPIRE EXPIREAT TTL INCRBY APPEND MULTI EXEC DISCARD WATCH \
    WAIT FAILOVER TIMEOUT ABORT TO FORCE REPLICAOF NO ONE REPLCONF ACK GETACK capa eof psync2 \
    dual-channel rdb-channel set-rdb-client-id rdb-only version 9.1.2 listening-port ip-address \
    PSYNC SYNC ? CLIENT LIST KILL ID TYPE replica master normal CONFIG SET repl-backlog-size \
    repl-timeout repl-diskless-sync client-output-buffer-limit SAVE BGSAVE DEBUG SLEEP \
    SET-ACTIVE-EXPIRE CHANGE-REPL-ID INFO ROLE SELECT FLUSHALL MSET EX PX EXAT NX GET k v yes no";

struct Hostile {
    server: Server,
    rng: Generator,
    now: u64,
    next: u64,
    open: Vec<ConnId>,
    dialed: Vec<ConnId>,
    wake: u64,
}

impl Hostile {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[below(&mut self.rng, from.len() as u64) as usize]
    }

    /// Something that a client or a replica says.
    fn command(&mut self) -> Vec<u8> {
        let (n, m) = (self.pick(&NUMBERS), self.pick(&NUMBERS));
        let words: Vec<&str> = WORDS.split_whitespace().chain(NUMBERS).collect();
        let argv: Vec<String> = match below(&mut self.rng, 12) {
            0 => vec!["PSYNC".into(), ID.into(), n.into()],
            1 => ["REPLCONF", "capa", "eof", "capa", "psync2", "capa", "dual-channel"]
                .map(String::from)
                .into(),
            2 => vec!["REPLCONF".into(), "ACK".into(), n.into()],
            3 => vec!["EXPIRE".into(), "k".into(), n.into()],
            4 => vec!["SET".into(), "k".into(), "v".into(), "PX".into(), n.into()],
            5 => vec!["WAIT".into(), n.into(), m.into()],
            6 => vec!["PSYNC".into(), "?".into(), "-1".into()],
            7 => vec!["CONFIG".into(), "SET".into(), "repl-backlog-size".into(), n.into()],
            8 => vec![
                "REPLCONF".into(),
                "rdb-only".into(),
                "1".into(),
                "rdb-channel".into(),
                "1".into(),
            ],
            _ => {
                let count = 1 + below(&mut self.rng, 5);
                (0..count).map(|_| self.pick(&words).to_owned()).collect()
            }
        };
        self.damaged(encode_command(&argv).to_vec())
    }

    /// Something that a master says.
    fn answer(&mut self) -> Vec<u8> {
        let (n, m) = (self.pick(&NUMBERS), self.pick(&NUMBERS));
        let line = match below(&mut self.rng, 11) {
            0 | 1 => "+OK\r\n+OK\r\n+OK\r\n".to_owned(),
            2 => "+PONG\r\n".to_owned(),
            3 => format!("+FULLRESYNC {ID} {n}\r\n"),
            4 => format!("+CONTINUE {ID}\r\n"),
            5 => "+DUALCHANNELSYNC\r\n".to_owned(),
            6 => format!("$ENDOFF:{n} {ID} {m} 1\r\n"),
            7 => ["-ERR x\r\n", "-LOADING\r\n", "\n", "$9223372036854775807\r\n"]
                [below(&mut self.rng, 4) as usize]
                .to_owned(),
            8 => return self.snapshot(n),
            9 => return self.command(),
            _ => "*1\r\n$4\r\nping\r\n".to_owned(),
        };
        self.damaged(line.into_bytes())
    }

    /// A whole resynchronization, at an offset that may be the last there is.
    fn snapshot(&mut self, offset: &str) -> Vec<u8> {
        let entry = RdbEntry {
            db: below(&mut self.rng, 40) as u32,
            key: Bytes::from_static(b"k"),
            value: Bytes::from_static(b"v"),
            expires_at_ms: [None, Some(0), Some(i64::MAX as u64)][below(&mut self.rng, 3) as usize],
        };
        let aux =
            |name: &'static str, value: &str| (Bytes::from(name), Bytes::from(value.to_owned()));
        let aux = vec![aux("repl-stream-db", self.pick(&NUMBERS)), aux("repl-offset", offset)];
        let rdb = Rdb { version: 9, aux, entries: vec![entry] }.encode();
        let rdb = self.damaged(rdb);
        let mut said = format!("+FULLRESYNC {ID} {offset}\r\n${}\r\n", rdb.len()).into_bytes();
        said.extend_from_slice(&rdb);
        said.extend_from_slice(b"*1\r\n$4\r\nping\r\n");
        said
    }

    fn damaged(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if below(&mut self.rng, 10) == 0 {
            let at = below(&mut self.rng, bytes.len() as u64) as usize;
            bytes[at] = below(&mut self.rng, 256) as u8;
        }
        bytes
    }

    /// Takes what the server wants; says what it sent to `listener`, and whether it goes on.
    fn drain(&mut self, listener: Option<ConnId>) -> (Vec<u8>, bool) {
        let (mut heard, mut goes_on) = (Vec::new(), true);
        loop {
            match self.server.poll() {
                Output::Dial { conn, .. } => self.dialed.push(conn),
                Output::Close { conn } => {
                    self.open.retain(|one| *one != conn);
                    self.dialed.retain(|one| *one != conn);
                }
                Output::Transmit { conn, bytes, .. } if Some(conn) == listener => {
                    heard.extend_from_slice(&bytes);
                }
                Output::Exit => goes_on = false,
                Output::Timeout(at) => {
                    self.wake = at.0;
                    return (heard, goes_on);
                }
                _ => {}
            }
        }
    }

    fn give(&mut self, input: Input) -> bool {
        self.server.handle(Instant(self.now), input);
        self.drain(None).1
    }

    fn step(&mut self) -> bool {
        self.now += below(&mut self.rng, 400_000);
        if self.now >= self.wake && !self.give(Input::Timeout) {
            return false;
        }
        for conn in std::mem::take(&mut self.dialed) {
            self.open.push(conn);
            if !self.give(Input::Dialed { conn, room: ROOM }) {
                return false;
            }
        }
        if self.open.is_empty() || below(&mut self.rng, 8) == 0 {
            let conn = self.accept();
            self.open.push(conn);
            return true;
        }
        let conn = self.open[below(&mut self.rng, self.open.len() as u64) as usize];
        if below(&mut self.rng, 30) == 0 {
            self.open.retain(|one| *one != conn);
            return self.give(Input::Closed { conn });
        }
        let said = if conn.0 % 2 == 1 { self.answer() } else { self.command() };
        self.give(Input::Received { conn, bytes: Bytes::from(said) })
    }

    fn accept(&mut self) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 2;
        let peer_ip = "127.0.0.1".to_owned();
        self.give(Input::Accepted { conn, peer_ip, peer_port: 1, room: ROOM });
        conn
    }

    /// A newcomer asks whether it is there; one that sleeps or stands still is given time.
    fn answers(&mut self) -> bool {
        let conn = self.accept();
        let bytes = encode_command(&["PING"]);
        self.server.handle(Instant(self.now), Input::Received { conn, bytes });
        let (mut heard, _) = self.drain(Some(conn));
        for _ in 0..200 {
            if !heard.is_empty() {
                break;
            }
            self.now = self.now.max(self.wake);
            self.server.handle(Instant(self.now), Input::Timeout);
            heard = self.drain(Some(conn)).0;
        }
        // It may be loading, or refuse while its master is away; silence is what it must not be.
        heard.starts_with(b"+PONG") || heard.starts_with(b"-")
    }
}

fn play(engine: &'static Engine, seed: u64, replica: bool) {
    let master = replica.then(|| Address { host: "10.0.0.1".to_owned(), port: 6379 });
    let mut config = Config::defaults(engine);
    config.dual_channel = seed.is_multiple_of(2) && engine.dual_channel;
    config.diskless_delay_seconds = 0;
    let server = Server::start(Start { master, ..Start::new(engine, config, seed) });
    let rng = seeded(seed);
    let mut hostile =
        Hostile { server, rng, now: 1, next: 2, open: vec![], dialed: vec![], wake: 0 };
    hostile.drain(None);
    for _ in 0..80 {
        if !hostile.step() {
            return;
        }
    }
    let slept = hostile.answers();
    assert!(slept, "engine {}, seed {seed}, replica {replica}: it is silent", engine.name);
}

#[test]
fn random_peers_in_both_seats_bring_no_server_down() {
    let first = std::env::var("PSYNC_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for engine in ENGINES {
        for seed in first..first + 300 {
            for replica in [false, true] {
                let ended = std::panic::catch_unwind(|| play(engine, seed, replica));
                assert!(ended.is_ok(), "PSYNC_SEED={seed}, {}, replica: {replica}", engine.name);
            }
        }
    }
}
