//! The drawing area: the run, or two runs side by side on one clock.

use std::rc::Rc;

use yew::{Callback, Html, classes};

use crate::markup::html;
use crate::run::RunHandle;
use crate::session::Session;
use crate::stage::Stage;
use crate::stage::painting::marks::Marked;
use crate::state::Msg;
use crate::world::{Engine, Shown, Snapshot};

/// The drawing, and the one of the run beside it while two are compared.
pub fn sides(run: &RunHandle, session: &Session, on: &Callback<Msg>) -> Html {
    let state = session.state();
    let stage = |run: RunHandle, snapshot: &Rc<Snapshot>, engine: &'static Engine, beside: bool| {
        html! {
            <Stage
                snapshot={Shown(Rc::clone(snapshot))} {run} {engine} {beside}
                playing={state.playing} selection={state.selection} view={state.view}
                marked={Marked::of(session.marked())} on_view={on.reform(Msg::View)}
                on_action={on.reform(Msg::Act)} on_select={on.reform(Msg::Select)}
                on_inspect={on.reform(Msg::Inspect)}
            />
        }
    };
    let setup = session.setup();
    let other = session.beside().zip(session.difference());
    html! {
        <div class={classes!("map", other.map(|_| "is-pair"))}>
            <div class="half">
                if let Some((_, differs)) = other { { name("A", "as it is", &differs.words(Some(setup))) } }
                { stage(run.clone(), session.snapshot(), setup.engine(), false) }
            </div>
            if let Some(((snapshot, number), differs)) = other {
                <div class="half">
                    { name("B", "", &differs.words(None)) }
                    { stage(run.beside(number), snapshot, session.side(true).original().engine, true) }
                </div>
            }
        </div>
    }
}

/// Which side it is, and what it has that the other has not.
fn name(side: &'static str, words: &'static str, values: &str) -> Html {
    html! {
        <h2 class="side-name"><b>{ side }</b>{ " " }{ words }<span>{ values }</span></h2>
    }
}
