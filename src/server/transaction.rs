//! MULTI, EXEC, DISCARD, and the keys that a transaction watches.
//!
//! Commands between MULTI and EXEC are queued when they could be run, refused when not; one that
//! was refused spoils the transaction. WATCH makes EXEC do nothing when a key was written since,
//! or was over since.

use bytes::Bytes;

use super::answer::{Answer, error, ok};
use super::command::DataCommand;
use super::dispatch::Command;
use super::{ConnId, Server};
use crate::wire::Value;

/// What a client has queued.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    queued: Vec<(Command, Vec<Bytes>)>,
    /// Whether a command was refused.
    pub spoiled: bool,
}

/// A key that a client watches.
#[derive(Clone, Debug)]
pub struct Watched {
    conn: ConnId,
    db: u32,
    key: Bytes,
    /// Whether it was over already when it was named.
    was_expired: bool,
    /// Whether it was written since.
    touched: bool,
}

impl Transaction {
    pub fn push(&mut self, command: Command, argv: &[Bytes]) {
        self.queued.push((command, argv.to_vec()));
    }

    /// How many commands are queued.
    pub fn len(&self) -> usize {
        self.queued.len()
    }

    /// Memory for what is queued, in bytes.
    pub fn bytes(&self) -> u64 {
        let words = self.queued.iter().flat_map(|(_, argv)| argv);
        // A word costs its handle as well, so that empty ones are not free.
        words.map(|word| (word.len() + size_of::<Bytes>()) as u64).sum()
    }

    pub fn writes(&self) -> bool {
        self.queued.iter().any(|(command, _)| command.writes())
    }

    pub fn replicates(&self) -> bool {
        self.queued.iter().any(|(command, _)| command.replicates())
    }
}

pub fn multi(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    let client = server.clients.get_mut(&conn)?;
    if client.transaction.is_some() {
        return error("ERR MULTI calls can not be nested");
    }
    client.transaction = Some(Transaction::default());
    ok()
}

pub fn discard(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    if !server.discard_transaction(conn) {
        return error("ERR DISCARD without MULTI");
    }
    ok()
}

pub fn watch(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let client = server.clients.get(&conn)?;
    if client.transaction.is_some() {
        return error("ERR WATCH inside MULTI is not allowed");
    }
    let db = client.db;
    for key in &argv[1..] {
        let same = |w: &Watched| w.conn == conn && w.db == db && w.key == *key;
        if !server.watched.iter().any(same) {
            let was_expired = server.data.holds_expired(db, key, server.unix_ms());
            let key = key.clone();
            server.watched.push(Watched { conn, db, key, was_expired, touched: false });
        }
    }
    ok()
}

pub fn unwatch(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    server.unwatch(conn);
    ok()
}

pub fn exec(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let Some(transaction) = server.clients.get_mut(&conn)?.transaction.take() else {
        return error("ERR EXEC without MULTI");
    };
    let overtaken = server.watches_in_vain(conn);
    server.unwatch(conn);
    if transaction.spoiled {
        return error("EXECABORT Transaction discarded because of previous errors.");
    }
    if overtaken {
        return Some(Value::NullArray);
    }
    server.unit.in_exec = true;
    let mut replies = Vec::with_capacity(transaction.queued.len());
    for (command, argv) in &transaction.queued {
        // A command may end its own connection.
        let Some(client) = server.clients.get(&conn) else { break };
        if command.replicates() {
            server.before_write(client.db);
        }
        replies.extend(server.execute(conn, *command, argv));
    }
    let db = server.clients.get(&conn).map_or(0, |client| client.db);
    server.close_transaction(db, argv);
    Some(Value::Array(replies))
}

impl Server {
    /// Gives up what a client has queued; says whether there was a transaction.
    pub(super) fn discard_transaction(&mut self, conn: ConnId) -> bool {
        self.unwatch(conn);
        let client = self.clients.get_mut(&conn);
        client.and_then(|client| client.transaction.take()).is_some()
    }

    pub(super) fn unwatch(&mut self, conn: ConnId) {
        self.watched.retain(|watched| watched.conn != conn);
    }

    /// Whether a key that this client watches is not what it was.
    fn watches_in_vain(&self, conn: ConnId) -> bool {
        let now_ms = self.unix_ms();
        self.watched.iter().filter(|watched| watched.conn == conn).any(|watched| {
            let over = self.data.holds_expired(watched.db, &watched.key, now_ms);
            watched.touched || (over && !watched.was_expired)
        })
    }

    /// A command has written.
    pub(super) fn touch(&mut self, found: &DataCommand, db: u32, argv: &[Bytes]) {
        if self.watched.is_empty() {
            return;
        }
        let keys: Vec<&Bytes> = found.keys(argv).collect();
        for watched in &mut self.watched {
            let flushed = keys.is_empty() && (found.name == "flushall" || watched.db == db);
            watched.touched |= flushed || (watched.db == db && keys.contains(&&watched.key));
        }
    }

    /// All data was replaced.
    pub(super) fn touch_all(&mut self) {
        for watched in &mut self.watched {
            watched.touched = true;
        }
    }
}
