//! Lines typed into the console, and what a server answers to them.

use psync::wire::Value;

use super::Session;
use crate::reply;
use crate::state::ConsoleLine;
use crate::world::Action;

/// How many lines are kept.
const CONSOLE_LINES: usize = 200;

/// Stands in the place of an answer that time will bring, as that of `WAIT`.
const WAITING: &str = "(waits: the answer comes when time goes on)";

impl Session {
    pub(super) fn command(&mut self, server: usize, line: String) {
        let Some(name) = self.snapshot.servers.get(server).map(|server| server.name.clone()) else {
            return;
        };
        let reply = match reply::arguments(&line) {
            Ok(argv) if argv.is_empty() => return,
            Ok(argv) => self.answer(server, argv),
            Err(why) => why,
        };
        let number = self.state.console.last().map_or(0, |line| line.number + 1);
        self.state.console.push(ConsoleLine { number, server: name, command: line, reply });
        if self.state.console.len() > CONSOLE_LINES {
            self.state.console.remove(0);
        }
    }

    /// What a server answers to a command, as redis-cli prints it.
    fn answer(&mut self, server: usize, argv: Vec<String>) -> String {
        let found = &self.snapshot.servers[server];
        if found.killed {
            // The world gives the server of index N the address 10.0.0.(N + 1).
            let host = server + 1;
            return format!("Could not connect to Redis at 10.0.0.{host}:6379: Connection refused");
        }
        if found.frozen {
            return format!("(no answer: {} is frozen)", found.name);
        }
        let looks = reply::only_looks(&argv);
        let action = Action::Write { argv, server: found.name.clone() };
        let looked = looks.then(|| self.branches.run().world().clone().act(&action));
        let answer = match looked {
            // Inside of MULTI even a look is something that the server remembers.
            Some(Ok(Some(Value::Simple(queued)))) if queued == "QUEUED" => self.act(action),
            Some(answer) => answer.map_err(|error| error.to_string()),
            None => self.act(action),
        };
        match answer {
            Ok(Some(value)) => reply::print(&value),
            Ok(None) if self.snapshot.servers[server].killed => "(the server has ended)".to_owned(),
            Ok(None) => WAITING.to_owned(),
            Err(why) => format!("(error) {why}"),
        }
    }

    /// Puts a late answer in its place.
    pub(super) fn hear_console(&mut self) {
        let Some(line) = self.state.console.last_mut().filter(|line| line.reply == WAITING) else {
            return;
        };
        let at = self.snapshot.servers.iter().position(|server| server.name == line.server);
        let answer = at.and_then(|at| self.branches.run().world().console_answer(at));
        if let Some(value) = answer {
            line.reply = reply::print(&value);
        }
    }
}
