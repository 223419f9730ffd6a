//! INFO replication, and ROLE.

use std::fmt::Write;

use bytes::Bytes;

use super::field;
use crate::server::downstream::Seat;
use crate::server::engine::Naming;
use crate::server::{Phase, Server};
use crate::time::{Instant, SECOND_US};
use crate::wire::Value;

impl Server {
    /// What `INFO replication` and `ROLE` answer at `now`, without asking: nothing is counted and
    /// nothing moves, so that it can be looked at ten times a second.
    #[must_use]
    pub fn says(&self, now: Instant) -> (String, Value) {
        let mut info = "# Replication\r\n".to_owned();
        self.info_replication_at(now.max(self.now), &mut info);
        (info, self.role())
    }

    pub(super) fn info_replication(&self, out: &mut String) {
        self.info_replication_at(self.now, out);
    }

    fn info_replication_at(&self, now: Instant, out: &mut String) {
        let role = if self.upstream.is_some() { "slave" } else { "master" };
        field!(out, "role:{role}");
        if self.upstream.is_some() {
            self.info_upstream(now, out);
        }
        field!(out, "connected_slaves:{}", self.replicas().count());
        if let Some(good) = self.good_replicas() {
            field!(out, "min_slaves_good_slaves:{good}");
        }
        for (index, conn) in self.replicas().enumerate() {
            let Some(client) = self.clients.get(&conn) else { continue };
            let Seat::Replica(seat) = &client.seat else { continue };
            let state = seat.state();
            let ip = client.announced.ip.as_ref().unwrap_or(&client.peer_ip);
            let port = client.announced.port.unwrap_or(0);
            let lag = if seat.is_online() { now.whole_seconds_since(seat.heard) } else { 0 };
            let acked = seat.acked;
            let more = match self.engine.dual_channel {
                true => format!(",type={}", self.channel_name(conn, seat.stage)),
                false => String::new(),
            };
            field!(
                out,
                "slave{index}:ip={ip},port={port},state={state},offset={acked},lag={lag}{more}"
            );
        }
        if self.is_valkey() {
            field!(out, "replicas_waiting_psync:{}", self.replicas_waiting_psync());
        }
        if self.engine.vocabulary.failover {
            field!(out, "master_failover_state:{}", self.failover_state());
        }
        let named = self.engine.naming == Naming::ReplicationId;
        if named {
            field!(out, "master_replid:{}", self.history.replid);
            field!(out, "master_replid2:{}", self.history.replid2());
        }
        // After SYNC a history is counted from -1, and its first byte is number 0.
        let unnumbered = i64::from(self.link().is_some_and(|link| link.is_unnumbered()));
        let end = self.history.end.next().0 - 1 - unnumbered;
        field!(out, "master_repl_offset:{end}");
        if named {
            field!(out, "second_repl_offset:{}", self.history.second_replid_offset());
        }
        let window = self.window();
        field!(out, "repl_backlog_active:{}", u8::from(window.is_some()));
        field!(out, "repl_backlog_size:{}", self.config.backlog_bytes);
        let (first, histlen) = window.map_or((0, 0), |w| (w.first.0 - unnumbered, w.histlen.0));
        field!(out, "repl_backlog_first_byte_offset:{first}");
        field!(out, "repl_backlog_histlen:{histlen}");
    }

    fn info_upstream(&self, now: Instant, out: &mut String) {
        let Some(link) = self.link() else { return };
        let up = link.phase == Phase::Connected;
        field!(out, "master_host:{}", link.master.host);
        field!(out, "master_port:{}", link.master.port);
        field!(out, "master_link_status:{}", if up { "up" } else { "down" });
        let silence = if up { now.us_since(link.last_io) / SECOND_US } else { 0 };
        let silence = if up { silence.to_string() } else { "-1".to_owned() };
        field!(out, "master_last_io_seconds_ago:{silence}");
        let transfer = link.transfer;
        field!(out, "master_sync_in_progress:{}", u8::from(transfer.is_some()));
        if let Some((received, total)) = transfer {
            let total = total.unwrap_or(0);
            field!(out, "master_sync_total_bytes:{total}");
            field!(out, "master_sync_read_bytes:{received}");
            field!(out, "master_sync_left_bytes:{}", total.saturating_sub(received));
            // In hundredths of a percent, so that nothing here needs a floating-point number.
            let perc = (received * 10_000).checked_div(total).unwrap_or(0);
            field!(out, "master_sync_perc:{}.{:02}", perc / 100, perc % 100);
            let silence = now.us_since(link.last_io) / SECOND_US;
            field!(out, "master_sync_last_io_seconds_ago:{silence}");
        }
        if self.engine.vocabulary.failover {
            field!(out, "slave_read_repl_offset:{}", link.read_offset(self.history.end));
        }
        field!(out, "slave_repl_offset:{}", link.applied_offset(self.history.end));
        if self.is_valkey() {
            field!(out, "replicas_repl_buffer_size:{}", link.buffered);
            field!(out, "replicas_repl_buffer_peak:{}", link.buffer_peak);
        }
        if let Some(since) = link.down_since {
            let seconds = now.us_since(since) / SECOND_US;
            field!(out, "master_link_down_since_seconds:{seconds}");
        }
        field!(out, "slave_priority:{}", self.config.replica_priority);
        field!(out, "slave_read_only:{}", u8::from(self.config.replica_read_only));
        field!(out, "replica_announced:1");
    }

    /// `ROLE`.
    pub(in crate::server) fn role(&self) -> Value {
        let word = |text: &str| Value::Bulk(Bytes::copy_from_slice(text.as_bytes()));
        let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        if let Some(link) = self.link() {
            let up = link.phase == Phase::Connected;
            return Value::Array(vec![
                word("slave"),
                word(&link.master.host),
                Value::Integer(i64::from(link.master.port)),
                word(link.phase.name()),
                Value::Integer(if up { link.applied_offset(self.history.end) } else { -1 }),
            ]);
        }
        let online = self.replicas().filter_map(|conn| {
            let client = self.clients.get(&conn)?;
            let Seat::Replica(seat) = &client.seat else { return None };
            let ip = client.announced.ip.as_ref().unwrap_or(&client.peer_ip);
            let port = client.announced.port.unwrap_or(0).to_string();
            let row = vec![word(ip), word(&port), word(&seat.acked.to_string())];
            seat.is_online().then_some(Value::Array(row))
        });
        let replicas = Value::Array(online.collect());
        Value::Array(vec![word("master"), number(self.history.end.0), replicas])
    }
}
