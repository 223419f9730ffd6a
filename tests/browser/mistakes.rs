//! What people mistype: attributes, addresses, settings. Each is named, and the page stays usable.

use serde_json::json;

use crate::browser::{Outcome, on_page};
use crate::page::Page;

impl Page {
    /// The complaint on top of the first element; the page below it still works.
    async fn complaint(&self) -> Outcome<String> {
        let lab = self.lab(0);
        let alert = lab.find("alert", "").await?.text().await?;
        lab.call("pause", vec![]).await?;
        lab.advance(3_000_000).await?;
        let before = lab.offset(0).await?;
        lab.click("button", "Write").await?;
        assert!(lab.offset(0).await? > before);
        lab.click("button", "Dismiss").await?;
        lab.root_has("!root.querySelector('[role=alert]')").await?;
        Ok(alert)
    }
}

#[test]
fn malformed_attributes_are_named_and_the_others_count() -> Outcome {
    on_page("bad-attributes", async |page| {
        page.set_size(1000, 900).await?;
        page.open_article(
            "<psync-lab style='display:block;height:700px' seed=abc replicas=0 preset=nonesuch
                 config='{' theme=pink speed=fast repl-backlog-size=many
                 writes-per-second=0 latency-us=1000></psync-lab>",
        )
        .await?;
        let alert = page.complaint().await?;
        let wrong = ["seed", "replicas", "preset", "config", "theme", "speed", "repl-backlog-size"];
        for name in wrong {
            assert!(alert.contains(&format!("attribute {name}=")), "{name}: {alert}");
        }
        assert!(!alert.contains("latency"), "{alert}");
        let scenario = page.lab(0).call("scenario", vec![]).await?;
        assert_eq!(scenario["replicas"], 3, "the default is kept");
        assert_eq!(scenario["network"]["latency_us"], 1000, "what was right counts");
        assert_eq!(scenario["workload"]["writes_per_second"], 0);
        page.assert_calm().await
    })
}

#[test]
fn a_malformed_address_is_named_and_the_others_count() -> Outcome {
    on_page("bad-url", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at(
            "?replicas=1000&engine=redis-0.1&writes-per-second=-3&seed=5&utm_source=mail\
             #scenario=%7B%22seed%22&actions=nothing",
        )
        .await?;
        let alert = page.complaint().await?;
        for name in ["replicas", "engine", "writes-per-second", "scenario", "actions"] {
            assert!(alert.contains(&format!("URL {name}=")), "{name}: {alert}");
        }
        assert!(!alert.contains("seed=\"5\"") && !alert.contains("utm_source"), "{alert}");
        let scenario = page.lab(0).call("scenario", vec![]).await?;
        assert_eq!((&scenario["replicas"], &scenario["seed"]), (&json!(3), &json!(5)));
        page.assert_calm().await
    })
}

#[test]
fn an_address_that_is_no_text_at_all_changes_nothing() -> Outcome {
    on_page("garbage-url", async |page| {
        page.set_size(1280, 900).await?;
        for suffix in ["?%", "?%FF%FE=%00&=&&&replicas", "#%E0%A4%A", "#scenario=[1,2]"] {
            // Another document first, or a change of the fragment alone would load nothing.
            page.open_article("").await?;
            page.open_site_at(suffix).await?;
            let lab = page.lab(0);
            lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
            let scenario = lab.call("scenario", vec![]).await?;
            assert_eq!(
                (&scenario["preset"], &scenario["replicas"]),
                (&json!("short-blip"), &json!(3))
            );
            lab.call("pause", vec![]).await?;
            lab.advance(3_000_000).await?;
            assert_eq!(lab.link(3).await?, "up");
        }
        page.assert_calm().await
    })
}

#[test]
fn a_wrong_attribute_set_later_is_told_and_does_not_end_the_run() -> Outcome {
    on_page("late-attribute", async |page| {
        let lab = page.open_quiet().await?;
        lab.call("setAttribute", vec![json!("replicas"), json!("none")]).await?;
        let alert = lab.find("alert", "").await?.text().await?;
        assert!(alert.contains("attribute replicas=\"none\""), "{alert}");
        let told = page.heard("psync-error").await?;
        let message = told[0]["detail"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && alert.starts_with(message), "{message}: {alert}");
        lab.call("setAttribute", vec![json!("replicas"), json!("2")]).await?;
        lab.root_has("!root.querySelector('.banner')").await?;
        let servers = lab.snapshot().await?["servers"].as_array().map(Vec::len);
        assert_eq!(servers, Some(3), "mended");
        page.assert_calm().await
    })
}

#[test]
fn where_the_browser_cannot_pack_a_run_is_still_offered_as_a_file() -> Outcome {
    on_page("share-unpacked", async |page| {
        let lab = page.open_quiet().await?;
        page.run("window.CompressionStream = undefined", vec![]).await?;
        lab.click("button", "Share").await?;
        let dialog = lab.find("dialog", "Share this moment").await?.text().await?;
        assert!(dialog.contains("Save as file") && !dialog.contains("Copy link"), "{dialog}");
        assert!(!lab.has("textbox", "Link").await);
        Ok(())
    })
}
