//! FAILOVER: this master and one of its replicas change places, and nothing is lost.
//!
//! Writes are paused until a replica has everything; then this server becomes its replica, and its
//! PSYNC carries the word FAILOVER, on which the other one promotes itself. While that goes on the
//! tick of once a second comes ten times as often, as on real servers: with no TIMEOUT given even
//! the PINGs do, and only with one are they held back.
//!
//! Sources: Redis 7.0 `failoverCommand`, `updateFailoverStatus`, `abortFailover`, `serverCron`.

use bytes::Bytes;

use super::answer::{Answer, NOT_AN_INTEGER, SYNTAX, error, lower, ok, text};
use super::downstream::Seat;
use super::timers::Timer;
use super::{Address, ConnId, Server};
use crate::time::Instant;
use crate::wire::parse_integer;

/// How often a server that fails over looks about, in microseconds.
pub const TICK_US: u64 = 100_000;

/// A failover that goes on.
#[derive(Clone, Debug)]
pub struct Failover {
    /// To whom; none until one is found that has everything.
    target: Option<Address>,
    /// Whether the end of patience means to go ahead, not to give up.
    force: bool,
    until: Option<Instant>,
    /// Whether it has become a replica.
    in_progress: bool,
}

#[derive(Default)]
struct Options {
    target: Option<Address>,
    force: bool,
    timeout_ms: Option<u64>,
}

pub fn failover(server: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    if argv.len() == 2 && lower(&argv[1]) == "abort" {
        return match server.abort_failover("Failover manually aborted") {
            true => ok(),
            false => error("ERR No failover in progress."),
        };
    }
    let options = match options(&argv[1..]) {
        Ok(options) => options,
        Err(refused) => return error(refused),
    };
    if let Some(refused) = server.refuses_failover(&options) {
        return error(refused);
    }
    let to = options.target.as_ref().map_or("any replica".to_owned(), shown);
    server.log(format!("FAILOVER requested to {to}."));
    let until = options.timeout_ms.map(|ms| server.now.after_us(ms.saturating_mul(1000)));
    let Options { target, force, .. } = options;
    server.failover = Some(Failover { target, force, until, in_progress: false });
    server.timers.arm(Timer::Cron, server.now.after_us(TICK_US));
    ok()
}

fn options(words: &[Bytes]) -> Result<Options, &'static str> {
    let mut options = Options::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match lower(word).as_str() {
            "timeout" if options.timeout_ms.is_none() => {
                let ms = parse_integer(rest.next().ok_or(SYNTAX)?).ok_or(NOT_AN_INTEGER)?;
                let ms = u64::try_from(ms).ok().filter(|ms| *ms > 0);
                options.timeout_ms = Some(ms.ok_or("ERR FAILOVER timeout must be greater than 0")?);
            }
            "to" if options.target.is_none() => {
                let (Some(host), Some(port)) = (rest.next(), rest.next()) else {
                    return Err(SYNTAX);
                };
                let port = parse_integer(port).and_then(|port| u16::try_from(port).ok());
                options.target =
                    Some(Address { host: text(host), port: port.ok_or(NOT_AN_INTEGER)? });
            }
            "force" if !options.force => options.force = true,
            _ => return Err(SYNTAX),
        }
    }
    Ok(options)
}

fn shown(address: &Address) -> String {
    format!("{}:{}", address.host, address.port)
}

impl Server {
    fn refuses_failover(&self, options: &Options) -> Option<&'static str> {
        if self.failover.is_some() {
            return Some("ERR FAILOVER already in progress.");
        }
        if self.upstream.is_some() {
            return Some("ERR FAILOVER is not valid when server is a replica.");
        }
        if self.connected_replicas() == 0 {
            return Some("ERR FAILOVER requires connected replicas.");
        }
        if options.force && (options.timeout_ms.is_none() || options.target.is_none()) {
            return Some(
                "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
            );
        }
        let target = options.target.as_ref()?;
        let Some(conn) = self.replica_at(target) else {
            return Some("ERR FAILOVER target HOST and PORT is not a replica.");
        };
        let online =
            matches!(&self.clients.get(&conn)?.seat, Seat::Replica(seat) if seat.is_online());
        (!online).then_some("ERR FAILOVER target replica is not online.")
    }

    /// Where a replica listens, as far as it has said.
    pub(super) fn replica_address(&self, conn: ConnId) -> Option<Address> {
        let client = self.clients.get(&conn)?;
        let host = client.announced.ip.as_ref().unwrap_or(&client.peer_ip).clone();
        Some(Address { host, port: client.announced.port.unwrap_or(0) })
    }

    fn replica_at(&self, address: &Address) -> Option<ConnId> {
        self.replicas().find(|conn| self.replica_address(*conn).as_ref() == Some(address))
    }

    fn has_everything(&self, conn: ConnId) -> bool {
        let Some(client) = self.clients.get(&conn) else { return false };
        matches!(&client.seat, Seat::Replica(seat) if seat.acked == self.history.end)
    }

    /// Between two turns: goes on with a failover that waits; says whether it did.
    pub(super) fn advance_failover(&mut self) -> bool {
        let Some(failover) = self.failover.as_ref().filter(|failover| !failover.in_progress) else {
            return false;
        };
        let over = failover.until.is_some_and(|until| until <= self.now);
        match (failover.target.clone(), failover.force) {
            (Some(target), true) if over => {
                self.log(format!(
                    "Failover to {} time out exceeded, failing over.",
                    shown(&target)
                ));
                self.change_places(target);
                return true;
            }
            _ if over => return self.abort_failover("Replica never caught up before timeout"),
            _ => {}
        }
        let target = match &failover.target {
            Some(target) => self.replica_at(target).filter(|conn| self.has_everything(*conn)),
            None => self.replicas().find(|conn| self.has_everything(*conn)),
        };
        let Some(target) = target.and_then(|conn| self.replica_address(conn)) else { return false };
        self.log(format!("Failover target {} is synced, failing over.", shown(&target)));
        self.change_places(target);
        true
    }

    fn change_places(&mut self, target: Address) {
        if let Some(failover) = &mut self.failover {
            failover.in_progress = true;
            failover.target = Some(target.clone());
        }
        self.change_master(target);
    }

    /// Gives a failover up; says whether there was one.
    pub(super) fn abort_failover(&mut self, why: &str) -> bool {
        let Some(failover) = self.failover.take() else { return false };
        let to = failover.target.as_ref().map_or("any replica".to_owned(), shown);
        self.log(format!("FAILOVER to {to} aborted: {why}"));
        if failover.in_progress {
            self.promote();
        }
        self.resume_writes();
        true
    }

    /// Whether this server's next PSYNC asks the other one to promote itself.
    pub(super) fn asks_to_take_over(&self) -> bool {
        self.failover.as_ref().is_some_and(|failover| failover.in_progress)
    }

    /// The answer to that PSYNC: taken, or the failover has failed. Says whether to go on.
    pub(super) fn took_over(&mut self, answer: &[u8]) -> bool {
        if !self.asks_to_take_over() {
            return true;
        }
        if answer.starts_with(b"+CONTINUE") || answer.starts_with(b"+FULLRESYNC") {
            self.failover = None;
            self.resume_writes();
            return true;
        }
        !self.abort_failover("Failover target rejected psync request")
    }

    /// Whether PINGs are held back: a failover with a timeout waits for an offset.
    pub(super) fn holds_pings_back(&self) -> bool {
        self.failover.as_ref().is_some_and(|failover| failover.until.is_some())
    }

    /// `master_failover_state`.
    pub(super) fn failover_state(&self) -> &'static str {
        match &self.failover {
            None => "no-failover",
            Some(failover) if failover.in_progress => "failover-in-progress",
            Some(_) => "waiting-for-sync",
        }
    }
}
