//! The panels under the decision card: tabs as WAI-ARIA describes them, one panel at a time.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::{AttrValue, Callback, Html, classes};

use super::console::Console;
use super::info::info;
use super::inspector::inspector;
use super::settings::settings;
use super::transcript::following::Following;
use super::transcript::transcript;
use crate::markup::html;
use crate::run::RunHandle;
use crate::state::{Msg, Tab};

/// What the panels need.
pub struct PanelsProps {
    /// The session.
    pub run: RunHandle,
    /// Changes whenever the session does.
    pub revision: u64,
    /// The open one.
    pub tab: Tab,
    /// Where the site's other files are.
    pub beside: AttrValue,
    /// What keeps the transcript at the cursor.
    pub following: Rc<Following>,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The tabs and the open panel.
pub fn panels(props: &PanelsProps) -> Html {
    let (run, on) = (&props.run, &props.on);
    let panel = match props.tab {
        Tab::Transcript => transcript(run, on, &props.following),
        Tab::Info => info(run, on),
        Tab::Console => html! {
            <Console run={run.clone()} revision={props.revision} on={on.clone()} />
        },
        Tab::Inspector => inspector(run, on),
        Tab::Settings => settings(run, on, &props.beside),
    };
    html! {
        <div class="panels">
            <div class="tabs" role="tablist" aria-label="Panels" onkeydown={arrows(props)}>
                { for Tab::ALL.into_iter().map(|tab| tab_button(tab, props)) }
            </div>
            // Each tab has a panel of its own, or one would begin where another was scrolled to.
            <div
                key={id(props.tab)} class={classes!("panel", id(props.tab))} role="tabpanel" id="panel" aria-labelledby={id(props.tab)}
                tabindex="0" data-place={(props.tab == Tab::Transcript).then_some("transcript")}
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
        Tab::Inspector => "tab-inspector",
        Tab::Settings => "tab-settings",
    }
}

/// Arrow keys, Home and End move among the tabs and open them, as the pattern has it.
fn arrows(props: &PanelsProps) -> Callback<KeyboardEvent> {
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
        let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let list = pressed.and_then(|tab| tab.parent_element());
        let tab = list.and_then(|list| list.children().item(there as u32));
        if let Some(tab) = tab.and_then(|tab| tab.dyn_into::<HtmlElement>().ok()) {
            // It fails only where there is no focus to be had.
            let _ = tab.focus();
        }
    })
}
