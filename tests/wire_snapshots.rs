//! Properties of RDB files: what is written reads back, and no bytes are too bad to be refused.
//!
//! A failing case prints its seed and its smallest form. Nothing is stored between runs.
#![cfg(not(target_arch = "wasm32"))]

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use psync::wire::{Rdb, RdbEntry};

fn text() -> impl Strategy<Value = Bytes> {
    prop_oneof![vec(any::<u8>(), 0..40), vec(Just(b'x'), 0..2000)].prop_map(Bytes::from)
}

fn entry() -> impl Strategy<Value = RdbEntry> {
    let db = prop_oneof![Just(0u32), 0u32..4, any::<u32>()];
    let expires_at_ms = proptest::option::of(0..=i64::MAX as u64);
    (db, text(), text(), expires_at_ms).prop_map(|(db, key, value, expires_at_ms)| RdbEntry {
        db,
        key,
        value,
        expires_at_ms,
    })
}

fn rdb() -> impl Strategy<Value = Rdb> {
    let version = prop_oneof![1u32..=12, 80u32..=99];
    (version, vec((text(), text()), 0..4), vec(entry(), 0..90))
        .prop_map(|(version, aux, entries)| Rdb { version, aux, entries })
}

/// Pieces of LZF and the bytes they stand for; references only to what is there.
fn lzf() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let piece = (any::<bool>(), vec(any::<u8>(), 1..=32), 3usize..=264, any::<u16>());
    vec(piece, 0..30).prop_map(|pieces| {
        let (mut packed, mut plain) = (Vec::new(), Vec::new());
        for (literal, bytes, len, distance) in pieces {
            if literal || plain.is_empty() {
                packed.push(bytes.len() as u8 - 1);
                packed.extend_from_slice(&bytes);
                plain.extend_from_slice(&bytes);
                continue;
            }
            let back = usize::from(distance) % plain.len().min(8192);
            let high = (back >> 8) as u8;
            match len - 2 {
                short @ 1..7 => packed.push((short as u8) << 5 | high),
                long => packed.extend_from_slice(&[7 << 5 | high, (long - 7) as u8]),
            }
            packed.push(back as u8);
            for _ in 0..len {
                plain.push(plain[plain.len() - 1 - back]);
            }
        }
        (packed, plain)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn snapshots_come_back(rdb in rdb()) {
        let file = rdb.encode();
        prop_assert_eq!(rdb.encoded_len(), file.len() as u64);
        prop_assert_eq!(Rdb::decode(&file), Ok(rdb));
    }

    #[test]
    fn compressed_values_are_read((packed, plain) in lzf()) {
        // Version 4 has no checksum, so the file can be written down directly.
        let be = |len: usize| [&[0x80][..], &(len as u32).to_be_bytes()].concat();
        let lengths = [be(packed.len()), be(plain.len())].concat();
        let file = [b"REDIS0004\x00\x01k\xc3", &lengths[..], &packed, b"\xff"].concat();
        prop_assert_eq!(&Rdb::decode(&file).unwrap().entries[0].value, &plain);
        for wrong in [plain.len() + 1, plain.len().wrapping_sub(1)] {
            let lengths = [be(packed.len()), be(wrong)].concat();
            let file = [b"REDIS0004\x00\x01k\xc3", &lengths[..], &packed, b"\xff"].concat();
            prop_assert!(Rdb::decode(&file).is_err());
        }
    }

    #[test]
    fn no_snapshot_panics(rdb in rdb(), edits in vec((any::<usize>(), any::<u8>()), 1..8)) {
        // Without a checksum damage reaches the parser.
        let mut file = Rdb { version: 4, ..rdb }.encode();
        for (at, byte) in edits {
            let at = at % file.len();
            file[at] = byte;
        }
        if let Err(error) = Rdb::decode(&file) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_bytes_panic_the_snapshot_reader(content in vec(any::<u8>(), 0..60)) {
        let _ = Rdb::decode(&content);
        let _ = Rdb::decode(&[b"REDIS0009", &content[..]].concat());
    }
}
