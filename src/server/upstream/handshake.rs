//! A replica introduces itself: PING, REPLCONF, PSYNC, and the answer.
//!
//! PING first, and when it is answered everything else in one burst with the replies read in
//! order (Redis 6.2 `syncWithMaster`). An error to REPLCONF is noted and survived.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Online, Step, Transfer};
use crate::server::Server;
use crate::server::outbox::Kind;
use crate::stream::history::ReplId;
use crate::stream::offset::Offset;
use crate::stream::psync::Request;
use crate::wire::LineDecoder;
use crate::wire::PayloadDecoder;
use crate::wire::parse_integer;
use crate::wire::{CommandDecoder, encode_command};

/// A snapshot larger than this is refused before it is received.
const LARGEST_SNAPSHOT_BYTES: u64 = 1 << 31;

/// Which reply comes next.
#[derive(Clone, Debug)]
pub(super) enum Awaiting {
    Pong,
    /// To these options of REPLCONF, in order.
    Replconf(VecDeque<&'static str>),
    Psync,
}

impl Server {
    pub(super) fn begin_handshake(&mut self) {
        self.enter(Step::Handshake(LineDecoder::new(), Awaiting::Pong));
        self.tell_master(&["PING"]);
    }

    pub(super) fn tell_master(&mut self, argv: &[&str]) {
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

    fn handshake_line(&mut self, line: &Bytes) {
        let Some(upstream) = &mut self.upstream else { return };
        let Step::Handshake(_, awaiting) = &mut upstream.step else { return };
        match awaiting {
            Awaiting::Pong => self.pinged(line),
            Awaiting::Replconf(options) => {
                let option = options.pop_front().unwrap_or_default();
                let last = options.is_empty();
                if line.first() == Some(&b'-') {
                    let error = String::from_utf8_lossy(line).into_owned();
                    self.log(format!(
                        "(Non critical) Master does not understand REPLCONF {option}: {error}"
                    ));
                }
                if last {
                    self.request();
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
        let mut options = VecDeque::from(["listening-port", "capa"]);
        let port = self.config.port.to_string();
        self.tell_master(&["REPLCONF", "listening-port", &port]);
        self.tell_master(&["REPLCONF", "capa", "eof", "capa", "psync2"]);
        if self.engine.announces_version {
            options.push_back("version");
            self.tell_master(&["REPLCONF", "version", self.engine.version]);
        }
        self.await_reply(Awaiting::Replconf(options));
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
        let can_resume = self.upstream.as_ref().is_none_or(|up| up.status().can_resume);
        if !can_resume {
            return Request::full();
        }
        let replid = Bytes::copy_from_slice(self.history.replid.as_str().as_bytes());
        Request { replid, pos: self.history.end.next() }
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
        self.tell_master(&["PSYNC", &id, &request.pos.to_string()]);
        self.await_reply(Awaiting::Psync);
    }

    fn answered(&mut self, line: &Bytes) {
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let text = String::from_utf8_lossy(line).into_owned();
        match words.as_slice() {
            [b"+FULLRESYNC", id, end] => {
                let id = ReplId::try_from(*id);
                let end = parse_integer(end).and_then(|n| u64::try_from(n).ok()).map(Offset);
                match (id, end) {
                    (Ok(id), Some(end)) => self.full_from(id, end),
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
            [b"-NOMASTERLINK", ..] | [b"-LOADING", ..] => {
                self.log(format!(
                    "Master is currently unable to PSYNC but should be in the future: {text}"
                ));
                self.drop_link();
            }
            _ => {
                self.log(format!("Unexpected reply to PSYNC from master: {text}"));
                self.drop_link();
            }
        }
    }

    /// `+FULLRESYNC`. Up to 6.2 the old history is given up on this line already: a link lost
    /// during the transfer is followed by `PSYNC ? -1`.
    fn full_from(&mut self, replid: ReplId, end: Offset) {
        self.log(format!("Full resync from master: {replid}:{end}"));
        let Some(upstream) = &mut self.upstream else { return };
        if upstream.resume.take().is_some() {
            self.log("Discarding previously cached master state.");
        }
        let rest = self.take_handshake_rest();
        self.disconnect_replicas();
        self.free_backlog();
        let mut decoder = PayloadDecoder::new(LARGEST_SNAPSHOT_BYTES);
        decoder.feed(&rest);
        self.enter(Step::Transfer(Transfer {
            decoder,
            replid,
            end,
            received: 0,
            total: None,
            ack_at_once: false,
        }));
        self.read_transfer();
    }

    /// `+CONTINUE`: the stream goes on where this server stopped, perhaps under a new id.
    fn continued(&mut self, replid: Option<ReplId>) {
        if self.next_request().wants_full() {
            self.log("Unexpected reply to PSYNC from master: +CONTINUE to a request for all");
            return self.distrust_link();
        }
        let rest = self.take_handshake_rest();
        self.log("Successful partial resynchronization with master.");
        if let Some(replid) = replid.filter(|id| *id != self.history.replid) {
            self.history.shift_to(replid);
            self.log(format!("Master replication ID changed to {replid}"));
            self.disconnect_replicas();
        }
        if self.backlog.is_none() {
            self.create_backlog();
        }
        if let Some(upstream) = &mut self.upstream {
            // The database that the stream was in when the link was lost.
            self.stream_db = upstream.resume.take().or(self.stream_db);
        }
        self.log("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
        let mut decoder = CommandDecoder::new();
        decoder.feed(&rest);
        self.enter(Step::Online(Online { decoder, transaction: Vec::new() }));
        self.read_stream();
    }

    fn take_handshake_rest(&mut self) -> Bytes {
        let Some(upstream) = &mut self.upstream else { return Bytes::new() };
        match std::mem::replace(&mut upstream.step, Step::Waiting) {
            Step::Handshake(lines, _) => lines.into_rest(),
            _ => Bytes::new(),
        }
    }
}
