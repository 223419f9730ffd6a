//! The panel "Console": real commands on any server of the world.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, HtmlSelectElement, InputEvent, KeyboardEvent, SubmitEvent};
use yew::{
    Callback, Html, Properties, UseStateHandle, function_component, use_state, use_state_eq,
};

use super::completion::{completion, hint};
use crate::format::server_title;
use crate::markup::html;
use crate::run::RunHandle;
use crate::session::Session;
use crate::state::Msg;

/// What the panel needs.
#[derive(Clone, PartialEq, Properties)]
pub struct ConsoleProps {
    /// The session.
    pub run: RunHandle,
    /// Changes whenever the session does.
    pub revision: u64,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The lines so far, and the line to type.
#[function_component]
pub fn Console(props: &ConsoleProps) -> Html {
    let text = use_state_eq(String::new);
    // How far back in the history: 0 is the line being typed.
    let back = use_state(|| 0_usize);
    let session = props.run.session();
    let state = session.state();
    let count = session.snapshot().servers.len();
    let chosen = state.selection.filter(|n| *n < count).unwrap_or(0);

    let onsubmit = {
        let (on, text, back) = (props.on.clone(), text.clone(), back.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on.emit(Msg::Command { server: chosen, line: (*text).clone() });
            text.set(String::new());
            back.set(0);
        })
    };
    let oninput = {
        let text = text.clone();
        Callback::from(move |event: InputEvent| {
            let input = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            text.set(input.map(|input| input.value()).unwrap_or_default());
        })
    };
    let onkeydown = {
        let typed: Vec<String> = state.console.iter().rev().map(|l| l.command.clone()).collect();
        let (text, back) = (text.clone(), back.clone());
        Callback::from(move |event: KeyboardEvent| {
            let there = match event.key().as_str() {
                "ArrowUp" => (*back + 1).min(typed.len()),
                "ArrowDown" => back.saturating_sub(1),
                // At the end of the line there is nowhere to go but on, as in a good shell.
                "ArrowRight" | "End" => return complete(&event, &text),
                _ => return,
            };
            event.prevent_default();
            back.set(there);
            text.set(there.checked_sub(1).map(|n| typed[n].clone()).unwrap_or_default());
        })
    };
    html! {
        <div class="console">
            <div class="lines" role="log" aria-label="Replies" tabindex="0"><ol>
                if state.console.is_empty() {
                    <li class="hint">
                        { "Try " }<code>{ "SET greeting hello" }</code>{ ", " }
                        <code>{ "INFO replication" }</code>{ " or " }<code>{ "ROLE" }</code>{ "." }
                    </li>
                }
                { for state.console.iter().rev().map(|line| html! {
                    <li key={line.number}>
                        <span class="prompt">{ format!("{}> {}", line.server, line.command) }</span>
                        <pre>{ &line.reply }</pre>
                    </li>
                }) }
            </ol></div>
            <form {onsubmit}>
                { servers(&session, chosen, &props.on) }
                <input
                    type="text" aria-label="Command" placeholder="SET key value"
                    autocomplete="off" autocapitalize="off" spellcheck="false"
                    aria-describedby="syntax"
                    value={(*text).clone()} {oninput} {onkeydown}
                />
                <button type="submit">{ "Run" }</button>
                <output id="syntax" class="syntax">{ under(&text) }</output>
            </form>
        </div>
    }
}

/// The choice of the server looked at.
pub fn servers(session: &Session, chosen: usize, on: &Callback<Msg>) -> Html {
    let onchange = on.reform(|event: Event| {
        let select = event.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
        Msg::Select(select.and_then(|select| select.value().parse().ok()))
    });
    html! {
        <select aria-label="Server" {onchange}>
            { for session.snapshot().servers.iter().enumerate().map(|(n, server)| html! {
                <option value={n.to_string()} selected={n == chosen}>
                    { server_title(&server.name) }
                </option>
            }) }
        </select>
    }
}

/// Takes the name that the line could become, when the cursor stands at its end.
fn complete(event: &KeyboardEvent, text: &UseStateHandle<String>) {
    let input = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    let at = input.and_then(|input| input.selection_start().ok().flatten());
    let at_end = at.is_some_and(|at| at as usize == text.encode_utf16().count());
    if let Some(name) = completion(text).filter(|_| at_end) {
        event.prevent_default();
        text.set(format!("{name} "));
    }
}

/// What stands under the line: the arguments, or what `→` would make of it.
fn under(line: &str) -> String {
    match (hint(line), completion(line)) {
        (Some(syntax), _) => format!("{} {}", syntax.name, syntax.arguments),
        (None, Some(name)) => format!("\u{2192} {name}"),
        (None, None) => String::new(),
    }
}
