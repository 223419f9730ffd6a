//! The sheet of keys: a modal dialog, so that the browser itself traps the focus and takes Escape.

use web_sys::HtmlDialogElement;
use yew::{
    AttrValue, Callback, Html, Properties, function_component, html, use_effect_with, use_node_ref,
};

use super::proven::proven;
use crate::keys::SHEET;
use crate::state::Msg;

/// What the sheet needs.
#[derive(Clone, PartialEq, Properties)]
pub struct SheetProps {
    /// Whether it is open.
    pub open: bool,
    /// Where the site's other files are.
    pub beside: AttrValue,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The dialog.
#[function_component]
pub fn Sheet(props: &SheetProps) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with(props.open, move |open| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                match (*open, dialog.open()) {
                    // It fails only for a dialog that is open or not in the page.
                    (true, false) => drop(dialog.show_modal()),
                    (false, true) => dialog.close(),
                    _ => {}
                }
            }
        });
    }
    let close = props.on.reform(|_| Msg::Sheet(false));
    html! {
        <dialog ref={dialog} class="sheet" aria-labelledby="sheet-title" onclose={close}>
            <h2 id="sheet-title">{ "Keys" }</h2>
            <dl>
                { for SHEET.iter().map(|line| html! {
                    <div>
                        <dt>{ for line.keys.iter().map(|key| html! { <kbd>{ *key }</kbd> }) }</dt>
                        <dd>{ line.does }</dd>
                    </div>
                }) }
            </dl>
            { proven(&props.beside) }
            <form method="dialog"><button type="submit" class="strong">{ "Close" }</button></form>
        </dialog>
    }
}
