//! What is in the element: header, stage, timeline, decision card and panels.

use std::rc::Rc;

use yew::{Callback, Html, Properties, function_component, html};

use crate::run::RunHandle;
use crate::stage::Stage;
use crate::state::Msg;
use crate::timeline::Timeline;

/// What the page is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct PageProps {
    /// The session.
    pub run: RunHandle,
    /// Changes whenever the session does.
    pub revision: u64,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The whole page of one element.
#[function_component]
pub fn Page(props: &PageProps) -> Html {
    let session = props.run.session();
    let state = session.state();
    let on = &props.on;
    html! {
        <div class="lab" data-theme={state.theme.name()}>
            <Stage
                snapshot={Rc::clone(session.snapshot())}
                run={props.run.clone()}
                playing={state.playing}
                selection={state.selection}
                on_action={on.reform(Msg::Act)}
                on_select={on.reform(Msg::Select)}
            />
            <Timeline
                run={props.run.clone()}
                now_us={session.snapshot().now_us}
                furthest_us={session.run().trace().furthest().0}
                on_seek={on.reform(Msg::Seek)}
                on_jump={on.reform(Msg::JumpToDecision)}
            />
        </div>
    }
}
