//! Pictures of the page for people to look at; `cargo xtask shots` takes only these.
//!
//! They show chosen moments of the presets, so that two runs give the same pictures. The one in
//! the README is `decision-1280x800-light`.

use serde_json::json;

use crate::browser::{Outcome, on_page};
use crate::page::{Page, Theme};

/// The page, the figure in an article, the phone.
const SIZES: [(u32, u32); 3] = [(1280, 800), (720, 420), (390, 844)];

/// (name, query, microseconds): everything in sync; cut and still covered, another overtaken;
/// a full resync under way; a crowd; nobody left.
const MOMENTS: [(&str, &str, u64); 5] = [
    ("calm", "?preset=short-blip", 4_000_000),
    ("covered", "?preset=short-blip", 6_900_000),
    ("decision", "?preset=too-long", 17_000_000),
    ("crowd", "?preset=too-long&replicas=40", 14_600_000),
    ("alone", "?preset=nobody-left", 8_000_000),
];

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
                }
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
