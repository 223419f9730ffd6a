//! A replica takes the snapshot, and then the stream.
//!
//! Only whole commands are applied and passed on, and a transaction only as a whole, so the
//! history of a replica never ends inside one; that offset is what it asks with after a cut.

use bytes::Bytes;

use super::{Online, Step};
use crate::server::Server;
use crate::server::command::{self, Context};
use crate::server::keyspace::{DATABASES, Keyspace};
use crate::server::outbox::Kind;
use crate::wire::Rdb;
use crate::wire::parse_integer;
use crate::wire::{CommandDecoder, Frame, FrameKind, encode_command};
use crate::wire::{PayloadEvent, PayloadForm};

impl Server {
    pub(super) fn read_transfer(&mut self) {
        while let Some(upstream) = &mut self.upstream
            && let Step::Transfer(transfer) = &mut upstream.step
        {
            match transfer.decoder.next() {
                Ok(None) => return,
                Ok(Some(PayloadEvent::Keepalive)) => {}
                Ok(Some(PayloadEvent::Started { form })) => {
                    let line = match form {
                        PayloadForm::Length(len) => {
                            transfer.total = Some(len);
                            format!("receiving {len} bytes from master to disk")
                        }
                        PayloadForm::Eof => {
                            transfer.ack_at_once = true;
                            "receiving streamed RDB from master with EOF to disk".to_owned()
                        }
                    };
                    self.log(format!("MASTER <-> REPLICA sync: {line}"));
                }
                Ok(Some(PayloadEvent::Progress { received })) => transfer.received = received,
                Ok(Some(PayloadEvent::Done { rdb, rest })) => self.load(&rdb, &rest),
                Err(error) => {
                    self.log(format!("MASTER aborted replication with an error: {error}"));
                    self.distrust_link();
                }
            }
        }
    }

    fn load(&mut self, rdb: &Bytes, rest: &Bytes) {
        let Some(upstream) = &mut self.upstream else { return };
        let Step::Transfer(transfer) = &upstream.step else { return };
        let (replid, end, ack_at_once) = (transfer.replid, transfer.end, transfer.ack_at_once);
        let snapshot = match Rdb::decode(rdb) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.log(format!(
                    "Failed trying to load the MASTER synchronization DB from disk: {error}"
                ));
                return self.distrust_link();
            }
        };
        self.log("MASTER <-> REPLICA sync: Flushing old data");
        self.log("MASTER <-> REPLICA sync: Loading DB in memory");
        if let Some(entry) = snapshot.entries.iter().find(|entry| entry.db >= DATABASES) {
            self.log(format!(
                "FATAL: Data file was created with a Redis server configured to handle more than \
                 {DATABASES} databases. Exiting (database {})",
                entry.db
            ));
            return self.distrust_link();
        }
        let stream_db = snapshot.aux("repl-stream-db").and_then(|text| database(text));
        self.stream_db = stream_db.or(Some(0));
        self.data = Keyspace::from_entries(snapshot.entries);
        self.history.adopt(replid, end);
        self.free_backlog();
        self.create_backlog();
        self.arm_expiry();
        self.log("MASTER <-> REPLICA sync: Finished with success");
        let mut decoder = CommandDecoder::new();
        decoder.feed(rest);
        self.enter(Step::Online(Online { decoder, transaction: Vec::new() }));
        if ack_at_once {
            self.acknowledge();
        }
        self.read_stream();
    }

    pub(super) fn read_stream(&mut self) {
        while let Some(upstream) = &mut self.upstream
            && let Step::Online(online) = &mut upstream.step
        {
            match online.decoder.next() {
                Ok(None) => return,
                Ok(Some(frame)) if frame.kind == FrameKind::Inline => {
                    let text = String::from_utf8_lossy(&frame.raw).trim_end().to_owned();
                    self.log(format!(
                        "WARNING: Receiving inline protocol from master, master stream \
                         corruption? Closing the master connection and discarding the cached \
                         master. ({text})"
                    ));
                    self.distrust_link();
                }
                Ok(Some(frame)) => self.follow_frame(frame),
                Err(error) => {
                    self.log(format!("Protocol error from master: {error}"));
                    self.distrust_link();
                }
            }
        }
    }

    fn follow_frame(&mut self, frame: Frame) {
        let Some(upstream) = &mut self.upstream else { return };
        let Step::Online(online) = &mut upstream.step else { return };
        let named = |name: &[u8]| frame.argv.first().is_some_and(|w| w.eq_ignore_ascii_case(name));
        if named(b"exec") && !online.transaction.is_empty() {
            let mut whole = std::mem::take(&mut online.transaction);
            whole.push(frame);
            for frame in whole {
                self.apply(&frame.argv);
                self.emit(frame.raw);
            }
        } else if named(b"multi") || !online.transaction.is_empty() {
            online.transaction.push(frame);
        } else {
            // The answer to GETACK does not count the question, which is counted afterwards.
            self.apply(&frame.argv);
            self.emit(frame.raw);
        }
    }

    /// Applies one command of the stream; there is nobody to reply to.
    fn apply(&mut self, argv: &[Bytes]) {
        let Some(name) = argv.first() else { return };
        self.counters.commands += 1;
        if name.eq_ignore_ascii_case(b"select") {
            // One that does not exist is refused, as it is to any client.
            let index = argv.get(1).and_then(|text| database(text));
            self.stream_db = index.or(self.stream_db);
        } else if name.eq_ignore_ascii_case(b"replconf") {
            if argv.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"getack")) {
                self.acknowledge();
            }
        } else if let Some(found) = command::find(name).filter(|found| found.takes(argv.len())) {
            let db = self.stream_db.unwrap_or(0);
            let context = Context { db, now_ms: self.unix_ms(), expired_by_ms: 0 };
            self.run(found, context, argv);
        } else if !["ping", "multi", "exec"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        {
            let name = String::from_utf8_lossy(name).into_owned();
            self.log(format!(
                "== CRITICAL == This replica does not know a command of its master: '{name}'"
            ));
        }
    }

    /// `REPLCONF ACK <applied offset>`.
    pub(super) fn acknowledge(&mut self) {
        let applied = self.history.end.to_string();
        if let Some(conn) = self.upstream.as_ref().and_then(|upstream| upstream.conn) {
            self.send(conn, Kind::Control, encode_command(&["REPLCONF", "ACK", &applied]));
        }
    }
}

/// The number of a database that exists.
fn database(text: &[u8]) -> Option<u32> {
    let index = parse_integer(text).and_then(|index| u32::try_from(index).ok())?;
    (index < DATABASES).then_some(index)
}
