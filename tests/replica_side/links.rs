//! What a lost link costs, when it is dialed again, and how long silence is borne.

use psync::server::Phase;
use psync::server::engine::{REDIS_4_0, REDIS_6_2, REDIS_7_0};

use crate::machine::{ID, Machine, OTHER, master, with_length};
use crate::{ALL, since};

#[test]
fn a_lost_link_is_continued_after_the_last_applied_command() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        // A whole command, an open transaction, half a command.
        machine.hear("*1\r\n$4\r\nPING\r\n*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSE");
        machine.lose_link();
        assert_eq!(machine.request(), format!("{ID} 115"), "{}", engine.name);
    }
}

#[test]
fn a_cut_before_or_inside_the_snapshot_asks_for_the_old_history_from_7_0_on() {
    for engine in &ALL {
        for part in [0, 20, with_length().len() - 1] {
            let mut machine = Machine::replica(engine);
            machine.attach();
            machine.lose_link();
            machine.request();
            machine.hear(format!("+FULLRESYNC {OTHER} 500\r\n"));
            machine.hear(&with_length()[..part]);
            machine.lose_link();
            let kept = since(engine, &REDIS_7_0);
            let wanted = if kept { format!("{ID} 101") } else { "? -1".to_owned() };
            assert_eq!(machine.request(), wanted, "{}, {part} bytes", engine.name);
        }
    }
}

#[test]
fn a_snapshot_that_cannot_be_read_costs_history_and_data() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        machine.lose_link();
        machine.request();
        machine.hear(format!("+FULLRESYNC {OTHER} 500\r\n$10\r\nREDIS0009\x07"));
        assert_eq!(machine.server.data().len(), 0, "{}", engine.name);
        assert_eq!(machine.request(), "? -1", "{}", engine.name);
    }
}

#[test]
fn a_lost_link_is_dialed_again_at_once_from_6_2_on_and_at_the_tick_before() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        assert_eq!(machine.dials(), 1);
        machine.lose_link();
        assert_eq!(machine.dials() == 2, since(engine, &REDIS_6_2), "{}", engine.name);
        machine.pass(11);
        assert_eq!(machine.dials(), 2, "{}", engine.name);
        // A try that fails is repeated at the tick by all of them.
        machine.lose_link();
        assert_eq!(machine.dials(), 2, "{}", engine.name);
        machine.pass(11);
        assert_eq!(machine.dials(), 3, "{}", engine.name);
    }
}

#[test]
fn another_master_is_dialed_at_once_from_6_2_on_and_asked_for_the_same_history_from_4_0_on() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        let sub = machine.sub_replica();
        let client = machine.accept();
        assert_eq!(machine.ask(client, "REPLICAOF other 6379"), r"+OK\r\n");
        assert_eq!(machine.dials() == 2, since(engine, &REDIS_6_2), "{}", engine.name);
        let cut = machine.closed.contains(&sub);
        assert_eq!(cut, !since(engine, &REDIS_7_0), "{}", engine.name);
        let kept = since(engine, &REDIS_4_0);
        let wanted = if kept { format!("{ID} 101") } else { "? -1".to_owned() };
        assert_eq!(machine.request(), wanted, "{}", engine.name);
    }
}

#[test]
fn the_same_master_again_is_no_change() {
    for engine in &ALL {
        let mut machine = Machine::replica(engine);
        machine.attach();
        let client = machine.accept();
        let answer = machine.ask(client, "SLAVEOF m 6379");
        assert_eq!(answer, r"+OK Already connected to specified master\r\n");
        assert_eq!(machine.server.link_phase(), Some(Phase::Connected));
    }
}

#[test]
fn a_master_that_becomes_a_replica_asks_for_its_own_history_from_4_0_on() {
    for engine in &ALL {
        let mut machine = Machine::with(engine, &[], None);
        let id = machine.server.history().replid;
        let client = machine.accept();
        machine.ask(client, "SLAVEOF m 6379");
        let kept = since(engine, &REDIS_4_0);
        let wanted = if kept { format!("{id} 1") } else { "? -1".to_owned() };
        assert_eq!(machine.request(), wanted, "{}", engine.name);
        assert_eq!(machine.server.link().expect("a replica").master, master("m"));
    }
}

#[test]
fn silence_is_borne_for_more_than_the_timeout_in_every_phase() {
    for engine in &ALL {
        for phase in [Phase::Handshake, Phase::Transfer, Phase::Connected] {
            let mut machine = Machine::replica(engine);
            if phase == Phase::Connected {
                machine.attach();
            } else {
                machine.request();
            }
            if phase == Phase::Transfer {
                machine.hear(format!("+FULLRESYNC {ID} 100\r\n"));
            }
            let dials = machine.dials();
            machine.pass(50);
            assert_eq!(machine.server.link_phase(), Some(phase), "{}", engine.name);
            machine.pass(21);
            let gone = machine.server.link_phase() != Some(phase) || machine.dials() > dials;
            assert!(gone, "{} in {phase:?}", engine.name);
        }
    }
}

#[test]
fn half_a_line_of_the_handshake_is_borne_for_five_seconds() {
    for engine in &ALL {
        let mut machine = Machine::with(engine, &[("repl-timeout", "60")], Some(master("m")));
        machine.request();
        machine.hear("+FULL");
        machine.pass(49);
        assert_eq!(machine.server.link_phase(), Some(Phase::Handshake));
        machine.pass(2);
        assert_ne!(machine.server.link_phase(), Some(Phase::Handshake), "{}", engine.name);
        assert!(machine.log.iter().any(|line| line.contains("did not respond to command")));
        machine.request();
        machine.hear("\n\n");
        machine.pass(100);
        assert_eq!(machine.server.link_phase(), Some(Phase::Handshake), "those are whole lines");
    }
}
