//! How bytes get from one server of the world to another.

use bytes::Bytes;

use super::action::Direction;
use super::link::{Cargo, Connection, Lane, SEND_BUFFER_BYTES, Way};
use super::message;
use super::sim::{Event, World};
use super::trace::{Message, What};
use crate::server::{Address, ConnId, Input, Kind};
use crate::time::Instant;

/// After which time an attempt is refused when the network says at once that there is no way.
const REFUSAL_US: u64 = 1000;

impl World {
    pub(super) fn transmit(&mut self, server: usize, conn: ConnId, kind: Kind, bytes: Bytes) {
        let Some((id, way)) = self.end_of(server, conn) else { return };
        let Some(connection) = self.connections.get(&id) else { return };
        let (replica, master) = (connection.dialer, connection.acceptor);
        let to_replica = way == Way::ToReplica;
        let raw = message::raw(kind, &bytes);
        let length = bytes.len() as u64;
        self.meter.sent(kind.into(), length);
        let meaning = message::meaning(kind, to_replica, &raw);
        let mut rest = bytes;
        let mut arrives = None;
        while !rest.is_empty() {
            let piece = rest.split_to(self.links[replica].segment_bytes(kind).min(rest.len()));
            arrives = self.put_on_the_wire(id, way, Cargo::Bytes(kind, piece));
        }
        self.record(What::Message(Message {
            replica,
            master,
            to_replica,
            kind: kind.into(),
            bytes: length,
            arrives,
            raw,
            meaning,
        }));
    }

    /// When it arrives; none when the way is cut, and then it waits.
    fn put_on_the_wire(&mut self, id: u64, way: Way, cargo: Cargo) -> Option<Instant> {
        let connection = self.connections.get_mut(&id)?;
        let link = &self.links[connection.dialer];
        let lane = connection.lane_mut(way);
        let arrives = lane.send(cargo, link, &mut self.rng, self.now);
        if link.blocks(way) || lane.held {
            return None;
        }
        if let Some((at, room)) = lane.room_to_return() {
            self.schedule(at, Event::Room(id, way, room));
        }
        self.schedule(arrives, Event::Deliver(id, way));
        Some(arrives)
    }

    pub(super) fn deliver(&mut self, id: u64, way: Way) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if self.links[connection.dialer].blocks(way) || connection.lane(way).held {
            return;
        }
        let receiver = connection.receiver(way);
        let lane = connection.lane_mut(way);
        let (Some(cargo), deaf) = (lane.pop_due(self.now), lane.deaf) else { return };
        match (cargo, receiver) {
            (Cargo::Bytes(_, bytes), Some((server, conn))) if !deaf => {
                self.give(server, Input::Received { conn, bytes });
            }
            (Cargo::Bytes(..), _) => {}
            (Cargo::End, receiver) => {
                self.forget_connection(id);
                if let Some((server, conn)) = receiver.filter(|_| !deaf) {
                    self.give(server, Input::Closed { conn });
                }
            }
        }
    }

    pub(super) fn give_room(&mut self, id: u64, way: Way, room: u64) {
        let Some(connection) = self.connections.get(&id) else { return };
        // Who has closed has no use for it, and after a restart the number may mean another one.
        let closed = connection.lane(way.back()).deaf;
        if let Some((server, conn)) = connection.sender(way).filter(|_| !closed) {
            self.give(server, Input::Writable { conn, room });
        }
    }

    pub(super) fn dial(&mut self, dialer: usize, conn: ConnId, to: &Address) {
        let acceptor = self.nodes.iter().position(|node| node.address == *to);
        let id = self.new_connection_id();
        let known = acceptor.filter(|acceptor| *acceptor != dialer);
        self.ends.insert((dialer, conn), (id, Way::ToMaster));
        self.connections.insert(
            id,
            Connection {
                dialer,
                acceptor: known.unwrap_or(dialer),
                dial_conn: conn,
                accept_conn: None,
                to_replica: Lane::default(),
                to_master: Lane::default(),
            },
        );
        let link = &self.links[dialer];
        if known.is_none() || (link.cut_to_replica && link.cut_to_master) {
            self.schedule(self.now.after_us(REFUSAL_US), Event::Refuse(id));
        } else {
            // SYN there, SYN-ACK back.
            self.schedule(self.now.after_us(2 * link.latency_us), Event::Establish(id));
        }
    }

    pub(super) fn establish(&mut self, id: u64) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (dialer, acceptor) = (connection.dialer, connection.acceptor);
        // Through a link that is cut one way no handshake gets; it is tried again when it heals.
        if connection.accept_conn.is_some() || self.links[dialer].is_cut() {
            return;
        }
        if self.nodes[acceptor].killed {
            return self.refuse(id);
        }
        let dial_conn = connection.dial_conn;
        let accept_conn = self.take_accepted(acceptor);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.accept_conn = Some(accept_conn);
        }
        self.ends.insert((acceptor, accept_conn), (id, Way::ToReplica));
        let peer_ip = self.nodes[dialer].address.host.clone();
        // Any number will do; this one tells connections apart.
        let peer_port = 40_000 + u16::try_from(id % 20_000).unwrap_or(0);
        let room = SEND_BUFFER_BYTES;
        self.give(acceptor, Input::Accepted { conn: accept_conn, peer_ip, peer_port, room });
        self.give(dialer, Input::Dialed { conn: dial_conn, room });
    }

    pub(super) fn refuse(&mut self, id: u64) {
        if let Some(connection) = self.forget_connection(id) {
            self.give(connection.dialer, Input::Closed { conn: connection.dial_conn });
        }
    }

    /// A server closes its end: what it sent before still arrives, and then the end.
    pub(super) fn close(&mut self, server: usize, conn: ConnId) {
        let Some((id, way)) = self.end_of(server, conn) else { return };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.accept_conn.is_none() {
            self.forget_connection(id);
            return;
        }
        connection.lane_mut(way.back()).deaf = true;
        self.put_on_the_wire(id, way, Cargo::End);
    }

    /// A server stops reading from its end: what comes waits on the way.
    pub(super) fn pause(&mut self, server: usize, conn: ConnId) {
        let Some((id, way)) = self.end_of(server, conn) else { return };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.lane_mut(way.back()).held = true;
        }
    }

    /// A server reads on.
    pub(super) fn resume(&mut self, server: usize, conn: ConnId) {
        let Some((id, way)) = self.end_of(server, conn) else { return };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (link, way) = (&self.links[connection.dialer], way.back());
        let lane = connection.lane_mut(way);
        lane.held = false;
        if link.blocks(way) {
            return;
        }
        let room = lane.take_unreturned();
        let arrivals: Vec<Instant> = lane.segments.iter().map(|segment| segment.arrives).collect();
        if room > 0 {
            self.schedule(self.now, Event::Room(id, way, room));
        }
        for at in arrivals {
            self.schedule(at, Event::Deliver(id, way));
        }
    }

    /// The connection that a server knows by this number, and which way it sends on it.
    fn end_of(&self, server: usize, conn: ConnId) -> Option<(u64, Way)> {
        self.ends.get(&(server, conn)).copied()
    }

    fn forget_connection(&mut self, id: u64) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        // A server that was restarted numbers from 1 again: its place may be taken by now.
        self.ends.retain(|_, (other, _)| *other != id);
        Some(connection)
    }

    /// Ends every connection of a server, as when its process ends.
    pub(super) fn close_all(&mut self, server: usize) {
        let of_server = self.ends.keys().filter(|(other, _)| *other == server);
        let ends: Vec<ConnId> = of_server.map(|(_, conn)| *conn).collect();
        for conn in ends {
            self.close(server, conn);
        }
    }

    /// Cuts a link; says whether that changed anything.
    pub(super) fn cut(&mut self, replica: usize, direction: Direction) -> bool {
        let changed = self.links[replica].set_cut(direction, true);
        let link = &self.links[replica];
        if changed && link.cut_to_replica && link.cut_to_master {
            self.reset_connections(replica);
        }
        self.note_link_state(replica);
        changed
    }

    /// Nothing passes any more: both ends are told, and what was under way is lost.
    fn reset_connections(&mut self, replica: usize) {
        let on_link = |connection: &Connection| connection.dialer == replica;
        let ids: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| on_link(connection))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let Some(connection) = self.forget_connection(id) else { continue };
            for way in [Way::ToMaster, Way::ToReplica] {
                let listens = !connection.lane(way).deaf;
                if let Some((server, conn)) = connection.receiver(way).filter(|_| listens) {
                    self.give(server, Input::Closed { conn });
                }
            }
        }
    }

    /// Heals a link; says whether that changed anything. What waited goes out now.
    pub(super) fn heal(&mut self, replica: usize, direction: Direction) -> bool {
        let before = self.links[replica].clone();
        let changed = self.links[replica].set_cut(direction, false);
        let mut due = Vec::new();
        for (id, connection) in self.connections.iter_mut() {
            if connection.dialer != replica || !changed {
                continue;
            }
            let link = &self.links[replica];
            if connection.accept_conn.is_none() && !link.is_cut() {
                due.push((self.now.after_us(2 * link.latency_us), Event::Establish(*id)));
            }
            for way in [Way::ToMaster, Way::ToReplica] {
                let held = connection.lane(way).held;
                if before.blocks(way) && !link.blocks(way) && !held {
                    let lane = connection.lane_mut(way);
                    let room = lane.take_unreturned();
                    let arrivals = lane.resend(link, self.now);
                    if room > 0 {
                        due.push((self.now, Event::Room(*id, way, room)));
                    }
                    due.extend(arrivals.into_iter().map(|at| (at, Event::Deliver(*id, way))));
                }
            }
        }
        for (at, event) in due {
            self.schedule(at, event);
        }
        self.note_link_state(replica);
        changed
    }
}
