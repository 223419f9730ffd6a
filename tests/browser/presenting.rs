//! A lesson without a mouse, and a lecture: presentation mode with a presenter's keys.

use serde_json::json;

use crate::browser::{Outcome, on_page};
use crate::page::{Page, wait_for};

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const BACKSPACE: &str = "\u{e003}";
const END: &str = "\u{e010}";
const RIGHT: &str = "\u{e014}";
const PAGE_UP: &str = "\u{e00e}";
const PAGE_DOWN: &str = "\u{e00f}";

/// What has the focus: its words, and whether that can be seen.
const FOCUS: &str = "let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const ring = [e, e.parentElement].some((one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    });
    const inside = box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0;
    return [e.computedName || e.textContent, e.matches(':focus-visible') && ring && inside];";

impl Page {
    /// Presses Tab until what begins with this has the focus; at every stop it must be visible.
    async fn tab_along_to(&self, begins: &str) -> Outcome {
        let mut passed: Vec<String> = Vec::new();
        for _ in 0..90 {
            self.press("\t").await?;
            let (name, seen): (String, bool) =
                serde_json::from_value(self.run(FOCUS, vec![]).await?)?;
            if self.is_in_the_lab().await? {
                assert!(seen, "the focus on {name:?} cannot be seen");
            }
            if name.starts_with(begins) {
                return Ok(());
            }
            passed.push(name.chars().take(24).collect());
        }
        Err(format!("Tab never comes to {begins:?}, but to {passed:#?}").into())
    }

    async fn is_in_the_lab(&self) -> Outcome<bool> {
        let script = "return Boolean(document.activeElement?.shadowRoot?.activeElement)";
        Ok(self.run(script, vec![]).await? == json!(true))
    }
}

#[test]
fn lesson_three_from_the_first_key_to_the_ticked_goal_without_a_mouse() -> Outcome {
    on_page("lesson-by-keys", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        page.tab_along_to("Learn").await?;
        page.press("l").await?;
        lab.find("dialog", "Learn").await?;
        page.tab_along_to("Too long").await?;
        page.press(ENTER).await?;
        page.wait_until_focused("button", "Next").await?;
        page.press(ENTER).await?;
        lab.comes_to_step(2).await?;
        page.tab_along_to("Cut replica 2").await?;
        page.press(ENTER).await?;
        page.wait_until_focused("button", "Next").await?;
        for step in 3..=6 {
            page.press(ENTER).await?;
            lab.comes_to_step(step).await?;
        }
        page.press(ENTER).await?;
        lab.comes_to_step(7).await?;
        // The goal: a larger backlog, time, a cut with the key of the replica, and its healing.
        page.tab_along_to("Transcript").await?;
        page.press(END).await?;
        lab.find("region", "Settings").await?;
        page.tab_along_to("repl-backlog-size").await?;
        page.press(format!("{END}{}", BACKSPACE.repeat(8))).await?;
        page.press("64kb").await?;
        page.press(ENTER).await?;
        wait_for("64 kB", async || {
            Ok(lab.snapshot().await?["servers"][0]["backlog"]["size"] == 65_536)
        })
        .await?;
        page.tab_along_to("Speed").await?;
        page.press(RIGHT.repeat(8)).await?;
        let before = lab.now_us().await?;
        page.press(" ").await?;
        lab.wait_until_after(before + 2_000_000).await?;
        page.press("3").await?;
        wait_for("21,000 bytes behind", async || {
            let behind = lab.snapshot().await?["servers"][3]["link"]["behind_bytes"].as_u64();
            Ok(behind.is_some_and(|bytes| bytes >= 21_000))
        })
        .await?;
        page.press("3").await?;
        lab.root_has("root.querySelector('.lesson').dataset.goal === 'reached'").await?;
        lab.wait_until_it_stands(page).await?;
        page.assert_calm().await
    })
}

#[test]
fn a_lecturer_has_large_type_and_turns_steps_with_a_presenter() -> Outcome {
    on_page("presentation", async |page| {
        page.set_size(1280, 800).await?;
        page.open_site_at("?lesson=a-blip").await?;
        let lab = page.lab(0);
        lab.comes_to_step(1).await?;
        // A click beside all buttons is enough for the keys to come here.
        lab.select(".lesson h2").await?.click().await?;
        page.press("t").await?;
        lab.find("button", "End presentation").await?;
        let large = "(selector) => {
            const e = root.querySelector(selector);
            return parseFloat(getComputedStyle(e).fontSize) * e.currentCSSZoom }";
        lab.root_has(&format!("({large})('.say') > 20")).await?;
        lab.root_has(&format!("({large})('.verdict h2') > 27.9")).await?;
        lab.root_has(&format!("({large})('.waits') >= 16")).await?;
        lab.root_has("!root.querySelector('.hands').checkVisibility()").await?;
        page.press(PAGE_DOWN).await?;
        lab.comes_to_step(2).await?;
        page.press(PAGE_DOWN).await?;
        lab.comes_to_step(3).await?;
        assert_eq!(lab.link(1).await?, "cut", "what the step asks for is done");
        lab.wait_until_it_stands(page).await?;
        page.take_picture("presentation-1280x800").await?;
        let fits = "const lab = document.querySelector('psync-lab');
            const root = lab.shadowRoot.querySelector('.lab').getBoundingClientRect();
            return root.bottom <= innerHeight + 1 && root.right <= innerWidth + 1
                && document.documentElement.scrollHeight <= innerHeight";
        assert_eq!(page.run(fits, vec![]).await?, json!(true), "all of it is on the screen");
        page.press(PAGE_UP).await?;
        lab.comes_to_step(2).await?;
        page.set_size(1920, 1080).await?;
        for step in 3..=6 {
            page.press(PAGE_DOWN).await?;
            lab.comes_to_step(step).await?;
        }
        lab.wait_until_it_stands(page).await?;
        page.take_picture("presentation-1920x1080").await?;
        page.press(ESCAPE).await?;
        lab.root_has("!root.querySelector('.lab').matches('[data-presentation]')").await?;
        page.press(PAGE_DOWN).await?;
        assert_eq!(lab.step().await?, 6, "outside of a presentation that key scrolls");
        page.assert_calm().await
    })
}
