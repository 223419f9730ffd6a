//! A modal dialog, so that the browser itself traps the focus and takes Escape.
//!
//! Its content is drawn with the page; whether it is open is the page's state. All dialogs are
//! this one component, because showing one takes an effect, and each component its kilobytes.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlElement};
use yew::{Callback, Html, Properties, function_component, use_effect_with, use_node_ref};

use crate::markup::html;

/// What a dialog needs.
#[derive(Clone, Properties)]
pub struct DialogProps {
    /// Its heading and name.
    pub title: &'static str,
    /// Whether it is open.
    pub open: bool,
    /// Called when the reader closes it.
    pub close: Callback<()>,
    /// What has the focus afterwards, where that is there; otherwise what had it before.
    #[prop_or_default]
    pub then: Option<&'static str>,
    /// What it holds.
    pub children: Html,
}

/// Never equal: what is in it cannot be compared, and is drawn only when it changed anyway.
impl PartialEq for DialogProps {
    fn eq(&self, _other: &DialogProps) -> bool {
        false
    }
}

/// The dialog.
#[function_component]
pub fn Dialog(props: &DialogProps) -> Html {
    let dialog = use_node_ref();
    {
        let (dialog, then) = (dialog.clone(), props.then);
        use_effect_with(props.open, move |open| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                match (*open, dialog.open()) {
                    // It fails only for a dialog that is open or not in the page.
                    (true, false) => drop(dialog.show_modal()),
                    (false, true) => {
                        dialog.close();
                        then.and_then(|then| focus(&dialog.parent_element()?, then));
                    }
                    _ => {}
                }
            }
        });
    }
    html! {
        <dialog
            ref={dialog} class="sheet" aria-label={props.title} onclose={props.close.reform(|_| ())}
        >
            <h2>{ props.title }</h2>
            { props.children.clone() }
            <form method="dialog"><button type="submit">{ "Close" }</button></form>
        </dialog>
    }
}

/// Gives the focus to what the selector finds first.
pub fn focus(root: &Element, selector: &str) -> Option<()> {
    let found = root.query_selector(selector).ok().flatten()?.dyn_into::<HtmlElement>().ok()?;
    found.focus().ok()
}
