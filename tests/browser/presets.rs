//! The presets, chosen from the menu, each played to the verdict that its sentence promises.

use crate::browser::{Outcome, on_page};
use crate::story::verdicts;

/// Title in the menu, what is decided after the first attaches, what the card shows at last.
type Told = (&'static str, &'static [&'static str], (&'static str, Option<&'static str>));

const PRESETS: [Told; 4] = [
    ("Short blip", &["replica-1 partial -"], ("partial", None)),
    ("Too long away", &["replica-2 full before-backlog", "replica-3 partial -"], ("partial", None)),
    (
        "Master restart",
        &[
            "replica-1 full unknown-replid",
            "replica-2 full unknown-replid",
            "replica-3 full unknown-replid",
        ],
        ("full", Some("unknown-replid")),
    ),
    (
        "Nobody left",
        &["replica-1 full unknown-replid", "replica-2 full unknown-replid"],
        ("full", Some("unknown-replid")),
    ),
];

#[test]
fn each_preset_plays_to_its_verdict() -> Outcome {
    on_page("presets", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false&preset=nobody-left").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        for (title, wanted, (verdict, reason)) in PRESETS {
            lab.find("combobox", "Preset").await?.send_keys(title).await?;
            lab.call("seek", vec![0.into()]).await?;
            lab.advance(24_000_000).await?;
            let decisions = lab.decisions().await?;
            let mut later = verdicts(&decisions);
            later.retain(|said| !said.ends_with("full requested"));
            assert_eq!(later, wanted, "{title}");
            lab.shows(verdict, reason).await?;
        }
        page.assert_calm().await
    })
}
