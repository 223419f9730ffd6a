//! What can be done to a world besides cutting links: killing a server, and writes along a curve.

use psync::cluster::snapshot::LinkState;
use psync::cluster::{Action, Run, Scenario};
use psync::time::SECOND_US;
use psync::wire::Value;

fn run(text: &str) -> Run {
    Run::new(Scenario::from_json(text).expect("good"))
}

fn act(run: &mut Run, text: &str) -> Result<Option<Value>, String> {
    run.act(Action::from_json(text).expect(text)).map_err(|error| error.to_string())
}

fn state(run: &Run, replica: usize) -> LinkState {
    run.snapshot().servers[replica].link.as_ref().expect("a replica").state
}

/// What useless repetition says; nothing changes by it.
#[track_caller]
fn says(run: &mut Run, action: &str, why: &str) {
    let before = (run.digest(), run.scenario());
    assert_eq!(act(run, action).expect_err(action), why);
    assert_eq!((run.digest(), run.scenario()), before, "{action}");
}

#[test]
fn what_would_change_nothing_says_why() {
    let mut run = run(r#"{"replicas":2,"config":{"repl-diskless-sync-delay":"0"}}"#);
    run.advance_us(6 * SECOND_US);
    for (action, why) in [
        (
            r#"{"do":"cut","replica":"replica-1"}"#,
            "replica is replica-1, whose link is cut already",
        ),
        (r#"{"do":"heal","replica":"replica-1"}"#, "replica is replica-1, whose link is not cut"),
        (
            r#"{"do":"cut","replica":"replica-1","direction":"to-master"}"#,
            "replica is replica-1, whose link is cut already (to the master)",
        ),
        (
            r#"{"do":"link","replica":"replica-2","latency_us":7000}"#,
            "replica is replica-2, whose link is like that already",
        ),
        (
            r#"{"do":"link","replica":"replica-2","bandwidth_bytes_per_second":0,"loss":"1/9"}"#,
            "replica is replica-2, whose link is like that already",
        ),
        (
            r#"{"do":"replicaof","server":"replica-2","master":"replica-1"}"#,
            "server is replica-2, which follows replica-1 already",
        ),
        (
            r#"{"do":"promote","server":"replica-1"}"#,
            "server is replica-1, which is a master already",
        ),
        (r#"{"do":"freeze","server":"replica-2"}"#, "server is replica-2, which is frozen already"),
        (r#"{"do":"thaw","server":"replica-2"}"#, "server is replica-2, which is not frozen"),
        (
            r#"{"do":"config","directive":"repl-backlog-size","value":"32kb"}"#,
            "directive is repl-backlog-size, which is 32kb already",
        ),
        (
            r#"{"do":"workload","writes_per_second":3}"#,
            "do is workload, but clients write like that already",
        ),
        (r#"{"do":"kill","server":"replica-2"}"#, "server is replica-2, which is killed already"),
        (r#"{"do":"start","server":"replica-2"}"#, "server is replica-2, which runs already"),
    ] {
        act(&mut run, action).expect(action);
        says(&mut run, action, &format!("action.{why}"));
    }
}

#[test]
fn a_killed_server_takes_nothing_but_a_start() {
    let mut run = run(r#"{"replicas":1,"config":{"repl-diskless-sync-delay":"0"}}"#);
    run.advance_us(6 * SECOND_US);
    act(&mut run, r#"{"do":"kill"}"#).expect("it runs");
    for action in [
        r#"{"do":"restart"}"#,
        r#"{"do":"freeze","server":"master"}"#,
        r#"{"do":"thaw","server":"master"}"#,
        r#"{"do":"promote","server":"master"}"#,
        r#"{"do":"replicaof","server":"master","master":"replica-1"}"#,
        r#"{"do":"write","argv":["SET","k","v"]}"#,
        r#"{"do":"config","directive":"repl-backlog-size","value":"32kb"}"#,
    ] {
        says(&mut run, action, "action.server is master, which is killed and must be started");
    }
    says(&mut run, r#"{"do":"burst"}"#, "action.do is burst, but no server runs that takes writes");
    assert!(run.snapshot().servers[0].killed);
    run.advance_us(5 * SECOND_US);
    assert_eq!(state(&run, 1), LinkState::Connecting, "it is refused as often as it dials");
    // Those who write go to who takes writes now.
    act(&mut run, r#"{"do":"promote","server":"replica-1"}"#).expect("it can");
    let keys = run.snapshot().servers[1].keys;
    act(&mut run, r#"{"do":"write","server":"replica-1","argv":["SET","k","v"]}"#).expect("it can");
    act(&mut run, r#"{"do":"burst","writes":50}"#).expect("there is one");
    assert!(run.snapshot().servers[1].keys > keys);
}

#[test]
fn a_replica_that_is_started_again_comes_back() {
    let mut run = run(r#"{"replicas":2,"config":{"repl-diskless-sync-delay":"0"}}"#);
    run.advance_us(6 * SECOND_US);
    act(&mut run, r#"{"do":"kill","server":"replica-1"}"#).expect("it runs");
    run.advance_us(SECOND_US);
    assert_eq!(run.snapshot().servers[0].connected_replicas, 1, "the master heard the end");
    act(&mut run, r#"{"do":"start","server":"replica-1"}"#).expect("it is killed");
    run.advance_us(5 * SECOND_US);
    act(&mut run, r#"{"do":"workload","writes_per_second":0}"#).expect("it can");
    run.advance_us(SECOND_US);
    assert_eq!(state(&run, 1), LinkState::Up);
    let digests: Vec<String> =
        run.snapshot().servers.iter().map(|server| server.dataset_digest.clone()).collect();
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    // `SHUTDOWN SAVE` ends the process too, and leaves what it saved.
    let keys = run.snapshot().servers[0].keys;
    let answer = act(&mut run, r#"{"do":"write","argv":["SHUTDOWN","SAVE"]}"#);
    assert_eq!(answer, Ok(None));
    run.advance_us(15 * SECOND_US);
    assert!(run.snapshot().servers[0].killed);
    act(&mut run, r#"{"do":"start"}"#).expect("it has ended");
    assert_eq!(run.snapshot().servers[0].keys, keys);
}

#[test]
fn a_lossy_link_says_so_and_can_be_whole_again() {
    let mut run = run(r#"{"replicas":1}"#);
    let loss = |run: &Run| run.snapshot().servers[1].link.clone().and_then(|link| link.loss);
    act(&mut run, r#"{"do":"link","replica":"replica-1","loss":"1/100"}"#).expect("it can");
    assert_eq!(loss(&run).as_deref(), Some("1/100"));
    act(&mut run, r#"{"do":"link","replica":"replica-1","loss":"0/1"}"#).expect("it can");
    assert_eq!(loss(&run), None);
}

#[test]
fn who_kills_all_ordinary_clients_can_still_be_talked_to() {
    let mut run = run(r#"{"replicas":1}"#);
    run.advance_us(SECOND_US);
    let kill = r#"{"do":"write","argv":["CLIENT","KILL","TYPE","normal","SKIPME","no"]}"#;
    act(&mut run, kill).expect("it runs");
    let ping = act(&mut run, r#"{"do":"write","argv":["PING"]}"#);
    assert_eq!(ping, Ok(Some(Value::Simple("PONG".into()))));
    let keys = run.snapshot().servers[0].keys;
    run.advance_us(3 * SECOND_US);
    assert!(run.snapshot().servers[0].keys > keys, "and clients write on");
}

#[test]
fn a_killed_server_loses_what_it_did_not_save() {
    let act = |run: &mut Run, text: &str| {
        run.act(Action::from_json(text).expect("good")).expect("it can");
    };
    let keys = |run: &Run, server: usize| run.snapshot().servers[server].keys;
    // Snapshots over sockets leave nothing on the disk: the master comes back empty, and its
    // replicas become as empty as it is.
    let text = r#"{"engine":"redis-7.2","replicas":1,"config":{"repl-diskless-sync-delay":"0"}}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    run.advance_us(6 * SECOND_US);
    assert!(keys(&run, 0) > 50 && keys(&run, 1) > 50);
    act(&mut run, r#"{"do":"workload","writes_per_second":0}"#);
    act(&mut run, r#"{"do":"kill"}"#);
    assert_eq!(keys(&run, 0), 0);
    act(&mut run, r#"{"do":"start"}"#);
    run.advance_us(3 * SECOND_US);
    assert_eq!(keys(&run, 1), 0, "{:?}", run.trace().decisions().last());
    // One over the disk leaves a file, which is loaded, old as it is.
    let text = r#"{"engine":"redis-6.2","replicas":1,"actions":[
        {"at_us":3000000,"do":"restart","server":"replica-1"},{"at_us":6000000,"do":"kill"},
        {"at_us":6000000,"do":"start"}]}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    run.advance_us(6 * SECOND_US - 1);
    let before = keys(&run, 0);
    run.advance_us(1);
    assert!((10..before).contains(&keys(&run, 0)), "{} of {before}", keys(&run, 0));
}

#[test]
fn the_rate_of_writes_follows_a_drawn_curve() {
    let text = r#"{"engine":"redis-6.2","replicas":1,"workload":{"value_bytes":8,"keys":1,"curve":[
        {"at_us":0,"writes_per_second":100},{"at_us":2000000,"writes_per_second":0},
        {"at_us":4000000,"writes_per_second":0},{"at_us":6000000,"writes_per_second":200}]}}"#;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    let mut offsets = Vec::new();
    for _ in 0..8 {
        let before = run.snapshot().servers[0].master_repl_offset;
        run.advance_us(SECOND_US);
        // `SET key:0 <8 bytes>` is 38 bytes in the stream.
        offsets.push((run.snapshot().servers[0].master_repl_offset - before) / 38);
    }
    // In the first second there is no replica yet, and nothing is counted.
    assert_eq!(offsets[1..], [25, 0, 0, 50, 150, 200, 200]);
    let curve = r#"{"do":"workload","curve":[{"at_us":0,"writes_per_second":0},{"at_us":1000000,"writes_per_second":20}]}"#;
    run.act(Action::from_json(curve).expect("good")).expect("it can");
    let again = Scenario::from_json(&run.scenario().to_json()).expect("it reads back");
    assert_eq!(again, run.scenario());
}
