//! Pictures of the page for people to look at; `cargo xtask shots` takes only these.
//!
//! They show chosen moments of the presets, so that two runs give the same pictures. Those in
//! the README are named in `xtask/src/test.rs`.

use serde_json::json;

use crate::browser::{Outcome, on_page};
use crate::page::{Page, Theme};

/// The page, the figure in an article, the phone.
const SIZES: [(u32, u32); 3] = [(1280, 800), (720, 420), (390, 844)];

/// (name, query, microseconds): everything in sync; cut and still covered, another overtaken;
/// a full resync under way; a crowd; nobody left; pinned blocks; cut for its output; a chain after a
/// promotion; the proposal.
const MOMENTS: [(&str, &str, u64); 9] = [
    ("calm", "?preset=short-blip", 4_000_000),
    ("covered", "?preset=short-blip", 6_900_000),
    ("decision", "?preset=too-long", 17_000_000),
    ("crowd", "?preset=too-long&replicas=40", 14_600_000),
    ("alone", "?preset=nobody-left", 8_000_000),
    ("pinned", "?preset=slow-replica-pins", 24_000_000),
    ("kill", "?preset=two-windows", 20_000_000),
    ("chain", CHAIN, 18_000_000),
    ("lists", "?preset=proposal", 11_000_000),
];

/// Replica 3 follows replica 2, which follows the promoted replica 1.
const CHAIN: &str = "?preset=promotion&actions=%5B\
    %7B%22at_us%22:6000000,%22do%22:%22promote%22,%22server%22:%22replica-1%22%7D,\
    %7B%22at_us%22:7000000,%22do%22:%22replicaof%22,%22server%22:%22replica-2%22,%22master%22:%22replica-1%22%7D,\
    %7B%22at_us%22:7000000,%22do%22:%22replicaof%22,%22server%22:%22master%22,%22master%22:%22replica-1%22%7D,\
    %7B%22at_us%22:12000000,%22do%22:%22replicaof%22,%22server%22:%22replica-3%22,%22master%22:%22replica-2%22%7D%5D";

/// Moments that are shown as implemented too.
const IN_MEMORY: [&str; 4] = ["decision", "pinned", "kill", "lists"];

#[test]
fn at_chosen_moments_at_three_sizes_in_light_and_dark() -> Outcome {
    on_page("shots", async |page| {
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in SIZES {
                for (moment, query, at_us) in MOMENTS {
                    page.set_size(width, height).await?;
                    page.open_site_at(query).await?;
                    let lab = page.lab(0);
                    lab.call("pause", vec![]).await?;
                    lab.call("seek", vec![json!(at_us)]).await?;
                    let name = format!("{moment}-{width}x{height}-{theme}");
                    take_pictures(page, &name, width, height).await?;
                    if IN_MEMORY.contains(&moment) {
                        page.set_size(width, height).await?;
                        lab.click("button", "As implemented").await?;
                        let name = format!("{moment}-memory-{width}x{height}-{theme}");
                        take_pictures(page, &name, width, height).await?;
                    }
                }
            }
        }
        Ok(())
    })
}

#[test]
fn of_what_can_be_done_at_three_sizes_in_light_and_dark() -> Outcome {
    on_page("shots-doing", async |page| {
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in SIZES {
                page.set_size(width, height).await?;
                page.open_site_at("?preset=short-blip&actions=%5B%5D").await?;
                let lab = page.lab(0);
                lab.call("pause", vec![]).await?;
                lab.call("seek", vec![json!(4_000_000)]).await?;
                for action in [
                    json!({ "do": "cut", "replica": "replica-1", "direction": "to-replica" }),
                    json!({ "do": "link", "replica": "replica-1", "loss": "1/100" }),
                    json!({ "do": "link", "replica": "replica-2", "latency_us": 800_000 }),
                    json!({ "do": "freeze", "server": "replica-2" }),
                    json!({ "do": "kill", "server": "replica-3" }),
                ] {
                    lab.call("act", vec![action]).await?;
                }
                lab.call("advance", vec![json!(2_000_000)]).await?;
                if width != 720 {
                    // Tall enough that nothing lies under the transport of the phone.
                    page.set_size(width, height * 4).await?;
                    lab.click("tab", "Inspector").await?;
                    lab.click("button", "replica 1").await?;
                    lab.click("button", "Draw the write rate").await?;
                    lab.click("button", "Day").await?;
                    lab.click("button", "Write like this").await?;
                    lab.call("advance", vec![json!(9_000_000)]).await?;
                    lab.click("button", "Pulses").await?;
                }
                page.set_size(width, height).await?;
                let name = format!("doing-{width}x{height}-{theme}");
                take_pictures(page, &name, width, height).await?;
            }
        }
        Ok(())
    })
}

/// What the window shows, and what scrolling would show where that is more.
async fn take_pictures(page: &Page, name: &str, width: u32, height: u32) -> Outcome {
    // Two frames: one to draw the moment, one to have drawn it.
    let frames = "return new Promise((done) =>
        requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
    page.run(frames, vec![]).await?;
    let still = "document.querySelector('psync-lab').shadowRoot.getAnimations()
        .every((animation) => animation.playState !== 'running')";
    page.wait_until(still).await?;
    page.take_picture(name).await?;
    let all = page.run("return document.documentElement.scrollHeight", vec![]).await?;
    let all: u32 = serde_json::from_value(all)?;
    if all > height {
        page.set_size(width, all).await?;
        page.take_picture(&format!("{name}-whole")).await?;
    }
    Ok(())
}

/// The chart of the timeline: (name, query, microseconds).
const CHARTS: [(&str, &str, u64); 3] = [
    ("chart", "?preset=too-long", 17_000_000),
    ("chart-20", "?preset=too-long&replicas=20", 15_000_000),
    ("chart-100", "?preset=too-long&replicas=100", 6_000_000),
];

#[test]
fn the_chart_of_few_and_of_many() -> Outcome {
    on_page("shots-chart", async |page| {
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in SIZES {
                for (name, query, at_us) in CHARTS {
                    page.set_size(width, height).await?;
                    page.open_site_at(&format!("{query}&autoplay=false")).await?;
                    let lab = page.lab(0);
                    lab.call("seek", vec![json!(at_us)]).await?;
                    lab.find("button", "Share").await?.focus().await?;
                    page.press("g").await?;
                    lab.root_has("root.querySelector('.lanes caption')").await?;
                    take_pictures(page, &format!("{name}-{width}x{height}-{theme}"), width, height)
                        .await?;
                }
            }
        }
        Ok(())
    })
}
