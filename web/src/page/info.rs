//! The panel "INFO": what a server answers to `INFO replication` and to `ROLE`. A line marks its
//! thing on the drawing while it is pointed at or has the focus. Below, a line for every server.

use wasm_bindgen::JsCast;
use web_sys::{Event, EventTarget, HtmlSelectElement};
use yew::{Callback, FocusEvent, Html, KeyboardEvent, MouseEvent};

use super::fields::{Asked, ROLE};
use super::transcript::{near, walk};
use crate::format::{server_title, thousands};
use crate::markup::html;
use crate::reply::print;
use crate::run::RunHandle;
use crate::stage::memory::compared::compared;
use crate::state::Msg;
use crate::world::ServerSnapshot;

/// What the server looked at says, and a line for every other.
pub fn info(run: &RunHandle, on: &Callback<Msg>) -> Html {
    let session = run.session();
    let snapshot = session.snapshot();
    let asked = Asked::of(snapshot, session.state().selection);
    let servers = &snapshot.servers;
    let onchange = on.reform(|event: Event| {
        let select = event.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
        Msg::Select(select.and_then(|select| select.value().parse().ok()))
    });
    let said = match session.run().world().says(asked.index) {
        Ok((text, role)) => html! {
            <>
                { list("INFO replication", info_lines(&asked, &text), on) }
                { list("ROLE", role_lines(&asked, &print(&role)), on) }
            </>
        },
        Err(why) => html! { <p class="hint">{ why.to_string() }</p> },
    };
    html! {
        <>
            <label class="asked">
                { "What " }
                <select aria-label="Server asked" {onchange}>
                    { for servers.iter().enumerate().map(|(n, server)| html! {
                        <option value={n.to_string()} selected={n == asked.index}>
                            { server_title(&server.name) }
                        </option>
                    }) }
                </select>
                { " answers" }
            </label>
            { said }
            <table class="servers">
                <caption class="unseen">{ "All servers" }</caption>
                <thead><tr>
                    <th scope="col">{ "server" }</th>
                    <th scope="col">{ "offset" }</th>
                    <th scope="col">{ "behind" }</th>
                    <th scope="col">{ "full / ok / err" }</th>
                </tr></thead>
                <tbody>
                    { for servers.iter().enumerate().map(|(n, server)| {
                        row(n, server, n == asked.index, on)
                    }) }
                </tbody>
            </table>
            { for asked.server().and_then(|server| server.backlog.as_ref()).map(|backlog| {
                compared(backlog, session.setup().engine().keeping)
            }) }
        </>
    }
}

/// The lines of an answer. One of them is a stop of the tab key, arrows move among them.
fn list(command: &'static str, lines: Vec<Html>, on: &Callback<Msg>) -> Html {
    let (over, out) = (point(on, true), point(on, false));
    let (enter, leave) = (over.clone(), out.clone());
    html! {
        <>
            <h2 class="command">{ command }</h2>
            <ul
                class="said" role="listbox" aria-label={command}
                onmouseover={over.reform(|event: MouseEvent| event.target())}
                onmouseout={out.reform(|event: MouseEvent| event.target())}
                onfocusin={enter.reform(|event: FocusEvent| event.target())}
                onfocusout={leave.reform(|event: FocusEvent| event.target())}
                onkeydown={Callback::from(|event: KeyboardEvent| walk(&event))}
            >
                { for lines }
            </ul>
        </>
    }
}

/// Marks what the line under this is about, or nothing.
fn point(on: &Callback<Msg>, there: bool) -> Callback<Option<EventTarget>> {
    let on = on.clone();
    Callback::from(move |target| {
        let line = near(target, "[data-about]").filter(|_| there);
        let about = line.and_then(|line| line.get_attribute("data-about")).unwrap_or_default();
        on.emit(Msg::Point(about.split_whitespace().map(str::to_owned).collect()));
    })
}

/// One line; `name` is the field of INFO that it stands for, `about` the line with its address.
fn field(asked: &Asked, name: &str, line: &str, about: &str) -> Html {
    let (meaning, about) = asked.tell(name, about);
    // The first line of an answer is the stop.
    let stop = if name.starts_with("role") { "0" } else { "-1" };
    html! {
        <li role="option" tabindex={stop} data-about={about}>
            // Long lines break behind a comma rather than within a word.
            <span class="line">
                { for line.split_inclusive(',').map(|part| html! { <>{ part }<wbr /></> }) }
            </span>
            <span class="meaning">{ meaning }</span>
        </li>
    }
}

fn info_lines(asked: &Asked, text: &str) -> Vec<Html> {
    let line = |line| field(asked, line, line, line);
    text.lines().skip(1).map(line).collect()
}

fn role_lines(asked: &Asked, text: &str) -> Vec<Html> {
    let kinds = ROLE[usize::from(asked.server().is_some_and(|server| server.link.is_some()))];
    let mut address = "";
    let mut lines = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if line.contains("10.0.0.") {
            address = line;
        }
        lines.push(field(asked, kinds[n.min(kinds.len() - 1)], line, address));
    }
    lines
}

fn row(n: usize, server: &ServerSnapshot, chosen: bool, on: &Callback<Msg>) -> Html {
    let counters = &server.counters;
    html! {
        <tr key={n} class={chosen.then_some("chosen")}>
            <th scope="row">
                <button
                    type="button" aria-pressed={chosen.to_string()}
                    onclick={on.reform(move |_| Msg::Select(Some(n)))}
                >
                    { server_title(&server.name) }
                </button>
            </th>
            <td>{ thousands(server.master_repl_offset) }</td>
            <td>
                { server.link.as_ref().map_or("\u{2013}".to_owned(), |link| {
                    thousands(link.behind_bytes)
                }) }
            </td>
            <td>
                { format!(
                    "{} / {} / {}",
                    counters.sync_full, counters.sync_partial_ok, counters.sync_partial_err
                ) }
            </td>
        </tr>
    }
}
