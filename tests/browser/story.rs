//! What the stories of this folder have in common: a quiet world to begin with, and time that
//! goes on only when a story says so, by `advance()`. Nothing depends on the machine's speed.

use serde_json::{Value, json};

use crate::browser::Outcome;
use crate::lab::Lab;
use crate::page::{Page, wait_for};

/// The site, paused, with a backlog of 16 kB and nobody writing but the story.
const QUIET: &str = "?autoplay=false&writes-per-second=0&actions=%5B%5D";

/// One step of `advance()`, and how many of them any state may take to come about.
const STEP_US: u64 = 500_000;
const STEPS: usize = 240;

impl Page {
    /// Opens the release site in a desktop window, quiet, all replicas attached; it remembers
    /// the events of its elements from then on.
    pub async fn open_quiet(&self) -> Outcome<Lab<'_>> {
        self.open_quiet_with("").await
    }

    /// The same with more keys in the query, such as `&replicas=20`.
    pub async fn open_quiet_with(&self, more: &str) -> Outcome<Lab<'_>> {
        self.set_size(1280, 900).await?;
        self.open_site_at(&format!("{QUIET}{more}")).await?;
        let lab = self.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        self.listen().await?;
        lab.settle().await?;
        Ok(lab)
    }

    /// Remembers the events of the elements, as the window hears them: only what bubbles.
    pub async fn listen(&self) -> Outcome {
        let script = "window.heard = [];
             for (const name of ['psync-decision', 'psync-change', 'psync-error']) {
                 addEventListener(name, (event) => heard.push({
                     name, detail: event.detail, bubbles: event.bubbles, composed: event.composed,
                     from: event.target.id || event.target.localName,
                 }));
             }";
        self.run(script, vec![]).await.map(drop)
    }

    /// The remembered events of this name, oldest first.
    pub async fn heard(&self, name: &str) -> Outcome<Vec<Value>> {
        let script = "return heard.filter((event) => event.name === arguments[0])";
        Ok(serde_json::from_value(self.run(script, vec![json!(name)]).await?)?)
    }
}

impl Lab<'_> {
    pub async fn snapshot(&self) -> Outcome<Value> {
        self.call("snapshot", vec![]).await
    }

    pub async fn advance(&self, us: u64) -> Outcome {
        self.call("advance", vec![json!(us)]).await.map(drop)
    }

    pub async fn decisions(&self) -> Outcome<Vec<Value>> {
        Ok(serde_json::from_value(self.call("decisions", vec![]).await?)?)
    }

    pub async fn now_us(&self) -> Outcome<u64> {
        Ok(self.snapshot().await?["now_us"].as_u64().ok_or("now_us is no number")?)
    }

    /// `master_repl_offset` of a server by its number; the master is 0.
    pub async fn offset(&self, server: usize) -> Outcome<u64> {
        let offset = &self.snapshot().await?["servers"][server]["master_repl_offset"];
        Ok(offset.as_u64().ok_or("master_repl_offset is no number")?)
    }

    /// The state of a replica's link, by the replica's number.
    pub async fn link(&self, replica: usize) -> Outcome<String> {
        let state = &self.snapshot().await?["servers"][replica]["link"]["state"];
        Ok(state.as_str().ok_or("the link has no state")?.to_owned())
    }

    /// Lets simulated time go by until all replicas are attached and have everything.
    pub async fn settle(&self) -> Outcome {
        for _ in 0..STEPS {
            let snapshot = self.snapshot().await?;
            let servers = snapshot["servers"].as_array().ok_or("servers is no list")?;
            let in_sync = |server: &Value| {
                server["link"]["state"] == "up" && server["link"]["behind_bytes"] == 0
            };
            if servers.iter().skip(1).all(in_sync) {
                return Ok(());
            }
            self.advance(STEP_US).await?;
        }
        Err(format!("never in sync: {}", self.snapshot().await?).into())
    }

    /// Lets simulated time go by until there are so many decisions; the new ones.
    pub async fn decided(&self, before: usize, new: usize) -> Outcome<Vec<Value>> {
        for _ in 0..STEPS {
            let decisions = self.decisions().await?;
            if decisions.len() >= before + new {
                return Ok(decisions[before..].to_vec());
            }
            self.advance(STEP_US).await?;
        }
        Err(format!("not {new} decisions after the first {before}").into())
    }

    /// Waits until the card shows this verdict and this reason.
    pub async fn shows(&self, verdict: &str, reason: Option<&str>) -> Outcome {
        let reason = reason.map_or("undefined".to_owned(), |reason| format!("'{reason}'"));
        self.wait_until(&format!(
            "(lab) => {{
                 const card = lab.shadowRoot.querySelector('[aria-label=Decision]');
                 return card.dataset.verdict === '{verdict}' && card.dataset.reason === {reason};
             }}"
        ))
        .await
    }

    /// Waits until an expression of the element's shadow `root` is true.
    pub async fn root_has(&self, expression: &str) -> Outcome {
        self.wait_until(&format!("(lab) => ((root) => {expression})(lab.shadowRoot)")).await
    }

    /// Lets the browser paint ten frames; whether simulated time stood still meanwhile.
    pub async fn stands(&self, page: &Page) -> Outcome<bool> {
        let before = self.now_us().await?;
        let script = "let left = 10;
             const next = () => left-- > 0 ? requestAnimationFrame(next) : arguments[0]();
             next();";
        page.driver().execute_async(script, vec![]).await?;
        Ok(self.now_us().await? == before)
    }

    /// Waits until simulated time stands still.
    pub async fn wait_until_it_stands(&self, page: &Page) -> Outcome {
        wait_for("simulated time stands", async || self.stands(page).await).await
    }

    /// Waits until simulated time has gone beyond `us`.
    pub async fn wait_until_after(&self, us: u64) -> Outcome {
        wait_for(&format!("now_us > {us}"), async || Ok(self.now_us().await? > us)).await
    }
}

/// What `decisions()` says, about each: who asked, verdict, reason.
pub fn verdicts(decisions: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |d: &Value| {
        format!("{} {} {}", text(&d["replica"]), text(&d["verdict"]), text(&d["reason"]))
    };
    decisions.iter().map(line).collect()
}
