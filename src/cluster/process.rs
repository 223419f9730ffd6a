//! The process of a server: frozen and thawed, killed and started, restarted.
//!
//! A killed server has no process until it is started: who dials it is refused, what clients send
//! it is lost, and the world shows what will start there: what is on its disk. That is the last
//! snapshot that was saved (by `SAVE`, `BGSAVE`, or for a full resync over the disk), and in most
//! cases nothing. Absent on purpose: the periodic saving that redis.conf can ask for.

use super::act::bad;
use super::field::BadInput;
use super::sim::World;
use crate::random::below;
use crate::server::{Input, Server};
use crate::wire::Rdb;

impl World {
    pub(super) fn act_restart(&mut self, name: &str, keep_id: bool) -> Result<(), BadInput> {
        let index = self.running(name)?;
        self.noted(index, format!("restart {name}"));
        let seed = below(&mut self.rng, u64::MAX);
        let node = &mut self.nodes[index];
        let saved = node.server.last_snapshot(keep_id);
        node.disk = Some(saved.encode().into());
        let server = node.server.started_again(seed, self.now, Some(saved));
        self.nodes[index].frozen = false;
        self.close_all(index);
        self.replace_server(index, server);
        Ok(())
    }

    pub(super) fn act_kill(&mut self, name: &str) -> Result<(), BadInput> {
        let index = self.find("server", name)?;
        if self.nodes[index].killed {
            return Err(bad("server", format!("is {name}, which is killed already")));
        }
        self.noted(index, format!("kill {name}"));
        self.end_process(index);
        Ok(())
    }

    pub(super) fn act_start(&mut self, name: &str) -> Result<(), BadInput> {
        let index = self.find("server", name)?;
        if !self.nodes[index].killed {
            return Err(bad("server", format!("is {name}, which runs already")));
        }
        self.noted(index, format!("start {name}"));
        let server = self.what_starts(index);
        self.nodes[index].killed = false;
        self.replace_server(index, server);
        Ok(())
    }

    /// The process is gone: its connections end, and its memory is lost.
    pub(super) fn end_process(&mut self, index: usize) {
        self.nodes[index].frozen = false;
        self.close_all(index);
        let server = self.what_starts(index);
        let node = &mut self.nodes[index];
        node.killed = true;
        node.forget_process(server);
        self.note_link_state(index);
    }

    /// What starts here with what is on the disk.
    fn what_starts(&mut self, index: usize) -> Server {
        let seed = below(&mut self.rng, u64::MAX);
        let node = &self.nodes[index];
        let saved = node.disk.as_ref().and_then(|file| Rdb::decode(file).ok());
        node.server.started_again(seed, self.now, saved)
    }

    pub(super) fn act_freeze(&mut self, name: &str, freeze: bool) -> Result<(), BadInput> {
        let index = self.running(name)?;
        if self.nodes[index].frozen == freeze {
            let state = if freeze { "frozen already" } else { "not frozen" };
            return Err(bad("server", format!("is {name}, which is {state}")));
        }
        self.noted(index, format!("{} {name}", if freeze { "freeze" } else { "thaw" }));
        self.nodes[index].frozen = freeze;
        if !freeze {
            // All that came meanwhile is read first, then the clock is looked at, as the loop of a
            // real server does with files and timers.
            let waiting = std::mem::take(&mut self.nodes[index].inbox);
            for input in waiting {
                self.give(index, input);
            }
            self.give(index, Input::Timeout);
        }
        Ok(())
    }

    /// A server that has a process.
    pub(super) fn running(&self, name: &str) -> Result<usize, BadInput> {
        let index = self.find("server", name)?;
        if self.nodes[index].killed {
            return Err(bad("server", format!("is {name}, which is killed and must be started")));
        }
        Ok(index)
    }
}
