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

use std::time::{Duration, Instant as Clock};

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

use browser::{Outcome, on_page, on_page_for};
use page::Page;

/// Until all replicas are attached and the backlog is full.
const WARM_UP_US: u64 = 5 * SECOND_US;
/// Until all replicas have had their snapshots, which are not put off.
const ATTACHED_US: u64 = SECOND_US;
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

/// (name, writes a second, bytes of each value, bytes a second that a link takes): from next to
/// nothing to 100 MB/s, over links that take it and over some that never keep up, so that there is
/// one full resync after the other.
const RATES: [(&str, u64, u64, u64); 4] = [
    ("1 KB/s", 8, 64, 10_000_000),
    ("200 writes/s", 200, 64, 10_000_000),
    ("33 MB/s, slow links", 512, 65_000, 10_000_000),
    ("100 MB/s", 1540, 65_000, 0),
];

async fn frames(page: &Page, replicas: usize, rate: (&str, u64, u64, u64)) -> Outcome {
    let lab = page.lab(0);
    let (name, writes, value_bytes, bandwidth) = rate;
    let workload = json!({ "writes_per_second": writes, "value_bytes": value_bytes, "keys": 20 });
    let network = json!({ "bandwidth_bytes_per_second": bandwidth });
    let scenario = json!({
        "replicas": replicas,
        "workload": workload,
        "network": network,
        "config": { "repl-diskless-sync-delay": "0" },
    });
    lab.call("load", vec![scenario]).await?;
    lab.call("advance", vec![json!(ATTACHED_US)]).await?;
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
        &format!("p99 {p99:.1} of 16.7 ms; mean {mean:.1} by Chromium's count; {pace:.2} of 1x"),
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

/// (name, scenario, length of the run in seconds).
const SEEKS: [(&str, &str, u64); 4] = [
    ("an hour, 20 writes/s", "{}", 3600),
    ("an hour, worst day", r#"{ "preset": "worst-day" }"#, 3600),
    ("an hour, 200 writes/s", r#"{ "workload": { "writes_per_second": 200 } }"#, 3600),
    (
        "a minute, 100 MB/s",
        r#"{ "network": { "bandwidth_bytes_per_second": 0 },
            "workload": { "writes_per_second": 1540, "value_bytes": 65000, "keys": 20 } }"#,
        60,
    ),
];

async fn seeking(page: &Page, name: &str, scenario: &str, seconds: u64) -> Outcome {
    let spent = measured(
        page,
        &format!(
            "await lab.load({scenario});
             for (let n = 0; n < 60; n += 1) await lab.advance({seconds}e6 / 60);
             const spent = [];
             for (let n = 1; n <= 40; n += 1) {{
                 const began = performance.now();
                 await lab.seek((n * 1_618_033_989) % ({seconds}e6));
                 spent.push(performance.now() - began);
             }}
             return spent.sort((a, b) => a - b);"
        ),
    )
    .await?;
    let (median, most) = (spent[spent.len() / 2], spent[spent.len() - 1]);
    row(
        &format!("seek in {name}"),
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

/// How many frames until the card shows a decision, measured as its story does.
const CARD: &str = include_str!("../tests/browser/card.js");
const CARDS: usize = 40;

async fn decision(page: &Page) -> Outcome {
    let answer = page.driver().execute_async(CARD, vec![json!(CARDS)]).await?;
    let runs: Vec<[f64; 3]> =
        serde_json::from_value(answer.json().clone()).map_err(|_| answer.json().to_string())?;
    let sorted = |figure: usize| {
        let mut all: Vec<f64> = runs.iter().map(|run| run[figure]).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (frames, said, painted) = (sorted(0), sorted(1), sorted(2));
    let (middle, last) = (CARDS / 2, CARDS - 1);
    row(
        "a decision to its card",
        &format!("median {}, most {} frames", frames[middle], frames[last]),
        &format!(
            "1 frame, its own; said after {:.1} (most {:.1}), drawn after {:.1} ms (most {:.1})",
            said[middle], said[last], painted[middle], painted[last]
        ),
    );
    Ok(())
}

/// How long the memory is watched.
fn minutes() -> u64 {
    std::env::var("PSYNC_MINUTES").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

async fn memory(page: &Page) -> Outcome {
    let minutes = minutes();
    let look = "const bindings = await import(new URL('wasm/psync-lab.js', document.baseURI));
        // The release site calls its exports by shorter names.
        const exports = Object.values(await bindings.default());
        const memory = exports.find((one) => one instanceof WebAssembly.Memory);
        const now = (await lab.snapshot()).now_us;
        return [memory.buffer.byteLength, performance.memory.usedJSHeapSize, now];";
    measured(page, "lab.setAttribute('speed', '1000'); await lab.play(); return [];").await?;
    for n in 0..=6 * minutes {
        if n % (2 * minutes).min(12) == 0 {
            let seen = measured(page, look).await?;
            row(
                &format!("memory after {} s at 1,000x", n * 10),
                &format!("{:.1} MB of wasm", seen[0] / 1e6),
                &format!("{:.1} MB of JS heap; {:.1} h simulated", seen[1] / 1e6, seen[2] / 3.6e9),
            );
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    Ok(())
}

fn main() -> Outcome {
    // Words on the command line choose among: events first-ring seek card frames memory.
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    println!("\n{:<44} {:>20}   against", "release site in Chromium", "figure");
    // Each on a page of its own: what one run leaves behind must not weigh on the next.
    for replicas in [3, 20, 100].into_iter().filter(|_| asked("events")) {
        on_page("bench-events", async |page| {
            open(page).await?;
            events(page, replicas).await
        })?;
    }
    if asked("first-ring") {
        on_page("bench-first-ring", async |page| first_ring(page).await)?;
    }
    if asked("seek") {
        for (name, scenario, seconds) in SEEKS {
            on_page("bench-seek", async |page| {
                open(page).await?;
                seeking(page, name, scenario, seconds).await
            })?;
        }
    }
    if asked("card") {
        on_page("bench-card", async |page| {
            open(page).await?;
            decision(page).await
        })?;
    }
    let all = [3, 20, 100].into_iter().flat_map(|n| RATES.map(|rate| (n, rate)));
    for (replicas, rate) in all.filter(|_| asked("frames")) {
        on_page("bench-frames", async |page| {
            open(page).await?;
            page.driver().cdp().send_raw("Performance.enable", json!({})).await?;
            page.run(WATCH, vec![]).await?;
            frames(page, replicas, rate).await
        })?;
    }
    if asked("memory") {
        let limit = Duration::from_secs(60 * minutes() + 120);
        on_page_for(limit, "bench-memory", async |page| {
            open(page).await?;
            memory(page).await
        })?;
    }
    Ok(())
}

async fn open(page: &Page) -> Outcome {
    page.set_size(1280, 900).await?;
    page.open_site_at("?autoplay=false").await?;
    page.lab(0).wait_until("(lab) => lab.dataset.state === 'ready'").await
}
