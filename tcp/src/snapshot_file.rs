//! The snapshot on disk: read at start, replaced whole when the server saves.
//!
//! A save writes a new file beside the old one, flushes it to the disk and renames it, so that
//! whoever reads finds the old snapshot or the new one, whenever the process or machine stops.
//!
//! Absent on purpose: what is in it (the core's `wire::rdb`), and when to save.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// Where one server's snapshot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    path: PathBuf,
}

impl SnapshotFile {
    /// At this path (`dir`/`dbfilename`).
    #[must_use]
    pub fn new(path: PathBuf) -> SnapshotFile {
        SnapshotFile { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was saved; none when nothing was.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub fn load(&self) -> io::Result<Option<Bytes>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces what was saved.
    ///
    /// # Errors
    /// When the new file cannot be written; the old one is then still there.
    pub fn save(&self, rdb: &[u8]) -> io::Result<()> {
        // Redis' own name for it; the process id keeps servers of one folder apart.
        let temporary = self.path.with_file_name(format!("temp-{}.rdb", std::process::id()));
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(rdb)?;
            file.sync_all()
        });
        let saved = written.and_then(|()| fs::rename(&temporary, &self.path));
        if saved.is_err() {
            // Whether or not it exists, it is of no use to anybody.
            let _ = fs::remove_file(&temporary);
        }
        saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_replaces_the_file_whole_and_leaves_nothing_else() {
        let dir = std::env::temp_dir().join(format!("psync-snapshot-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = SnapshotFile::new(dir.join("dump.rdb"));
        assert_eq!(file.load().unwrap(), None);
        for content in [b"first".as_slice(), b"second"] {
            file.save(content).unwrap();
            assert_eq!(file.load().unwrap().as_deref(), Some(content));
        }
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(&dir).unwrap();
        assert!(file.save(b"third").is_err(), "there is no such folder");
    }
}
