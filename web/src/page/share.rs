//! "Share": a link that opens the same scenario, with what was done to it, in the fragment.
//!
//! The fragment never leaves the visitor's browser: servers do not see it.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{FocusEvent, HtmlInputElement};
use yew::{Callback, Html, Properties, function_component, use_state};

use super::leaving::copy;
use crate::markup::html;
use crate::run::RunHandle;
use crate::state::Msg;

/// What the button needs.
#[derive(Clone, PartialEq, Properties)]
pub struct ShareProps {
    /// Whose scenario.
    pub run: RunHandle,
    /// For what is said to those who do not see.
    pub on: Callback<Msg>,
}

/// The button, and the link below it once it was pressed.
#[function_component]
pub fn Share(props: &ShareProps) -> Html {
    let link = use_state(|| None::<(String, &'static str)>);
    let onclick = {
        let (run, on, link) = (props.run.clone(), props.on.clone(), link.clone());
        move |_| {
            if link.is_some() {
                link.set(None);
                return;
            }
            let (on, link) = (on.clone(), link.clone());
            let text = fragment(&run.with(|run| run.scenario().to_json()));
            let text = format!("{}#{text}", here());
            spawn_local(async move {
                let said = match copy(&text).await {
                    Ok(()) => "Link copied.",
                    Err(_) => "Copy this link:",
                };
                on.emit(Msg::Announce(said.to_owned()));
                link.set(Some((text, said)));
            });
        }
    };
    let close = {
        let link = link.clone();
        move |_: FocusEvent| link.set(None)
    };
    let shown = (*link).clone().map(|(text, said)| {
        html! {
            <div class="shared" onfocusout={close}>
                <label for="share-link">{ said }</label>
                <input
                    id="share-link" type="text" readonly=true value={text}
                    onfocus={|event: FocusEvent| select_all(&event)}
                />
            </div>
        }
    });
    html! {
        <div class="share">
            <button
                type="button" class="strong" aria-expanded={link.is_some().to_string()} {onclick}
            >
                { "Share" }
            </button>
            { for shown }
        </div>
    }
}

/// `scenario=…`, safe inside a fragment.
#[must_use]
pub fn fragment(json: &str) -> String {
    let mut out = String::from("scenario=");
    for byte in json.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn here() -> String {
    let href = web_sys::window().and_then(|window| window.location().href().ok());
    let href = href.unwrap_or_default();
    // Keys of the query would be laid over the shared scenario: it stands alone.
    href.split(['#', '?']).next().unwrap_or_default().to_owned()
}

fn select_all(event: &FocusEvent) {
    if let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
        input.select();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_safe_in_any_link() {
        assert_eq!(fragment("{\"a\": \"b-1\"}"), "scenario=%7B%22a%22%3A%20%22b-1%22%7D");
    }
}
