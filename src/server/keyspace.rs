//! The data: sixteen databases of strings with optional expiry.
//!
//! Invariant: `digest` and `payload_bytes` always describe the present content, so that looking at
//! a hundred replicas every frame costs nothing. Only when somebody asks are the values hashed that
//! were written since the last time: of 100 MB a second most are written over before that.
//!
//! Absent on purpose: who may delete an expired key. A master does, a replica waits for its
//! master's `DEL`; here an expired key is merely invisible.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::stream::backlog::same_bytes;
use crate::wire::{CRC64, RdbEntry};

/// How many databases there are (`databases 16`).
pub const DATABASES: u32 = 16;

/// A string with its expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The string.
    pub value: Bytes,
    /// Unix time in milliseconds.
    pub expires_at_ms: Option<u64>,
}

/// All databases of one server.
#[derive(Clone, Debug, Default)]
pub struct Keyspace {
    /// Each with its part of the digest: its fingerprint, and 0 until that is taken.
    entries: BTreeMap<(u32, Bytes), (Entry, Cell<u64>)>,
    expiries: BTreeSet<(u64, u32, Bytes)>,
    /// The sum of the fingerprints.
    digest: Cell<u64>,
    /// Where fingerprints are to be taken.
    unhashed: RefCell<Vec<(u32, Bytes)>>,
    payload_bytes: u64,
}

impl Keyspace {
    /// Rebuilds a keyspace from the content of a snapshot.
    #[must_use]
    pub fn from_entries(entries: Vec<RdbEntry>) -> Keyspace {
        let mut keyspace = Keyspace::default();
        for RdbEntry { db, key, value, expires_at_ms } in entries {
            keyspace.set(db, key, Entry { value, expires_at_ms });
        }
        keyspace
    }

    /// The content for a snapshot, in order.
    #[must_use]
    pub fn to_entries(&self) -> Vec<RdbEntry> {
        let entries = self.entries.iter().map(|((db, key), (entry, _))| RdbEntry {
            db: *db,
            key: key.clone(),
            value: entry.value.clone(),
            expires_at_ms: entry.expires_at_ms,
        });
        entries.collect()
    }

    /// The entry under a key, unless its time is over.
    #[must_use]
    pub fn live(&self, db: u32, key: &Bytes, now_ms: u64) -> Option<&Entry> {
        let (entry, _) = self.entries.get(&(db, key.clone()))?;
        Some(entry).filter(|entry| !entry.is_expired(now_ms))
    }

    /// The keys of one database whose time is not over, in order.
    pub fn live_keys(&self, db: u32, now_ms: u64) -> impl Iterator<Item = &Bytes> {
        let of_db = self.entries.range((db, Bytes::new())..(db + 1, Bytes::new()));
        of_db.filter(move |(_, (entry, _))| !entry.is_expired(now_ms)).map(|((_, key), _)| key)
    }

    /// Whether a key is still held although its time is over.
    #[must_use]
    pub fn holds_expired(&self, db: u32, key: &Bytes, now_ms: u64) -> bool {
        self.entries.get(&(db, key.clone())).is_some_and(|(entry, _)| entry.is_expired(now_ms))
    }

    /// The key whose time is over first, if that is the case at `now_ms`.
    #[must_use]
    pub fn first_expired(&self, now_ms: u64) -> Option<(u32, Bytes)> {
        let (at, db, key) = self.expiries.first()?;
        (*at <= now_ms).then(|| (*db, key.clone()))
    }

    /// When the next key's time is over, in Unix milliseconds.
    #[must_use]
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.expiries.first().map(|(at, _, _)| *at)
    }

    /// Stores an entry; returns what stood there.
    pub fn set(&mut self, db: u32, key: Bytes, entry: Entry) -> Option<Entry> {
        self.payload_bytes += size(&key, &entry);
        if let Some(at) = entry.expires_at_ms {
            self.expiries.insert((at, db, key.clone()));
        }
        let id = (db, key);
        let expires_at_ms = entry.expires_at_ms;
        let old = self.entries.insert(id.clone(), (entry, Cell::new(0)));
        if old.as_ref().is_none_or(|(_, print)| print.get() != 0) {
            self.unhashed.get_mut().push(id.clone());
        }
        if let Some((old, print)) = &old {
            self.discount(&id.1, old, print.get());
            if let Some(at) = old.expires_at_ms.filter(|at| Some(*at) != expires_at_ms) {
                self.expiries.remove(&(at, id.0, id.1));
            }
        }
        // Keys that come and go are there many times.
        if self.unhashed.get_mut().len() > 2 * self.entries.len() {
            let _hashed = self.digest();
        }
        self.check();
        old.map(|(entry, _)| entry)
    }

    /// Deletes a key; returns what stood there.
    pub fn remove(&mut self, db: u32, key: &Bytes) -> Option<Entry> {
        let (old, print) = self.entries.remove(&(db, key.clone()))?;
        self.discount(key, &old, print.get());
        if let Some(at) = old.expires_at_ms {
            self.expiries.remove(&(at, db, key.clone()));
        }
        self.check();
        Some(old)
    }

    /// Empties one database, or all.
    pub fn clear(&mut self, db: Option<u32>) {
        match db {
            None => *self = Keyspace::default(),
            Some(db) => {
                let range = (db, Bytes::new())..(db + 1, Bytes::new());
                let keys: Vec<Bytes> =
                    self.entries.range(range).map(|((_, key), _)| key.clone()).collect();
                for key in keys {
                    self.remove(db, &key);
                }
            }
        }
    }

    /// Takes the values that another one holds too from there, so that they are in memory once.
    pub fn share(&mut self, other: &Keyspace) {
        for (id, (entry, _)) in &mut self.entries {
            if let Some((other, _)) = other.entries.get(id)
                && entry.value.as_ptr() != other.value.as_ptr()
                && same_bytes(&entry.value, &other.value)
            {
                entry.value = other.value.clone();
            }
        }
    }

    /// How many keys all databases hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// (keys, keys with expiry) of one database.
    #[must_use]
    pub fn size_of(&self, db: u32) -> (usize, usize) {
        let range = (db, Bytes::new())..(db + 1, Bytes::new());
        let of_db = self.entries.range(range);
        of_db.fold((0, 0), |(keys, expiring), (_, (entry, _))| {
            (keys + 1, expiring + usize::from(entry.expires_at_ms.is_some()))
        })
    }

    /// A number that is equal on two servers exactly when their data is (up to hash collisions).
    ///
    /// As with Redis' `DEBUG DIGEST`, of an expiry only its presence counts: relative times reach
    /// replicas a little later.
    #[must_use]
    pub fn digest(&self) -> u64 {
        for id in self.unhashed.take() {
            if let Some((entry, print)) = self.entries.get(&id)
                && print.get() == 0
            {
                let hash = fingerprint(id.0, &id.1, entry);
                print.set(hash);
                self.digest.set(self.digest.get().wrapping_add(hash));
            }
        }
        self.digest.get()
    }

    /// About how many bytes a snapshot of this data takes, without encoding it.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    fn discount(&mut self, key: &Bytes, entry: &Entry, print: u64) {
        *self.digest.get_mut() = self.digest.get().wrapping_sub(print);
        self.payload_bytes -= size(key, entry);
    }

    fn check(&self) {
        debug_assert!(self.expiries.len() <= self.entries.len());
        debug_assert!(
            !self.entries.is_empty() || (self.digest.get() == 0 && self.payload_bytes == 0)
        );
    }
}

impl Entry {
    fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|at| at <= now_ms)
    }
}

/// A CRC alone is linear, so swapped values would cancel out in a sum; the multiplications after
/// it (the finalizer of SplitMix64) take that away.
fn fingerprint(db: u32, key: &Bytes, entry: &Entry) -> u64 {
    let mut crc = CRC64.digest();
    crc.update(&db.to_le_bytes());
    crc.update(&(key.len() as u64).to_le_bytes());
    crc.update(key);
    crc.update(&[u8::from(entry.expires_at_ms.is_some())]);
    if entry.value.len() > LONG {
        crc.update(&(entry.value.len() as u64).to_le_bytes());
        let (lanes, rest) = condensed(&entry.value);
        lanes.iter().for_each(|lane| crc.update(&lane.to_le_bytes()));
        crc.update(rest);
    } else {
        crc.update(&entry.value);
    }
    let mut hash = crc.finalize();
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// A longer value is condensed before it is hashed: a hundred replicas of a flood hash gigabytes.
const LONG: usize = 4096;

/// Four words that depend on every word of a value (FNV-1a over words, each fourth in a lane of its
/// own, so that they do not wait for each other), and the bytes behind its last whole 32.
fn condensed(value: &[u8]) -> ([u64; 4], &[u8]) {
    let mut lanes = [0xcbf2_9ce4_8422_2325_u64; 4];
    let (rows, rest) = value.as_chunks::<32>();
    for row in rows {
        for (lane, word) in lanes.iter_mut().zip(row.as_chunks::<8>().0) {
            let mixed = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(0x0000_0100_0000_01b3);
            *lane = mixed ^ (mixed >> 29);
        }
    }
    (lanes, rest)
}

fn size(key: &Bytes, entry: &Entry) -> u64 {
    let expiry = if entry.expires_at_ms.is_some() { 9 } else { 0 };
    1 + expiry + length_bytes(key.len()) + length_bytes(entry.value.len())
}

/// A string with its RDB length prefix: 1, 2 or 5 bytes before it.
fn length_bytes(len: usize) -> u64 {
    let prefix = match len {
        0..64 => 1,
        64..16384 => 2,
        _ => 5,
    };
    prefix + len as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{below, seeded};

    fn entry(value: &'static str) -> Entry {
        Entry { value: Bytes::from_static(value.as_bytes()), expires_at_ms: None }
    }

    fn key(name: &'static str) -> Bytes {
        Bytes::from_static(name.as_bytes())
    }

    #[test]
    fn the_digest_follows_the_content_and_not_the_way_to_it() {
        let mut one = Keyspace::default();
        one.set(0, key("a"), entry("1"));
        one.set(0, key("b"), entry("2"));
        let mut two = Keyspace::default();
        two.set(0, key("b"), entry("x"));
        two.set(0, key("a"), entry("1"));
        assert_ne!(one.digest(), two.digest());
        two.set(0, key("b"), entry("2"));
        assert_eq!(one.digest(), two.digest());
        assert_eq!(one.payload_bytes(), two.payload_bytes());
    }

    #[test]
    fn every_byte_of_a_long_value_counts_and_so_does_its_length() {
        let print = |value: Vec<u8>| {
            let entry = Entry { value: Bytes::from(value), expires_at_ms: None };
            fingerprint(0, &key("k"), &entry)
        };
        let value = vec![b'v'; LONG + 75];
        let mut seen = BTreeSet::from([print(value.clone())]);
        for at in 0..value.len() {
            let mut other = value.clone();
            other[at] ^= 1;
            assert!(seen.insert(print(other)), "byte {at}");
        }
        for len in LONG..LONG + 75 {
            assert!(seen.insert(print(vec![b'v'; len])), "{len} bytes");
        }
    }

    #[test]
    fn swapped_values_and_other_databases_are_other_content() {
        let digest = |pairs: &[(u32, &'static str, &'static str)]| {
            let mut keyspace = Keyspace::default();
            for (db, name, value) in pairs {
                keyspace.set(*db, key(name), entry(value));
            }
            keyspace.digest()
        };
        assert_ne!(
            digest(&[(0, "a", "1"), (0, "b", "2")]),
            digest(&[(0, "a", "2"), (0, "b", "1")])
        );
        assert_ne!(digest(&[(0, "a", "1")]), digest(&[(1, "a", "1")]));
    }

    #[test]
    fn an_expired_key_is_invisible_but_held_until_it_is_deleted() {
        let mut keyspace = Keyspace::default();
        let dying = Entry { expires_at_ms: Some(100), ..entry("v") };
        keyspace.set(0, key("k"), dying);
        assert!(keyspace.live(0, &key("k"), 99).is_some());
        assert!(keyspace.live(0, &key("k"), 100).is_none());
        assert!(keyspace.holds_expired(0, &key("k"), 100));
        assert_eq!(keyspace.first_expired(100), Some((0, key("k"))));
        keyspace.remove(0, &key("k"));
        assert_eq!(keyspace.next_expiry_ms(), None);
    }

    #[test]
    fn it_is_the_same_whenever_it_is_hashed() {
        let mut rng = seeded(1);
        let mut keyspace = Keyspace::default();
        for turn in 0..3000 {
            let key = Bytes::from(below(&mut rng, 20).to_string());
            let expires_at_ms = Some(turn).filter(|turn| turn % 3 == 0);
            let value = Bytes::from(below(&mut rng, 3).to_string());
            match below(&mut rng, 10) {
                0..6 => drop(keyspace.set(0, key, Entry { value, expires_at_ms })),
                6..9 => drop(keyspace.remove(0, &key)),
                _ => {
                    let anew = Keyspace::from_entries(keyspace.to_entries());
                    assert_eq!(keyspace.digest(), anew.digest(), "turn {turn}");
                }
            }
            assert!(keyspace.unhashed.borrow().len() <= 2 * 20, "turn {turn}");
        }
    }

    #[test]
    fn equal_values_of_two_keyspaces_are_in_memory_once() {
        let filled = |values: [&str; 3]| {
            let mut keyspace = Keyspace::default();
            for (name, value) in ["a", "b", "c"].into_iter().zip(values) {
                let value = Bytes::copy_from_slice(value.as_bytes());
                keyspace.set(0, key(name), Entry { value, expires_at_ms: None });
            }
            keyspace
        };
        let (one, mut two) = (filled(["1", "2", "3"]), filled(["1", "x", "3"]));
        let digest = two.digest();
        two.share(&one);
        let at = |keyspace: &Keyspace, name| {
            keyspace.live(0, &key(name), 0).map(|entry| entry.value.as_ptr())
        };
        let same = |name| at(&one, name) == at(&two, name);
        assert_eq!(["a", "b", "c"].map(same), [true, false, true]);
        assert_eq!((two.digest(), filled(["1", "x", "3"]).digest()), (digest, digest));
    }

    #[test]
    fn a_database_is_emptied_alone() {
        let mut keyspace = Keyspace::default();
        keyspace.set(0, key("a"), entry("1"));
        keyspace.set(1, key("a"), entry("1"));
        keyspace.clear(Some(0));
        assert_eq!((keyspace.size_of(0).0, keyspace.size_of(1).0), (0, 1));
        keyspace.clear(None);
        assert_eq!(keyspace.digest(), 0);
    }
}
