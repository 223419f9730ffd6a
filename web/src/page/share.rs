//! "Share": a link that opens this run at this moment, or a file where a link would be too long.
//!
//! The run is in the fragment of the link, which never leaves the visitor's browser: servers do
//! not see it. Files are opened by `static/psync-lab.js`, chosen here or dropped on the element.

use psync::cluster::share::LONGEST_LINK;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, FocusEvent, HtmlElement, HtmlInputElement, MouseEvent};
use yew::{AttrValue, Callback, Html};

use super::leaving;
use crate::format::thousands;
use crate::markup::html;
use crate::session::KEY;
use crate::state::{Msg, Sharing};

/// What the dialog needs.
#[derive(PartialEq)]
pub struct ShareProps {
    /// What is given away.
    pub sharing: Sharing,
    /// The address before the fragment.
    pub home: AttrValue,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// What stands in the dialog.
pub fn share(props: &ShareProps) -> Html {
    let ShareProps { sharing, home, on } = props;
    let link = format!("{home}#{KEY}{}", sharing.code);
    let long = link.len() > LONGEST_LINK;
    let save = {
        let (name, file) = (sharing.name.clone(), sharing.file.clone());
        on.reform(move |_: MouseEvent| match leaving::save(&name, "application/json", &file) {
            Ok(()) => Msg::Announce(format!("{name} was saved.")),
            Err(_) => Msg::Complain(format!("The browser did not save {name}.")),
        })
    };
    html! {
        <div class="share">
            { match sharing.code.is_empty() {
                true => Html::default(),
                false if long => too_long(link.len()),
                false => as_link(link, sharing.copied, on),
            } }
            <dl class="carries">
                { for sharing.carries.iter().map(|(name, value)| html! {
                    <div><dt>{ *name }</dt><dd>{ value }</dd></div>
                }) }
            </dl>
            <div class="files">
                <button type="button" class={(long || sharing.code.is_empty()).then_some("strong")} onclick={save}>
                    { "Save as file" }
                </button>
                <button type="button" onclick={|event: MouseEvent| ask_for_file(&event)}>
                    { "Open file\u{2026}" }
                </button>
                <input type="file" hidden=true />
                <span>{ "or drop one on the lab" }</span>
            </div>
        </div>
    }
}

fn as_link(link: String, copied: Option<bool>, on: &Callback<Msg>) -> Html {
    let said = match copied {
        None => "Opens paused at this moment. The run itself is in the link.",
        Some(true) => "Copied.",
        Some(false) => "The browser does not let the page copy: choose the link and copy it.",
    };
    let copy = {
        let (on, link) = (on.clone(), link.clone());
        move |_: MouseEvent| {
            let (on, link) = (on.clone(), link.clone());
            spawn_local(async move { on.emit(Msg::Copied(leaving::copy(&link).await.is_ok())) });
        }
    };
    html! {
        <>
            <div class="link">
                <input
                    id="share-link" type="text" readonly=true aria-label="Link" value={link}
                    onfocus={|event: FocusEvent| select_all(&event)}
                />
                <button type="button" class="strong" onclick={copy}>{ "Copy link" }</button>
            </div>
            <p class="said" role="status">{ said }</p>
        </>
    }
}

fn too_long(letters: usize) -> Html {
    html! {
        <p class="too-long">
            { "As a link this would be " }<b>{ thousands(letters as u64) }</b>
            { " letters long. Mailers and chats cut what is longer than " }
            { thousands(LONGEST_LINK as u64) }
            { ", so it is offered as a file, which carries the same." }
        </p>
    }
}

/// The field beside the button has the browser's dialog; its own face says "No file chosen".
fn ask_for_file(event: &MouseEvent) {
    let button = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let field = button.and_then(|button| button.next_element_sibling());
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        field.click();
    }
}

fn select_all(event: &FocusEvent) {
    if let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
        // Backward, so that its beginning is what is seen of it; it fails never for a text field.
        let all = input.value().len() as u32;
        let _ = input.set_selection_range_with_direction(0, all, "backward");
        input.set_scroll_left(0);
    }
}
