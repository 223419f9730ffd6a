//! A stretch of a run as text, as Mermaid and as SVG, compared with what it should look like.

use psync::cluster::trace::Entry;
use psync::cluster::{Action, Run, Scenario, export};

/// A blip of one replica, and a value that tries to break out of every form.
fn played() -> (Run, Vec<String>) {
    let text = r##"{"engine":"redis-6.2","seed":42,"replicas":1,
        "config":{"repl-backlog-size":"16kb"},"workload":{"writes_per_second":4,"value_bytes":8},
        "network":{"latency_us":100000,"bandwidth_bytes_per_second":0}}"##;
    let mut run = Run::new(Scenario::from_json(text).expect("good"));
    let act = |run: &mut Run, text: &str| {
        run.act(Action::from_json(text).expect("good")).expect("it can");
    };
    run.advance_us(4_000_000);
    act(&mut run, r#"{"do":"cut","replica":"replica-1"}"#);
    run.advance_us(800_000);
    let nasty = r##"{"do":"write","argv":["SET","<b>&;#%\"'","]]>\n</svg>"]}"##;
    act(&mut run, nasty);
    act(&mut run, r#"{"do":"heal","replica":"replica-1"}"#);
    run.advance_us(3_000_000);
    let names = run.snapshot().servers.iter().map(|server| server.name.clone()).collect();
    (run, names)
}

fn span(run: &Run) -> impl Iterator<Item = &Entry> {
    run.trace().entries().filter(|entry| (4_000_000..7_200_000).contains(&entry.at.0))
}

#[expect(clippy::panic, reason = "a difference ends the test, with what would be right")]
fn check(name: &str, got: &str, wanted: &str) {
    if got != wanted {
        panic!("tests/exports/{name} should be:\n{got}");
    }
}

#[test]
fn the_three_forms_are_as_they_were() {
    let (run, names) = played();
    check("blip.txt", &export::text(span(&run), &names), include_str!("exports/blip.txt"));
    check("blip.mmd", &export::mermaid(span(&run), &names), include_str!("exports/blip.mmd"));
    check("blip.svg", &export::svg(span(&run), &names), include_str!("exports/blip.svg"));
}

#[test]
fn nothing_that_people_write_breaks_out_of_its_form() {
    let (run, names) = played();
    let svg = export::svg(run.trace().entries(), &names);
    assert_eq!(svg.matches("</svg>").count(), 1);
    assert!(!svg.contains("<b>"), "{svg}");
    let mermaid = export::mermaid(run.trace().entries(), &names);
    for line in mermaid.lines().skip(1) {
        let known = ["    s", "    participant s", "    Note over s", "    %% and "];
        assert!(known.iter().any(|begins| line.starts_with(begins)), "{line}");
    }
    let text = export::text(run.trace().entries(), &names);
    assert_eq!(text.lines().count(), run.trace().entries().len());
}

#[test]
fn a_diagram_is_bounded_and_counts_the_rest() {
    let mut run = Run::new(Scenario::preset("short-blip").expect("a preset"));
    run.advance_us(1_200_000_000);
    let names: Vec<String> = run.snapshot().servers.iter().map(|s| s.name.clone()).collect();
    let mermaid = export::mermaid(run.trace().entries(), &names);
    assert!(mermaid.lines().count() < 2100 * 4);
    assert!(mermaid.trim_end().ends_with("more"), "{}", mermaid.lines().last().unwrap_or(""));
}
