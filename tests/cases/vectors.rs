//! Single facts: one request, one window, one limit.

use bytes::Bytes;
use psync::random::seeded;
use psync::server::config::Config;
use psync::server::engine::{ENGINES, Engine, REDIS_6_2, REDIS_7_0};
use psync::server::{ConnId, Event, Input, Output, Server, Start};
use psync::stream::backlog::{BlocksWindow, Entry, Grain, Ledger, Reader, RingWindow};
use psync::stream::history::{History, ReplId, SecondId};
use psync::stream::offset::{ByteCount, BytePos, Offset};
use psync::stream::psync::{Decision, FullReason, Request, decide, remedy};
use psync::time::Instant;
use psync::wire::{Rdb, encode_command};

use crate::{act, last, run, seconds};

const READER: Reader = Reader { number: 1, name: None };

fn request(id: ReplId, pos: i64) -> Request {
    Request { replid: Bytes::copy_from_slice(id.as_str().as_bytes()), pos: BytePos(pos) }
}

/// What a server of this engine, started from a snapshot with this id and offset, answers.
fn asked_after_restart(engine: &'static Engine, saved: (ReplId, u64), asked: i64) -> Decision {
    let aux = |name: &'static str, value: String| (Bytes::from(name), Bytes::from(value));
    let snapshot = Rdb {
        version: engine.rdb_version,
        aux: vec![aux("repl-id", saved.0.to_string()), aux("repl-offset", saved.1.to_string())],
        entries: Vec::new(),
    };
    let start = Start::new(engine, Config::defaults(engine), 1);
    let mut server = Server::start(Start { snapshot: Some(snapshot), ..start });
    let conn = ConnId(2);
    let peer_ip = "10.0.0.2".to_owned();
    let accepted = Input::Accepted { conn, peer_ip, peer_port: 1, room: 1 << 20 };
    server.handle(Instant(1), accepted);
    let bytes = encode_command(&["PSYNC", saved.0.as_str(), &asked.to_string()]);
    server.handle(Instant(2), Input::Received { conn, bytes });
    loop {
        match server.poll() {
            Output::Event(Event::Decided(decided)) => return decided.decision,
            Output::Timeout(_) => panic!("no decision"),
            _ => {}
        }
    }
}

#[test]
fn t1_a_request_beyond_the_second_id_is_short_by_121_403_bytes() {
    let (limit, asked) = (7_579_144_700_778, 7_579_144_822_181);
    let mut rng = seeded(1);
    let (old, new) = (ReplId::random(&mut rng), ReplId::random(&mut rng));
    let second = Some(SecondId { replid: old, valid_up_to: BytePos(limit) });
    let history = History { replid: new, second, end: Offset(limit as u64 + 500_000) };
    let reason =
        FullReason::PastSecondOffset { asked: BytePos(asked), valid_up_to: BytePos(limit) };
    let mut window = RingWindow::new(Offset(limit as u64 - 1), ByteCount(10 << 20));
    window.append(ByteCount(500_001));
    let decision = decide(&history, Some(&window.window()), &request(old, asked));
    assert_eq!(decision, Decision::Full { reason: reason.clone() });
    assert_eq!(asked - limit, 121_403);
    assert_eq!(remedy(&reason, Some(&window.window())), None, "no size helps");
    // The same by a server that was started from what the old one had saved.
    let saved = (old, limit as u64 - 1);
    assert_eq!(asked_after_restart(&REDIS_7_0, saved, asked), Decision::Full { reason });
    let continued = Decision::Partial { from: BytePos(limit), len: ByteCount::ZERO };
    assert_eq!(asked_after_restart(&REDIS_7_0, saved, limit), continued);
}

#[test]
fn t2_what_was_queued_is_what_is_missing_and_a_small_backlog_never_covers_it() {
    // 1 MB of backlog; killed with 256 MB unsent; back after 2 s, at any rate of writes.
    for rate in [0, 1_000, 1_000_000, 260_000_000] {
        let mut blocks = BlocksWindow::new(Offset(0), ByteCount(1 << 20), Grain::JEMALLOC);
        blocks.append(ByteCount(1000));
        blocks.attach(READER, Entry::Next);
        while blocks.pending(1) < 256 << 20 {
            blocks.append(ByteCount(500));
        }
        // The queue counts 64 bytes more a block than it holds.
        assert!(blocks.window().histlen >= ByteCount(255 << 20), "it is all there, pinned");
        blocks.detach(1, Instant::ZERO);
        for _ in 0..2000 {
            blocks.append(ByteCount(rate / 1000));
            blocks.settle();
        }
        let asked = BytePos(1001);
        let gone = asked.until(blocks.window().first).expect("it lies before the window");
        assert!(gone > ByteCount(254 << 20), "{gone} at {rate} B/s");
    }
}

#[test]
fn t3_ten_megabytes_are_five_point_eight_seconds_at_the_mean_and_less_at_the_peak() {
    let (bytes, hours, size) = (137_853_614_287_u64, 21, 10_u64 << 20);
    let covered_ms = |rate_times: u64| {
        let mut ring = RingWindow::new(Offset(bytes), ByteCount(size));
        let asked = ring.window().next();
        let mut written = 0;
        (1..).find(|ms| {
            let due = bytes * rate_times * ms / (hours * 3_600_000);
            ring.append(ByteCount(due - written));
            written = due;
            ring.window().first > asked
        })
    };
    let mean = covered_ms(1).expect("it is overtaken");
    assert_eq!((mean + 50) / 100, 58, "{mean} ms are 5.8 s");
    // The mean is not the peak: at ten times the mean a tenth of it is left.
    let peak = covered_ms(10).expect("it is overtaken");
    assert!((mean / 10).abs_diff(peak) <= 1, "{mean} {peak}");
}

#[test]
fn t4_at_260_megabytes_a_second_the_limit_lasts_a_second_and_the_backlog_four_milliseconds() {
    // E04: SET with values of 500 B, 477,354 a second; nothing is drained.
    let command = encode_command(&["SET", "key:000000000000", &"x".repeat(500)]);
    let writes_per_second = 477_354;
    let rate = command.len() as u64 * writes_per_second;
    assert!((255_000_000..265_000_000).contains(&rate), "{rate} B/s");
    let mut blocks = BlocksWindow::new(Offset(0), ByteCount(1 << 20), Grain::JEMALLOC);
    blocks.attach(READER, Entry::Next);
    let mut writes = 0;
    while blocks.pending(1) < 256 << 20 {
        blocks.append(ByteCount::of(&command));
        writes += 1;
    }
    let lasted_ms = writes * 1000 / writes_per_second;
    assert!((1015..=1045).contains(&lasted_ms), "killed after {lasted_ms} ms");
    let mut ring = RingWindow::new(Offset(0), ByteCount(1 << 20));
    let writes = (1..).find(|_| {
        ring.append(ByteCount::of(&command));
        ring.window().first > BytePos(1)
    });
    let lasted_us = writes.expect("it is overtaken") * 1_000_000 / writes_per_second;
    assert!((3_900..=4_200).contains(&lasted_us), "covered for {lasted_us} us");
    // In 90 s a replica that reads nothing could be killed 87 times; 21 kills were seen.
    assert_eq!(90_000 / lasted_ms, 87);
}

#[test]
fn t6_after_a_restart_without_a_saved_id_no_size_helps() {
    for size in ["16kb", "1gb"] {
        for engine in ["redis-4.0", "redis-6.2", "redis-7.2", "valkey-9"] {
            let mut run = run(&format!(
                r#"{{"engine":"{engine}","replicas":1,"config":{{"repl-backlog-size":"{size}"}}}}"#
            ));
            seconds(&mut run, 8);
            act(&mut run, r#"{"do":"restart","server":"replica-1"}"#);
            seconds(&mut run, 8);
            assert_eq!(
                (last(&run).reason, &last(&run).remedy),
                (Some("requested"), &None),
                "{engine}"
            );
        }
    }
}

#[test]
fn t8_after_the_ttl_an_equal_offset_is_refused_because_the_id_changed() {
    for engine in ["redis-4.0", "redis-6.2", "redis-7.2", "valkey-9"] {
        let mut run = run(&format!(
            r#"{{"engine":"{engine}","replicas":1,"config":{{"repl-backlog-ttl":"2"}},
                "workload":{{"writes_per_second":0}}}}"#
        ));
        seconds(&mut run, 8);
        act(&mut run, r#"{"do":"cut","replica":"replica-1"}"#);
        seconds(&mut run, 2 + 2);
        act(&mut run, r#"{"do":"heal","replica":"replica-1"}"#);
        seconds(&mut run, 3);
        let end = run.snapshot().servers[0].master_repl_offset as i64;
        assert_eq!(
            (last(&run).request.offset, last(&run).reason),
            (end + 1, Some("unknown-replid"))
        );
    }
}

#[test]
fn t12_a_full_ring_serves_its_first_byte_and_the_next_one_and_nothing_beyond() {
    let mut ring = RingWindow::new(Offset(1000), ByteCount(64));
    ring.append(ByteCount(500));
    let history = History { end: Offset(1500), ..History::begin(&mut seeded(1)) };
    let ask = |pos| decide(&history, Some(&ring.window()), &request(history.replid, pos));
    let partial = |from, len| Decision::Partial { from: BytePos(from), len: ByteCount(len) };
    assert_eq!(ask(1437), partial(1437, 64), "the first kept byte");
    let reason = FullReason::BeforeBacklog { asked: BytePos(1436), first: BytePos(1437) };
    assert_eq!(ask(1436), Decision::Full { reason });
    assert_eq!(ask(1501), partial(1501, 0), "everything is there already");
    let reason = FullReason::AfterBacklog { asked: BytePos(1502), next: BytePos(1501) };
    assert_eq!(ask(1502), Decision::Full { reason });
}

#[test]
fn t13_a_slow_replica_pins_fifty_megabytes_until_it_is_dropped_and_then_blocks_go_one_by_one() {
    let mut blocks = BlocksWindow::new(Offset(0), ByteCount(1 << 20), Grain::JEMALLOC);
    blocks.attach(READER, Entry::Next);
    while blocks.window().next().0 <= 50_000_000 {
        blocks.append(ByteCount(500));
        blocks.settle();
    }
    assert!(blocks.window().histlen >= ByteCount(50_000_000));
    assert!(blocks.window().serves(BytePos(1)), "another may continue from the very first byte");
    blocks.detach(1, Instant::ZERO);
    // Not all at once: 64 blocks when it leaves, 640 a turn of the loop.
    let dropped = |blocks: &BlocksWindow| blocks.window().first.0 / 20_440;
    assert_eq!(dropped(&blocks), 64);
    blocks.settle();
    assert_eq!(dropped(&blocks), 64 + 640);
    for _ in 0..4 {
        blocks.settle();
    }
    let histlen = blocks.window().histlen.0;
    assert!(((1 << 20) + 1..=(1 << 20) + 20_440).contains(&histlen), "{histlen}");
}

#[test]
fn e01_the_queue_at_the_kill_was_268_550_992_bytes_of_whole_blocks() {
    // A block of jemalloc's class c counts c + 24 bytes, and classes are multiples of 4096. So the
    // number seen says how many blocks there were, to a multiple of 512: 206, 718, ... 13,006. The
    // last one took the queue from below 256 MB to 115,536 bytes beyond: it was of 128 KB or more.
    let (seen, limit) = (268_550_992, 256 << 20);
    assert_eq!(seen - limit, 115_536);
    let uncapped = Grain { capped: false, ..Grain::JEMALLOC };
    let mut blocks = BlocksWindow::new(Offset(0), ByteCount(1 << 20), uncapped);
    blocks.attach(READER, Entry::Next);
    // One of the mixtures with 13,006 blocks: pieces that fill their blocks to the last byte.
    for (count, piece) in [(12_574, 20_440), (431, 24_536)] {
        for _ in 0..count {
            blocks.append(ByteCount(piece));
            assert!(blocks.pending(1) < limit, "not yet");
        }
    }
    blocks.append(ByteCount(131_032));
    assert_eq!((blocks.pending(1), blocks.blocks().len()), (seen, 13_006));
}

#[test]
fn every_engine_keeps_its_promise_that_an_exact_continuation_is_never_refused() {
    // #1271: before 2.8.0 a full ring refused the reader that had everything.
    for engine in ENGINES.iter().filter(|engine| engine.restart.master_continues) {
        let old = ReplId::random(&mut seeded(7));
        let saved = (old, 1_000_000);
        let continued = Decision::Partial { from: BytePos(1_000_001), len: ByteCount::ZERO };
        assert_eq!(asked_after_restart(engine, saved, 1_000_001), continued, "{}", engine.name);
    }
    // Up to 6.2 a restarted master knows nothing of what was before.
    let saved = (ReplId::random(&mut seeded(7)), 1_000_000);
    let Decision::Full { reason } = asked_after_restart(&REDIS_6_2, saved, 1_000_001) else {
        panic!("a master of 6.2 never continues a saved history");
    };
    assert_eq!(reason.name(), "unknown-replid");
}
