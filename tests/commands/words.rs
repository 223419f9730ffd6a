//! Errors, CONFIG and INFO in the words of the engine.

use psync::server::engine::{REDIS_6_2, REDIS_7_0, VALKEY_9};

use crate::lab::Lab;

#[test]
fn what_is_wrong_is_said_as_the_engine_says_it() {
    for (line, old, new) in [
        (
            "foo a b",
            "-ERR unknown command `foo`, with args beginning with: `a`, `b`,",
            "-ERR unknown command 'foo', with args beginning with: 'a' 'b'",
        ),
        (
            "GET a b",
            "-ERR wrong number of arguments for 'get' command",
            "-ERR wrong number of arguments for 'get' command",
        ),
        (
            "MSET a 1 b",
            "-ERR wrong number of arguments for MSET",
            "-ERR wrong number of arguments for 'mset' command",
        ),
        (
            "SET a 1 EX 0",
            "-ERR invalid expire time in set",
            "-ERR invalid expire time in 'set' command",
        ),
        (
            "EXPIRE a 9223372036854775807",
            "-ERR invalid expire time in expire",
            "-ERR invalid expire time in 'expire' command",
        ),
        (
            "CONFIG GET",
            "-ERR Unknown subcommand or wrong number of arguments for 'GET'. Try CONFIG HELP.",
            "-ERR wrong number of arguments for 'config|get' command",
        ),
        (
            "CONFIG bad",
            "-ERR Unknown subcommand or wrong number of arguments for 'bad'. Try CONFIG HELP.",
            "-ERR unknown subcommand 'bad'. Try CONFIG HELP.",
        ),
        (
            "CONFIG SET nonsense 1",
            "-ERR Unsupported CONFIG parameter: nonsense",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nonsense'",
        ),
        (
            "CONFIG SET repl-timeout 0",
            "-ERR Invalid argument '0' for CONFIG SET 'repl-timeout' - argument must be between 1 \
             and 2147483647 inclusive",
            "-ERR CONFIG SET failed (possibly related to argument 'repl-timeout') - argument must \
             be between 1 and 2147483647 inclusive",
        ),
        (
            "CONFIG REWRITE",
            "-ERR The server is running without a config file",
            "-ERR The server is running without a config file",
        ),
    ] {
        for (engine, wanted) in [(&REDIS_6_2, old), (&REDIS_7_0, new), (&VALKEY_9, new)] {
            let (mut lab, client) = Lab::with(engine, &[]);
            assert_eq!(lab.say(client, line), wanted, "{} {line}", engine.name);
        }
    }
}

#[test]
fn several_settings_are_changed_together_or_not_at_all() {
    let (mut lab, client) = Lab::with(&REDIS_7_0, &[]);
    let failed = "-ERR CONFIG SET failed (possibly related to argument 'repl-timeout') - ";
    for (line, answer) in [
        ("CONFIG SET repl-timeout 61 repl-backlog-ttl 5", "+OK".to_owned()),
        (
            "CONFIG SET repl-backlog-ttl 7 repl-timeout 60 repl-timeout 61",
            format!("{failed}duplicate parameter"),
        ),
        (
            "CONFIG SET repl-backlog-ttl 7 repl-timeout 0",
            format!("{failed}argument must be between 1 and 2147483647 inclusive"),
        ),
        ("CONFIG SET port 7777 x", "-ERR syntax error".to_owned()),
        (
            "CONFIG GET repl-backlog-t* repl-timeout repl-timeou?",
            "*4 $16 repl-backlog-ttl $1 5 $12 repl-timeout $2 61".to_owned(),
        ),
    ] {
        assert_eq!(lab.say(client, line), answer, "{line}");
    }
}

/// The names of the fields of a section, in order.
fn fields(lab: &mut Lab, server: usize, section: &str) -> String {
    let client = lab.client(server);
    let text = lab.say(client, &format!("INFO {section}"));
    let words = text.split(' ').filter_map(|word| word.split_once(':').map(|(name, _)| name));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn info_replication_has_the_fields_of_a_real_server_in_its_order() {
    let end = "master_replid master_replid2 master_repl_offset second_repl_offset \
               repl_backlog_active repl_backlog_size repl_backlog_first_byte_offset \
               repl_backlog_histlen";
    for (engine, waits, buffer) in [
        (&REDIS_7_0, "", ""),
        (
            &VALKEY_9,
            "replicas_waiting_psync ",
            "replicas_repl_buffer_size replicas_repl_buffer_peak ",
        ),
    ] {
        let mut lab = Lab::new();
        let top = lab.start(engine, &[("min-replicas-to-write", "1")], None);
        let below = lab.start(engine, &[], Some(top));
        lab.pass_ms(2000);
        assert_eq!(
            fields(&mut lab, top, "replication"),
            format!(
                "role connected_slaves min_slaves_good_slaves slave0 {waits}master_failover_state {end}"
            )
        );
        assert_eq!(
            fields(&mut lab, below, "replication"),
            format!(
                "role master_host master_port master_link_status master_last_io_seconds_ago \
                 master_sync_in_progress slave_read_repl_offset slave_repl_offset {buffer}\
                 slave_priority slave_read_only replica_announced connected_slaves \
                 {waits}master_failover_state {end}"
            )
        );
        let line = lab.info(top, "slave0");
        let typed = if engine == &VALKEY_9 { ",type=replica" } else { "" };
        assert!(line.starts_with("ip=127.0.0.1,port=7001,state=online,offset="), "{line}");
        let lag = line.rsplit_once(",lag=").map(|(_, rest)| rest.to_owned());
        assert!(
            lag.is_some_and(|lag| [0, 1].iter().any(|n| lag == format!("{n}{typed}"))),
            "{line}"
        );
    }
}

#[test]
fn info_takes_sections_and_counts_what_goes_over_the_links() {
    let mut lab = Lab::new();
    let top = lab.start(&VALKEY_9, &[], None);
    let below = lab.start(&VALKEY_9, &[], Some(top));
    lab.pass_ms(2000);
    let client = lab.client(top);
    assert_eq!(lab.say(client, "INFO nothing"), "$0");
    assert_eq!(fields(&mut lab, top, "cluster keyspace"), "cluster_enabled");
    assert_eq!(lab.info(top, "redis_version"), "7.2.4");
    assert_eq!(lab.info(top, "valkey_version"), "9.1.2");
    let sent: u64 = lab.info(top, "total_net_repl_output_bytes").parse().expect("a number");
    lab.say(client, "SET a 1");
    let more: u64 = lab.info(top, "total_net_repl_output_bytes").parse().expect("a number");
    assert_eq!(more - sent, 23 + 27, "a SELECT and the SET");
    let input: u64 = lab.info(below, "total_net_repl_input_bytes").parse().expect("a number");
    assert!(input >= more, "its master said something besides");
    lab.say(client, "CONFIG RESETSTAT");
    assert_eq!(lab.info(top, "sync_full"), "0");
    let (mut lab, client) = Lab::with(&REDIS_6_2, &[]);
    assert_eq!(lab.say(client, "INFO server stats"), "-ERR syntax error");
}
