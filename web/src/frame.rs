//! The one loop of animation frames of an element.
//!
//! It asks for the next frame only while something moves: the element plays and can be seen, or a
//! painter asked for one frame. Painters paint in each; the components are told ten times a second
//! while playing, and in the very frame of a decision, but of a storm of decisions no more than
//! that again. Who wants things to hold still gets key frames: two a second, and one at each
//! decision; time goes by as ever, but nothing sweeps.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::MediaQueryList;

use crate::run::RunHandle;

/// How often the components are drawn while time runs, in real milliseconds.
const HTML_EVERY_MS: f64 = 100.0;

/// How long a frame may take with all its work, in milliseconds; a screen shows 60 in a second.
const FRAME_MS: f64 = 13.0;

/// How long the world may run in every frame, whatever else there is to do.
const LEAST_WORK_MS: f64 = 3.0;
/// How often anything is drawn while time runs, for those who want it to hold still.
const KEY_FRAME_MS: f64 = 500.0;

/// The loop of one element; it ends when this is dropped.
pub struct FrameLoop {
    inner: Rc<Inner>,
}

type OnFrame = Closure<dyn FnMut(f64)>;

struct Inner {
    run: RunHandle,
    visible: Cell<bool>,
    asked: Cell<Option<i32>>,
    last_ms: Cell<Option<f64>>,
    told_ms: Cell<f64>,
    /// The same because of a decision.
    decided_ms: Cell<f64>,
    /// The decision shown last, by its number in the trace.
    decision: Cell<Option<u64>>,
    /// The longest time between two looks at the clock, slowly forgotten.
    longest_ms: Cell<f64>,
    /// How long the painters and the components took last.
    paint_ms: Cell<f64>,
    html_ms: Cell<f64>,
    still: Option<MediaQueryList>,
    /// When something was painted last.
    painted_ms: Cell<f64>,
    closure: RefCell<Option<OnFrame>>,
    on_change: Box<dyn Fn()>,
}

impl FrameLoop {
    /// A loop over `run`. `on_change` is called when the components should be drawn.
    pub fn new(run: RunHandle, on_change: impl Fn() + 'static) -> FrameLoop {
        let inner = Rc::new(Inner {
            run: run.clone(),
            visible: Cell::new(false),
            asked: Cell::new(None),
            last_ms: Cell::new(None),
            told_ms: Cell::new(0.0),
            decided_ms: Cell::new(0.0),
            decision: Cell::new(None),
            longest_ms: Cell::new(0.0),
            paint_ms: Cell::new(0.0),
            html_ms: Cell::new(0.0),
            still: still(),
            painted_ms: Cell::new(0.0),
            closure: RefCell::new(None),
            on_change: Box::new(on_change),
        });
        let weak = Rc::downgrade(&inner);
        *inner.closure.borrow_mut() = Some(Closure::new(move |ms: f64| tick(&weak, ms)));
        let weak = Rc::downgrade(&inner);
        run.on_wake(move || {
            if let Some(inner) = weak.upgrade() {
                inner.ask();
            }
        });
        FrameLoop { inner }
    }

    /// Whether the element can be seen; it does not move when it cannot.
    pub fn set_visible(&self, visible: bool) {
        self.inner.visible.set(visible);
        // Time away is not made up for.
        self.inner.last_ms.set(None);
        if visible {
            self.inner.ask();
        }
    }

    /// Paints soon, and goes on if time runs.
    pub fn wake(&self) {
        self.inner.ask();
    }
}

impl Drop for FrameLoop {
    fn drop(&mut self) {
        self.inner.run.sleep();
        if let (Some(id), Some(window)) = (self.inner.asked.take(), web_sys::window()) {
            // It fails only for a number that is none.
            let _ = window.cancel_animation_frame(id);
        }
    }
}

/// What is asked of the system, to be asked again at each frame: it may change at any time.
pub(crate) fn still() -> Option<MediaQueryList> {
    web_sys::window()?.match_media("(prefers-reduced-motion: reduce)").ok()?
}

impl Inner {
    /// Whether another decision is shown than in the last frame.
    fn decides(&self) -> bool {
        let shown = self.run.session().decision().map(|(_, decision)| decision.seq);
        self.decision.replace(shown) != shown
    }

    fn holds_still(&self) -> bool {
        self.still.as_ref().is_some_and(MediaQueryList::matches)
    }

    fn ask(&self) {
        if !self.visible.get() || self.asked.get().is_some() {
            return;
        }
        let (Some(window), Some(closure)) = (web_sys::window(), &*self.closure.borrow()) else {
            return;
        };
        let function: &JsValue = closure.as_ref();
        if let Ok(id) = window.request_animation_frame(function.unchecked_ref()) {
            self.asked.set(Some(id));
        }
    }
}

/// Real milliseconds since the page was opened.
pub(crate) fn now_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |p| p.now())
}

fn tick(inner: &Weak<Inner>, ms: f64) {
    let Some(inner) = inner.upgrade() else { return };
    inner.asked.set(None);
    let passed_ms = inner.last_ms.replace(Some(ms)).map_or(0.0, |last| ms - last);
    let tells = ms - inner.told_ms.get() >= HTML_EVERY_MS;
    let html_ms = if tells { inner.html_ms.get() } else { 0.0 };
    let work_ms = (FRAME_MS - inner.paint_ms.get() - html_ms).max(LEAST_WORK_MS);
    // Late is who would be late after one more piece of work like the longest lately.
    let began_ms = now_ms();
    let (looked_ms, longest_ms) = (Cell::new(began_ms), Cell::new(inner.longest_ms.get() * 0.9));
    let late = || {
        let now = now_ms();
        longest_ms.set(longest_ms.get().max(now - looked_ms.replace(now)));
        now + longest_ms.get() - began_ms > work_ms
    };
    // Milliseconds since the last frame, far below 2^53; negative never, but then zero.
    let moved = inner.run.session_mut().frame((passed_ms.max(0.0) * 1000.0) as u64, &late);
    inner.longest_ms.set(longest_ms.get());
    let decides = inner.decides();
    let key = decides || ms - inner.painted_ms.get() >= KEY_FRAME_MS;
    if moved && inner.holds_still() && !key {
        inner.ask();
        return;
    }
    inner.painted_ms.set(ms);
    let painted_ms = now_ms();
    inner.run.paint();
    inner.paint_ms.set(now_ms() - painted_ms);
    if !moved {
        inner.last_ms.set(None);
        return;
    }
    let decides = decides && ms - inner.decided_ms.get() >= HTML_EVERY_MS;
    if decides {
        inner.decided_ms.set(ms);
    }
    if tells || decides || inner.holds_still() {
        inner.told_ms.set(ms);
        let told_ms = now_ms();
        (inner.on_change)();
        // The components are drawn after this, and what is asked for here runs behind that.
        let inner = Rc::clone(&inner);
        spawn_local(async move { inner.html_ms.set(now_ms() - told_ms) });
    }
    inner.ask();
}
