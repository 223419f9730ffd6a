//! The controls beside the drawing: console, settings, speed, time.

use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;

impl Lab<'_> {
    /// Types a line into the console; what the server answers, as printed.
    pub async fn command(&self, line: &str) -> Outcome<String> {
        let count = "root.querySelectorAll('.console pre').length";
        let before = self.replies().await?.len();
        self.find("textbox", "Command").await?.send_keys(format!("{line}\u{e007}")).await?;
        self.root_has(&format!("{count} === {}", before + 1)).await?;
        let replies = self.replies().await?;
        // The newest stands where the eye is; which end that is, is the style sheet's business.
        let found =
            replies.into_iter().find(|(command, _)| command.ends_with(&format!("> {line}")));
        Ok(found.ok_or(format!("no reply to {line}"))?.1)
    }

    async fn replies(&self) -> Outcome<Vec<(String, String)>> {
        let script = "return [...document.querySelector('psync-lab').shadowRoot
             .querySelectorAll('.console .lines li:has(pre)')].map((line) =>
                 [line.querySelector('.prompt').textContent, line.querySelector('pre').textContent])";
        Ok(serde_json::from_value(self.page().run(script, vec![]).await?)?)
    }

    /// Types into a field of the settings, as a person does.
    async fn set(&self, name: &str, text: &str) -> Outcome {
        let field = self.find("textbox", name).await?;
        // In one go, because each `send_keys` begins behind the text that is there.
        Ok(field.send_keys(Key::Control + "a" + Key::Null + text + "\t").await?)
    }
}

#[test]
fn the_console_runs_real_commands_and_says_what_real_servers_say() -> Outcome {
    on_page("console", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("tab", "Console").await?;
        lab.find("region", "Console").await?;
        assert_eq!(lab.command("SET greeting \"good morning\"").await?, "OK");
        assert_eq!(lab.command("GET greeting").await?, "\"good morning\"");
        assert_eq!(
            lab.command("INCR greeting").await?,
            "(error) ERR value is not an integer or out of range"
        );
        assert_eq!(
            lab.command("NOPE a b").await?,
            "(error) ERR unknown command `NOPE`, with args beginning with: `a`, `b`, "
        );
        assert_eq!(
            lab.command("GET").await?,
            "(error) ERR wrong number of arguments for 'get' command"
        );
        let info = lab.command("INFO replication").await?;
        let offset = lab.offset(0).await?;
        for line in ["role:master", "connected_slaves:3", &format!("master_repl_offset:{offset}")] {
            assert!(info.lines().any(|said| said == line), "{line}: {info}");
        }
        lab.settle().await?;
        assert_eq!(lab.snapshot().await?["servers"][3]["keys"], 1, "a typed write is a write");
        page.assert_calm().await
    })
}

#[test]
fn the_backlog_is_resized_while_it_runs_and_other_settings_begin_again() -> Outcome {
    on_page("settings", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Write").await?;
        lab.settle().await?;
        let before = lab.snapshot().await?;
        lab.click("tab", "Settings").await?;
        lab.set("repl-backlog-size", "64kb").await?;
        lab.root_has("root.querySelector('.head').textContent.includes('64kb')").await?;
        let after = lab.snapshot().await?;
        assert_eq!(after["servers"][0]["backlog"]["size"], 65_536);
        assert_eq!(after["now_us"], before["now_us"]);
        assert_eq!(after["servers"][0]["replid"], before["servers"][0]["replid"]);
        assert_eq!(after["servers"][0]["keys"], 1, "nothing began again");

        lab.set("repl-backlog-size", "lots").await?;
        let alert = lab.find("alert", "").await?.text().await?;
        assert!(alert.contains("16kb"), "it says what may be typed: {alert}");
        assert_eq!(lab.snapshot().await?, after, "and changes nothing");
        lab.set("repl-backlog-size", "64kb").await?;
        lab.root_has("!root.querySelector('[role=alert]')").await?;

        lab.set("Replicas", "7").await?;
        lab.find("button", "Cut link to replica 7").await?;
        let again = lab.snapshot().await?;
        assert_eq!(again["servers"].as_array().map(Vec::len), Some(8));
        assert_eq!(again["now_us"], before["now_us"], "the same moment of another run");
        assert_eq!(again["servers"][0]["backlog"]["size"], 65_536);
        page.assert_calm().await
    })
}

#[test]
fn the_speed_slider_prints_its_factor() -> Outcome {
    on_page("speed", async |page| {
        let lab = page.open_quiet().await?;
        let slider = lab.find("slider", "Speed").await?;
        for (key, factor) in [
            (Key::End, "1000×"),
            (Key::Left, "800×"),
            (Key::Home, "1/1000×"),
            (Key::Right, "1/800×"),
        ] {
            slider.send_keys(key + "").await?;
            lab.root_has(&format!(
                "root.querySelector('.speed output').textContent === '{factor}'"
            ))
            .await?;
            assert_eq!(slider.attr("aria-valuetext").await?.as_deref(), Some(factor));
        }
        page.assert_calm().await
    })
}

#[test]
fn the_time_slider_goes_back_to_an_earlier_moment() -> Outcome {
    on_page("time", async |page| {
        let lab = page.open_quiet().await?;
        let (then, earlier) = (lab.now_us().await?, lab.snapshot().await?);
        lab.advance(5_000_000).await?;
        let slider = lab.find("slider", "Time").await?;
        let there =
            format!("root.querySelector('.scrub').value === '{}'", (then + 5_000_000) / 1000);
        lab.root_has(&there).await?;
        slider.send_keys(Key::Home + "").await?;
        lab.root_has("root.querySelector('.scrub').value === '0'").await?;
        assert_eq!(lab.now_us().await?, 0);
        lab.call("seek", vec![json!(then)]).await?;
        assert_eq!(lab.snapshot().await?, earlier);
        page.assert_calm().await
    })
}
