//! Worlds made by hand for the tests of the drawing: the moment of the picture in the design
//! (replica 1 in sync, replica 2 loading or overtaken, replica 3 cut but covered), and crowds.

use crate::world::{
    BacklogSnapshot, Counters, LinkSnapshot, LinkState, Role, ServerSnapshot, Snapshot, Transfer,
};

/// The master's offset in the picture.
pub const HEAD: u64 = 1_284_560;
/// `repl-backlog-size` in the picture.
pub const SIZE: u64 = 16_384;

/// A healthy link of a replica that has everything.
#[must_use]
pub fn link() -> LinkSnapshot {
    LinkSnapshot {
        state: LinkState::Up,
        master: "master".to_owned(),
        behind_bytes: 0,
        covered_us: None,
        room_bytes: Some(i64::try_from(SIZE).unwrap_or(0)),
        next_byte: i64::try_from(HEAD + 1).unwrap_or(0),
        asks_replid: Some(replid()),
        same_history: true,
        cut_to_replica: false,
        cut_to_master: false,
        down_since_us: None,
        latency_us: 2000,
        bandwidth_bytes_per_second: Some(24_000_000),
        loss: None,
        transfer: None,
        output_bytes: Some(0),
        output_limit_bytes: Some(256 << 20),
        reads_block: None,
    }
}

/// A link cut 1.9 s ago whose replica lacks `behind` bytes.
#[must_use]
pub fn cut(behind: u64) -> LinkSnapshot {
    let room = i64::try_from(SIZE).unwrap_or(0) - i64::try_from(behind).unwrap_or(0);
    LinkSnapshot {
        state: LinkState::Cut,
        behind_bytes: behind,
        covered_us: u64::try_from(room.max(0)).ok().map(|room| room * 1_000_000 / 3072),
        room_bytes: Some(room),
        next_byte: i64::try_from(HEAD - behind + 1).unwrap_or(0),
        cut_to_replica: true,
        cut_to_master: true,
        down_since_us: Some(10_580_000),
        ..link()
    }
}

/// A link over which 34 % of a snapshot have come.
#[must_use]
pub fn loading() -> LinkSnapshot {
    LinkSnapshot {
        state: LinkState::Transfer,
        transfer: Some(Transfer { received: 16_400_000, total: Some(48_200_000) }),
        room_bytes: None,
        covered_us: None,
        ..link()
    }
}

/// The replica of this number.
#[must_use]
pub fn replica(number: usize, link: LinkSnapshot) -> ServerSnapshot {
    ServerSnapshot {
        name: format!("replica-{number}"),
        role: Role::Replica,
        run_id: format!("{number:040x}"),
        replid: replid(),
        replid2: "0".repeat(40),
        second_replid_offset: -1,
        master_repl_offset: HEAD - link.behind_bytes,
        backlog: None,
        counters: Counters::default(),
        keys: 100,
        dataset_digest: String::new(),
        frozen: false,
        killed: false,
        backlog_ttl_left_us: None,
        connected_replicas: 0,
        link: Some(link),
    }
}

/// A world with these links, replica 1 first, and a full backlog.
#[must_use]
pub fn world(links: Vec<LinkSnapshot>) -> Snapshot {
    let mut master = replica(0, link());
    master.name = "master".to_owned();
    master.role = Role::Master;
    master.link = None;
    master.connected_replicas = links.len() as u64;
    master.backlog = Some(BacklogSnapshot {
        first_byte_offset: i64::try_from(HEAD - SIZE + 1).unwrap_or(0),
        histlen: SIZE,
        size: SIZE,
        index: None,
        blocks: None,
        lists: None,
        memory: Vec::new(),
    });
    let mut servers = vec![master];
    servers.extend(links.into_iter().enumerate().map(|(i, link)| replica(i + 1, link)));
    Snapshot { now_us: 12_480_000, servers, packets: Vec::new(), write_bytes_per_second: 3072 }
}

/// The moment of the picture, but with replica 2 still away.
#[must_use]
pub fn picture() -> Snapshot {
    world(vec![link(), cut(SIZE + 3316), cut(6553)])
}

fn replid() -> String {
    format!("8f3a19{}c2", "a".repeat(32))
}
