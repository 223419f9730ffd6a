//! Writes an RDB file.
//!
//! Invariants: entries keep their order, and consecutive ones of a database share one SELECTDB;
//! `encoded_len` is the exact length. Absent on purpose: compression and integer encodings. The size
//! of a full resync is something people look at, so it should be what they can add up.

use super::{Rdb, RdbEntry, checksum, code};

impl Rdb {
    /// The file's bytes.
    ///
    /// Versions 7 to 10 are what real Redis servers load in this layout; 80 and above get Valkey's
    /// magic. An expiry beyond the signed 64-bit range of the format is written as its last moment.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(usize::try_from(self.encoded_len()).unwrap_or(0));
        let header = match self.version {
            code::VALKEY_SINCE.. => format!("VALKEY{:03}", self.version),
            _ => format!("REDIS{:04}", self.version),
        };
        out.extend_from_slice(header.as_bytes());
        for (name, value) in &self.aux {
            out.push(code::AUX);
            push_string(&mut out, name);
            push_string(&mut out, value);
        }
        for run in self.runs() {
            push_run(&mut out, run);
        }
        out.push(code::EOF);
        if self.version >= code::CHECKSUM_SINCE {
            let sum = checksum(&out);
            out.extend_from_slice(&sum.to_le_bytes());
        }
        out
    }

    /// How many bytes [`encode`](Self::encode) makes, without making them.
    #[must_use]
    pub fn encoded_len(&self) -> u64 {
        let tail = if self.version >= code::CHECKSUM_SINCE { 1 + 8 } else { 1 };
        let aux = self.aux.iter().map(|(name, value)| 1 + string_len(name) + string_len(value));
        9 + aux.sum::<u64>() + self.runs().map(run_len).sum::<u64>() + tail
    }

    /// The entries, cut where the database changes.
    fn runs(&self) -> impl Iterator<Item = &[RdbEntry]> {
        self.entries.chunk_by(|a, b| a.db == b.db)
    }
}

/// Appends the entries of one database: SELECTDB, RESIZEDB (how many keys, how many that expire).
fn push_run(out: &mut Vec<u8>, run: &[RdbEntry]) {
    let (keys, expiring) = counts(run);
    out.push(code::SELECTDB);
    push_length(out, db(run));
    out.push(code::RESIZEDB);
    push_length(out, keys);
    push_length(out, expiring);
    for entry in run {
        if let Some(at_ms) = entry.expires_at_ms {
            out.push(code::EXPIRETIME_MS);
            let at_ms = i64::try_from(at_ms).unwrap_or(i64::MAX);
            out.extend_from_slice(&at_ms.to_le_bytes());
        }
        out.push(code::STRING);
        push_string(out, &entry.key);
        push_string(out, &entry.value);
    }
}

fn run_len(run: &[RdbEntry]) -> u64 {
    let (keys, expiring) = counts(run);
    let head = 1 + length_len(db(run)) + 1 + length_len(keys) + length_len(expiring);
    let entries = run.iter().map(|entry| 1 + string_len(&entry.key) + string_len(&entry.value));
    head + entries.sum::<u64>() + 9 * expiring
}

fn counts(run: &[RdbEntry]) -> (u64, u64) {
    let expiring = run.iter().filter(|entry| entry.expires_at_ms.is_some()).count();
    (run.len() as u64, expiring as u64)
}

fn db(run: &[RdbEntry]) -> u64 {
    run.first().map_or(0, |entry| u64::from(entry.db))
}

fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    push_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a length in its shortest form: 63 is `3f`, 64 is `40 40`, 16384 is `80 00 00 40 00`.
fn push_length(out: &mut Vec<u8>, len: u64) {
    match len {
        0..0x40 => out.push(len as u8),
        0x40..0x4000 => out.extend_from_slice(&(len as u16 | 0x4000).to_be_bytes()),
        0x4000..0x1_0000_0000 => {
            out.push(code::LEN_32);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
        _ => {
            out.push(code::LEN_64);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
}

fn string_len(bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    length_len(len) + len
}

fn length_len(len: u64) -> u64 {
    match len {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        0x4000..0x1_0000_0000 => 5,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn an_empty_file_is_the_one_everybody_knows() {
        let rdb = Rdb { version: 9, aux: vec![], entries: vec![] };
        assert_eq!(rdb.encode()[..10], *b"REDIS0009\xff");
        assert_eq!(rdb.encoded_len(), 18);
    }

    #[test]
    fn the_layout_byte_by_byte() {
        let entry = |db, key: &'static str, expires_at_ms| RdbEntry {
            db,
            key: Bytes::from(key),
            value: Bytes::from("v"),
            expires_at_ms,
        };
        let rdb = Rdb {
            version: 10,
            aux: vec![(Bytes::from("repl-offset"), Bytes::from("7"))],
            entries: vec![entry(0, "a", None), entry(0, "b", Some(0x102)), entry(70, "c", None)],
        };
        let want = [
            &b"REDIS0010"[..],
            b"\xfa\x0brepl-offset\x017",
            b"\xfe\x00\xfb\x02\x01",
            b"\x00\x01a\x01v",
            b"\xfc\x02\x01\0\0\0\0\0\0\x00\x01b\x01v",
            b"\xfe\x40\x46\xfb\x01\x00",
            b"\x00\x01c\x01v",
            b"\xff",
        ]
        .concat();
        let got = rdb.encode();
        assert_eq!(got[..want.len()].escape_ascii().to_string(), want.escape_ascii().to_string());
        assert_eq!(got[want.len()..], checksum(&want).to_le_bytes());
        assert_eq!(rdb.encoded_len(), got.len() as u64);
    }

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        for (len, want) in [
            (63, &b"\x3f"[..]),
            (64, b"\x40\x40"),
            (16383, b"\x7f\xff"),
            (16384, b"\x80\0\0\x40\0"),
            (u64::from(u32::MAX), b"\x80\xff\xff\xff\xff"),
            (1 << 32, b"\x81\0\0\0\x01\0\0\0\0"),
        ] {
            let mut out = Vec::new();
            push_length(&mut out, len);
            assert_eq!((&out[..], length_len(len)), (want, want.len() as u64), "{len}");
        }
    }
}
