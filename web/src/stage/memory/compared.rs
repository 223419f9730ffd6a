//! The three ways of keeping side by side: what each takes on this very run.

use yew::{Html, classes};

use super::percent;
use crate::format::{Rounded, bytes};
use crate::markup::html;
use crate::world::{BacklogSnapshot, Keeping, MemorySnapshot};

/// A way of keeping as people know it.
fn title(keeping: &str) -> &'static str {
    match keeping {
        "ring" => "ring, queues: to 6.2",
        "blocks" => "shared blocks: 7.0 on",
        _ => "a list each: 2011",
    }
}

/// Bars with numbers; the one that this engine really uses stands out.
pub fn compared(backlog: &BacklogSnapshot, present: Keeping) -> Html {
    let total = |memory: &MemorySnapshot| memory.backlog_bytes + memory.replicas_bytes;
    let most = backlog.memory.iter().map(total).max().unwrap_or(0) as f64;
    if backlog.memory.is_empty() {
        return Html::default();
    }
    let row = |memory: &MemorySnapshot| {
        let part = |bytes: u64| format!("width:{:.2}%", Rounded(percent(bytes as f64, most)));
        let is_present = memory.keeping == present.name();
        html! {
            <li key={memory.keeping} class={classes!(is_present.then_some("is-present"))}>
                <span class="who">
                    { title(memory.keeping) }
                    if is_present { <span class="unseen">{ ", this engine" }</span> }
                </span>
                <span class="bar">
                    <span class="is-backlog" style={part(memory.backlog_bytes)} />
                    <span class="is-queued" style={part(memory.replicas_bytes)} />
                </span>
                <span class="much">{ bytes(total(memory)) }</span>
            </li>
        }
    };
    html! {
        <div class="three-ways" data-place="memory">
            <h2 class="memory-head">{ "Memory on this run, kept in three ways" }</h2>
            <ul class="bars" aria-label="Memory of three ways of keeping">
                { for backlog.memory.iter().map(row) }
            </ul>
            <p class="memory-key">
                <span class="is-backlog">{ "for the absent" }</span>
                <span class="is-queued">{ "for slow replicas" }</span>
            </p>
        </div>
    }
}
