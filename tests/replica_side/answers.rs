//! How each answer to PSYNC is taken, what is acknowledged, what counts.

use psync::server::Phase;
use psync::server::engine::{REDIS_4_0, REDIS_6_2, VALKEY_9};

use crate::machine::{ID, Machine, OTHER, with_length, with_mark};
use crate::{ALL, since};

#[test]
fn later_is_understood_from_4_0_on_and_before_it_is_an_error_like_any_other() {
    for engine in &ALL {
        for answer in ["-NOMASTERLINK Can't SYNC while not connected with my master", "-LOADING x"]
        {
            let mut machine = Machine::replica(engine);
            machine.attach();
            machine.lose_link();
            machine.request();
            machine.hear(format!("{answer}\r\n"));
            if since(engine, &REDIS_4_0) {
                assert_eq!(machine.server.link_phase(), Some(Phase::Connect), "{}", engine.name);
                assert_eq!(machine.request(), format!("{ID} 101"), "{}", engine.name);
            } else {
                assert_eq!(machine.said(), r"SYNC\r\n");
                machine.lose_link();
                assert_eq!(machine.request(), "? -1", "{}", engine.name);
            }
        }
    }
}

#[test]
fn no_answer_is_asked_again_the_same() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        machine.lose_link();
        machine.request();
        machine.hear("\n\n");
        machine.lose_link();
        assert_eq!(machine.request(), format!("{ID} 101"), "{}", engine.name);
    }
}

#[test]
fn another_error_is_followed_by_sync_and_meaningless_numbers() {
    for engine in &ALL {
        let shares = since(engine, &REDIS_4_0);
        let mut machine = Machine::replica(engine);
        machine.attach();
        machine.lose_link();
        machine.request();
        machine.hear("-ERR unknown command 'PSYNC'\r\n");
        assert_eq!(machine.said(), r"SYNC\r\n", "{}", engine.name);
        machine.hear(with_length());
        let ack = r"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$2\r\n-1\r\n";
        let first = if since(engine, &VALKEY_9) { ack } else { "" };
        assert_eq!(machine.said(), first, "{}", engine.name);
        if shares {
            assert_eq!(machine.info("master_replid"), ID);
            assert_eq!(machine.info("master_replid2"), "0".repeat(40));
            assert_eq!(machine.info("master_repl_offset"), "-1");
            assert_eq!(machine.info("repl_backlog_first_byte_offset"), "0");
        }
        machine.hear("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
        assert_eq!(machine.info("slave_repl_offset"), "22", "{}", engine.name);
        if shares {
            assert_eq!(machine.info("master_repl_offset"), "22");
        }
        machine.pass(21);
        assert_eq!(machine.said(), "", "nothing is acknowledged at the tick");
        machine.lose_link();
        assert_eq!(machine.request(), format!("{ID} 23"), "{}", engine.name);
    }
}

#[test]
fn a_refused_snapshot_costs_no_more_than_the_line_before_it() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        machine.lose_link();
        machine.request();
        machine.hear(format!("+FULLRESYNC {OTHER} 500\r\n-ERR the disk is full\r\n"));
        let kept = engine.relink.keeps_until_loading;
        let wanted = if kept { format!("{ID} 101") } else { "? -1".to_owned() };
        assert_eq!(machine.request(), wanted, "{}", engine.name);
    }
}

#[test]
fn what_breaks_the_protocol_is_not_continued() {
    for engine in &ALL {
        for garbage in ["SET k v\r\n", "*1\r\n+x\r\n", "*x\r\n"] {
            let mut machine = Machine::replica(engine);
            machine.attach();
            machine.hear(garbage);
            assert_eq!(machine.request(), "? -1", "{} after {garbage:?}", engine.name);
        }
    }
}

#[test]
fn the_first_ack_leaves_at_once_where_the_master_waits_for_it_and_with_valkey_always() {
    for engine in &ALL {
        for (payload, streamed) in [(with_length(), false), (with_mark(), true)] {
            let mut machine = Machine::replica(engine);
            machine.request();
            machine.hear(format!("+FULLRESYNC {ID} 100\r\n"));
            machine.hear(payload);
            let ack = r"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$3\r\n100\r\n";
            let at_once = streamed || since(engine, &VALKEY_9);
            assert_eq!(machine.said(), if at_once { ack } else { "" }, "{}", engine.name);
            machine.pass(10);
            assert_eq!(machine.said(), ack, "{}: then once a second", engine.name);
        }
    }
}

#[test]
fn getack_is_answered_with_what_was_applied_before_it() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        machine.hear("*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n");
        assert!(machine.said().ends_with(r"$3\r\nACK\r\n$3\r\n100\r\n"));
        machine.pass(10);
        assert!(machine.said().ends_with(r"$3\r\nACK\r\n$3\r\n137\r\n"));
    }
}

#[test]
fn a_bare_newline_in_the_stream_counts_together_with_the_next_command() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        machine.hear("\n");
        if since(engine, &REDIS_6_2) {
            assert_eq!(machine.info("slave_read_repl_offset"), "101", "{}", engine.name);
        }
        assert_eq!(machine.info("slave_repl_offset"), "100", "{}", engine.name);
        machine.hear("*1\r\n$4\r\nPING\r\n");
        assert_eq!(machine.info("slave_repl_offset"), "115", "{}", engine.name);
        machine.hear("\n");
        machine.lose_link();
        assert_eq!(machine.request(), format!("{ID} 116"), "{}", engine.name);
    }
}
