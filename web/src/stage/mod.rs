//! The region "Replication map": dial, ruler, links and replica cards. A placeholder.

use std::rc::Rc;

use yew::{Callback, Html, Properties, function_component, html};

use crate::format::thousands;
use crate::run::RunHandle;
use crate::world::{Action, Snapshot};

/// What the stage needs.
#[derive(Clone, PartialEq, Properties)]
pub struct StageProps {
    /// The world now.
    pub snapshot: Rc<Snapshot>,
    /// For bytes under the pointer and for painting each frame.
    pub run: RunHandle,
    /// Whether time moves.
    pub playing: bool,
    /// Index in `snapshot.servers` of the server that is looked at.
    pub selection: Option<usize>,
    /// Somebody does something to the world.
    pub on_action: Callback<Action>,
    /// Somebody looks at another server.
    pub on_select: Callback<Option<usize>>,
}

/// The drawing of the world.
#[function_component]
pub fn Stage(props: &StageProps) -> Html {
    html! {
        <section class="stage" aria-label="Replication map">
            { for props.snapshot.servers.iter().map(|server| html! {
                <p>{ &server.name }{ " " }{ thousands(server.master_repl_offset) }</p>
            }) }
        </section>
    }
}
