//! Peers that send anything at all: clients, replicas and masters.
//!
//! A server may answer with an error and may end the connection. It may not panic, not allocate
//! what was only announced, and not stop serving others.

use bytes::Bytes;
use proptest::prelude::*;
use psync::server::config::Config;
use psync::server::engine::REDIS_6_2;
use psync::server::{Address, ConnId, Input, Output, Phase, Server, Start};
use psync::time::{Instant, SECOND_US};
use psync::wire::encode_command;

const CLIENT: ConnId = ConnId(2);

fn start(master: Option<Address>) -> Server {
    Server::start(Start {
        unix_ms_at_zero: 1_000_000,
        master,
        ..Start::new(&REDIS_6_2, Config::defaults(&REDIS_6_2), 1)
    })
}

/// Everything the server wants: (bytes sent, connections closed, connections dialed).
fn drain(server: &mut Server) -> (Vec<u8>, Vec<ConnId>, Vec<ConnId>) {
    let (mut sent, mut closed, mut dialed) = Default::default();
    loop {
        match server.poll() {
            Output::Transmit { bytes, .. } => Vec::extend_from_slice(&mut sent, &bytes),
            Output::Close { conn } => Vec::push(&mut closed, conn),
            Output::Dial { conn, .. } => Vec::push(&mut dialed, conn),
            Output::Event(_) | Output::Save { .. } | Output::Exit => {}
            Output::Pause { .. } | Output::Resume { .. } => {}
            Output::Timeout(_) => return (sent, closed, dialed),
        }
    }
}

fn accept(server: &mut Server, conn: ConnId) {
    let peer_ip = "127.0.0.1".to_owned();
    server
        .handle(server_now(server), Input::Accepted { conn, peer_ip, peer_port: 1, room: 1 << 20 });
    drain(server);
}

fn server_now(_: &Server) -> Instant {
    Instant(SECOND_US / 100)
}

/// What a client gets for these bytes, and whether its connection was ended.
fn tell(server: &mut Server, conn: ConnId, bytes: &[u8]) -> (String, bool) {
    let bytes = Bytes::copy_from_slice(bytes);
    server.handle(server_now(server), Input::Received { conn, bytes });
    let (sent, closed, _) = drain(server);
    (String::from_utf8_lossy(&sent).into_owned(), closed.contains(&conn))
}

/// The server still answers somebody else.
fn still_serves(server: &mut Server, conn: ConnId) {
    accept(server, conn);
    assert_eq!(tell(server, conn, b"PING\r\n"), ("+PONG\r\n".to_owned(), false));
}

#[test]
fn each_malformed_request_gets_its_error_and_the_connection_ends() {
    for (bytes, error) in [
        (&b"*1\r\n+PING\r\n"[..], "-ERR Protocol error: expected '$', got '+'\r\n"),
        (b"*99999999999\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\n$99999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        (b"*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        (b"SET \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    ] {
        let mut server = start(None);
        accept(&mut server, CLIENT);
        let said = String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(tell(&mut server, CLIENT, bytes), (error.to_owned(), true), "{said}");
        still_serves(&mut server, ConnId(4));
    }
}

#[test]
fn each_bad_command_gets_its_error_and_the_connection_goes_on() {
    let mut server = start(None);
    accept(&mut server, CLIENT);
    for (line, error) in [
        ("NOSUCH a b", "-ERR unknown command `NOSUCH`, with args beginning with: `a`, `b`, \r\n"),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("SELECT 16", "-ERR DB index is out of range\r\n"),
        ("SELECT x", "-ERR value is not an integer or out of range\r\n"),
        ("CONFIG SET nothing 1", "-ERR Unsupported CONFIG parameter: nothing\r\n"),
        (
            "CONFIG GET",
            "-ERR Unknown subcommand or wrong number of arguments for 'GET'. Try CONFIG HELP.\r\n",
        ),
        ("REPLCONF listening-port", "-ERR syntax error\r\n"),
        ("REPLCONF listening-port 99999", "-ERR value is not an integer or out of range\r\n"),
        ("REPLCONF nonsense 1", "-ERR Unrecognized REPLCONF option: nonsense\r\n"),
        ("REPLICAOF host x", "-ERR Invalid master port\r\n"),
        ("PSYNC", "-ERR wrong number of arguments for 'psync' command\r\n"),
        ("PSYNC abc notanumber", "-ERR value is not an integer or out of range\r\n"),
        ("PSYNC abc +5", "-ERR value is not an integer or out of range\r\n"),
        ("PSYNC abc 05", "-ERR value is not an integer or out of range\r\n"),
        ("PSYNC abc 9223372036854775808", "-ERR value is not an integer or out of range\r\n"),
    ] {
        let answer = tell(&mut server, CLIENT, format!("{line}\r\n").as_bytes());
        assert_eq!(answer, (error.to_owned(), false), "{line}");
    }
    let counters = server.counters();
    assert_eq!((counters.sync_full, counters.sync_partial_err), (0, 0), "no counter moves");
}

#[test]
fn psync_behind_a_reply_that_has_not_left_is_refused() {
    let mut server = start(None);
    accept(&mut server, CLIENT);
    let (answer, _) = tell(&mut server, CLIENT, b"PING\r\nPSYNC ? -1\r\n");
    assert_eq!(answer, "+PONG\r\n-ERR SYNC and PSYNC are invalid with pending output\r\n");
}

#[test]
fn a_replica_that_provokes_a_reply_is_cut_off() {
    let mut server = start(None);
    accept(&mut server, CLIENT);
    let (answer, closed) = tell(&mut server, CLIENT, b"PSYNC ? -1\r\n");
    assert!(answer.starts_with("+FULLRESYNC ") && !closed, "{answer}");
    assert_eq!(tell(&mut server, CLIENT, b"PSYNC ? -1\r\n"), (String::new(), false), "ignored");
    assert_eq!(tell(&mut server, CLIENT, b"REPLCONF ACK 5\r\n"), (String::new(), false));
    assert_eq!(tell(&mut server, CLIENT, b"PING\r\n"), (String::new(), true));
}

#[test]
fn announced_lengths_are_not_allocated() {
    // Five hundred connections announce 512 MiB each; if that were believed, this would be the
    // end of the machine.
    let mut server = start(None);
    for n in 1..=500 {
        accept(&mut server, ConnId(n * 2));
        let (answer, closed) = tell(&mut server, ConnId(n * 2), b"*3\r\n$536870912\r\nabc");
        assert_eq!((answer.as_str(), closed), ("", false));
    }
    still_serves(&mut server, ConnId(2000));
}

/// A replica in the middle of its handshake, with these answers of a master so far.
fn replica_told(answers: &[&[u8]]) -> (Server, Vec<u8>) {
    let mut server = start(Some(Address { host: "m".to_owned(), port: 1 }));
    let (_, _, dialed) = drain(&mut server);
    let conn = dialed[0];
    let now = Instant(SECOND_US / 100);
    server.handle(now, Input::Dialed { conn, room: 1 << 20 });
    let (mut said, _, _) = drain(&mut server);
    for answer in answers {
        let bytes = Bytes::copy_from_slice(answer);
        server.handle(now, Input::Received { conn, bytes });
        said.extend(drain(&mut server).0);
    }
    (server, said)
}

const ID: &str = "0123456789012345678901234567890123456789";

#[test]
fn a_master_may_answer_anything_and_the_replica_tries_again() {
    let full = format!("+FULLRESYNC {ID} 7\r\n").into_bytes();
    let hello: [&[u8]; 2] = [b"+PONG\r\n", b"+OK\r\n+OK\r\n"];
    // Behind the last number there is no room for a stream.
    let last = format!("+FULLRESYNC {ID} 9223372036854775807\r\n").into_bytes();
    let cases: [(&[&[u8]], Phase); 12] = [
        (&[hello[0], hello[1], &last], Phase::Connect),
        (&[b"-LOADING\r\n"], Phase::Connect),
        (&[b"-NOAUTH needed\r\n"], Phase::Handshake),
        (&[hello[0], b"-ERR a\r\n-ERR b\r\n"], Phase::Handshake),
        (&[hello[0], hello[1], b"+FULLRESYNC x 1\r\n"], Phase::Connect),
        (&[hello[0], hello[1], b"+FULLRESYNC\r\n"], Phase::Connect),
        (&[hello[0], hello[1], b"+CONTINUE x\r\n"], Phase::Connect),
        (&[hello[0], hello[1], b"-NOMASTERLINK Can't SYNC\r\n"], Phase::Connect),
        // What is no answer to PSYNC is answered with SYNC.
        (&[hello[0], hello[1], b"what?\r\n", b"-ERR SYNC\r\n"], Phase::Connect),
        (&[hello[0], hello[1], &full, b"$99999999999999\r\n"], Phase::Connect),
        (&[hello[0], hello[1], &full, b"$10\r\nno rdb    "], Phase::Connect),
        (&[hello[0], hello[1], &full, b"-ERR no\r\n"], Phase::Connect),
    ];
    for (answers, phase) in cases {
        let (mut server, _) = replica_told(answers);
        let said = String::from_utf8_lossy(answers[answers.len() - 1]).into_owned();
        assert_eq!(server.link_phase(), Some(phase), "{said}");
        // Within a second it dials again, or still waits in the handshake.
        server.handle(Instant(3 * SECOND_US), Input::Timeout);
        let (_, _, dialed) = drain(&mut server);
        assert_eq!(dialed.is_empty(), phase == Phase::Handshake, "{said}");
    }
}

#[test]
fn a_stream_that_turns_into_inline_text_is_not_continued() {
    let rdb = start(None).snapshot().encode();
    let payload = [format!("+FULLRESYNC {ID} 7\r\n${}\r\n", rdb.len()).as_bytes(), &rdb].concat();
    let (server, _) = replica_told(&[b"+PONG\r\n", b"+OK\r\n+OK\r\n", &payload]);
    assert_eq!(server.link_phase(), Some(Phase::Connected));
    assert!(!server.next_request().wants_full());
    let (server, _) =
        replica_told(&[b"+PONG\r\n", b"+OK\r\n+OK\r\n", &payload, b"hello there\r\n"]);
    assert_eq!(server.link_phase(), Some(Phase::Connect));
    assert!(server.next_request().wants_full(), "the history is not to be trusted");
}

#[test]
fn getack_is_answered_with_the_offset_before_it_and_counts_itself_afterwards() {
    let rdb = start(None).snapshot().encode();
    let payload = [format!("+FULLRESYNC {ID} 7\r\n${}\r\n", rdb.len()).as_bytes(), &rdb].concat();
    let ask = encode_command(&["REPLCONF", "GETACK", "*"]);
    let (server, said) = replica_told(&[b"+PONG\r\n", b"+OK\r\n+OK\r\n", &payload, &ask]);
    assert!(said.ends_with(&encode_command(&["REPLCONF", "ACK", "7"])));
    assert_eq!(server.history().end.0, 7 + 37);
}

#[test]
fn half_a_transaction_is_neither_applied_nor_counted() {
    let rdb = start(None).snapshot().encode();
    let payload = [format!("+FULLRESYNC {ID} 0\r\n${}\r\n", rdb.len()).as_bytes(), &rdb].concat();
    let open = [encode_command(&["MULTI"]), encode_command(&["SET", "k", "v"])].concat();
    let hello: [&[u8]; 3] = [b"+PONG\r\n", b"+OK\r\n+OK\r\n", &payload];
    let (server, _) = replica_told(&[hello[0], hello[1], hello[2], &open]);
    assert_eq!((server.history().end.0, server.data().len()), (0, 0));
    assert_eq!(server.link().expect("a replica").unapplied, open.len() as u64);
    let exec = encode_command(&["EXEC"]);
    let (server, _) = replica_told(&[hello[0], hello[1], hello[2], &open, &exec]);
    assert_eq!(server.history().end.0, (open.len() + exec.len()) as u64);
    assert_eq!(server.data().len(), 1);
}

#[test]
fn a_master_cannot_lead_its_replica_into_a_database_that_does_not_exist() {
    let rdb = start(None).snapshot().encode();
    let payload = [format!("+FULLRESYNC {ID} 0\r\n${}\r\n", rdb.len()).as_bytes(), &rdb].concat();
    for number in ["4294967295", "16", "-1", "x"] {
        let stream = [
            encode_command(&["SELECT", number]),
            encode_command(&["SET", "k", "v"]),
            encode_command(&["DBSIZE"]),
            encode_command(&["FLUSHDB"]),
        ]
        .concat();
        let (server, _) = replica_told(&[b"+PONG\r\n", b"+OK\r\n+OK\r\n", &payload, &stream]);
        assert_eq!(server.history().end.0, stream.len() as u64, "all of it counts");
        assert_eq!(server.data().len(), 0, "set and flushed in the database that was open");
    }
}

#[test]
fn a_continuation_that_was_not_asked_for_is_not_believed() {
    let answers: [&[u8]; 3] = [b"+PONG\r\n", b"+OK\r\n+OK\r\n", b"+CONTINUE\r\n"];
    let (server, said) = replica_told(&answers);
    assert!(said.ends_with(&encode_command(&["PSYNC", "?", "-1"])));
    assert_eq!(server.link_phase(), Some(Phase::Connect));
}

/// Bytes that are often nearly right.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::sample::select(vec![
        &b"*3\r\n"[..],
        b"$3\r\nSET\r\n",
        b"$1\r\nk\r\n",
        b"PSYNC ? -1\r\n",
        b"SELECT 4294967295\r\n",
        b"FLUSHDB\r\n",
        b"REPLCONF ACK 99\r\n",
        b"REPLCONF capa eof capa psync2\r\n",
        b"REPLICAOF m 1\r\n",
        b"REPLICAOF NO ONE\r\n",
        b"SET k v PX 1\r\n",
        b"FLUSHALL\r\n",
        b"INFO\r\n",
        b"ROLE\r\n",
        b"+PONG\r\n",
        b"+OK\r\n",
        b"+CONTINUE\r\n",
        b"+FULLRESYNC 0123456789012345678901234567890123456789 5\r\n",
        b"$EOF:0123456789012345678901234567890123456789\r\n",
        b"$9\r\nREDIS0009",
        b"\n",
        b"\r\n",
    ]);
    let piece = prop_oneof![
        6 => words.prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_survives_any_client(bytes in nearly(), piece in 1_usize..40) {
        let mut server = start(None);
        accept(&mut server, CLIENT);
        for (n, bytes) in bytes.chunks(piece).enumerate() {
            let bytes = Bytes::copy_from_slice(bytes);
            let now = Instant(n as u64 * SECOND_US / 3);
            server.handle(now, Input::Received { conn: CLIENT, bytes });
            drain(&mut server);
        }
        accept(&mut server, ConnId(4));
        let (answer, _) = tell(&mut server, ConnId(4), b"PING\r\n");
        prop_assert_eq!(answer, "+PONG\r\n");
    }

    #[test]
    fn a_replica_survives_any_master(bytes in nearly(), piece in 1_usize..40) {
        let mut server = start(Some(Address { host: "m".to_owned(), port: 1 }));
        let mut now = Instant(1000);
        for bytes in bytes.chunks(piece) {
            let (_, _, dialed) = drain(&mut server);
            for conn in dialed {
                server.handle(now, Input::Dialed { conn, room: 1 << 20 });
            }
            now = now.after_us(SECOND_US / 3);
            // Whichever connection is open: a dialed one is odd, and they are counted up.
            for conn in (1..9).step_by(2).map(ConnId) {
                let bytes = Bytes::copy_from_slice(bytes);
                server.handle(now, Input::Received { conn, bytes });
            }
        }
        accept(&mut server, ConnId(4));
        let (answer, _) = tell(&mut server, ConnId(4), b"PING\r\n");
        prop_assert!(answer.contains("+PONG\r\n"), "{}", answer);
    }
}
