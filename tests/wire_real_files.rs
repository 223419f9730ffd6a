//! RDB files that real servers wrote, byte for byte: compressed, integer-encoded and expiring keys.
//!
//! How they were made: the keys named below, `SAVE` on redis-server 7.0.15 (Debian) and on
//! valkey-server 9.1.2 with default settings, then `xxd -p dump.rdb`.

use psync::wire::{Rdb, RdbEntry, RdbError};

const REDIS_7_0_15: &str = "\
    524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa0563\
    74696d65c295e0036bfa08757365642d6d656dc230800f00fa08616f662d62617365c000fe00fb0b0100056c\
    61726765c215cd5b0700036269670b313233343536373839303100057a65726f73c30f4258013030e0ff00e0\
    ff00e03b0001303000066d656469756dc13075000171c30940c8017171e0bb0001717100086772656574696e\
    670b68656c6c6f20776f726c6400036e6567c17fff0005736d616c6cc00700046c6f6e67c322432014746865\
    20717569636b2062726f776e20666f782074e0ff13e1ff17e2f01b0178200005656d70747900fcff1f4aa9d1\
    0100000006666164696e6704736f6f6efe03fb020100056f74686572086462207468726565fc00d8c32cbb03\
    000000056c617465720178ff78e030bf198252be";

const VALKEY_9_1_2: &str = "\
    56414c4b4559303830fa0a76616c6b65792d76657205392e312e32fa0a72656469732d62697473c040fa0563\
    74696d65c219e1036bfa08757365642d6d656dc2f8a91000fa08616f662d62617365c000fe00fb0300000867\
    72656574696e670568656c6c6f00016ec0fb00057a65726f73c3094064013030e05700013030fe02fb0101fc\
    ff1f4aa9d101000000016b0176ff4624a72179d34aa5";

fn file(hex: &str) -> Vec<u8> {
    let nibbles: Vec<u8> =
        hex.bytes().filter_map(|b| char::from(b).to_digit(16)).map(|n| n as u8).collect();
    nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The keys as `db key value expiry`, sorted.
fn keys(rdb: &Rdb) -> Vec<(u32, String, String, Option<u64>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the keys above are text");
    let row = |e: &RdbEntry| (e.db, text(&e.key), text(&e.value), e.expires_at_ms);
    let mut keys: Vec<_> = rdb.entries.iter().map(row).collect();
    keys.sort();
    keys
}

#[test]
fn redis_7_0_15() {
    let rdb = Rdb::decode(&file(REDIS_7_0_15)).unwrap();
    assert_eq!(rdb.version, 10);
    assert_eq!(rdb.aux("redis-ver").unwrap(), "7.0.15");
    assert_eq!(rdb.aux("redis-bits").unwrap(), "64");
    let key = |db, key: &str, value: &str, expiry| (db, key.to_owned(), value.to_owned(), expiry);
    let want = [
        key(0, "big", "12345678901", None),
        key(0, "empty", "", None),
        key(0, "fading", "soon", Some(1_999_999_999_999)),
        key(0, "greeting", "hello world", None),
        key(0, "large", "123456789", None),
        key(0, "long", &"the quick brown fox ".repeat(40), None),
        key(0, "medium", "30000", None),
        key(0, "neg", "-129", None),
        key(0, "q", &"q".repeat(200), None),
        key(0, "small", "7", None),
        key(0, "zeros", &"0".repeat(600), None),
        key(3, "later", "x", Some(4_102_444_800_000)),
        key(3, "other", "db three", None),
    ];
    assert_eq!(keys(&rdb), want);
}

#[test]
fn valkey_9_1_2() {
    let rdb = Rdb::decode(&file(VALKEY_9_1_2)).unwrap();
    assert_eq!(rdb.version, 80);
    assert_eq!(rdb.aux("valkey-ver").unwrap(), "9.1.2");
    let key = |db, key: &str, value: &str, expiry| (db, key.to_owned(), value.to_owned(), expiry);
    let want = [
        key(0, "greeting", "hello", None),
        key(0, "n", "-5", None),
        key(0, "zeros", &"0".repeat(100), None),
        key(2, "k", "v", Some(1_999_999_999_999)),
    ];
    assert_eq!(keys(&rdb), want);
}

#[test]
fn every_cut_and_every_flipped_bit_is_noticed() {
    for hex in [REDIS_7_0_15, VALKEY_9_1_2] {
        let whole = file(hex);
        for cut in 0..whole.len() {
            let error = Rdb::decode(&whole[..cut]);
            assert!(matches!(error, Err(RdbError::Truncated { .. })), "{cut}: {error:?}");
        }
        for bit in 0..whole.len() * 8 {
            let mut file = whole.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(Rdb::decode(&file).is_err(), "bit {bit}");
        }
    }
}
