//! A replica takes the snapshot, and then the stream.
//!
//! Only whole commands are applied and passed on, and a transaction only as a whole, so the
//! history of a replica never ends inside one; that offset is what it asks with after a cut.

use bytes::Bytes;

use super::{Followed, Online, Step, Transfer};
use crate::server::command::{self, Context};
use crate::server::keyspace::{DATABASES, Keyspace};
use crate::server::outbox::Kind;
use crate::server::{Output, Server};
use crate::stream::offset::ByteCount;
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
        let Some(upstream) = &self.upstream else { return };
        let Step::Transfer(transfer) = &upstream.step else { return };
        let Transfer { replid, end, ack_at_once, unnumbered, .. } = *transfer;
        let Some(snapshot) = self.readable(rdb) else { return self.distrust_link() };
        self.log("MASTER <-> REPLICA sync: Flushing old data");
        self.log("MASTER <-> REPLICA sync: Loading DB in memory");
        self.give_up_history();
        let db = snapshot.aux("repl-stream-db").and_then(|text| database(text)).unwrap_or(0);
        self.data = Keyspace::from_entries(snapshot.entries);
        if let Some(upstream) = &mut self.upstream {
            upstream.followed = Some(Followed { replid, applied: end, db, unnumbered });
        }
        if self.shares_history() {
            self.stream_db = Some(db);
            self.history.adopt(replid, end);
            self.free_backlog();
            self.create_backlog();
        }
        self.arm_expiry();
        self.log("MASTER <-> REPLICA sync: Finished with success");
        // A snapshot received as a file stays on disk, with its id and offset in it.
        self.outputs.push_back(Output::Save { rdb: rdb.clone() });
        let mut decoder = CommandDecoder::new();
        decoder.feed(rest);
        self.enter(Step::Online(Online { decoder, transaction: Vec::new() }));
        if ack_at_once {
            self.acknowledge();
        }
        self.read_stream();
    }

    /// The snapshot, unless it is damaged or cannot be held here.
    fn readable(&mut self, rdb: &Bytes) -> Option<Rdb> {
        let snapshot = match Rdb::decode(rdb) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.log(format!(
                    "Failed trying to load the MASTER synchronization DB from disk: {error}"
                ));
                return None;
            }
        };
        if let Some(entry) = snapshot.entries.iter().find(|entry| entry.db >= DATABASES) {
            self.log(format!(
                "FATAL: Data file was created with a Redis server configured to handle more than \
                 {DATABASES} databases. Exiting (database {})",
                entry.db
            ));
            return None;
        }
        Some(snapshot)
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
            self.apply_all(&whole);
        } else if named(b"multi") || !online.transaction.is_empty() {
            online.transaction.push(frame);
        } else {
            self.apply_all(&[frame]);
        }
    }

    /// Applies commands and passes them on. The answer to GETACK does not count the question,
    /// which is counted afterwards.
    fn apply_all(&mut self, frames: &[Frame]) {
        for frame in frames {
            self.apply(&frame.argv);
        }
        let raw: Vec<Bytes> = frames.iter().map(|frame| frame.raw.clone()).collect();
        let len: u64 = raw.iter().map(|raw| raw.len() as u64).sum();
        let Some(upstream) = &mut self.upstream else { return };
        if let Some(followed) = &mut upstream.followed {
            followed.applied += ByteCount(len);
        }
        if self.shares_history() {
            self.pass_on(&raw);
        }
    }

    /// Applies one command of the stream; there is nobody to reply to.
    fn apply(&mut self, argv: &[Bytes]) {
        let Some(name) = argv.first() else { return };
        self.counters.commands += 1;
        let silent = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        if name.eq_ignore_ascii_case(b"select") {
            // One that does not exist is refused, as it is to any client.
            if let Some(db) = argv.get(1).and_then(|text| database(text)) {
                self.stream_continues_in(db);
            }
        } else if name.eq_ignore_ascii_case(b"replconf") {
            if argv.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"getack")) {
                self.acknowledge();
            }
        } else if let Some(found) = command::find(name).filter(|found| found.takes(argv.len())) {
            let db = self.followed_db();
            let context = Context { db, now_ms: self.unix_ms(), expired_by_ms: 0 };
            let effect = self.run(found, context, argv);
            if !self.shares_history()
                && let Some(propagate) = effect.propagate
            {
                // Before PSYNC2 a replica writes a stream of its own for those that follow it.
                self.feed(db, &propagate);
            }
        } else if !["ping", "multi", "exec"].iter().any(silent) {
            let name = String::from_utf8_lossy(name).into_owned();
            self.log(format!(
                "== CRITICAL == This replica does not know a command of its master: '{name}'"
            ));
        }
    }

    fn stream_continues_in(&mut self, db: u32) {
        if let Some(Some(followed)) = self.upstream.as_mut().map(|upstream| &mut upstream.followed)
        {
            followed.db = db;
        }
        if self.shares_history() {
            self.stream_db = Some(db);
        }
    }

    fn followed_db(&self) -> u32 {
        let followed = self.upstream.as_ref().and_then(|upstream| upstream.followed());
        followed.map_or(0, |followed| followed.db)
    }

    /// `REPLCONF ACK <applied offset>`.
    pub(super) fn acknowledge(&mut self) {
        let followed = self.upstream.as_ref().and_then(|upstream| upstream.followed());
        // Who said SYNC was told no offset, and says none.
        let Some(followed) = followed.filter(|followed| !followed.unnumbered) else { return };
        let applied = followed.applied.to_string();
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
