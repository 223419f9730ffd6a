//! A replica introduces itself: PING, REPLCONF, PSYNC, and the answer.
//!
//! PING first; when it is answered everything else, from 6.2 on in one burst with the replies read
//! in order, before one by one (`syncWithMaster`). An error to REPLCONF is noted and survived.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Online, Phase, Step, Transfer};
use crate::server::Server;
use crate::server::outbox::Kind;
use crate::server::timers::Timer;
use crate::stream::history::ReplId;
use crate::stream::offset::Offset;
use crate::stream::psync::Request;
use crate::time::SECOND_US;
use crate::wire::LineDecoder;
use crate::wire::PayloadDecoder;
use crate::wire::encode_command;
use crate::wire::parse_integer;

/// How long a line may take from its first byte to its end (Redis `repl_syncio_timeout`, 5 s).
const LINE_US: u64 = 5 * SECOND_US;

/// A snapshot larger than this is refused before it is received.
pub(super) const LARGEST_SNAPSHOT_BYTES: u64 = 1 << 31;

/// Which reply comes next.
#[derive(Clone, Debug)]
pub(super) enum Awaiting {
    Pong,
    /// To these messages, in order; the options of REPLCONF stand in them. Those after the first
    /// are still to be sent where the handshake is not pipelined.
    Replconf(VecDeque<Vec<String>>),
    Psync,
}

impl Server {
    pub(super) fn begin_handshake(&mut self) {
        self.enter(Step::Handshake(LineDecoder::new(), Awaiting::Pong));
        self.tell_master(&["PING"]);
    }

    pub(super) fn tell_master(&mut self, argv: &[impl AsRef<[u8]>]) {
        if let Some(conn) = self.upstream.as_ref().and_then(|upstream| upstream.conn) {
            self.send(conn, Kind::Control, encode_command(argv));
        }
    }

    pub(super) fn read_handshake(&mut self) {
        while let Some(upstream) = &mut self.upstream
            && let Step::Handshake(lines, _) = &mut upstream.step
        {
            match lines.next() {
                Ok(None) => return,
                // A keepalive while the master prepares its answer.
                Ok(Some(line)) if line.is_empty() => {}
                Ok(Some(line)) => self.handshake_line(&line),
                Err(error) => {
                    self.log(format!("Bad protocol from MASTER, {error}"));
                    self.drop_link();
                }
            }
        }
    }

    /// A line that has begun is waited for only so long, however alive the master is otherwise.
    pub(super) fn time_half_a_line(&mut self) {
        let half = match self.upstream.as_ref().map(|upstream| &upstream.step) {
            Some(Step::Handshake(lines, _)) => lines.buffered() > 0,
            _ => false,
        };
        if !half {
            self.timers.disarm(Timer::HandshakeLine);
        } else if !self.timers.is_armed(Timer::HandshakeLine) {
            self.timers.arm(Timer::HandshakeLine, self.now.after_us(LINE_US));
        }
    }

    pub(in crate::server) fn line_never_ended(&mut self) {
        if self.link_phase() == Some(Phase::Handshake) {
            self.log("Master did not respond to command during SYNC handshake");
            self.drop_link();
        }
    }

    fn handshake_line(&mut self, line: &Bytes) {
        let Some(upstream) = &mut self.upstream else { return };
        let Step::Handshake(_, awaiting) = &mut upstream.step else { return };
        match awaiting {
            Awaiting::Pong => self.pinged(line),
            Awaiting::Replconf(options) => {
                let message = options.pop_front().unwrap_or_default();
                let option = message.get(1).cloned().unwrap_or_default();
                let next = options.front().cloned();
                if line.first() == Some(&b'-') {
                    let error = String::from_utf8_lossy(line).into_owned();
                    self.log(format!(
                        "(Non critical) Master does not understand REPLCONF {option}: {error}"
                    ));
                }
                match next {
                    None => self.request(),
                    Some(next) if !self.engine.handshake.pipelined => self.tell_master(&next),
                    Some(_) => {}
                }
            }
            Awaiting::Psync => self.answered(line),
        }
    }

    fn pinged(&mut self, line: &Bytes) {
        let tolerated: [&[u8]; 4] = [b"+", b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted"];
        if !tolerated.iter().any(|good| line.starts_with(good)) {
            let error = String::from_utf8_lossy(line).into_owned();
            self.log(format!("Error reply to PING from master: '{error}'"));
            return self.drop_link();
        }
        self.log("Master replied to PING, replication can continue...");
        let messages = self.introduction();
        let at_once = if self.engine.handshake.pipelined { messages.len() } else { 1 };
        for message in messages.iter().take(at_once) {
            self.tell_master(message);
        }
        self.await_reply(Awaiting::Replconf(messages));
    }

    /// What a replica tells about itself.
    fn introduction(&self) -> VecDeque<Vec<String>> {
        let words = |words: &[&str]| {
            let words = std::iter::once(&"REPLCONF").chain(words);
            words.map(|word| (*word).to_owned()).collect::<Vec<_>>()
        };
        let port = self.announced_port();
        let mut messages = VecDeque::from([words(&["listening-port", &port])]);
        let known = self.engine.handshake.capabilities.iter().copied();
        let dual = self.engine.dual_channel && self.config.dual_channel;
        let known = known.chain(dual.then_some("dual-channel"));
        let capabilities: Vec<&str> = known.flat_map(|name| ["capa", name]).collect();
        messages.push_back(words(&capabilities));
        if self.engine.handshake.run_id {
            messages.push_back(words(&["run-id", self.run_id.as_str()]));
        }
        if self.engine.handshake.version {
            messages.push_back(words(&["version", self.engine.version]));
        }
        messages
    }

    pub(super) fn announced_port(&self) -> String {
        match self.config.announce_port {
            0 => self.config.port.to_string(),
            port => port.to_string(),
        }
    }

    fn await_reply(&mut self, next: Awaiting) {
        if let Some(upstream) = &mut self.upstream
            && let Step::Handshake(_, awaiting) = &mut upstream.step
        {
            *awaiting = next;
        }
    }

    /// What this server would ask a master for now.
    #[must_use]
    pub fn next_request(&self) -> Request {
        let followed = match &self.upstream {
            Some(upstream) => upstream.followed().copied(),
            None if self.shares_history() => Some(self.as_followed()),
            None => None,
        };
        followed.map_or_else(Request::full, |followed| Request {
            replid: Bytes::copy_from_slice(followed.replid.as_str().as_bytes()),
            pos: followed.next(),
        })
    }

    fn request(&mut self) {
        let request = self.next_request();
        let id = String::from_utf8_lossy(&request.replid).into_owned();
        if request.wants_full() {
            self.log("Partial resynchronization not possible (no cached master)");
        } else {
            let pos = request.pos;
            self.log(format!("Trying a partial resynchronization (request {id}:{pos})."));
        }
        let pos = request.pos.to_string();
        let mut words = vec!["PSYNC", &id, &pos];
        words.extend(self.asks_to_take_over().then_some("FAILOVER"));
        self.tell_master(&words);
        self.await_reply(Awaiting::Psync);
    }

    fn answered(&mut self, line: &Bytes) {
        if !self.took_over(line) {
            return;
        }
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let text = String::from_utf8_lossy(line).into_owned();
        match words.as_slice() {
            [b"+FULLRESYNC", rest @ ..] => {
                let id = rest.first().and_then(|id| ReplId::try_from(*id).ok());
                let end = rest.get(1).and_then(|end| parse_integer(end)).and_then(Offset::told);
                match (id, end) {
                    (Some(id), Some(end)) => self.full_from(id, end),
                    _ => {
                        self.log("Master replied with wrong +FULLRESYNC syntax.");
                        self.distrust_link();
                    }
                }
            }
            [b"+CONTINUE"] => self.continued(None),
            [b"+CONTINUE", id] => match ReplId::try_from(*id) {
                Ok(id) => self.continued(Some(id)),
                Err(error) => {
                    self.log(format!("Bad protocol from MASTER, {error}"));
                    self.drop_link();
                }
            },
            [b"+DUALCHANNELSYNC"] if self.config.dual_channel && self.engine.dual_channel => {
                self.begin_dual();
            }
            [b"-NOMASTERLINK", ..] | [b"-LOADING", ..] if self.engine.relink.understands_later => {
                self.log(format!(
                    "Master is currently unable to PSYNC but should be in the future: {text}"
                ));
                self.drop_link();
            }
            _ => {
                let known = line.first() == Some(&b'-');
                self.log(match known {
                    true => format!(
                        "Master does not support PSYNC or is in error state (reply: {text})"
                    ),
                    false => format!("Unexpected reply to PSYNC from master: {text}"),
                });
                self.fall_back_to_sync();
            }
        }
    }

    /// A master that refuses PSYNC as such may know SYNC, which says nothing of ids and offsets.
    fn fall_back_to_sync(&mut self) {
        self.log("Retrying with SYNC...");
        if let Some(conn) = self.upstream.as_ref().and_then(|upstream| upstream.conn) {
            self.send(conn, Kind::Control, Bytes::from_static(b"SYNC\r\n"));
        }
        let Some(upstream) = &mut self.upstream else { return };
        // It keeps the last id that it was told, which means nothing any more.
        let replid = upstream.announced.unwrap_or(ReplId::NONE);
        if self.engine.relink.keeps_until_loading {
            upstream.followed = None;
        } else {
            self.give_up_history();
        }
        let rest = self.take_handshake_rest();
        self.receive_snapshot(replid, Offset::ZERO, true, &rest);
    }

    /// `+FULLRESYNC`. Up to 6.2 the old history is given up on this line already: a link lost
    /// during the transfer is followed by `PSYNC ? -1`.
    fn full_from(&mut self, replid: ReplId, end: Offset) {
        self.log(format!("Full resync from master: {replid}:{end}"));
        let rest = self.take_handshake_rest();
        if let Some(upstream) = &mut self.upstream {
            upstream.announced = Some(replid);
        }
        if !self.engine.relink.keeps_until_loading {
            self.give_up_history();
        }
        self.receive_snapshot(replid, end, false, &rest);
    }

    /// The old history ends here, for this server and for those that follow it.
    pub(super) fn give_up_history(&mut self) {
        let Some(upstream) = &mut self.upstream else { return };
        if upstream.followed.take().is_some() {
            self.log("Discarding previously cached master state.");
        }
        if self.engine.relink.full_resync_cuts {
            self.disconnect_replicas();
            self.free_backlog();
        }
    }

    fn receive_snapshot(&mut self, replid: ReplId, end: Offset, unnumbered: bool, rest: &[u8]) {
        let mut decoder = PayloadDecoder::new(LARGEST_SNAPSHOT_BYTES);
        decoder.feed(rest);
        self.enter(Step::Transfer(Transfer {
            decoder,
            replid,
            end,
            received: 0,
            total: None,
            streamed: false,
            unnumbered,
        }));
        self.read_transfer();
    }

    /// `+CONTINUE`: the stream goes on where this server stopped, perhaps under a new id.
    fn continued(&mut self, replid: Option<ReplId>) {
        let Some(Some(followed)) = self.upstream.as_mut().map(|upstream| &mut upstream.followed)
        else {
            self.log("Unexpected reply to PSYNC from master: +CONTINUE to a request for all");
            return self.distrust_link();
        };
        let news = replid.filter(|id| *id != followed.replid);
        followed.replid = replid.unwrap_or(followed.replid);
        let db = followed.db;
        let rest = self.take_handshake_rest();
        self.log("Successful partial resynchronization with master.");
        if self.shares_history() {
            if let Some(replid) = news {
                self.history.shift_to(replid);
                self.log(format!("Master replication ID changed to {replid}"));
                self.disconnect_replicas();
            }
            if self.backlog.is_none() && self.engine.lifetime.created_by_continue {
                self.create_backlog();
            }
            // The database that the stream was in when the link was lost.
            self.stream_db = Some(db);
        }
        self.log("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
        self.enter(Step::Online(Online::begin(&rest)));
        self.read_stream();
    }

    pub(super) fn take_handshake_rest(&mut self) -> Bytes {
        let Some(upstream) = &mut self.upstream else { return Bytes::new() };
        match std::mem::replace(&mut upstream.step, Step::Waiting) {
            Step::Handshake(lines, _) => lines.into_rest(),
            _ => Bytes::new(),
        }
    }
}
