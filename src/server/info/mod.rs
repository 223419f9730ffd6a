//! INFO: what a server says about itself, under the real field names and in their order.
//!
//! Fields stand here when their value is known or is what a real server of this configuration
//! says too (`cluster_enabled:0`). Absent on purpose: what only a process has, as its memory and
//! its CPU time, and commands counted by name.

mod replication;

use std::fmt::Write;

use bytes::Bytes;

use super::Server;
use super::answer::{SYNTAX, lower};
use super::blocked::Blocked;
use super::downstream::Seat;
use super::engine::Wording;
use super::keyspace::DATABASES;
use crate::time::SECOND_US;
use crate::wire::Value;

type Section = (&'static str, fn(&Server, &mut String));

const SECTIONS: &[Section] = &[
    ("Server", Server::info_server),
    ("Clients", Server::info_clients),
    ("Memory", Server::info_memory),
    ("Persistence", Server::info_persistence),
    ("Stats", Server::info_stats),
    ("Replication", Server::info_replication),
    ("Cluster", Server::info_cluster),
    ("Keyspace", Server::info_keyspace),
];

/// What Valkey 9 says under `redis_version`, for programs that look at it.
const VALKEY_AS_REDIS: &str = "7.2.4";

/// Writing to a `String` cannot fail, so the result carries nothing.
macro_rules! field {
    ($out:expr, $($arg:tt)*) => { let _ = write!($out, "{}\r\n", format_args!($($arg)*)); };
}
use field;

impl Server {
    /// `INFO [section …]`; without one, or with `all`, `default`, `everything`: every section.
    /// Several sections from 7.0 on; one that there is not is empty.
    pub(super) fn info(&self, argv: &[Bytes]) -> Value {
        if argv.len() > 2 && !self.engine.newer_info {
            return Value::Error(Bytes::from_static(SYNTAX.as_bytes()));
        }
        let asked: Vec<String> = argv[1..].iter().map(lower).collect();
        let everything = ["all", "default", "everything"];
        let all = asked.is_empty() || asked.iter().any(|word| everything.contains(&word.as_str()));
        let mut out = String::new();
        for (name, write_fields) in SECTIONS {
            if all || asked.iter().any(|asked| name.eq_ignore_ascii_case(asked)) {
                let gap = if out.is_empty() { "" } else { "\r\n" };
                let _ = write!(out, "{gap}# {name}\r\n");
                write_fields(self, &mut out);
            }
        }
        Value::Bulk(Bytes::from(out))
    }

    fn is_valkey(&self) -> bool {
        self.engine.wording == Wording::Primary
    }

    fn info_server(&self, out: &mut String) {
        if self.is_valkey() {
            field!(out, "redis_version:{VALKEY_AS_REDIS}");
            field!(out, "server_name:valkey");
            field!(out, "valkey_version:{}", self.engine.version);
            field!(out, "valkey_release_stage:ga");
            field!(out, "server_mode:standalone");
        } else {
            field!(out, "redis_version:{}", self.engine.version);
            field!(out, "redis_mode:standalone");
        }
        field!(out, "arch_bits:64");
        field!(out, "run_id:{}", self.run_id);
        field!(out, "tcp_port:{}", self.config.port);
        field!(out, "server_time_usec:{}", self.unix_us());
        let uptime = self.now.us_since(self.started) / SECOND_US;
        field!(out, "uptime_in_seconds:{uptime}");
        field!(out, "uptime_in_days:{}", uptime / 86_400);
        field!(out, "hz:10");
        field!(out, "configured_hz:10");
        field!(out, "config_file:");
        if let Some(left) = self.shutdown_left_ms() {
            field!(out, "shutdown_in_milliseconds:{left}");
        }
    }

    fn info_clients(&self, out: &mut String) {
        let ordinary = self.clients.values().filter(|client| client.seat == Seat::Client);
        field!(out, "connected_clients:{}", ordinary.count());
        field!(out, "cluster_connections:0");
        let waits = |blocked: &&Blocked| !matches!(blocked, Blocked::Postponed(_));
        field!(out, "blocked_clients:{}", self.blocked.values().filter(waits).count());
        field!(out, "tracking_clients:0");
        if self.is_valkey() {
            field!(out, "pubsub_clients:0");
            field!(out, "total_watched_keys:{}", self.watchers.len());
            let (failing, stopping) = (self.failover.is_some(), self.shutdown.is_some());
            let reason = match (failing, stopping) {
                (_, true) => "shutdown_in_progress",
                (true, false) => "failover_in_progress",
                (false, false) => "none",
            };
            field!(out, "paused_reason:{reason}");
            field!(out, "paused_actions:{}", if failing || stopping { "write" } else { "none" });
        }
    }

    fn info_memory(&self, out: &mut String) {
        let memory =
            self.backlog.as_ref().map(|backlog| backlog.ledger().memory()).unwrap_or_default();
        field!(out, "maxmemory:0");
        field!(out, "maxmemory_policy:noeviction");
        field!(out, "mem_not_counted_for_evict:0");
        field!(out, "mem_replication_backlog:{}", memory.backlog);
        if self.engine.newer_info {
            field!(out, "mem_total_replication_buffers:{}", memory.total());
        }
        if self.is_valkey() {
            field!(out, "mem_replicas_repl_buffer:0");
        }
        field!(out, "mem_clients_slaves:{}", memory.replicas);
        field!(out, "mem_aof_buffer:0");
        field!(out, "lazyfree_pending_objects:0");
    }

    fn info_persistence(&self, out: &mut String) {
        let last = self.last_save;
        field!(out, "loading:0");
        if self.engine.newer_info {
            field!(out, "async_loading:0");
        }
        field!(out, "rdb_changes_since_last_save:{}", last.changes);
        field!(out, "rdb_bgsave_in_progress:{}", u8::from(self.is_saving()));
        field!(out, "rdb_last_save_time:{}", last.at_s);
        field!(out, "rdb_last_bgsave_status:{}", if last.ok { "ok" } else { "err" });
        field!(out, "rdb_last_bgsave_time_sec:{}", if last.count == 0 { -1 } else { 0 });
        field!(out, "rdb_current_bgsave_time_sec:{}", if self.is_saving() { 0 } else { -1 });
        if self.engine.newer_info {
            field!(out, "rdb_saves:{}", last.count);
        }
        field!(out, "aof_enabled:{}", u8::from(self.config.append_only));
        field!(out, "aof_rewrite_in_progress:0");
        field!(out, "aof_rewrite_scheduled:0");
        field!(out, "aof_last_bgrewrite_status:ok");
        field!(out, "aof_last_write_status:ok");
    }

    fn info_stats(&self, out: &mut String) {
        let counters = self.counters;
        field!(out, "total_connections_received:{}", counters.connections);
        field!(out, "total_commands_processed:{}", counters.commands);
        field!(out, "total_net_input_bytes:{}", counters.net_input);
        field!(out, "total_net_output_bytes:{}", counters.net_output);
        if self.engine.newer_info {
            field!(out, "total_net_repl_input_bytes:{}", counters.repl_input);
            field!(out, "total_net_repl_output_bytes:{}", counters.repl_output);
        }
        field!(out, "rejected_connections:0");
        field!(out, "sync_full:{}", counters.sync_full);
        field!(out, "sync_partial_ok:{}", counters.sync_partial_ok);
        field!(out, "sync_partial_err:{}", counters.sync_partial_err);
        field!(out, "expired_keys:{}", counters.expired_keys);
        field!(out, "evicted_keys:0");
        field!(out, "pubsub_channels:0");
        field!(out, "pubsub_patterns:0");
        if self.is_valkey() {
            let cuts = counters.output_limit_cuts;
            field!(out, "client_output_buffer_limit_disconnections:{cuts}");
        }
    }

    fn info_cluster(&self, out: &mut String) {
        field!(out, "cluster_enabled:0");
    }

    fn info_keyspace(&self, out: &mut String) {
        let more = if self.is_valkey() { ",keys_with_volatile_items=0" } else { "" };
        for db in 0..DATABASES {
            let (keys, expiring) = self.data.size_of(db);
            if keys > 0 {
                field!(out, "db{db}:keys={keys},expires={expiring},avg_ttl=0{more}");
            }
        }
    }
}
