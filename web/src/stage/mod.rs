//! The region "Replication map": dial, ruler, links and replica cards.
//!
//! Three layers of one size, all placed by the same [`plan::Plan`]: SVG for what stands still, a
//! canvas for what moves each frame, HTML for what is read and pressed. The components are drawn
//! when the state changes, the canvas by the frame loop. Judgements are made once, in
//! [`standing`]; words, geometry and marks follow from it and are tested without a browser.
//!
//! Absent on purpose: state of the world. What is kept here is only what this drawing shows:
//! its size, the zoom of the ruler and the byte pointed at.

pub mod bytes_slider;
pub mod canvas;
pub mod card;
pub mod conditions;
pub mod face;
pub mod figures;
#[cfg(test)]
pub mod fixture;
pub mod hands;
pub mod memory;
pub mod painting;
pub mod places;
pub mod plan;
pub mod pointed;
pub mod roster;
pub mod scale;
pub mod span;
pub mod standing;
pub mod topology;
pub mod turn;
pub mod wires;

use std::rc::Rc;

use yew::{
    Callback, Html, PointerEvent, Properties, UseStateHandle, WheelEvent, function_component, hook,
    use_memo, use_mut_ref, use_state_eq,
};

use self::bytes_slider::{BytesProps, Pointed, bytes_slider};
use self::canvas::{Surface, use_surface};
use self::card::tallies;
use self::face::{FaceProps, TrackProps, face, track};
use self::memory::{MemoryProps, memory, title};
use self::painting::marks::Marked;
use self::painting::{Held, Told};
use self::places::{PlacesProps, places};
use self::plan::{Plan, Shape};
use self::pointed::{inside, on_ring};
use self::roster::{RosterProps, roster};
use self::span::Zoom;
use self::topology::Topology;
use crate::format::Rounded;
use crate::markup::html;
use crate::part::part;
use crate::run::RunHandle;
use crate::state::View;
use crate::world::{Action, Engine, Shown};

/// What the stage needs.
#[derive(Clone, PartialEq, Properties)]
pub struct StageProps {
    /// The world now.
    pub snapshot: Shown,
    /// For bytes under the pointer and for painting each frame.
    pub run: RunHandle,
    /// Whether time moves.
    pub playing: bool,
    /// Index in `snapshot.servers` of the server that is looked at.
    pub selection: Option<usize>,
    /// The painted places that are marked.
    pub marked: Marked,
    /// How the kept history is drawn.
    pub view: View,
    /// Whose behaviour it is.
    pub engine: &'static Engine,
    /// Somebody wants the other drawing.
    pub on_view: Callback<View>,
    /// Somebody does something to the world.
    pub on_action: Callback<Action>,
    /// Somebody looks at another server.
    pub on_select: Callback<Option<usize>>,
    /// Whether it is the drawing of the run beside, which has a name of its own.
    #[prop_or_default]
    pub beside: bool,
    /// Somebody wants to do more to a server.
    pub on_inspect: Callback<usize>,
    /// Paints `snapshot` and not the run's present: for stills.
    #[prop_or_default]
    pub still: bool,
}

/// The drawing of the world.
#[function_component]
pub fn Stage(props: &StageProps) -> Html {
    let snapshot = &props.snapshot;
    let zoom = use_state_eq(Zoom::default);
    let pointed = use_state_eq(|| None::<Pointed>);
    let cursor = pointed.map(|p: Pointed| p.position);
    let still = props.still.then(|| Rc::clone(&snapshot.0));
    let topology = Rc::new(Topology::new(snapshot, props.selection));
    let surface = use_surface(&props.run, topology.cards.len(), props.view);
    let (moving, chosen, marked) = (props.playing, props.selection, props.marked);
    surface.tell(Told { moving, zoom: *zoom, cursor, marked, chosen, still });
    let plan = &surface.plan;
    let server = topology.subject;
    let master = topology.master(snapshot);
    let held = master.and_then(|m| m.backlog.as_ref()).map(Held::from);
    let head = master.map_or(0, |m| m.master_repl_offset);
    let past = use_memo((snapshot.now_us, props.run.clone()), |(_, run)| {
        run.with_trace(|trace| tallies(snapshot, trace))
    });
    let on_action = use_lasting(&props.on_action);
    let on_select = use_lasting(&props.on_select);
    let on_inspect = use_lasting(&props.on_inspect);
    let on_view = use_lasting(&props.on_view);
    let memory_props = || MemoryProps {
        plan: Rc::clone(plan),
        snapshot: snapshot.clone(),
        topology: Rc::clone(&topology),
        engine: props.engine,
        view: props.view,
        on_view: on_view.clone(),
    };
    let on_zoom = {
        let zoom = zoom.clone();
        Callback::from(move |to| zoom.set(to))
    };
    let on_point = on_point(&surface, &pointed, *zoom, &on_zoom);
    let on_step = on_step(&surface, cursor, *zoom, &on_zoom);
    let onpointermove = on_move(&surface, held, head, &on_point);
    let onpointerleave = on_point.reform(|_| None);
    let onwheel = on_wheel(&surface, *zoom, &on_zoom);
    let name = if props.beside { "Replication map of B" } else { "Replication map" };
    html! {
        <section class="stage" aria-label={name} ref={surface.root.clone()}
            style={root_style(plan)}>
            <div class={figure_class(plan)} style={figure_style(plan)} {onpointermove}
                {onpointerleave} {onwheel}>
                { title(&memory_props()) }
                { part(track, TrackProps { plan: Rc::clone(plan), size: held.map(|held| held.size) }) }
                <canvas ref={surface.canvas.clone()} aria-hidden="true"
                    style={figure_style(plan)} />
                { part(places, PlacesProps(Rc::clone(plan))) }
                <span class="theme-probe" ref={surface.probe.clone()} />
                if plan.memory.is_some() {
                    { part(memory, memory_props()) }
                } else {
                    { part(face, FaceProps {
                        plan: Rc::clone(plan),
                        snapshot: snapshot.clone(),
                        topology: Rc::clone(&topology),
                        on_inspect: on_inspect.clone(),
                    }) }
                }
                if plan.shape != Shape::Card {
                    { part(roster, RosterProps {
                        plan: Rc::clone(plan),
                        snapshot: snapshot.clone(),
                        topology: Rc::clone(&topology),
                        tallies: past,
                        selection: props.selection,
                        on_action,
                        on_select,
                        on_inspect,
                    }) }
                    if let Some(held) = held {
                        { bytes_slider(&BytesProps {
                            plan: Rc::clone(plan),
                            run: props.run.clone(),
                            server,
                            held,
                            pointed: *pointed,
                            zoom: *zoom,
                            on_point,
                            on_zoom: on_step,
                        }) }
                    }
                }
            </div>
        </section>
    }
}

/// A callback that stays equal to itself while what it calls changes, so that the parts which
/// take it are not drawn anew for its sake.
#[hook]
fn use_lasting<T: 'static>(callback: &Callback<T>) -> Callback<T> {
    let latest = use_mut_ref(|| callback.clone());
    latest.replace(callback.clone());
    let lasting = use_memo((), |()| {
        Callback::from(move |value| {
            let callback = latest.borrow().clone();
            callback.emit(value);
        })
    });
    (*lasting).clone()
}

fn figure_class(plan: &Plan) -> &'static str {
    match plan.shape {
        Shape::Wide if plan.terse => "stage-figure is-wide is-terse",
        Shape::Wide => "stage-figure is-wide",
        Shape::Tall => "stage-figure is-tall",
        Shape::Phone => "stage-figure is-phone",
        Shape::Card => "stage-figure is-card",
    }
}

/// In a column the drawing says how high it is; elsewhere it takes what it is given.
fn root_style(plan: &Plan) -> Option<String> {
    matches!(plan.shape, Shape::Tall | Shape::Phone)
        .then(|| format!("height:{}px", Rounded(plan.height)))
}

fn figure_style(plan: &Plan) -> String {
    format!("width:{:.1}px;height:{:.1}px", Rounded(plan.width), Rounded(plan.height))
}

/// Points at a byte. With the keys it may leave the stretch shown: the ruler follows then.
fn on_point(
    surface: &Surface,
    pointed: &UseStateHandle<Option<Pointed>>,
    zoom: Zoom,
    on_zoom: &Callback<Zoom>,
) -> Callback<Option<Pointed>> {
    let (surface, pointed, on_zoom) = (surface.clone(), pointed.clone(), on_zoom.clone());
    Callback::from(move |to: Option<Pointed>| {
        let by_key = to.filter(|p| p.at.is_none());
        let Some((p, span, ruler)) = by_key.zip(surface.span()).zip(surface.plan.ruler).map(flat)
        else {
            return pointed.set(to);
        };
        let part = span.part(p.position as f64);
        if !(0.0..=1.0).contains(&part) {
            on_zoom.emit(zoom.shifted(part - 0.5));
        }
        let x = ruler.x + part.clamp(0.0, 1.0) * ruler.w;
        pointed.set(Some(Pointed { at: Some((x, ruler.y)), ..p }));
    })
}

fn flat<A, B, C>(((a, b), c): ((A, B), C)) -> (A, B, C) {
    (a, b, c)
}

/// Zooms around the byte pointed at, or around the write head.
fn on_step(
    surface: &Surface,
    cursor: Option<i64>,
    zoom: Zoom,
    on_zoom: &Callback<Zoom>,
) -> Callback<f64> {
    let surface = surface.clone();
    on_zoom.reform(move |by| {
        let at = cursor.zip(surface.span()).map(|(position, span)| span.part(position as f64));
        zoom.by(by, at.filter(|part| (0.0..=1.0).contains(part)).unwrap_or(0.94))
    })
}

/// What is under the pointer: the ring first, then the ruler.
fn on_move(
    surface: &Surface,
    held: Option<Held>,
    head: u64,
    on_point: &Callback<Option<Pointed>>,
) -> Callback<PointerEvent> {
    let (surface, on_point) = (surface.clone(), on_point.clone());
    Callback::from(move |event: PointerEvent| {
        let (Some(held), Some(at)) = (held, surface.point(event.client_x(), event.client_y()))
        else {
            return;
        };
        let plan = &surface.plan;
        let on_dial = plan.dial.and_then(|c| on_ring(&c, &held, head as f64, at));
        let on_ruler = || {
            let ruler = plan.ruler.filter(|r| at.1 >= r.y + 6.0 && at.1 <= r.y + 48.0)?;
            let offset = surface.span()?.offset(at.0, ruler.x, ruler.w);
            // Offset n is reached when byte n has been written.
            inside(&held, offset.ceil() as i64)
        };
        let position = on_dial.or_else(on_ruler);
        on_point.emit(position.map(|position| Pointed { position, at: Some(at) }));
    })
}

/// The wheel zooms only over the ruler; elsewhere it scrolls the page as ever.
fn on_wheel(surface: &Surface, zoom: Zoom, on_zoom: &Callback<Zoom>) -> Callback<WheelEvent> {
    let (surface, on_zoom) = (surface.clone(), on_zoom.clone());
    Callback::from(move |event: WheelEvent| {
        let Some(at) = surface.point(event.client_x(), event.client_y()) else { return };
        let Some(ruler) = surface.plan.ruler.filter(|r| at.1 >= r.y && at.1 <= r.y + r.h) else {
            return;
        };
        event.prevent_default();
        let (dx, dy) = (event.delta_x(), event.delta_y());
        if dx.abs() > dy.abs() {
            on_zoom.emit(zoom.shifted(dx / ruler.w));
        } else {
            let focus = ((at.0 - ruler.x) / ruler.w).clamp(0.0, 1.0);
            on_zoom.emit(zoom.by(if dy < 0.0 { 1.25 } else { 0.8 }, focus));
        }
    })
}
