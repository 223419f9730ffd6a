//! The panel "Inspector": one server, its link and its process, and all that can be done to them.
//!
//! What is offered is what such a server has: a master has no link. What would change nothing can
//! be asked for all the same, and the world says why. Absent on purpose: facts; INFO has them.

use yew::{Callback, Html, classes};

use super::console::servers;
use super::hands::{Chosen, follows};
use super::ladder::{Ladder, ladder};
use crate::format::{bytes, duration, server_title};
use crate::keys;
use crate::markup::html;
use crate::part::part;
use crate::run::RunHandle;
use crate::session::Session;
use crate::stage::standing::words;
use crate::state::{Msg, Switch};
use crate::world::{Action, LinkSnapshot, Loss};

/// One way, in microseconds.
const LATENCIES_US: &[u64] = &[
    0, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000,
];
/// Bytes a second; the last one stands for no limit.
const BANDWIDTHS: &[u64] = &[
    1000,
    2000,
    5000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    1_000_000_000,
    NO_LIMIT,
];
const NO_LIMIT: u64 = u64::MAX;
/// Lost segments of a thousand.
const LOSSES: &[u64] = &[0, 1, 2, 5, 10, 20, 50, 100, 200, 500];

/// What the controls show; the rest of the world does not draw them anew.
#[derive(PartialEq)]
struct Controls {
    chosen: Chosen,
    frozen: bool,
    killed: bool,
    link: Option<Link>,
    on: Callback<Msg>,
}

#[derive(PartialEq)]
struct Link {
    cut: [bool; 2],
    latency_us: u64,
    bandwidth: u64,
    lost_of_1000: u64,
}

impl From<&LinkSnapshot> for Link {
    fn from(link: &LinkSnapshot) -> Link {
        let loss = link.loss.as_deref().and_then(|loss| {
            let (lost, of) = loss.split_once('/')?;
            Some(lost.parse::<u64>().ok()? * 1000 / of.parse::<u64>().ok()?.max(1))
        });
        Link {
            cut: [link.cut_to_replica, link.cut_to_master],
            latency_us: link.latency_us,
            bandwidth: link.bandwidth_bytes_per_second.unwrap_or(NO_LIMIT),
            lost_of_1000: loss.unwrap_or(0),
        }
    }
}

/// The server looked at.
pub fn inspector(run: &RunHandle, on: &Callback<Msg>) -> Html {
    let session = run.session();
    let snapshot = session.snapshot();
    let index = session.state().selection.filter(|n| *n < snapshot.servers.len()).unwrap_or(0);
    let Some(server) = snapshot.servers.get(index) else { return Html::default() };
    let now = match &server.link {
        _ if server.killed => "killed".to_owned(),
        Some(link) => words(server, link, false, snapshot.now_us, snapshot.write_bytes_per_second),
        None if server.frozen => "frozen".to_owned(),
        None => "a master".to_owned(),
    };
    html! {
        <div class="inspector">
            <div class="inspected">
                { servers(&session, index, on) }
                <span>{ now }</span>
            </div>
            { part(controls, Controls {
                chosen: chosen(&session, index),
                frozen: server.frozen,
                killed: server.killed,
                link: server.link.as_ref().map(Link::from),
                on: on.clone(),
            }) }
        </div>
    }
}

/// A server with those that it may follow.
pub fn chosen(session: &Session, index: usize) -> Chosen {
    let servers = &session.snapshot().servers;
    Chosen {
        index,
        names: servers.iter().map(|server| server.name.clone()).collect(),
        present: servers[index].link.as_ref().map(|link| link.master.clone()),
    }
}

fn controls(props: &Controls) -> Html {
    let Controls { chosen, frozen, killed, link, on } = props;
    let index = chosen.index;
    let name = keys::name(index);
    let title = server_title(&name);
    let deed = |label: &'static str, whole: String, key: &'static str, msg: Msg| {
        html! {
            <button
                type="button" aria-label={whole} title={key}
                onclick={on.reform(move |_| msg.clone())}
            >
                { label }
            </button>
        }
    };
    let toggle = |names: [&'static str; 2], stands: bool, key, switch| {
        let label = names[usize::from(stands)];
        deed(label, format!("{label} {title}"), key, Msg::Toggle(switch, index))
    };
    let restart = |keep_id| Msg::Act(Action::Restart { server: name.clone(), keep_id });
    html! {
        <>
            { for link.as_ref().map(|link| of_link(link, chosen, on)) }
            <h3>{ "Process" }</h3>
            <div class="deeds">
                { toggle(["Freeze", "Thaw"], *frozen, "z", Switch::Frozen) }
                { toggle(["Kill", "Start"], *killed, "k", Switch::Killed) }
                { deed("Restart", format!("Restart {title}"), "A new ID", restart(false)) }
                { deed(
                    "Restart with its saved ID",
                    format!("Restart with its saved ID: {title}"), "R", restart(true),
                ) }
            </div>
            <h3>{ "Replication" }</h3>
            <div class="deeds">
                { follows(chosen, on) }
                { deed("Promote", format!("Promote {title}"), "p", Msg::Promote(index)) }
                { deed(
                    "Disconnect", format!("Disconnect {title}"), "CLIENT KILL TYPE \u{2026}",
                    Msg::Disconnect(index),
                ) }
            </div>
        </>
    }
}

/// The link: what passes which way, and what it is like.
fn of_link(link: &Link, chosen: &Chosen, on: &Callback<Msg>) -> Html {
    let index = chosen.index;
    let title = server_title(&keys::name(index));
    let master = chosen.present.as_deref().map(server_title).unwrap_or_default();
    let both = link.cut[0] && link.cut[1];
    let way = |to: &str, whole: String, class: &'static str, cut: bool, switch: Switch| {
        let verb = if cut { "Heal" } else { "Cut" };
        let state = match (switch, cut) {
            (Switch::Link, _) => "",
            (_, false) => "open",
            (_, true) => "cut",
        };
        html! {
            <li class={classes!(class, cut.then_some("is-lost"))}>
                <span>{ to }</span>
                <i aria-hidden="true" />
                <b>{ state }</b>
                <button
                    type="button" aria-label={format!("{verb} {whole}")}
                    onclick={on.reform(move |_| Msg::Toggle(switch, index))}
                >
                    { verb }
                </button>
            </li>
        }
    };
    html! {
        <>
            <h3>{ format!("Link to {master}") }</h3>
            <ul class="both-ways">
                { way(
                    &format!("to {title}"), format!("the way to {title}"), "is-there", link.cut[0],
                    Switch::ToReplica,
                ) }
                { way(
                    &format!("to {master}"), format!("the way from {title}"), "is-back",
                    link.cut[1], Switch::ToMaster,
                ) }
                { way("both ways", format!("link to {title}"), "is-both", both, Switch::Link) }
            </ul>
            { conditions(link, index, on) }
        </>
    }
}

/// What the link is like.
fn conditions(link: &Link, index: usize, on: &Callback<Msg>) -> Html {
    let title = server_title(&keys::name(index));
    let set = |change: fn(&mut Action, u64)| {
        on.reform(move |value| {
            let mut action = Action::Link {
                replica: keys::name(index),
                latency_us: None,
                bandwidth_bytes_per_second: None,
                loss: None,
            };
            change(&mut action, value);
            Msg::Act(action)
        })
    };
    let slider = |label, steps, present, words, to| {
        ladder(Ladder { label, name: format!("{label}, {title}"), steps, present, words, to })
    };
    html! {
        <>
            { slider("Latency", LATENCIES_US, link.latency_us, duration, set(|action, us| {
                if let Action::Link { latency_us, .. } = action {
                    *latency_us = Some(us);
                }
            })) }
            { slider("Bandwidth", BANDWIDTHS, link.bandwidth, bandwidth, set(|action, rate| {
                if let Action::Link { bandwidth_bytes_per_second, .. } = action {
                    *bandwidth_bytes_per_second = Some(if rate == NO_LIMIT { 0 } else { rate });
                }
            })) }
            { slider("Loss", LOSSES, link.lost_of_1000, lost, set(|action, lost| {
                if let Action::Link { loss, .. } = action {
                    *loss = Some(Loss { lost: lost as u32, of: 1000 });
                }
            })) }
        </>
    }
}

fn bandwidth(rate: u64) -> String {
    if rate == NO_LIMIT { "no limit".to_owned() } else { format!("{}/s", bytes(rate)) }
}

fn lost(of_1000: u64) -> String {
    match of_1000 {
        0 => "none".to_owned(),
        n => format!("1 in {}", 1000 / n),
    }
}
