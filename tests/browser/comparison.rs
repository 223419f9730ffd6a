//! Two runs side by side: one clock, one scrubber, the same seed and actions, signed differences.

use serde_json::json;

use crate::browser::{Outcome, on_page};
use crate::page::Theme;

const TWICE: &str =
    "?preset=too-long&compare=%7B%22config%22:%7B%22repl-backlog-size%22:%2264kb%22%7D%7D";

const SIZES: [(u32, u32); 6] =
    [(1280, 800), (1920, 1080), (720, 900), (720, 420), (480, 844), (390, 844)];

#[test]
fn pictures_of_two_runs_side_by_side_at_six_sizes() -> Outcome {
    on_page("comparison-shots", async |page| {
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in SIZES {
                page.set_size(width, height).await?;
                page.open_site_at(TWICE).await?;
                let lab = page.lab(0);
                lab.call("pause", vec![]).await?;
                lab.call("seek", vec![json!(17_000_000)]).await?;
                page.run(
                    "return new Promise((done) =>
        requestAnimationFrame(() => requestAnimationFrame(() => done(true))))",
                    vec![],
                )
                .await?;
                page.take_picture(&format!("compare-{width}x{height}-{theme}")).await?;
                if width < 1000 {
                    page.set_size(width, 2200).await?;
                    page.take_picture(&format!("compare-{width}x{height}-{theme}-whole")).await?;
                }
            }
        }
        Ok(())
    })
}
