//! What can be looked at from outside: nothing here changes anything.

use super::config::Config;
use super::engine::Engine;
use super::keyspace::Keyspace;
use super::upstream::Upstream;
use super::{ConnId, Counters, LinkStatus, Phase, Server};
use crate::stream::backlog::{Retention, Window};
use crate::stream::history::{History, ReplId};
use crate::stream::offset::{BytePos, Offset};
use crate::time::{Instant, SECOND_US};

impl Server {
    /// Whose behaviour it shows.
    #[must_use]
    pub fn engine(&self) -> &'static Engine {
        self.engine
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Drawn anew at every start.
    #[must_use]
    pub fn run_id(&self) -> ReplId {
        self.run_id
    }

    /// Its history.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What it keeps of its history.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        self.backlog.as_ref().map(|backlog| backlog.ledger().window())
    }

    /// The backlog itself.
    #[must_use]
    pub fn backlog(&self) -> Option<&dyn Retention> {
        self.backlog.as_deref()
    }

    /// How far it is in the history that it follows, or, on a master, writes.
    #[must_use]
    pub fn applied(&self) -> Offset {
        let followed = self.upstream.as_ref().and_then(Upstream::followed);
        followed.map_or(self.history.end, |followed| followed.applied)
    }

    /// Its data.
    #[must_use]
    pub fn data(&self) -> &Keyspace {
        &self.data
    }

    /// Its counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether a connection is that of a replica.
    #[must_use]
    pub fn is_replica(&self, conn: ConnId) -> bool {
        self.replicas().any(|replica| replica == conn)
    }

    /// Whether a connection is there for a snapshot alone (dual channel replication).
    #[must_use]
    pub fn is_rdb_channel(&self, conn: ConnId) -> bool {
        self.clients.get(&conn).is_some_and(|client| client.announced.channels.is_rdb_channel)
    }

    /// `connected_slaves`.
    #[must_use]
    pub fn connected_replicas(&self) -> usize {
        self.replicas().count()
    }

    /// Its link to its master; none when it is a master.
    #[must_use]
    pub fn link(&self) -> Option<LinkStatus> {
        self.upstream.as_ref().map(Upstream::status)
    }

    /// Where its link to its master stands; none when it is a master.
    #[must_use]
    pub fn link_phase(&self) -> Option<Phase> {
        self.upstream.as_ref().map(Upstream::phase)
    }

    /// When the backlog will be freed if no replica comes: the present moment plus this many
    /// microseconds, or up to one second later (it is looked at once a second).
    #[must_use]
    pub fn backlog_ttl_left_us(&self, now: Instant) -> Option<u64> {
        let ttl = self.config.backlog_ttl_seconds;
        let counts = self.backlog.is_some()
            && self.upstream.is_none()
            && ttl != 0
            && self.replicas().next().is_none();
        // Borders of seconds are counted, so it begins with the second in which the last one left.
        let since = Instant(self.no_replicas_since.0 / SECOND_US * SECOND_US);
        let end = since.after_us(ttl.saturating_add(1).saturating_mul(SECOND_US));
        counts.then(|| end.us_since(now))
    }

    /// The command of the kept stream that holds byte `pos`: where it begins, and how long it is.
    #[must_use]
    pub fn command_at(&self, pos: BytePos) -> Option<(BytePos, u64)> {
        let window = self.window()?;
        if pos < window.first || pos >= window.next() {
            return None;
        }
        let (start, next) = self.command_starts.around(pos)?;
        start.until(next.unwrap_or(window.next())).map(|len| (start, len.0))
    }

    /// Takes what another server holds too from there, so that it is in memory once.
    pub fn share(&mut self, other: &Server) {
        self.data.share(&other.data);
        if let (Some(backlog), Some(other)) = (&mut self.backlog, &other.backlog) {
            backlog.share(&**other);
        }
    }

    /// The size of the block that is being filled, where there are blocks.
    #[must_use]
    pub fn open_bytes(&self) -> u64 {
        let blocks = self.backlog().map(|backlog| backlog.ledger().blocks());
        blocks.and_then(|blocks| blocks.last().map(|block| block.capacity)).unwrap_or(0)
    }

    /// Of how many commands of the kept stream the beginning is known.
    #[must_use]
    pub fn known_command_starts(&self) -> usize {
        self.command_starts.len()
    }
}
