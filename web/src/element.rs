//! The element as JavaScript sees it: mounting, and the methods of the public interface.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Element, HtmlElement};
use yew::{AppHandle, Callback, Component, Context, Html, Properties, html};

use crate::frame::FrameLoop;
use crate::page::Page;
use crate::run::RunHandle;
use crate::session::Session;
use crate::state::Msg;
use crate::world::Scenario;

/// One mounted element.
#[wasm_bindgen]
pub struct Lab {
    inner: Rc<Inner>,
}

struct Inner {
    #[allow(dead_code)]
    host: HtmlElement,
    run: RunHandle,
    frames: RefCell<Option<FrameLoop>>,
    redraw: RefCell<Option<Callback<()>>>,
    app: RefCell<Option<AppHandle<App>>>,
}

#[wasm_bindgen]
impl Lab {
    /// Draws the lab into `root`, a node inside the shadow root of `host`.
    #[wasm_bindgen(constructor)]
    pub fn new(host: HtmlElement, root: Element) -> Lab {
        #[expect(clippy::expect_used, reason = "a placeholder until configure() reads attributes")]
        let scenario = Scenario::preset("short-blip").expect("a preset of our own");
        let run = RunHandle::new(Session::new(scenario));
        let inner = Rc::new(Inner {
            host,
            run: run.clone(),
            frames: RefCell::default(),
            redraw: RefCell::default(),
            app: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        let frames = FrameLoop::new(run.clone(), move || {
            if let Some(inner) = weak.upgrade() {
                inner.redraw();
            }
        });
        *inner.frames.borrow_mut() = Some(frames);
        let weak = Rc::downgrade(&inner);
        let on = Callback::from(move |msg| {
            if let Some(inner) = weak.upgrade() {
                inner.apply(msg);
            }
        });
        let weak = Rc::downgrade(&inner);
        let on_ready = Callback::from(move |redraw| {
            if let Some(inner) = weak.upgrade() {
                *inner.redraw.borrow_mut() = Some(redraw);
            }
        });
        let props = AppProps { run, on, on_ready };
        let app = yew::Renderer::<App>::with_root_and_props(root, props).render();
        *inner.app.borrow_mut() = Some(app);
        Lab { inner }
    }

    /// Whether it can be seen.
    pub fn set_visible(&self, visible: bool) {
        if let Some(frames) = &*self.inner.frames.borrow() {
            frames.set_visible(visible);
        }
    }

    /// Takes everything down.
    pub fn destroy(&self) {
        self.inner.frames.borrow_mut().take();
        self.inner.redraw.borrow_mut().take();
        if let Some(app) = self.inner.app.borrow_mut().take() {
            app.destroy();
        }
    }
}

impl Inner {
    fn apply(&self, msg: Msg) {
        // What was wrong is shown in the page.
        let _ = self.run.session_mut().apply(msg);
        self.redraw();
        if let Some(frames) = &*self.frames.borrow() {
            frames.wake();
        }
    }

    fn redraw(&self) {
        if let Some(redraw) = &*self.redraw.borrow() {
            redraw.emit(());
        }
    }
}

#[derive(Clone, PartialEq, Properties)]
struct AppProps {
    run: RunHandle,
    on: Callback<Msg>,
    on_ready: Callback<Callback<()>>,
}

struct App;

impl Component for App {
    type Message = ();
    type Properties = AppProps;

    fn create(ctx: &Context<App>) -> App {
        ctx.props().on_ready.emit(ctx.link().callback(|()| ()));
        App
    }

    fn update(&mut self, _ctx: &Context<App>, (): ()) -> bool {
        true
    }

    fn view(&self, ctx: &Context<App>) -> Html {
        let props = ctx.props();
        let run = props.run.renewed();
        let revision = run.session().state().revision;
        html! { <Page {run} {revision} on={props.on.clone()} /> }
    }
}
