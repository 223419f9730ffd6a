//! The same resyncs without a mouse: by the page's own keys, and by Tab and Enter.
//! The element's methods only read and let time go by.

use crate::browser::{Outcome, on_page};
use crate::page::Page;
use crate::story::verdicts;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const RIGHT: &str = "\u{e014}";

/// More than there are controls on the page.
const TABS: usize = 80;

impl Page {
    /// Presses Tab until this has the focus.
    pub async fn tab_to(&self, role: &str, name: &str) -> Outcome {
        let mut passed = Vec::new();
        for _ in 0..TABS {
            let focused = self.focused().await?;
            if focused == (role.to_owned(), name.to_owned()) {
                return Ok(());
            }
            passed.push(format!("{} {:?}", focused.0, focused.1));
            self.press("\t").await?;
        }
        Err(format!("Tab never comes to {role} {name:?}; it comes to {passed:#?}").into())
    }
}

#[test]
fn a_partial_by_the_keys_of_the_sheet() -> Outcome {
    on_page("keys-partial", async |page| {
        let lab = page.open_quiet().await?;
        page.tab_to("button", "Share").await?;
        let (known, at_cut) = (lab.decisions().await?.len(), lab.offset(0).await?);
        page.press("1").await?;
        assert_eq!(lab.link(1).await?, "cut");
        page.press("www").await?;
        let at_heal = lab.offset(0).await?;
        assert!(at_heal > at_cut);
        page.press("1").await?;
        let decided = lab.decided(known, 1).await?;
        assert_eq!(verdicts(&decided), ["replica-1 partial -"]);
        assert_eq!(decided[0]["bytes"], at_heal - at_cut);
        lab.shows("partial", None).await?;
        // Back to the moment of the one shown, which is over, and from there to the one before.
        page.press("[[").await?;
        lab.shows("full", Some("requested")).await?;
        page.press("]").await?;
        lab.shows("partial", None).await?;
        page.assert_calm().await
    })
}

#[test]
fn a_full_by_the_keys_of_the_sheet() -> Outcome {
    on_page("keys-full", async |page| {
        let lab = page.open_quiet().await?;
        page.tab_to("button", "Share").await?;
        let known = lab.decisions().await?.len();
        page.press("2").await?;
        assert_eq!(lab.link(2).await?, "cut");
        page.press("bb").await?;
        page.press("2").await?;
        let decided = lab.decided(known, 1).await?;
        assert_eq!(verdicts(&decided), ["replica-2 full before-backlog"]);
        lab.shows("full", Some("before-backlog")).await?;
        page.tab_to("button", "Apply and replay").await?;
        page.press(ENTER).await?;
        lab.shows("partial", None).await?;
        page.assert_calm().await
    })
}

#[test]
fn a_restart_by_its_key() -> Outcome {
    on_page("keys-restart", async |page| {
        let lab = page.open_quiet().await?;
        page.tab_to("button", "Share").await?;
        let known = lab.decisions().await?.len();
        page.press("r").await?;
        let decided = lab.decided(known, 3).await?;
        assert!(
            verdicts(&decided).iter().all(|said| said.ends_with("full unknown-replid")),
            "{decided:?}"
        );
        lab.shows("full", Some("unknown-replid")).await?;
        page.assert_calm().await
    })
}

#[test]
fn all_three_resyncs_by_tab_and_enter() -> Outcome {
    on_page("tab-and-enter", async |page| {
        let lab = page.open_quiet().await?;
        let known = lab.decisions().await?.len();
        page.tab_to("button", "Cut link to replica 1").await?;
        page.press(ENTER).await?;
        // The focus stays where it was: the button has another name now.
        page.wait_until_focused("button", "Heal link to replica 1").await?;
        page.tab_to("button", "Write").await?;
        page.press(ENTER).await?;
        page.tab_to("button", "Heal link to replica 1").await?;
        page.press(ENTER).await?;
        assert_eq!(verdicts(&lab.decided(known, 1).await?), ["replica-1 partial -"]);
        lab.shows("partial", None).await?;
        lab.settle().await?;

        page.tab_to("button", "Cut link to replica 1").await?;
        page.press(ENTER).await?;
        page.tab_to("button", "Write burst").await?;
        page.press(ENTER).await?;
        page.press(ENTER).await?;
        page.tab_to("button", "Heal link to replica 1").await?;
        page.press(ENTER).await?;
        assert_eq!(verdicts(&lab.decided(known + 1, 1).await?), ["replica-1 full before-backlog"]);
        lab.shows("full", Some("before-backlog")).await?;
        lab.settle().await?;

        page.tab_to("button", "Restart master").await?;
        page.press(ENTER).await?;
        lab.decided(known + 2, 3).await?;
        lab.shows("full", Some("unknown-replid")).await?;
        page.assert_calm().await
    })
}

#[test]
fn time_and_the_panels_obey_the_keyboard_too() -> Outcome {
    on_page("keys-time", async |page| {
        let lab = page.open_quiet().await?;
        page.tab_to("tab", "Transcript").await?;
        page.press(RIGHT).await?;
        page.wait_until_focused("tab", "INFO").await?;
        page.press(RIGHT).await?;
        lab.find("region", "Console").await?;
        page.tab_to("textbox", "Command").await?;
        page.press("SET by keyboard").await?;
        page.press(ENTER).await?;
        lab.root_has("root.querySelector('.console pre')?.textContent === 'OK'").await?;
        assert_eq!(
            lab.link(1).await?,
            "up",
            "what is typed into a field is no command of the page"
        );

        page.tab_to("button", "Share").await?;
        let before = lab.now_us().await?;
        page.press(".").await?;
        assert!(lab.now_us().await? > before, "a step goes on");
        page.press("?").await?;
        lab.find("dialog", "Keys").await?;
        page.press("w").await?;
        page.press(ESCAPE).await?;
        lab.root_has("!root.querySelector('dialog').open").await?;
        let keys = lab.snapshot().await?["servers"][0]["keys"].clone();
        assert_eq!(keys, 1, "below the open sheet no key does anything");

        page.tab_to("button", "Play").await?;
        page.press(" ").await?;
        lab.wait_until_after(before).await?;
        lab.find("button", "Pause").await?;
        page.press(" ").await?;
        lab.find("button", "Play").await?;
        assert!(lab.stands(page).await?);
        page.assert_calm().await
    })
}

#[test]
fn on_a_page_of_its_own_the_keys_work_at_once_and_no_ring_is_drawn_before_tab() -> Outcome {
    on_page("keys-at-once", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false&preset=short-blip").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        let calm = "root.activeElement.matches('.mount')
             && getComputedStyle(root.activeElement).outlineStyle === 'none'";
        lab.root_has(calm).await?;
        page.press(" ").await?;
        lab.find("button", "Pause").await?;
        page.press(" ").await?;
        lab.find("button", "Play").await?;
        lab.root_has(calm).await?;
        page.tab_to("button", "Share").await?;
        lab.root_has("getComputedStyle(root.activeElement).outlineStyle !== 'none'").await?;
        page.assert_calm().await
    })
}

#[test]
fn in_an_article_an_element_takes_no_keys_that_it_was_not_given() -> Outcome {
    on_page("keys-article", async |page| {
        page.set_size(1280, 1000).await?;
        let labs = "<psync-lab style='display:block;height:420px'></psync-lab>";
        page.open_article(&format!("<input aria-label=Search>{labs}{labs}")).await?;
        for lab in [page.lab(0), page.lab(1)] {
            lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        }
        page.press(" ").await?;
        assert_eq!(page.focused().await?.1, "", "nothing has the focus");
        // Whoever asks for the keys gets them, but not from somebody who types already.
        let asking = "<psync-lab autofocus style='display:block;height:420px'></psync-lab>";
        page.open_article(&format!("<input autofocus aria-label=Search>{asking}{labs}")).await?;
        for lab in [page.lab(0), page.lab(1)] {
            lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        }
        page.wait_until_focused("textbox", "Search").await?;
        page.press("w w").await?;
        let typed = page.run("return document.querySelector('input').value", vec![]).await?;
        assert_eq!(typed, "w w");
        page.open_article(&format!("{labs}{asking}")).await?;
        page.lab(1).wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        page.press(" ").await?;
        page.lab(1).find("button", "Pause").await?;
        for (lab, paused) in [(page.lab(0), true), (page.lab(1), false)] {
            assert_eq!(lab.snapshot().await?["paused"], paused);
        }
        page.assert_calm().await
    })
}
