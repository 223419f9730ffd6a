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
//! Needs `dist/` and the feature `browser-tests`; `cargo xtask bench` sees to both. Absent on
//! purpose: judgement of any figure.

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

async fn frames(page: &Page, replicas: usize) -> Outcome {
    let lab = page.lab(0);
    lab.call("load", vec![scenario(replicas)]).await?;
    lab.call("advance", vec![json!(WARM_UP_US)]).await?;
    lab.call("play", vec![]).await?;
    page.driver().execute_async(COLLECT, vec![json!(FIRST_FRAMES)]).await?;
    let before = script_seconds(page).await?;
    let answer = page.driver().execute_async(COLLECT, vec![json!(FRAMES)]).await?;
    let seconds = script_seconds(page).await? - before;
    let mut spent: Vec<f64> = serde_json::from_value(answer.json().clone())?;
    let mean = seconds * 1e3 / spent.len() as f64;
    spent.sort_by(f64::total_cmp);
    let median = spent.get(spent.len() / 2).ok_or("no frames")?;
    let p99 = spent.get(spent.len() * 99 / 100).ok_or("no frames")?;
    row(
        &format!("scripting a frame, {replicas} replicas"),
        &format!("median {median:.1} ms"),
        &format!("p99 {p99:.1} ms of 16.7; mean {mean:.1} ms by Chromium's count"),
    );
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
    for replicas in [3, 20, 100] {
        on_page("bench-frames", async |page| {
            open(page).await?;
            page.driver().cdp().send_raw("Performance.enable", json!({})).await?;
            page.run(WATCH, vec![]).await?;
            frames(page, replicas).await
        })?;
    }
    Ok(())
}

async fn open(page: &Page) -> Outcome {
    page.set_size(1280, 900).await?;
    page.open_site_at("?autoplay=false").await?;
    page.lab(0).wait_until("(lab) => lab.dataset.state === 'ready'").await
}
