//! The panels under the decision card: tabs as WAI-ARIA describes them, one panel at a time.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::{Callback, Html, NodeRef, Properties, classes, function_component, html, use_node_ref};

use super::console::Console;
use super::info::Info;
use super::settings::Settings;
use super::transcript::Transcript;
use crate::run::RunHandle;
use crate::state::{Msg, Tab};

/// What the panels need.
#[derive(Clone, PartialEq, Properties)]
pub struct PanelsProps {
    /// The session.
    pub run: RunHandle,
    /// Changes whenever the session does.
    pub revision: u64,
    /// The open one.
    pub tab: Tab,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The tabs and the open panel.
#[function_component]
pub fn Panels(props: &PanelsProps) -> Html {
    let (run, on, revision) = (props.run.clone(), props.on.clone(), props.revision);
    let panel = match props.tab {
        Tab::Transcript => html! { <Transcript {run} {revision} /> },
        Tab::Info => html! { <Info {run} {revision} {on} /> },
        Tab::Console => html! { <Console {run} {revision} {on} /> },
        Tab::Settings => html! { <Settings {run} {revision} {on} /> },
    };
    let list = use_node_ref();
    html! {
        <div class="panels">
            <div
                ref={list.clone()} class="tabs" role="tablist" aria-label="Panels"
                onkeydown={arrows(props, list)}
            >
                { for Tab::ALL.into_iter().map(|tab| tab_button(tab, props)) }
            </div>
            <div
                class={classes!("panel", id(props.tab))} role="tabpanel" id="panel" aria-labelledby={id(props.tab)}
                tabindex="0"
            >
                <section aria-label={props.tab.title()}>{ panel }</section>
            </div>
        </div>
    }
}

fn tab_button(tab: Tab, props: &PanelsProps) -> Html {
    let open = tab == props.tab;
    html! {
        <button
            type="button" role="tab" id={id(tab)} aria-selected={open.to_string()}
            aria-controls={open.then_some("panel")} tabindex={if open { "0" } else { "-1" }}
            onclick={props.on.reform(move |_| Msg::Open(tab))}
        >
            { tab.title() }
        </button>
    }
}

fn id(tab: Tab) -> &'static str {
    match tab {
        Tab::Transcript => "tab-transcript",
        Tab::Info => "tab-info",
        Tab::Console => "tab-console",
        Tab::Settings => "tab-settings",
    }
}

/// Arrow keys, Home and End move among the tabs and open them, as the pattern has it.
fn arrows(props: &PanelsProps, list: NodeRef) -> Callback<KeyboardEvent> {
    let (on, open) = (props.on.clone(), props.tab);
    Callback::from(move |event: KeyboardEvent| {
        let count = Tab::ALL.len();
        let here = Tab::ALL.iter().position(|tab| *tab == open).unwrap_or(0);
        let there = match event.key().as_str() {
            "ArrowRight" => (here + 1) % count,
            "ArrowLeft" => (here + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        on.emit(Msg::Open(Tab::ALL[there]));
        // Not the event's current target: that is the node at which Yew listens for everything.
        let list = list.cast::<HtmlElement>();
        let tab = list.and_then(|list| list.children().item(there as u32));
        if let Some(tab) = tab.and_then(|tab| tab.dyn_into::<HtmlElement>().ok()) {
            // It fails only where there is no focus to be had.
            let _ = tab.focus();
        }
    })
}
