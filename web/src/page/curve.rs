//! The pad on which a rate of writes is drawn: by hand, by keys, or as one of a few shapes.
//!
//! Under the drawing stands the curve that the clients follow at present, and where in it they
//! are.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, HtmlSelectElement, KeyboardEvent, PointerEvent};
use yew::{Callback, Html, classes};

use crate::format::thousands;
use crate::markup::html;
use crate::part::part;
use crate::setup::{Change, Setup};
use crate::sketch::{POINTS, SHAPES, Sketch};
use crate::state::Msg;
use crate::world::{Action, Point, rate_at};

/// How much time a pad can span.
const SPANS: [u64; 3] = [10, 30, 60];

/// The pad with its controls.
pub fn curve(sketch: &Sketch, setup: &Setup, now_us: u64, on: &Callback<Msg>) -> Html {
    html! {
        <div class="curve" role="group" aria-label="Drawn write rate">
            { pad(sketch, setup, now_us, on) }
            { part(controls, Controls {
                sketch: sketch.clone(),
                steady: setup.curve.as_ref().map(|_| setup.writes_per_second),
                on: on.clone(),
            }) }
        </div>
    }
}

fn pad(sketch: &Sketch, setup: &Setup, now_us: u64, on: &Callback<Msg>) -> Html {
    let drawn = sketch.curve();
    let follows = setup.curve.as_ref().map(|(began, points)| (now_us - began, points));
    let part = |sum: u64, of: u64| format!("{}%", (sum * 100).min(of * 100) / of.max(1));
    let span_us = sketch.seconds * 1_000_000;
    let held = |down: bool| {
        let (on, sketch) = (on.clone(), sketch.clone());
        move |event: PointerEvent| {
            if event.buttons() & 1 == 1 {
                draw(&event, &sketch, down, &on);
            }
        }
    };
    let onkeydown = {
        let (on, sketch) = (on.clone(), sketch.clone());
        move |event: KeyboardEvent| {
            if let Some(sketch) = sketch.clone().keyed(&event.key()) {
                event.prevent_default();
                on.emit(Msg::Sketch(Some(sketch)));
            }
        }
    };
    html! {
        <div class="pad-box">
            <div
                class="pad" role="slider" tabindex="0" aria-label="Rate curve"
                aria-orientation="vertical" aria-valuemin="0"
                aria-valuemax={sketch.peak.to_string()}
                aria-valuenow={sketch.rate(sketch.at).to_string()} aria-valuetext={sketch.said()}
                {onkeydown} onpointerdown={held(true)} onpointermove={held(false)}
            >
                <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
                    if let Some((_, points)) = follows {
                        <path class="ghost" d={line(points, sketch)} />
                    }
                    <path class="area" d={format!("M0 100L{}L100 100", &line(&drawn, sketch)[1..])} />
                    <path class="drawn" d={line(&drawn, sketch)} />
                </svg>
                if let Some((after, points)) = follows {
                    <b
                        class={classes!("present", (after * 4 > span_us * 3).then_some("is-late"))}
                        style={format!("left:{}", part(after, span_us))}
                    >
                        <span>{ format!("{}/s", thousands(rate_at(points, after))) }</span>
                    </b>
                }
                <i style={format!(
                    "left:{}%;bottom:{}%", sketch.at * 100 / (POINTS - 1), sketch.heights[sketch.at]
                )} />
            </div>
            <p class="pad-scale" aria-hidden="true">
                <span>{ "0 s" }</span><span>{ sketch.said() }</span>
                <span>{ format!("{} s", sketch.seconds) }</span>
            </p>
        </div>
    }
}

/// A curve on the pad, in percent of it.
fn line(points: &[Point], sketch: &Sketch) -> String {
    let span_us = sketch.seconds * 1_000_000;
    let mut d = String::new();
    for point in points {
        let x = point.at_us * 100 / span_us;
        let y = 100 - (point.writes_per_second * 100 / sketch.peak.max(1)).min(100);
        d.push(if d.is_empty() { 'M' } else { 'L' });
        d.push_str(&format!("{x} {y}"));
    }
    // The last rate stays.
    d.push_str("H100");
    d
}

/// The pen moves; it keeps the pad's attention until it is lifted.
fn draw(event: &PointerEvent, sketch: &Sketch, down: bool, on: &Callback<Msg>) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(pad) = target.and_then(|target| target.closest(".pad").ok().flatten()) else { return };
    if down {
        // Without it a stroke ends at the edge.
        let _ = pad.set_pointer_capture(event.pointer_id());
    }
    let bounds = pad.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - bounds.left()) / bounds.width().max(1.0);
    let y = (bounds.bottom() - f64::from(event.client_y())) / bounds.height().max(1.0);
    on.emit(Msg::Sketch(Some(sketch.clone().drawn(x, y, down))));
}

#[derive(PartialEq)]
struct Controls {
    sketch: Sketch,
    /// The rate that there was before the curve which is followed.
    steady: Option<u64>,
    on: Callback<Msg>,
}

fn controls(props: &Controls) -> Html {
    let Controls { sketch, steady, on } = props;
    let shape = |(name, heights): (&'static str, [u8; POINTS])| {
        let sketch = Sketch { heights, ..sketch.clone() };
        html! {
            <button type="button" onclick={on.reform(move |_| Msg::Sketch(Some(sketch.clone())))}>
                { name }
            </button>
        }
    };
    let follow = Action::Workload {
        writes_per_second: None,
        value_bytes: None,
        curve: Some(sketch.curve()),
    };
    html! {
        <div class="pad-tools">
            <label>
                { "Peak " }
                <input
                    type="number" min="1" max="1000000" inputmode="numeric"
                    value={sketch.peak.to_string()} onchange={changed(sketch, on, |sketch, peak| sketch.peak = peak)}
                />
                { " writes/s" }
            </label>
            <label>
                { "over " }
                <select onchange={changed(sketch, on, |sketch, seconds| sketch.seconds = seconds)}>
                    { for SPANS.into_iter().map(|span| html! {
                        <option value={span.to_string()} selected={span == sketch.seconds}>
                            { format!("{span} s") }
                        </option>
                    }) }
                </select>
            </label>
            <span class="shapes" role="group" aria-label="Shapes">
                { for SHAPES.into_iter().map(shape) }
            </span>
            <button
                type="button" class="strong" onclick={on.reform(move |_| Msg::Act(follow.clone()))}
            >
                { "Write like this" }
            </button>
            if let Some(rate) = *steady {
                <button type="button" onclick={on.reform(move |_| {
                    Msg::Change(Change::Grouped("workload", "writes_per_second", rate))
                })}>
                    { format!("Steady again, {rate}/s") }
                </button>
            }
        </div>
    }
}

/// A number was given for the pad.
fn changed(sketch: &Sketch, on: &Callback<Msg>, change: fn(&mut Sketch, u64)) -> Callback<Event> {
    let sketch = sketch.clone();
    on.reform(move |event: Event| {
        let target = event.target();
        let value = target.and_then(|target| {
            let select = target.dyn_ref::<HtmlSelectElement>().map(HtmlSelectElement::value);
            select.or_else(|| target.dyn_ref().map(HtmlInputElement::value))
        });
        let number = value.and_then(|value| value.parse::<u64>().ok());
        let mut sketch = sketch.clone();
        match number.filter(|number| (1..=1_000_000).contains(number)) {
            Some(number) => {
                change(&mut sketch, number);
                Msg::Sketch(Some(sketch))
            }
            None => Msg::Complain("Peak: a whole number from 1 to 1000000, please.".to_owned()),
        }
    })
}
