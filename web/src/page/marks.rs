//! Marking places of the page: what a lesson's step looks at, and what a field of INFO is about.
//!
//! Everything that can be marked carries `data-place` with its names, as lessons write them
//! ([`psync::lesson::script::PLACES`] and the names of servers). Which of them are marked is a rule
//! of style, so that nothing has to be drawn anew for it.

use yew::Html;

use crate::markup::html;

/// The rule that marks `places`; nothing when there are none.
pub fn marks(places: &[String]) -> Html {
    // Names come from lessons and servers; anything else could end the rule.
    let plain = |name: &&String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let selectors: Vec<String> =
        places.iter().filter(plain).map(|name| format!("[data-place~={name}]")).collect();
    if selectors.is_empty() {
        return Html::default();
    }
    html! { <style>{ selectors.join(",") }{ "{outline:2.5px solid var(--mark);outline-offset:2px}" }</style> }
}
