//! The root of the component tree: draws the page anew whenever it is told that the session
//! changed.

use yew::{AttrValue, Callback, Component, Context, Html, Properties};

use crate::page::{PageProps, page};
use crate::run::RunHandle;
use crate::state::Msg;

/// What the element gives it.
#[derive(Clone, PartialEq, Properties)]
pub struct AppProps {
    /// The session.
    pub run: RunHandle,
    /// Where the site's other files are: the address in front of their names.
    pub beside: AttrValue,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
    /// Called once, with what draws the page anew.
    pub on_ready: Callback<Callback<()>>,
}

/// The root component.
pub struct App;

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
        let beside = props.beside.clone();
        page(&PageProps { run, revision, beside, on: props.on.clone() })
    }
}
