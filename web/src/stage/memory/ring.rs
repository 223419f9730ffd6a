//! The circular buffer in memory, from its first byte to its last: where the next byte goes, and
//! beside it the private queue of every replica (up to 6.2).

use yew::Html;

use super::{MOST_ROWS, attached, percent};
use crate::format::{Rounded, bytes, thousands, thousands_signed};
use crate::markup::html;
use crate::world::{BacklogSnapshot, ServerSnapshot, Snapshot};

/// The drawing.
pub fn ring(snapshot: &Snapshot, master: &ServerSnapshot, backlog: &BacklogSnapshot) -> Html {
    let index = backlog.index.unwrap_or(0);
    let full = backlog.histlen >= backlog.size;
    let at = percent(index as f64, backlog.size as f64);
    let next = backlog.first_byte_offset.saturating_add_unsigned(backlog.histlen);
    let label = if at > 50.0 {
        format!("right:{:.2}%", Rounded(100.0 - at))
    } else {
        format!("left:{:.2}%", Rounded(at))
    };
    // What stands before the index is newer than all behind it.
    let newer = if full || index > 0 { at } else { 0.0 };
    html! {
        <>
            <p class="memory-sum">
                <b>{ "One circular buffer" }</b>
                <span>{ format!("{} B in one piece", thousands(backlog.size)) }</span>
                <span>{ format!("{} B kept", thousands(backlog.histlen)) }</span>
            </p>
            <div class="ring-row">
                <span class="newer" style={format!("width:{:.2}%", Rounded(newer))} />
                if full { <span class="older" style={format!("left:{:.2}%;right:0", Rounded(at))} /> }
                <span class="index" style={format!("left:{:.2}%", Rounded(at))} />
            </div>
            <div class="blocks-axis" aria-hidden="true">
                if !(0.0..14.0).contains(&at) { <span style="left:0">{ "0" }</span> }
                <span style={label}>{ format!("index {}", thousands(index)) }</span>
                if at < 80.0 { <span class="end">{ thousands(backlog.size) }</span> }
            </div>
            <p class="memory-next">
                { format!("Byte {} goes to index {}", thousands_signed(next), thousands(index)) }
                if full {
                    { format!(", over byte {}, the oldest.", thousands_signed(backlog.first_byte_offset)) }
                } else {
                    { ", which is still empty." }
                }
            </p>
            { queues(snapshot, master) }
        </>
    }
}

/// What each attached replica was not sent yet: a copy of its own.
fn queues(snapshot: &Snapshot, master: &ServerSnapshot) -> Html {
    let queued = |server: &ServerSnapshot| {
        server.link.as_ref().and_then(|link| link.output_bytes).unwrap_or(0)
    };
    let mut all: Vec<(usize, u64, Option<u64>)> = attached(snapshot, master)
        .map(|(number, server)| {
            let limit = server.link.as_ref().and_then(|link| link.output_limit_bytes);
            (number, queued(server), limit)
        })
        .collect();
    let longest = all.iter().map(|(_, queued, _)| *queued).max().unwrap_or(0);
    let more = all.len().saturating_sub(MOST_ROWS);
    all.truncate(MOST_ROWS);
    html! {
        <>
            <h2 class="memory-head">{ "Private queues: what waits for each replica, copied" }</h2>
            <ul class="bars">
                { for all.into_iter().map(|(number, queued, limit)| html! {
                    <li key={number}>
                        <span class="who">{ name(number) }</span>
                        <span class="bar">
                            <span style={format!("width:{:.2}%", Rounded(percent(queued as f64, longest as f64)))} />
                        </span>
                        <span class="much">
                            { bytes(queued) }
                            { for limit.filter(|_| queued > 0).map(|n| format!(" of {}", bytes(n))) }
                        </span>
                    </li>
                }) }
                if more > 0 { <li class="rest">{ format!("\u{2026} {more} more") }</li> }
            </ul>
        </>
    }
}

/// Servers are called by their places; the first one is the master's.
pub(super) fn name(number: usize) -> String {
    if number == 0 { "master".to_owned() } else { format!("replica {number}") }
}
