//! Servers wired together in memory, and clients at them: time passes when a test says so.

use std::collections::BTreeMap;

use bytes::Bytes;
use psync::server::config::Config;
use psync::server::engine::Engine;
use psync::server::{Address, ConnId, Event, Input, Output, Server, Start};
use psync::time::Instant;
use psync::wire::{CommandDecoder, encode_command};

/// Unix time when a test begins, in milliseconds.
pub const UNIX_MS: u64 = 1_700_000_000_000;
const ROOM: u64 = 1 << 30;
/// Servers listen from here on.
const FIRST_PORT: u16 = 7000;

/// A connection of one of the servers.
type End = (usize, ConnId);

pub struct Lab {
    pub servers: Vec<Server>,
    now: Instant,
    wakes: Vec<Instant>,
    wires: BTreeMap<(usize, u64), End>,
    heard: BTreeMap<(usize, u64), Vec<u8>>,
    /// What each server logged.
    pub logs: Vec<Vec<String>>,
    /// Connections that servers have ended.
    pub closed: Vec<End>,
    /// Servers that have stopped.
    pub exited: Vec<usize>,
    /// How many snapshots were put on disk.
    pub saves: usize,
    /// Servers that nobody reaches.
    pub unreachable: Vec<usize>,
    next: u64,
}

/// A client of a server.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub usize, pub ConnId);

impl Lab {
    pub fn new() -> Lab {
        Lab {
            servers: Vec::new(),
            now: Instant(1_000_000),
            wakes: Vec::new(),
            wires: BTreeMap::new(),
            heard: BTreeMap::new(),
            logs: Vec::new(),
            closed: Vec::new(),
            exited: Vec::new(),
            saves: 0,
            unreachable: Vec::new(),
            next: 2,
        }
    }

    /// One master, and a client of it.
    pub fn with(engine: &'static Engine, settings: &[(&str, &str)]) -> (Lab, Client) {
        let mut lab = Lab::new();
        let server = lab.start(engine, settings, None);
        let client = lab.client(server);
        (lab, client)
    }

    /// Starts a server, perhaps as the replica of another.
    pub fn start(
        &mut self,
        engine: &'static Engine,
        settings: &[(&str, &str)],
        master: Option<usize>,
    ) -> usize {
        let number = self.servers.len();
        let port = FIRST_PORT + u16::try_from(number).expect("few");
        let mut config = Config { port, diskless_sync: false, ..Config::defaults(engine) };
        for (directive, value) in settings {
            config.load(directive, value).expect("a modelled directive");
        }
        let now = self.now;
        let master = master.map(|number| self.address(number));
        let start = Start { now, master, ..Start::new(engine, config, 7 + number as u64) };
        let start = Start { unix_ms_at_zero: UNIX_MS, ..start };
        self.servers.push(Server::start(start));
        self.wakes.push(now);
        self.logs.push(Vec::new());
        self.settle();
        number
    }

    pub fn address(&self, number: usize) -> Address {
        let port = FIRST_PORT + u16::try_from(number).expect("few");
        Address { host: "127.0.0.1".to_owned(), port }
    }

    pub fn client(&mut self, server: usize) -> Client {
        let conn = ConnId(self.next);
        self.next += 2;
        self.heard.insert((server, conn.0), Vec::new());
        self.accept(server, conn);
        self.settle();
        Client(server, conn)
    }

    fn accept(&mut self, server: usize, conn: ConnId) {
        let (peer_ip, peer_port) = ("127.0.0.1".to_owned(), 40_000);
        let input = Input::Accepted { conn, peer_ip, peer_port, room: ROOM };
        self.servers[server].handle(self.now, input);
    }

    /// A bare replica of a server: it reads the stream and says what a test wants it to.
    pub fn raw_replica(&mut self, server: usize, port: u16) -> Client {
        let replica = self.client(server);
        self.say(replica, &format!("REPLCONF listening-port {port}"));
        self.say(replica, "PSYNC ? -1");
        replica
    }

    /// Says a line of words without waiting for the answer.
    pub fn send(&mut self, client: Client, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        self.send_bytes(client, encode_command(&words));
    }

    pub fn send_bytes(&mut self, Client(server, conn): Client, bytes: Bytes) {
        self.servers[server].handle(self.now, Input::Received { conn, bytes });
        self.settle();
    }

    /// Says a line of words; gives what came back since the last time, line ends as blanks.
    pub fn say(&mut self, client: Client, line: &str) -> String {
        self.send(client, line);
        self.answers(client)
    }

    /// What came back since the last time.
    pub fn answers(&mut self, Client(server, conn): Client) -> String {
        let heard = self.heard.get_mut(&(server, conn.0)).map(std::mem::take);
        let text = String::from_utf8_lossy(&heard.unwrap_or_default()).into_owned();
        text.trim_end().replace("\r\n", " ")
    }

    /// The commands that a bare replica read since the last time.
    pub fn stream(&mut self, Client(server, conn): Client) -> Vec<String> {
        let heard = self.heard.get_mut(&(server, conn.0)).map(std::mem::take);
        let mut decoder = CommandDecoder::new();
        decoder.feed(&heard.unwrap_or_default());
        let mut commands = Vec::new();
        while let Some(frame) = decoder.next().expect("a stream") {
            let words: Vec<_> =
                frame.argv.iter().map(|word| String::from_utf8_lossy(word)).collect();
            commands.push(words.join(" "));
        }
        commands
    }

    /// A bare replica says that it has applied everything.
    pub fn ack_all(&mut self, replica: Client) {
        let end = self.servers[replica.0].history().end;
        self.send(replica, &format!("REPLCONF ACK {end}"));
    }

    /// Lets time pass.
    pub fn pass_ms(&mut self, ms: u64) {
        let target = self.now.after_us(ms * 1000);
        while let Some((server, at)) = self.next_wake().filter(|(_, at)| *at <= target) {
            self.now = self.now.max(at);
            self.servers[server].handle(self.now, Input::Timeout);
            self.settle();
        }
        self.now = target;
    }

    fn next_wake(&self) -> Option<(usize, Instant)> {
        let running = self.wakes.iter().copied().enumerate();
        running.filter(|(number, _)| !self.exited.contains(number)).min_by_key(|(_, at)| *at)
    }

    /// Carries bytes until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let mut idle = true;
            for number in 0..self.servers.len() {
                loop {
                    match self.servers[number].poll() {
                        Output::Timeout(at) => {
                            self.wakes[number] = at;
                            break;
                        }
                        output => {
                            idle = false;
                            self.carry(number, output);
                        }
                    }
                }
            }
            if idle {
                return;
            }
        }
    }

    fn carry(&mut self, number: usize, output: Output) {
        match output {
            Output::Transmit { conn, bytes, .. } => {
                let from = (number, conn.0);
                if let Some(heard) = self.heard.get_mut(&from) {
                    heard.extend_from_slice(&bytes);
                } else if let Some((peer, conn)) = self.wires.get(&from).copied() {
                    // Only a server that has drained may be given more.
                    self.drained(peer);
                    self.servers[peer].handle(self.now, Input::Received { conn, bytes });
                }
            }
            Output::Dial { conn, to } => self.dial(number, conn, &to),
            Output::Close { conn } => {
                self.closed.push((number, conn));
                if let Some((peer, conn)) = self.wires.remove(&(number, conn.0)) {
                    self.wires.remove(&(peer, conn.0));
                    self.drained(peer);
                    self.servers[peer].handle(self.now, Input::Closed { conn });
                }
            }
            Output::Pause { .. } | Output::Resume { .. } => {}
            Output::Save { .. } => self.saves += 1,
            Output::Exit => self.exited.push(number),
            Output::Event(Event::Log(line)) => self.logs[number].push(line),
            Output::Event(_) | Output::Timeout(_) => {}
        }
    }

    fn drained(&mut self, number: usize) {
        loop {
            match self.servers[number].poll() {
                Output::Timeout(at) => {
                    self.wakes[number] = at;
                    return;
                }
                output => self.carry(number, output),
            }
        }
    }

    fn dial(&mut self, number: usize, conn: ConnId, to: &Address) {
        let peer = usize::from(to.port.wrapping_sub(FIRST_PORT));
        let there = peer < self.servers.len() && !self.unreachable.contains(&peer);
        self.drained(number);
        if !there {
            return self.servers[number].handle(self.now, Input::Closed { conn });
        }
        let accepted = ConnId(self.next);
        self.next += 2;
        self.wires.insert((number, conn.0), (peer, accepted));
        self.wires.insert((peer, accepted.0), (number, conn));
        self.drained(peer);
        self.accept(peer, accepted);
        self.servers[number].handle(self.now, Input::Dialed { conn, room: ROOM });
    }

    /// One field of INFO.
    pub fn info(&mut self, server: usize, field: &str) -> String {
        let client = self.client(server);
        let text = self.say(client, "INFO everything");
        let lines = text.split(' ').find_map(|word| word.strip_prefix(&format!("{field}:")));
        lines.unwrap_or("-").to_owned()
    }

    /// Whether a server logged a line that begins like this.
    pub fn logged(&self, server: usize, begin: &str) -> bool {
        self.logs[server].iter().any(|line| line.starts_with(begin))
    }
}
