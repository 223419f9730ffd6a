//! REPLICAOF, PSYNC, SYNC, REPLCONF, ROLE: the commands that make masters and replicas.

use bytes::Bytes;

use super::answer::{Answer, NOT_AN_INTEGER, SYNTAX, error, ok, simple, text};
use super::downstream::Seat;
use super::engine::Naming;
use super::{Address, ConnId, Server};
use crate::stream::history::ReplId;
use crate::wire::parse_integer;

/// `REPLCONF <option> <value> …`. An unknown option is an error, an unknown capability is not.
pub fn replconf(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    if argv.len().is_multiple_of(2) {
        return error(SYNTAX);
    }
    for pair in argv[1..].chunks_exact(2) {
        let (option, value) = (pair[0].to_ascii_lowercase(), &pair[1]);
        match option.as_slice() {
            b"ack" => {
                server.acknowledged(conn, value);
                return None;
            }
            b"getack" => return None,
            _ => {}
        }
        match server.dual_channel_option(conn, &option, value) {
            Some(Ok(())) => continue,
            Some(Err(refused)) => return error(refused),
            None => {}
        }
        let (knows_version, knows_run_id) =
            (server.engine.handshake.version, server.engine.handshake.run_id);
        let announced = &mut server.clients.get_mut(&conn)?.announced;
        match option.as_slice() {
            b"listening-port" => match parse_integer(value).and_then(|n| u16::try_from(n).ok()) {
                Some(port) => announced.port = Some(port),
                None => return error(NOT_AN_INTEGER),
            },
            b"ip-address" => announced.ip = Some(text(value)).filter(|ip| !ip.is_empty()),
            b"capa" if value.eq_ignore_ascii_case(b"eof") => announced.eof = true,
            b"capa" if value.eq_ignore_ascii_case(b"psync2") => announced.psync2 = true,
            b"capa" => {}
            b"version" if knows_version => announced.version = Some(text(value)),
            b"run-id" if knows_run_id => announced.run_id = ReplId::try_from(&value[..]).ok(),
            _ => return error(format!("ERR Unrecognized REPLCONF option: {}", text(&pair[0]))),
        }
    }
    ok()
}

pub fn replicaof(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    if server.failover.is_some() {
        return error("ERR REPLICAOF not allowed while failing over.");
    }
    if argv[1].eq_ignore_ascii_case(b"no") && argv[2].eq_ignore_ascii_case(b"one") {
        if server.upstream.is_some() {
            server.promote();
            let by = server.requested_by(conn);
            server.log(format!("MASTER MODE enabled (user request{by})"));
        }
        return ok();
    }
    let Some(port) = parse_integer(&argv[2]).and_then(|n| u16::try_from(n).ok()) else {
        return error("ERR Invalid master port");
    };
    let master = Address { host: text(&argv[1]), port };
    if server.upstream.as_ref().is_some_and(|upstream| *upstream.master() == master) {
        server.log(
            "REPLICAOF would result into synchronization with the master we are already \
             connected with. No operation performed.",
        );
        return simple("OK Already connected to specified master");
    }
    let enabled = format!("REPLICAOF {}:{} enabled", master.host, master.port);
    server.change_master(master);
    let by = server.requested_by(conn);
    server.log(format!("{enabled} (user request{by})"));
    ok()
}

impl Server {
    /// Who wants a role changed, as logs say it from 4.0 on.
    fn requested_by(&self, conn: ConnId) -> String {
        match self.engine.naming {
            Naming::RunId => String::new(),
            Naming::ReplicationId => format!(" from '{}'", self.client_line(conn)),
        }
    }

    /// `PSYNC <id> <offset> FAILOVER` to a replica whose history that is: it takes over. Gives the
    /// error when it must not.
    pub(super) fn take_over(&mut self, conn: ConnId, argv: &[Bytes]) -> Option<&'static str> {
        let asked = argv.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"failover"));
        if !asked || !self.engine.vocabulary.failover {
            return None;
        }
        self.log(format!("Failover request received for replid {}.", text(&argv[1])));
        if self.upstream.is_none() {
            return Some("ERR PSYNC FAILOVER can't be sent to a master.");
        }
        if !self.history.replid.matches(&argv[1]) {
            return Some("ERR PSYNC FAILOVER replid must match my replid.");
        }
        self.promote();
        let client = self.client_line(conn);
        self.log(format!("MASTER MODE enabled (failover request from '{client}')"));
        None
    }
}

pub fn psync(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    // From a connection that is a replica already, PSYNC and SYNC are ignored.
    if !matches!(server.clients.get(&conn)?.seat, Seat::Replica(_)) {
        server.psync(conn, argv);
    }
    None
}

pub fn sync(server: &mut Server, conn: ConnId, _: &[Bytes]) -> Answer {
    if !matches!(server.clients.get(&conn)?.seat, Seat::Replica(_)) {
        server.sync(conn);
    }
    None
}
