//! Dual channel replication, the replica's seat (Valkey 8.0+): the snapshot on a second connection,
//! the stream on the first, at the same time.
//!
//! ```text
//! main> PSYNC <id> <offset>            rdb > REPLCONF capa eof rdb-only 1 rdb-channel 1 …
//! main< +DUALCHANNELSYNC               rdb < +OK
//!                                      rdb > SYNC
//!                                      rdb < $ENDOFF:<offset> <id> <db> <client id>
//! main> REPLCONF set-rdb-client-id …   rdb < $EOF:<mark> … <mark>
//! main> PSYNC <id> <offset + 1>
//! main< +CONTINUE <id>, the stream
//! ```
//!
//! What comes on the first connection before the snapshot is loaded waits here, up to this server's
//! own hard limit for replicas; beyond it nothing more is read, and it waits with the master. Then
//! it is applied, and everything goes on as after any full resync. If either connection fails
//! before that, the whole attempt does.
//!
//! Invariant: the old history is kept until the snapshot is loaded. Absent on purpose: loading
//! takes no time here, so nothing waits longer than the transfer takes.
//!
//! Sources: captured from Valkey 9.1.2; Valkey 8.1 `dualChannelFullSyncWithPrimary`,
//! `bufferReplData`, `dualChannelSyncSuccess`.

use bytes::{Bytes, BytesMut};

use super::{Followed, Online, Phase, Step};
use crate::server::outbox::Kind;
use crate::server::{ConnId, Output, Server};
use crate::stream::history::ReplId;
use crate::stream::offset::Offset;
use crate::wire::{LineDecoder, PayloadDecoder, PayloadEvent, encode_command, parse_integer};

/// A full resync on two connections.
#[derive(Clone, Debug)]
pub(super) struct Dual {
    main: Main,
    rdb: RdbChannel,
    /// What the second connection said.
    promised: Option<Promised>,
    /// Bytes of the snapshot that have come.
    received: u64,
    /// The stream that waits.
    waiting: BytesMut,
    /// Whether nothing more is read of it for now.
    paused: bool,
}

/// Where the stream goes on, as `$ENDOFF` says it.
#[derive(Clone, Copy, Debug)]
struct Promised {
    replid: ReplId,
    end: Offset,
}

/// What the first connection waits for.
#[derive(Clone, Debug)]
enum Main {
    /// For the other one.
    Idle(LineDecoder),
    /// For the answer to `REPLCONF set-rdb-client-id`.
    Named(LineDecoder),
    /// For the answer to PSYNC.
    Asked(LineDecoder),
    /// For the snapshot, while the stream flows.
    Streaming,
}

/// What the second connection waits for.
#[derive(Clone, Debug)]
enum RdbChannel {
    /// To stand.
    Connecting,
    /// For the answer to REPLCONF.
    Introduced(LineDecoder),
    /// For `$ENDOFF`.
    Asked(LineDecoder),
    /// For the end of the snapshot.
    Receiving(PayloadDecoder),
    /// For nothing: it is loaded.
    Loaded,
}

impl Dual {
    pub fn received(&self) -> u64 {
        self.received
    }

    pub fn buffered(&self) -> u64 {
        self.waiting.len() as u64
    }

    fn is_loaded(&self) -> bool {
        matches!(self.rdb, RdbChannel::Loaded)
    }
}

impl Server {
    fn dual(&mut self) -> Option<&mut Dual> {
        match &mut self.upstream.as_mut()?.step {
            Step::Dual(dual) => Some(dual),
            _ => None,
        }
    }

    /// `+DUALCHANNELSYNC`.
    pub(super) fn begin_dual(&mut self) {
        self.log("Dual channel replication: PSYNC is not possible, initialize RDB channel.");
        let mut lines = LineDecoder::new();
        lines.feed(&self.take_handshake_rest());
        let conn = self.new_dial();
        let Some(upstream) = &mut self.upstream else { return };
        upstream.rdb_channel = Some(conn);
        upstream.buffer_peak = 0;
        let to = upstream.master.clone();
        self.enter(Step::Dual(Box::new(Dual {
            main: Main::Idle(lines),
            rdb: RdbChannel::Connecting,
            promised: None,
            received: 0,
            waiting: BytesMut::new(),
            paused: false,
        })));
        self.outputs.push_back(Output::Dial { conn, to });
    }

    /// The second connection stands. It says in one message what the first one said in several.
    pub(super) fn introduce_rdb_channel(&mut self, conn: ConnId) {
        let Some(dual) = self.dual() else { return };
        dual.rdb = RdbChannel::Introduced(LineDecoder::new());
        let port = self.announced_port();
        let mut words = vec!["REPLCONF", "capa", "eof", "rdb-only", "1", "rdb-channel", "1"];
        words.extend(["listening-port", &port]);
        if self.engine.handshake.version {
            words.extend(["version", self.engine.version]);
        }
        self.send(conn, Kind::Control, encode_command(&words));
    }

    pub(in crate::server) fn rdb_channel_received(&mut self, bytes: &[u8]) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        let Step::Dual(dual) = &mut upstream.step else { return };
        upstream.last_io = now;
        match &mut dual.rdb {
            RdbChannel::Connecting | RdbChannel::Loaded => return,
            RdbChannel::Introduced(lines) | RdbChannel::Asked(lines) => lines.feed(bytes),
            RdbChannel::Receiving(decoder) => decoder.feed(bytes),
        }
        self.read_rdb_channel();
    }

    fn read_rdb_channel(&mut self) {
        loop {
            let Some(dual) = self.dual() else { return };
            match &mut dual.rdb {
                RdbChannel::Connecting | RdbChannel::Loaded => return,
                RdbChannel::Introduced(lines) | RdbChannel::Asked(lines) => match lines.next() {
                    Ok(None) => return,
                    Ok(Some(line)) if line.is_empty() => {}
                    Ok(Some(line)) => self.rdb_channel_line(&line),
                    Err(error) => self.fail_dual(&error.to_string()),
                },
                RdbChannel::Receiving(decoder) => match decoder.next() {
                    Ok(None) => return,
                    Ok(Some(PayloadEvent::Keepalive)) => {}
                    Ok(Some(PayloadEvent::Started { .. })) => self.log(
                        "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to \
                         disk",
                    ),
                    Ok(Some(PayloadEvent::Progress { received })) => dual.received = received,
                    Ok(Some(PayloadEvent::Done { rdb, .. })) => self.load_of_dual(&rdb),
                    Err(error) => self.fail_dual(&error.to_string()),
                },
            }
        }
    }

    fn rdb_channel_line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line).into_owned();
        let Some(conn) = self.upstream.as_ref().and_then(|upstream| upstream.rdb_channel) else {
            return;
        };
        let Some(dual) = self.dual() else { return };
        match std::mem::replace(&mut dual.rdb, RdbChannel::Connecting) {
            RdbChannel::Introduced(lines) if line.first() != Some(&b'-') => {
                dual.rdb = RdbChannel::Asked(lines);
                self.send(conn, Kind::Control, Bytes::from_static(b"SYNC\r\n"));
            }
            RdbChannel::Introduced(_) => self.fail_dual(&format!(
                "Server does not support sync with offset, dual channel sync approach cannot be \
                 used: {text}"
            )),
            RdbChannel::Asked(lines) => match promise(line) {
                None => self.fail_dual(&format!("Received unexpected $ENDOFF response: {text}")),
                Some((promised, client_id)) => {
                    let mut decoder = PayloadDecoder::new(super::handshake::LARGEST_SNAPSHOT_BYTES);
                    decoder.feed(&lines.into_rest());
                    dual.rdb = RdbChannel::Receiving(decoder);
                    self.ask_for_stream(promised, client_id);
                }
            },
            other => dual.rdb = other,
        }
    }

    /// The second connection has said where the stream goes on: the first one asks for it.
    fn ask_for_stream(&mut self, promised: Promised, client_id: i64) {
        let Some(upstream) = &mut self.upstream else { return };
        upstream.announced = Some(promised.replid);
        let Step::Dual(dual) = &mut upstream.step else { return };
        dual.promised = Some(promised);
        if let Main::Idle(lines) = &mut dual.main {
            dual.main = Main::Named(std::mem::take(lines));
        }
        self.tell_master(&["REPLCONF", "set-rdb-client-id", &client_id.to_string()]);
        // Its answers may have come already, from a master that answers before it is asked.
        self.main_channel_received(&[]);
    }

    pub(super) fn main_channel_received(&mut self, bytes: &[u8]) {
        if let Some(dual) = self.dual() {
            match &mut dual.main {
                Main::Idle(lines) | Main::Named(lines) | Main::Asked(lines) => lines.feed(bytes),
                Main::Streaming => return self.keep_for_later(bytes),
            }
        }
        loop {
            let Some(dual) = self.dual() else { return };
            let next = match &mut dual.main {
                Main::Idle(_) | Main::Streaming => return,
                Main::Named(lines) | Main::Asked(lines) => lines.next(),
            };
            match next {
                Ok(None) => return,
                Ok(Some(line)) if line.is_empty() => {}
                Ok(Some(line)) => self.main_channel_line(&line),
                Err(error) => self.fail_dual(&error.to_string()),
            }
        }
    }

    fn main_channel_line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line).into_owned();
        let Some(dual) = self.dual() else { return };
        let Some(promised) = dual.promised else { return };
        match std::mem::replace(&mut dual.main, Main::Streaming) {
            Main::Named(lines) if line.first() != Some(&b'-') => {
                dual.main = Main::Asked(lines);
                let (id, next) = (promised.replid.to_string(), promised.end.next().to_string());
                self.log(format!(
                    "Dual channel replication: Trying a partial resynchronization using main \
                     channel (request {id}:{next})."
                ));
                self.tell_master(&["PSYNC", &id, &next]);
            }
            Main::Asked(lines) if line.starts_with(b"+CONTINUE") => {
                let loaded = dual.is_loaded();
                let how = if loaded { "." } else { ", RDB load in background." };
                self.log(format!(
                    "Dual channel replication: MASTER <-> REPLICA sync: Master accepted a Partial \
                     Resynchronization{how}"
                ));
                if let Some(id) = line.strip_prefix(b"+CONTINUE ") {
                    self.renamed(id);
                }
                self.keep_for_later(&lines.into_rest());
                if loaded {
                    self.log("Dual channel replication: Psync established after rdb load");
                    self.finish_dual();
                }
            }
            _ => self.fail_dual(&format!(
                "Aborting dual channel sync. Main channel psync result {text}"
            )),
        }
    }

    /// The master has taken another id since it promised where to go on: what it promised is a
    /// part of that history as well.
    fn renamed(&mut self, id: &[u8]) {
        let (Ok(id), Some(dual)) = (ReplId::try_from(id), self.dual()) else { return };
        if let Some(promised) = &mut dual.promised {
            promised.replid = id;
        }
        if !dual.is_loaded() {
            return;
        }
        self.history.replid = id;
        if let Some(Some(followed)) = self.upstream.as_mut().map(|up| &mut up.followed) {
            followed.replid = id;
        }
    }

    /// The stream waits for the snapshot, as long as there is room for it.
    fn keep_for_later(&mut self, bytes: &[u8]) {
        let limit = self.config.replica_limit.hard_bytes;
        let Some(upstream) = &mut self.upstream else { return };
        let Step::Dual(dual) = &mut upstream.step else { return };
        dual.waiting.extend_from_slice(bytes);
        let (waiting, paused) = (dual.buffered(), dual.paused);
        upstream.buffer_peak = upstream.buffer_peak.max(waiting);
        if let Some(conn) = upstream.conn
            && (limit > 0 && waiting > limit && !paused)
        {
            dual.paused = true;
            self.log(format!(
                "Dual channel replication: Replication buffer limit reached ({limit} bytes), \
                 stopping buffering. Further accumulation will occur on master side."
            ));
            self.outputs.push_back(Output::Pause { conn });
        }
    }

    fn load_of_dual(&mut self, rdb: &Bytes) {
        let Some(dual) = self.dual() else { return };
        let Some(Promised { replid, end }) = dual.promised else { return };
        dual.rdb = RdbChannel::Loaded;
        let streaming = matches!(dual.main, Main::Streaming);
        if !self.replace_data(rdb, Followed { replid, applied: end, db: 0, unnumbered: false }) {
            return self.distrust_link();
        }
        if streaming {
            self.finish_dual();
        }
    }

    /// Both are here: what waited is applied, and then it is an ordinary link. The second
    /// connection is left for the master to end.
    fn finish_dual(&mut self) {
        let Some(upstream) = &mut self.upstream else { return };
        let conn = upstream.conn;
        let Step::Dual(dual) = &mut upstream.step else { return };
        let waiting = std::mem::take(&mut dual.waiting);
        let resumes = conn.filter(|_| dual.paused);
        self.enter(Step::Online(Online::begin(&waiting)));
        self.read_stream();
        if self.link_phase() != Some(Phase::Connected) {
            return;
        }
        self.log("Dual channel replication: Successfully streamed replication data into memory");
        self.log("MASTER <-> REPLICA sync: Finished with success");
        if let Some(conn) = resumes {
            self.outputs.push_back(Output::Resume { conn });
        }
        self.acknowledge();
    }

    /// The second connection is gone: that is how it ends, unless the snapshot is still missing.
    pub(in crate::server) fn rdb_channel_ended(&mut self) {
        if let Some(upstream) = &mut self.upstream {
            upstream.rdb_channel = None;
        }
        if self.dual().is_some_and(|dual| !dual.is_loaded()) {
            self.fail_dual("I/O error trying to sync with MASTER: connection lost");
        }
    }

    /// Something went wrong: both connections end, and at the next tick it all begins anew.
    fn fail_dual(&mut self, why: &str) {
        self.log(format!("Dual channel replication: {why}"));
        self.drop_link();
    }

    /// The link ends: so does its second connection. What was loaded without the stream behind it
    /// cannot be continued.
    pub(super) fn abort_dual(&mut self) {
        let Some(upstream) = &mut self.upstream else { return };
        let rdb_channel = upstream.rdb_channel.take();
        let loaded = match &upstream.step {
            Step::Dual(dual) => dual.is_loaded(),
            _ => false,
        };
        if loaded {
            upstream.followed = None;
        }
        let aborts = matches!(upstream.step, Step::Dual(_));
        if aborts {
            upstream.step = Step::Waiting;
            self.log("Dual channel replication: Aborting dual channel sync");
        }
        if let Some(conn) = rdb_channel {
            self.end_dialed(conn);
        }
    }
}

/// `$ENDOFF:<offset> <id> <db> <client id>`. The database (-1 for none) stands in the snapshot as
/// well; the last is only repeated to the master.
fn promise(line: &[u8]) -> Option<(Promised, i64)> {
    let words: Vec<&[u8]> = line.strip_prefix(b"$ENDOFF:")?.split(|byte| *byte == b' ').collect();
    let [end, id, _db, client_id] = words.as_slice() else { return None };
    let end = Offset::told(parse_integer(end)?)?;
    let replid = ReplId::try_from(*id).ok()?;
    Some((Promised { replid, end }, parse_integer(client_id)?))
}
