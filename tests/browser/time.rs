//! Time by hand: the transport, the timeline under pointer, wheel, keys and fingers, and what time
//! does around a decision, when nobody looks or when things shall hold still.

use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Page, Theme, wait_for};

/// Left and right of the drawing there are names and half a label.
pub const NAMES: f64 = 64.0;
pub const RIGHT: f64 = 18.0;
/// What the timeline shows at first.
pub const SPAN_US: f64 = 16_000_000.0;

impl Page {
    /// A preset that stands at a moment, in a desktop window.
    pub async fn open_at(&self, preset: &str, at_us: u64) -> Outcome<Lab<'_>> {
        self.set_size(1280, 900).await?;
        self.open_site_at(&format!("?autoplay=false&preset={preset}")).await?;
        let lab = self.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.call("pause", vec![]).await?;
        lab.call("seek", vec![json!(at_us)]).await?;
        self.frames(3).await?;
        Ok(lab)
    }

    /// Lets the browser paint so many frames.
    pub async fn frames(&self, count: u32) -> Outcome {
        let script = "let left = arguments[0]; const done = arguments[1];
             const next = () => left-- > 0 ? requestAnimationFrame(next) : done();
             next();";
        self.driver().execute_async(script, vec![json!(count)]).await?;
        Ok(())
    }

    /// A mouse event at a point of the window, as the browser's own input.
    pub async fn mouse(&self, kind: &str, (x, y): (f64, f64), more: Value) -> Outcome {
        let mut event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        self.driver().cdp().send_raw("Input.dispatchMouseEvent", event).await?;
        Ok(())
    }

    /// Presses at one point, moves to the other and lets go.
    pub async fn drag(&self, from: (f64, f64), to: (f64, f64)) -> Outcome {
        self.mouse("mousePressed", from, json!({ "buttons": 1 })).await?;
        for step in 1..=4 {
            let part = f64::from(step) / 4.0;
            let at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.mouse("mouseMoved", at, json!({ "buttons": 1 })).await?;
        }
        self.mouse("mouseReleased", to, json!({})).await
    }

    /// A touch with one finger from point to point.
    pub async fn swipe(&self, from: (f64, f64), to: (f64, f64)) -> Outcome {
        let touch = async |kind: &str, points: Value| {
            let event = json!({ "type": kind, "touchPoints": points });
            self.driver().cdp().send_raw("Input.dispatchTouchEvent", event).await
        };
        touch("touchStart", json!([{ "x": from.0, "y": from.1 }])).await?;
        for step in 1..=8 {
            let part = f64::from(step) / 8.0;
            let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            touch("touchMove", json!([{ "x": x, "y": y }])).await?;
            self.frames(1).await?;
        }
        touch("touchEnd", json!([])).await?;
        Ok(())
    }
}

/// Time that went by while the page played.
#[derive(Debug, serde::Deserialize)]
struct Passed {
    /// Real milliseconds.
    ms: f64,
    /// What the button "Auto-slow" said meanwhile.
    said: Vec<String>,
}

impl Lab<'_> {
    /// Plays from one moment to the other.
    async fn passes(&self, from_us: u64, to_us: u64) -> Outcome<Passed> {
        let script = "const [from, to, done] = arguments;
             (async () => {
                 const lab = document.querySelector('psync-lab');
                 const state = lab.shadowRoot.querySelector('.auto-slow [data-state]').dataset;
                 const now = async () => (await lab.snapshot()).now_us;
                 const frame = () => new Promise(requestAnimationFrame);
                 const said = new Set();
                 await lab.seek(from - 20e3);
                 await lab.play();
                 while (await now() < from) await frame();
                 const began = performance.now();
                 while (await now() < to) {
                     await frame();
                     said.add(state.state);
                 }
                 const ms = performance.now() - began;
                 await lab.pause();
                 return { ms, said: [...said] };
             })().then(done, (error) => done(String(error)));";
        let arguments = vec![json!(from_us), json!(to_us)];
        let answer = self.page().driver().execute_async(script, arguments).await?;
        serde_json::from_value(answer.json().clone()).map_err(|_| answer.json().to_string().into())
    }

    /// The drawing of the timeline in the window: left, top, width, height.
    pub async fn drawing(&self) -> Outcome<[f64; 4]> {
        let script = "const canvas = document.querySelector('psync-lab').shadowRoot
                 .querySelector('.lanes canvas');
             canvas.scrollIntoView({ block: 'center' });
             const box = canvas.getBoundingClientRect();
             return [box.left, box.top, box.width, box.height];";
        Ok(serde_json::from_value(self.page().run(script, vec![]).await?)?)
    }

    /// Where a moment stands while the stretch begins at `from_us` and has its first length.
    pub async fn place(&self, at_us: f64, from_us: f64) -> Outcome<f64> {
        let [left, _, width, _] = self.drawing().await?;
        Ok(left + NAMES + (at_us - from_us) / SPAN_US * (width - NAMES - RIGHT))
    }

    /// Presses an arrow with shift; on a button, because a slider needs its arrows itself.
    pub async fn shifted(&self, arrow: &str) -> Outcome {
        self.find("button", "Step").await?.focus().await?;
        for kind in ["keyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": arrow, "code": arrow, "modifiers": 8 });
            self.page().driver().cdp().send_raw("Input.dispatchKeyEvent", event).await?;
        }
        self.page().frames(2).await
    }

    /// The moment under the middle of the drawing: a press there goes to it.
    pub async fn middle(&self) -> Outcome<u64> {
        let [left, top, width, height] = self.drawing().await?;
        // Away from flags and messages: just over the axis.
        let at = (left + NAMES + (width - NAMES - RIGHT) / 2.0, top + height - 30.0);
        self.page().mouse("mousePressed", at, json!({ "buttons": 1 })).await?;
        self.page().mouse("mouseReleased", at, json!({})).await?;
        self.now_us().await
    }
}

#[test]
fn space_plays_and_pauses_and_a_period_steps_one_event() -> Outcome {
    on_page("time-space", async |page| {
        let lab = page.open_at("short-blip", 3_000_000).await?;
        lab.find("slider", "Speed").await?.focus().await?;
        page.press(" ").await?;
        lab.find("button", "Pause").await?;
        lab.wait_until_after(3_000_000).await?;
        page.press(" ").await?;
        lab.root_has("root.querySelector('.paused')?.checkVisibility()").await?;
        assert!(lab.stands(page).await?);
        let before = lab.now_us().await?;
        page.press(".").await?;
        let stepped = lab.now_us().await?;
        assert!(stepped > before && stepped <= before + 1_000_000, "{before} {stepped}");
        lab.advance(12_000_000).await?;
        let decided = lab.decisions().await?;
        let at = |n: usize| decided[n]["at_us"].as_u64();
        page.press("[").await?;
        assert_eq!(Some(lab.now_us().await?), at(decided.len() - 1), "its moment, exactly");
        lab.click("button", "Previous decision").await?;
        assert_eq!(Some(lab.now_us().await?), at(decided.len() - 2));
        lab.click("button", "Next decision").await?;
        assert_eq!(Some(lab.now_us().await?), at(decided.len() - 1));
        page.assert_calm().await
    })
}

#[test]
fn time_goes_slowly_around_a_decision_and_as_asked_for_when_that_is_switched_off() -> Outcome {
    on_page("time-slow", async |page| {
        let lab = page.open_at("too-long", 20_000_000).await?;
        let decided = lab.decisions().await?;
        let at_us = decided.last().and_then(|d| d["at_us"].as_u64()).ok_or("a decision")?;
        // 200 ms at a quarter of the speed take 800; the last frame is not quite used up.
        let slowed = lab.passes(at_us - 100_000, at_us + 100_000).await?;
        assert!(slowed.ms > 700.0 && slowed.said.contains(&"1/4\u{d7}".to_owned()), "{slowed:?}");
        let calm = lab.passes(12_000_000, 12_200_000).await?;
        assert!(calm.ms * 2.0 < slowed.ms && calm.said == ["on"], "{calm:?} {slowed:?}");
        lab.click("button", "Auto-slow").await?;
        let off = lab.passes(at_us - 100_000, at_us + 100_000).await?;
        assert!(off.ms * 2.0 < slowed.ms && off.said == ["off"], "{off:?} {slowed:?}");
        page.assert_calm().await
    })
}

#[test]
fn a_drag_on_the_lanes_scrubs_and_a_click_on_a_flag_jumps_to_its_exact_moment() -> Outcome {
    on_page("time-scrub", async |page| {
        let lab = page.open_at("too-long", 12_500_000).await?;
        let [_, top, _, height] = lab.drawing().await?;
        let y = top + height - 32.0;
        let (from, to) = (lab.place(12_000_000.0, 0.0).await?, lab.place(6_000_000.0, 0.0).await?);
        page.drag((from, y), (to, y)).await?;
        let there = lab.now_us().await?;
        assert!(there.abs_diff(6_000_000) < 60_000, "{there}");
        // Replica 2 is cut at 4 s: its flag stands on the third lane.
        let action = lab.call("scenario", vec![]).await?["actions"][0].clone();
        let cut_us = action["at_us"].as_u64().ok_or("an action with a time")?;
        assert_eq!(
            (action["do"].as_str(), action["replica"].as_str()),
            (Some("cut"), Some("replica-2"))
        );
        let x = lab.place(cut_us as f64 + 60_000.0, 0.0).await?;
        let y = top + 16.0 + 29.0 * 2.5;
        page.mouse("mouseMoved", (x, y), json!({})).await?;
        lab.root_has("root.querySelector('.flag-tip')?.textContent.includes('cut link')").await?;
        page.drag((x, y), (x, y)).await?;
        assert_eq!(lab.now_us().await?, cut_us);
        page.assert_calm().await
    })
}

#[test]
fn zoom_and_pan_by_wheel_axis_keys_and_buttons_are_shared_by_lanes_and_chart() -> Outcome {
    on_page("time-zoom", async |page| {
        let lab = page.open_at("too-long", 15_000_000).await?;
        lab.call("seek", vec![json!(8_000_000)]).await?;
        // Room to scroll, or nothing could be said about the wheel.
        page.run("document.body.style.paddingBottom = '3000px'", vec![]).await?;
        page.frames(3).await?;
        let [left, top, width, height] = lab.drawing().await?;
        let (axis, centre) = (top + height - 10.0, left + NAMES + (width - NAMES - RIGHT) / 2.0);
        let scrolled = async || page.run("return Math.round(scrollY)", vec![]).await;
        let before = scrolled().await?;
        let middle = lab.middle().await?;
        assert!(middle.abs_diff(10_200_000) < 60_000, "12.8 s of 16 lie behind: {middle}");
        // Pulling the axis to the left shows what comes later.
        page.drag((centre, axis), (centre - 100.0, axis)).await?;
        assert_eq!(lab.now_us().await?, middle, "the axis moves what is shown, not the moment");
        let pulled = lab.middle().await?;
        let by = (100.0 / (width - NAMES - RIGHT) * SPAN_US) as u64;
        assert!(pulled.abs_diff(middle + by) < 60_000, "{middle} {pulled} {by}");
        page.drag((centre, axis), (centre + 100.0, axis)).await?;
        assert!(lab.middle().await?.abs_diff(middle) < 60_000);
        // Twice the wheel over the axis: 0.8 of 0.8 of the length, and so of the eighth that shift
        // and an arrow move.
        for _ in 0..2 {
            let wheel = json!({ "deltaX": 0, "deltaY": -100 });
            page.mouse("mouseWheel", (centre, axis), wheel).await?;
            page.frames(2).await?;
        }
        assert_eq!(scrolled().await?, before, "over the axis the page does not scroll");
        let zoomed = lab.middle().await?;
        lab.shifted("ArrowRight").await?;
        let moved = lab.middle().await?;
        let eighth = (SPAN_US * 0.64 / 8.0) as u64;
        assert!(moved.abs_diff(zoomed + eighth) < 60_000, "{zoomed} {moved} {eighth}");
        lab.find("button", "Step").await?.focus().await?;
        page.press("-").await?;
        lab.shifted("ArrowLeft").await?;
        let back = lab.middle().await?;
        // Twice as long now, and moved to its beginning, before which there is nothing.
        assert!(back.abs_diff((SPAN_US * 0.64) as u64) < 60_000, "{moved} {back}");
        let wheel = json!({ "deltaX": 0, "deltaY": 100 });
        page.mouse("mouseWheel", (centre, axis - 40.0), wheel).await?;
        wait_for("the page scrolls", async || Ok(scrolled().await? != before)).await?;
        // What lies under one place is the same in the lanes and in the chart.
        let in_lanes = lab.middle().await?;
        lab.click("button", "Chart").await?;
        page.frames(3).await?;
        let in_chart = lab.middle().await?;
        assert!(in_lanes.abs_diff(in_chart) < 30_000, "{in_lanes} {in_chart}");
        lab.click("button", "Zoom to all").await?;
        page.frames(2).await?;
        let all = lab.middle().await?;
        assert!(all.abs_diff(7_700_000) < 400_000, "half of all that is known: {all}");
        page.assert_calm().await
    })
}

#[test]
fn a_decision_is_on_its_card_in_the_frame_in_which_it_happens() -> Outcome {
    on_page("time-card", async |page| {
        page.open_at("too-long", 0).await?;
        let script = include_str!("card.js");
        let answer = page.driver().execute_async(script, vec![json!(16)]).await?;
        let runs: Vec<(u32, f64, f64)> =
            serde_json::from_value(answer.json().clone()).map_err(|_| answer.json().to_string())?;
        assert!(runs.len() == 16 && runs.iter().all(|run| run.0 == 1), "{runs:?}");
        page.assert_calm().await
    })
}

/// Remembers each change of what the document says about itself, with the world's moment then.
const WATCH_HIDDEN: &str = "const seen = window.seen = [];
    document.addEventListener('visibilitychange', async () => {
        const [state, ms] = [document.visibilityState, performance.now()];
        const { now_us } = await document.querySelector('psync-lab').snapshot();
        seen.push([state, ms, now_us]);
    });";

#[test]
fn a_tab_behind_another_stands_and_does_not_catch_up_and_so_does_what_is_out_of_sight() -> Outcome {
    on_page("time-hidden", async |page| {
        let lab = page.open_at("short-blip", 2_000_000).await?;
        page.run(WATCH_HIDDEN, vec![]).await?;
        lab.call("play", vec![]).await?;
        lab.wait_until_after(2_000_000).await?;
        let driver = page.driver();
        let (tab, real) = (driver.window().await?, std::time::Instant::now());
        let other = driver.new_tab().await?;
        driver.switch_to_window(other).await?;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        driver.switch_to_window(tab).await?;
        page.wait_until("seen.length === 2").await?;
        let seen: Vec<(String, f64, u64)> =
            serde_json::from_value(page.run("return seen", vec![]).await?)?;
        assert_eq!((&*seen[0].0, &*seen[1].0), ("hidden", "visible"));
        assert!(seen[1].1 - seen[0].1 > 1400.0 && seen[0].2 == seen[1].2, "{seen:?}");
        let stood = seen[1].2;
        lab.wait_until_after(stood).await?;
        let gone = lab.now_us().await? - stood;
        let away_us = real.elapsed().as_micros() as u64;
        assert!(gone + 1_000_000 < away_us, "{gone} of {away_us}: time away is not made up for");
        // Scrolled out of sight it stands too, and is dimmed.
        page.run("document.body.style.paddingTop = '5000px'", vec![]).await?;
        lab.root_has("root.querySelector('[data-away]')").await?;
        lab.wait_until_it_stands(page).await
    })
}

/// Remembers each frame in which something is drawn anew: every drawing is cleared first.
const WATCH_FRAMES: &str = "const frames = window.drawn = new Set();
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...box) {
        frames.add(document.timeline.currentTime);
        return clear.apply(this, box);
    };";

#[test]
fn who_wants_things_to_hold_still_gets_key_frames_and_all_of_time() -> Outcome {
    on_page("time-still", async |page| {
        // Nothing is decided from 2 to 4 s.
        let drawn = async |still: bool| -> Outcome<(usize, u128)> {
            page.set_preferences(Theme::Light, still).await?;
            let lab = page.open_at("short-blip", 2_000_000).await?;
            page.run(WATCH_FRAMES, vec![]).await?;
            lab.call("play", vec![]).await?;
            let began = std::time::Instant::now();
            lab.wait_until_after(4_000_000).await?;
            let count = page.run("return drawn.size", vec![]).await?;
            Ok((count.as_u64().ok_or("a count")? as usize, began.elapsed().as_millis()))
        };
        let (still, ms) = drawn(true).await?;
        // One with the button that was pressed, and two a second.
        let most = ms as usize / 500 + 2;
        assert!(still >= 3 && still <= most, "{still} frames in {ms} ms");
        let (moving, ms) = drawn(false).await?;
        assert!(moving > 3 * most, "{moving} frames in {ms} ms without the wish");
        page.assert_calm().await
    })
}

#[test]
fn a_finger_scrubs_sideways_and_scrolls_the_page_up_and_down() -> Outcome {
    on_page("time-touch", async |page| {
        page.driver()
            .cdp()
            .send_raw("Emulation.setTouchEmulationEnabled", json!({ "enabled": true }))
            .await?;
        let lab = page.open_at("too-long", 12_500_000).await?;
        page.set_size(390, 844).await?;
        page.frames(3).await?;
        let [left, top, width, height] = lab.drawing().await?;
        let y = top + height - 32.0;
        page.swipe((left + width * 0.7, y), (left + width * 0.4, y)).await?;
        let there = lab.now_us().await?;
        assert!(there > 1_000_000 && there < 9_000_000, "{there}");
        let before = page.run("return window.scrollY", vec![]).await?;
        let up = (left + width / 2.0, y);
        page.swipe(up, (up.0, up.1 - 200.0)).await?;
        let after = page.run("return window.scrollY", vec![]).await?;
        if before == after {
            let down = (up.0, up.1 + 200.0);
            page.swipe(up, down).await?;
        }
        wait_for("the page scrolled", async || {
            Ok(page.run("return window.scrollY", vec![]).await? != before)
        })
        .await?;
        assert_eq!(lab.now_us().await?, there, "and time stands where it was");
        Ok(())
    })
}
