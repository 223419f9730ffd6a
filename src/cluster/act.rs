//! Carrying out actions.
//!
//! An action is checked before anything is changed: a refused one leaves the world as it was, and
//! the error says why. Cutting what is cut, freezing what is frozen and the like are refused too.

use bytes::BytesMut;

use super::action::{Action, Direction, Loss};
use super::curve::Point;
use super::field::BadInput;
use super::link::Link;
use super::message::printable;
use super::sim::World;
use super::trace::What;
use crate::wire::{ReplyDecoder, Value};

pub(super) fn bad(field: &str, problem: impl Into<String>) -> BadInput {
    BadInput::new(format!("action.{field}"), problem)
}

/// The console is an ordinary client: it cannot become a replica.
pub(super) fn refuse_replication(argv: &[String]) -> Result<(), BadInput> {
    let verb = argv.first().map_or("", String::as_str);
    let speaks = ["PSYNC", "SYNC", "REPLCONF"].iter().any(|word| word.eq_ignore_ascii_case(verb));
    if speaks {
        return Err(bad("argv", format!("is {verb}: only replicas say that, on their own link")));
    }
    Ok(())
}

impl World {
    /// Carries out one action now. What a command answered is returned for `Write` and `Config`.
    ///
    /// # Errors
    /// When the action names something that does not exist, or would change nothing.
    pub fn act(&mut self, action: &Action) -> Result<Option<Value>, BadInput> {
        match action {
            Action::Cut { replica, direction } => self.act_cut(replica, *direction, true)?,
            Action::Heal { replica, direction } => self.act_cut(replica, *direction, false)?,
            Action::Write { argv, server } => {
                let index = self.awake(server)?;
                refuse_replication(argv)?;
                self.noted(index, format!("{server}> {}", printable(argv.join(" ").as_bytes())));
                return Ok(self.ask(index, argv));
            }
            Action::Burst { writes, value_bytes } => {
                let Some(index) = self.writable() else {
                    return Err(bad("do", "is burst, but no server runs that takes writes"));
                };
                self.noted(index, format!("burst of {writes} writes of {value_bytes} bytes"));
                // In one piece, as a pipelining client sends them.
                let mut pipeline = BytesMut::new();
                for _ in 0..*writes {
                    pipeline.extend_from_slice(&self.clients.draw(*value_bytes));
                }
                self.give_clients(pipeline.freeze());
            }
            Action::Workload { writes_per_second, value_bytes, curve } => {
                self.act_workload(*writes_per_second, *value_bytes, curve.as_deref())?;
            }
            Action::Kill { server } => self.act_kill(server)?,
            Action::Start { server } => self.act_start(server)?,
            Action::Restart { server, keep_id } => self.act_restart(server, *keep_id)?,
            Action::Promote { server } => {
                let index = self.awake(server)?;
                if self.nodes[index].server.link().is_none() {
                    return Err(bad("server", format!("is {server}, which is a master already")));
                }
                self.noted(index, format!("promote {server}"));
                return Ok(self.ask(index, &["REPLICAOF", "NO", "ONE"]));
            }
            Action::ReplicaOf { server, master } => {
                let (index, to) = (self.awake(server)?, self.find("master", master)?);
                if index == to {
                    return Err(bad("master", format!("is {server} itself")));
                }
                let address = self.nodes[to].address.clone();
                let follows = self.nodes[index].server.link().map(|link| link.master);
                if follows.as_ref() == Some(&address) {
                    return Err(bad(
                        "server",
                        format!("is {server}, which follows {master} already"),
                    ));
                }
                self.noted(index, format!("{server} follows {master}"));
                let port = address.port.to_string();
                return Ok(self.ask(index, &["REPLICAOF", &address.host, &port]));
            }
            Action::Config { server, directive, value } => {
                let index = self.awake(server)?;
                self.try_config(index, directive, value)?;
                self.noted(index, format!("{server}: {directive} {value}"));
                return Ok(self.ask(index, &["CONFIG", "SET", directive, value]));
            }
            Action::Freeze { server } => self.act_freeze(server, true)?,
            Action::Thaw { server } => self.act_freeze(server, false)?,
            Action::Link { replica, latency_us, bandwidth_bytes_per_second, loss } => {
                self.act_link(replica, *latency_us, *bandwidth_bytes_per_second, *loss)?;
            }
        }
        Ok(None)
    }

    /// What a server answers now to `INFO replication` and to `ROLE`; the world is not touched.
    ///
    /// # Errors
    /// When it answers nothing.
    pub fn says(&self, server: usize) -> Result<(String, Value), BadInput> {
        let name = self.nodes.get(server).map_or("", |node| node.name.as_str());
        Ok(self.nodes[self.awake(name)?].server.says(self.now))
    }

    pub(super) fn find(&self, field: &str, name: &str) -> Result<usize, BadInput> {
        self.nodes.iter().position(|node| node.name == name).ok_or_else(|| {
            let last = self.nodes.len() - 1;
            bad(field, format!("is \"{name}\"; there are master and replica-1 to replica-{last}"))
        })
    }

    /// A server with a link to a master.
    fn replica(&self, field: &str, name: &str) -> Result<usize, BadInput> {
        let index = self.find(field, name)?;
        if self.nodes[index].server.link().is_none() && index == 0 {
            return Err(bad(field, format!("is {name}, which has no link: it is the master")));
        }
        Ok(index)
    }

    fn act_cut(&mut self, name: &str, direction: Direction, cut: bool) -> Result<(), BadInput> {
        let index = self.replica("replica", name)?;
        let verb = if cut { "cut" } else { "heal" };
        let way = match direction {
            Direction::Both => "",
            Direction::ToReplica => " (to the replica)",
            Direction::ToMaster => " (to the master)",
        };
        let mut after = self.links[index].clone();
        if !after.set_cut(direction, cut) {
            let state = if cut { "is cut already" } else { "is not cut" };
            return Err(bad("replica", format!("is {name}, whose link {state}{way}")));
        }
        self.noted(index, format!("{verb} link to {name}{way}"));
        if cut {
            self.cut(index, direction)
        } else {
            self.heal(index, direction)
        };
        Ok(())
    }

    fn act_link(
        &mut self,
        name: &str,
        latency_us: Option<u64>,
        bandwidth: Option<u64>,
        loss: Option<Loss>,
    ) -> Result<(), BadInput> {
        let index = self.replica("replica", name)?;
        let mut link = self.links[index].clone();
        link.latency_us = latency_us.unwrap_or(link.latency_us);
        if let Some(bandwidth) = bandwidth {
            link.bandwidth_bytes_per_second = Some(bandwidth).filter(|bytes| *bytes > 0);
        }
        if let Some(loss) = loss {
            link.loss = Some(loss).filter(|loss| loss.lost > 0);
        }
        let conditions =
            |link: &Link| (link.latency_us, link.bandwidth_bytes_per_second, link.loss);
        if conditions(&link) == conditions(&self.links[index]) {
            return Err(bad("replica", format!("is {name}, whose link is like that already")));
        }
        let Link { latency_us, .. } = link;
        self.links[index] = link;
        self.noted(index, format!("link to {name}: latency {latency_us} us"));
        Ok(())
    }

    fn act_workload(
        &mut self,
        rate: Option<u64>,
        bytes: Option<u64>,
        curve: Option<&[Point]>,
    ) -> Result<(), BadInput> {
        let mut workload = self.clients.workload().clone();
        if let Some(rate) = rate {
            workload.writes_per_second = rate;
            workload.curve.clear();
        }
        if let Some(curve) = curve {
            workload.curve = curve.to_vec();
        }
        workload.value_bytes = bytes.unwrap_or(workload.value_bytes);
        if let Some(problem) = workload.too_much(self.nodes.len()) {
            return Err(bad("value_bytes", problem));
        }
        // The same curve once more is not the same: it begins again.
        if curve.is_none() && workload == *self.clients.workload() {
            return Err(bad("do", "is workload, but clients write like that already"));
        }
        let (rate, bytes) = (workload.writes_per_second, workload.value_bytes);
        let rate = if workload.curve.is_empty() { rate.to_string() } else { "as drawn".to_owned() };
        self.clients.change(self.now, workload);
        let text = format!("writes: {rate} a second, of {bytes} bytes");
        self.noted(self.writable().unwrap_or(0), text);
        self.schedule_write();
        Ok(())
    }

    fn try_config(&self, index: usize, directive: &str, value: &str) -> Result<(), BadInput> {
        let present = self.nodes[index].server.config();
        let mut trial = present.clone();
        trial
            .set(directive, value)
            .map_err(|error| bad("directive", format!("is \"{directive}\": {error}")))?;
        if trial.matching(directive) == present.matching(directive) {
            return Err(bad("directive", format!("is {directive}, which is {value} already")));
        }
        Ok(())
    }

    /// A server that can be asked something.
    fn awake(&self, name: &str) -> Result<usize, BadInput> {
        let index = self.running(name)?;
        if self.nodes[index].frozen {
            return Err(bad("server", format!("is {name}, which is frozen and answers nothing")));
        }
        Ok(index)
    }

    /// Runs a command from the console and reads its answer; none while it waits for something.
    fn ask(&mut self, index: usize, argv: &[impl AsRef<[u8]>]) -> Option<Value> {
        self.command(index, argv);
        self.console_answer(index)
    }

    /// What a server has answered to the last command of its console; none as long as it waits,
    /// as with `WAIT`, or when the process has ended.
    #[must_use]
    pub fn console_answer(&self, server: usize) -> Option<Value> {
        let mut decoder = ReplyDecoder::new();
        decoder.feed(&self.nodes.get(server)?.console);
        decoder.next().ok().flatten()
    }

    pub(super) fn noted(&mut self, server: usize, text: String) {
        self.record(What::Action { server, text });
    }
}
