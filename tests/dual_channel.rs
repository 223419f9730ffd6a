//! Dual channel replication in the world: both connections of a replica run on its one link.

use psync::cluster::scenario::{Network, Wire, Workload};
use psync::cluster::trace::What;
use psync::cluster::{Action, Direction, Scenario, World};
use psync::server::engine::VALKEY_9;
use psync::server::{Phase, Server};
use psync::table::Table;
use psync::time::SECOND_US;

/// A master with one replica; a snapshot takes `transfer` bytes a second to arrive.
fn world(settings: &[(&str, &str)], bandwidth: u64, value_bytes: u64) -> World {
    let mut config = Table::from([
        ("dual-channel-replication-enabled".to_owned(), "yes".to_owned()),
        ("repl-diskless-sync-delay".to_owned(), "0".to_owned()),
    ]);
    for (name, value) in settings {
        config.insert((*name).to_owned(), (*value).to_owned());
    }
    World::new(&Scenario {
        engine: &VALKEY_9,
        seed: 7,
        replicas: 1,
        config,
        workload: Workload { writes_per_second: 20, value_bytes, keys: 50, curve: Vec::new() },
        network: Network {
            default: Wire { latency_us: 1000, bandwidth_bytes_per_second: Some(bandwidth) },
            links: Table::default(),
        },
        ..Scenario::default()
    })
}

fn pass(world: &mut World, us: u64) {
    let until = world.now().after_us(us);
    world.run_until(until);
}

fn act(world: &mut World, action: Action) {
    world.act(&action).expect("it can be done");
}

fn cut(world: &mut World) {
    act(world, Action::Cut { replica: "replica-1".to_owned(), direction: Direction::Both });
}

fn heal(world: &mut World) {
    act(world, Action::Heal { replica: "replica-1".to_owned(), direction: Direction::Both });
}

fn server<'a>(world: &'a World, name: &str) -> &'a Server {
    let mut servers = world.servers();
    servers.find(|(other, _)| *other == name).expect("it exists").1
}

fn logs(world: &mut World, of: usize) -> Vec<String> {
    let entries = world.take_entries();
    let lines = entries.into_iter().filter_map(|entry| match entry.what {
        What::Log { server, line } if server == of => Some(line),
        _ => None,
    });
    lines.collect()
}

/// Runs until replica and master hold the same at the same offset.
fn settle(world: &mut World) {
    // It is refused when nobody writes any more, which is as good.
    let _ =
        world.act(&Action::Workload { writes_per_second: Some(0), value_bytes: None, curve: None });
    for _ in 0..300 {
        pass(world, SECOND_US / 10);
        let (master, replica) = (server(world, "master"), server(world, "replica-1"));
        let equal = replica.history().end == master.history().end
            && replica.history().replid == master.history().replid
            && replica.data().digest() == master.data().digest();
        if equal && replica.link_phase() == Some(Phase::Connected) {
            return;
        }
    }
    unreachable!("thirty calm seconds were not enough");
}

#[test]
fn a_first_attach_is_one_full_and_one_partial_and_then_keeps_up() {
    let mut world = world(&[], 10_000_000, 100);
    pass(&mut world, 10 * SECOND_US);
    settle(&mut world);
    let counters = server(&world, "master").counters();
    assert_eq!(
        (counters.sync_full, counters.sync_partial_ok, counters.sync_partial_err),
        (1, 1, 0)
    );
    assert_eq!(server(&world, "master").connected_replicas(), 1, "its second connection is gone");
    let said = logs(&mut world, 1);
    let ours =
        said.iter().filter(|line| line.starts_with("Dual channel") || line.ends_with("success"));
    let id = server(&world, "master").history().replid;
    assert_eq!(
        ours.cloned().collect::<Vec<_>>(),
        [
            "Dual channel replication: PSYNC is not possible, initialize RDB channel.".to_owned(),
            format!(
                "Dual channel replication: Trying a partial resynchronization using main channel \
                 (request {id}:1)."
            ),
            "Dual channel replication: PRIMARY <-> REPLICA sync: Primary accepted a Partial \
             Resynchronization."
                .to_owned(),
            "Dual channel replication: Psync established after rdb load".to_owned(),
            "Dual channel replication: Successfully streamed replication data into memory"
                .to_owned(),
            "PRIMARY <-> REPLICA sync: Finished with success".to_owned(),
        ]
    );
}

#[test]
fn what_is_written_during_the_transfer_waits_with_the_replica() {
    // 2,000 writes of 3 KB are 50 keys, so 150 KB; at 50 KB a second that takes three seconds.
    let mut world = world(&[], 50_000, 1000);
    act(
        &mut world,
        Action::Workload { writes_per_second: Some(1), value_bytes: Some(10), curve: None },
    );
    cut(&mut world);
    act(&mut world, Action::Burst { writes: 2000, value_bytes: 3000 });
    heal(&mut world);
    let (mut most, mut states): (u64, Vec<&str>) = (0, Vec::new());
    for _ in 0..800 {
        pass(&mut world, SECOND_US / 100);
        let link = server(&world, "replica-1").link().expect("a replica");
        most = most.max(link.buffered);
        let argv = ["INFO", "replication"].map(str::to_owned).into();
        let info = world.act(&Action::Write { server: "master".to_owned(), argv });
        let info = format!("{:?}", info.expect("a reply"));
        let words = ["type=rdb-channel", "replicas_waiting_psync:1", "state=bg_transfer"];
        states.extend(words.into_iter().filter(|word| info.contains(word)));
        let loading = info.contains("state=bg_transfer");
        assert_eq!(loading, info.contains("type=main-channel"), "{info}");
    }
    assert!(most > 0, "nothing had to wait");
    settle(&mut world);
    let link = server(&world, "replica-1").link().expect("a replica");
    assert_eq!((link.buffered, link.buffer_peak), (0, most));
    let counters = server(&world, "master").counters();
    assert_eq!((counters.sync_full, counters.sync_partial_ok), (1, 1));
    states.sort_unstable();
    states.dedup();
    assert_eq!(states, ["replicas_waiting_psync:1", "state=bg_transfer", "type=rdb-channel"]);
}

#[test]
fn a_full_buffer_stops_the_reading_and_nothing_is_lost() {
    let limit = ("client-output-buffer-limit", "replica 2kb 0 0");
    let mut world = world(&[limit], 20_000, 1000);
    act(
        &mut world,
        Action::Workload { writes_per_second: Some(0), value_bytes: None, curve: None },
    );
    act(&mut world, Action::Burst { writes: 2000, value_bytes: 1000 });
    pass(&mut world, SECOND_US / 4);
    for _ in 0..20 {
        pass(&mut world, SECOND_US / 20);
        act(&mut world, Action::Burst { writes: 1, value_bytes: 500 });
    }
    settle(&mut world);
    let link = server(&world, "replica-1").link().expect("a replica");
    assert!((2048..8192).contains(&link.buffer_peak), "{}", link.buffer_peak);
    let said = logs(&mut world, 1).join("\n");
    assert!(said.contains("Replication buffer limit reached (2048 bytes)"), "{said}");
}

#[test]
fn a_cut_at_any_moment_of_the_attach_is_survived() {
    for tenths in 0..60 {
        let mut world = world(&[("repl-timeout", "5")], 30_000, 1000);
        act(&mut world, Action::Burst { writes: 300, value_bytes: 1000 });
        pass(&mut world, tenths * SECOND_US / 20);
        cut(&mut world);
        pass(&mut world, SECOND_US / 3);
        heal(&mut world);
        pass(&mut world, 3 * SECOND_US);
        settle(&mut world);
        let master = server(&world, "master");
        assert_eq!(master.connected_replicas(), 1, "after {tenths} twentieths");
    }
}

#[test]
fn a_replica_that_was_online_continues_as_ever() {
    let mut world = world(&[], 10_000_000, 100);
    pass(&mut world, 5 * SECOND_US);
    cut(&mut world);
    pass(&mut world, SECOND_US);
    heal(&mut world);
    pass(&mut world, 3 * SECOND_US);
    settle(&mut world);
    let counters = server(&world, "master").counters();
    assert_eq!((counters.sync_full, counters.sync_partial_ok), (1, 2));
}

#[test]
fn with_snapshots_on_disk_it_is_an_ordinary_full_resync() {
    let mut world = world(&[("repl-diskless-sync", "no")], 10_000_000, 100);
    pass(&mut world, 5 * SECOND_US);
    settle(&mut world);
    let counters = server(&world, "master").counters();
    assert_eq!((counters.sync_full, counters.sync_partial_ok), (1, 0));
    let said = logs(&mut world, 0).join("\n");
    assert!(
        said.contains("Dual channel capability ignored: repl-diskless-sync disabled"),
        "{said}"
    );
}
