//! SAVE, BGSAVE, LASTSAVE, and what INFO persistence says of them.

use bytes::Bytes;

use super::answer::{Answer, SYNTAX, error, integer, lower, ok, simple};
use super::{ConnId, Output, Server};

/// The last snapshot that was put on disk.
#[derive(Clone, Copy, Debug)]
pub struct LastSave {
    /// Unix seconds; the start where there was none.
    pub at_s: u64,
    /// Whether it stands there.
    pub ok: bool,
    /// How many there were.
    pub count: u64,
    /// Effects on the data since.
    pub changes: u64,
}

const IN_PROGRESS: &str = "ERR Background save already in progress";

pub fn save(server: &mut Server, _: ConnId, _: &[Bytes]) -> Answer {
    if server.is_saving() {
        return error(IN_PROGRESS);
    }
    server.save_now();
    ok()
}

pub fn bgsave(server: &mut Server, _: ConnId, argv: &[Bytes]) -> Answer {
    match argv {
        [_] => {}
        [_, word] if lower(word) == "schedule" => {}
        _ => return error(SYNTAX),
    }
    if server.is_saving() {
        return error(IN_PROGRESS);
    }
    server.log("Background saving started by pid 0");
    server.save_to_disk();
    simple("Background saving started")
}

pub fn lastsave(server: &mut Server, _: ConnId, _: &[Bytes]) -> Answer {
    Some(integer(server.last_save.at_s))
}

impl Server {
    /// Saves without going on meanwhile.
    pub(super) fn save_now(&mut self) {
        let rdb = Bytes::from(self.snapshot().encode());
        self.put_on_disk(rdb);
    }

    /// Hands a finished snapshot to the driver.
    pub(super) fn put_on_disk(&mut self, rdb: Bytes) {
        let (at_s, count) = (self.unix_ms() / 1000, self.last_save.count + 1);
        self.last_save = LastSave { at_s, ok: true, count, changes: 0 };
        self.outputs.push_back(Output::Save { rdb });
    }

    /// What the driver says about it.
    pub(super) fn saved(&mut self, ok: bool) {
        self.last_save.ok = ok;
        self.log(if ok { "DB saved on disk" } else { "Error saving DB on disk" });
    }
}
