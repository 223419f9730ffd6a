//! The page in a real Chromium, as a reader of somebody's documentation meets it:
//! served from a sub-path under the strict content security policy.
//!
//! `on_page` gives a test a browser of its own with a fresh profile; `Page` is what a
//! person can do with a document, `Lab` what they can do with one `<psync-lab>` in it.
//! Elements are addressed as the accessibility tree sees them, by role and name.
//! Needs the release site in `dist/`; `cargo xtask test` builds it first.

mod accessibility;
mod accessible;
mod browser;
mod comparison;
mod controls;
mod doing;
mod driver;
mod elements;
mod engines;
mod futures;
mod info;
mod keyboard;
mod lab;
mod layouts;
mod lessons;
mod methods;
mod mistakes;
mod page;
mod pointing;
mod presenting;
mod presets;
mod resyncs;
mod scrubbing;
mod sharing;
mod shots;
mod site;
mod story;
mod time;
mod timeline;
mod transcript;

use browser::{Outcome, on_page};

#[test]
fn the_page_loads_without_console_errors() -> Outcome {
    on_page("loads", async |page| {
        page.open_site().await?;
        page.wait_until("document.querySelector('psync-lab')?.shadowRoot").await?;
        page.wait_until_requested("wasm/psync-lab_bg.wasm").await?;
        page.wait_until("document.readyState === 'complete'").await?;
        assert_eq!(page.driver().title().await?, "PSYNC Lab");
        page.assert_calm().await
    })
}

#[test]
fn an_article_embeds_several_elements_and_loads_the_module_once() -> Outcome {
    on_page("embedded", async |page| {
        page.open_article(
            "<h1>An article</h1>
             <psync-lab></psync-lab><p>Text</p><psync-lab></psync-lab><psync-lab></psync-lab>",
        )
        .await?;
        page.wait_until_requested("wasm/psync-lab_bg.wasm").await?;
        page.wait_until(
            "[...document.querySelectorAll('psync-lab')].every((lab) => lab.shadowRoot)",
        )
        .await?;
        let modules = page.site().requests().iter().filter(|r| r.path.ends_with(".wasm")).count();
        assert_eq!(modules, 1);
        page.assert_calm().await
    })
}

#[test]
fn without_the_module_the_element_says_so_in_words() -> Outcome {
    on_page("without-module", async |page| {
        page.site().refuse("wasm/psync-lab_bg.wasm");
        page.open_site().await?;
        let alert = page.lab(0).find("alert", "").await?;
        let text = alert.text().await?;
        assert!(text.contains("WebAssembly"), "{text}");
        Ok(())
    })
}

#[test]
fn no_accessibility_violation_in_light_dark_and_high_contrast() -> Outcome {
    on_page("accessibility", async |page| {
        for theme in page::Theme::ALL {
            page.set_theme(theme).await?;
            page.open_site().await?;
            page.wait_until_requested("wasm/psync-lab_bg.wasm").await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "{theme:?}: {violations:#?}");
        }
        Ok(())
    })
}

/// The harness itself: what is not on the page is reported with what is there.
#[test]
fn a_name_that_is_not_there_is_reported_with_those_that_are() -> Outcome {
    on_page("harness-names", async |page| {
        page.open_article("<button>Play</button><button aria-label='Pause'>||</button>").await?;
        page.find("button", "Pause").await?.click().await?;
        assert_eq!(page.focused().await?, ("button".to_owned(), "Pause".to_owned()));
        page.press("\t").await?;
        let error = page.find_now("button", "Stop").await.expect_err("no such button");
        assert!(error.to_string().contains(r#""Play", "Pause""#), "{error}");
        Ok(())
    })
}

/// The harness itself: one element among several, inside its shadow root.
#[test]
fn an_element_is_addressed_by_its_number() -> Outcome {
    on_page("harness-labs", async |page| {
        page.open_article(
            "<psync-lab title=first></psync-lab><psync-lab title=second></psync-lab>",
        )
        .await?;
        let lab = page.lab(1);
        lab.wait_until("(lab) => lab.shadowRoot").await?;
        page.run(
            "const button = document.createElement('button');
             button.textContent = 'Count 0';
             button.id = 'counting';
             button.onclick = () => { button.textContent = 'Count 1' };
             document.querySelectorAll('psync-lab')[1].shadowRoot.append(button);",
            vec![],
        )
        .await?;
        lab.click("button", "Count 0").await?;
        lab.find("button", "Count 1").await?;
        assert!(!page.lab(0).has("button", "Count 1").await);
        assert_eq!(lab.select("#counting").await?.text().await?, "Count 1");
        assert_eq!(lab.call("getAttribute", vec!["title".into()]).await?, "second");
        let error = lab.call("nonsense", vec![]).await.expect_err("no such method");
        assert!(error.to_string().contains("TypeError"), "{error}");
        Ok(())
    })
}
