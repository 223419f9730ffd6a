//! The transport: play, step, decisions, time, speed; and the hands on the world: write, restart.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, HtmlSelectElement, InputEvent};
use yew::{Callback, Html, classes};

use crate::format::{seconds, server_title};
use crate::keys;
use crate::markup::html;
use crate::setup::{Field, Setup};
use crate::speed::{LIMIT, Speed, kept};
use crate::state::Msg;
use crate::world::Action;

/// What the transport needs.
pub struct TransportProps {
    /// Whether time runs.
    pub playing: bool,
    /// The moment looked at.
    pub now_us: u64,
    /// The latest moment reached.
    pub furthest_us: u64,
    /// How fast.
    pub speed: Speed,
    /// Whether time slows around a decision.
    pub auto_slow: bool,
    /// Whether it does so right now.
    pub slowed: bool,
    /// Simulated microseconds in a real second, while the page cannot keep up.
    pub behind: Option<u64>,
    /// The number of the decision shown, from 1, and how many there are in the run.
    pub place: (usize, usize),
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The row of controls over the timeline.
pub fn transport(props: &TransportProps) -> Html {
    let on = &props.on;
    let (shown, count) = props.place;
    let place = format!("{shown}/{count}");
    let (name, path) = match props.playing {
        true => ("Pause", "M4.5 3h2.5v10h-2.5zM9 3h2.5v10h-2.5z"),
        false => ("Play", "M5 2.8v10.4l8-5.2z"),
    };
    html! {
        <div class="transport">
            <button
                type="button" class="play" aria-label={name} title={format!("{name} (space)")}
                onclick={on.reform(|_| Msg::TogglePlay)}
            >
                <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                    <path d={path} fill="currentColor" />
                </svg>
            </button>
            <button type="button" title="Step (.)" onclick={on.reform(|_| Msg::Step)}>
                { "Step" }
            </button>
            <span class="turns">
                { turn("Previous decision", "\u{2039}", Msg::PreviousDecision, shown > 0, on) }
                <span aria-hidden="true">{ "decision " }<b>{ place }</b></span>
                { turn("Next decision", "\u{203a}", Msg::NextDecision, shown < count, on) }
            </span>
            { clock(props) }
            { speed(props) }
            <button
                type="button" class={classes!("pill", "auto-slow", props.slowed.then_some("is-slowed"))}
                aria-label="Auto-slow" aria-pressed={props.auto_slow.to_string()}
                title="Slow down to 1/10\u{d7} around a decision"
                onclick={let off = !props.auto_slow; on.reform(move |_| Msg::AutoSlow(off))}
            >
                { "auto-slow " }
                // Drawn by the stylesheet: the name says what it is, `aria-pressed` says how it stands.
                <b data-state={match (props.auto_slow, props.slowed) {
                    (false, _) => "off",
                    (true, false) => "on",
                    (true, true) => "1/10\u{d7}",
                }} />
            </button>
        </div>
    }
}

fn turn(name: &'static str, glyph: &str, msg: Msg, possible: bool, on: &Callback<Msg>) -> Html {
    html! {
        <button
            type="button" aria-label={name} title={name} disabled={!possible}
            onclick={on.reform(move |_| msg.clone())}
        >
            { glyph }
        </button>
    }
}

/// The moment in figures and the slider "Time". It counts in milliseconds: a slider's value is
/// text in the page, and a day in microseconds is no pleasure there.
fn clock(props: &TransportProps) -> Html {
    let on = props.on.clone();
    let oninput = move |event: InputEvent| {
        if let Some(ms) = input_value(&event).and_then(|text| text.parse::<u64>().ok()) {
            on.emit(Msg::Pause);
            on.emit(Msg::Seek(ms.saturating_mul(1000)));
        }
    };
    // Rounded down, so that the handle is never beyond the end.
    let (now_ms, furthest_ms) = (props.now_us / 1000, props.furthest_us / 1000);
    let share = match furthest_ms {
        0 => 0,
        all => now_ms * 1000 / all,
    };
    html! {
        <>
            if !props.playing { <span class="paused">{ "paused" }</span> }
            <span class="clock"><b>{ seconds(props.now_us) }</b>{ " s" }</span>
            <input
                type="range" class="scrub" aria-label="Time"
                aria-valuetext={format!("{} seconds", seconds(props.now_us))}
                min="0" max={furthest_ms.max(1).to_string()} step="1" value={now_ms.to_string()}
                style={format!("--share:{}.{}%", share / 10, share % 10)}
                {oninput}
            />
        </>
    }
}

fn speed(props: &TransportProps) -> Html {
    let on = props.on.clone();
    let oninput = move |event: InputEvent| {
        if let Some(step) = input_value(&event).and_then(|text| text.parse::<i32>().ok()) {
            on.emit(Msg::Speed(Speed::step(step)));
        }
    };
    let factor = props.speed.factor();
    html! {
        <label class="speed">
            <span class="word">{ "speed" }</span>
            <input
                type="range" aria-label="Speed" aria-valuetext={factor.clone()}
                min={(-LIMIT).to_string()} max={LIMIT.to_string()} step="1"
                value={props.speed.steps().to_string()}
                {oninput}
            />
            <output>{ factor }</output>
            if let Some(behind) = props.behind {
                <b class="behind" title="More happens than this page can keep up with">
                    { format!("keeps {}", kept(behind)) }
                </b>
            }
        </label>
    }
}

/// The server looked at, and whom it may follow.
#[derive(PartialEq)]
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
    /// The server looked at.
    pub chosen: Option<Chosen>,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The row of what can be done to the servers.
pub fn hands(props: &HandsProps) -> Html {
    let on = &props.on;
    let rate = {
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
            <label class="rate">
                <span class="unseen">{ "Steady rate, " }</span>
                <input
                    type="number" min="0" max="1000000" inputmode="numeric"
                    value={props.setup.writes_per_second.to_string()} onchange={rate}
                />
                { " writes/s" }
            </label>
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

/// What can be done to the server looked at; on its card there are buttons for two of the three.
fn of_chosen(chosen: &Chosen, on: &Callback<Msg>) -> Html {
    let Chosen { index, names, present } = chosen;
    let index = *index;
    let Some(name) = names.get(index) else { return Html::default() };
    let title = server_title(name);
    let follow = {
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
        <>
            if name != "master" {
                <button
                    type="button" class="restart-replica" onclick={act(on, keys::restart(name))}
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
            <label class="follow">
                <span>{ format!("{title} follows\u{2026}") }</span>
                <select onchange={follow}>
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
        </>
    }
}

fn act(on: &Callback<Msg>, action: Action) -> Callback<yew::MouseEvent> {
    let on = on.clone();
    Callback::from(move |_| {
        on.emit(Msg::Act(action.clone()));
    })
}

fn input_value(event: &InputEvent) -> Option<String> {
    Some(event.target()?.dyn_into::<HtmlInputElement>().ok()?.value())
}
