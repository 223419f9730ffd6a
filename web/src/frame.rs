//! The one loop of animation frames of an element.
//!
//! It asks for the next frame only while something moves: the element plays and can be seen, or a
//! painter asked for one frame. Painters paint in each; the components are told at most ten times
//! a second while playing.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::run::RunHandle;

/// How often the components are drawn while time runs, in real milliseconds.
const HTML_EVERY_MS: f64 = 100.0;

/// How long after a frame's beginning the world stops running, in milliseconds.
const WORK_MS: f64 = 12.0;

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
    /// The longest time between two looks at the clock, slowly forgotten.
    longest_ms: Cell<f64>,
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
            longest_ms: Cell::new(0.0),
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

impl Inner {
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

fn now_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |p| p.now())
}

fn tick(inner: &Weak<Inner>, ms: f64) {
    let Some(inner) = inner.upgrade() else { return };
    inner.asked.set(None);
    let passed_ms = inner.last_ms.replace(Some(ms)).map_or(0.0, |last| ms - last);
    // Late is who would be late after one more piece of work like the longest lately.
    let (looked_ms, longest_ms) = (Cell::new(now_ms()), Cell::new(inner.longest_ms.get() * 0.9));
    let late = || {
        let now = now_ms();
        longest_ms.set(longest_ms.get().max(now - looked_ms.replace(now)));
        now + longest_ms.get() - ms > WORK_MS
    };
    // Milliseconds since the last frame, far below 2^53; negative never, but then zero.
    let moved = inner.run.session_mut().frame((passed_ms.max(0.0) * 1000.0) as u64, &late);
    inner.longest_ms.set(longest_ms.get());
    inner.run.paint();
    if !moved {
        inner.last_ms.set(None);
        return;
    }
    if ms - inner.told_ms.get() >= HTML_EVERY_MS {
        inner.told_ms.set(ms);
        (inner.on_change)();
    }
    inner.ask();
}
