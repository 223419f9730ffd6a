//! The presets, the three stages among them, chosen from the menu, each played to the verdict that its sentence promises.

use crate::browser::{Outcome, on_page};
use crate::story::verdicts;

/// Title in the menu, seconds to play, what is decided after the first attaches, what the card shows at last.
type Told = (&'static str, u64, &'static [&'static str], (&'static str, Option<&'static str>));

const PRESETS: [Told; 12] = [
    ("A calm day", 20, &[], ("full", Some("requested"))),
    (
        "A bad network",
        50,
        &[
            "replica-1 partial -",
            "replica-2 partial -",
            "replica-3 partial -",
            "replica-1 partial -",
            "replica-3 partial -",
        ],
        ("partial", None),
    ),
    (
        "The worst day",
        90,
        &[
            "replica-1 full before-backlog",
            "replica-3 full unknown-replid",
            "replica-1 full unknown-replid",
            "master full unknown-replid",
            "replica-3 full unknown-replid",
            "replica-1 full unknown-replid",
            "replica-1 full unknown-replid",
            "replica-3 partial -",
        ],
        ("partial", None),
    ),
    ("Short blip", 24, &["replica-1 partial -"], ("partial", None)),
    (
        "Too long away",
        24,
        &["replica-2 full before-backlog", "replica-3 partial -"],
        ("partial", None),
    ),
    (
        "Master restart",
        24,
        &[
            "replica-1 full unknown-replid",
            "replica-2 full unknown-replid",
            "replica-3 full unknown-replid",
        ],
        ("full", Some("unknown-replid")),
    ),
    (
        "Nobody left",
        24,
        &["replica-1 full unknown-replid", "replica-2 full unknown-replid"],
        ("full", Some("unknown-replid")),
    ),
    (
        "Promotion",
        24,
        &["replica-2 partial -", "replica-3 partial -", "master partial -"],
        ("partial", None),
    ),
    (
        "The laggard was promoted",
        24,
        &[
            "replica-2 full past-second-offset",
            "replica-3 full past-second-offset",
            "master full past-second-offset",
        ],
        ("full", Some("past-second-offset")),
    ),
    (
        "Two windows that fight",
        60,
        &[
            "replica-1 full before-backlog",
            "replica-2 full before-backlog",
            "replica-2 full before-backlog",
            "replica-2 full before-backlog",
        ],
        ("full", Some("before-backlog")),
    ),
    ("Slow replica pins the window", 30, &["replica-2 partial -"], ("partial", None)),
    (
        "The original proposal",
        30,
        &["replica-2 partial -", "replica-3 full no-backlog"],
        ("full", Some("no-backlog")),
    ),
];

#[test]
fn each_preset_plays_to_its_verdict() -> Outcome {
    on_page("presets", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false&preset=nobody-left").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        for (title, seconds, wanted, (verdict, reason)) in PRESETS {
            lab.find("combobox", "Preset").await?.send_keys(title).await?;
            lab.call("seek", vec![0.into()]).await?;
            lab.advance(seconds * 1_000_000).await?;
            let decisions = lab.decisions().await?;
            let mut later = verdicts(&decisions);
            later.retain(|said| !said.ends_with("full requested"));
            assert_eq!(later, wanted, "{title}");
            lab.shows(verdict, reason).await?;
        }
        page.assert_calm().await
    })
}
