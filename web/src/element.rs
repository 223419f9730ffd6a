//! The element as JavaScript sees it: mounting, and the methods of the public interface.
//!
//! `static/psync-lab.js` is the other half: it defines the custom element and makes these methods
//! async. Nothing here holds the session borrowed while foreign code runs.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use js_sys::{Array, Function};
use psync::cluster::share;
use psync::json;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, CustomEventInit, Element, HtmlElement, KeyboardEvent};
use yew::{AppHandle, AttrValue, Callback};

use crate::announce::Announcer;
use crate::app::{App, AppProps};
use crate::attributes::Wanted;
use crate::frame::FrameLoop;
use crate::run::RunHandle;
use crate::session::Session;
use crate::state::{Compare, Msg};
use crate::world::DecisionRecord;
use crate::{api, attributes, frame, keys, refusal, session};

/// One mounted element.
#[wasm_bindgen]
pub struct Lab {
    inner: Rc<Inner>,
}

type OnKey = Closure<dyn FnMut(KeyboardEvent)>;

struct Inner {
    me: Weak<Inner>,
    host: HtmlElement,
    root: Element,
    /// Packs what a link carries, and answers with [`Lab::packed`].
    pack: Function,
    run: RunHandle,
    frames: RefCell<Option<FrameLoop>>,
    redraw: RefCell<Option<Callback<()>>>,
    app: RefCell<Option<AppHandle<App>>>,
    announcer: RefCell<Announcer>,
    later: RefCell<Option<Timeout>>,
    keydown: RefCell<Option<OnKey>>,
    /// What attributes and URL said last, so that only a change loads anew.
    pairs: RefCell<Vec<attributes::Pair>>,
    /// What was understood of it.
    last: RefCell<Wanted>,
}

#[wasm_bindgen]
impl Lab {
    /// Draws the lab into `root`, a node inside the shadow root of `host`. `list` is what its
    /// attributes and the URL say: `[source, name, value]` each.
    ///
    /// # Errors
    ///
    /// When the core refuses even the default scenario.
    #[wasm_bindgen(constructor)]
    pub fn new(
        host: HtmlElement,
        root: Element,
        list: &Array,
        pack: Function,
    ) -> Result<Lab, JsValue> {
        let pairs = api::pairs(list);
        let wanted = attributes::read(&pairs).map_err(|why| api::error("psync-lab", &why))?;
        let run = RunHandle::new(Session::new(wanted.scenario.clone()));
        let nothing = attributes::read(&[]).map_err(|why| api::error("psync-lab", &why))?;
        let inner = Rc::new_cyclic(|me| Inner {
            me: Weak::clone(me),
            host,
            root,
            pack,
            run,
            frames: RefCell::default(),
            redraw: RefCell::default(),
            app: RefCell::default(),
            announcer: RefCell::default(),
            later: RefCell::default(),
            keydown: RefCell::default(),
            pairs: RefCell::new(pairs),
            last: RefCell::new(nothing),
        });
        inner.mount();
        inner.follow(wanted, true);
        Ok(Lab { inner })
    }

    /// Attributes or URL changed. Another run is begun when they ask for another one than before;
    /// what is wrong is told, and then the present one goes on.
    pub fn configure(&self, list: &Array) {
        let inner = &self.inner;
        let pairs = api::pairs(list);
        let before = inner.pairs.replace(pairs.clone());
        if before == pairs {
            return;
        }
        let wanted = match attributes::read(&pairs) {
            Ok(wanted) => wanted,
            Err(why) => return inner.ask(Msg::Complain(why)),
        };
        // What was wrong before and still is does not keep the rest from being followed.
        let known = inner.last.borrow().clone();
        let known = known.wrong.iter().zip(&known.complaints).collect::<Vec<_>>();
        let mut complaints = wanted.wrong.iter().zip(&wanted.complaints);
        let wrong = complaints.any(|complaint| !known.contains(&complaint));
        let opens = !wrong && attributes::differ(&before, &pairs);
        if opens {
            inner.ask(Msg::Load(Box::new(wanted.scenario.clone())));
        }
        inner.follow(wanted, opens);
    }

    /// Opens the text of a file; what is wrong with it is told on the page.
    pub fn open(&self, name: &str, text: String) {
        let opened = self.inner.run.session_mut().apply(Msg::OpenFile(text));
        match opened {
            Ok(()) => {
                self.inner.ask(Msg::Dismiss);
                self.inner.ask(Msg::Announce(format!("{name} was opened.")));
            }
            Err(why) => self.refuse(name, &why),
        }
    }

    /// What the script packed for "Share"; nothing where that failed.
    pub fn packed(&self, letters: &str) {
        let link = if letters.is_empty() { String::new() } else { share::link(letters) };
        self.inner.ask(Msg::Packed(link));
    }

    /// A file that cannot be read; the run goes on.
    pub fn refuse(&self, name: &str, why: &str) {
        self.inner.ask(Msg::Complain(format!("{name} was not opened: {why}")));
    }

    /// Whether it can be seen.
    pub fn set_visible(&self, visible: bool) {
        if let Some(frames) = &*self.inner.frames.borrow() {
            frames.set_visible(visible);
        }
    }

    /// Takes everything down.
    pub fn destroy(&self) {
        let inner = &self.inner;
        inner.frames.borrow_mut().take();
        inner.redraw.borrow_mut().take();
        inner.later.borrow_mut().take();
        if let Some(keydown) = inner.keydown.borrow_mut().take() {
            let function = keydown.as_ref().unchecked_ref();
            // It fails only for a listener that was never there.
            let _ = inner.root.remove_event_listener_with_callback("keydown", function);
        }
        let app = inner.app.borrow_mut().take();
        if let Some(app) = app {
            app.destroy();
        }
    }

    /// `snapshot()`.
    ///
    /// # Errors
    ///
    /// When a number is too large for JavaScript.
    pub fn snapshot(&self) -> Result<JsValue, JsValue> {
        let session = self.inner.run.session();
        let paused = !session.state().playing;
        api::plain("snapshot()", &api::SnapshotOut { paused, snapshot: session.snapshot() })
    }

    /// `decisions()`: those until now, oldest first.
    ///
    /// # Errors
    ///
    /// When a number is too large for JavaScript.
    pub fn decisions(&self) -> Result<JsValue, JsValue> {
        let session = self.inner.run.session();
        let now = session.snapshot().now_us;
        let all = session.run().trace().decisions();
        let until = all.partition_point(|decision| decision.at_us <= now);
        api::plain("decisions()", &all[..until])
    }

    /// `act(action)`.
    ///
    /// # Errors
    ///
    /// When it is no action, or the world refuses it.
    pub fn act(&self, action: &JsValue) -> Result<(), JsValue> {
        self.inner.apply("act(action)", Msg::Act(api::action(action)?))
    }

    /// `play()`.
    ///
    /// # Errors
    ///
    /// None.
    pub fn play(&self) -> Result<(), JsValue> {
        self.inner.apply("play()", Msg::Play)
    }

    /// `pause()`.
    ///
    /// # Errors
    ///
    /// None.
    pub fn pause(&self) -> Result<(), JsValue> {
        self.inner.apply("pause()", Msg::Pause)
    }

    /// `step()`.
    ///
    /// # Errors
    ///
    /// None.
    pub fn step(&self) -> Result<(), JsValue> {
        self.inner.apply("step()", Msg::Step)
    }

    /// `seek(us)`.
    ///
    /// # Errors
    ///
    /// When `us` is no moment, or more than a day after the latest one reached.
    pub fn seek(&self, us: &JsValue) -> Result<(), JsValue> {
        const METHOD: &str = "seek(us)";
        let us = api::microseconds(METHOD, us)?;
        let furthest = self.inner.run.with_trace(|trace| trace.furthest().0);
        api::not_too_long(METHOD, us.saturating_sub(furthest))?;
        self.inner.apply(METHOD, Msg::Seek(us))
    }

    /// `advance(us)`.
    ///
    /// # Errors
    ///
    /// When `us` is no time, or more than a day.
    pub fn advance(&self, us: &JsValue) -> Result<(), JsValue> {
        const METHOD: &str = "advance(us)";
        let us = api::microseconds(METHOD, us)?;
        api::not_too_long(METHOD, us)?;
        self.inner.apply(METHOD, Msg::Advance(us))
    }

    /// `scenario()`: with the actions made so far.
    ///
    /// # Errors
    ///
    /// When a number is too large for JavaScript.
    pub fn scenario(&self) -> Result<JsValue, JsValue> {
        let text = self.inner.run.with(|run| run.scenario().to_json());
        api::parsed("scenario()", &text)
    }

    /// `load(scenario)`: afresh, paused.
    ///
    /// # Errors
    ///
    /// When it is no scenario.
    pub fn load(&self, scenario: &JsValue) -> Result<(), JsValue> {
        let scenario = Box::new(api::scenario(scenario)?);
        self.inner.apply("load(scenario)", Msg::Load(scenario))
    }
}

/// The letters that carry the run in the string of a link.
///
/// # Errors
///
/// When it is none of this version, or has letters that no link has.
#[wasm_bindgen]
pub fn letters(link: &str) -> Result<String, JsValue> {
    let letters = share::letters(link).map(str::to_owned);
    letters.map_err(|why| js_sys::Error::new(&why.to_string()).into())
}

/// The string of the link that a file holds, where it is no run itself.
#[wasm_bindgen]
#[must_use]
pub fn link_in(text: &str) -> Option<String> {
    session::link_in(text).map(str::to_owned)
}

impl Inner {
    fn mount(&self) {
        let weak = Weak::clone(&self.me);
        let tell = move || {
            if let Some(inner) = weak.upgrade() {
                inner.changed();
            }
        };
        *self.frames.borrow_mut() = Some(FrameLoop::new(self.run.clone(), tell));
        let weak = Weak::clone(&self.me);
        let on = Callback::from(move |msg| {
            if let Some(inner) = weak.upgrade() {
                inner.ask(msg);
            }
        });
        let weak = Weak::clone(&self.me);
        let on_ready = Callback::from(move |redraw| {
            if let Some(inner) = weak.upgrade() {
                *inner.redraw.borrow_mut() = Some(redraw);
            }
        });
        let said = |name| AttrValue::from(self.root.get_attribute(name).unwrap_or_default());
        let (beside, home) = (said("data-beside"), said("data-home"));
        let props = AppProps { run: self.run.clone(), beside, home, on, on_ready };
        let app = yew::Renderer::<App>::with_root_and_props(self.root.clone(), props).render();
        *self.app.borrow_mut() = Some(app);
        self.listen();
    }

    /// Keys count where the focus is: inside this element, and not in a field.
    fn listen(&self) {
        let weak = Weak::clone(&self.me);
        let keydown = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
            let Some(inner) = weak.upgrade() else { return };
            if event.ctrl_key() || event.alt_key() || event.meta_key() || taken(&event) {
                return;
            }
            let mut key = event.key();
            // With shift the arrows move the timeline.
            if event.shift_key() && key.starts_with("Arrow") {
                key.insert_str(0, "Shift");
            }
            let msg = keys::msg(&key, inner.run.session().state());
            if let Some(msg) = msg {
                event.prevent_default();
                inner.ask(msg);
            }
        });
        let function = keydown.as_ref().unchecked_ref();
        // It fails never for a node and a function.
        let _ = self.root.add_event_listener_with_callback("keydown", function);
        *self.keydown.borrow_mut() = Some(keydown);
    }

    /// What attributes and URL want besides the scenario itself, where that changed.
    fn follow(&self, wanted: Wanted, opened: bool) {
        let last = self.last.replace(wanted.clone());
        if wanted.theme != last.theme {
            self.ask(Msg::Theme(wanted.theme));
        }
        if let Some(lesson) = wanted.lesson.filter(|_| opened) {
            self.ask(Msg::Lesson(lesson));
        }
        if wanted.presentation != last.presentation {
            self.ask(Msg::Presentation(wanted.presentation));
        }
        if let Some(root) = self.root.dyn_ref::<HtmlElement>().filter(|_| wanted.presentation) {
            // So that the presenter's keys come here; it fails only where there is no focus.
            let _ = root.focus();
        }
        if let Some(speed) = wanted.speed.filter(|_| wanted.speed != last.speed) {
            self.ask(Msg::Speed(speed));
        }
        if let Some(at_us) = wanted.at_us.filter(|_| opened) {
            self.ask(Msg::Seek(at_us));
        }
        if opened || wanted.compare != last.compare {
            self.ask(Msg::Compare(wanted.compare.map_or(Compare::Close, Compare::With)));
        }
        let still = frame::still().is_some_and(|query| query.matches());
        if opened && wanted.autoplay && !still {
            self.ask(Msg::Play);
        }
        // A complaint about what has been mended meanwhile would be wrong.
        self.ask(match wanted.complaints.is_empty() {
            true => Msg::Dismiss,
            false => Msg::Complain(wanted.complaints.join(" ")),
        });
    }

    /// Somebody at the page asks for something: what is wrong is shown there.
    fn ask(&self, msg: Msg) {
        let done = self.run.session_mut().apply(msg);
        let to_pack = self.run.session_mut().to_pack();
        if let Some(text) = to_pack {
            // The script answers with `packed`, whatever happens there.
            let _ = self.pack.call1(&JsValue::NULL, &text.into());
        }
        if let Err(why) = done {
            let complaint = refusal::in_words(&why);
            let complained = self.run.session_mut().apply(Msg::Complain(complaint));
            debug_assert!(complained.is_ok(), "complaining always works");
        }
        self.changed();
        self.wake();
    }

    /// A script asks for something: what is wrong is its caller's.
    fn apply(&self, method: &str, msg: Msg) -> Result<(), JsValue> {
        let done = self.run.session_mut().apply(msg);
        self.changed();
        self.wake();
        done.map_err(|why| api::error(method, &why))
    }

    fn wake(&self) {
        if let Some(frames) = &*self.frames.borrow() {
            frames.wake();
        }
    }

    /// The session changed: tells components, scripts and the live region.
    fn changed(&self) {
        let news = self.run.session_mut().news();
        for decision in &news.decisions {
            self.announcer.borrow_mut().decision(decision);
            self.tell_decision(decision);
        }
        for (replica, state) in &news.links {
            self.announcer.borrow_mut().link(replica, *state);
        }
        for replica in &news.overruns {
            self.announcer.borrow_mut().overrun(replica);
        }
        for text in &news.actions {
            self.announcer.borrow_mut().action(text);
        }
        if let Some(says) = news.lesson {
            self.announcer.borrow_mut().lesson(says);
        }
        if let Some(message) = news.complaint {
            let detail = json::object(&mut [("message", message.into())]);
            self.tell("psync-error", &api::value(&detail));
        }
        let (now_us, paused) = {
            let session = self.run.session();
            (session.snapshot().now_us, !session.state().playing)
        };
        let detail = json::object(&mut [("now_us", now_us.into()), ("paused", paused.into())]);
        self.tell("psync-change", &api::value(&detail));
        self.announce();
        self.redraw();
    }

    fn announce(&self) {
        let Some(now_ms) = web_sys::window().and_then(|w| w.performance()).map(|p| p.now()) else {
            return;
        };
        let sentence = self.announcer.borrow_mut().take(now_ms);
        if let Some(sentence) = sentence {
            let said = self.run.session_mut().apply(Msg::Announce(sentence));
            debug_assert!(said.is_ok(), "announcing always works");
        }
        let waits = self.announcer.borrow().waits();
        let mut later = self.later.borrow_mut();
        if waits && later.is_none() {
            let me = Weak::clone(&self.me);
            *later = Some(Timeout::new(1000, move || {
                if let Some(inner) = me.upgrade() {
                    inner.later.borrow_mut().take();
                    inner.announce();
                    inner.redraw();
                }
            }));
        }
    }

    fn redraw(&self) {
        let redraw = self.redraw.borrow().clone();
        if let Some(redraw) = redraw {
            redraw.emit(());
        }
    }

    fn tell_decision(&self, decision: &DecisionRecord) {
        let detail = api::plain("psync-decision", decision).unwrap_or(JsValue::NULL);
        self.tell("psync-decision", &detail);
    }

    fn tell(&self, name: &str, detail: &JsValue) {
        let init = CustomEventInit::new();
        init.set_bubbles(true);
        init.set_composed(true);
        init.set_detail(detail);
        if let Ok(event) = CustomEvent::new_with_event_init_dict(name, &init) {
            // The answer says whether somebody called preventDefault, which means nothing here.
            let _ = self.host.dispatch_event(&event);
        }
    }
}

/// Whether what has the focus needs this key itself: text fields need all of them, buttons the
/// space bar, sliders and tabs the arrows.
fn taken(event: &KeyboardEvent) -> bool {
    let Ok(target) = event.composed_path().get(0).dyn_into::<Element>() else { return false };
    let key = event.key();
    let role = target.get_attribute("role").unwrap_or_default();
    match target.tag_name().to_ascii_lowercase().as_str() {
        "input" if target.get_attribute("type").as_deref() == Some("range") => {
            key.starts_with("Arrow")
        }
        "input" | "textarea" | "select" => true,
        "button" | "a" | "summary" => {
            key == " " || key == "Enter" || (role == "tab" && key.starts_with("Arrow"))
        }
        _ => !role.is_empty() && (key == " " || key.starts_with("Arrow")) && role != "region",
    }
}
