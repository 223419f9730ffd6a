//! What is kept as the engine really keeps it: the region "Memory as implemented".
//!
//! Three drawings, one for each way of keeping: [`blocks`] (7.0 on), [`ring`] (up to 6.2),
//! [`lists`] (the proposal of 2011); below each of them what all three would take on this very run
//! ([`compared`]). All of it is HTML: nothing here moves between two states of the world. Absent on
//! purpose: judgements; counts and borders come from the snapshot as they are.

pub mod blocks;
pub mod compared;
pub mod lists;
pub mod ring;

use std::rc::Rc;

use yew::{Callback, Html};

use self::compared::compared;
use super::plan::{Plan, Shape};
use super::topology::Topology;
use crate::format::server_title;
use crate::markup::html;
use crate::setup::engine_title;
use crate::state::View;
use crate::world::{Engine, Keeping, ServerSnapshot, Shown, Snapshot};

/// What title and memory need.
#[derive(PartialEq)]
pub struct MemoryProps {
    /// The arrangement.
    pub plan: Rc<Plan>,
    /// The world.
    pub snapshot: Shown,
    /// Who follows whom.
    pub topology: Rc<Topology>,
    /// Whose way of keeping.
    pub engine: &'static Engine,
    /// Which drawing is shown.
    pub view: View,
    /// Somebody wants the other one.
    pub on_view: Callback<View>,
}

/// At most so many rows are drawn; the rest is counted.
const MOST_ROWS: usize = 6;

/// The line above the drawing: the button, and what the drawing is.
pub fn title(props: &MemoryProps) -> Html {
    let Some(place) = props.plan.title else { return Html::default() };
    let other = props.view.other();
    html! {
        <div class="stage-title" style={place.style()}>
            <button
                type="button" class="as-implemented" title="As implemented (i)"
                aria-pressed={(props.view == View::Memory).to_string()}
                onclick={props.on_view.reform(move |_| other)}
            >
                { "As implemented" }
            </button>
            <p class="stage-caption" title={caption(props)}>{ caption(props) }</p>
        </div>
    }
}

/// A dial is the truth only where the engine keeps a ring.
fn caption(props: &MemoryProps) -> String {
    match (props.view, props.engine.keeping) {
        (View::Memory, _) => {
            let master = props.topology.master(&props.snapshot);
            let name = master.map(|master| server_title(&master.name)).unwrap_or_default();
            format!("memory of {name}, {}", engine_title(props.engine))
        }
        (View::Dial, Keeping::Ring) => String::new(),
        (View::Dial, Keeping::Blocks(_)) => {
            "projection: the backlog is a list of blocks".to_owned()
        }
        (View::Dial, Keeping::Retained) => {
            "projection: a list each, the longest is drawn".to_owned()
        }
    }
}

/// The drawing itself.
pub fn memory(props: &MemoryProps) -> Html {
    let (Some(place), Some(master)) = (props.plan.memory, props.topology.master(&props.snapshot))
    else {
        return Html::default();
    };
    let drawing = match (&master.backlog, props.engine.keeping) {
        (None, _) => none(),
        (Some(backlog), Keeping::Blocks(_)) => blocks::blocks(&props.snapshot, master, backlog),
        (Some(backlog), Keeping::Ring) => ring::ring(&props.snapshot, master, backlog),
        (Some(backlog), Keeping::Retained) => lists::lists(&props.snapshot, master, backlog),
    };
    let small = props.plan.terse || props.plan.shape == Shape::Phone;
    html! {
        <section
            class={if small { "memory is-small" } else { "memory" }} style={place.style()}
            aria-label="Memory as implemented" tabindex="0"
        >
            { drawing }
            { for master.backlog.as_ref().map(|backlog| compared(backlog, props.engine.keeping)) }
        </section>
    }
}

fn none() -> Html {
    html! {
        <p class="memory-sum">
            <b>{ "No backlog" }</b>{ " Nothing is kept: nobody is there, or was for too long." }
        </p>
    }
}

/// Attached replicas of a server, as (number, server).
fn attached<'a>(
    snapshot: &'a Snapshot,
    master: &'a ServerSnapshot,
) -> impl Iterator<Item = (usize, &'a ServerSnapshot)> {
    snapshot.servers.iter().enumerate().filter(|(_, server)| {
        let link = server.link.as_ref().filter(|link| link.master == master.name);
        link.is_some_and(|link| link.output_bytes.is_some())
    })
}

/// Up to three numbers, or a count that cannot be taken for one.
fn numbers(servers: &[usize]) -> String {
    if servers.len() > 3 {
        return format!("\u{d7}{}", servers.len());
    }
    servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `of` as percent for a style; 0 of nothing.
fn percent(part: f64, of: f64) -> f64 {
    if of <= 0.0 { 0.0 } else { (part / of * 100.0).clamp(0.0, 100.0) }
}
