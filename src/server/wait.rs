//! WAIT: how many replicas have what a client has written; and whether enough are well to write.
//!
//! Who waits makes the server ask its replicas, once a turn of its loop, with `REPLCONF GETACK *`
//! in the stream. The answer says what was applied before the question.
//!
//! Sources: Redis 7.0 `waitCommand`, `replicationRequestAckFromSlaves`, `refreshGoodSlavesCount`.

use bytes::Bytes;

use super::answer::{Answer, NOT_AN_INTEGER, error, integer};
use super::blocked::Blocked;
use super::downstream::ReplicaSeat;
use super::engine::Wording;
use super::timers::Timer;
use super::{ConnId, Server};
use crate::stream::offset::Offset;
use crate::time::Instant;
use crate::wire::parse_integer;

pub fn wait(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    if server.upstream.is_some() {
        let since = match server.engine.wording {
            Wording::Primary => "",
            Wording::Replica | Wording::Slave => "since Redis 4.0 ",
        };
        return error(format!(
            "ERR WAIT cannot be used with replica instances. Please also note that {since}if a \
             replica is configured to be writable (which is not the default) writes to replicas \
             are just local and are not propagated."
        ));
    }
    let Some(wanted) = parse_integer(&argv[1]) else { return error(NOT_AN_INTEGER) };
    let Some(patience_ms) = parse_integer(&argv[2]) else {
        return error("ERR timeout is not an integer or out of range");
    };
    let Ok(patience_ms) = u64::try_from(patience_ms) else {
        return error("ERR timeout is negative");
    };
    let offset = server.clients.get(&conn)?.wrote_up_to;
    let reached = server.replicas_with(offset);
    if i64::try_from(reached).is_ok_and(|reached| reached >= wanted) || server.unit.in_exec {
        return Some(integer(reached));
    }
    let until = (patience_ms > 0).then(|| server.now.after_us(patience_ms.saturating_mul(1000)));
    server.block(conn, Blocked::Replicas { wanted, offset, until });
    server.arm_wait();
    server.wants_acks = true;
    None
}

impl Server {
    /// How many replicas have acknowledged so much.
    fn replicas_with(&self, offset: Offset) -> u64 {
        let there = |(_, seat): &(ConnId, &ReplicaSeat)| seat.is_online() && seat.acked >= offset;
        self.seats().filter(there).count() as u64
    }

    /// Replicas that were heard of lately; none when nobody asks.
    pub(super) fn good_replicas(&self) -> Option<u64> {
        let (wanted, lag) = (self.config.min_replicas, self.config.min_replicas_lag_seconds);
        if wanted == 0 || lag == 0 {
            return None;
        }
        let good = |(_, seat): &(ConnId, &ReplicaSeat)| {
            seat.is_online() && self.now.whole_seconds_since(seat.heard) <= lag
        };
        Some(self.seats().filter(good).count() as u64)
    }

    /// Whether `min-replicas-to-write` forbids this master to write.
    pub(super) fn has_too_few_replicas(&self) -> bool {
        self.upstream.is_none()
            && self.good_replicas().is_some_and(|good| good < self.config.min_replicas)
    }

    /// Answers those who have what they waited for, or have lost their patience; says whether
    /// there were any.
    pub(super) fn answer_waiting(&mut self) -> bool {
        let now = self.now;
        let done = self.blocked.iter().filter_map(|(conn, blocked)| match blocked {
            Blocked::Replicas { wanted, offset, until } => {
                let reached = self.replicas_with(*offset);
                let enough = i64::try_from(reached).is_ok_and(|reached| reached >= *wanted);
                (enough || until.is_some_and(|until| until <= now)).then_some((*conn, reached))
            }
            Blocked::Shutdown | Blocked::Postponed(_) => None,
        });
        let done: Vec<(ConnId, u64)> = done.collect();
        for (conn, reached) in &done {
            self.unblock(*conn, &integer(*reached));
        }
        if !done.is_empty() {
            self.arm_wait();
        }
        !done.is_empty()
    }

    /// Wakes the server when the first of those who wait loses its patience.
    fn arm_wait(&mut self) {
        let ends = self.blocked.values().filter_map(|blocked| match blocked {
            Blocked::Replicas { until, .. } => *until,
            Blocked::Shutdown | Blocked::Postponed(_) => None,
        });
        let first: Option<Instant> = ends.min();
        match first {
            Some(at) => self.timers.arm(Timer::Wait, at),
            None => self.timers.disarm(Timer::Wait),
        }
    }

    /// Asks the replicas how far they are, if anybody wants to know; says whether it did. While
    /// writes are paused it does not: the question itself moves the offset.
    pub(super) fn ask_for_acks(&mut self) -> bool {
        if !self.wants_acks || self.pauses_writes() {
            return false;
        }
        self.wants_acks = false;
        self.send_getack();
        true
    }

    pub(super) fn send_getack(&mut self) {
        self.feed_anywhere(&["REPLCONF", "GETACK", "*"].map(Bytes::from));
    }
}
