//! The five stories of Redis' `tests/integration/replication-psync.tcl`, with ours in one seat and
//! a real server in the other, both ways round.
//!
//! A master is written to by three clients all the time. The link of its replica is broken again
//! and again, in three of the stories for so long that something happens meanwhile. In the end the
//! data must be equal, and the master's counters tell whether a continuation was possible.
//!
//! Where the original sleeps, this waits for what it sleeps for: that the backlog was outrun, that
//! it expired, that three seconds of the master's own uptime have passed.

use crate::data::agree;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::load::Load;
use crate::seed_for;
use crate::server::Server;
use crate::wire::Wire;

/// For how long the link is broken each time.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// It never is.
    Never,
    /// The replica returns at once.
    Short,
    /// Until more was written than the backlog keeps.
    UntilOutrun,
    /// Three seconds.
    ThreeSeconds,
    /// Until the master gives its backlog up.
    UntilExpired,
}

/// What INFO of the master must show.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    OnlyTheFirstSync,
    OnlyContinuations,
    NoContinuation,
}

struct Story {
    sentence: &'static str,
    backlog_bytes: &'static str,
    backlog_ttl: &'static str,
    breaks: Break,
    times: u64,
    outcome: Outcome,
}

const STORIES: [Story; 5] = [
    Story {
        sentence: "who is never cut off needs one full resync",
        backlog_bytes: "1000000",
        backlog_ttl: "3600",
        breaks: Break::Never,
        times: 0,
        outcome: Outcome::OnlyTheFirstSync,
    },
    Story {
        sentence: "with a large backlog every reconnection is a continuation",
        backlog_bytes: "100000000",
        backlog_ttl: "3600",
        breaks: Break::Short,
        times: 3,
        outcome: Outcome::OnlyContinuations,
    },
    Story {
        // CONFIG SET makes 16384 of it.
        sentence: "with a backlog of 100 bytes none is",
        backlog_bytes: "100",
        backlog_ttl: "3600",
        breaks: Break::UntilOutrun,
        times: 2,
        outcome: Outcome::NoContinuation,
    },
    Story {
        sentence: "after three seconds it still is, if the backlog is large",
        backlog_bytes: "100000000",
        backlog_ttl: "3600",
        breaks: Break::ThreeSeconds,
        times: 1,
        outcome: Outcome::OnlyContinuations,
    },
    Story {
        sentence: "after its time to live a backlog is gone, however large it was",
        backlog_bytes: "100000000",
        backlog_ttl: "1",
        breaks: Break::UntilExpired,
        times: 1,
        outcome: Outcome::NoContinuation,
    },
];

/// As many as in the original, in databases of their own choice.
const WRITERS: u64 = 3;

fn tell(master: Kind, replica: Kind) {
    let seed = seed_for(&format!("{replica:?} behind {master:?}"));
    let mut dice = Dice::of(seed);
    for story in &STORIES {
        let diskless = if dice.one_in(2) { "yes" } else { "no" };
        let loading = if dice.one_in(2) { "swapdb" } else { "disabled" };
        println!("  {} (diskless: {diskless}, {loading})", story.sentence);
        let mut master = Server::start(master, &[("repl-diskless-sync", diskless)]);
        let mut replica = Server::start(replica, &[("repl-diskless-load", loading)]);
        master.client.ok(&format!("CONFIG SET repl-backlog-size {}", story.backlog_bytes));
        master.client.ok(&format!("CONFIG SET repl-backlog-ttl {}", story.backlog_ttl));
        let writers: Vec<Load> =
            (0..WRITERS).map(|_| Load::begin(dice.range(0, u64::MAX - 1))).collect();
        writers.iter().for_each(|writer| writer.write_to(master.port()));
        let wire = Wire::to(master.port());
        replica.follow(wire.port());
        replica.until_info("master_link_status", "up");
        let all_write = || writers.iter().all(|writer| writer.written() > 50);
        master.until("all write to it", |_| all_write().then_some(()));

        for _ in 0..story.times {
            let before = syncs(&mut master);
            story.break_link(&mut master, &mut replica, &wire);
            master.until("it has synchronized its replica", |master| {
                (syncs(master) > before).then_some(())
            });
            replica.until_info("master_link_status", "up");
        }
        drop(writers);
        agree(&mut [&mut master, &mut replica]);
        story.judge(&mut master);
    }
}

/// Synchronizations served.
fn syncs(master: &mut Server) -> i64 {
    master.number("sync_full") + master.number("sync_partial_ok")
}

impl Story {
    fn break_link(&self, master: &mut Server, replica: &mut Server, wire: &Wire) {
        if !matches!(self.breaks, Break::Short) {
            wire.hold();
        }
        // At its own end, as an operator does it; in between where it does not know that command.
        if replica.client.say("CLIENT KILL TYPE master").starts_with('-') {
            wire.kill();
        }
        if matches!(self.breaks, Break::Short) {
            return;
        }
        master.until_info("connected_slaves", "0");
        match self.breaks {
            Break::Never | Break::Short => {}
            Break::UntilOutrun => {
                let end = master.number("master_repl_offset");
                master.until("the backlog was outrun", |master| {
                    let first = master.number("repl_backlog_first_byte_offset");
                    (first > end + 1).then_some(())
                });
            }
            Break::ThreeSeconds => {
                let began = master.number("uptime_in_seconds");
                master.until("three seconds have passed", |master| {
                    (master.number("uptime_in_seconds") > began + 3).then_some(())
                });
            }
            Break::UntilExpired => master.until_info("repl_backlog_active", "0"),
        }
        wire.heal();
    }

    fn judge(&self, master: &mut Server) {
        let full = master.number("sync_full");
        let partial = master.number("sync_partial_ok");
        // One is the first attach, which asks with the replica's own id.
        let refused = master.number("sync_partial_err") - 1;
        let fits = match self.outcome {
            Outcome::OnlyTheFirstSync => (full, partial, refused) == (1, 0, 0),
            Outcome::OnlyContinuations => full == 1 && partial >= self.times as i64 && refused == 0,
            Outcome::NoContinuation => partial == 0 && refused >= self.times as i64,
        };
        let name = master.name();
        let sentence = self.sentence;
        assert!(
            fits,
            "{sentence}: {name} counts {full} full, {partial} partial, {refused} refused"
        );
    }
}

#[test]
fn five_stories_of_a_real_redis_behind_ours() {
    tell(Kind::OursAsRedis, Kind::Redis);
}

#[test]
fn five_stories_of_a_real_valkey_behind_ours() {
    tell(Kind::OursAsValkey, Kind::Valkey);
}

#[test]
fn five_stories_of_ours_behind_a_real_redis() {
    tell(Kind::Redis, Kind::OursAsRedis);
}

#[test]
fn five_stories_of_ours_behind_a_real_valkey() {
    tell(Kind::Valkey, Kind::OursAsValkey);
}
