//! The transcript: what travelled around the moment looked at, as it stands on the wire, and what
//! it means. A row is a button that leads to its moment; it can be taken away as text and pictures.
//!
//! Only some rows on either side of the cursor are in the document; the trace keeps the rest, and
//! the first and the last line lead there.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::{Callback, Html, KeyboardEvent, MouseEvent, classes};

use self::following::Following;
use self::rows::{Row, listed, short_ids};
use super::takeaway::takeaway;
use crate::format::seconds;
use crate::markup::html;
use crate::run::RunHandle;
use crate::state::Msg;

pub mod following;
pub mod rows;

/// The list of rows, and what can be done with them.
pub fn transcript(run: &RunHandle, on: &Callback<Msg>, following: &Following) -> Html {
    let session = run.session();
    let snapshot = session.snapshot();
    let trace = session.run().trace();
    let listed = listed(trace, snapshot.now_us, following.held(), &snapshot.servers);
    if listed.rows.is_empty() {
        return html! { <p class="hint">{ "Nothing has travelled yet." }</p> };
    }
    let onclick = {
        let on = on.clone();
        Callback::from(move |event: MouseEvent| {
            let row = near(event.target(), "button").and_then(|row| row.get_attribute("value"));
            if let Some(at_us) = row.and_then(|at| at.parse().ok()) {
                // Who wants to see a moment does not want it to pass by.
                on.emit(Msg::Pause);
                on.emit(Msg::Seek(at_us));
            }
        })
    };
    let still = !session.state().playing;
    let current = listed.current;
    // One tab stop: the row at the cursor, or the first where that is not listed.
    let stop = current.unwrap_or(0);
    let more = |there: bool, key: &'static str, row: Option<&Row>, text| {
        row.filter(|_| there).map(|row| html! {
            <li {key} class="more">
                <button type="button" tabindex="-1" value={row.at_us.to_string()}>{ text }</button>
            </li>
        })
    };
    let rows = html! {
            <ol
                class="transcript" ref={following.list.clone()} {onclick}
                onkeydown={Callback::from(|event: KeyboardEvent| walk(&event))}
            >
                { for more(listed.earlier, "earlier", listed.rows.first(), "Earlier\u{2026}") }
                { for listed.rows.iter().enumerate().map(|(n, row)| {
                    let here = current == Some(n);
                    line(row, here, here && still, n == stop, current.is_some_and(|now| n > now))
                }) }
                { for more(listed.later, "later", listed.rows.last(), "Later\u{2026}") }
            </ol>
    };
    html! { <>{ takeaway(run, on, listed.rows) }{ rows }</> }
}

fn line(row: &Row, here: bool, open: bool, stop: bool, ahead: bool) -> Html {
    html! {
        <li key={row.seq} class={classes!(row.class, ahead.then_some("ahead"))}>
            <button
                type="button" value={row.at_us.to_string()} data-seq={row.seq.to_string()}
                aria-current={here.then_some("true")} tabindex={if stop { "0" } else { "-1" }}
            >
                <span class="time">{ seconds(row.at_us) }</span>
                <span class="who">{ &row.who }</span>
                <span class="raw" title={row.whole.clone()}>
                    { if open { row.whole.clone() } else { short_ids(&row.raw) } }
                </span>
                <span class="meaning">{ &row.meaning }</span>
            </button>
        </li>
    }
}

/// Up, down, Home and End move among the rows of a list, or the buttons in them.
pub fn walk(event: &KeyboardEvent) {
    let Some(item) = near(event.target(), "li") else { return };
    let list = item.parent_element();
    let there = match event.key().as_str() {
        "ArrowUp" => item.previous_element_sibling(),
        "ArrowDown" => item.next_element_sibling(),
        "Home" => list.and_then(|list| list.first_element_child()),
        "End" => list.and_then(|list| list.last_element_child()),
        _ => return,
    };
    let Some(there) = there else { return };
    event.prevent_default();
    let there = if item.has_attribute("tabindex") {
        // Nobody else says which of these is the stop.
        let _ = (item.set_attribute("tabindex", "-1"), there.set_attribute("tabindex", "0"));
        Some(there)
    } else {
        there.first_element_child()
    };
    if let Some(there) = there.and_then(|row| row.dyn_into::<HtmlElement>().ok()) {
        // It fails only where there is no focus to be had.
        let _ = there.focus();
    }
}

/// The closest element around the target of an event.
pub fn near(target: Option<web_sys::EventTarget>, selector: &str) -> Option<Element> {
    target?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}
