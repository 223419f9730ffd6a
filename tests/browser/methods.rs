//! The element's methods, as scripts of other people's pages call them.

use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};

/// The names and kinds of values: `n` number, `s` text, `b` boolean, `?` before it: or null.
fn check(what: &str, value: &Value, wanted: &[(&str, &str)]) {
    for (name, kind) in wanted {
        let found = &value[name];
        let nullable = kind.starts_with('?');
        let right = match kind.trim_start_matches('?') {
            "n" => found.is_number(),
            "s" => found.is_string(),
            "b" => found.is_boolean(),
            "list" => found.is_array(),
            _ => found.is_object(),
        };
        let there = value.get(name).is_some();
        assert!(there && (right || nullable && found.is_null()), "{what}.{name}: {found}");
    }
}

#[test]
fn snapshots_and_decisions_have_the_documented_shape() -> Outcome {
    on_page("shapes", async |page| {
        let lab = page.open_quiet().await?;
        lab.call("load", vec![json!({ "preset": "too-long" })]).await?;
        lab.advance(20_000_000).await?;
        let snapshot = lab.snapshot().await?;
        check("snapshot", &snapshot, &[("now_us", "n"), ("paused", "b"), ("servers", "list")]);
        for server in snapshot["servers"].as_array().ok_or("no servers")? {
            let texts = ["name", "role", "replid", "replid2", "dataset_digest"];
            check("server", server, &texts.map(|name| (name, "s")));
            let numbers = ["second_replid_offset", "master_repl_offset", "keys"];
            check("server", server, &numbers.map(|name| (name, "n")));
            check("server", server, &[("backlog", "?{}"), ("link", "?{}"), ("counters", "{}")]);
            let counters = ["sync_full", "sync_partial_ok", "sync_partial_err"];
            check("counters", &server["counters"], &counters.map(|name| (name, "n")));
            if server["link"].is_object() {
                let link = [("state", "s"), ("behind_bytes", "n"), ("covered_us", "?n")];
                check("link", &server["link"], &link);
            }
        }
        let backlog =
            [("first_byte_offset", "n"), ("histlen", "n"), ("size", "n"), ("blocks", "?list")];
        check("backlog", &snapshot["servers"][0]["backlog"], &backlog);
        let decisions = lab.decisions().await?;
        assert!(decisions.len() >= 5, "{decisions:?}");
        for decision in &decisions {
            let texts = ["master", "replica", "verdict", "log_line"];
            check("decision", decision, &texts.map(|name| (name, "s")));
            check("decision", decision, &["at_us", "bytes", "full_bytes"].map(|n| (n, "n")));
            let maybe = [("reason", "?s"), ("window", "?{}"), ("remedy", "?{}"), ("request", "{}")];
            check("decision", decision, &maybe);
            check("request", &decision["request"], &[("replid", "s"), ("offset", "n")]);
        }
        page.assert_calm().await
    })
}

/// Whether anything inside is no plain JSON value of JavaScript: a `BigInt`, a `Map`, `undefined`.
const PLAIN: &str = "const [method, done] = arguments;
    const plain = (value) => value === null || ['boolean', 'string'].includes(typeof value)
        || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
        || (Array.isArray(value) && value.every(plain))
        || (Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(plain));
    document.querySelector('psync-lab')[method]().then((value) => done(plain(value)));";

#[test]
fn what_methods_return_are_plain_objects_with_plain_numbers() -> Outcome {
    on_page("plain", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Write burst").await?;
        lab.settle().await?;
        for method in ["snapshot", "decisions", "scenario"] {
            let plain = page.driver().execute_async(PLAIN, vec![json!(method)]).await?;
            assert_eq!(plain.json(), &json!(true), "{method}()");
        }
        page.assert_calm().await
    })
}

#[test]
fn every_method_does_what_its_name_says() -> Outcome {
    on_page("methods", async |page| {
        let lab = page.open_quiet().await?;
        lab.call("load", vec![json!({ "preset": "short-blip", "seed": 9 })]).await?;
        let snapshot = lab.snapshot().await?;
        assert_eq!((&snapshot["now_us"], &snapshot["paused"]), (&json!(0), &json!(true)));
        lab.advance(3_000_000).await?;
        assert_eq!(lab.now_us().await?, 3_000_000);
        let earlier = lab.snapshot().await?;

        lab.call("step", vec![]).await?;
        let stepped = lab.now_us().await?;
        assert!(stepped > 3_000_000, "{stepped}");
        lab.advance(4_000_000).await?;
        assert_ne!(lab.snapshot().await?, earlier);
        lab.call("seek", vec![json!(3_000_000)]).await?;
        assert_eq!(lab.snapshot().await?, earlier, "the same moment is the same world");

        lab.call("play", vec![]).await?;
        lab.wait_until_after(3_000_000).await?;
        lab.call("pause", vec![]).await?;
        assert_eq!(lab.snapshot().await?["paused"], true);
        assert!(lab.stands(page).await?);

        let now = lab.now_us().await?;
        lab.call("act", vec![json!({ "do": "cut", "replica": "replica-2" })]).await?;
        assert_eq!(lab.link(2).await?, "cut");
        let scenario = lab.call("scenario", vec![]).await?;
        assert_eq!(scenario["seed"], 9);
        let done =
            json!({ "at_us": now, "do": "cut", "replica": "replica-2", "direction": "both" });
        let actions = scenario["actions"].as_array().ok_or("no actions")?;
        assert!(actions.contains(&done), "{actions:?}");

        lab.advance(1_000_000).await?;
        let there = lab.snapshot().await?;
        lab.call("load", vec![scenario]).await?;
        lab.call("seek", vec![there["now_us"].clone()]).await?;
        assert_eq!(lab.snapshot().await?, there, "a scenario with its actions is the whole run");
        page.assert_calm().await
    })
}

#[test]
fn bad_arguments_are_errors_that_name_them_and_the_page_goes_on() -> Outcome {
    on_page("bad-arguments", async |page| {
        let lab = page.open_quiet().await?;
        let before = lab.snapshot().await?;
        let beyond = json!((1_u64 << 53) + 2);
        let table = [
            ("advance", json!("x"), "us "),
            ("advance", json!(-1), "us "),
            ("advance", json!(1.5), "us "),
            ("advance", Value::Null, "us "),
            ("advance", beyond.clone(), "us "),
            ("advance", json!(90_000_000_000_u64), "us "),
            ("seek", json!(-1), "us "),
            ("seek", json!("later"), "us "),
            ("seek", beyond.clone(), "us "),
            ("act", json!({ "do": "explode" }), "explode"),
            ("act", json!("cut"), "action "),
            ("act", json!([]), "action "),
            ("act", json!({}), "do"),
            ("act", json!({ "do": "cut" }), "replica"),
            ("act", json!({ "do": "cut", "replica": "replica-9" }), "replica-9"),
            ("act", json!({ "do": "cut", "replica": "replica-1", "way": 1 }), "way"),
            ("act", json!({ "do": "write", "argv": [] }), "argv"),
            ("act", json!({ "do": "burst", "writes": beyond, "value_bytes": 1 }), "action.writes"),
            ("load", json!({ "replicas": 0 }), "replicas"),
            ("load", json!({ "replicas": 101 }), "replicas"),
            ("load", json!({ "seed": beyond }), "scenario.seed"),
            ("load", json!({ "engine": "redis-1.0" }), "engine"),
            ("load", json!({ "preset": "nonesuch" }), "preset"),
            ("load", json!({ "surprise": 1 }), "surprise"),
            ("load", json!({ "config": { "repl-backlog-size": "many" } }), "repl-backlog-size"),
            ("load", json!("short-blip"), "scenario "),
        ];
        for (method, argument, named) in table {
            let call = format!("{method}({argument})");
            let error =
                lab.call(method, vec![argument]).await.err().ok_or(format!("{call}: fine"))?;
            let error = error.to_string();
            assert!(error.starts_with(&format!("Error: {method}(")), "{call}: {error}");
            assert!(error.contains(named), "{call}: {error}");
            assert_eq!(lab.snapshot().await?, before, "{call} changed something");
        }
        lab.click("button", "Write").await?;
        lab.settle().await?;
        assert_eq!(lab.snapshot().await?["servers"][1]["keys"], 1);
        page.assert_calm().await
    })
}
