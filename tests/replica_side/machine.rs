//! One server, its master played by the test, byte by byte.

use bytes::Bytes;
use psync::server::config::Config;
use psync::server::engine::Engine;
use psync::server::{Address, ConnId, Event, Input, Output, Phase, Server, Start};
use psync::time::{Instant, SECOND_US};
use psync::wire::{Rdb, RdbEntry, encode_command};

/// A history that the test's master speaks of.
pub const ID: &str = "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd";
/// Another.
pub const OTHER: &str = "1111111111222222222233333333334444444444";
/// Behind a payload without length.
const MARK: &str = "eeeeeeeeeeffffffffff00000000001111111111";
const ROOM: u64 = 1 << 30;

pub struct Machine {
    pub server: Server,
    now: Instant,
    /// What it sent to its master since the last look.
    sent: Vec<u8>,
    /// What it sent to those that it accepted, since one of them last asked something.
    replies: Vec<(ConnId, Bytes)>,
    /// Its connection to its master.
    dialed: Option<ConnId>,
    dials: usize,
    pub closed: Vec<ConnId>,
    pub log: Vec<String>,
    accepted: u64,
}

/// A snapshot with one key.
fn rdb() -> Vec<u8> {
    let (key, value) = (Bytes::from_static(b"k"), Bytes::from_static(b"v"));
    let entry = RdbEntry { db: 0, key, value, expires_at_ms: None };
    Rdb { version: 9, aux: Vec::new(), entries: vec![entry] }.encode().to_vec()
}

/// The snapshot as a payload of known length.
pub fn with_length() -> Vec<u8> {
    let rdb = rdb();
    [format!("${}\r\n", rdb.len()).as_bytes(), &rdb].concat()
}

/// The snapshot as a payload that ends with a mark.
pub fn with_mark() -> Vec<u8> {
    [format!("$EOF:{MARK}\r\n").as_bytes(), &rdb(), MARK.as_bytes()].concat()
}

pub fn master(host: &str) -> Address {
    Address { host: host.to_owned(), port: 6379 }
}

impl Machine {
    /// A replica that has just dialed.
    pub fn replica(engine: &'static Engine) -> Machine {
        Machine::with(engine, &[], Some(master("m")))
    }

    pub fn with(
        engine: &'static Engine,
        settings: &[(&str, &str)],
        master: Option<Address>,
    ) -> Machine {
        let mut config = Config { timeout_seconds: 5, ..Config::defaults(engine) };
        for (directive, value) in settings {
            config.load(directive, value).expect("a directive");
        }
        let mut machine = Machine {
            server: Server::start(Start { master, ..Start::new(engine, config, 1) }),
            now: Instant(1),
            sent: Vec::new(),
            replies: Vec::new(),
            dialed: None,
            dials: 0,
            closed: Vec::new(),
            log: Vec::new(),
            accepted: 0,
        };
        machine.drain();
        machine
    }

    fn give(&mut self, input: Input) {
        self.server.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.server.poll() {
                Output::Transmit { conn, bytes, .. } if Some(conn) == self.dialed => {
                    self.sent.extend_from_slice(&bytes);
                }
                Output::Transmit { conn, bytes, .. } => self.replies.push((conn, bytes)),
                Output::Dial { conn, .. } => {
                    self.dialed = Some(conn);
                    self.dials += 1;
                }
                Output::Close { conn } => self.closed.push(conn),
                Output::Event(Event::Log(line)) => self.log.push(line),
                Output::Timeout(_) => return,
                _ => {}
            }
        }
    }

    /// Time passes, a tenth of a second at a time.
    pub fn pass(&mut self, tenths: u64) {
        for _ in 0..tenths {
            self.now = self.now.after_us(SECOND_US / 10);
            self.give(Input::Timeout);
        }
    }

    /// How often it has dialed.
    pub fn dials(&self) -> usize {
        self.dials
    }

    /// The network ends its link to its master.
    pub fn lose_link(&mut self) {
        let conn = self.dialed.expect("it dialed");
        self.give(Input::Closed { conn });
    }

    /// Its master says this.
    pub fn hear(&mut self, bytes: impl AsRef<[u8]>) {
        let conn = self.dialed.expect("it dialed");
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        if !bytes.is_empty() {
            self.give(Input::Received { conn, bytes });
        }
    }

    /// What it said to its master since the last look, escaped.
    pub fn said(&mut self) -> String {
        std::mem::take(&mut self.sent).escape_ascii().to_string()
    }

    /// Lets it dial if it waits for a tick, and plays the master up to the request; gives that.
    pub fn request(&mut self) -> String {
        if self.server.link_phase() == Some(Phase::Connect) {
            self.pass(11);
        }
        let conn = self.dialed.expect("it dialed");
        self.give(Input::Dialed { conn, room: ROOM });
        self.said();
        self.hear("+PONG\r\n");
        for _ in 0..5 {
            let said = self.said();
            if let Some((_, request)) = said.split_once(r"PSYNC\r\n") {
                let words = request.split(r"\r\n").filter(|word| !word.starts_with('$'));
                return words.collect::<Vec<_>>().join(" ").trim().to_owned();
            }
            // As many as there are messages, or one by one.
            self.hear("+OK\r\n".repeat(said.matches("REPLCONF").count().max(1)));
        }
        unreachable!("it never asked");
    }

    /// Attaches at byte 100 of `ID`, with a payload of known length.
    pub fn attach(&mut self) {
        assert_eq!(self.request(), "? -1");
        self.hear(format!("+FULLRESYNC {ID} 100\r\n"));
        self.hear(with_length());
        assert_eq!(self.server.link_phase(), Some(Phase::Connected));
        self.said();
    }

    /// A client or replica of its own comes.
    pub fn accept(&mut self) -> ConnId {
        self.accepted += 2;
        let conn = ConnId(self.accepted);
        let peer_ip = "s".to_owned();
        self.give(Input::Accepted { conn, peer_ip, peer_port: 1, room: ROOM });
        conn
    }

    /// It says this, and is answered so.
    pub fn ask(&mut self, conn: ConnId, line: &str) -> String {
        self.replies.clear();
        let words: Vec<&str> = line.split(' ').collect();
        self.give(Input::Received { conn, bytes: encode_command(&words) });
        self.replies_to(conn)
    }

    /// What was sent to it since somebody last asked something.
    pub fn replies_to(&self, conn: ConnId) -> String {
        let own = self.replies.iter().filter(|(to, _)| *to == conn);
        let own: Vec<u8> = own.flat_map(|(_, bytes)| bytes.to_vec()).collect();
        own.escape_ascii().to_string()
    }

    /// A replica of its own comes and takes everything.
    pub fn sub_replica(&mut self) -> ConnId {
        let conn = self.accept();
        self.ask(conn, "REPLCONF capa psync2");
        let answer = self.ask(conn, "PSYNC ? -1");
        assert!(answer.starts_with("+FULLRESYNC"), "{answer}");
        conn
    }

    /// One field of INFO.
    pub fn info(&mut self, field: &str) -> String {
        let conn = self.accept();
        let text = self.ask(conn, "INFO");
        let lines = text.split(r"\r\n").filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| *name == field).map(|(_, value)| value.to_owned()).collect()
    }
}
