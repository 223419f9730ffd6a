//! axe-core's opinion of the page in the states that matter: light, dark and high contrast.

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Page, Theme};

impl Page {
    /// Brings the page into a state, once in each theme, and asks axe-core.
    pub async fn judge(&self, query: &str, state: impl AsyncFn(&Lab<'_>) -> Outcome) -> Outcome {
        for theme in Theme::ALL {
            self.set_theme(theme).await?;
            let lab = self.open_quiet_with(query).await?;
            state(&lab).await?;
            let violations = self.violations().await?;
            assert!(violations.is_empty(), "{theme:?}: {violations:#?}");
        }
        self.assert_calm().await
    }
}

#[test]
fn no_violation_at_a_partial_resync() -> Outcome {
    on_page("axe-partial", async |page| {
        page.judge("", async |lab| {
            lab.click("button", "Cut link to replica 1").await?;
            lab.click("button", "Write").await?;
            lab.click("button", "Heal link to replica 1").await?;
            lab.decided(3, 1).await?;
            lab.shows("partial", None).await
        })
        .await
    })
}

#[test]
fn no_violation_at_a_full_resync_with_another_replica_cut_off() -> Outcome {
    on_page("axe-full", async |page| {
        page.judge("", async |lab| {
            lab.click("button", "Cut link to replica 1").await?;
            lab.click("button", "Write burst").await?;
            lab.click("button", "Cut link to replica 2").await?;
            lab.click("button", "Write burst").await?;
            lab.click("button", "Heal link to replica 1").await?;
            lab.decided(3, 1).await?;
            lab.shows("full", Some("before-backlog")).await
        })
        .await
    })
}

#[test]
fn no_violation_with_twenty_replicas() -> Outcome {
    on_page("axe-twenty", async |page| {
        page.judge("&replicas=20", async |lab| {
            lab.click("button", "Cut link to replica 20").await?;
            lab.find("button", "Heal link to replica 20").await.map(drop)
        })
        .await
    })
}

#[test]
fn no_violation_in_the_list_of_lessons_and_in_a_presentation() -> Outcome {
    on_page("axe-learn", async |page| {
        page.judge("", async |lab| {
            lab.click("button", "Learn").await?;
            lab.find("dialog", "Learn").await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "the list: {violations:#?}");
            lab.click("button", "Close").await
        })
        .await?;
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            let lab = page.open_lesson("?lesson=promotion&presentation").await?;
            lab.find("button", "End presentation").await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "a presentation, {theme:?}: {violations:#?}");
        }
        page.assert_calm().await
    })
}

#[test]
fn no_violation_in_the_chart_of_few_and_of_many() -> Outcome {
    on_page("axe-chart", async |page| {
        for replicas in [3, 100] {
            page.judge(&format!("&replicas={replicas}"), async |lab| {
                lab.find("button", "Share").await?.focus().await?;
                page.press("1b").await?;
                lab.advance(3_000_000).await?;
                page.press("g").await?;
                lab.root_has("root.querySelector('.lanes caption')").await
            })
            .await?;
        }
        page.assert_calm().await
    })
}

#[test]
fn no_violation_while_a_lesson_is_read() -> Outcome {
    on_page("axe-lesson", async |page| {
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            let lab = page.open_lesson("?lesson=too-long").await?;
            lab.click("button", "Next").await?;
            for step in 2..=4 {
                lab.comes_to_step(step).await?;
                lab.wait_until_it_stands(page).await?;
                let violations = page.violations().await?;
                assert!(violations.is_empty(), "step {step}, {theme:?}: {violations:#?}");
                lab.click("button", "Next").await?;
            }
        }
        page.assert_calm().await
    })
}

#[test]
fn no_violation_in_any_panel_in_the_sheet_of_keys_and_in_a_complaint() -> Outcome {
    on_page("axe-panels", async |page| {
        page.judge("&seed=wrong", async |lab| {
            lab.find("alert", "").await?;
            for tab in ["INFO", "Console", "Settings", "Transcript"] {
                lab.click("tab", tab).await?;
                lab.find("region", tab).await?;
                let violations = page.violations().await?;
                assert!(violations.is_empty(), "{tab}: {violations:#?}");
            }
            lab.click("button", "Keys").await?;
            lab.find("dialog", "Keys").await.map(drop)
        })
        .await
    })
}

#[test]
fn no_violation_in_a_figure_a_card_a_phone_and_the_view_as_implemented() -> Outcome {
    on_page("axe-shapes", async |page| {
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            for (name, size) in
                [("figure", (720, 420)), ("card", (360, 240)), ("phone", (390, 844))]
            {
                page.set_size(size.0, size.1).await?;
                page.open_article(&format!(
                    "<main><h1>An article</h1><psync-lab preset=too-long \
                     style='height:{}px'></psync-lab></main>",
                    size.1
                ))
                .await?;
                let lab = page.lab(0);
                lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
                lab.call("seek", vec![17_000_000.into()]).await?;
                let violations = page.violations().await?;
                assert!(violations.is_empty(), "{name}, {theme:?}: {violations:#?}");
            }
            page.set_size(1280, 800).await?;
            let lab = page.open_quiet_with("&preset=slow-replica-pins").await?;
            lab.call("seek", vec![24_000_000.into()]).await?;
            lab.click("button", "As implemented").await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "as implemented, {theme:?}: {violations:#?}");
        }
        page.assert_calm().await
    })
}

#[test]
fn no_two_buttons_of_the_page_have_the_same_name() -> Outcome {
    on_page("axe-names", async |page| {
        let lab = page.open_quiet().await?;
        // In the panels rows are named by what they tell, and that may be the same.
        let script = "const root = document.querySelector('psync-lab').shadowRoot;
             const seen = [...root.querySelectorAll('button:not(.panel *)')]
                 .filter((button) => button.checkVisibility());
             const names = seen.map((button) => button.computedName);
             return [names.length, names.filter((name, n) => names.indexOf(name) !== n)];";
        let (count, twice): (usize, Vec<String>) =
            serde_json::from_value(page.run(script, vec![]).await?)?;
        assert!(count > 20, "{count} buttons");
        assert!(twice.is_empty(), "{twice:?}");
        lab.find("button", "Zoom in on the bytes").await?;
        lab.find("button", "Zoom in on the timeline").await?;
        page.assert_calm().await
    })
}
