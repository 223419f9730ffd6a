//! SHUTDOWN: from 7.0 on a master pauses writes, asks its replicas how far they are, and gives
//! them `shutdown-timeout` seconds to catch up.
//!
//! Source: Redis 7.0 `prepareForShutdown`, `finishShutdown`. A server here has no save points, so
//! it saves only when told to. Absent on purpose: a bug of 7.0.15 and 9.1.2, where a client whose
//! SHUTDOWN was called off cannot say another.

use bytes::Bytes;

use super::answer::{Answer, SYNTAX, error, lower, ok};
use super::blocked::Blocked;
use super::downstream::{ReplicaSeat, Seat};
use super::timers::Timer;
use super::{ConnId, Output, Server};
use crate::time::{Instant, SECOND_US};
use crate::wire::Value;

/// A server that is about to stop.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    until: Instant,
    save: bool,
}

#[derive(Default)]
struct Options {
    save: Option<bool>,
    now: bool,
    abort: bool,
}

pub fn shutdown(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    let Some(options) = options(server, &argv[1..]) else { return error(SYNTAX) };
    if options.abort {
        return match server.abort_shutdown() {
            true => ok(),
            false => error("ERR No shutdown in progress."),
        };
    }
    server.block(conn, Blocked::Shutdown);
    if server.shutdown.is_some() {
        return None;
    }
    server.log("User requested shutdown...");
    let save = options.save == Some(true);
    let seconds = server.config.shutdown_timeout_seconds;
    let waits = server.engine.waits_at_shutdown && !options.now && seconds > 0;
    if !waits || server.replicas_are_in_sync() {
        server.stop(save);
        return None;
    }
    server.log("Waiting for replicas before shutting down.");
    let until = server.now.after_us(seconds.saturating_mul(SECOND_US));
    server.shutdown = Some(Shutdown { until, save });
    server.timers.arm(Timer::Shutdown, until);
    server.send_getack();
    None
}

fn options(server: &Server, words: &[Bytes]) -> Option<Options> {
    let newer = server.engine.waits_at_shutdown;
    let mut options = Options::default();
    for word in words {
        match lower(word).as_str() {
            "save" if options.save != Some(false) => options.save = Some(true),
            "nosave" if options.save != Some(true) => options.save = Some(false),
            "now" if newer => options.now = true,
            "force" if newer => {}
            "abort" if newer => options.abort = true,
            _ => return None,
        }
    }
    (!options.abort || words.len() == 1).then_some(options)
}

impl Server {
    fn lags(&self, seat: &ReplicaSeat) -> bool {
        seat.acked != self.history.end
    }

    fn replicas_are_in_sync(&self) -> bool {
        !self.seats().any(|(_, seat)| self.lags(seat))
    }

    fn abort_shutdown(&mut self) -> bool {
        if self.shutdown.take().is_none() {
            return false;
        }
        self.timers.disarm(Timer::Shutdown);
        self.log("Shutdown manually aborted.");
        let refused = Bytes::from_static(b"ERR Errors trying to SHUTDOWN. Check logs.");
        let waits = |blocked: &Blocked| matches!(blocked, Blocked::Shutdown);
        let waiting = self.blocked.iter().filter(|(_, blocked)| waits(blocked));
        let waiting: Vec<ConnId> = waiting.map(|(conn, _)| *conn).collect();
        for conn in waiting {
            self.unblock(conn, &Value::Error(refused.clone()));
        }
        self.resume_writes();
        true
    }

    /// Between two turns: stops when nobody needs to be waited for; says whether it did.
    pub(super) fn advance_shutdown(&mut self) -> bool {
        let Some(shutdown) = self.shutdown else { return false };
        if shutdown.until > self.now && !self.replicas_are_in_sync() {
            return false;
        }
        self.shutdown = None;
        self.stop(shutdown.save);
        true
    }

    fn stop(&mut self, save: bool) {
        self.say_who_lags();
        if save {
            self.log("Saving the final RDB snapshot before exiting.");
            self.save_now();
        }
        let name = self.engine.server_name();
        self.log(format!("{name} is now ready to exit, bye bye..."));
        self.exits = true;
    }

    fn say_who_lags(&mut self) {
        let all = self.connected_replicas();
        if all == 0 || !self.engine.waits_at_shutdown {
            return;
        }
        let mut lagging = 0;
        let replicas: Vec<ConnId> = self.replicas().collect();
        for conn in replicas {
            let Some(Seat::Replica(seat)) = self.clients.get(&conn).map(|client| &client.seat)
            else {
                continue;
            };
            if !self.lags(seat) {
                continue;
            }
            lagging += 1;
            let (end, acked) = (i128::from(self.history.end.0), i128::from(seat.acked.0));
            let lag = if seat.is_online() { self.now.whole_seconds_since(seat.heard) } else { 0 };
            let (behind, state, peer) = (end - acked, seat.state(), self.peer_name(conn));
            self.log(format!(
                "Lagging replica {peer} reported offset {behind} behind master, lag={lag}, \
                 state={state}."
            ));
        }
        let synced = all - lagging;
        self.log(format!("{synced} of {all} replicas are in sync when shutting down."));
    }

    /// The last word of a server that has stopped, once all is sent; says whether it is said now.
    pub(super) fn says_good_bye(&mut self) -> bool {
        if !std::mem::take(&mut self.exits) {
            return false;
        }
        self.outputs.push_back(Output::Exit);
        true
    }

    /// `shutdown_in_milliseconds`.
    pub(super) fn shutdown_left_ms(&self) -> Option<u64> {
        self.shutdown.map(|shutdown| shutdown.until.us_since(self.now) / 1000)
    }
}
