//! From the effects of commands to the stream: what belongs together, and what stands around it.
//!
//! Up to 6.2 each effect goes into the stream as it happens, and a transaction begins with a MULTI
//! before its first one. From 7.0 on the effects of one command, or of one transaction, are
//! gathered and sent at its end: one alone as it is, several between MULTI and EXEC, even those of
//! a single command that first deletes an expired key (`propagatePendingCommands`).
//!
//! Invariant: between two commands nothing is gathered and no transaction is open.

use bytes::Bytes;

use super::Server;
use super::engine::Wrapping;
use crate::stream::backlog::Cut;
use crate::wire::{command_len, encode_command};

/// The command, or the transaction, that is being executed.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Its text, as it came from a client.
    pub raw: Bytes,
    /// Effects that are still to be sent, with their databases.
    gathered: Vec<(u32, Vec<Bytes>)>,
    /// Whether it is a transaction.
    pub in_exec: bool,
    /// Whether its MULTI is in the stream already.
    opened: bool,
}

impl Unit {
    /// The text of an effect. Mostly that is what the client sent; then it is in memory once, in
    /// the keyspace and in the backlog.
    pub fn encoded(&self, argv: &[Bytes]) -> Bytes {
        let mut rest = self.raw.as_ptr_range();
        let follows = argv.iter().map(|arg| arg.as_ptr_range()).all(|arg| {
            let follows = rest.start <= arg.start && arg.end <= rest.end;
            rest.start = arg.end;
            follows
        });
        // No other text with these arguments in this order is as short.
        if follows && command_len(argv) == self.raw.len() as u64 {
            self.raw.clone()
        } else {
            encode_command(argv)
        }
    }
}

const MULTI: Bytes = Bytes::from_static(b"MULTI");
const EXEC: Bytes = Bytes::from_static(b"EXEC");

impl Server {
    /// An effect of the command that is being executed.
    pub(super) fn propagate(&mut self, db: u32, argv: &[Bytes]) {
        if self.engine.stream.wrapping == Wrapping::Several {
            return self.unit.gathered.push((db, argv.to_vec()));
        }
        self.open_transaction(db);
        self.feed(db, argv);
    }

    /// A key was found to be expired. Up to 6.0 that did not begin a transaction.
    pub(super) fn propagate_expiry(&mut self, db: u32, argv: &[Bytes]) {
        match self.engine.stream.wrapping {
            Wrapping::FromWriteCommand => self.feed(db, argv),
            Wrapping::FromEffect | Wrapping::Several => self.propagate(db, argv),
        }
    }

    /// A transaction is about to run a command that may write.
    pub(super) fn before_write(&mut self, db: u32) {
        if self.engine.stream.wrapping == Wrapping::FromWriteCommand {
            self.open_transaction(db);
        }
    }

    fn open_transaction(&mut self, db: u32) {
        if self.unit.in_exec && !self.unit.opened && self.upstream.is_none() {
            self.unit.opened = true;
            self.feed(db, &[MULTI]);
        }
    }

    /// What was opened is closed before anything else may follow in the stream; the client's own
    /// word stands there, and a SELECT before it if it has gone to another database meanwhile.
    pub(super) fn close_transaction(&mut self, db: u32, exec: &[Bytes]) {
        if std::mem::take(&mut self.unit.opened) && self.upstream.is_none() {
            self.feed(db, exec);
        }
    }

    /// The role is about to change: an open transaction ends with what it has (#3836).
    pub(super) fn close_open_transaction(&mut self) {
        let db = self.stream_db.unwrap_or(0);
        self.close_transaction(db, &[EXEC]);
    }

    /// The command, or the transaction, is over.
    pub(super) fn ends_unit(&mut self) {
        let gathered = std::mem::take(&mut self.unit.gathered);
        self.unit.in_exec = false;
        if self.upstream.is_some() {
            // It has become a replica in between: what it wrote itself goes nowhere.
            return;
        }
        match gathered.as_slice() {
            [] => {}
            [(db, argv)] => self.feed(*db, argv),
            several => self.feed_transaction(several),
        }
    }

    fn feed_transaction(&mut self, several: &[(u32, Vec<Bytes>)]) {
        match several.first() {
            Some((db, _)) if !self.engine.stream.select_inside_multi => self.feed(*db, &[MULTI]),
            _ => self.feed_anywhere(&[MULTI]),
        }
        for (db, argv) in several {
            self.feed(*db, argv);
        }
        self.feed_anywhere(&[EXEC]);
    }

    /// Puts a command into the stream that means the same in every database.
    pub(super) fn feed_anywhere(&mut self, argv: &[Bytes]) {
        if self.backlog.is_none() {
            return self.unheard(argv);
        }
        self.emit(encode_command(argv), Cut::Arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::CommandDecoder;

    #[test]
    fn what_came_as_it_is_passed_on_is_not_written_anew() {
        for (text, same) in [
            ("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$2\r\nvv\r\n", true),
            ("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$0\r\n\r\n", true),
            ("set k vv\r\n", false),
        ] {
            let mut decoder = CommandDecoder::new();
            decoder.feed(text.as_bytes());
            let frame = decoder.next().expect("a command").expect("all of it");
            let unit = Unit { raw: frame.raw.clone(), ..Unit::default() };
            let [set, key, value] = &frame.argv[..] else { panic!("three words") };
            let encoded = unit.encoded(&frame.argv);
            assert_eq!(encoded, encode_command(&frame.argv), "{text}");
            assert_eq!(encoded.as_ptr() == frame.raw.as_ptr(), same, "{text}");
            let other = Bytes::from_static(b"get");
            for argv in [[set, value, key], [&other, key, value], [set, key, key]] {
                let argv = argv.map(Bytes::clone);
                assert_eq!(unit.encoded(&argv), encode_command(&argv), "{argv:?} from {text}");
            }
        }
    }
}
