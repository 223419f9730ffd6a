//! Time: slowing around decisions, futures left behind, a longer and a shorter timeline.

use serde_json::json;

use crate::browser::{Outcome, on_page};

#[test]
fn a_reader_forks_the_past_and_returns_to_the_future_left_behind() -> Outcome {
    on_page("futures", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?preset=too-long").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.call("pause", vec![]).await?;
        lab.advance(17_000_000).await?;
        lab.shows("full", Some("before-backlog")).await?;
        let all = lab.decisions().await?.len();
        lab.call("seek", vec![json!(3_000_000)]).await?;
        lab.click("button", "Fork here").await?;
        lab.root_has("root.querySelectorAll('.futures .future').length === 1").await?;
        lab.advance(14_000_000).await?;
        assert!(lab.decisions().await?.len() < all, "what was planned does not come here");
        let first = "root.querySelector('.futures .future').click() || true";
        lab.root_has(first).await?;
        lab.shows("full", Some("before-backlog")).await?;
        assert_eq!(lab.now_us().await?, 17_000_000);
        Ok(())
    })
}

#[test]
fn auto_slow_is_a_toggle_and_the_timeline_zooms() -> Outcome {
    on_page("auto-slow", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?preset=too-long").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.call("pause", vec![]).await?;
        lab.root_has("root.querySelector('.auto-slow').ariaPressed === 'true'").await?;
        lab.click("button", "Auto-slow").await?;
        lab.root_has("root.querySelector('.auto-slow').ariaPressed === 'false'").await?;
        let speed = lab.find("slider", "Speed").await?;
        assert_eq!(speed.attr("min").await?.as_deref(), Some("-30"));
        assert_eq!(speed.attr("max").await?.as_deref(), Some("30"));
        lab.click("button", "Zoom in on the timeline").await?;
        lab.click("button", "Zoom out of the timeline").await?;
        Ok(())
    })
}
