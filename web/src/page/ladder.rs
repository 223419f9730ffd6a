//! A slider whose steps are far apart: each about twice the one before, as 1, 2, 5, 10.
//!
//! What it says follows the hand at once; what it does happens when the hand lets go, so that one
//! move is one action on the tape. A refused move leaves it where it was.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, InputEvent};
use yew::{Callback, Html};

use crate::markup::html;

/// A slider.
pub struct Ladder {
    /// Its visible name.
    pub label: &'static str,
    /// Its whole name.
    pub name: String,
    /// Its steps, rising.
    pub steps: &'static [u64],
    /// Where it stands, on a step or between two.
    pub present: u64,
    /// A value in words.
    pub words: fn(u64) -> String,
    /// Where it is moved to.
    pub to: Callback<u64>,
}

/// The slider with what it says.
pub fn ladder(ladder: Ladder) -> Html {
    let Ladder { label, name, steps, present, words, to } = ladder;
    let said = words(present);
    let value_at = move |event: &Event| {
        let input = event.target()?.dyn_into::<HtmlInputElement>().ok()?;
        let value = *steps.get(input.value().parse::<usize>().ok()?)?;
        Some((input, value))
    };
    let oninput = move |event: InputEvent| {
        if let Some((input, value)) = value_at(&event) {
            say(&input, &words(value));
        }
    };
    let onchange = move |event: Event| {
        let Some((input, value)) = value_at(&event) else { return };
        input.set_value(&step_of(steps, present).to_string());
        say(&input, &words(present));
        to.emit(value);
    };
    html! {
        <label class="ladder">
            <span>{ label }</span>
            <input
                type="range" aria-label={name} aria-valuetext={said.clone()}
                min="0" max={(steps.len() - 1).to_string()} step="1"
                value={step_of(steps, present).to_string()} {oninput} {onchange}
            />
            <output>{ said }</output>
        </label>
    }
}

/// The first step that is not below a value, or the last one.
fn step_of(steps: &[u64], value: u64) -> usize {
    steps.partition_point(|step| *step < value).min(steps.len() - 1)
}

/// Into the text node that is there, which stays Yew's.
fn say(input: &HtmlInputElement, words: &str) {
    // It fails only where there is no such attribute to be set, which is nowhere.
    let _ = input.set_attribute("aria-valuetext", words);
    let text = input.next_element_sibling().and_then(|output| output.first_child());
    if let Some(text) = text {
        text.set_node_value(Some(words));
    }
}

#[cfg(test)]
mod tests {
    use super::step_of;

    #[test]
    fn a_value_between_two_steps_stands_at_the_upper_one() {
        let steps = [0, 1, 10, 100];
        assert_eq!([0, 1, 2, 10, 99, 1000].map(|value| step_of(&steps, value)), [0, 1, 2, 2, 3, 3]);
    }
}
