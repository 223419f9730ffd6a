//! The page against the same code run natively, and what it takes of a frame, measured in
//! Chromium on the release site.
//!
//! * Simulated events per second in WebAssembly, through the element's `advance()`. The page does
//!   not tell events, but a run is a function of its scenario: the same run is made here natively,
//!   which counts them and is the figure to compare with.
//! * Scripting time of each animation frame while the page plays: the frame's callbacks and the
//!   microtasks they leave, which is where the components are drawn. Chromium's own
//!   `ScriptDuration`, divided by the frames, stands beside it as a second opinion.
//!
//! * Seeking in a run of an hour, the way from navigation to the first drawn ring, from a decision to
//!   its card, and memory while the page plays at 1,000x (`PSYNC_MINUTES` of it, 1 if not said).
//!
//! The goals stand beside the figures. Needs `dist/` and the feature `browser-tests`; `cargo xtask bench` sees to both. Absent on
//! purpose: judgement of any figure; the payload, which `cargo xtask build` prints.

#![expect(dead_code, reason = "the harness has more words than are needed here")]

use std::time::Instant as Clock;

use psync::cluster::{Run, Scenario};
use psync::time::SECOND_US;
use serde_json::{Value, json};

#[path = "../tests/browser/browser.rs"]
mod browser;
#[path = "../tests/browser/driver.rs"]
mod driver;
#[path = "../tests/browser/lab.rs"]
mod lab;
#[path = "../tests/browser/page.rs"]
mod page;
#[path = "../tests/browser/site.rs"]
mod site;

use browser::{Outcome, on_page};
use page::Page;

/// Until all replicas are attached and the backlog is full.
const WARM_UP_US: u64 = 5 * SECOND_US;
/// Simulated time of one `advance()`: long enough for what is drawn after it not to count.
const STEP_US: u64 = 10 * SECOND_US;
const MEASURING_MS: u64 = 3000;
/// Frames: those to begin with are not counted.
const FIRST_FRAMES: usize = 30;
const FRAMES: usize = 300;

const RUN: &str = "const [scenario, warm_up, step, limit, done] = arguments;
    (async () => {
        const lab = document.querySelector('psync-lab');
        await lab.load(scenario);
        await lab.advance(warm_up);
        const began = performance.now();
        let steps = 0;
        while (performance.now() - began < limit) {
            await lab.advance(step);
            steps += 1;
        }
        return [steps, performance.now() - began];
    })().then(done, (error) => done(String(error)));";

/// Callbacks of one frame run one after the other, each with its microtasks: a second callback
/// asked for behind the first one sees the moment when both are done.
const WATCH: &str = "const spent = window.spent = new Map();
    const ask = requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) => {
        let began;
        const id = ask((ms) => { began = performance.now(); callback(ms); });
        ask((ms) => {
            if (began !== undefined) {
                spent.set(ms, (spent.get(ms) ?? 0) + performance.now() - began);
            }
        });
        return id;
    };";

const COLLECT: &str = "const [count, done] = arguments;
    spent.clear();
    const look = () => spent.size < count ? setTimeout(look, 100) : done([...spent.values()]);
    look();";

fn row(name: &str, figure: &str, against: &str) {
    println!("{name:<44} {figure:>20}   {against}");
}

fn scenario(replicas: usize) -> Value {
    json!({ "replicas": replicas, "workload": { "writes_per_second": 200 } })
}

/// The same steps natively: how many events, and the seconds they took.
fn natively(replicas: usize, steps: u64) -> Outcome<(f64, f64)> {
    let mut run = Run::new(Scenario::from_json(&scenario(replicas).to_string())?);
    run.advance_us(WARM_UP_US);
    let (before, began) = (run.world().events(), Clock::now());
    for _ in 0..steps {
        run.advance_us(STEP_US);
        std::hint::black_box(run.snapshot());
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(((run.world().events() - before) as f64, seconds))
}

async fn events(page: &Page, replicas: usize) -> Outcome {
    let arguments =
        vec![scenario(replicas), json!(WARM_UP_US), json!(STEP_US), json!(MEASURING_MS)];
    let answer = page.driver().execute_async(RUN, arguments).await?;
    let (steps, ms): (u64, f64) = serde_json::from_value(answer.json().clone())?;
    let (events, seconds) = natively(replicas, steps)?;
    let (ours, native) = (events / ms / 1e3, events / seconds / 1e6);
    row(
        &format!("in wasm, {replicas} replicas, 200 writes/s"),
        &format!("{ours:.2} M events/s"),
        &format!("{:.2} x the same natively ({native:.2} M events/s)", ours / native),
    );
    Ok(())
}

/// Seconds that Chromium says were spent in scripts since the page was loaded.
async fn script_seconds(page: &Page) -> Outcome<f64> {
    let metrics = page.driver().cdp().send_raw("Performance.getMetrics", json!({})).await?;
    let metrics = metrics["metrics"].as_array().ok_or("no metrics")?;
    let found = metrics.iter().find(|metric| metric["name"] == "ScriptDuration");
    Ok(found.and_then(|metric| metric["value"].as_f64()).ok_or("no ScriptDuration")?)
}

/// (name, writes a second, bytes of each value): about 1 KB/s, as above, and nearly the most that a
/// scenario may ask for, which is 33,554,432 bytes a second; 100 MB/s is refused.
const RATES: [(&str, u64, u64); 3] =
    [("1 KB/s", 8, 64), ("200 writes/s", 200, 64), ("33 MB/s", 512, 65_000)];

async fn frames(page: &Page, replicas: usize, rate: (&str, u64, u64)) -> Outcome {
    let lab = page.lab(0);
    let (name, writes, value_bytes) = rate;
    let workload = json!({ "writes_per_second": writes, "value_bytes": value_bytes });
    lab.call("load", vec![json!({ "replicas": replicas, "workload": workload })]).await?;
    lab.call("advance", vec![json!(WARM_UP_US)]).await?;
    lab.call("play", vec![]).await?;
    let (at_us, clock) = (now_us(page).await?, Clock::now());
    page.driver().execute_async(COLLECT, vec![json!(FIRST_FRAMES)]).await?;
    let before = script_seconds(page).await?;
    let answer = page.driver().execute_async(COLLECT, vec![json!(FRAMES)]).await?;
    let seconds = script_seconds(page).await? - before;
    let mut spent: Vec<f64> = serde_json::from_value(answer.json().clone())?;
    let mean = seconds * 1e3 / spent.len() as f64;
    spent.sort_by(f64::total_cmp);
    let median = spent.get(spent.len() / 2).ok_or("no frames")?;
    let p99 = spent.get(spent.len() * 99 / 100).ok_or("no frames")?;
    let pace = (now_us(page).await? - at_us) / clock.elapsed().as_secs_f64() / 1e6;
    row(
        &format!("scripting a frame, {replicas} replicas, {name}"),
        &format!("median {median:.1} ms"),
        &format!(
            "p99 {p99:.1} of 16.7 ms; mean {mean:.1} by Chromium's count; {pace:.2}x real time"
        ),
    );
    Ok(())
}

async fn now_us(page: &Page) -> Outcome<f64> {
    let snapshot = page.lab(0).call("snapshot", vec![]).await?;
    Ok(snapshot["now_us"].as_f64().ok_or("no moment")?)
}

/// A promise of a figure or several, as milliseconds or bytes.
async fn measured(page: &Page, promise: &str) -> Outcome<Vec<f64>> {
    let script = format!(
        "const done = arguments[0]; const lab = document.querySelector('psync-lab');
         const frame = () => new Promise(requestAnimationFrame);
         (async () => {{ {promise} }})().then(done, (error) => done(String(error)));"
    );
    let answer = page.driver().execute_async(script, vec![]).await?;
    serde_json::from_value(answer.json().clone()).map_err(|_| answer.json().to_string().into())
}

const HOUR: &str = "await lab.load({}); await lab.advance(3600e6);
    const spent = [];
    for (let n = 1; n <= 40; n += 1) {
        const began = performance.now();
        await lab.seek((n * 1_618_033_989) % 3_600_000_000);
        spent.push(performance.now() - began);
    }
    return spent.sort((a, b) => a - b);";

async fn seeking(page: &Page) -> Outcome {
    let spent = measured(page, HOUR).await?;
    let (median, most) = (spent[spent.len() / 2], spent[spent.len() - 1]);
    row(
        "seek in a run of one hour",
        &format!("median {median:.1} ms"),
        &format!("most {most:.1} of 100 ms"),
    );
    Ok(())
}

/// Looks each frame whether the ring's canvas has a pixel; time counts from the navigation.
const FIRST_RING: &str = "const look = () => {
        const canvas = document.querySelector('psync-lab')?.shadowRoot?.querySelector('.stage canvas');
        const drawn = canvas?.width && canvas.getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
        if (drawn) window.firstRing = performance.now(); else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);";

async fn first_ring(page: &Page) -> Outcome {
    page.set_size(1280, 900).await?;
    let source = json!({ "source": FIRST_RING });
    let cdp = page.driver().cdp();
    cdp.send_raw("Page.enable", json!({})).await?;
    cdp.send_raw("Page.addScriptToEvaluateOnNewDocument", source).await?;
    page.open_site().await?;
    page.wait_until("window.firstRing").await?;
    let ms = measured(page, "return [window.firstRing];").await?[0];
    row(
        "navigation to the first drawn ring",
        &format!("{ms:.0} ms"),
        "1,000 ms; from the loopback",
    );
    Ok(())
}

const CARD: &str = "await lab.load({ preset: 'too-long' }); await lab.seek(16_300_000);
    const said = () => lab.shadowRoot.querySelector('.decision')?.textContent;
    const before = said();
    const decided = new Promise((done) => lab.addEventListener('psync-decision', async () => {
        const began = performance.now();
        let frames = 0;
        while (said() === before && frames < 60) { await frame(); frames += 1; }
        done([frames, performance.now() - began]);
    }, { once: true }));
    await lab.play();
    return await decided;";

async fn decision(page: &Page) -> Outcome {
    let card = measured(page, CARD).await?;
    row(
        "a decision to its card",
        &format!("{} frames", card[0]),
        &format!("1 frame; {:.1} ms", card[1]),
    );
    Ok(())
}

async fn memory(page: &Page) -> Outcome {
    let minutes: u64 =
        std::env::var("PSYNC_MINUTES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let look = "const bindings = await import(new URL('wasm/psync-lab.js', document.baseURI));
        const { memory } = await bindings.default();
        const now = (await lab.snapshot()).now_us;
        return [memory.buffer.byteLength, performance.memory.usedJSHeapSize, now];";
    measured(page, "lab.setAttribute('speed', '1000'); await lab.play(); return [];").await?;
    for n in 0..=6 * minutes {
        if n % (2 * minutes) == 0 {
            let seen = measured(page, look).await?;
            row(
                &format!("memory after {} s at 1,000x", n * 10),
                &format!("{:.1} MB of wasm", seen[0] / 1e6),
                &format!("{:.1} MB of JS heap; {:.1} h simulated", seen[1] / 1e6, seen[2] / 3.6e9),
            );
        }
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    }
    Ok(())
}

fn main() -> Outcome {
    println!("\n{:<44} {:>20}   against", "release site in Chromium", "figure");
    // Each on a page of its own: what one run leaves behind must not weigh on the next.
    for replicas in [3, 20, 100] {
        on_page("bench-events", async |page| {
            open(page).await?;
            events(page, replicas).await
        })?;
    }
    on_page("bench-first-ring", async |page| first_ring(page).await)?;
    on_page("bench-seek", async |page| {
        open(page).await?;
        seeking(page).await?;
        decision(page).await
    })?;
    for (replicas, rate) in [3, 20, 100].into_iter().flat_map(|n| RATES.map(|rate| (n, rate))) {
        on_page("bench-frames", async |page| {
            open(page).await?;
            page.driver().cdp().send_raw("Performance.enable", json!({})).await?;
            page.run(WATCH, vec![]).await?;
            frames(page, replicas, rate).await
        })?;
    }
    on_page("bench-memory", async |page| {
        open(page).await?;
        memory(page).await
    })?;
    Ok(())
}

async fn open(page: &Page) -> Outcome {
    page.set_size(1280, 900).await?;
    page.open_site_at("?autoplay=false").await?;
    page.lab(0).wait_until("(lab) => lab.dataset.state === 'ready'").await
}
