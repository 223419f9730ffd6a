//! All timers of one server, in one table keyed by an enum.

use crate::time::Instant;

/// What a server may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The tick of once a second in which servers do almost all their replication work:
    /// reconnect, time out, PING, ACK, free the backlog (Redis `replicationCron`).
    Cron,
    /// The next key expires.
    Expire,
    /// The snapshot that is being made is ready.
    SnapshotReady,
    /// Somebody who said WAIT loses its patience.
    Wait,
    /// A server that stops has waited long enough for its replicas.
    Shutdown,
    /// A line of the handshake has begun and must end by now.
    HandshakeLine,
}

/// Every timer, in the order in which those of one moment fire.
const ALL: [Timer; 6] = [
    Timer::Cron,
    Timer::Expire,
    Timer::SnapshotReady,
    Timer::Wait,
    Timer::Shutdown,
    Timer::HandshakeLine,
];

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    at: [Option<Instant>; ALL.len()],
}

impl Timers {
    /// Arms or re-arms one timer.
    pub fn arm(&mut self, timer: Timer, at: Instant) {
        self.at[timer as usize] = Some(at);
    }

    /// Disarms one timer.
    pub fn disarm(&mut self, timer: Timer) {
        self.at[timer as usize] = None;
    }

    /// Whether it will fire.
    #[must_use]
    pub fn is_armed(&self, timer: Timer) -> bool {
        self.at[timer as usize].is_some()
    }

    /// The next moment at which anything is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.at.iter().flatten().min().copied()
    }

    /// Takes one timer that is due, the earliest first.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Timer, Instant)> {
        let at = self.next().filter(|at| *at <= now)?;
        let timer = ALL.into_iter().find(|timer| self.at[*timer as usize] == Some(at))?;
        self.disarm(timer);
        Some((timer, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_due_timer_fires_first_and_only_once() {
        let mut timers = Timers::default();
        timers.arm(Timer::Cron, Instant(20));
        timers.arm(Timer::Expire, Instant(10));
        assert_eq!(timers.next(), Some(Instant(10)));
        assert_eq!(timers.pop_due(Instant(9)), None);
        assert_eq!(timers.pop_due(Instant(30)), Some((Timer::Expire, Instant(10))));
        assert_eq!(timers.pop_due(Instant(30)), Some((Timer::Cron, Instant(20))));
        assert_eq!(timers.pop_due(Instant(30)), None);
    }
}
