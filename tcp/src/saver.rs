//! Who writes snapshots while the loop goes on.
//!
//! A disk may take its time, and replicas must not wait for it, so a thread writes. At most one
//! does; what is asked for meanwhile waits, and only the newest of it is written, since it would
//! replace the others at once.
//!
//! Invariant: every ask is answered once, in the end, through [`Handle::saved`].

use std::thread::JoinHandle;

use bytes::Bytes;

use crate::handle::Handle;
use crate::snapshot_file::SnapshotFile;

/// Writes the snapshots of one server.
pub struct Saver {
    file: Option<SnapshotFile>,
    handle: Handle,
    running: Option<JoinHandle<()>>,
    waiting: Option<Waiting>,
}

struct Waiting {
    rdb: Bytes,
    asks: usize,
}

impl Saver {
    /// Without a file nothing can be saved, and every ask is told so.
    pub fn new(file: Option<SnapshotFile>, handle: Handle) -> Saver {
        Saver { file, handle, running: None, waiting: None }
    }

    /// Has a snapshot written, now or after the present one.
    pub fn save(&mut self, rdb: Bytes) {
        let asks = self.waiting.take().map_or(0, |waiting| waiting.asks) + 1;
        self.waiting = Some(Waiting { rdb, asks });
        if self.running.is_none() {
            self.begin();
        }
    }

    /// The present one was told to be done: the next one.
    pub fn done(&mut self) {
        self.join();
        self.begin();
    }

    /// Waits until everything is written.
    pub fn finish(&mut self) {
        while self.running.is_some() {
            self.done();
        }
    }

    fn begin(&mut self) {
        let Some(Waiting { rdb, asks }) = self.waiting.take() else { return };
        let Some(file) = self.file.clone() else { return self.handle.saved(false, asks) };
        let handle = self.handle.clone();
        let write = move || handle.saved(file.save(&rdb).is_ok(), asks);
        match std::thread::Builder::new().name("save".to_owned()).spawn(write) {
            Ok(thread) => self.running = Some(thread),
            Err(_) => self.handle.saved(false, asks),
        }
    }

    fn join(&mut self) {
        if let Some(thread) = self.running.take() {
            // It cannot panic; if it did, nobody was told that anything is saved.
            let _ = thread.join();
        }
    }
}
