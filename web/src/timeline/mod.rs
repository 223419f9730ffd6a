//! The drawing of the timeline: a lane a server, states and messages on it, one playhead.
//!
//! The region "Timeline" around it, its buttons and the slider "Time" belong to the page; a drag
//! here does what the slider does. Every flag is also said in words, in a list for those who do
//! not see the drawing. Absent on purpose: the branches of a forked run,
//! which are lines under it.

pub mod chronicle;
pub mod painting;
pub mod stretch;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement};
use yew::{
    Callback, Html, KeyboardEvent, NodeRef, PointerEvent, Properties, WheelEvent,
    function_component, hook, use_effect_with, use_mut_ref, use_node_ref, use_state_eq,
};

use self::chronicle::{Chronicle, Flag};
use self::painting::{Lanes, TimelinePainter};
use crate::format::{Rounded, seconds, server_title};
use crate::markup::html;
use crate::run::{Painter, PainterGuard, RunHandle};
use crate::stage::canvas::{Size, on_theme, pixel_ratio, point_in, watch_size};
use crate::stage::painting::palette::Palette;
use crate::stage::plan::Fit;

/// What the timeline needs.
#[derive(Clone, PartialEq, Properties)]
pub struct TimelineProps {
    /// For the trace.
    pub run: RunHandle,
    /// The moment looked at.
    pub now_us: u64,
    /// The latest moment reached in this run.
    pub furthest_us: u64,
    /// The playhead was dragged to a moment.
    pub on_seek: Callback<u64>,
    /// A decision's flag was clicked: its number among the decisions of the trace.
    pub on_jump: Callback<usize>,
}

/// The most lanes shown: master and five replicas.
const MOST_LANES: usize = 6;
/// How many flags are said in words.
const IN_WORDS: usize = 12;

type Slot = Rc<RefCell<Option<(Rc<TimelinePainter>, PainterGuard)>>>;

/// The lanes.
#[function_component]
pub fn Timeline(props: &TimelineProps) -> Html {
    let chronicle = use_mut_ref(Chronicle::default);
    let size = use_state_eq(|| Size { width: 830.0, height: 170.0, fit: Fit::Page });
    let pointed = use_state_eq(|| None::<(i32, Flag)>);
    let dragging = use_state_eq(|| false);
    let servers = props.run.session().snapshot().servers.len();
    props.run.with_trace(|trace| chronicle.borrow_mut().read(trace));
    let shown = chronicle.borrow().lanes(servers, MOST_LANES);
    let height = Lanes::height_for(shown.len());
    let lanes = Rc::new(Lanes { width: size.width, height, shown });
    let (root, canvas, painter) = use_lanes(&props.run, &lanes, move |new| size.set(new));
    let seek = {
        let (on_seek, painter, canvas) = (props.on_seek.clone(), painter.clone(), canvas.clone());
        let furthest = props.furthest_us;
        move |event: &PointerEvent| {
            if let (Some((x, _)), Some((painter, _))) = (local(&canvas, event), &*painter.borrow())
            {
                on_seek.emit(painter.moment(x).min(furthest));
            }
        }
    };
    let onpointerdown = {
        let (painter, canvas, seek) = (painter.clone(), canvas.clone(), seek.clone());
        let (on_jump, dragging) = (props.on_jump.clone(), dragging.clone());
        Callback::from(move |event: PointerEvent| {
            let flag = flag_under(&painter, &canvas, &event);
            if let Some(number) = flag.and_then(|flag| flag.decision) {
                on_jump.emit(number);
                return;
            }
            hold(&painter, true);
            dragging.set(true);
            if let Some(canvas) = canvas.cast::<Element>() {
                // Without capture a fast drag ends at the edge; nothing worse.
                let _ = canvas.set_pointer_capture(event.pointer_id());
            }
            seek(&event);
        })
    };
    let onpointermove = {
        let (painter, canvas, pointed) = (painter.clone(), canvas.clone(), pointed.clone());
        let drags = *dragging;
        Callback::from(move |event: PointerEvent| {
            if drags {
                seek(&event);
            }
            let flag = flag_under(&painter, &canvas, &event).filter(|_| !drags);
            let x = local(&canvas, &event).map_or(0, |(x, _)| x as i32);
            pointed.set(flag.map(|flag| (x, flag)));
        })
    };
    let release = {
        let (painter, dragging) = (painter.clone(), dragging.clone());
        Callback::from(move |_: PointerEvent| {
            hold(&painter, false);
            dragging.set(false);
        })
    };
    let zoom = |thousandths: u64| {
        let painter = painter.clone();
        Callback::from(move |_: yew::MouseEvent| {
            with(&painter, |painter| painter.zoom(thousandths, None));
        })
    };
    let onwheel = {
        let (painter, canvas) = (painter.clone(), canvas.clone());
        Callback::from(move |event: WheelEvent| {
            // Without a modifier the wheel scrolls the page, as it does everywhere.
            if !(event.ctrl_key() || event.shift_key() || event.alt_key()) {
                return;
            }
            event.prevent_default();
            let canvas = canvas.cast::<Element>();
            let x = canvas.map(|canvas| point_in(&canvas, event.client_x(), 0).0);
            let turned = if event.delta_y() == 0.0 { event.delta_x() } else { event.delta_y() };
            let thousandths = if turned > 0.0 { 1250 } else { 800 };
            with(&painter, |painter| painter.zoom(thousandths, x));
        })
    };
    let onkeydown = {
        let painter = painter.clone();
        Callback::from(move |event: KeyboardEvent| {
            with(&painter, |painter| match (event.key().as_str(), event.shift_key()) {
                ("+" | "=", _) => painter.zoom(500, None),
                ("-" | "_", _) => painter.zoom(2000, None),
                ("ArrowLeft", true) => painter.pan(-1),
                ("ArrowRight", true) => painter.pan(1),
                _ => {}
            });
        })
    };
    let onpointerleave = {
        let pointed = pointed.clone();
        Callback::from(move |_: PointerEvent| pointed.set(None))
    };
    html! {
        <div class="timeline" ref={root} {onkeydown} {onwheel} style={format!("height:{}px", lanes.height)}>
            <canvas ref={canvas} {onpointerdown} {onpointermove} {onpointerleave}
                onpointerup={release.clone()} onpointercancel={release}
                style={format!("width:{}px;height:{}px", lanes.width, lanes.height)} />
            { for lanes.shown.iter().enumerate().map(|(row, &lane)| name(&lanes, row, lane)) }
            if let Some((x, flag)) = &*pointed { { tip(&lanes, *x, flag) } }
            <div class="zoom" role="group" aria-label="Lanes">
                <button type="button" aria-label="Zoom out" title="Zoom out (-, ctrl + wheel)"
                    onclick={zoom(2000)}>{ "\u{2212}" }</button>
                <button type="button" aria-label="Zoom in" title="Zoom in (+, ctrl + wheel)"
                    onclick={zoom(500)}>{ "+" }</button>
            </div>
            { in_words(&chronicle.borrow(), props.now_us) }
        </div>
    }
}

fn name(lanes: &Lanes, row: usize, lane: usize) -> Html {
    let style = format!("top:{:.1}px", Rounded(lanes.y(row)));
    let text = if lane == 0 { "master".to_owned() } else { format!("R{lane}") };
    html! { <span class="lane-name" {style} aria-hidden="true">{ text }</span> }
}

fn tip(lanes: &Lanes, x: i32, flag: &Flag) -> Html {
    let x = f64::from(x).clamp(120.0, (lanes.width - 120.0).max(120.0));
    html! {
        <p class="flag-tip" style={format!("left:{}px", Rounded(x))} aria-hidden="true">
            <b>{ seconds(flag.at_us) }{ " s" }</b>{ " " }{ server_title(&flag.text) }
        </p>
    }
}

/// The latest flags, for those who do not see the drawing.
fn in_words(chronicle: &Chronicle, now_us: u64) -> Html {
    let flags = chronicle.flags_in(0, now_us);
    let latest = flags.get(flags.len().saturating_sub(IN_WORDS)..).unwrap_or_default();
    html! {
        <ol class="flags-in-words" aria-label="What happened">
            { for latest.iter().map(|flag| html! {
                <li key={format!("{} {}", flag.at_us, flag.text)}>
                    { seconds(flag.at_us) }{ " s: " }{ &flag.text }
                </li>
            }) }
        </ol>
    }
}

fn with(painter: &Slot, act: impl FnOnce(&TimelinePainter)) {
    if let Some((painter, _)) = &*painter.borrow() {
        act(painter);
    }
}

fn hold(painter: &Slot, dragging: bool) {
    if let Some((painter, _)) = &*painter.borrow() {
        painter.hold(dragging);
    }
}

fn flag_under(painter: &Slot, canvas: &NodeRef, event: &PointerEvent) -> Option<Flag> {
    let (x, y) = local(canvas, event)?;
    painter.borrow().as_ref()?.0.flag_at(x, y)
}

fn local(canvas: &NodeRef, event: &PointerEvent) -> Option<(f64, f64)> {
    Some(point_in(&canvas.cast::<Element>()?, event.client_x(), event.client_y()))
}

/// The canvas with its painter, size and theme.
#[hook]
fn use_lanes(
    run: &RunHandle,
    lanes: &Rc<Lanes>,
    on_size: impl Fn(Size) + 'static,
) -> (NodeRef, NodeRef, Slot) {
    let (root, canvas) = (use_node_ref(), use_node_ref());
    let painter: Slot = use_mut_ref(|| None);
    {
        let root = root.clone();
        use_effect_with((), move |()| watch_size(&root, on_size));
    }
    {
        let (root, canvas, painter) = (root.clone(), canvas.clone(), Rc::clone(&painter));
        use_effect_with(run.clone(), move |run| {
            *painter.borrow_mut() = mount(&root, &canvas, run);
            let slot = Rc::clone(&painter);
            move || drop(slot.borrow_mut().take())
        });
    }
    {
        let (canvas, painter) = (canvas.clone(), Rc::clone(&painter));
        use_effect_with((Rc::clone(lanes), run.clone()), move |(lanes, run)| {
            if let (Some((painter, _)), Some(canvas)) =
                (&*painter.borrow(), canvas.cast::<HtmlCanvasElement>())
            {
                painter.arrange(&canvas, lanes, pixel_ratio(&canvas));
                run.request_paint();
            }
        });
    }
    {
        let (root, painter, run) = (root.clone(), Rc::clone(&painter), run.clone());
        use_effect_with((), move |()| {
            on_theme(&root, move |element| {
                if let Some((painter, _)) = &*painter.borrow() {
                    painter.recolour(Palette::read(element));
                    run.request_paint();
                }
            })
        });
    }
    (root, canvas, painter)
}

fn mount(
    root: &NodeRef,
    canvas: &NodeRef,
    run: &RunHandle,
) -> Option<(Rc<TimelinePainter>, PainterGuard)> {
    let canvas = canvas.cast::<HtmlCanvasElement>()?;
    let ctx = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    let palette = Palette::read(&root.cast::<Element>()?);
    let painter = Rc::new(TimelinePainter::new(ctx, run.clone(), palette));
    let guard = run.register(Rc::clone(&painter) as Rc<dyn Painter>);
    Some((painter, guard))
}
