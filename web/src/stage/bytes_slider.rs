//! The slider "Byte position" that lies over the ruler, with its zoom buttons, and the tooltip.
//!
//! Pointer and keys choose a position; ring and ruler both show it. Absent on purpose: painting.

use std::rc::Rc;

use yew::{Callback, Html, KeyboardEvent};

use super::painting::Held;
use super::plan::{Plan, Rect};
use super::pointed::{inside, key, last, parted, range};
use super::span::Zoom;
use crate::format::{Rounded, thousands_signed};
use crate::markup::html;
use crate::run::RunHandle;
use crate::world::BytesAt;

/// The byte pointed at, and where its tooltip stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointed {
    /// The position.
    pub position: i64,
    /// Where, in the drawing; none with the keys: above the ruler then.
    pub at: Option<(f64, f64)>,
}

/// What the slider needs.
pub struct BytesProps {
    /// The arrangement.
    pub plan: Rc<Plan>,
    /// For the bytes.
    pub run: RunHandle,
    /// Index of the server whose history it is.
    pub server: usize,
    /// What is kept.
    pub held: Held,
    /// What is pointed at.
    pub pointed: Option<Pointed>,
    /// How far zoomed in.
    pub zoom: Zoom,
    /// Somebody points.
    pub on_point: Callback<Option<Pointed>>,
    /// Somebody zooms in (above 1) or out, around the position or the write head.
    pub on_zoom: Callback<f64>,
}

/// Slider, buttons, tooltip.
pub fn bytes_slider(props: &BytesProps) -> Html {
    let Some(ruler) = props.plan.ruler else { return Html::default() };
    let held = props.held;
    let position = props.pointed.and_then(|p| inside(&held, p.position));
    let at = position.and_then(|position| props.run.bytes_at(props.server, position));
    let now = position.unwrap_or_else(|| last(&held));
    let text = match (&at, position) {
        (Some(at), Some(position)) => {
            let byte = parted(at, &held, position).1;
            format!("byte {}: {byte} of {}", thousands_signed(position), at.command)
        }
        _ => format!("byte {}, the newest", thousands_signed(now)),
    };
    let onfocus = {
        let on_point = props.on_point.clone();
        let pointed = props.pointed.unwrap_or(Pointed { position: now, at: None });
        Callback::from(move |_| on_point.emit(Some(pointed)))
    };
    let onblur = props.on_point.reform(|_| None);
    html! {
        <>
            <div
                class="ruler-slider" style={ruler.style()} role="slider" tabindex="0"
                aria-label="Byte position" aria-orientation="horizontal"
                aria-valuemin={held.first.to_string()} aria-valuemax={last(&held).to_string()}
                aria-valuenow={now.to_string()} aria-valuetext={text}
                onkeydown={on_key(props, now, at.as_ref())} {onfocus} {onblur}
            />
            <div class="ruler-zoom" style={zoom_style(&ruler)}>
                { zoom_button(props, "Zoom out of the bytes", "\u{2212}", 0.5, props.zoom.factor <= 1.0) }
                { zoom_button(props, "Zoom in on the bytes", "+", 2.0, props.zoom.factor >= 4096.0) }
            </div>
            if let (Some(position), Some(at)) = (position, &at) {
                { tooltip(props, &ruler, position, at) }
            }
        </>
    }
}

fn zoom_style(ruler: &Rect) -> String {
    format!("left:{:.1}px;top:{:.1}px", Rounded(ruler.x + ruler.w + 8.0), Rounded(ruler.y + 15.0))
}

fn zoom_button(props: &BytesProps, name: &'static str, sign: &str, by: f64, off: bool) -> Html {
    let onclick = props.on_zoom.reform(move |_| by);
    html! {
        <button type="button" aria-label={name} title={name} disabled={off} {onclick}>
            { sign }
        </button>
    }
}

fn on_key(props: &BytesProps, now: i64, at: Option<&BytesAt>) -> Callback<KeyboardEvent> {
    let (held, at) = (props.held, at.cloned());
    let (on_point, on_zoom) = (props.on_point.clone(), props.on_zoom.clone());
    Callback::from(move |event: KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let pressed = event.key();
        match pressed.as_str() {
            "+" | "=" => on_zoom.emit(2.0),
            "-" => on_zoom.emit(0.5),
            "Escape" => on_point.emit(None),
            _ => {
                let Some(next) = key(&held, now, &pressed, event.shift_key(), at.as_ref()) else {
                    return;
                };
                on_point.emit(Some(Pointed { position: next, at: None }));
            }
        }
        event.prevent_default();
        // The page has its own keys; this one was ours.
        event.stop_propagation();
    })
}

/// Position, command and bytes; a little above what is pointed at, inside the drawing.
fn tooltip(props: &BytesProps, ruler: &Rect, position: i64, at: &BytesAt) -> Html {
    const WIDTH: f64 = 296.0;
    let plan = &props.plan;
    let (x, y) = props.pointed.and_then(|p| p.at).unwrap_or((ruler.x + ruler.w / 2.0, ruler.y));
    let left = (x - WIDTH / 2.0).clamp(8.0, (plan.width - WIDTH - 8.0).max(8.0));
    let left = Rounded(left);
    // Above the pointer, or below it where there is no room above.
    let style = if y > 128.0 {
        format!(
            "left:{left:.1}px;bottom:{:.1}px;width:{}px",
            Rounded(plan.height - y + 14.0),
            Rounded(WIDTH)
        )
    } else {
        format!("left:{left:.1}px;top:{:.1}px;width:{}px", Rounded(y + 18.0), Rounded(WIDTH))
    };
    let (before, byte, after) = parted(at, &props.held, position);
    html! {
        <div class="byte-tip" {style} aria-hidden="true">
            <p class="byte-where">
                <b>{ format!("byte {}", thousands_signed(position)) }</b>
                <span>{ format!("{} of {} B", position - at.command_first + 1, at.command_len) }</span>
            </p>
            <p class="byte-command">{ &at.command }</p>
            <p class="byte-range">{ format!("bytes {}", range(at)) }</p>
            <p class="byte-run">{ before }<mark>{ byte }</mark>{ after }</p>
        </div>
    }
}
