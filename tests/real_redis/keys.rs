//! All keys of a server with values and expiries, and what it takes for two servers to be equal.

use std::collections::BTreeMap;

use bytes::Bytes;
use psync::wire::Value;

use crate::client::Client;
use crate::ours::Ours;
use crate::redis::Redis;
use crate::until;

/// (database, key) to (value, expiry in Unix milliseconds).
pub type Keys = BTreeMap<(u32, Bytes), (Bytes, Option<u64>)>;

const DATABASES: u32 = 16;

/// The keys of our server.
pub fn ours(server: &Ours) -> Keys {
    let entries = server.see(|server| server.data().to_entries());
    entries.into_iter().map(|e| ((e.db, e.key), (e.value, e.expires_at_ms))).collect()
}

/// The keys of a real server, asked for with SCAN, GET and PEXPIRETIME.
pub fn of_redis(client: &mut Client) -> Keys {
    let mut keys = Keys::new();
    for db in 0..DATABASES {
        client.ok(&format!("SELECT {db}"));
        let mut cursor = Bytes::from_static(b"0");
        loop {
            let scan: [&[u8]; 4] = [b"SCAN", &cursor, b"COUNT", b"1000"];
            let Value::Array(page) = client.call(&scan) else { panic!("SCAN") };
            let [Value::Bulk(next), Value::Array(found)] = &page[..] else { panic!("{page:?}") };
            for key in found {
                let Value::Bulk(key) = key else { panic!("{key:?}") };
                // It may expire between the two; then it is not there.
                if let Value::Bulk(value) = client.call(&[&b"GET"[..], key]) {
                    let expiry = match client.call(&[&b"PEXPIRETIME"[..], key]) {
                        Value::Integer(at) => u64::try_from(at).ok(),
                        other => panic!("{other:?}"),
                    };
                    keys.insert((db, key.clone()), (value, expiry));
                }
            }
            cursor = next.clone();
            if cursor == "0" {
                break;
            }
        }
    }
    client.ok("SELECT 0");
    keys
}

/// Compares all keys. Values must be equal; `master`'s expiries are what `replica` must have, and
/// where they were given as a time from now they may come to be up to `late_ms` later.
#[track_caller]
pub fn assert_equal(master: &Keys, replica: &Keys, late_ms: u64) {
    let names = |keys: &Keys| keys.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(master), names(replica), "the keys themselves");
    for (key, (value, expiry)) in master {
        let (copy, copied_expiry) = &replica[key];
        assert_eq!(value, copy, "the value of {key:?}");
        match (expiry, copied_expiry) {
            (Some(at), Some(copied)) => {
                let late = copied.checked_sub(*at);
                let fits = late.is_some_and(|late| late <= late_ms);
                assert!(fits, "{key:?} expires at {at} on the master, at {copied} on the replica");
            }
            (None, None) => {}
            differ => panic!("expiry of {key:?}: {differ:?}"),
        }
    }
}

/// Waits until a real replica of ours has everything, and holds it against us: keys, offset, id.
#[track_caller]
pub fn assert_replica_equals_us(us: &Ours, replica: &mut Redis, late_ms: u64) {
    wait_until_replica_has_all(us, replica);
    assert_equal(&ours(us), &of_redis(&mut replica.client), late_ms);
    let (id, id2) = us.see(|server| (server.history().replid, server.history().replid2()));
    assert_eq!(replica.client.info("master_replid"), id.to_string());
    assert_eq!(replica.client.info("master_replid2"), id2.to_string());
}

/// Waits until a real replica's link is up and its offset is ours.
#[track_caller]
pub fn wait_until_replica_has_all(us: &Ours, replica: &mut Redis) {
    let log = replica.log.clone();
    until(
        "the replica has everything",
        || log.evidence(),
        || {
            let up = replica.client.info("master_link_status") == "up";
            let there = replica.client.info("master_repl_offset") == us.end().to_string();
            (up && there).then_some(())
        },
    );
}

/// Waits until our server has everything of its real master, and compares keys, offset and id.
#[track_caller]
pub fn assert_we_equal_master(us: &Ours, master: &mut Redis, late_ms: u64) {
    let log = master.log.clone();
    let evidence = || format!("{}\nour log:\n{}", log.evidence(), us.log());
    until("we have everything", evidence, || {
        let up = us.see(|server| server.link_phase() == Some(psync::server::Phase::Connected));
        let there = master.client.info("master_repl_offset") == us.end().to_string();
        (up && there).then_some(())
    });
    assert_equal(&of_redis(&mut master.client), &ours(us), late_ms);
    let id = us.see(|server| server.history().replid);
    assert_eq!(master.client.info("master_replid"), id.to_string());
}
