//! The transport: play, step, decisions, time, speed.

use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, InputEvent};
use yew::{Callback, Html, classes};

use crate::format::seconds;
use crate::markup::html;
use crate::speed::{LIMIT, Speed, kept};
use crate::state::Msg;

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
                title="Slow down to 1/4\u{d7} around a decision"
                onclick={let off = !props.auto_slow; on.reform(move |_| Msg::AutoSlow(off))}
            >
                { "auto-slow " }
                // Drawn by the stylesheet: the name says what it is, `aria-pressed` says how it stands.
                <b data-state={match (props.auto_slow, props.slowed) {
                    (false, _) => "off",
                    (true, false) => "on",
                    (true, true) => "1/4\u{d7}",
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

fn input_value(event: &InputEvent) -> Option<String> {
    Some(event.target()?.dyn_into::<HtmlInputElement>().ok()?.value())
}
