//! What servers hold, and what it takes for them to be equal.
//!
//! One server, a real one, is asked for the names of its keys with SCAN. All are asked for each
//! of these keys and for the number of keys, so nothing can be missing and nothing too much.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use psync::wire::Value;

use crate::client::Client;
use crate::load::SOON_MS;
use crate::server::Server;
use crate::until;

/// The databases that the load writes to. The name of the last takes two digits.
pub const DATABASES: [u32; 4] = [0, 1, 3, 11];

type Names = Vec<(u32, Bytes)>;

/// What one server holds under some names.
#[derive(PartialEq, Eq)]
struct Held {
    /// (database, key) to its value, and whether it expires.
    values: BTreeMap<(u32, Bytes), (Bytes, bool)>,
    /// Keys in each database.
    sizes: Vec<i64>,
}

/// Waits until a master, the first, and its replicas have the same history and data.
#[track_caller]
pub fn agree(servers: &mut [&mut Server]) {
    let last = RefCell::new(String::new());
    until(
        "all are equal",
        || last.borrow().clone(),
        || {
            let difference = difference(servers);
            let equal = difference.is_none();
            last.replace(difference.unwrap_or_default());
            equal.then_some(())
        },
    );
}

/// As `agree`, and nothing moves any more afterwards: every key of the load that expires soon has
/// done so. A master that expires one more key while another is promoted is ahead of it, and then
/// cannot continue; so it would be in production.
#[track_caller]
pub fn come_to_rest(servers: &mut [&mut Server]) {
    let master = &mut servers[0];
    let latest = SOON_MS + 1;
    master.client.ok(&format!("SET the-last-to-expire soon PX {latest}"));
    master.until("keys have expired", |master| {
        (master.client.say("EXISTS the-last-to-expire") == "0").then_some(())
    });
    // A real server deletes those that it did not happen upon when it is asked for all keys.
    agree(servers);
    agree(servers);
}

/// What keeps servers from being equal, the first of which is the master.
///
/// Keys may expire while this looks, so only a difference that stays means something.
pub fn difference(servers: &mut [&mut Server]) -> Option<String> {
    let fields = ["master_repl_offset", "master_replid"];
    let state = |server: &mut Server| fields.map(|field| server.client.info(field));
    let (master, replicas) = servers.split_first_mut()?;
    let wanted = state(master);
    for server in replicas {
        let has = state(server);
        let up = server.client.info("master_link_status");
        if up != "up" || has != wanted {
            return Some(format!("{}: {up}, {has:?} instead of {wanted:?}", server.name()));
        }
    }
    difference_of_data(servers)
}

/// Where the servers' keys differ from those of a real one among them.
fn difference_of_data(servers: &mut [&mut Server]) -> Option<String> {
    let reference = servers.iter().position(|server| !server.is_ours()).expect("a real one");
    servers[..=reference].rotate_right(1);
    let found = difference_from_first(servers);
    servers[..=reference].rotate_left(1);
    found
}

fn difference_from_first(servers: &mut [&mut Server]) -> Option<String> {
    let (reference, others) = servers.split_first_mut()?;
    let read = names(&mut reference.client).and_then(|names| {
        let held = held(&mut reference.client, &names)?;
        Ok((names, held))
    });
    let (names, held) = match read {
        Ok(read) => read,
        Err(error) => return Some(format!("{}: {error}", reference.name())),
    };
    others.iter_mut().find_map(|other| match self::held(&mut other.client, &names) {
        Ok(theirs) => {
            let what = held.difference(&theirs)?;
            Some(format!("{} and {}: {what}", reference.name(), other.name()))
        }
        Err(error) => Some(format!("{}: {error}", other.name())),
    })
}

impl Held {
    fn difference(&self, other: &Held) -> Option<String> {
        if self.sizes != other.sizes {
            return Some(format!("{:?} keys and {:?}", self.sizes, other.sizes));
        }
        let differs =
            self.values.iter().find(|(name, value)| other.values.get(*name) != Some(value));
        let ((db, key), (value, expires)) = differs?;
        let theirs = other
            .values
            .get(&(*db, key.clone()))
            .map(|(value, expires)| format!("{} bytes, expires: {expires}", value.len()));
        Some(format!("{db}:{key:?} has {} bytes, expires: {expires}; {theirs:?}", value.len()))
    }
}

fn command(words: &[&[u8]]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word)).collect()
}

fn select(db: u32) -> Vec<Bytes> {
    command(&[b"SELECT", db.to_string().as_bytes()])
}

fn names(client: &mut Client) -> io::Result<Names> {
    let mut names = Names::new();
    for db in DATABASES {
        client.try_call(&select(db))?;
        let mut cursor = Bytes::from_static(b"0");
        loop {
            let scan: [&[u8]; 4] = [b"SCAN", &cursor, b"COUNT", b"1000"];
            let Value::Array(page) = client.try_call(&scan)? else { panic!("SCAN") };
            let [Value::Bulk(next), Value::Array(found)] = &page[..] else { panic!("{page:?}") };
            for key in found {
                let Value::Bulk(key) = key else { panic!("{key:?}") };
                names.push((db, key.clone()));
            }
            cursor = next.clone();
            if cursor == "0" {
                break;
            }
        }
    }
    client.try_call(&select(0))?;
    Ok(names)
}

fn held(client: &mut Client, names: &Names) -> io::Result<Held> {
    let mut commands = Vec::new();
    for (db, key) in names {
        commands.extend([select(*db), command(&[b"GET", key]), command(&[b"PTTL", key])]);
    }
    for db in DATABASES {
        commands.extend([select(db), command(&[b"DBSIZE"])]);
    }
    commands.push(select(0));
    let replies = client.try_call_all(&commands)?;
    let (of_names, of_sizes) = replies.split_at(3 * names.len());
    let mut values = BTreeMap::new();
    for (name, replies) in names.iter().zip(of_names.chunks_exact(3)) {
        // It may have expired meanwhile; then it is not there.
        if let [_, Value::Bulk(value), Value::Integer(left)] = replies {
            values.insert(name.clone(), (value.clone(), *left >= 0));
        }
    }
    let size = |reply: &Value| match reply {
        Value::Integer(size) => *size,
        other => panic!("DBSIZE: {other:?}"),
    };
    let sizes = of_sizes[..2 * DATABASES.len()].chunks_exact(2).map(|pair| size(&pair[1]));
    Ok(Held { values, sizes: sizes.collect() })
}
