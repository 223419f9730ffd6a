//! The sheet of keys, and with which real servers all of this was compared.

use yew::{AttrValue, Html};

use super::proven::proven;
use crate::keys::SHEET;
use crate::markup::html;

/// What stands in the dialog; `beside` is where the site's other files are.
pub fn sheet(beside: &AttrValue) -> Html {
    html! {
        <>
            <dl class="keys">
                { for SHEET.iter().map(|line| html! {
                    <div>
                        <dt>{ for line.keys.iter().map(|key| html! { <kbd>{ *key }</kbd> }) }</dt>
                        <dd>{ line.does }</dd>
                    </div>
                }) }
            </dl>
            { proven(beside) }
        </>
    }
}
