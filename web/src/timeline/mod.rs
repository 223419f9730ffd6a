//! The drawing of the timeline: a lane a server, states and messages on it, one playhead; or a
//! chart on the same clock.
//!
//! The region "Timeline" around it, its buttons and the slider "Time" belong to the page; a drag
//! here does what the slider does. Every flag is also said in words, in a list for those who do
//! not see the drawing, and so are the values of the chart. Absent on purpose: the branches of a
//! forked run, which are lines under it.

mod chart;
pub mod chronicle;
pub mod gestures;
mod lanes;
pub mod painting;
pub mod panels;
pub mod stretch;
mod values;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, WheelEvent};
use yew::{
    Callback, Html, NodeRef, PointerEvent, Properties, function_component, hook, use_effect_with,
    use_mut_ref, use_node_ref, use_state_eq,
};

use self::chronicle::{Chronicle, Flag};
use self::gestures::{Asked, Gesture};
use self::painting::{BOTTOM, Lanes, TimelinePainter};
use self::panels::Panel;
use self::stretch::Stretch;
use self::values::values;
use crate::format::{Rounded, seconds, server_title};
use crate::markup::html;
use crate::run::{Painter, PainterGuard, RunHandle};
use crate::stage::canvas::{Size, on_theme, pixel_ratio, point_in, watch_size};
use crate::stage::painting::palette::Palette;
use crate::stage::plan::Fit;
use crate::state::Msg;
use crate::world::Sample;

/// What the timeline needs.
#[derive(Clone, PartialEq, Properties)]
pub struct TimelineProps {
    /// For the trace.
    pub run: RunHandle,
    /// The moment looked at.
    pub now_us: u64,
    /// The stretch shown.
    pub stretch: Stretch,
    /// The chart instead of the lanes.
    pub chart: bool,
    /// The server looked at.
    pub selection: Option<usize>,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The most lanes shown: master and five replicas.
const MOST_LANES: usize = 6;
/// How many flags are said in words.
const IN_WORDS: usize = 12;

type Slot = Rc<RefCell<Option<(Rc<TimelinePainter>, PainterGuard)>>>;

/// The lanes, or the chart.
#[function_component]
pub fn Timeline(props: &TimelineProps) -> Html {
    let chronicle = use_mut_ref(Chronicle::default);
    let size = use_state_eq(|| Size { width: 830.0, height: 170.0, fit: Fit::Page });
    let pointed = use_state_eq(|| None::<(i32, Flag)>);
    let gesture = use_mut_ref(Gesture::default);
    let (chart, on) = (props.chart, &props.on);
    let snapshot = Rc::clone(props.run.session().snapshot());
    props.run.with_trace(|trace| chronicle.borrow_mut().read(trace));
    let shown = chronicle.borrow().lanes(snapshot.servers.len(), MOST_LANES);
    let height = Lanes::height_for(shown.len(), chart);
    let lanes = Rc::new(Lanes { width: size.width, height, shown, chart });
    let (root, canvas, painter) = use_lanes(&props.run, &lanes, on, move |new| size.set(new));
    let hand = Hand { run: props.run.clone(), canvas: canvas.clone(), painter, on: on.clone() };
    let onpointerdown = {
        let (hand, gesture) = (hand.clone(), Rc::clone(&gesture));
        Callback::from(move |event: PointerEvent| hand.down(&event, &mut gesture.borrow_mut()))
    };
    let onpointermove = {
        let (hand, gesture, pointed) = (hand.clone(), Rc::clone(&gesture), pointed.clone());
        Callback::from(move |event: PointerEvent| {
            let asked = hand.moved(&event, &mut gesture.borrow_mut());
            if let Some(asked) = asked {
                on_asked(&hand.on, asked);
            }
            let flag = hand.flag(&event).filter(|_| asked.is_none());
            let x = hand.local(&event).0 as i32;
            pointed.set(flag.map(|flag| (x, flag)));
        })
    };
    let release = |taps: bool| {
        let (hand, gesture) = (hand.clone(), Rc::clone(&gesture));
        Callback::from(move |event: PointerEvent| {
            let mut gesture = gesture.borrow_mut();
            gesture.up(event.pointer_id(), hand.view(), hand.width());
            hand.on.emit(Msg::Hold(gesture.is_on()));
            if taps && is_finger(&event) && gesture.is_tap() {
                hand.press(&event);
            }
        })
    };
    let onpointerleave = {
        let pointed = pointed.clone();
        Callback::from(move |_: PointerEvent| pointed.set(None))
    };
    html! {
        <div class="timeline">
            { bar(chart, on) }
            <div class="lanes" ref={root} style={format!("height:{}px", Rounded(lanes.height))}>
                <canvas ref={canvas} {onpointerdown} {onpointermove} {onpointerleave}
                    onpointerup={release(true)} onpointercancel={release(false)}
                    style={format!("width:{}px;height:{}px", Rounded(lanes.width), Rounded(lanes.height))} />
                { names(&lanes) }
                if let Some((x, flag)) = &*pointed { { tip(&lanes, *x, flag) } }
                { in_words(&chronicle.borrow(), props.now_us) }
                if chart { { values(&Sample::of(&snapshot), props.selection) } }
            </div>
        </div>
    }
}

/// The switch, and what makes the stretch longer and shorter.
fn bar(chart: bool, on: &Callback<Msg>) -> Html {
    let button = |name: &'static str, title: &'static str, label: &'static str, msg: Msg| {
        html! {
            <button type="button" aria-label={name} {title} onclick={on.reform(move |_| msg.clone())}>
                { label }
            </button>
        }
    };
    let view = |name: &'static str, shows: bool| {
        html! {
            <button
                type="button" aria-pressed={(shows == chart).to_string()} title="Lanes or chart (g)"
                onclick={on.reform(move |_| Msg::Chart(shows))}
            >
                { name }
            </button>
        }
    };
    html! {
        <div class="timeline-bar">
            <div class="lanes-or-chart" role="group" aria-label="View of the run">
                { view("Lanes", false) }{ view("Chart", true) }
            </div>
            <div class="zoom" role="group" aria-label="Zoom of the timeline">
                { button("Zoom out of the timeline", "Longer (-, ctrl + wheel)", "\u{2212}", Msg::Zoom(2000)) }
                { button("Zoom in on the timeline", "Shorter (+, ctrl + wheel)", "+", Msg::Zoom(500)) }
                { button("Zoom to all", "The whole run", "All", Msg::ZoomToAll) }
            </div>
        </div>
    }
}

/// What stands left of the lanes or panels.
fn names(lanes: &Lanes) -> Html {
    let name = |y: f64, text: String| {
        let style = format!("top:{:.1}px", Rounded(y));
        html! { <span class="lane-name" {style} aria-hidden="true">{ text }</span> }
    };
    if lanes.chart {
        let panels = Panel::ALL.into_iter().enumerate();
        let title = |(index, panel): (usize, Panel)| {
            name(lanes.panel(index).0 + 6.0, panel.title().to_owned())
        };
        return panels.map(title).collect();
    }
    let text = |lane: usize| if lane == 0 { "master".to_owned() } else { format!("R{lane}") };
    let all = lanes.shown.iter().enumerate();
    all.map(|(row, &lane)| name(lanes.y(row), text(lane))).collect()
}

/// Who moves time by hand stops it: otherwise it would run away from under the pointer.
fn on_asked(on: &Callback<Msg>, asked: Asked) {
    match asked {
        Asked::Seek(us) => {
            on.emit(Msg::Pause);
            on.emit(Msg::Seek(us));
        }
        Asked::Show(stretch) => on.emit(Msg::Show(stretch)),
    }
}

fn is_finger(event: &PointerEvent) -> bool {
    event.pointer_type() == "touch"
}

/// What a pointer on the canvas needs.
#[derive(Clone)]
struct Hand {
    run: RunHandle,
    canvas: NodeRef,
    painter: Slot,
    on: Callback<Msg>,
}

impl Hand {
    fn view(&self) -> Stretch {
        self.run.session().state().stretch
    }

    fn width(&self) -> f64 {
        self.canvas.cast::<Element>().map_or(0.0, |canvas| f64::from(canvas.client_width()))
    }

    fn local(&self, event: &web_sys::MouseEvent) -> (f64, f64) {
        let canvas = self.canvas.cast::<Element>();
        canvas.map_or((0.0, 0.0), |canvas| point_in(&canvas, event.client_x(), event.client_y()))
    }

    fn flag(&self, event: &PointerEvent) -> Option<Flag> {
        let (x, y) = self.local(event);
        self.painter.borrow().as_ref()?.0.flag_at(x, y)
    }

    /// Whether a point lies on the axis.
    fn on_axis(&self, y: f64) -> bool {
        let height = self.canvas.cast::<Element>().map_or(0, |canvas| canvas.client_height());
        y >= f64::from(height) - BOTTOM
    }

    fn down(&self, event: &PointerEvent, gesture: &mut Gesture) {
        let (x, y) = self.local(event);
        let moves = event.shift_key() || event.button() == 1 || self.on_axis(y);
        gesture.down(event.pointer_id(), (x, y), moves, self.view(), self.width());
        self.on.emit(Msg::Hold(true));
        if let Some(canvas) = self.canvas.cast::<Element>() {
            // Without capture a fast drag ends at the edge; nothing worse.
            let _ = canvas.set_pointer_capture(event.pointer_id());
        }
        // A finger may be about to scroll the page: what it means is known when it goes up.
        if !is_finger(event) {
            self.press(event);
        }
    }

    /// Goes to what is under the pointer: a flag, a message, or else the moment.
    fn press(&self, event: &PointerEvent) {
        let (x, y) = self.local(event);
        if let Some(flag) = self.flag(event) {
            match self.run.with_trace(|trace| flag.number(trace)) {
                Some(number) => self.on.emit(Msg::JumpToDecision(number)),
                None => on_asked(&self.on, Asked::Seek(flag.at_us)),
            }
        } else if !(event.shift_key() || event.button() == 1 || self.on_axis(y)) {
            let message = self.painter.borrow().as_ref().and_then(|(p, _)| p.message_at(x, y));
            let at_us = message.unwrap_or_else(|| self.view().moment(x, self.width()));
            on_asked(&self.on, self.known(Asked::Seek(at_us)));
        }
    }

    /// What a movement asks for; never a moment that is not known yet.
    fn moved(&self, event: &PointerEvent, gesture: &mut Gesture) -> Option<Asked> {
        let at = self.local(event);
        let asked = gesture.moved(event.pointer_id(), at, self.view(), self.width())?;
        Some(self.known(asked))
    }

    fn known(&self, asked: Asked) -> Asked {
        let furthest_us = self.run.with_trace(|trace| trace.furthest().0);
        match asked {
            Asked::Seek(us) => Asked::Seek(us.min(furthest_us)),
            shown @ Asked::Show(_) => shown,
        }
    }

    /// Whether the wheel meant the timeline. With ctrl (and so by pinching a trackpad), or plain
    /// over the axis it zooms; sideways it moves; otherwise it scrolls the page, as everywhere.
    fn wheel(&self, event: &WheelEvent) -> bool {
        let (x, y) = self.local(event);
        let view = self.view();
        let sideways = event.delta_x().abs() > event.delta_y().abs();
        let turned = if event.delta_y() == 0.0 { event.delta_x() } else { event.delta_y() };
        let show = if event.ctrl_key() || event.alt_key() || (self.on_axis(y) && !sideways) {
            let thousandths = if turned > 0.0 { 1250 } else { 800 };
            view.zoomed(thousandths, view.moment(x, self.width()))
        } else if sideways || event.shift_key() {
            // In the middle, where there is room on both sides.
            let middle = self.width() / 2.0;
            view.placed(view.moment(middle + turned, self.width()), middle, self.width())
        } else {
            return false;
        };
        self.on.emit(Msg::Show(show));
        true
    }
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

/// The canvas with its painter, size and theme.
#[hook]
fn use_lanes(
    run: &RunHandle,
    lanes: &Rc<Lanes>,
    on: &Callback<Msg>,
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
    {
        let hand = Hand {
            run: run.clone(),
            canvas: canvas.clone(),
            painter: Rc::clone(&painter),
            on: on.clone(),
        };
        use_effect_with((), move |()| on_wheel(hand));
    }
    (root, canvas, painter)
}

/// Listens to the wheel by itself: a listener of Yew is passive, and could not keep the page from
/// being scrolled or zoomed too.
fn on_wheel(hand: Hand) -> Box<dyn FnOnce()> {
    let Some(canvas) = hand.canvas.cast::<Element>() else { return Box::new(|| ()) };
    let turned = Closure::<dyn FnMut(WheelEvent)>::new(move |event: WheelEvent| {
        if hand.wheel(&event) {
            event.prevent_default();
        }
    });
    let listener = turned.as_ref().unchecked_ref();
    // It fails only for a missing event name.
    let _ = canvas.add_event_listener_with_callback("wheel", listener);
    Box::new(move || {
        let listener = turned.as_ref().unchecked_ref();
        let _ = canvas.remove_event_listener_with_callback("wheel", listener);
        drop(turned);
    })
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
