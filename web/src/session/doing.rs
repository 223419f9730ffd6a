//! What is asked of one server, put into actions: its link, its process, its role.
//!
//! A toggle looks at the snapshot for what it is to do. What would change nothing is asked of the
//! world all the same: its refusal says why.

use super::Session;
use crate::state::Switch;
use crate::world::{Action, Direction, LinkState};

impl Session {
    pub(super) fn toggle_link(&mut self, replica: usize) -> Result<(), String> {
        let Some(server) = self.snapshot.servers.get(replica) else {
            return Err(format!("there is no replica {replica}"));
        };
        let Some(link) = &server.link else {
            return Err(format!("{} has no master", server.name));
        };
        let cut = link.state == LinkState::Cut || link.cut_to_replica || link.cut_to_master;
        let (replica, direction) = (server.name.clone(), Direction::Both);
        let action = match cut {
            true => Action::Heal { replica, direction },
            false => Action::Cut { replica, direction },
        };
        self.act(action).map(drop)
    }

    fn name(&self, server: usize) -> Result<String, String> {
        let found = self.snapshot.servers.get(server);
        found
            .map(|server| server.name.clone())
            .ok_or_else(|| format!("there is no server {server}"))
    }

    pub(super) fn promote(&mut self, server: usize) -> Result<(), String> {
        let server = self.name(server)?;
        self.act(Action::Promote { server }).map(drop)
    }

    pub(super) fn follow(&mut self, server: usize, master: usize) -> Result<(), String> {
        let (server, master) = (self.name(server)?, self.name(master)?);
        self.act(Action::ReplicaOf { server, master }).map(drop)
    }

    pub(super) fn follow_next(&mut self, server: usize) -> Result<(), String> {
        let servers = &self.snapshot.servers;
        let present = servers.get(server).and_then(|found| found.link.as_ref());
        let present = present.and_then(|link| servers.iter().position(|s| s.name == link.master));
        // From a master on: after itself.
        let from = present.unwrap_or(server);
        let next = (1..=servers.len()).map(|step| (from + step) % servers.len());
        let next = next.into_iter().find(|next| *next != server);
        self.follow(server, next.ok_or("there is nobody to follow")?)
    }

    pub(super) fn toggle(&mut self, switch: Switch, server: usize) -> Result<(), String> {
        let name = self.name(server)?;
        let found = &self.snapshot.servers[server];
        let cut = found
            .link
            .as_ref()
            .map_or((false, false), |link| (link.cut_to_replica, link.cut_to_master));
        let (direction, cut) = match switch {
            Switch::Frozen | Switch::Killed => {
                let action = match (switch, found.frozen, found.killed) {
                    (Switch::Frozen, false, _) => Action::Freeze { server: name },
                    (Switch::Frozen, true, _) => Action::Thaw { server: name },
                    (_, _, false) => Action::Kill { server: name },
                    (_, _, true) => Action::Start { server: name },
                };
                return self.act(action).map(drop);
            }
            Switch::Link => (Direction::Both, cut.0 && cut.1),
            Switch::ToReplica => (Direction::ToReplica, cut.0),
            Switch::ToMaster => (Direction::ToMaster, cut.1),
        };
        if found.link.is_none() {
            return Err(format!("{name} has no master, and so no link"));
        }
        let action = match cut {
            false => Action::Cut { replica: name, direction },
            true => Action::Heal { replica: name, direction },
        };
        self.act(action).map(drop)
    }

    /// By the command of a real server, on both sides of it.
    pub(super) fn disconnect(&mut self, server: usize) -> Result<(), String> {
        let name = self.name(server)?;
        let found = &self.snapshot.servers[server];
        let link = found.link.as_ref().map(|link| link.state);
        let linked = !matches!(link, None | Some(LinkState::Connecting | LinkState::Cut));
        // All engines know the older word for a replica.
        let kinds = [("slave", found.connected_replicas > 0), ("master", linked)];
        if !kinds.iter().any(|(_, there)| *there) {
            return Err(format!("{name} has no connection that could be ended"));
        }
        for (kind, _) in kinds.into_iter().filter(|(_, there)| *there) {
            let argv = ["CLIENT", "KILL", "TYPE", kind].map(str::to_owned).to_vec();
            self.act(Action::Write { argv, server: name.clone() })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Msg, Tab};
    use crate::world::{Scenario, ServerSnapshot};

    fn quiet() -> Session {
        let text = r#"{"replicas":2,"engine":"redis-7.2","workload":{"writes_per_second":0},
            "config":{"repl-diskless-sync-delay":"0"}}"#;
        let mut session = Session::new(Scenario::from_json(text).expect("good"));
        session.apply(Msg::Advance(5_000_000)).expect("it goes on");
        session
    }

    fn server(session: &Session, index: usize) -> &ServerSnapshot {
        &session.snapshot().servers[index]
    }

    fn typed(session: &mut Session, line: &str) -> String {
        session.apply(Msg::Command { server: 0, line: line.to_owned() }).expect("it is answered");
        session.state().console.last().expect("a line").reply.clone()
    }

    #[test]
    fn a_toggle_is_the_other_state_each_time() {
        let mut session = quiet();
        let cut = |session: &Session| {
            let link = server(session, 1).link.clone().expect("a replica");
            (link.cut_to_replica, link.cut_to_master)
        };
        for (switch, after) in [
            (Switch::ToReplica, (true, false)),
            (Switch::Link, (true, true)),
            (Switch::ToMaster, (true, false)),
            (Switch::ToReplica, (false, false)),
        ] {
            session.apply(Msg::Toggle(switch, 1)).expect("it can");
            assert_eq!(cut(&session), after, "{switch:?}");
        }
        for stands in [true, false] {
            session.apply(Msg::Toggle(Switch::Frozen, 2)).expect("it can");
            assert_eq!(server(&session, 2).frozen, stands);
            session.apply(Msg::Toggle(Switch::Killed, 1)).expect("it can");
            assert_eq!(server(&session, 1).killed, stands);
        }
        session.apply(Msg::Toggle(Switch::Killed, 1)).expect("it can");
        let why = session.apply(Msg::Toggle(Switch::Frozen, 1)).expect_err("it has no process");
        assert!(why.contains("killed"), "{why}");
        let why = session.apply(Msg::Toggle(Switch::Link, 0)).expect_err("it has no link");
        assert!(why.contains("no master"), "{why}");
        assert!(session.apply(Msg::Toggle(Switch::Killed, 9)).is_err());
    }

    #[test]
    fn who_is_disconnected_comes_back_with_a_partial_resync() {
        let mut session = quiet();
        session.apply(Msg::Disconnect(2)).expect("it is connected");
        session.apply(Msg::Disconnect(0)).expect("one is connected still");
        session.apply(Msg::Advance(5_000_000)).expect("it goes on");
        let partial = server(&session, 0).counters.sync_partial_ok;
        assert_eq!((partial, server(&session, 0).connected_replicas), (2, 2));
        session.apply(Msg::Toggle(Switch::Killed, 1)).expect("it can");
        assert!(session.apply(Msg::Disconnect(1)).is_err(), "it has no process");
    }

    #[test]
    fn the_inspector_opens_on_a_server() {
        let mut session = quiet();
        session.apply(Msg::Inspect(2)).expect("it can");
        assert_eq!((session.state().selection, session.state().tab), (Some(2), Tab::Inspector));
    }

    #[test]
    fn every_command_of_the_public_list_is_known() {
        let mut session = quiet();
        for line in [
            "PING",
            "ECHO a",
            "SELECT 0",
            "SET a 1 EX 100",
            "SET b 1 PX 100000 NX",
            "GET a",
            "DEL b",
            "EXISTS a",
            "INCR a",
            "INCRBY a 5",
            "APPEND a 1",
            "MSET c 1 d 2",
            "STRLEN a",
            "EXPIRE a 100",
            "PEXPIRE a 100000",
            "TTL a",
            "DBSIZE",
            "PUBLISH a b",
            "MULTI",
            "GET a",
            "EXEC",
            "MULTI",
            "DISCARD",
            "INFO",
            "INFO everything",
            "ROLE",
            "CONFIG GET repl-*",
            "CONFIG SET repl-backlog-size 32kb",
            "SAVE",
            "BGSAVE",
            "CLIENT LIST",
            "WAIT 2 100",
            "CLIENT KILL TYPE normal",
            "DEBUG SET-ACTIVE-EXPIRE 1",
            "DEBUG CHANGE-REPL-ID",
            "FLUSHDB",
            "FLUSHALL",
            "REPLICAOF NO ONE",
            "SLAVEOF NO ONE",
        ] {
            let reply = typed(&mut session, line);
            let waits = line.starts_with("WAIT");
            assert_eq!(reply.starts_with("(waits"), waits, "{line}: {reply}");
            assert!(!reply.starts_with("(error)") && !reply.is_empty(), "{line}: {reply}");
        }
        assert!(typed(&mut session, "PSYNC ? -1").contains("only replicas say that"));
        assert_eq!(
            typed(&mut session, "GET"),
            "(error) ERR wrong number of arguments for 'get' command"
        );
    }

    #[test]
    fn what_is_looked_at_inside_of_multi_is_queued_too() {
        let mut session = quiet();
        let said = ["SET a 7", "MULTI", "GET a", "EXEC"].map(|line| typed(&mut session, line));
        assert_eq!(said, ["OK", "OK", "QUEUED", "1) \"7\""]);
    }

    #[test]
    fn a_command_that_waits_is_answered_when_time_goes_on() {
        let mut session = quiet();
        typed(&mut session, "SET a 1");
        assert!(typed(&mut session, "WAIT 2 3000").contains("waits"));
        session.apply(Msg::Advance(2_000_000)).expect("it goes on");
        let last = |session: &Session| session.state().console.last().map(|l| l.reply.clone());
        assert_eq!(last(&session).as_deref(), Some("(integer) 2"));
        assert!(typed(&mut session, "SHUTDOWN NOSAVE").contains("ended"));
        assert_eq!(
            typed(&mut session, "PING"),
            "Could not connect to Redis at 10.0.0.1:6379: Connection refused"
        );
        session.apply(Msg::Toggle(Switch::Killed, 0)).expect("it starts");
        session.apply(Msg::Toggle(Switch::Frozen, 0)).expect("it freezes");
        assert_eq!(typed(&mut session, "PING"), "(no answer: master is frozen)");
    }
}
