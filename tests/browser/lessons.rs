//! Lessons: chosen from the list, read step by step, each played to its ticked goal.

use serde_json::json;

use crate::browser::{Outcome, on_page};
use crate::page::{Page, Theme};

impl Page {
    /// Two frames: one to draw the moment, one to have drawn it; and nothing half faded in.
    async fn drawn(&self) -> Outcome {
        let frames = "return new Promise((done) =>
            requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
        self.run(frames, vec![]).await?;
        let still = "document.querySelector('psync-lab').shadowRoot.getAnimations().every((one) =>
            one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)";
        self.wait_until(still).await
    }
}

#[test]
fn pictures_of_a_lesson_at_each_width() -> Outcome {
    on_page("lesson-shots", async |page| {
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in [(1280, 800), (720, 420), (390, 844), (360, 240), (1920, 1080)] {
                for (name, query, steps) in [
                    ("asks", "too-long", 1),
                    ("fuse", "a-blip", 2),
                    ("goal", "blocks", 6),
                    ("goal9", "the-proposal", 5),
                ] {
                    page.set_size(width, height).await?;
                    let place = if height < 800 {
                        format!("style='height:{height}px'")
                    } else {
                        "style='height:100vh'".into()
                    };
                    page.open_article(&format!("<style>body{{margin:0}}</style><psync-lab lesson={query} {place}></psync-lab>")).await?;
                    let lab = page.lab(0);
                    lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
                    for _ in 0..steps {
                        lab.click("button", "Next \u{203a}").await?;
                    }
                    page.wait_until("document.querySelector('psync-lab').shadowRoot.querySelector('.lab').dataset.playing === 'false'").await?;
                    page.drawn().await?;
                    page.take_picture(&format!("lesson-{name}-{width}x{height}-{theme}")).await?;
                }
            }
        }
        page.set_size(1280, 800).await?;
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            page.open_site_at("?lesson=3").await?;
            page.lab(0).click("button", "Learn").await?;
            page.drawn().await?;
            page.take_picture(&format!("learn-{theme}")).await?;
        }
        let _ = json!(null);
        Ok(())
    })
}
