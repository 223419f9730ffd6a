//! Looking at a world: snapshots, decisions as records, and the bytes under the pointer.

use super::decision::{CounterMoved, DecisionRecord, Remedy, RequestRecord, Verdict, WindowRecord};
use super::link::{Cargo, Connection, Way};
use super::message;
use super::scenario::LARGEST_NUMBER;
use super::sim::{Node, World};
use super::snapshot::{
    BacklogSnapshot, Counters, LinkSnapshot, LinkState, ListSnapshot, MemorySnapshot, Packet, Role,
    ServerSnapshot, Snapshot, Transfer,
};
use super::trace::What;
use crate::server::{Address, ConnId, Decided, LinkStatus, Phase, Server};
use crate::stream::backlog::{Kept, Retention};
use crate::stream::checks::checks;
use crate::stream::offset::{ByteCount, BytePos, Offset};
use crate::stream::psync::Decision;
use crate::time::SECOND_US;

/// What stands at one position of a server's backlog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesAt {
    /// Where the command begins that this byte belongs to.
    pub command_first: i64,
    /// How long that command is; its beginning may be overwritten already.
    pub command_len: u64,
    /// The kept bytes of the command, printable, at most 160 of them.
    pub text: String,
    /// The command in words, at most one line: `SET key:7 abc…`.
    pub command: String,
}

/// The most bytes of a command that are shown.
const SHOWN_BYTES: usize = 160;
/// The most bytes of it that are read.
const READ_BYTES: u64 = 4096;

impl World {
    /// What can be seen now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            now_us: self.now.0,
            servers: (0..self.nodes.len()).map(|index| self.server_snapshot(index)).collect(),
            packets: self.packets(),
            write_bytes_per_second: self.rate_of(self.writable().unwrap_or(0)),
        }
    }

    fn server_snapshot(&self, index: usize) -> ServerSnapshot {
        let node = &self.nodes[index];
        let (server, history) = (&node.server, node.server.history());
        let counters = server.counters();
        let link = server.link().map(|link| self.link_snapshot(index, &link));
        ServerSnapshot {
            name: node.name.clone(),
            role: if link.is_some() { Role::Replica } else { Role::Master },
            run_id: server.run_id().to_string(),
            replid: history.replid.to_string(),
            replid2: history.replid2().to_string(),
            second_replid_offset: history.second_replid_offset().0,
            master_repl_offset: server.applied().0,
            backlog: server.backlog().map(|backlog| self.backlog_snapshot(backlog)),
            link,
            counters: Counters {
                sync_full: counters.sync_full,
                sync_partial_ok: counters.sync_partial_ok,
                sync_partial_err: counters.sync_partial_err,
            },
            keys: server.data().len() as u64,
            dataset_digest: format!("{:016x}", server.data().digest()),
            frozen: node.frozen,
            killed: node.killed,
            backlog_ttl_left_us: server.backlog_ttl_left_us(self.now),
            connected_replicas: server.connected_replicas() as u64,
        }
    }

    fn backlog_snapshot(&self, backlog: &dyn Retention) -> BacklogSnapshot {
        let ledger = backlog.ledger();
        let window = ledger.window();
        let (blocks, lists) = (ledger.blocks(), ledger.lists());
        let name = |id| {
            let node = self.nodes.iter().find(|node| Some(node.server.run_id()) == id);
            node.map(|node| node.name.clone())
        };
        let list = |kept: &Kept| ListSnapshot {
            replica: name(kept.name),
            attached: kept.reader.is_some(),
            first_byte_offset: kept.first.0,
            histlen: kept.first.until(window.next()).map_or(0, |count| count.0),
            unsent_bytes: kept.unsent.until(window.next()).map_or(0, |count| count.0),
        };
        let memory = backlog.compared().into_iter().flatten();
        let is_ring = blocks.is_empty() && lists.is_empty() && window.histlen.0 > 0;
        // A ring begins at index 0 with the first byte that it ever kept.
        let fed = window.kept_since.until(window.next()).map_or(0, |count| count.0);
        BacklogSnapshot {
            first_byte_offset: window.first.0,
            histlen: window.histlen.0,
            // Numbers travel through JavaScript; a backlog of 2^53 bytes is as good as more.
            size: window.size.0.min(LARGEST_NUMBER),
            index: is_ring.then(|| fed % window.size.0),
            blocks: Some(blocks).filter(|blocks| !blocks.is_empty()),
            lists: Some(lists.iter().map(list).collect())
                .filter(|lists: &Vec<_>| !lists.is_empty()),
            memory: memory
                .map(|(keeping, memory)| MemorySnapshot {
                    keeping: keeping.name(),
                    backlog_bytes: memory.backlog.min(LARGEST_NUMBER),
                    replicas_bytes: memory.replicas.min(LARGEST_NUMBER),
                })
                .collect(),
        }
    }

    /// Where a replica is attached: its master, and the number of its connection there.
    fn attached_at(&self, replica: usize) -> Option<(usize, ConnId)> {
        let master = self.nodes[replica].server.link()?.master;
        let here = |connection: &&Connection| {
            connection.dialer == replica && self.nodes[connection.acceptor].address == master
        };
        let attached = |connection: &Connection| {
            let (master, conn) = (connection.acceptor, connection.accept_conn?);
            self.nodes[master].server.is_replica(conn).then_some((master, conn))
        };
        // One that is there for a snapshot alone is not where it is attached.
        let streams =
            |(master, conn): &(usize, ConnId)| !self.nodes[*master].server.is_rdb_channel(*conn);
        let connections = self.connections.values().filter(here);
        connections.filter_map(attached).filter(streams).last()
    }

    fn master_of(&self, address: &Address) -> Option<&Node> {
        self.nodes.iter().find(|node| node.address == *address)
    }

    fn link_snapshot(&self, index: usize, status: &LinkStatus) -> LinkSnapshot {
        let (server, link) = (&self.nodes[index].server, &self.links[index]);
        let master = self.master_of(&status.master);
        let request = server.next_request();
        let master_history = master.map(|node| node.server.history());
        let same_history = !request.wants_full()
            && master_history.is_some_and(|history| {
                history.replid.matches(&request.replid)
                    || history.replid2().matches(&request.replid)
            });
        let behind = match master_history {
            Some(history) if same_history => server.applied().behind(history.end),
            Some(history) => Offset::ZERO.behind(history.end),
            None => ByteCount::ZERO,
        };
        let room = if same_history {
            master.and_then(|node| room_of(&node.server, server, request.pos))
        } else {
            None
        };
        let rate = status.master.clone();
        let rate = self.nodes.iter().position(|n| n.address == rate).map_or(0, |i| self.rate_of(i));
        let up = status.phase == Phase::Connected;
        let attached = self.attached_at(index);
        LinkSnapshot {
            state: self.link_state(index, status.phase),
            master: master.map_or_else(String::new, |node| node.name.clone()),
            behind_bytes: behind.0,
            covered_us: room.filter(|_| !up).and_then(|room| covered_us(room, rate)),
            room_bytes: room,
            next_byte: if request.wants_full() { -1 } else { request.pos.0 },
            asks_replid: (!request.wants_full())
                .then(|| String::from_utf8_lossy(&request.replid).into_owned()),
            same_history,
            cut_to_replica: link.cut_to_replica,
            cut_to_master: link.cut_to_master,
            down_since_us: status.down_since.map(|at| at.0),
            latency_us: link.latency_us,
            bandwidth_bytes_per_second: link.bandwidth_bytes_per_second,
            loss: link.loss.map(|loss| format!("{}/{}", loss.lost, loss.of)),
            transfer: status.transfer.map(|(received, total)| Transfer { received, total }),
            output_bytes: attached.map(|(at, conn)| self.nodes[at].server.output_of(conn)),
            output_limit_bytes: master
                .map(|node| node.server.hard_limit_bytes())
                .filter(|n| *n > 0),
            reads_block: attached.and_then(|(at, conn)| {
                self.nodes[at].server.backlog()?.ledger().reads_block(conn.0)
            }),
        }
    }

    fn link_state(&self, index: usize, phase: Phase) -> LinkState {
        match phase {
            _ if self.links[index].is_cut() => LinkState::Cut,
            Phase::Connected => LinkState::Up,
            Phase::Connect | Phase::Connecting => LinkState::Connecting,
            Phase::Handshake => LinkState::Handshake,
            Phase::Transfer => LinkState::Transfer,
        }
    }

    /// Bytes of history per second, as a mean over the last seconds.
    fn rate_of(&self, index: usize) -> u64 {
        let node = &self.nodes[index];
        let Some((since, from)) = node.rate.front() else { return 0 };
        let span = self.now.us_since(*since);
        let written = node.server.history().end.0.saturating_sub(*from);
        // A stretch of less than a sample would make a single write look like a flood.
        written.saturating_mul(SECOND_US) / span.max(SECOND_US / 2)
    }

    fn packets(&self) -> Vec<Packet> {
        let mut packets = Vec::new();
        for connection in self.connections.values() {
            for way in [Way::ToMaster, Way::ToReplica] {
                if self.links[connection.dialer].blocks(way) {
                    continue;
                }
                for segment in &connection.lane(way).segments {
                    let Cargo::Bytes(kind, bytes) = &segment.cargo else { continue };
                    packets.push(Packet {
                        replica: connection.dialer,
                        to_replica: way == Way::ToReplica,
                        sent_us: segment.sent.0,
                        arrives_us: segment.arrives.0,
                        kind: (*kind).into(),
                        bytes: bytes.len() as u64,
                        label: message::label(*kind, bytes),
                    });
                }
            }
        }
        packets
    }

    /// Writes down that a link's state changed.
    pub(super) fn note_link_state(&mut self, index: usize) {
        let phase = self.nodes[index].server.link_phase();
        let state = phase.map(|phase| self.link_state(index, phase));
        if self.nodes[index].link_state != state {
            self.meter.link(index, self.nodes[index].link_state, state, self.now);
            self.nodes[index].link_state = state;
            if let Some(state) = state {
                self.record(What::Link { replica: index, state });
            }
        }
    }

    /// Writes down which absent replicas lost their next byte to the write head of this server.
    pub(super) fn note_overruns(&mut self, master: usize) {
        if self.nodes[master].server.window().is_none() {
            return;
        }
        let absent = |node: &Node| {
            matches!(node.server.link_phase(), Some(Phase::Connect | Phase::Connecting))
        };
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            if !absent(node) {
                self.nodes[index].overrun = false;
                continue;
            }
            let Some(link) = node.server.link() else { continue };
            let (request, keeper) = (node.server.next_request(), &self.nodes[master].server);
            let shares = link.master == self.nodes[master].address
                && keeper.history().replid.matches(&request.replid);
            let gone = room_of(keeper, &node.server, request.pos).is_none_or(|room| room < 0);
            if shares && gone && !node.overrun {
                self.nodes[index].overrun = true;
                self.record(What::Overrun { replica: index });
            }
        }
    }

    /// Writes down a decision.
    pub(super) fn decided(&mut self, master: usize, decided: &Decided) {
        let replica = self
            .ends
            .get(&(master, decided.conn))
            .and_then(|(id, _)| self.connections.get(id))
            .map(|connection| self.nodes[connection.dialer].name.clone());
        let record = DecisionRecord {
            seq: self.next_entry(),
            at_us: self.now.0,
            master: self.nodes[master].name.clone(),
            replica: replica.unwrap_or_else(|| decided.peer.clone()),
            ..DecisionRecord::from(decided)
        };
        self.meter.decided(record.verdict == Verdict::Full);
        self.record(What::Decision(Box::new(record)));
    }

    /// The byte at a position of a server's backlog, with the command it belongs to.
    #[must_use]
    pub fn bytes_at(&self, server: usize, pos: i64) -> Option<BytesAt> {
        let server = &self.nodes.get(server)?.server;
        let (first, len) = server.command_at(BytePos(pos))?;
        let kept_from = first.max(server.window()?.first);
        let gone = first.until(kept_from)?.0;
        // Read as a command it must be whole, however little of it is shown.
        let bytes = server.kept_bytes(kept_from, ByteCount((len - gone).min(READ_BYTES)));
        Some(BytesAt {
            command_first: first.0,
            command_len: len,
            text: message::printable(&bytes[..bytes.len().min(SHOWN_BYTES)]),
            command: message::raw(crate::server::Kind::Stream, &bytes),
        })
    }
}

impl From<&Decided> for DecisionRecord {
    fn from(decided: &Decided) -> DecisionRecord {
        let request = &decided.request;
        let (verdict, reason, bytes) = match &decided.decision {
            Decision::Partial { len, .. } => (Verdict::Partial, None, *len),
            Decision::Full { reason } => (Verdict::Full, Some(reason), decided.full_bytes),
        };
        let known = decided.history.replid.matches(&request.replid)
            || decided.history.replid2().matches(&request.replid);
        let missing = request.pos.until(decided.history.end.next()).filter(|_| known);
        let moved = |name, value| CounterMoved { name, value };
        let counters = &decided.counters;
        let counters_moved = match reason {
            None => vec![moved("sync_partial_ok", counters.sync_partial_ok)],
            Some(reason) => {
                let full = moved("sync_full", counters.sync_full);
                let full = Some(full).filter(|_| !decided.two_channels);
                let refused = moved("sync_partial_err", counters.sync_partial_err);
                full.into_iter().chain(reason.counts_as_error().then_some(refused)).collect()
            }
        };
        let window = decided.window.as_ref();
        DecisionRecord {
            seq: 0,
            at_us: 0,
            master: String::new(),
            replica: String::new(),
            request: RequestRecord {
                replid: String::from_utf8_lossy(&request.replid).into_owned(),
                offset: request.pos.0,
            },
            verdict,
            reason: reason.map(|reason| reason.name()),
            window: window.and_then(|window| {
                Some(WindowRecord { first: window.first.0, last: window.last()?.0 })
            }),
            bytes: bytes.0,
            full_bytes: decided.full_bytes.0,
            missing_bytes: missing.map(|count| count.0),
            remedy: decided.remedy.as_ref().map(|remedy| {
                let (directive, value) = remedy.setting();
                Remedy { directive, value }
            }),
            log_line: decided.log_line.clone(),
            checks: checks(&decided.history, window, request),
            counters_moved,
        }
    }
}

/// Bytes that may still be written before `pos`, which this replica needs next, is dropped;
/// negative when it is gone.
fn room_of(master: &Server, replica: &Server, pos: BytePos) -> Option<i64> {
    let ledger = master.backlog()?.ledger();
    let window = ledger.window_for(Some(replica.run_id()))?;
    if let Some(gone) = pos.until(window.first).filter(|gone| gone.0 > 0) {
        return i64::try_from(gone.0).ok().map(|gone| -gone);
    }
    pos.until(window.next())?;
    // A ring of 16 that holds 10 bytes which this reader lacks has room for 6 more.
    let needed = ledger.size_for(pos)?;
    let size = i64::try_from(window.size.0.min(LARGEST_NUMBER)).ok()?;
    Some(size.saturating_sub(needed).clamp(0, LARGEST_NUMBER as i64))
}

fn covered_us(room: i64, rate: u64) -> Option<u64> {
    let Ok(room) = u64::try_from(room) else { return Some(0) };
    let us = u128::from(room) * u128::from(SECOND_US);
    let us = us.checked_div(u128::from(rate))?;
    Some(u64::try_from(us).unwrap_or(LARGEST_NUMBER).min(LARGEST_NUMBER))
}
