//! The page rendered to text: names, regions and states that people and tests rely on.

use yew::{Callback, ServerRenderer};

use crate::app::{App, AppProps};
use crate::run::RunHandle;
use crate::session::Session;
use crate::state::{Msg, Tab, View};
use crate::world::Scenario;

/// The page's HTML after these messages.
fn html(preset: &str, messages: Vec<Msg>) -> String {
    let preset = preset.to_owned();
    let rendered = ServerRenderer::<App>::with_props(move || {
        let mut session = Session::new(Scenario::preset(&preset).expect("a preset of our own"));
        for msg in messages {
            session.apply(msg).expect("a message that can be done");
        }
        AppProps {
            run: RunHandle::new(session),
            beside: "https://docs.example/lab/".into(),
            home: "https://docs.example/lab/".into(),
            on: Callback::noop(),
            on_ready: Callback::noop(),
        }
    })
    .hydratable(false)
    .render();
    ready(rendered)
}

/// Runs a future to its end; Yew renders on a thread of its own and wakes this one.
fn ready<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Unpark>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
        std::thread::park();
    }
}

#[track_caller]
fn has(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}

#[test]
fn every_name_of_the_public_interface_is_there() {
    let page = html("short-blip", vec![]);
    has(
        &page,
        &[
            "aria-label=\"Replication map\"",
            "aria-label=\"Decision\"",
            "aria-label=\"Timeline\"",
            "aria-label=\"Transcript\"",
            "aria-label=\"Play\"",
            ">Step<",
            "aria-label=\"Previous decision\"",
            "aria-label=\"Next decision\"",
            ">Write<",
            ">Write burst<",
            ">Restart master<",
            "aria-label=\"Restart replica 1\"",
            "aria-label=\"Cut link to replica 1\"",
            ">Share<",
            "aria-label=\"Speed\"",
            "aria-label=\"Time\"",
            "No decision yet",
        ],
    );
    for (tab, name) in [(Tab::Console, "Console"), (Tab::Settings, "Settings")] {
        let page = html("short-blip", vec![Msg::Open(tab)]);
        has(&page, &[&format!("<section aria-label=\"{name}\"")]);
    }
    has(&html("short-blip", vec![Msg::Play]), &["aria-label=\"Pause\"", "data-playing=\"true\""]);
}

#[test]
fn share_shows_a_link_or_where_that_is_too_long_a_file() {
    let packed = |letters| Msg::Packed(format!("1.{}", "A".repeat(letters)));
    let short = html("too-long", vec![Msg::Advance(9_000_000), Msg::Share(true), packed(300)]);
    has(&short, &["#run=1.", ">Copy link<", ">Save as file<", "9.000 s", "1 done"]);
    assert!(
        !html("too-long", vec![]).contains("#run="),
        "nothing is packed before it is asked for"
    );
    let mut many = Vec::new();
    for n in 0..700 {
        many.push(Msg::Advance(10_007 + n));
        many.push(Msg::Act(crate::keys::burst(1 + n % 7, 10 + n)));
    }
    let long = html("calm", [many, vec![Msg::Share(true), packed(4096)]].concat());
    has(&long, &[" letters long.", "longer than 4,096", ">Save as file<", "700 done"]);
    assert!(!long.contains("#run=") && !long.contains("Copy link"), "{long}");
}

#[test]
fn a_full_resync_shows_reason_numbers_remedy_and_log_line() {
    let page = html("too-long", vec![Msg::Advance(17_000_000)]);
    has(
        &page,
        &[
            "data-verdict=\"full\"",
            "data-reason=\"before-backlog\"",
            "The bytes it needs are no longer in the backlog.",
            "short by ",
            " &lt; first kept ",
            "was missing",
            "repl-backlog-size",
            "Apply and replay",
            "Unable to partial resync",
            "sync_partial_err \u{2192} 1",
        ],
    );
}

#[test]
fn a_partial_resync_has_no_reason_and_no_remedy() {
    let page = html("short-blip", vec![Msg::Advance(12_000_000)]);
    has(&page, &["data-verdict=\"partial\"", "a full resync would cost", "sync_partial_ok"]);
    assert!(!page.contains("data-reason") && !page.contains("Apply and replay"));
}

#[test]
fn a_complaint_is_an_alert_that_can_be_dismissed() {
    let page = html("short-blip", vec![Msg::Complain("seed is \"abc\"".to_owned())]);
    has(&page, &["role=\"alert\"", "seed is \"abc\"", "aria-label=\"Dismiss\""]);
}

#[test]
fn every_engine_is_offered_and_its_dial_is_called_what_it_is() {
    let page = html("short-blip", vec![Msg::Open(Tab::Settings)]);
    has(&page, &["aria-label=\"Engine\"", ">The 2011 proposal<", ">Redis 6.2<", ">Valkey 9.1<"]);
    has(&page, &["aria-label=\"Engine of all servers\"", "client-output-buffer-limit"]);
    assert!(!page.contains("projection") && !page.contains("dual-channel"));
    let change = |name: &str| Msg::Change(crate::setup::Change::Engine(name.to_owned()));
    let page = html("short-blip", vec![Msg::Open(Tab::Settings), change("valkey-9")]);
    has(
        &page,
        &["projection: the backlog is a list of blocks", "dual-channel-replication-enabled"],
    );
    let page = html("short-blip", vec![change("proposal")]);
    has(&page, &["projection: a list each, the longest is drawn"]);
}

#[test]
fn the_memory_is_drawn_as_the_engine_keeps_it() {
    let memory = |preset: &str, seconds: u64| {
        html(preset, vec![Msg::View(View::Memory), Msg::Advance(seconds * 1_000_000)])
    };
    let page = memory("slow-replica-pins", 24);
    has(
        &page,
        &[
            "aria-label=\"Memory as implemented\"",
            "aria-label=\"Blocks, oldest first\"",
            "shared blocks",
            "<i>repl-backlog-size </i>16,384",
            "would leave, but replica 1 still reads block 1.",
            "shared blocks: 7.0 on<span class=\"unseen\">, this engine",
        ],
    );
    has(&memory("short-blip", 6), &["One circular buffer", "Private queues", "goes to index"]);
    let page = memory("proposal", 11);
    has(&page, &["3 lists", "away: ", "not sent yet"]);
    has(&memory("proposal", 20), &["no list"]);
}

#[test]
fn after_a_promotion_the_dial_names_its_server_and_the_old_master_has_a_card() {
    let page = html("promotion", vec![Msg::Advance(14_000_000), Msg::Inspect(2)]);
    has(
        &page,
        &[
            ">replica 1, master now<",
            ">follows replica 1<",
            "aria-label=\"Promote master\"",
            "aria-label=\"Cut link to master\"",
            ">replica 2 follows\u{2026}<",
        ],
    );
    assert!(!page.contains("aria-label=\"Cut link to replica 1\""), "it has no link");
}

#[test]
fn a_replica_cut_for_its_output_says_so() {
    let page = html("two-windows", vec![Msg::Advance(20_000_000)]);
    has(&page, &["cut: output limit", "replica-2: cut, output limit"]);
}

#[test]
fn the_table_of_conformance_is_linked_beside_the_site() {
    let page = html("short-blip", vec![]);
    has(&page, &["href=\"https://docs.example/lab/conformance.html\"", "Proven against"]);
}

#[test]
fn a_hundred_replicas_are_listed_with_their_facts() {
    let field = crate::setup::Field::Replicas;
    let change = Msg::Change(field.read("100").expect("within the limit"));
    let page = html("short-blip", vec![change, Msg::Open(Tab::Info), Msg::Select(Some(100))]);
    has(&page, &[">replica 100<", ">Restart replica 100<", "master_link_status"]);
}

#[test]
fn futures_left_behind_stand_under_the_timeline_by_name() {
    let messages = vec![Msg::Advance(17_000_000), Msg::Seek(3_000_000), Msg::Fork];
    let page = html("too-long", messages);
    has(&page, &[">Fork here<", "aria-label=\"Futures left behind\"", "aria-label=\"Return to: "]);
    has(&page, &["aria-label=\"Auto-slow\" aria-pressed=\"true\"", ">paused<"]);
    let page = html("too-long", vec![Msg::Play]);
    assert!(!page.contains("Futures left behind") && !page.contains(">paused<"));
}

#[test]
fn what_would_have_been_is_said_with_both_values() {
    let page = html("too-long", vec![Msg::Advance(17_000_000)]);
    has(&page, &[" instead of 16kb"]);
    let page = html("too-long", vec![Msg::Advance(17_000_000), Msg::ApplyRemedy]);
    has(&page, &["data-verdict=\"partial\"", "Return to: "]);
}

#[test]
fn everything_that_a_lesson_may_speak_of_has_its_place() {
    use crate::stage::painting::marks::PAINTED;
    let later = |preset, view| html(preset, vec![Msg::Advance(20_000_000), Msg::View(view)]);
    let pages = [
        later("promotion", View::Dial),
        later("slow-replica-pins", View::Memory),
        later("proposal", View::Memory),
    ];
    let named = pages.iter().flat_map(|page| page.split("data-place=\"").skip(1));
    let mut known: Vec<&str> = named
        .filter_map(|rest| rest.split('"').next())
        .flat_map(|names| names.split(' '))
        .chain(PAINTED)
        .collect();
    known.sort_unstable();
    for place in psync::lesson::script::PLACES.iter().chain(&["master", "replica-1", "replica-3"]) {
        assert!(known.contains(place), "{place} is not among {known:?}");
    }
}

#[test]
fn a_lesson_has_its_region_and_the_list_marks_it() {
    let at = |steps: usize| {
        let mut messages = vec![Msg::Lesson("3".to_owned())];
        messages.extend((0..steps).map(|_| Msg::LessonNext));
        messages
    };
    let asking = html("calm", at(1));
    has(&asking, &["aria-label=\"Lesson\"", "step 2 of 7", "Cut replica 2", "data-goal=\"open\""]);
    has(&asking, &["[data-place~=replica-2]{", "disabled=\"disabled\">Too long<"]);
    let goal = html("calm", at(6));
    has(&goal, &["Your turn", "Goal, not reached yet", ">Hint<", "Next lesson"]);
    let list = html("calm", vec![Msg::Lesson("3".to_owned()), Msg::Learn(true)]);
    has(&list, &["A calm day", "A bad network", "The worst day", "The original proposal"]);
    assert_eq!(list.matches("aria-current").count(), 1);
    assert!(!html("calm", vec![]).contains("aria-label=\"Lesson\""));
}

#[test]
fn a_run_that_has_outgrown_its_record_says_since_when_it_is_kept() {
    let page = html("short-blip", vec![Msg::Advance(60_000_000)]);
    assert!(!page.contains("no longer kept"), "a minute is not much");
    let busy = r#"{"replicas":3,"workload":{"writes_per_second":200}}"#;
    let busy = Msg::Load(Box::new(Scenario::from_json(busy).expect("a scenario")));
    let page = html("short-blip", vec![busy, Msg::Advance(300_000_000)]);
    has(&page, &["The messages before", "are no longer kept"]);
}
