//! Limits on what a replica may make this server hold, and what follows when it is too much
//! (`client-output-buffer-limit replica HARD SOFT SECONDS`).
//!
//! Looked at when memory is taken for the stream, and once a second. A replica beyond a limit is
//! not cut in the middle of a command but between two turns of the loop, as real servers do it
//! ("scheduled to be closed ASAP").
//!
//! The trap: from 7.0 on the hard limit is never below the backlog's size, but the soft one may
//! be, and then a legal partial resynchronization that takes too long is cut.

use super::{ConnId, Server};

impl Server {
    /// What a replica makes this server hold, in bytes, as this engine counts it; its snapshot
    /// does not count.
    #[must_use]
    pub fn output_of(&self, conn: ConnId) -> u64 {
        // What is pinned for the other connection of a replica is not this one's.
        let backlog = self.backlog.as_ref().filter(|_| !self.awaited.contains_key(&conn));
        let stream = backlog.map_or(0, |backlog| backlog.ledger().pending(conn.0));
        let replies = self.outboxes.get(&conn).map_or(0, |o| o.queued() - o.snapshot_left());
        stream + replies
    }

    /// The hard limit in force.
    #[must_use]
    pub fn hard_limit_bytes(&self) -> u64 {
        match self.config.replica_limit.hard_bytes {
            0 => 0,
            hard if self.engine.raises_hard_limit => hard.max(self.config.backlog_bytes),
            hard => hard,
        }
    }

    /// Looks at every replica.
    pub(super) fn check_limits_of_all(&mut self) {
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            self.check_limit(conn);
        }
    }

    fn check_limit(&mut self, conn: ConnId) {
        if self.doomed.contains(&conn) {
            return;
        }
        let (omem, hard) = (self.output_of(conn), self.hard_limit_bytes());
        let limit = self.config.replica_limit;
        let (now, beyond) = (self.now, limit.soft_bytes > 0 && omem >= limit.soft_bytes);
        let Some(seat) = self.replica_seat(conn) else { return };
        seat.soft_since = if beyond { seat.soft_since.or(Some(now)) } else { None };
        // Strictly more than the seconds: the first look only notes the time.
        let too_long = seat
            .soft_since
            .is_some_and(|since| now.whole_seconds_since(since) > limit.soft_seconds);
        if (hard > 0 && omem >= hard) || too_long {
            self.doomed.push(conn);
            self.counters.output_limit_cuts += 1;
            let client = self.client_line(conn);
            self.log(format!(
                "Client {client} scheduled to be closed ASAP for overcoming of output buffer limits."
            ));
        }
    }

    /// Cuts those that were found to be too much; says whether there were any.
    pub(super) fn cut_doomed(&mut self) -> bool {
        let doomed = std::mem::take(&mut self.doomed);
        for conn in &doomed {
            self.close(*conn);
        }
        !doomed.is_empty()
    }
}
