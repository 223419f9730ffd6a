//! The hands on the world: write, at once or at a rate; restart; and what the chosen server may do.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Html};

use super::ladder::{Ladder, ladder};
use crate::format::{server_title, thousands};
use crate::keys;
use crate::markup::html;
use crate::setup::{Change, Field, Setup};
use crate::sketch::Sketch;
use crate::state::Msg;
use crate::world::Action;

/// The server looked at, and whom it may follow.
#[derive(Clone, PartialEq)]
pub struct Chosen {
    /// Index in the snapshot's servers.
    pub index: usize,
    /// Of all servers.
    pub names: Vec<String>,
    /// Whom it follows; none as a master.
    pub present: Option<String>,
}

/// What the hands need.
#[derive(PartialEq)]
pub struct HandsProps {
    /// For the steady rate.
    pub setup: Setup,
    /// Whether a rate is being drawn.
    pub draws: bool,
    /// The server looked at.
    pub chosen: Option<Chosen>,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// Writes a second.
const RATES: &[u64] = &[
    0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
    200_000, 500_000, 1_000_000,
];

/// The row of what can be done to the servers.
pub fn hands(props: &HandsProps) -> Html {
    let on = &props.on;
    html! {
        <div class="hands">
            <button type="button" title="Write one key (w)" onclick={act(on, keys::write())}>
                { "Write" }
            </button>
            <button
                type="button" title={format!("{} writes at once (b)", keys::BURST_WRITES)}
                onclick={act(on, keys::burst(keys::BURST_WRITES, keys::BURST_BYTES))}
            >
                { "Write burst" }
            </button>
            { rate(props) }
            <span class="gap" />
            <button
                type="button" class="fork" title="Begin another future at this moment"
                onclick={on.reform(|_| Msg::Fork)}
            >
                { "Fork here" }
            </button>
            <button type="button" title="New run ID (r)" onclick={act(on, keys::restart("master"))}>
                { "Restart master" }
            </button>
            { for props.chosen.as_ref().map(|chosen| of_chosen(chosen, on)) }
        </div>
    }
}

/// The steady rate as a slider and as a number, and the way to draw one.
fn rate(props: &HandsProps) -> Html {
    let (on, setup) = (&props.on, &props.setup);
    let onchange = {
        let on = on.clone();
        move |event: Event| {
            let target = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let Some(input) = target else { return };
            match Field::Writes.read(&input.value()) {
                Ok(change) => on.emit(Msg::Change(change)),
                Err(why) => on.emit(Msg::Complain(format!("Writes per second: {why}"))),
            }
        }
    };
    let (draws, drawn) = (props.draws, setup.curve.is_some());
    html! {
        <span class="rate">
            { ladder(Ladder {
                label: "",
                name: "Write rate".to_owned(),
                steps: RATES,
                present: setup.writes_per_second,
                words: |rate| format!("{} writes/s", thousands(rate)),
                to: on.reform(|rate| {
                    Msg::Change(Change::Grouped("workload", "writes_per_second", rate))
                }),
            }) }
            <label>
                <span class="unseen">{ "Steady rate, " }</span>
                <input
                    type="number" min="0" max="1000000" inputmode="numeric"
                    value={setup.writes_per_second.to_string()} {onchange}
                />
                { " writes/s" }
            </label>
            <button
                type="button" class="draws" aria-label="Draw the write rate"
                title="A rate that changes in time" aria-expanded={draws.to_string()}
                onclick={on.reform(move |_| Msg::Sketch((!draws).then(Sketch::default)))}
            >
                <svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true">
                    <path d="M2 13C8 13 8 3 12 3s5 8 10 3" />
                </svg>
            </button>
            if drawn { <span>{ "as drawn" }</span> }
        </span>
    }
}

/// What can be done to the server looked at, where its card has no room for buttons.
fn of_chosen(chosen: &Chosen, on: &Callback<Msg>) -> Html {
    let Chosen { index, present, .. } = chosen;
    let index = *index;
    let name = keys::name(index);
    let title = server_title(&name);
    html! {
        <>
            if name != "master" {
                <button
                    type="button" class="restart-replica" onclick={act(on, keys::restart(&name))}
                >
                    { format!("Restart {title}") }
                </button>
            }
            if present.is_some() {
                <button
                    type="button" class="restart-replica"
                    onclick={on.reform(move |_| Msg::Promote(index))}
                >
                    { format!("Promote {title}") }
                </button>
            }
            { follows(chosen, on) }
        </>
    }
}

/// Whom a server follows.
pub fn follows(chosen: &Chosen, on: &Callback<Msg>) -> Html {
    let Chosen { index, names, present } = chosen;
    let index = *index;
    let onchange = {
        let on = on.clone();
        move |event: Event| {
            let target = event.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            match target.map(|select| select.value().parse::<usize>()) {
                Some(Ok(master)) => on.emit(Msg::Follow(index, master)),
                Some(Err(_)) => on.emit(Msg::Promote(index)),
                None => {}
            }
        }
    };
    let others = names.iter().enumerate().filter(|(n, _)| *n != index);
    html! {
        <label class="follow">
            <span>{ format!("{} follows\u{2026}", server_title(&keys::name(index))) }</span>
            <select {onchange}>
                <option value="" selected={present.is_none()}>{ "nobody" }</option>
                { for others.map(|(n, other)| html! {
                    <option
                        key={n} value={n.to_string()}
                        selected={present.as_deref() == Some(&**other)}
                    >
                        { server_title(other) }
                    </option>
                }) }
            </select>
        </label>
    }
}

fn act(on: &Callback<Msg>, action: Action) -> Callback<yew::MouseEvent> {
    on.reform(move |_| Msg::Act(action.clone()))
}
