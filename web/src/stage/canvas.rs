//! The canvas of the stage in the document: its size, its colours, its painter.
//!
//! A size observer gives the container's size, an invisible probe tells when the theme changes
//! (its colour has a transition, so that any cause of a change is an event), and the painter lives
//! as long as the component. Nothing here is done in a frame.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, ResizeObserver};
use yew::{NodeRef, hook, use_effect_with, use_memo, use_mut_ref, use_node_ref, use_state_eq};

use super::painting::palette::Palette;
use super::painting::{StagePainter, Told};
use super::plan::{Fit, Plan};
use super::span::Span;
use crate::run::{Painter, PainterGuard, RunHandle};
use crate::state::View;

/// The size drawn for before the container is measured: that of a figure in the page.
const FIRST: Size = Size { width: 908.0, height: 517.0, fit: Fit::Page };

/// What a container measures, and what the element is in its page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) fit: Fit,
}

/// The stage's canvas and what belongs to it.
#[derive(Clone)]
pub struct Surface {
    /// The container that is measured.
    pub root: NodeRef,
    /// The canvas.
    pub canvas: NodeRef,
    /// Where colours are read.
    pub probe: NodeRef,
    /// The arrangement for the present size.
    pub plan: Rc<Plan>,
    painter: Slot,
    run: RunHandle,
}

type Slot = Rc<RefCell<Option<(Rc<StagePainter>, PainterGuard)>>>;

impl Surface {
    /// Tells the painter what only the page knows, and has it paint.
    pub fn tell(&self, told: Told) {
        if let Some((painter, _)) = &*self.painter.borrow() {
            painter.tell(told);
            self.run.request_paint();
        }
    }

    /// A point of the window in the drawing.
    #[must_use]
    pub fn point(&self, x: i32, y: i32) -> Option<(f64, f64)> {
        Some(point_in(&self.canvas.cast::<Element>()?, x, y))
    }

    /// What the ruler showed last.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.painter.borrow().as_ref().and_then(|(painter, _)| painter.span())
    }
}

/// Everything about the canvas, for a world with so many cards.
#[hook]
pub fn use_surface(run: &RunHandle, count: usize, view: View) -> Surface {
    let (root, canvas, probe) = (use_node_ref(), use_node_ref(), use_node_ref());
    let size = use_state_eq(|| FIRST);
    let plan = use_memo((*size, count, view), |(size, count, view)| {
        Plan::new(size.width, size.height, *count, size.fit, *view)
    });
    let painter: Slot = use_mut_ref(|| None);
    {
        let (root, size) = (root.clone(), size.clone());
        use_effect_with((), move |()| watch_size(&root, move |new| size.set(new)));
    }
    {
        let (canvas, probe, painter) = (canvas.clone(), probe.clone(), Rc::clone(&painter));
        let plan = Rc::clone(&plan);
        use_effect_with(run.clone(), move |run| {
            *painter.borrow_mut() = mount(&canvas, &probe, run, &plan);
            let slot = Rc::clone(&painter);
            move || drop(slot.borrow_mut().take())
        });
    }
    {
        let (canvas, painter, run) = (canvas.clone(), Rc::clone(&painter), run.clone());
        use_effect_with(Rc::clone(&plan), move |plan| {
            if let (Some((painter, _)), Some(canvas)) =
                (&*painter.borrow(), canvas.cast::<HtmlCanvasElement>())
            {
                painter.arrange(&canvas, plan, pixel_ratio(&canvas));
                run.request_paint();
            }
        });
    }
    {
        let (probe, painter, run) = (probe.clone(), Rc::clone(&painter), run.clone());
        use_effect_with((), move |()| watch_theme(&probe, painter, run));
    }
    Surface { root, canvas, probe, plan, painter, run: run.clone() }
}

fn mount(
    canvas: &NodeRef,
    probe: &NodeRef,
    run: &RunHandle,
    plan: &Plan,
) -> Option<(Rc<StagePainter>, PainterGuard)> {
    let canvas = canvas.cast::<HtmlCanvasElement>()?;
    let ctx = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    let palette = Palette::read(&probe.cast::<Element>()?);
    let painter = Rc::new(StagePainter::new(ctx, run.clone(), plan.clone(), palette));
    painter.arrange(&canvas, plan, pixel_ratio(&canvas));
    let guard = run.register(Rc::clone(&painter) as Rc<dyn Painter>);
    Some((painter, guard))
}

/// Reports the container's size now and at each change, until the given function is called.
pub(crate) fn watch_size(root: &NodeRef, on_size: impl Fn(Size) + 'static) -> Box<dyn FnOnce()> {
    let Some(root) = root.cast::<Element>() else { return Box::new(|| ()) };
    let measured = root.clone();
    let report = Closure::<dyn FnMut(Array)>::new(move |_: Array| {
        let (w, h) = (measured.client_width(), measured.client_height());
        if w > 0 {
            let frame = measured.closest("[data-fit]").ok().flatten();
            let fit = frame.and_then(|frame| frame.get_attribute("data-fit"));
            let within =
                |selector: &str| measured.closest(selector).is_ok_and(|found| found.is_some());
            // Where everything is large there is room for as much as in a figure.
            let fit = match within("[data-presentation]") {
                true => Fit::Figure,
                false => Fit::named(fit.as_deref()).of_pair(within(".is-pair")),
            };
            on_size(Size { width: f64::from(w), height: f64::from(h), fit });
        }
    });
    let observer = ResizeObserver::new(report.as_ref().unchecked_ref());
    if let Ok(observer) = &observer {
        observer.observe(&root);
    }
    Box::new(move || {
        if let Ok(observer) = observer {
            observer.disconnect();
        }
        drop(report);
    })
}

fn watch_theme(probe: &NodeRef, painter: Slot, run: RunHandle) -> Box<dyn FnOnce()> {
    on_theme(probe, move |element| {
        if let Some((painter, _)) = &*painter.borrow() {
            painter.recolour(Palette::read(element));
            run.request_paint();
        }
    })
}

/// Calls back after each change of the theme, until the given function is called.
pub(crate) fn on_theme(probe: &NodeRef, then: impl Fn(&Element) + 'static) -> Box<dyn FnOnce()> {
    let Some(element) = probe.cast::<Element>() else { return Box::new(|| ()) };
    let read = element.clone();
    let changed = Closure::<dyn FnMut()>::new(move || then(&read));
    let listener = changed.as_ref().unchecked_ref();
    // It fails only for a missing event name.
    let _ = element.add_event_listener_with_callback("transitionend", listener);
    Box::new(move || {
        let listener = changed.as_ref().unchecked_ref();
        let _ = element.remove_event_listener_with_callback("transitionend", listener);
        drop(changed);
    })
}

/// Device pixels a pixel of the drawing; at most 3, beyond which nobody sees a difference but pays
/// for it.
pub(crate) fn pixel_ratio(canvas: &Element) -> f64 {
    let device = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
    (device * zoom(canvas)).clamp(1.0, 3.0)
}

/// Pixels of the window a pixel of the drawing: more than one in a presentation.
fn zoom(canvas: &Element) -> f64 {
    let (seen, own) = (canvas.get_bounding_client_rect().width(), canvas.client_width());
    if own > 0 && seen > 0.0 { seen / f64::from(own) } else { 1.0 }
}

/// A point of the window in the drawing.
pub(crate) fn point_in(canvas: &Element, x: i32, y: i32) -> (f64, f64) {
    let (rect, zoom) = (canvas.get_bounding_client_rect(), zoom(canvas));
    ((f64::from(x) - rect.left()) / zoom, (f64::from(y) - rect.top()) / zoom)
}
