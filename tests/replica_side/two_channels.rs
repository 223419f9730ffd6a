//! The master's seat of dual channel replication, message by message.

use psync::server::engine::VALKEY_9;

use crate::machine::Machine;

const INTRODUCTION: &str = "REPLCONF capa eof capa psync2 capa dual-channel";
const SECOND: &str = "REPLCONF capa eof rdb-only 1 rdb-channel 1 listening-port 7000 version 9.1.2";

fn enabled() -> Machine {
    let settings = [
        ("dual-channel-replication-enabled", "yes"),
        ("repl-diskless-sync-delay", "0"),
        ("repl-backlog-size", "16kb"),
    ];
    Machine::with(&VALKEY_9, &settings, None)
}

#[test]
fn the_first_connection_is_told_and_nothing_else_happens() {
    let mut machine = enabled();
    let main = machine.accept();
    assert_eq!(machine.ask(main, INTRODUCTION), r"+OK\r\n");
    assert_eq!(machine.ask(main, "PSYNC ? -1"), r"+DUALCHANNELSYNC\r\n");
    for field in ["sync_full", "sync_partial_err", "repl_backlog_active", "connected_slaves"] {
        assert_eq!(machine.info(field), "0", "{field}");
    }
    assert_eq!(machine.ask(main, "PSYNC abc 1"), r"+DUALCHANNELSYNC\r\n");
    assert_eq!(machine.info("sync_partial_err"), "1", "an id was given");
    assert_eq!(machine.info("sync_full"), "0");
}

#[test]
fn the_second_one_is_told_where_to_go_on_and_pins_the_stream_for_the_first() {
    let mut machine = enabled();
    let (main, rdb) = (machine.accept(), machine.accept());
    machine.ask(main, INTRODUCTION);
    machine.ask(main, "PSYNC ? -1");
    assert_eq!(machine.ask(rdb, SECOND), r"+OK\r\n");
    let answer = machine.ask(rdb, "SYNC");
    let id = machine.info("master_replid");
    let wanted = format!(r"$ENDOFF:0 {id} -1 {}\r\n$EOF:", rdb.0 / 2);
    assert!(answer.starts_with(&wanted), "{answer}");
    assert!(machine.closed.contains(&rdb), "it ends with its snapshot");
    assert_eq!(machine.info("sync_full"), "1");
    assert_eq!(machine.info("replicas_waiting_psync"), "1");

    let client = machine.accept();
    let value = "v".repeat(5000);
    for _ in 0..20 {
        machine.ask(client, &format!("SET k {value}"));
    }
    assert_eq!(machine.info("repl_backlog_first_byte_offset"), "1", "far more than its size");
    let stranger = machine.ask(main, "REPLCONF set-rdb-client-id 12345");
    assert_eq!(stranger, r"-ERR Unrecognized RDB client id 12345\r\n");
    machine.ask(main, &format!("REPLCONF set-rdb-client-id {}", rdb.0 / 2));
    let answer = machine.ask(main, &format!("PSYNC {id} 1"));
    assert!(answer.starts_with(&format!(r"+CONTINUE {id}\r\n*2\r\n$6\r\nSELECT")), "{answer}");
    assert_eq!(machine.info("replicas_waiting_psync"), "0");
    assert_eq!(machine.info("sync_partial_ok"), "1");
    assert!(machine.info("slave0").contains("state=bg_transfer"));
    assert!(machine.info("slave0").ends_with("type=main-channel"));
    machine.ask(main, "REPLCONF ACK 1");
    assert!(machine.info("slave0").contains("state=online"));
    assert!(machine.info("slave0").ends_with("type=replica"));
}

#[test]
fn who_does_not_come_within_a_minute_is_no_longer_waited_for() {
    let mut machine = enabled();
    let rdb = machine.accept();
    machine.ask(rdb, SECOND);
    machine.ask(rdb, "SYNC");
    let client = machine.accept();
    let value = "v".repeat(5000);
    for _ in 0..20 {
        machine.ask(client, &format!("SET k {value}"));
    }
    machine.pass(600);
    assert_eq!(machine.info("replicas_waiting_psync"), "1");
    assert_eq!(machine.info("repl_backlog_first_byte_offset"), "1");
    machine.pass(21);
    assert_eq!(machine.info("replicas_waiting_psync"), "0");
    assert_ne!(machine.info("repl_backlog_first_byte_offset"), "1", "it is trimmed again");
    let said = machine.log.iter().any(|line| line.contains("within the grace period (60 seconds)"));
    assert!(said, "{:#?}", machine.log);
}

#[test]
fn it_takes_both_the_setting_and_snapshots_to_sockets() {
    for setting in [("dual-channel-replication-enabled", "no"), ("repl-diskless-sync", "no")] {
        let settings = [
            ("dual-channel-replication-enabled", "yes"),
            ("repl-diskless-sync-delay", "0"),
            setting,
        ];
        let mut machine = Machine::with(&VALKEY_9, &settings, None);
        let main = machine.accept();
        assert_eq!(machine.ask(main, INTRODUCTION), r"+OK\r\n");
        let answer = machine.ask(main, "PSYNC ? -1");
        assert!(answer.starts_with("+FULLRESYNC"), "{setting:?}: {answer}");
    }
}
