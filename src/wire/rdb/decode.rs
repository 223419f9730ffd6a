//! Reads an RDB file: the header, a row of opcodes and keys, the checksum.
//!
//! Invariant: a file is accepted only as a whole. Absent on purpose: reserving what RESIZEDB says.

use super::reader::Reader;
use super::{Rdb, RdbEntry, RdbError, checksum, code, names};

impl Rdb {
    /// Reads a file of Redis versions 1 to 12 or of Valkey (80 and above).
    ///
    /// A checksum of zero means that the sender has `rdbchecksum no` and is accepted; versions below 5
    /// have none.
    ///
    /// # Errors
    /// The file is damaged, ends early, goes on behind its end, or holds something else than strings.
    pub fn decode(file: &[u8]) -> Result<Rdb, RdbError> {
        let mut reader = Reader::new(file);
        let version = version(&mut reader)?;
        let mut rdb = Rdb { version, aux: Vec::new(), entries: Vec::new() };
        let mut db = 0;
        let mut expires_at_ms = None;
        loop {
            let at = reader.position();
            match reader.byte("an opcode")? {
                code::EOF => break,
                code::SELECTDB => db = db_number(&mut reader)?,
                code::EXPIRETIME_MS => expires_at_ms = Some(moment_ms(&mut reader)?),
                code::EXPIRETIME => expires_at_ms = Some(moment_s(&mut reader)?),
                code::AUX => {
                    let name = reader.string("the name of an AUX field")?;
                    rdb.aux.push((name, reader.string("the value of an AUX field")?));
                }
                code::STRING => {
                    let key = reader.string("a key")?;
                    let value = reader.string("a value")?;
                    let expires_at_ms = expires_at_ms.take();
                    rdb.entries.push(RdbEntry { db, key, value, expires_at_ms });
                }
                hint => skip(hint, at, &mut reader)?,
            }
        }
        end(&mut reader, version)?;
        Ok(rdb)
    }
}

/// The header: `REDIS0009`, `VALKEY080`.
fn version(reader: &mut Reader<'_>) -> Result<u32, RdbError> {
    let expected = "the header";
    // Nine bytes of something else are no RDB, and fewer are only if they could become one.
    let magic = reader.take(reader.left().min(9), expected)?;
    let not_an_rdb = || RdbError::NotAnRdb { magic: magic.to_vec() };
    let known = [&b"REDIS"[..], b"VALKEY"];
    let name = known.into_iter().find(|name| magic.iter().zip(*name).all(|(a, b)| a == b));
    let name = name.ok_or_else(not_an_rdb)?;
    if magic.len() < 9 {
        let at = magic.len() as u64;
        return Err(RdbError::Truncated { at, expected, missing: 9 - at });
    }
    let digits = &magic[name.len()..];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(not_an_rdb());
    }
    let version = digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    match (name, version) {
        (b"REDIS", 1..=12) | (b"VALKEY", code::VALKEY_SINCE..=99) => Ok(version),
        _ => Err(RdbError::UnsupportedVersion { version }),
    }
}

fn db_number(reader: &mut Reader<'_>) -> Result<u32, RdbError> {
    let at = reader.position();
    let number = reader.length("a database number")?;
    u32::try_from(number).map_err(|_| RdbError::InvalidDb { at })
}

/// A moment in milliseconds since 1970. One before that has passed anyway and becomes 0.
fn moment_ms(reader: &mut Reader<'_>) -> Result<u64, RdbError> {
    let moment = i64::from_le_bytes(reader.array("an expiry in milliseconds")?);
    Ok(u64::try_from(moment).unwrap_or(0))
}

/// A moment in seconds since 1970 (versions below 3), in milliseconds.
fn moment_s(reader: &mut Reader<'_>) -> Result<u64, RdbError> {
    let moment = i32::from_le_bytes(reader.array("an expiry in seconds")?);
    Ok(u64::try_from(moment).unwrap_or(0) * 1000)
}

/// Reads over a hint; anything else is what this reader cannot load.
fn skip(code: u8, at: u64, reader: &mut Reader<'_>) -> Result<(), RdbError> {
    match code {
        code::RESIZEDB => {
            reader.length("a number of keys")?;
            reader.length("a number of expiring keys")?;
        }
        code::FREQ => {
            reader.byte("an access frequency")?;
        }
        code::IDLE => {
            reader.length("an idle time")?;
        }
        _ => {
            return Err(match (names::value_type(code), names::opcode(code)) {
                (Some(name), _) => RdbError::UnsupportedType { at, code, name },
                (_, Some(name)) => RdbError::UnsupportedOpcode { at, code, name },
                _ => RdbError::UnknownCode { at, code },
            });
        }
    }
    Ok(())
}

/// The checksum, which covers everything before it, and nothing behind it.
fn end(reader: &mut Reader<'_>, version: u32) -> Result<(), RdbError> {
    if version >= code::CHECKSUM_SINCE {
        let at = reader.position();
        let content = reader.consumed();
        let stored = u64::from_le_bytes(reader.array("the checksum")?);
        if stored != 0 {
            let computed = checksum(content);
            if stored != computed {
                return Err(RdbError::WrongChecksum { at, stored, computed });
            }
        }
    }
    match reader.left() {
        0 => Ok(()),
        count => Err(RdbError::TrailingBytes { at: reader.position(), count }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 9, the content, and a checksum of zero.
    fn file(content: &[u8]) -> Vec<u8> {
        [b"REDIS0009", content, b"\xff\0\0\0\0\0\0\0\0"].concat()
    }

    #[test]
    fn hints_and_old_opcodes() {
        let content = b"\xfb\x81\xff\xff\xff\xff\xff\xff\xff\xff\x00\xf8\x05\xf9\x07\
            \xfd\x01\x00\x00\x00\x00\x01k\x01v\x00\x01l\x01w\
            \xfe\x80\0\0\x01\0\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01m\xc0\x05";
        let rdb = Rdb::decode(&file(content)).unwrap();
        let got: Vec<_> =
            rdb.entries.iter().map(|e| (e.db, &e.key[..], &e.value[..], e.expires_at_ms)).collect();
        assert_eq!(
            got,
            [
                (0, &b"k"[..], &b"v"[..], Some(1000)),
                (0, b"l", b"w", None),
                (256, b"m", b"5", Some(0)),
            ]
        );
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (content, words) in [
            (
                &b"\x00\x01k\x01v\x01\x01l"[..],
                "the key at byte 14 holds a list (type 1), only strings are supported",
            ),
            (
                b"\x10\x01h",
                "the key at byte 9 holds a hash (listpack) (type 16), only strings are supported",
            ),
            (
                b"\x0f\x01s",
                "the key at byte 9 holds a stream (listpacks) (type 15), only strings are supported",
            ),
            (b"\xf5\x01f", "unsupported: functions (opcode 245) at byte 9"),
            (b"\xf7\x01m", "unsupported: module data (opcode 247) at byte 9"),
            (b"\x64", "byte 9 is 100, which is no known opcode or value type"),
            (b"\xfe\x81\0\0\0\x01\0\0\0\0", "the database number at byte 10 is too large"),
        ] {
            let error = Rdb::decode(&file(content)).expect_err(words);
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn headers() {
        let decode = |header: &str| {
            let file = [header.as_bytes(), b"\xff\0\0\0\0\0\0\0\0"].concat();
            Rdb::decode(&file).map(|rdb| rdb.version)
        };
        assert_eq!(decode("REDIS0012"), Ok(12));
        assert_eq!(decode("VALKEY080"), Ok(80));
        assert_eq!(decode("REDIS0013"), Err(RdbError::UnsupportedVersion { version: 13 }));
        assert_eq!(decode("REDIS0000"), Err(RdbError::UnsupportedVersion { version: 0 }));
        assert_eq!(decode("VALKEY011"), Err(RdbError::UnsupportedVersion { version: 11 }));
        for header in ["REDIS00x9", "VALKEY-80", "PEDIS0009", "<html>..."] {
            let magic = header.as_bytes().to_vec();
            assert_eq!(decode(header), Err(RdbError::NotAnRdb { magic }));
        }
        let truncated =
            |at, missing| Err(RdbError::Truncated { at, expected: "the header", missing });
        assert_eq!(Rdb::decode(b""), truncated(0, 9));
        assert_eq!(Rdb::decode(b"REDIS00"), truncated(7, 2));
        // Version 4 had no checksum.
        assert!(Rdb::decode(b"REDIS0004\xff").is_ok());
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let rdb = Rdb {
            version: 10,
            aux: vec![("a".into(), "b".into())],
            entries: vec![RdbEntry {
                db: 3,
                key: "key".into(),
                value: "value".into(),
                expires_at_ms: Some(77),
            }],
        };
        let file = rdb.encode();
        assert_eq!(Rdb::decode(&file), Ok(rdb));
        for cut in 0..file.len() {
            let error = Rdb::decode(&file[..cut]);
            assert!(matches!(error, Err(RdbError::Truncated { .. })), "{cut}: {error:?}");
        }
        for bit in 0..file.len() * 8 {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(Rdb::decode(&file).is_err(), "bit {bit}");
        }
        let longer = [&file[..], b"x"].concat();
        let at = file.len() as u64;
        assert_eq!(Rdb::decode(&longer), Err(RdbError::TrailingBytes { at, count: 1 }));
    }
}
