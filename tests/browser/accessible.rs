//! axe-core's opinion of the page in the states that matter, in light and dark.

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Page, Theme};

impl Page {
    /// Brings the page into a state, once in light and once in dark, and asks axe-core.
    async fn judge_both(&self, query: &str, state: impl AsyncFn(&Lab<'_>) -> Outcome) -> Outcome {
        for theme in Theme::BOTH {
            self.set_theme(theme).await?;
            let lab = self.open_quiet_with(query).await?;
            state(&lab).await?;
            let violations = self.serious_violations().await?;
            assert!(violations.is_empty(), "{theme:?}: {violations:#?}");
        }
        self.assert_calm().await
    }
}

#[test]
fn no_serious_violation_at_a_partial_resync() -> Outcome {
    on_page("axe-partial", async |page| {
        page.judge_both("", async |lab| {
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
fn no_serious_violation_at_a_full_resync_with_another_replica_cut_off() -> Outcome {
    on_page("axe-full", async |page| {
        page.judge_both("", async |lab| {
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
fn no_serious_violation_with_twenty_replicas() -> Outcome {
    on_page("axe-twenty", async |page| {
        page.judge_both("&replicas=20", async |lab| {
            lab.click("button", "Cut link to replica 20").await?;
            lab.find("button", "Heal link to replica 20").await.map(drop)
        })
        .await
    })
}

#[test]
fn no_serious_violation_in_any_panel_in_the_sheet_of_keys_and_in_a_complaint() -> Outcome {
    on_page("axe-panels", async |page| {
        page.judge_both("&seed=wrong", async |lab| {
            lab.find("alert", "").await?;
            for tab in ["INFO", "Console", "Settings"] {
                lab.click("tab", tab).await?;
                lab.find("region", tab).await?;
                let violations = page.serious_violations().await?;
                assert!(violations.is_empty(), "{tab}: {violations:#?}");
            }
            lab.click("button", "Keys").await?;
            lab.find("dialog", "Keys").await.map(drop)
        })
        .await
    })
}
