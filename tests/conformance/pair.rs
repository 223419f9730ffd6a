//! Two servers side by side: whatever is done, is done to both, and must come to the same.

use std::time::{Duration, Instant};

use psync::wire::{Rdb, Value};

use crate::judge::{Disagreement, Judge, Outcome};
use crate::kind::Kind;
use crate::log_shape;
use crate::numbers::Numbers;
use crate::process::{Process, Settings, wait_for};
use crate::replica::{Payload, Replica};

/// How long two sides may take to come to the same state. Only a disagreement takes so long.
const SETTLING: Duration = Duration::from_secs(3);

pub struct Pair {
    pub servers: [Process; 2],
    /// What logs call them, so that the ports chosen by the system do not differ.
    name: &'static str,
    /// The two others that these talk to, with their names.
    others: Vec<([u16; 2], &'static str)>,
}

/// One raw replica of each side.
pub struct Attached(pub [Replica; 2]);

impl Pair {
    pub fn start(kinds: [Kind; 2], name: &'static str, settings: &Settings) -> Pair {
        let servers = kinds.map(|kind| Process::start(kind, settings));
        Pair { servers, name, others: Vec::new() }
    }

    /// Starts both as replicas, each of its own side of `master`.
    pub fn start_replica(master: &Pair, name: &'static str, settings: &Settings) -> Pair {
        let servers = [0, 1].map(|side| {
            let of = ("replicaof", format!("127.0.0.1 {}", master.servers[side].port()));
            let settings = settings.iter().cloned().chain([of]).collect::<Vec<_>>();
            Process::start(master.servers[side].kind, &settings)
        });
        Pair { servers, name, others: vec![(master.ports(), master.name)] }
    }

    pub fn ports(&self) -> [u16; 2] {
        self.servers.each_ref().map(Process::port)
    }

    /// Makes logs name the servers of `other` by its name.
    pub fn knows(&mut self, other: &Pair) {
        self.others.push((other.ports(), other.name));
    }

    /// The same command to both; the replies must be equal.
    pub fn call<A: AsRef<[u8]>>(&mut self, judge: &mut Judge, argv: &[A]) -> Outcome {
        let shown = argv.iter().map(|word| shorten(word.as_ref())).collect::<Vec<_>>().join(" ");
        judge.note(shown.clone());
        let replies = self.servers.each_mut().map(|server| server.client.try_call(argv));
        match replies {
            [Ok(left), Ok(right)] => judge.same(&format!("reply to {shown}"), &[left, right]),
            replies => {
                let [left, right] = replies.map(|reply| format!("{reply:?}"));
                Err(judge.differ(&format!("reply to {shown}"), &left, &right))
            }
        }
    }

    pub fn say(&mut self, judge: &mut Judge, line: &str) -> Outcome {
        self.call(judge, &line.split(' ').collect::<Vec<_>>())
    }

    /// Asks both until the reply is this; the replies until then may differ.
    pub fn say_until(&mut self, judge: &mut Judge, line: &str, wanted: &Value) -> Outcome {
        judge.note(format!("{line} until {wanted:?}"));
        let words: Vec<&str> = line.split(' ').collect();
        let came = self.servers.each_mut().map(|server| {
            let look = || (server.client.try_call(&words).ok()? == *wanted).then_some(());
            wait_for(look).is_some()
        });
        judge.holds(&format!("{line} comes to {wanted:?}"), came)
    }

    pub fn numbers(&mut self) -> [Numbers; 2] {
        self.servers.each_mut().map(|server| Numbers(server.info()))
    }

    /// Waits until INFO of both is in this state.
    pub fn wait(
        &mut self,
        judge: &mut Judge,
        what: &str,
        mut is: impl FnMut(&Numbers) -> bool,
    ) -> Outcome {
        let came = self
            .servers
            .each_mut()
            .map(|server| wait_for(|| is(&Numbers(server.info())).then_some(())).is_some());
        judge.holds(what, came)
    }

    /// INFO of both must come to be equal; gives what it then says, side by side.
    pub fn compare_info(&mut self, judge: &mut Judge) -> Outcome<[Numbers; 2]> {
        let end = Instant::now() + SETTLING;
        loop {
            let numbers = self.numbers();
            let [left, right] = &numbers;
            let equal = left.compared() == right.compared();
            if equal || Instant::now() >= end {
                self.judge_numbers(judge, &numbers)?;
                return Ok(numbers);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn judge_numbers(&self, judge: &mut Judge, numbers: &[Numbers; 2]) -> Outcome {
        let [left, right] = numbers.each_ref().map(Numbers::compared);
        // Counters first: if they differ too, it is not about memory.
        let (first, histlen) = ("repl_backlog_first_byte_offset", "repl_backlog_histlen");
        for (field, value) in left.iter().filter(|(name, _)| ![first, histlen].contains(name)) {
            judge.same(&format!("{}: {field}", self.name), &[value, &right[field]])?;
        }
        let glibc = self.servers[0].kind.engine() == "valkey-9";
        let firsts = numbers.each_ref().map(Numbers::first);
        judge.same_window(&format!("{}: {first}", self.name), firsts, glibc)?;
        judge.same(&format!("{}: {histlen}", self.name), &[left[histlen], right[histlen]])?;
        judge.same_ids("master_replid", numbers.each_ref().map(Numbers::id))?;
        judge.same_ids("master_replid2", numbers.each_ref().map(Numbers::id2))?;
        let holds = numbers.each_ref().map(Numbers::window_follows_history);
        judge.holds("first + histlen = end + 1", holds)
    }

    /// The log lines since the last time must come to be equal.
    pub fn compare_logs(&mut self, judge: &mut Judge) -> Outcome {
        self.compare_logs_as(judge, |lines| lines)
    }

    /// The same, for lines whose numbers depend on how much the kernel took.
    pub fn compare_logs_without_numbers(&mut self, judge: &mut Judge) -> Outcome {
        self.compare_logs_as(judge, |lines| {
            lines.iter().map(|line| log_shape::without_digits(line)).collect()
        })
    }

    /// The same, for lines about things that happen side by side.
    pub fn compare_logs_in_any_order(&mut self, judge: &mut Judge) -> Outcome {
        self.compare_logs_as(judge, |mut lines| {
            lines.sort();
            lines
        })
    }

    fn compare_logs_as(
        &mut self,
        judge: &mut Judge,
        view: fn(Vec<String>) -> Vec<String>,
    ) -> Outcome {
        let end = Instant::now() + SETTLING;
        let mut look = |keep| [0, 1].map(|side| view(self.shapes(judge, side, keep)));
        let mut lines = look(true);
        while lines[0] != lines[1] && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
            lines = look(true);
        }
        let last = look(false);
        judge.same(&format!("{}: log", self.name), &last)
    }

    fn shapes(&mut self, judge: &Judge, side: usize, keep: bool) -> Vec<String> {
        let own = [(self.servers[side].port(), self.name)];
        let others = self.others.iter().map(|(ports, name)| (ports[side], *name));
        let ports: Vec<(u16, &str)> = own.into_iter().chain(others).collect();
        let lines = self.servers[side].log_lines(keep);
        let lines = lines.iter().filter(|line| log_shape::is_compared(line));
        let shapes = lines.map(|line| log_shape::shape(line, &ports));
        shapes.map(|line| judge.without_ids(side, &line)).collect()
    }

    /// A raw connection to each.
    pub fn connect(&self, judge: &Judge) -> Outcome<Attached> {
        let sockets = self.servers.each_ref().map(|server| Replica::connect(server.port()));
        both(judge, "connecting", sockets).map(Attached)
    }
}

impl Attached {
    /// Does the same with each of the two.
    pub fn each<T>(
        &mut self,
        judge: &Judge,
        what: &str,
        act: impl FnMut(&mut Replica) -> std::io::Result<T>,
    ) -> Outcome<[T; 2]> {
        both(judge, what, self.0.each_mut().map(act))
    }

    /// Reads the stream up to where both servers say that it ends; the bytes must be equal.
    pub fn drain(&mut self, judge: &mut Judge, pair: &mut Pair) -> Outcome {
        let [numbers, _] = pair.compare_info(judge)?;
        let end = numbers.end();
        let read = self.each(judge, "reading the stream", |replica| replica.stream_to(end))?;
        judge.same_bytes("bytes of the stream", &read.map(|bytes| without_times(&bytes)))
    }

    /// Reads both snapshots; they must have the same form, version and content.
    pub fn load(&mut self, judge: &mut Judge) -> Outcome {
        let payloads = self.each(judge, "reading the snapshot", Replica::payload)?;
        judge.same("form of the snapshot", &payloads.each_ref().map(|payload| payload.streamed))?;
        let decoded =
            payloads.map(|Payload { rdb, .. }| Rdb::decode(&rdb).map_err(|e| e.to_string()));
        let [left, right] = both(judge, "decoding the snapshot", decoded)?;
        let rdb = [left, right];
        judge.same("version of the snapshot", &rdb.each_ref().map(|rdb| rdb.version))?;
        for field in ["repl-stream-db", "repl-offset"] {
            judge.same(field, &rdb.each_ref().map(|rdb| rdb.aux(field).cloned()))?;
        }
        let ids = rdb.each_ref().map(|rdb| rdb.aux("repl-id").cloned().unwrap_or_default());
        let ids = ids.map(|id| String::from_utf8_lossy(&id).into_owned());
        judge.same_ids("repl-id", ids.each_ref().map(String::as_str))?;
        judge.same("keys of the snapshot", &rdb.map(keys))
    }

    /// Ends both connections and waits until both servers know; nothing unread may be left.
    pub fn leave(mut self, judge: &mut Judge, pair: &mut Pair) -> Outcome {
        judge.note("the replica leaves");
        let rest = self.each(judge, "reading the rest", Replica::rest)?;
        judge.holds("nothing comes after the stream", rest.map(|rest| rest.is_empty()))?;
        self.vanish(judge, pair)
    }

    /// Ends both connections, whatever is still unread.
    pub fn vanish(self, judge: &mut Judge, pair: &mut Pair) -> Outcome {
        let before = pair.numbers().map(|numbers| numbers.replicas());
        drop(self);
        let left = (before[0] - 1).max(0);
        pair.wait(judge, "the server knows that the replica left", |n| n.replicas() <= left)
    }
}

/// Acknowledges until both servers call all of these, and nobody else, online, and until the ACK
/// that opens the stream was certainly read: it is the first one with a number of its own. An
/// earlier one may be lost, as real replicas find out too; and what a server does when it opens
/// the stream (Valkey sends a PING into an empty history) would come at some time later.
pub fn go_online(
    judge: &mut Judge,
    pair: &mut Pair,
    replicas: &mut [&mut Attached],
    count: i64,
) -> Outcome {
    let came = [0, 1].map(|side| {
        let server = &mut pair.servers[side];
        let online = wait_for(|| {
            for replica in replicas.iter_mut() {
                replica.0[side].acknowledge(0).ok()?;
            }
            Numbers(server.info()).all_online(count).then_some(())
        });
        let sent = replicas.iter_mut().try_for_each(|replica| {
            let offset = replica.0[side].position.max(1);
            replica.0[side].acknowledge(offset)
        });
        let arrived = wait_for(|| {
            let numbers = Numbers(server.info());
            let there = |replica: &&mut Attached| numbers.at(replica.0[side].position.max(1)) > 0;
            replicas.iter().all(there).then_some(())
        });
        online.is_some() && sent.is_ok() && arrived.is_some()
    });
    judge.holds("the replica is online", came)
}

/// A key with database, value and whether it expires. When exactly is in the stream's commands.
type Key = (u32, Vec<u8>, Vec<u8>, bool);

fn keys(rdb: Rdb) -> Vec<Key> {
    let entries = rdb.entries.into_iter();
    let mut keys: Vec<Key> = entries
        .map(|e| (e.db, e.key.to_vec(), e.value.to_vec(), e.expires_at_ms.is_some()))
        .collect();
    keys.sort();
    keys
}

/// The stream with every time of the day replaced: they are the only long numbers in it. A piece
/// may begin inside of one, so digits at its beginning count as one too.
pub fn without_times(bytes: &[u8]) -> Vec<u8> {
    const LONG: usize = 12;
    let mut out = bytes.to_vec();
    let mut from = 0;
    while from < out.len() {
        let run = out[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if run >= LONG || (from == 0 && run > 0) {
            out[..from + run][from..].fill(b'#');
        }
        from += run + 1;
    }
    out
}

fn both<T, E: std::fmt::Display>(
    judge: &Judge,
    what: &str,
    results: [Result<T, E>; 2],
) -> Outcome<[T; 2]> {
    match results {
        [Ok(left), Ok(right)] => Ok([left, right]),
        results => {
            let [left, right] = results.map(|result| match result {
                Ok(_) => "well".to_owned(),
                Err(error) => error.to_string(),
            });
            Err::<_, Disagreement>(judge.differ(what, &left, &right))
        }
    }
}

fn shorten(word: &[u8]) -> String {
    match word.len() {
        0 => "''".to_owned(),
        1..=40 => word.escape_ascii().to_string(),
        long => format!("({long} bytes)"),
    }
}
