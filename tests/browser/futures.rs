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
fn speed_goes_thirty_steps_up_and_down() -> Outcome {
    on_page("speed", async |page| {
        let lab = page.open_quiet().await?;
        let speed = lab.find("slider", "Speed").await?;
        assert_eq!(speed.attr("min").await?.as_deref(), Some("-30"));
        assert_eq!(speed.attr("max").await?.as_deref(), Some("30"));
        page.assert_calm().await
    })
}
