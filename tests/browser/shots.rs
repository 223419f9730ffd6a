//! Pictures of the page for people to look at; `cargo xtask shots` takes only these.

use std::time::Duration;

use crate::browser::{Outcome, on_page};
use crate::page::{Page, Theme};

/// The page, the figure in an article, the phone.
const SIZES: [(u32, u32); 3] = [(1280, 800), (720, 420), (390, 844)];

/// Not a wait for a state: the page lives, and its first moment says little.
const LIVING: Duration = Duration::from_millis(1500);

#[test]
fn at_three_sizes_in_light_and_dark() -> Outcome {
    on_page("shots", async |page| {
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in SIZES {
                page.set_size(width, height).await?;
                page.open_site().await?;
                page.wait_until_requested("wasm/psync-lab_bg.wasm").await?;
                tokio::time::sleep(LIVING).await;
                take_pictures(page, &format!("{width}x{height}-{theme}"), width, height).await?;
            }
        }
        Ok(())
    })
}

/// What the window shows, and what scrolling would show where that is more.
async fn take_pictures(page: &Page, name: &str, width: u32, height: u32) -> Outcome {
    page.take_picture(name).await?;
    let all = page.run("return document.documentElement.scrollHeight", vec![]).await?;
    let all: u32 = serde_json::from_value(all)?;
    if all > height {
        page.set_size(width, all).await?;
        page.take_picture(&format!("{name}-whole")).await?;
    }
    Ok(())
}
