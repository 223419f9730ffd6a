//! The panel "INFO": the facts of each server, by the names that INFO gives them.

use yew::{Callback, Html};

use crate::format::{server_title, short_id, thousands, thousands_signed};
use crate::markup::html;
use crate::run::RunHandle;
use crate::stage::memory::compared::compared;
use crate::state::Msg;
use crate::world::{LinkState, Role, ServerSnapshot};

/// The facts of the server looked at, and a line for every other.
pub fn info(run: &RunHandle, on: &Callback<Msg>) -> Html {
    let session = run.session();
    let servers = &session.snapshot().servers;
    let chosen = session.state().selection.filter(|n| *n < servers.len()).unwrap_or(0);
    html! {
        <>
            { for servers.get(chosen).map(facts) }
            { for servers.get(chosen).and_then(|server| server.backlog.as_ref()).map(|backlog| {
                compared(backlog, session.setup().engine().keeping)
            }) }
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
                        line(n, server, n == chosen, on)
                    }) }
                </tbody>
            </table>
        </>
    }
}

fn line(n: usize, server: &ServerSnapshot, chosen: bool, on: &Callback<Msg>) -> Html {
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

fn facts(server: &ServerSnapshot) -> Html {
    html! {
        <dl class="facts" aria-label={format!("Facts of {}", server_title(&server.name))}>
            { for rows(server).into_iter().map(|(name, value, whole)| html! {
                <div><dt>{ name }</dt><dd title={whole}>{ value }</dd></div>
            }) }
        </dl>
    }
}

type Fact = (&'static str, String, Option<String>);

/// Name, value as shown, and the whole value where that is shortened.
#[must_use]
pub fn rows(server: &ServerSnapshot) -> Vec<Fact> {
    let id = |name, id: &String| (name, short_id(id), Some(id.clone()));
    let plain = |name, value: String| (name, value, None);
    let role = match server.role {
        Role::Master => "master",
        Role::Replica => "slave",
    };
    let mut rows = vec![plain("role", role.to_owned()), id("run_id", &server.run_id)];
    if let Some(link) = &server.link {
        rows.push(plain("master_link_status", status(link.state).to_owned()));
        rows.push(plain("bytes behind", thousands(link.behind_bytes)));
    }
    rows.push(plain("connected_slaves", server.connected_replicas.to_string()));
    rows.push(id("master_replid", &server.replid));
    rows.push(id("master_replid2", &server.replid2));
    rows.push(plain("master_repl_offset", thousands(server.master_repl_offset)));
    rows.push(plain("second_repl_offset", thousands_signed(server.second_replid_offset)));
    match &server.backlog {
        None => rows.push(plain("repl_backlog_active", "0".to_owned())),
        Some(backlog) => {
            rows.push(plain("repl_backlog_size", thousands(backlog.size)));
            let first = thousands_signed(backlog.first_byte_offset);
            rows.push(plain("repl_backlog_first_byte_offset", first));
            rows.push(plain("repl_backlog_histlen", thousands(backlog.histlen)));
        }
    }
    rows.push(plain("sync_full", server.counters.sync_full.to_string()));
    rows.push(plain("sync_partial_ok", server.counters.sync_partial_ok.to_string()));
    rows.push(plain("sync_partial_err", server.counters.sync_partial_err.to_string()));
    rows.push(plain("keys", thousands(server.keys)));
    rows.push(id("dataset digest", &server.dataset_digest));
    rows
}

/// INFO knows only two words for a link.
fn status(state: LinkState) -> &'static str {
    match state {
        LinkState::Up => "up",
        _ => "down",
    }
}
