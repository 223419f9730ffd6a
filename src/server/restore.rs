//! Starting with a snapshot: what a server remembers of its history across a restart.
//!
//! A replica asks its master to continue the saved history (4.0+). A master can never be in that
//! history again, because it may have written more than it saved; but it may be a continuation of
//! it: from 7.0 on it starts a new one with the saved id as its second, so that replicas that have
//! no more than was saved continue through it.
//!
//! Sources: Redis 7.0 `loadDataFromDisk`, `rdbLoadRioWithLoadingCtx`.

use super::keyspace::Keyspace;
use super::upstream::Followed;
use super::{Address, Server};
use crate::stream::history::{ReplId, SecondId};
use crate::stream::offset::Offset;
use crate::wire::{Rdb, parse_integer};

/// The replication fields of a snapshot.
struct Saved {
    replid: ReplId,
    end: Offset,
    db: u32,
}

impl Saved {
    fn of(snapshot: &Rdb) -> Option<Saved> {
        let number = |name| snapshot.aux(name).and_then(|text| parse_integer(text));
        Some(Saved {
            replid: ReplId::try_from(&snapshot.aux("repl-id")?[..]).ok()?,
            end: Offset::told(number("repl-offset")?)?,
            db: u32::try_from(number("repl-stream-db").unwrap_or(0)).unwrap_or(0),
        })
    }
}

impl Server {
    /// Takes over what was saved, and begins to follow a master if there is one.
    pub(super) fn restore(&mut self, snapshot: Option<Rdb>, master: Option<Address>) {
        // An AOF is loaded in place of a snapshot, and knows nothing of ids.
        let saved = snapshot.as_ref().and_then(Saved::of).filter(|_| !self.config.append_only);
        if let Some(snapshot) = snapshot {
            self.data = Keyspace::from_entries(snapshot.entries);
        }
        match (master, saved) {
            (Some(master), saved) => {
                let saved = saved.filter(|_| self.engine.restart.replica_resumes);
                let followed = saved.map(|Saved { replid, end, db }| {
                    self.history.adopt(replid, end);
                    self.stream_db = Some(db);
                    Followed { replid, applied: end, db, unnumbered: false }
                });
                self.follow(master, followed);
                self.dial("Connecting");
            }
            (None, Some(saved)) if self.engine.restart.master_continues => {
                self.history.end = saved.end;
                let valid_up_to = saved.end.next();
                self.history.second = Some(SecondId { replid: saved.replid, valid_up_to });
                self.create_backlog();
                self.delete_expired();
            }
            (None, _) => self.drop_expired(),
        }
        self.arm_expiry();
    }

    /// Keys whose time was over at the start are deleted in the new history, so that a replica
    /// that continues is told (#8015).
    fn delete_expired(&mut self) {
        let now_ms = self.unix_ms();
        while let Some((db, key)) = self.data.first_expired(now_ms) {
            self.data.remove(db, &key);
            let deletion = self.context(db, 0).deletion(&key);
            self.feed(db, &deletion);
        }
    }

    fn drop_expired(&mut self) {
        let now_ms = self.unix_ms();
        while let Some((db, key)) = self.data.first_expired(now_ms) {
            self.data.remove(db, &key);
        }
    }
}
