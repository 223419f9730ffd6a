//! The root of the component tree: draws the page anew whenever it is told that the session
//! changed.

use std::rc::Rc;

use yew::{AttrValue, Callback, Component, Context, Html, Properties};

use crate::page::{Following, PageProps, page};
use crate::run::RunHandle;
use crate::state::Msg;

/// What the element gives it.
#[derive(Clone, PartialEq, Properties)]
pub struct AppProps {
    /// The session.
    pub run: RunHandle,
    /// Where the site's other files are: the address in front of their names.
    pub beside: AttrValue,
    /// The address that a shared link begins with.
    pub home: AttrValue,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
    /// Called once, with what draws the page anew.
    pub on_ready: Callback<Callback<()>>,
}

/// The root component.
#[derive(Default)]
pub struct App {
    following: Rc<Following>,
}

impl Component for App {
    type Message = ();
    type Properties = AppProps;

    fn create(ctx: &Context<App>) -> App {
        ctx.props().on_ready.emit(ctx.link().callback(|()| ()));
        App::default()
    }

    fn update(&mut self, _ctx: &Context<App>, (): ()) -> bool {
        true
    }

    fn view(&self, ctx: &Context<App>) -> Html {
        let props = ctx.props();
        let run = props.run.renewed();
        let revision = run.session().state().revision;
        let (beside, home) = (props.beside.clone(), props.home.clone());
        let following = Rc::clone(&self.following);
        page(&PageProps { run, revision, beside, home, following, on: props.on.clone() })
    }

    fn rendered(&mut self, ctx: &Context<App>, _first: bool) {
        let session = ctx.props().run.session();
        self.following.look(session.snapshot().now_us, session.state().playing);
    }
}
