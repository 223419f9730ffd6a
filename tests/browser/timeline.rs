//! The timeline as a drawing: two fingers and the wheel, messages that are pressed, the chart's
//! values, and where what is kept begins.

use psync::cluster::trace::What;
use psync::cluster::{Run, Scenario};
use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::Page;
use crate::time::{NAMES, RIGHT, SPAN_US};

/// With ctrl, and with shift, as the browser's input has them.
const CTRL: u32 = 2;
const SHIFT: u32 = 8;

impl Page {
    /// Two fingers from two places to two others, all at one height.
    async fn pinch(&self, from: [f64; 2], to: [f64; 2], y: f64) -> Outcome {
        let touch = async |kind: &str, fingers: &[f64]| {
            let points: Vec<Value> =
                (0..).zip(fingers).map(|(id, x)| json!({ "x": x, "y": y, "id": id })).collect();
            let event = json!({ "type": kind, "touchPoints": points });
            self.driver().cdp().send_raw("Input.dispatchTouchEvent", event).await
        };
        touch("touchStart", &from).await?;
        for step in 1..=8 {
            let part = f64::from(step) / 8.0;
            let at = [0, 1].map(|n| from[n] + (to[n] - from[n]) * part);
            touch("touchMove", &at).await?;
            self.frames(1).await?;
        }
        touch("touchEnd", &[]).await?;
        self.frames(2).await
    }

    async fn wheel(&self, at: (f64, f64), (x, y): (i32, i32), modifiers: u32) -> Outcome {
        let turned = json!({ "deltaX": x, "deltaY": y, "modifiers": modifiers });
        self.mouse("mouseWheel", at, turned).await?;
        self.frames(3).await
    }
}

impl Lab<'_> {
    /// Left and right end of the stretch shown, from the moments under two places of it.
    async fn stretch(&self) -> Outcome<[f64; 2]> {
        let [left, top, width, height] = self.drawing().await?;
        let mut moments = [0.0; 2];
        for (moment, part) in moments.iter_mut().zip([0.25, 0.75]) {
            let at = (left + NAMES + (width - NAMES - RIGHT) * part, top + height - 30.0);
            self.page().drag(at, at).await?;
            *moment = self.now_us().await? as f64;
        }
        let half = moments[1] - moments[0];
        Ok([moments[0] - half / 2.0, moments[1] + half / 2.0])
    }
}

/// The same but for a pixel or two.
fn near(is: [f64; 2], wanted: [f64; 2]) -> bool {
    (is[0] - wanted[0]).abs() < 100_000.0 && (is[1] - wanted[1]).abs() < 100_000.0
}

/// Every moment of this stretch is known, and it begins with the run.
async fn open(page: &Page) -> Outcome<Lab<'_>> {
    let lab = page.open_at("too-long", 30_000_000).await?;
    lab.call("seek", vec![json!(0)]).await?;
    page.frames(3).await?;
    assert!(near(lab.stretch().await?, [0.0, SPAN_US]));
    Ok(lab)
}

#[test]
fn two_fingers_zoom_and_move_the_timeline_and_what_is_under_them_stays() -> Outcome {
    on_page("timeline-pinch", async |page| {
        let touch = json!({ "enabled": true, "maxTouchPoints": 2 });
        page.driver().cdp().send_raw("Emulation.setTouchEmulationEnabled", touch).await?;
        let lab = open(page).await?;
        let [left, top, width, height] = lab.drawing().await?;
        let (centre, y) = (left + NAMES + (width - NAMES - RIGHT) / 2.0, top + height - 32.0);
        page.pinch([centre - 40.0, centre + 40.0], [centre - 80.0, centre + 80.0], y).await?;
        let near_to = lab.stretch().await?;
        assert!(near(near_to, [SPAN_US / 4.0, SPAN_US / 4.0 * 3.0]), "{near_to:?}");
        // Both to the left: what comes later is seen.
        page.pinch([centre, centre + 80.0], [centre - 100.0, centre - 20.0], y).await?;
        let later = lab.stretch().await?;
        let by = 100.0 / (width - NAMES - RIGHT) * SPAN_US / 2.0;
        assert!(near(later, near_to.map(|end| end + by)), "{near_to:?} {later:?} {by}");
        page.pinch([centre - 80.0, centre + 80.0], [centre - 40.0, centre + 40.0], y).await?;
        let far = lab.stretch().await?;
        assert!((far[1] - far[0] - SPAN_US).abs() < 200_000.0, "{far:?}");
        let scale = page.run("return visualViewport.scale", vec![]).await?;
        assert_eq!(scale, 1, "the page itself is not zoomed");
        page.assert_calm().await
    })
}

#[test]
fn the_wheel_zooms_with_ctrl_and_moves_the_timeline_sideways_and_with_shift() -> Outcome {
    on_page("timeline-wheel", async |page| {
        let lab = open(page).await?;
        page.run("document.body.style.paddingBottom = '3000px'", vec![]).await?;
        let [left, top, width, height] = lab.drawing().await?;
        let (centre, y) = (left + NAMES + (width - NAMES - RIGHT) / 2.0, top + height / 2.0);
        let seen = "return [scrollY, visualViewport.scale, devicePixelRatio]";
        let before = page.run(seen, vec![]).await?;
        page.wheel((centre, y), (0, -100), CTRL).await?;
        let tenth = SPAN_US / 10.0;
        let zoomed = lab.stretch().await?;
        assert!(near(zoomed, [tenth, SPAN_US - tenth]), "{zoomed:?}");
        page.wheel((centre, y), (100, 0), 0).await?;
        let by = 100.0 / (width - NAMES - RIGHT) * (zoomed[1] - zoomed[0]);
        let moved = lab.stretch().await?;
        assert!(near(moved, zoomed.map(|end| end + by)), "{zoomed:?} {moved:?} {by}");
        page.wheel((centre, y), (0, -100), SHIFT).await?;
        let back = lab.stretch().await?;
        assert!(near(back, zoomed), "{zoomed:?} {back:?}");
        page.wheel((centre, y), (0, 100), CTRL).await?;
        let out = lab.stretch().await?;
        assert!(near(out, [0.0, SPAN_US]), "{out:?}");
        assert_eq!(page.run(seen, vec![]).await?, before, "nor does the page scroll or zoom");
        page.assert_calm().await
    })
}

#[test]
fn a_press_on_a_message_leads_to_the_moment_at_which_it_was_sent() -> Outcome {
    on_page("timeline-message", async |page| {
        let mut run = Run::new(Scenario::preset("too-long")?);
        run.advance_us(20_000_000);
        let asks = |what: &What| match what {
            What::Message(message) if message.raw.starts_with("PSYNC") => {
                message.arrives.filter(|_| message.replica == 2)
            }
            _ => None,
        };
        let entries = run.trace().entries().rev();
        let mut sent = entries.filter_map(|entry| Some((entry.at, asks(&entry.what)?)));
        let (at, arrives) = sent.next().ok_or("replica 2 came back")?;
        let lab = page.open_at("too-long", 20_000_000).await?;
        lab.call("seek", vec![json!(at.0 + 700_000)]).await?;
        for _ in 0..3 {
            lab.click("button", "Zoom in on the timeline").await?;
        }
        page.frames(3).await?;
        let [from, to] = lab.stretch().await?;
        let [left, top, width, _] = lab.drawing().await?;
        let x = |us: f64| left + NAMES + (us - from) / (to - from) * (width - NAMES - RIGHT);
        // From the lane of replica 2 to that of the master, two lanes of 29 pixels above: a
        // quarter of the way no flag is near.
        let (sent, arrives) = (x(at.0 as f64), x(arrives.0 as f64));
        let on_line = (sent + (arrives - sent) / 4.0, top + 16.0 + 29.0 * 2.0);
        page.drag(on_line, on_line).await?;
        assert_eq!(lab.now_us().await?, at.0);
        lab.root_has(
            "root.querySelector('.transcript [aria-current]').textContent.includes('PSYNC')",
        )
        .await?;
        // Beside it is the moment itself.
        let beside = (on_line.0 + 30.0, on_line.1);
        page.drag(beside, beside).await?;
        let there = lab.now_us().await? as f64;
        assert!((x(there) - beside.0).abs() < 2.0, "{there}");
        page.assert_calm().await
    })
}

#[test]
fn what_the_chart_says_and_draws_is_what_the_snapshot_of_that_moment_says() -> Outcome {
    on_page("timeline-chart", async |page| {
        let lab = page.open_at("two-windows", 24_000_000).await?;
        let watch = "window.written = [];
            const fill = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
                if (this.canvas.closest('.lanes')) written.push(text);
                return fill.call(this, text, ...at);
            };";
        page.run(watch, vec![]).await?;
        lab.find("button", "Share").await?.focus().await?;
        page.press("g").await?;
        let (mut waiting, mut away) = (0, 0);
        for at_us in (2_000_000..24_000_000).step_by(1_234_567) {
            page.run("written.length = 0", vec![]).await?;
            lab.call("seek", vec![json!(at_us)]).await?;
            let caption =
                format!("Values at {}.{:03} seconds", at_us / 1_000_000, at_us / 1000 % 1000);
            lab.root_has(&format!(
                "root.querySelector('.lanes caption').textContent === '{caption}'"
            ))
            .await?;
            page.frames(3).await?;
            let table: Vec<(String, String)> =
                serde_json::from_value(page.run(TABLE, vec![]).await?)?;
            let drawn: Vec<String> =
                serde_json::from_value(page.run("return written", vec![]).await?)?;
            let snapshot = lab.snapshot().await?;
            let backlog = &snapshot["servers"][0]["backlog"];
            let kept = backlog["histlen"].as_u64().ok_or("a backlog")?;
            let mut expected = Vec::new();
            let mut labels = vec![("kept".to_owned(), short(kept))];
            for replica in 1..=2 {
                let link = &snapshot["servers"][replica]["link"];
                let behind = link["behind_bytes"].as_u64().ok_or("a number")?;
                let mut text = format!("{behind} B behind");
                // One label is for all who are equal.
                labels.push(("R".to_owned(), short(behind)));
                if let Some(output) = link["output_bytes"].as_u64() {
                    text += &format!(", output {output} B");
                    labels.push(("R".to_owned(), short(output)));
                    waiting += usize::from(output > 0);
                }
                if link["state"] != "up" && link["same_history"] == true {
                    let late = behind > kept;
                    text += if late { ", needs more than is kept" } else { ", still kept" };
                    away += 1;
                }
                expected.push((format!("replica {replica}"), text));
            }
            expected.push(("backlog".to_owned(), format!("{kept} of {} B kept", backlog["size"])));
            let ways =
                ["memory as ring and queues", "memory as shared blocks", "memory as a list each"];
            for ((n, way), label) in ways.into_iter().enumerate().zip(["ring", "blocks", "lists"]) {
                let memory = &backlog["memory"][n];
                let bytes = memory["backlog_bytes"].as_u64().zip(memory["replicas_bytes"].as_u64());
                let (own, others) = bytes.ok_or("two numbers")?;
                expected.push((way.to_owned(), format!("{} B", own + others)));
                labels.push((label.to_owned(), short(own + others)));
            }
            assert_eq!(table, expected, "at {at_us} us");
            for label in labels {
                let seen =
                    drawn.windows(2).any(|two| two[0].contains(&label.0) && two[1] == label.1);
                assert!(seen, "{label:?} at {at_us} us: {drawn:?}");
            }
        }
        assert!(waiting > 3 && away > 3, "{waiting} {away}");
        page.assert_calm().await
    })
}

/// Bytes as a label of the chart has them; here all are less than a megabyte.
fn short(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..10_000 => format!("{},{:03} B", bytes / 1000, bytes % 1000),
        _ => format!("{}.{} KB", tenths / 10, tenths % 10),
    }
}

/// The rows of the chart's table, without the commas in numbers.
const TABLE: &str = "return [...document.querySelector('psync-lab').shadowRoot
    .querySelectorAll('.lanes table tr')].map((row) =>
        [...row.children].map((cell) => cell.textContent.replaceAll(/(\\d),(?=\\d)/g, '$1')));";

/// A row of the drawing's pixels, between the lanes of replicas 1 and 2: whether each is painted.
const PAINTED: &str = "const canvas = document.querySelector('psync-lab').shadowRoot
        .querySelector('.lanes canvas');
    const row = canvas.getContext('2d').getImageData(0, 16 + 29 * 2, canvas.width, 1).data;
    return Array.from({ length: canvas.width }, (_, x) => row[x * 4 + 3] > 0);";

#[test]
fn what_is_no_longer_kept_is_said_and_striped_on_the_timeline_and_can_still_be_gone_to() -> Outcome
{
    on_page("timeline-kept", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?autoplay=false&writes-per-second=200").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        let note = "root.querySelector('.forgotten')";
        lab.advance(4_000_000).await?;
        page.frames(3).await?;
        lab.root_has(&format!("!{note}")).await?;
        lab.advance(96_000_000).await?;
        lab.click("button", "Zoom to all").await?;
        page.frames(3).await?;
        lab.root_has(&format!("{note}.checkVisibility()")).await?;
        let script = "return document.querySelector('psync-lab').shadowRoot
             .querySelector('.forgotten b').textContent";
        let since: String = serde_json::from_value(page.run(script, vec![]).await?)?;
        let since_us = since.parse::<f64>()? * 1e6;
        assert!(since_us > 10e6 && since_us < 90e6, "{since}");
        let [from, to] = lab.stretch().await?;
        let [_, _, width, _] = lab.drawing().await?;
        let x = |us: f64| NAMES + (us - from) / (to - from) * (width - NAMES - RIGHT);
        let painted: Vec<bool> = serde_json::from_value(page.run(PAINTED, vec![]).await?)?;
        // Stripes stand six pixels apart, up to where what is kept begins; there is no message.
        let striped = &painted[NAMES as usize + 4..x(since_us) as usize - 4];
        for twelve in striped.chunks_exact(12) {
            let stripes = twelve.windows(2).filter(|two| !two[0] && two[1]).count();
            assert!((1..=2).contains(&stripes), "{stripes} of 2 in {twelve:?}");
        }
        // The first decisions have their flags all the same, and lead there.
        let first = lab.decisions().await?[0]["at_us"].as_u64().ok_or("a moment")?;
        let [left, top, ..] = lab.drawing().await?;
        let flag = (left + x(first as f64), top + 16.0 + 29.0 * 1.5);
        page.drag(flag, flag).await?;
        let there = lab.now_us().await?;
        let decisions = lab.decisions().await?;
        assert!(decisions.iter().any(|decision| decision["at_us"] == there), "{there}");
        page.assert_calm().await
    })
}
