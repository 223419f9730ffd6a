//! Clients: connections that were accepted, what they send, and who answers it.
//!
//! A connection begins as an ordinary client and may become a replica with PSYNC. What it sends
//! is cut into commands here, and each is refused, put off, queued or run, in that order and by the
//! rules of Redis' `processCommand`. What a data command does stands in `command`, the rest in
//! `admin`.

use bytes::Bytes;

use super::admin::{self, AdminCommand, Inside};
use super::answer::Answer;
use super::blocked::Blocked;
use super::command::{self, Context, DataCommand, Effect};
use super::downstream::Seat;
use super::dual_channel::Channels;
use super::engine::Engine;
use super::outbox::Outbox;
use super::transaction::{Transaction, Watch};
use super::{ConnId, Phase, Server};
use crate::stream::history::ReplId;
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::Value;
use crate::wire::{CommandDecoder, Frame, FrameKind};

/// A client with more unread answers than this, in bytes, waits with its next command until it has
/// read some. A real server goes on and has no limit: 64 KiB of `GET large` can then ask for
/// gigabytes at once. A driver should not read from such a client either.
pub const MOST_UNREAD_BYTES: u64 = 64 << 20;

/// An accepted connection.
#[derive(Clone, Debug)]
pub struct Client {
    pub peer_ip: String,
    pub peer_port: u16,
    /// When it connected.
    pub since: Instant,
    /// When it last said something.
    pub heard: Instant,
    /// What it said last, for `CLIENT LIST`.
    pub last_command: &'static str,
    pub db: u32,
    /// As it was given with `CLIENT SETNAME`; mostly empty.
    pub name: String,
    /// What it has queued since MULTI.
    pub transaction: Option<Transaction>,
    /// The keys that it watches.
    pub watch: Watch,
    /// Whether its connection ends with the answer to its present command.
    pub ends: bool,
    /// The end of the history after its last command: what `WAIT` waits for.
    pub wrote_up_to: Offset,
    pub decoder: CommandDecoder,
    pub announced: Announced,
    pub seat: Seat,
}

/// What a peer told about itself with REPLCONF.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    pub port: Option<u16>,
    pub ip: Option<String>,
    pub eof: bool,
    pub psync2: bool,
    pub version: Option<String>,
    /// Its run id, in the proposal of 2011.
    pub run_id: Option<ReplId>,
    /// What it said about a full resync on two connections.
    pub channels: Channels,
}

/// What one connection makes a server hold, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Memory for a command that has not arrived completely.
    pub input: u64,
    /// Waiting to be sent, the payload of a full resync apart (`omem` in CLIENT LIST).
    pub output: u64,
    /// Whether it is a replica: what waits for it is the stream, not answers to it.
    pub is_replica: bool,
}

impl Server {
    /// What an accepted connection makes this server hold, for drivers that bound it. None when
    /// there is no such connection.
    #[must_use]
    pub fn held(&self, conn: ConnId) -> Option<Held> {
        let client = self.clients.get(&conn)?;
        Some(Held {
            input: client.decoder.capacity() as u64
                + client.transaction.as_ref().map_or(0, Transaction::bytes)
                + client.watch.bytes(),
            output: self.output_of(conn),
            is_replica: client.seat != Seat::Client,
        })
    }

    pub(super) fn accepted(&mut self, conn: ConnId, peer: (String, u16), room: u64) {
        self.counters.connections += 1;
        self.outboxes.insert(conn, Outbox::new(room));
        let client = Client {
            peer_ip: peer.0,
            peer_port: peer.1,
            since: self.now,
            heard: self.now,
            last_command: "NULL",
            db: 0,
            name: String::new(),
            transaction: None,
            watch: Watch::default(),
            ends: false,
            wrote_up_to: Offset::ZERO,
            decoder: CommandDecoder::new(),
            announced: Announced::default(),
            seat: Seat::Client,
        };
        self.clients.insert(conn, client);
    }

    pub(super) fn client_gone(&mut self, conn: ConnId) {
        let Some(mut client) = self.clients.remove(&conn) else { return };
        self.seated.remove(&conn);
        self.blocked.remove(&conn);
        self.forget_watch(conn, std::mem::take(&mut client.watch));
        if client.seat == Seat::Client {
            return;
        }
        let peer = peer_name(&client);
        if client.announced.channels.is_rdb_channel {
            self.rdb_channel_gone(conn, &peer);
        } else {
            self.log(format!("Connection with replica {peer} lost."));
            if let Some(backlog) = &mut self.backlog {
                backlog.detach(conn.0, self.now);
            }
        }
        if self.replicas().next().is_none() {
            self.no_replicas_since = self.now;
        }
        self.snapshot_lost_a_replica();
    }

    /// How logs name a peer: its address with the port it announced.
    pub(super) fn peer_name(&self, conn: ConnId) -> String {
        self.clients.get(&conn).map_or_else(|| "?".to_owned(), peer_name)
    }

    pub(super) fn client_received(&mut self, conn: ConnId, bytes: &Bytes) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.heard = self.now;
            client.decoder.feed(bytes);
        }
        self.run_commands(conn);
    }

    /// Runs what a client has sent, as long as it reads the answers.
    pub(super) fn run_commands(&mut self, conn: ConnId) {
        // A command may end its own connection, so look it up anew each time.
        while let Some(client) = self.clients.get_mut(&conn) {
            let unread = self.outboxes.get(&conn).map_or(0, Outbox::queued);
            let full = unread > MOST_UNREAD_BYTES && client.seat == Seat::Client;
            if full
                || client.ends
                || self.blocked.contains_key(&conn)
                || self.asleep.is_some()
                || self.exits
            {
                break;
            }
            match client.decoder.next() {
                Ok(None) => break,
                Ok(Some(frame)) => self.framed(conn, &frame),
                Err(error) => {
                    self.reply_error(conn, &format!("ERR Protocol error: {error}"));
                    self.close_after_reply(conn);
                    break;
                }
            }
        }
    }

    fn framed(&mut self, conn: ConnId, frame: &Frame) {
        if frame.kind == FrameKind::Newline {
            self.heard_newline(conn);
        } else if !frame.argv.is_empty() {
            self.counters.commands += 1;
            self.unit.raw = frame.raw.clone();
            self.dispatch(conn, &frame.argv);
            self.unit.raw = Bytes::new();
        }
    }

    pub(super) fn dispatch(&mut self, conn: ConnId, argv: &[Bytes]) {
        let Some(command) = Command::find(self.engine, &argv[0]) else {
            let name = String::from_utf8_lossy(&argv[0]).into_owned();
            let refused = admin::unknown_command(self.engine, &name, &argv[1..]);
            return self.refuse(conn, None, &refused);
        };
        let Some(client) = self.clients.get_mut(&conn) else { return };
        client.last_command = command.name();
        let is_replica = client.seat != Seat::Client;
        let queues = client.transaction.is_some() && command.inside() == Inside::Queued;
        if let Some(refused) = self.refusal(conn, command, argv.len()) {
            return self.refuse(conn, Some(command), &refused);
        }
        let put_off = self.pauses_writes() && !is_replica && !queues;
        if put_off && self.may_replicate(conn, command) {
            return self.block(conn, Blocked::Postponed(argv.to_vec()));
        }
        let answer = if queues {
            let client = self.clients.get_mut(&conn);
            if let Some(transaction) = client.and_then(|client| client.transaction.as_mut()) {
                transaction.push(command, argv);
            }
            super::answer::simple("QUEUED")
        } else {
            let answer = self.execute(conn, command, argv);
            self.ends_unit();
            if let Some(client) = self.clients.get_mut(&conn) {
                client.wrote_up_to = self.history.end;
            }
            answer
        };
        if let Some(answer) = answer {
            self.reply_value(conn, &answer, is_replica, argv);
        }
        if self.clients.get(&conn).is_some_and(|client| client.ends) {
            self.close_after_reply(conn);
        }
    }

    /// The connection ends when the present command is answered.
    pub(super) fn close_when_answered(&mut self, conn: ConnId) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.ends = true;
        }
    }

    /// Runs a command, in a transaction or alone.
    pub(super) fn execute(&mut self, conn: ConnId, command: Command, argv: &[Bytes]) -> Answer {
        match command {
            Command::Admin(found) => (found.run)(self, conn, argv),
            Command::Data(found) => {
                let db = self.clients.get(&conn).map_or(0, |client| client.db);
                Some(self.call(found, db, argv))
            }
        }
    }

    /// Why a command must not be run, in the order in which real servers look.
    fn refusal(&self, conn: ConnId, command: Command, argc: usize) -> Option<String> {
        let name = command.name();
        if !command.takes(argc) {
            return Some(format!("ERR wrong number of arguments for '{name}' command"));
        }
        let transaction = self.clients.get(&conn).and_then(|client| client.transaction.as_ref());
        let named = self.engine.vocabulary.names_forbidden;
        let forbidden = match command.inside() {
            Inside::Never => true,
            Inside::NowOrNever => named,
            Inside::Queued | Inside::Now => false,
        };
        if forbidden && transaction.is_some() {
            let command = if named { format!("Command '{name}'") } else { "Command".to_owned() };
            return Some(format!("ERR {command} not allowed inside a transaction"));
        }
        let writes = match transaction.filter(|_| name == "exec") {
            Some(transaction) => transaction.writes(),
            None => command.writes(),
        };
        if writes && self.has_too_few_replicas() {
            return Some("NOREPLICAS Not enough good replicas to write.".to_owned());
        }
        let follows = self.upstream.is_some();
        if writes && follows && self.config.replica_read_only {
            return Some("READONLY You can't write against a read only replica.".to_owned());
        }
        let cut_off = follows && self.link_phase() != Some(Phase::Connected);
        if cut_off && !self.config.serve_stale_data && !command.answers_stale() {
            let text =
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
            return Some(text.to_owned());
        }
        None
    }

    /// A refused command spoils the transaction that it was meant for.
    fn refuse(&mut self, conn: ConnId, command: Option<Command>, why: &str) {
        if command.is_some_and(|command| command.name() == "exec") {
            self.discard_transaction(conn);
            let why = why.strip_prefix("ERR ").unwrap_or(why);
            let why = format!("EXECABORT Transaction discarded because of: {why}");
            return self.reply_error(conn, &why);
        }
        if let Some(Some(transaction)) =
            self.clients.get_mut(&conn).map(|client| client.transaction.as_mut())
        {
            transaction.spoiled = true;
        }
        self.reply_error(conn, why);
    }

    /// Whether a command must wait while writes are paused.
    fn may_replicate(&self, conn: ConnId, command: Command) -> bool {
        let transaction = self.clients.get(&conn).and_then(|client| client.transaction.as_ref());
        match transaction {
            Some(transaction) if command.name() == "exec" => transaction.replicates(),
            // Who has become a replica meanwhile says at once that it cannot.
            _ => command.replicates() || (self.upstream.is_none() && command.asks_for_stream()),
        }
    }

    /// Runs a data command for a client of this server.
    fn call(&mut self, found: &DataCommand, db: u32, argv: &[Bytes]) -> Value {
        self.expire_keys_of(found, db, argv);
        let now_ms = self.unix_ms();
        let effect = self.run(found, self.context(db, now_ms), argv);
        if let Some(propagate) = effect.propagate
            && (self.upstream.is_none() || !self.shares_history())
        {
            // What is written to a writable replica stays there (4.0+): it is no part of the
            // history that its own replicas share with it.
            self.propagate(db, &propagate);
        }
        effect.reply
    }

    /// Runs a data command on the data alone.
    pub(super) fn run(&mut self, found: &DataCommand, context: Context, argv: &[Bytes]) -> Effect {
        let effect = (found.run)(&mut self.data, &context, argv);
        if effect.propagate.is_some() && found.write {
            self.last_save.changes += 1;
            self.touch(found, context.db, argv);
        }
        self.arm_expiry();
        effect
    }

    /// What a data command knows besides the data.
    pub(super) fn context(&self, db: u32, expired_by_ms: u64) -> Context {
        let (engine, lazy) = (self.engine, self.config.lazy_expire);
        Context { db, now_ms: self.unix_ms(), expired_by_ms, engine, lazy_expire: lazy }
    }

    pub(super) fn reply_value(
        &mut self,
        conn: ConnId,
        value: &Value,
        is_replica: bool,
        argv: &[Bytes],
    ) {
        if is_replica {
            // A reply would end up inside the stream, so who provokes one is cut off.
            let name = String::from_utf8_lossy(&argv[0]).into_owned();
            let peer = self.peer_name(conn);
            self.log(format!(
                "Replica generated a reply to command '{name}', disconnecting it: addr={peer}"
            ));
            return self.close(conn);
        }
        let mut text = Vec::new();
        value.encode(&mut text);
        self.reply(conn, text);
    }

    pub(super) fn reply_error(&mut self, conn: ConnId, error: &str) {
        let value = Value::Error(Bytes::copy_from_slice(error.as_bytes()));
        let is_replica = self.replica_seat(conn).is_some();
        self.reply_value(conn, &value, is_replica, &[Bytes::from_static(b"?")]);
    }
}

/// A command of either table.
#[derive(Clone, Copy)]
pub enum Command {
    /// On data.
    Data(&'static DataCommand),
    /// On everything else.
    Admin(&'static AdminCommand),
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Command {
    fn find(engine: &'static Engine, name: &[u8]) -> Option<Command> {
        let data = command::find(name).map(Command::Data);
        data.or_else(|| admin::find(engine, name).map(Command::Admin))
    }

    pub fn name(self) -> &'static str {
        match self {
            Command::Data(found) => found.name,
            Command::Admin(found) => found.name,
        }
    }

    fn takes(self, argc: usize) -> bool {
        match self {
            Command::Data(found) => found.takes(argc),
            Command::Admin(found) => command::arity_fits(found.arity, argc),
        }
    }

    fn inside(self) -> Inside {
        match self {
            Command::Data(_) => Inside::Queued,
            Command::Admin(found) => found.inside,
        }
    }

    /// Whether it may change data.
    pub fn writes(self) -> bool {
        matches!(self, Command::Data(found) if found.write)
    }

    /// Whether it may put something into the stream.
    pub fn replicates(self) -> bool {
        self.writes() || self.name() == "publish"
    }

    /// PSYNC is put off while writes are paused, as on real servers.
    fn asks_for_stream(self) -> bool {
        matches!(self.name(), "psync" | "sync")
    }

    /// Whether a replica without its master answers it all the same.
    fn answers_stale(self) -> bool {
        match self {
            Command::Data(found) => found.name == "publish",
            Command::Admin(found) => found.stale,
        }
    }
}

impl Client {
    /// Where it really comes from.
    pub fn address(&self) -> String {
        format!("{}:{}", self.peer_ip, self.peer_port)
    }
}

fn peer_name(client: &Client) -> String {
    let ip = client.announced.ip.as_ref().unwrap_or(&client.peer_ip);
    match client.announced.port {
        Some(port) => format!("{ip}:{port}"),
        None => format!("{ip}:<unknown-replica-port>"),
    }
}
