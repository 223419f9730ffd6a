//! Scrubbing: the page at any moment is the native run at that moment, to the byte.

use std::time::{SystemTime, UNIX_EPOCH};

use psync::cluster::{Action, Run, Scenario};
use psync::random::{below, seeded};
use psync::time::Instant;
use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Page, wait_for};

/// A whole story: cuts, a slow link, a killed master, a promotion.
const PRESET: &str = "worst-day";
const END_US: u64 = 90_000_000;
const TIMES: usize = 20;

/// `PSYNC_SEED`, or a fresh one; said aloud, so that a failing run can be repeated.
fn seed() -> Outcome<u64> {
    let fresh = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64 % 1_000_000_007;
    let seed = match std::env::var("PSYNC_SEED") {
        Ok(text) => text.parse()?,
        Err(_) => fresh,
    };
    println!("scrubbing: PSYNC_SEED={seed}");
    Ok(seed)
}

/// What the reader does besides: at 20 s, before everything that is planned for later.
fn deeds() -> Outcome<Vec<Action>> {
    let deeds = [
        json!({ "do": "burst", "writes": 50, "value_bytes": 300 }),
        json!({ "do": "config", "directive": "repl-backlog-size", "value": "24kb" }),
        json!({ "do": "link", "replica": "replica-2", "latency_us": 40_000 }),
    ];
    deeds.iter().map(|deed| Ok(Action::from_json(&deed.to_string())?)).collect()
}

async fn open(page: &Page) -> Outcome<Lab<'_>> {
    page.set_size(1280, 900).await?;
    page.open_site_at(&format!("?preset={PRESET}&autoplay=false")).await?;
    let lab = page.lab(0);
    lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
    Ok(lab)
}

/// The page's snapshot and the native one are the same: ids, offsets, backlogs, counters, digests
/// of the data.
async fn agrees(lab: &Lab<'_>, run: &Run) -> Outcome {
    let mut page = lab.snapshot().await?;
    // The one thing in it that is the page's own.
    page.as_object_mut().and_then(|page| page.remove("paused")).ok_or("no `paused`")?;
    let native: Value = serde_json::to_value(run.snapshot())?;
    assert_eq!(page, native, "at {} us", run.now().0);
    Ok(())
}

#[test]
fn at_any_moment_of_a_run_the_page_is_the_native_run_at_that_moment() -> Outcome {
    let mut rng = seeded(seed()?);
    on_page("scrubbing", async |page| {
        let lab = open(page).await?;
        let mut run = Run::new(Scenario::preset(PRESET)?);
        lab.advance(20_000_000).await?;
        run.advance_to(Instant(20_000_000));
        for deed in deeds()? {
            lab.call("act", vec![deed.to_json()]).await?;
            run.act(deed)?;
        }
        lab.call("seek", vec![json!(END_US)]).await?;
        run.advance_to(Instant(END_US));
        agrees(&lab, &run).await?;
        for _ in 0..TIMES {
            let at_us = below(&mut rng, END_US);
            lab.call("seek", vec![json!(at_us)]).await?;
            // From the beginning, so that a fault of going back cannot stand on both sides.
            let mut fresh = Run::new(run.scenario());
            fresh.advance_to(Instant(at_us));
            agrees(&lab, &fresh).await?;
        }
        page.assert_calm().await
    })
}

#[test]
fn acting_in_the_past_leads_to_the_future_that_a_native_run_has() -> Outcome {
    on_page("scrubbing-fork", async |page| {
        let lab = open(page).await?;
        lab.call("seek", vec![json!(END_US)]).await?;
        lab.call("seek", vec![json!(20_000_000)]).await?;
        let mut run = Run::new(Scenario::preset(PRESET)?);
        run.advance_to(Instant(END_US));
        run.seek(Instant(20_000_000));
        for deed in deeds()? {
            lab.call("act", vec![deed.to_json()]).await?;
            run.act(deed)?;
        }
        lab.call("seek", vec![json!(60_000_000)]).await?;
        run.advance_to(Instant(60_000_000));
        agrees(&lab, &run).await?;
        lab.root_has("root.querySelectorAll('.futures .future').length === 1").await?;
        page.assert_calm().await
    })
}

#[test]
fn the_handle_of_time_is_dragged_and_the_page_is_where_it_says() -> Outcome {
    on_page("scrubbing-drag", async |page| {
        let lab = open(page).await?;
        lab.call("seek", vec![json!(END_US)]).await?;
        let rect = lab.find("slider", "Time").await?.rect().await?;
        let at = |part: f64| (rect.x + rect.width * part, rect.y + rect.height / 2.0);
        let held = json!({ "buttons": 1 });
        page.mouse("mousePressed", at(0.8), held.clone()).await?;
        let mut before = END_US;
        for part in [0.7, 0.3, 0.45] {
            page.mouse("mouseMoved", at(part), held.clone()).await?;
            wait_for("another moment", async || Ok(lab.now_us().await? != before)).await?;
            before = lab.now_us().await?;
            let mut run = Run::new(Scenario::preset(PRESET)?);
            run.advance_to(Instant(before));
            agrees(&lab, &run).await?;
        }
        page.mouse("mouseReleased", at(0.45), json!({})).await?;
        assert!((30_000_000..50_000_000).contains(&before), "let go at {before}");
        page.assert_calm().await
    })
}
