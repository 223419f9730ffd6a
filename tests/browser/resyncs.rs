//! The three resyncs that the page is there for, made by pressing its buttons.

use crate::browser::{Outcome, on_page};
use crate::story::verdicts;

#[test]
fn write_cut_write_heal_gives_a_partial_with_exactly_the_missing_bytes() -> Outcome {
    on_page("partial", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Write").await?;
        lab.settle().await?;
        let known = lab.decisions().await?.len();
        assert_eq!(known, 3, "each replica's first attach");

        let at_cut = lab.offset(0).await?;
        lab.click("button", "Cut link to replica 1").await?;
        lab.find("button", "Heal link to replica 1").await?;
        assert_eq!(lab.link(1).await?, "cut");
        for _ in 0..3 {
            lab.click("button", "Write").await?;
        }
        lab.advance(1_000_000).await?;
        let at_heal = lab.offset(0).await?;
        assert!(at_heal > at_cut, "the writes reached the master");
        assert_eq!(lab.offset(1).await?, at_cut, "and not the replica that is cut off");
        assert_eq!(lab.offset(2).await?, at_heal, "but the others");

        lab.click("button", "Heal link to replica 1").await?;
        let decided = lab.decided(known, 1).await?;
        assert_eq!(verdicts(&decided), ["replica-1 partial -"]);
        let decision = &decided[0];
        assert_eq!(decision["bytes"], at_heal - at_cut, "{decision}");
        assert_eq!(decision["request"]["offset"], at_cut + 1);
        assert_eq!(decision["window"]["last"], at_heal);
        assert!(decision["remedy"].is_null());
        let told = page.heard("psync-decision").await?;
        assert_eq!(told.last().map(|event| &event["detail"]), Some(decision));
        lab.shows("partial", None).await?;
        let card = lab.find("region", "Decision").await?.text().await?;
        assert!(card.contains(&format!("{} B", at_heal - at_cut)), "{card}");

        lab.settle().await?;
        let servers = lab.snapshot().await?["servers"].clone();
        assert_eq!(servers[1]["dataset_digest"], servers[0]["dataset_digest"]);
        assert_eq!(servers[0]["counters"]["sync_partial_ok"], 1);
        page.assert_calm().await
    })
}

#[test]
fn cut_write_more_than_the_backlog_heal_gives_a_full_and_the_remedy_for_it() -> Outcome {
    on_page("before-backlog", async |page| {
        let lab = page.open_quiet().await?;
        let known = lab.decisions().await?.len();
        let at_cut = lab.offset(0).await?;
        lab.click("button", "Cut link to replica 1").await?;
        // A burst is 100 writes of 64 bytes, about 10 kB on the wire.
        lab.click("button", "Write burst").await?;
        lab.click("button", "Write burst").await?;
        let backlog = lab.snapshot().await?["servers"][0]["backlog"].clone();
        assert_eq!(backlog["size"], 16_384);
        let missing = lab.offset(0).await? - at_cut;
        assert!(missing > 16_384, "{missing}");

        lab.click("button", "Heal link to replica 1").await?;
        let decided = lab.decided(known, 1).await?;
        assert_eq!(verdicts(&decided), ["replica-1 full before-backlog"]);
        let decision = &decided[0];
        assert_eq!(decision["bytes"], decision["full_bytes"]);
        assert_eq!(decision["request"]["offset"], at_cut + 1);
        assert!(decision["window"]["first"].as_u64() > Some(at_cut + 1), "{decision}");
        assert_eq!(decision["remedy"]["directive"], "repl-backlog-size");
        let wanted = decision["remedy"]["value"].as_str().unwrap_or_default().parse::<u64>()?;
        assert_eq!(wanted, missing, "the smallest that holds what was missing");
        let told = page.heard("psync-decision").await?;
        assert_eq!(told.last().map(|event| &event["detail"]), Some(decision));

        lab.shows("full", Some("before-backlog")).await?;
        let card = lab.find("region", "Decision").await?.text().await?;
        assert!(card.contains("With repl-backlog-size"), "{card}");
        lab.click("button", "Apply and replay").await?;
        lab.shows("partial", None).await?;
        lab.settle().await?;
        page.assert_calm().await
    })
}

#[test]
fn a_restarted_master_has_a_new_id_and_everybody_needs_everything() -> Outcome {
    on_page("unknown-replid", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Write").await?;
        lab.settle().await?;
        let known = lab.decisions().await?.len();
        let before = lab.snapshot().await?["servers"][0].clone();
        lab.click("button", "Restart master").await?;

        let decided = lab.decided(known, 3).await?;
        let mut said = verdicts(&decided);
        said.sort_unstable();
        assert_eq!(said, [1, 2, 3].map(|n| format!("replica-{n} full unknown-replid")));
        for decision in &decided {
            assert_eq!(decision["request"]["replid"], before["replid"]);
            assert!(decision["remedy"].is_null(), "no size helps: {decision}");
        }
        lab.shows("full", Some("unknown-replid")).await?;
        assert!(!lab.has("button", "Apply and replay").await);
        lab.settle().await?;
        let after = lab.snapshot().await?["servers"].clone();
        assert_ne!(after[0]["replid"], before["replid"]);
        assert_eq!(after[0]["keys"], before["keys"], "it kept its data");
        assert_eq!(after[3]["replid"], after[0]["replid"]);
        page.assert_calm().await
    })
}
