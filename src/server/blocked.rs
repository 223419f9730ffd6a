//! Clients that wait for something before their next command: WAIT, SHUTDOWN, or a pause of writes.
//!
//! While this server fails over or stops, commands that may write are put off until that is over,
//! so that a replica can catch up (`pauseClients`). They are looked at again then, and may find
//! another role. PSYNC is put off as well. Replicas are never put off.

use bytes::Bytes;

use super::{ConnId, Server};
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::Value;

/// What a client waits for.
#[derive(Clone, Debug)]
pub enum Blocked {
    /// `WAIT`: so many replicas have so much.
    Replicas {
        /// How many.
        wanted: i64,
        /// How much.
        offset: Offset,
        /// The end of its patience; none waits for ever.
        until: Option<Instant>,
    },
    /// `SHUTDOWN`: the end, or that it is called off.
    Shutdown,
    /// That writes go on; this is what it said.
    Postponed(Vec<Bytes>),
}

impl Server {
    /// Whether commands that may write are put off.
    pub(super) fn pauses_writes(&self) -> bool {
        self.failover.is_some() || self.shutdown.is_some()
    }

    pub(super) fn block(&mut self, conn: ConnId, blocked: Blocked) {
        self.blocked.insert(conn, blocked);
    }

    /// Answers a client that waited, and goes on with what it has sent meanwhile.
    pub(super) fn unblock(&mut self, conn: ConnId, answer: &Value) {
        self.blocked.remove(&conn);
        let mut text = Vec::new();
        answer.encode(&mut text);
        self.reply(conn, text);
        self.run_commands(conn);
    }

    /// Runs what was put off.
    pub(super) fn resume_writes(&mut self) {
        self.arm_expiry();
        let is_postponed = |blocked: &Blocked| matches!(blocked, Blocked::Postponed(_));
        let waiting = self.blocked.iter().filter(|(_, blocked)| is_postponed(blocked));
        let waiting: Vec<ConnId> = waiting.map(|(conn, _)| *conn).collect();
        for conn in waiting {
            if let Some(Blocked::Postponed(argv)) = self.blocked.remove(&conn) {
                self.dispatch(conn, &argv);
                self.run_commands(conn);
            }
        }
    }
}
