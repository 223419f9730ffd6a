//! MULTI, EXEC, DISCARD, and the keys that a transaction watches.
//!
//! Commands between MULTI and EXEC are queued when they could be run, refused when not; one that
//! was refused spoils the transaction. WATCH makes EXEC do nothing when a key was written since,
//! or was over since.

use std::collections::BTreeMap;

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

/// Who watches which keys; looked at with every write.
pub type Watchers = BTreeMap<(u32, Bytes), Vec<ConnId>>;

/// The keys that one client watches.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// With their databases, and whether each was over already when it was named.
    keys: Vec<(u32, Bytes, bool)>,
    /// Whether one was written since.
    touched: bool,
}

impl Watch {
    /// Memory for it, in bytes.
    pub fn bytes(&self) -> u64 {
        let keys = self.keys.iter();
        keys.map(|(_, key, _)| (key.len() + 2 * size_of::<(u32, Bytes, bool)>()) as u64).sum()
    }
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
        let was_expired = server.data.holds_expired(db, key, server.unix_ms());
        let watchers = server.watchers.entry((db, key.clone())).or_default();
        if !watchers.contains(&conn) {
            watchers.push(conn);
            let watch = &mut server.clients.get_mut(&conn)?.watch;
            watch.keys.push((db, key.clone(), was_expired));
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
        if let Some(client) = self.clients.get_mut(&conn) {
            let watch = std::mem::take(&mut client.watch);
            self.forget_watch(conn, watch);
        }
    }

    /// A client watches these no more.
    pub(super) fn forget_watch(&mut self, conn: ConnId, watch: Watch) {
        for (db, key, _) in watch.keys {
            let place = (db, key);
            if let Some(watchers) = self.watchers.get_mut(&place) {
                watchers.retain(|watcher| *watcher != conn);
                if watchers.is_empty() {
                    self.watchers.remove(&place);
                }
            }
        }
    }

    /// Whether a key that this client watches is not what it was.
    fn watches_in_vain(&self, conn: ConnId) -> bool {
        let now_ms = self.unix_ms();
        let Some(client) = self.clients.get(&conn) else { return false };
        let over = |(db, key, was_expired): &(u32, Bytes, bool)| {
            !was_expired && self.data.holds_expired(*db, key, now_ms)
        };
        client.watch.touched || client.watch.keys.iter().any(over)
    }

    /// A command has written.
    pub(super) fn touch(&mut self, found: &DataCommand, db: u32, argv: &[Bytes]) {
        if self.watchers.is_empty() {
            return;
        }
        let mut touched: Vec<ConnId> = Vec::new();
        let mut flushes = true;
        for key in found.keys(argv) {
            flushes = false;
            touched.extend(self.watchers.get(&(db, key.clone())).into_iter().flatten());
        }
        if flushes {
            let emptied = |place: &(u32, Bytes)| found.name == "flushall" || place.0 == db;
            let watchers = self.watchers.iter().filter(|(place, _)| emptied(place));
            touched.extend(watchers.flat_map(|(_, watchers)| watchers));
        }
        for conn in touched {
            if let Some(client) = self.clients.get_mut(&conn) {
                client.watch.touched = true;
            }
        }
    }

    /// All data was replaced.
    pub(super) fn touch_all(&mut self) {
        for conn in self.watchers.values().flatten() {
            if let Some(client) = self.clients.get_mut(conn) {
                client.watch.touched = true;
            }
        }
    }
}
