//! What can be done to a world besides cutting links: killing a server, and writes along a curve.

use psync::cluster::{Action, Run, Scenario};
use psync::time::SECOND_US;

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
    run.advance_us(3 * SECOND_US);
    assert_eq!(keys(&run, 1), 0, "{:?}", run.trace().decisions().last());
    // One over the disk leaves a file, which is loaded, old as it is.
    let text = r#"{"engine":"redis-6.2","replicas":1,"actions":[
        {"at_us":3000000,"do":"restart","server":"replica-1"},{"at_us":6000000,"do":"kill"}]}"#;
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
