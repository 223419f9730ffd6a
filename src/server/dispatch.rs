//! Clients: connections that were accepted, what they send, and who answers it.
//!
//! A connection begins as an ordinary client and may become a replica with PSYNC. What it sends
//! is cut into commands here; data commands go to the table, the rest to `admin` and `psync`.

use bytes::Bytes;

use super::command::{self, Context, DataCommand, Effect};
use super::downstream::Seat;
use super::dual_channel::Channels;
use super::outbox::Outbox;
use super::timers::Timer;
use super::{ConnId, Server};
use crate::stream::history::ReplId;
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
            input: client.decoder.capacity() as u64,
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
            decoder: CommandDecoder::new(),
            announced: Announced::default(),
            seat: Seat::Client,
        };
        self.clients.insert(conn, client);
    }

    pub(super) fn client_gone(&mut self, conn: ConnId) {
        let Some(client) = self.clients.remove(&conn) else { return };
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
            if unread > MOST_UNREAD_BYTES && client.seat == Seat::Client {
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
            self.dispatch(conn, &frame.argv);
        }
    }

    fn dispatch(&mut self, conn: ConnId, argv: &[Bytes]) {
        let is_replica = self.replica_seat(conn).is_some();
        if let Some(found) = command::find(&argv[0]) {
            if !found.takes(argv.len()) {
                return self.reply_wrong_arity(conn, found.name);
            }
            let db = self.clients.get(&conn).map_or(0, |client| client.db);
            let reply = self.call(found, db, argv);
            return self.reply_value(conn, &reply, is_replica, argv);
        }
        self.administer(conn, argv);
    }

    /// Runs a data command for a client of this server.
    fn call(&mut self, found: &DataCommand, db: u32, argv: &[Bytes]) -> Value {
        if found.write && self.upstream.is_some() && self.config.replica_read_only {
            let text = b"READONLY You can't write against a read only replica.";
            return Value::Error(Bytes::from_static(text));
        }
        self.expire_keys_of(found, db, argv);
        let now_ms = self.unix_ms();
        let effect = self.run(found, Context { db, now_ms, expired_by_ms: now_ms }, argv);
        if let Some(propagate) = effect.propagate
            && (self.upstream.is_none() || !self.shares_history())
        {
            // What is written to a writable replica stays there (4.0+): it is no part of the
            // history that its own replicas share with it.
            self.feed(db, &propagate);
        }
        effect.reply
    }

    /// Runs a data command on the data alone.
    pub(super) fn run(&mut self, found: &DataCommand, context: Context, argv: &[Bytes]) -> Effect {
        let effect = (found.run)(&mut self.data, &context, argv);
        self.arm_expiry();
        effect
    }

    /// A master deletes an expired key before anybody touches it, and says so in the stream;
    /// replicas never decide on their own that a key is gone.
    fn expire_keys_of(&mut self, found: &DataCommand, db: u32, argv: &[Bytes]) {
        if self.upstream.is_some() {
            return;
        }
        let now_ms = self.unix_ms();
        let keys = found.keys(argv).filter(|key| self.data.holds_expired(db, key, now_ms));
        let expired: Vec<Bytes> = keys.cloned().collect();
        for key in expired {
            self.expire(db, &key);
        }
    }

    fn expire(&mut self, db: u32, key: &Bytes) {
        if self.data.remove(db, key).is_some() {
            self.feed(db, &[Bytes::from_static(b"DEL"), key.clone()]);
        }
    }

    /// The timer of the next expiry has come.
    pub(super) fn expire_due(&mut self) {
        let now_ms = self.unix_ms();
        while let Some((db, key)) = self.data.first_expired(now_ms) {
            if self.upstream.is_some() {
                break;
            }
            self.expire(db, &key);
        }
        self.arm_expiry();
    }

    /// Wakes a master when its next key expires. A replica waits for the DEL.
    pub(super) fn arm_expiry(&mut self) {
        match self.data.next_expiry_ms().filter(|_| self.upstream.is_none()) {
            None => self.timers.disarm(Timer::Expire),
            Some(at_ms) => {
                let us = at_ms.saturating_sub(self.unix_ms_at_zero).saturating_mul(1000);
                self.timers.arm(Timer::Expire, Instant(us));
            }
        }
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

    pub(super) fn reply_wrong_arity(&mut self, conn: ConnId, name: &str) {
        self.reply_error(conn, &format!("ERR wrong number of arguments for '{name}' command"));
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
