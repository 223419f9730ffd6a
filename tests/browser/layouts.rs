//! The element by the width of its container, whatever the window's: nothing reaches out of its
//! box, no name is cut. The pictures stay in `target/screenshots/layout-*` for people to look at.

use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::page::{Page, Theme};

/// Width and height of the container: card, phone, figure, page, wall.
const BOXES: [(u32, u32); 6] =
    [(360, 240), (360, 800), (480, 800), (720, 420), (1280, 800), (1920, 1080)];

/// What must be told in full wherever it is shown.
const NAMED: &str = ".head h1, .verdict h2, .turns, .clock, .replica-name, .replica-state, \
    .face-offset, .pill, .hands button, .tabs button, .speed output, .remedy button";

/// Elements whose content is wider than they are, and those that reach out of the host.
const JUDGE: &str = "const lab = document.querySelector('psync-lab');
    const wrong = [];
    if (lab.scrollWidth > lab.clientWidth) wrong.push(`host: ${lab.scrollWidth} > ${lab.clientWidth}`);
    const outer = lab.getBoundingClientRect();
    for (const e of lab.shadowRoot.querySelectorAll(arguments[0])) {
        const box = e.getBoundingClientRect();
        const shown = box.width > 0 && e.checkVisibility() && getComputedStyle(e).fontSize !== '0px';
        if (!shown || e.closest('.unseen')) continue;
        const name = `${e.className || e.tagName} '${e.textContent.trim().slice(0, 40)}'`;
        if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
            wrong.push(`cut: ${name}: ${e.scrollWidth} > ${e.clientWidth}`);
        const rolls = e.closest('.tabs');
        if (!rolls && (box.left < outer.left - 1 || box.right > outer.right + 1))
            wrong.push(`outside: ${name}: ${box.left}..${box.right} of ${outer.left}..${outer.right}`);
    }
    return wrong;";

impl Page {
    pub async fn lay_out(&self, preset: &str, (width, height): (u32, u32), at_us: u64) -> Outcome {
        // A window that is larger: only the container counts.
        self.set_size(width + 40, height + 40).await?;
        self.open_article(&format!(
            "<style>body {{ margin: 20px }} \
             psync-lab {{ width: {width}px; height: {height}px; overflow: auto }}</style>\
             <psync-lab preset={preset}></psync-lab>"
        ))
        .await?;
        let lab = self.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.call("seek", vec![json!(at_us)]).await?;
        self.run(
            "return new Promise((done) =>
                requestAnimationFrame(() => requestAnimationFrame(() => done(true))))",
            vec![],
        )
        .await
        .map(drop)
    }

    pub async fn misfits(&self) -> Outcome<Vec<String>> {
        let wrong: Value = self.run(JUDGE, vec![json!(NAMED)]).await?;
        Ok(serde_json::from_value(wrong)?)
    }
}

#[test]
fn nothing_overflows_at_five_widths_in_both_themes() -> Outcome {
    on_page("layouts", async |page| {
        let mut wrong = Vec::new();
        for theme in Theme::BOTH {
            page.set_theme(theme).await?;
            for (width, height) in BOXES {
                page.lay_out("too-long", (width, height), 17_000_000).await?;
                let name = format!("layout-{width}x{height}-{theme}");
                page.wait_until(
                    "document.querySelector('psync-lab').shadowRoot.getAnimations()
                        .every((animation) => animation.playState !== 'running')",
                )
                .await?;
                page.take_picture(&name).await?;
                wrong.extend(page.misfits().await?.into_iter().map(|w| format!("{name}: {w}")));
                if height > 240 {
                    page.lab(0).click("button", "As implemented").await?;
                    page.take_picture(&format!("{name}-memory")).await?;
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        page.assert_calm().await
    })
}

/// A finger needs 40 pixels; what looks smaller takes the touch beyond its edge.
#[test]
fn on_a_touch_screen_controls_are_large_enough() -> Outcome {
    on_page("touch", async |page| {
        let touch = json!({ "enabled": true, "maxTouchPoints": 1 });
        page.driver().cdp().send_raw("Emulation.setTouchEmulationEnabled", touch).await?;
        let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
        page.driver().cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
        page.open_site_at("?preset=too-long&autoplay=false").await?;
        page.lab(0).wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        let coarse = page.run("return matchMedia('(pointer: coarse)').matches", vec![]).await?;
        assert_eq!(coarse, json!(true));
        let small = "return [...document.querySelector('psync-lab').shadowRoot
            .querySelectorAll('button, select, input')].filter((e) => e.checkVisibility())
            .map((e) => {
                const box = (e.closest('label') ?? e).getBoundingClientRect();
                const more = getComputedStyle(e, '::before');
                const reach = (size, by) => more.content === 'none' ? size
                    : Math.max(size, parseFloat(by) || 0);
                return [e.ariaLabel || e.textContent.trim() || e.className,
                    reach(box.width, more.width), reach(box.height, more.height)];
            }).filter(([, w, h]) => w > 0 && (w < 40 || h < 40)).map(String)";
        let small: Vec<String> = serde_json::from_value(page.run(small, vec![]).await?)?;
        assert!(small.is_empty(), "{small:#?}");
        Ok(())
    })
}
