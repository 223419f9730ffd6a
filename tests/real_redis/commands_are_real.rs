//! The same commands said to a real redis-server 7.0 and to ours: the same answers, and byte for
//! byte the same stream, the moments in it apart.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use psync::server::engine::REDIS_7_0;
use psync::wire::{CommandDecoder, encode_command};

use crate::client::Client;
use crate::ours::Ours;
use crate::redis::Redis;

/// A bare replica: it reads the stream and acknowledges nothing.
struct Raw {
    socket: TcpStream,
    unread: Vec<u8>,
}

impl Raw {
    fn attach(port: u16) -> Raw {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
        socket.write_all(&encode_command(&["PSYNC", "?", "-1"])).expect("it reads");
        let mut raw = Raw { socket, unread: Vec::new() };
        let answer = raw.line();
        assert!(answer.starts_with("+FULLRESYNC"), "{answer}");
        // Newlines may come before the length.
        let length = raw.line();
        let length: usize = length.trim_start_matches(['\n', '$']).parse().expect("a length");
        while raw.unread.len() < length {
            raw.fill();
        }
        raw.unread.drain(..length);
        raw
    }

    fn fill(&mut self) {
        let mut chunk = [0; 4096];
        let count = self.socket.read(&mut chunk).expect("it sends");
        assert!(count > 0, "the link was ended");
        self.unread.extend_from_slice(&chunk[..count]);
    }

    fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).collect();
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            self.fill();
        }
    }

    /// The commands up to a fence, which the caller has put into the stream.
    fn until(&mut self, fence: &str) -> Vec<String> {
        let mut commands = Vec::new();
        let mut decoder = CommandDecoder::new();
        loop {
            decoder.feed(&std::mem::take(&mut self.unread));
            while let Some(frame) = decoder.next().expect("a stream") {
                let words: Vec<String> = frame.argv.iter().map(|word| masked(word)).collect();
                let command = words.join(" ");
                if command == fence {
                    return commands;
                }
                commands.push(command);
            }
            self.fill();
        }
    }
}

/// A word, unless it is a moment near now in milliseconds.
fn masked(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word).into_owned();
    let is_moment = text.len() == 13 && text.starts_with('1') && text.parse::<u64>().is_ok();
    if is_moment { "<moment>".to_owned() } else { text }
}

/// Lines that belong together; `+50` lets 50 ms pass.
const SCRIPTS: &[&[&str]] = &[
    &["MULTI", "SET a 1", "EXEC", "MULTI", "SET a 1", "SET b 2", "exec"],
    &["SELECT 3", "MULTI", "SET a 1", "SET b 2", "EXEC", "SELECT 0"],
    &["MULTI", "SET a 1", "SELECT 4", "SET b 2", "EXEC", "SET z 1", "SELECT 0"],
    &["MULTI", "GET a", "EXEC", "MULTI", "DEL nothing", "EXEC", "MULTI", "SET a 9", "DISCARD"],
    &["MULTI", "PUBLISH c m", "SET a 1", "FLUSHALL", "EXEC", "SELECT 5", "PUBLISH c m", "SELECT 0"],
    &["MULTI", "MULTI", "foo", "EXEC", "EXEC", "DISCARD", "MULTI", "GET", "SET a 1", "EXEC"],
    &["WATCH q", "SET q 1", "MULTI", "SET q 2", "EXEC", "WATCH q", "MULTI", "SET q 3", "EXEC"],
    &[
        "SET k v EX 100",
        "SET k v PX 5000",
        "SET k v EXAT 2000000000",
        "SET k v KEEPTTL",
        "SET k w GET",
    ],
    &["SET k w EX 100 GET", "SET k v NX", "SET n v XX EX 9", "SETEX s 100 v", "psetex s 100000 v"],
    &["SETNX q 1", "GETSET q 2", "GETDEL q", "EXPIRE k 100", "PEXPIRE k 100000", "PERSIST k"],
    &["EXPIREAT k 2000000000", "PEXPIREAT k 2000000000123", "TTL nothing", "EXPIRE k -1", "GET k"],
    &["SET k v", "SET k w EXAT 1", "EXISTS k", "SET k v", "EXPIRE k 0", "DEL k"],
    &["SET k v PX 20", "+50", "GET k", "EXISTS k"],
    &["SET k v PX 20", "+50", "SET k w", "SET k v PX 20", "+50", "INCR k", "DEL k"],
    &["SET k v PX 20", "+50", "SET k w XX", "SET k v PX 20", "+50", "APPEND k x", "DEL k"],
    &["SET k v PX 20", "SET j v PX 20", "+50", "DEL k j zz"],
    &["SET k v PX 20", "SET j v PX 20", "+50", "MSET k 1 j 2"],
    &["SET k v PX 20", "SET j v PX 20", "+50", "MULTI", "GET k", "INCR j", "EXEC"],
    &[
        "SET k v PX 20",
        "SELECT 7",
        "SET m 1 PX 20",
        "+50",
        "MULTI",
        "GET m",
        "EXEC",
        "SELECT 0",
        "TTL k",
    ],
    &[
        "CONFIG SET lazyfree-lazy-expire yes",
        "SET k v PX 20",
        "+50",
        "TYPE k",
        "SET k v",
        "EXPIRE k -1",
    ],
    &[
        "CONFIG SET lazyfree-lazy-expire no",
        "FLUSHDB ASYNC",
        "FLUSHALL SYNC",
        "FLUSHALL x",
        "DBSIZE",
    ],
    &[
        "INCR i",
        "DECR i",
        "INCRBY i 4",
        "DECRBY i 2",
        "APPEND i x",
        "INCR i",
        "UNLINK i",
        "mset a 1 b 2",
    ],
    &["KEYS a*", "SCAN 0 MATCH a COUNT 100", "SCAN x", "SCAN 0 COUNT 0", "TYPE a", "MGET a b nope"],
    &["foo a b", "GET a b", "MSET a 1 b", "SET a 1 EX 0", "EXPIRE a x", "INCRBY a x", "SELECT 99"],
    &[
        "CONFIG GET",
        "CONFIG bad",
        "CONFIG SET nonsense 1",
        "CONFIG SET repl-timeout 0",
        "CONFIG REWRITE",
    ],
    &["CONFIG SET repl-timeout 61 repl-backlog-ttl 5", "CONFIG GET repl-timeou?"],
    &["WAIT 0 0", "WAIT x 1", "WAIT 1 x", "WAIT 1 -1", "WAIT", "CLIENT bad", "CLIENT SETNAME a b"],
    &[
        "CLIENT LIST foo",
        "CLIENT KILL TYPE foo",
        "CLIENT KILL ID 999",
        "CLIENT KILL ID x",
        "CLIENT KILL",
    ],
    &[
        "HELLO 9",
        "HELLO x",
        "COMMAND foo",
        "DEBUG foo",
        "SHUTDOWN foo",
        "SHUTDOWN ABORT",
        "BGSAVE x",
    ],
    &[
        "FAILOVER TIMEOUT 0",
        "FAILOVER TO 1.2.3.4 5",
        "FAILOVER foo",
        "FAILOVER ABORT",
        "REPLICAOF NO ONE",
    ],
    &["MULTI", "PSYNC ? -1", "EXEC", "MULTI", "SAVE", "DISCARD", "PSYNC ? x FAILOVER", "exec x"],
    &["SET a 1", "WAIT 1 20", "WAIT 0 0", "REPLCONF a", "REPLCONF foo bar", "REPLICAOF a b"],
    &["DEBUG SLEEP 0.01", "ECHO a", "PING x", "RESET", "LASTSAVE x", "STRLEN a", "INFO nothing"],
];

#[test]
fn what_clients_say_has_the_answers_and_the_stream_of_a_real_server() {
    let mut redis = Redis::start(&[
        "--enable-debug-command",
        "yes",
        "--repl-diskless-sync",
        "no",
        "--repl-ping-replica-period",
        "1000",
    ]);
    let settings = [("repl-diskless-sync", "no"), ("repl-ping-replica-period", "1000")];
    let mut ours = Ours::start(&REDIS_7_0, &settings, None);
    let mut raws = [Raw::attach(redis.port()), Raw::attach(ours.port())];
    for client in [&mut redis.client, &mut ours.client] {
        client.ok("DEBUG SET-ACTIVE-EXPIRE 0");
    }
    for (number, script) in SCRIPTS.iter().enumerate() {
        let theirs = play(&mut redis.client, &mut raws[0], script, number);
        let got = play(&mut ours.client, &mut raws[1], script, number);
        assert_eq!(got.0, theirs.0, "answers of {script:?}");
        assert_eq!(got.1, theirs.1, "stream of {script:?}");
    }
    let end = redis.client.info("master_repl_offset");
    assert_eq!(ours.client.info("master_repl_offset"), end);
}

/// The answers to a script, and what it put into the stream.
fn play(
    client: &mut Client,
    raw: &mut Raw,
    script: &[&str],
    number: usize,
) -> (Vec<String>, Vec<String>) {
    let mut answers = Vec::new();
    for line in script {
        match line.strip_prefix('+') {
            Some(ms) => {
                std::thread::sleep(Duration::from_millis(ms.parse().expect("milliseconds")));
            }
            None => answers.push(format!("{line} -> {}", client.say(line))),
        }
    }
    let fence = format!("SET fence {number}");
    client.ok(&fence);
    (answers, raw.until(&fence))
}
