//! Engines, memory as they keep it, and servers that change their roles: by name and by key.

use crate::browser::{Outcome, on_page};
use crate::story::verdicts;

const DOWN: &str = "\u{e015}";

#[test]
fn an_engine_is_chosen_by_keyboard_and_the_run_begins_again_with_it() -> Outcome {
    on_page("engine-keys", async |page| {
        let lab = page.open_quiet().await?;
        assert_eq!(lab.call("scenario", vec![]).await?["engine"], "redis-6.2");
        assert!(lab.now_us().await? > 0);
        lab.find("combobox", "Engine").await?.focus().await?;
        page.press(DOWN).await?;
        lab.root_has("root.querySelector('.stage-caption').textContent.startsWith('projection')")
            .await?;
        assert_eq!(lab.call("scenario", vec![]).await?["engine"], "redis-7.0");
        assert_eq!(lab.now_us().await?, 0, "another engine is another story");
        lab.click("tab", "Settings").await?;
        lab.find("combobox", "Engine of all servers").await?.send_keys("The 2011").await?;
        lab.root_has("root.querySelector('.stage-caption').textContent.includes('a list each')")
            .await?;
        assert_eq!(lab.call("scenario", vec![]).await?["engine"], "proposal");
        page.assert_calm().await
    })
}

#[test]
fn the_dial_of_blocks_is_a_projection_and_the_blocks_are_shown_on_request() -> Outcome {
    on_page("as-implemented", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false&preset=slow-replica-pins").await?;
        let lab = page.lab(0);
        lab.advance(24_000_000).await?;
        let caption = "root.querySelector('.stage-caption').textContent";
        lab.root_has(&format!("{caption} === 'projection: the backlog is a list of blocks'"))
            .await?;
        lab.root_has("root.querySelector('.face-excess').textContent.endsWith('pinned by 1')")
            .await?;
        lab.click("button", "As implemented").await?;
        let memory = lab.find("region", "Memory as implemented").await?.text().await?;
        assert!(memory.contains("still reads block 1"), "{memory}");
        let blocks = lab.snapshot().await?["servers"][0]["backlog"]["blocks"].clone();
        let count = blocks.as_array().map_or(0, Vec::len);
        assert!(count > 4, "{blocks}");
        lab.root_has(&format!("root.querySelectorAll('.blocks li').length === {count}")).await?;
        assert!(page.violations().await?.is_empty());
        // The pin goes, and with it all blocks but the last.
        lab.advance(12_000_000).await?;
        lab.root_has("root.querySelectorAll('.blocks li').length <= 3").await?;
        lab.find("button", "Step").await?.focus().await?;
        page.press("i").await?;
        lab.root_has("root.querySelector('.face')").await?;
        page.assert_calm().await
    })
}

#[test]
fn a_replica_is_promoted_and_another_one_follows_it_by_buttons() -> Outcome {
    on_page("promote", async |page| {
        let lab = page.open_quiet_with("&engine=redis-7.2").await?;
        let known = lab.decisions().await?.len();
        lab.click("button", "Promote replica 1").await?;
        assert_eq!(lab.snapshot().await?["servers"][1]["role"], "master");
        lab.click("button", "Inspect replica 2").await?;
        lab.find("combobox", "replica 2 follows\u{2026}").await?.send_keys("replica 1").await?;
        assert_eq!(verdicts(&lab.decided(known, 1).await?), ["replica-2 partial -"]);
        // By key to the next server after its master, itself left out.
        lab.find("button", "Step").await?.focus().await?;
        page.press("f").await?;
        let decided = lab.decided(known + 1, 1).await?;
        assert_eq!(
            (&decided[0]["replica"], &decided[0]["master"]),
            (&"replica-2".into(), &"replica-3".into())
        );
        page.assert_calm().await
    })
}

#[test]
fn an_output_kill_is_said_on_the_card_and_flagged_on_the_timeline() -> Outcome {
    on_page("output-limit", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false&preset=two-windows").await?;
        let lab = page.lab(0);
        lab.advance(20_000_000).await?;
        lab.root_has(
            "[...root.querySelectorAll('.replica-state')]
                 .some((state) => state.textContent === 'cut: output limit')",
        )
        .await?;
        lab.root_has(
            "root.querySelector('.flags-in-words').textContent
                 .includes('replica-2: cut, output limit')",
        )
        .await?;
        page.assert_calm().await
    })
}

#[test]
fn the_page_links_to_the_table_of_what_it_was_proven_against() -> Outcome {
    on_page("conformance", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Keys").await?;
        let link = lab.find("link", "Proven against real servers").await?;
        let href = link.prop("href").await?.unwrap_or_default();
        assert_eq!(href, format!("{}conformance.html", page.site().url()));
        page.driver().goto(href).await?;
        page.wait_until("document.querySelector('table, .empty')").await?;
        assert!(page.violations().await?.is_empty());
        page.assert_calm().await
    })
}
