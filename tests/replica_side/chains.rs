//! When a replica's own replicas are cut, and what they are told.

use psync::server::engine::{Engine, REDIS_4_0, REDIS_7_0};
use psync::server::{ConnId, Phase};

use crate::machine::{ID, Machine, OTHER, master, with_length};
use crate::{ALL, since};

/// A replica with a replica of its own, which has everything.
fn with_sub(engine: &'static Engine) -> (Machine, ConnId) {
    let settings = [("repl-diskless-sync", "no")];
    let mut machine = Machine::with(engine, &settings, Some(master("m")));
    machine.attach();
    let sub = machine.sub_replica();
    (machine, sub)
}

#[test]
fn a_lost_link_leaves_them_attached_and_new_ones_are_sent_away() {
    for engine in &ALL {
        let (mut machine, sub) = with_sub(engine);
        machine.lose_link();
        machine.pass(20);
        assert!(!machine.closed.contains(&sub), "{}", engine.name);
        let late = machine.accept();
        let answer = machine.ask(late, "PSYNC ? -1");
        let word = if since(engine, &REDIS_4_0) { "-NOMASTERLINK" } else { "-ERR" };
        let wanted = format!(r"{word} Can\'t SYNC while not connected with my master\r\n");
        assert_eq!(answer, wanted, "{}", engine.name);
    }
}

#[test]
fn a_full_resync_from_above_cuts_them_on_its_line_or_when_it_loads() {
    for engine in &ALL {
        let (mut machine, sub) = with_sub(engine);
        machine.lose_link();
        machine.request();
        machine.hear(format!("+FULLRESYNC {OTHER} 500\r\n"));
        let cut = machine.closed.contains(&sub);
        assert_eq!(cut, !since(engine, &REDIS_7_0), "{}", engine.name);
        machine.hear(with_length());
        assert!(machine.closed.contains(&sub), "{}", engine.name);
        if since(engine, &REDIS_4_0) {
            assert_eq!(machine.info("repl_backlog_first_byte_offset"), "501");
            let late = machine.accept();
            machine.ask(late, &format!("PSYNC {ID} 101"));
            assert_eq!(machine.info("sync_partial_err"), "1", "the old id is refused");
        }
    }
}

#[test]
fn a_continuation_cuts_them_only_with_a_new_id_and_then_they_continue_through_the_old_one() {
    for engine in ALL.iter().filter(|engine| since(engine, &REDIS_4_0)) {
        let (mut machine, sub) = with_sub(engine);
        machine.lose_link();
        machine.request();
        machine.hear(format!("+CONTINUE {ID}\r\n"));
        assert!(!machine.closed.contains(&sub), "{}", engine.name);
        machine.lose_link();
        machine.request();
        machine.hear(format!("+CONTINUE {OTHER}\r\n"));
        assert!(machine.closed.contains(&sub), "{}", engine.name);
        assert_eq!(machine.info("master_replid"), OTHER);
        assert_eq!(machine.info("master_replid2"), ID);
        assert_eq!(machine.info("second_repl_offset"), "101");
        let back = machine.accept();
        machine.ask(back, "REPLCONF capa psync2");
        let answer = machine.ask(back, &format!("PSYNC {ID} 101"));
        assert_eq!(answer, format!(r"+CONTINUE {OTHER}\r\n"), "{}", engine.name);
    }
}

#[test]
fn an_error_that_leads_to_sync_costs_them_their_place() {
    for engine in &ALL {
        let (mut machine, sub) = with_sub(engine);
        machine.lose_link();
        machine.request();
        machine.hear("-ERR no\r\n");
        let cut = machine.closed.contains(&sub);
        assert_eq!(cut, !since(engine, &REDIS_7_0), "{}", engine.name);
        machine.hear(with_length());
        assert!(machine.closed.contains(&sub), "{}", engine.name);
    }
}

#[test]
fn a_promotion_cuts_them_from_4_0_on_and_the_old_id_stays_good() {
    for engine in &ALL {
        let (mut machine, sub) = with_sub(engine);
        let client = machine.accept();
        machine.ask(client, "SLAVEOF NO ONE");
        assert_eq!(machine.closed.contains(&sub), since(engine, &REDIS_4_0), "{}", engine.name);
        if since(engine, &REDIS_4_0) {
            assert_eq!(machine.info("master_replid2"), ID);
            assert_eq!(machine.info("second_repl_offset"), "101");
        }
        assert_eq!(machine.server.link_phase(), None);
    }
}

#[test]
fn the_stream_is_passed_on_as_it_came_from_4_0_on_and_written_anew_before() {
    for engine in &ALL {
        let (mut machine, sub) = with_sub(engine);
        let client = machine.accept();
        machine.ask(client, "PING");
        machine.hear("*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n*1\r\n$4\r\nPING\r\n\n");
        machine.hear("*1\r\n$4\r\nPING\r\n");
        let (set, ping) = (r"*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n", r"*1\r\n$4\r\nPING\r\n");
        let wanted = if since(engine, &REDIS_4_0) {
            format!(r"{set}{ping}\n{ping}")
        } else {
            format!(r"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n{set}")
        };
        let seen = machine.replies_to(sub);
        assert_eq!(seen.to_lowercase(), wanted.to_lowercase(), "{}", engine.name);
    }
}

#[test]
fn what_is_written_to_a_writable_replica_is_passed_on_before_4_0_only() {
    for engine in &ALL {
        let (mut machine, sub) = with_sub(engine);
        let client = machine.accept();
        machine.ask(client, "CONFIG SET slave-read-only no");
        let end = machine.server.history().end;
        assert_eq!(machine.ask(client, "SET own 1"), r"+OK\r\n");
        let passed_on = !machine.replies_to(sub).is_empty();
        assert_eq!(passed_on, !since(engine, &REDIS_4_0), "{}", engine.name);
        assert_eq!(machine.server.history().end != end, passed_on, "{}", engine.name);
    }
}

#[test]
fn a_replica_of_2_8_is_a_master_of_its_own_run_id_and_offsets() {
    for engine in &ALL {
        let (mut machine, _) = with_sub(engine);
        let late = machine.accept();
        let answer = machine.ask(late, "PSYNC ? -1");
        let own = machine.server.run_id();
        let wanted = match since(engine, &REDIS_4_0) {
            true => format!(r"+FULLRESYNC {ID} 100\r\n"),
            // Making a backlog took a byte (2.8 to 3.2).
            false => format!(r"+FULLRESYNC {own} 1\r\n"),
        };
        assert!(answer.starts_with(&wanted), "{}: {answer}", engine.name);
        assert_eq!(machine.server.link_phase(), Some(Phase::Connected));
    }
}
