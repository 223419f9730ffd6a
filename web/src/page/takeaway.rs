//! What can be taken away from the transcript: plain text, an SVG and a Mermaid diagram.
//!
//! They tell of the stretch that the timeline shows while that is zoomed, otherwise of the rows that
//! are listed.

use std::rc::Rc;

use psync::cluster::export::{mermaid, svg};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html};

use super::leaving::{copy, save};
use super::transcript::rows::{Row, rows, text};
use crate::markup::html;
use crate::run::RunHandle;
use crate::state::Msg;
use crate::world::Instant;

/// One way of taking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line a row.
    Text,
    /// A picture.
    Svg,
    /// For Markdown pages.
    Mermaid,
}

/// (copied or saved, form, its name, on the button)
const WAYS: [(bool, Form, &str, &str); 4] = [
    (true, Form::Text, "Copy as text", "text"),
    (true, Form::Mermaid, "Copy as Mermaid", "Mermaid"),
    (false, Form::Svg, "Save as SVG", "SVG"),
    (false, Form::Mermaid, "Save as Mermaid", "Mermaid"),
];

/// What is said when it is done; the bar shows it until something else is said.
const DONE: [&str; 2] = ["Transcript saved.", "Transcript copied."];

/// The bar of buttons for these rows.
pub fn takeaway(run: &RunHandle, on: &Callback<Msg>, rows: Vec<Row>) -> Html {
    let rows = Rc::new(rows);
    let session = run.session();
    let said = &session.state().announcement;
    let button = |(copied, form, name, text): (bool, Form, &'static str, &'static str)| {
        let (run, on, rows) = (run.clone(), on.clone(), Rc::clone(&rows));
        let onclick = move |_| take(&on, copied, form, written(&run, form, &rows));
        let title = format!(
            "{name}: what the timeline shows while it is zoomed, otherwise the messages listed here"
        );
        html! { <button type="button" aria-label={name} {title} {onclick}>{ text }</button> }
    };
    html! {
        <div class="takeaway" role="group" aria-label="Take away">
            <span>{ "Copy" }</span>{ for WAYS[..2].iter().copied().map(button) }
            <span>{ "Save" }</span>{ for WAYS[2..].iter().copied().map(button) }
            if DONE.contains(&said.as_str()) { <b aria-hidden="true">{ "\u{2713}" }</b> }
        </div>
    }
}

fn take(on: &Callback<Msg>, copied: bool, form: Form, text: String) {
    let on = on.clone();
    spawn_local(async move {
        let done = match (copied, form) {
            (true, _) => copy(&text).await,
            (false, Form::Svg) => save("psync-lab.svg", "image/svg+xml", &text),
            (false, _) => save("psync-lab.mmd", "text/plain", &text),
        };
        on.emit(match done {
            Ok(()) => Msg::Announce(DONE[usize::from(copied)].to_owned()),
            Err(_) => Msg::Complain("The browser did not let the page do that.".to_owned()),
        });
    });
}

/// The text of a form: of the stretch to which the timeline is zoomed, or of these rows.
#[must_use]
pub fn written(run: &RunHandle, form: Form, listed: &[Row]) -> String {
    let session = run.session();
    let trace = session.run().trace();
    let servers = &session.snapshot().servers;
    let zoomed = run.zoomed();
    let (first, last) = match (listed.first(), listed.last()) {
        (Some(first), Some(last)) if zoomed.is_none() => (first.seq, last.end),
        _ => (0, u64::MAX),
    };
    let at = |seq| trace.entry(seq).map_or(0, |entry| entry.at.0);
    let (from, to) = zoomed.unwrap_or_else(|| (at(first), at(last)));
    let entries = trace.between(Instant(from), Instant(to));
    let entries = &mut entries.filter(|entry| (first..=last).contains(&entry.seq));
    let names: Vec<String> = servers.iter().map(|server| server.name.clone()).collect();
    match form {
        Form::Text if zoomed.is_none() => text(listed),
        Form::Text => text(&rows(entries, servers)),
        Form::Svg => svg(entries, &names),
        Form::Mermaid => mermaid(entries, &names),
    }
}
