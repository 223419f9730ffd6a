//! Pointing at the history: each byte shows the command it belongs to, and the bytes themselves.

use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;

impl Lab<'_> {
    /// A history of one command that is told apart, with a burst behind it that fills the ring.
    async fn write_greeting(&self) -> Outcome {
        let burst = json!({"do": "burst", "writes": 300, "value_bytes": 100});
        self.call("act", vec![burst]).await?;
        let write = json!({"do": "write", "argv": ["SET", "greeting", "hello"]});
        self.call("act", vec![write]).await?;
        Ok(())
    }

    /// What the tooltip says, when it is there.
    async fn tip(&self) -> Outcome<Option<String>> {
        let script = "return document.querySelector('psync-lab').shadowRoot
             .querySelector('.byte-tip')?.textContent ?? null";
        Ok(serde_json::from_value(self.page().run(script, vec![]).await?)?)
    }
}

#[test]
fn keys_on_the_ruler_show_each_byte_with_its_command() -> Outcome {
    on_page("pointing-keys", async |page| {
        let lab = page.open_quiet().await?;
        lab.write_greeting().await?;
        let slider = lab.find("slider", "Byte position").await?;
        slider.focus().await?;
        page.press(Key::End.value().to_string()).await?;
        lab.root_has("root.querySelector('.byte-tip')?.textContent.includes('SET greeting hello')")
            .await?;
        let tip = lab.tip().await?.unwrap_or_default();
        assert!(tip.contains(r"$5\r\nhello\r\n"), "the real bytes: {tip}");
        // The last of 38 bytes is a line feed, the one before it a carriage return.
        lab.root_has(r"root.querySelector('.byte-tip mark').textContent === '\\n'").await?;
        page.press(Key::Left.value().to_string()).await?;
        lab.root_has(r"root.querySelector('.byte-tip mark').textContent === '\\r'").await?;
        page.press(Key::Escape.value().to_string()).await?;
        lab.root_has("!root.querySelector('.byte-tip')").await?;
        page.assert_calm().await
    })
}

#[test]
fn the_mouse_over_ruler_and_ring_shows_the_bytes_below_it() -> Outcome {
    on_page("pointing-mouse", async |page| {
        let lab = page.open_quiet().await?;
        lab.write_greeting().await?;
        let ruler = lab.find("slider", "Byte position").await?;
        let mouse = || page.driver().action_chain();
        mouse().move_to_element_center(&ruler).perform().await?;
        lab.root_has("root.querySelector('.byte-tip')?.textContent.includes('SET key:')").await?;
        // Away from everything, and then from the left edge of the map into the ring.
        let heading = lab.find("button", "Share").await?;
        mouse().move_to_element_center(&heading).perform().await?;
        lab.root_has("!root.querySelector('.byte-tip')").await?;
        let map = lab.find("region", "Replication map").await?;
        let mut met = None;
        for x in (20..400).step_by(8) {
            mouse().move_to_element_with_offset(&map, x - 440, 0).perform().await?;
            met = lab.tip().await?;
            if met.is_some() {
                break;
            }
        }
        let tip = met.ok_or("no byte under the mouse from the edge to the middle of the ring")?;
        assert!(tip.contains("SET key:"), "{tip}");
        page.assert_calm().await
    })
}
