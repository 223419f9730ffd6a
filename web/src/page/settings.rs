//! The panel "Settings": what the run is made of, each field checked on its own.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};
use yew::{Callback, Html, Properties, function_component, use_state};

use super::header::engines;
use super::proven::proven;
use crate::markup::html;
use crate::run::RunHandle;
use crate::setup::Field;
use crate::state::Msg;

/// The form.
pub fn settings(run: &RunHandle, on: &Callback<Msg>, beside: &str) -> Html {
    let session = run.session();
    let setup = session.setup();
    let (now, again): (Vec<Field>, Vec<Field>) =
        Field::of(setup.engine()).into_iter().partition(|field| field.is_live());
    let group = |title: &'static str, fields: Vec<Field>| {
        html! {
            <fieldset>
                <legend>{ title }</legend>
                { for fields.into_iter().map(|field| html! {
                    <Input key={field.id()} {field} id={field.id()} text={field.text(setup)} on={on.clone()} />
                }) }
            </fieldset>
        }
    };
    html! {
        <div class="settings">
            <fieldset>
                <legend>{ "Begins again, from the start" }</legend>
                <div class="field is-engine">
                    <span aria-hidden="true">{ "Engine" }</span>
                    { engines("Engine of all servers", setup, on) }
                </div>
            </fieldset>
            { group("Take effect at once", now) }
            { group("Begin the run again", again) }
            { proven(beside) }
        </div>
    }
}

/// What a field needs.
#[derive(Clone, PartialEq, Properties)]
pub struct InputProps {
    /// What may be typed.
    pub field: Field,
    /// Of the input.
    pub id: &'static str,
    /// Its label, where that is not the field's own.
    #[prop_or_default]
    pub label: Option<&'static str>,
    /// Its text at present.
    pub text: String,
    /// Where a change goes.
    pub on: Callback<Msg>,
}

/// A label, an input, a unit, and what is wrong with what was typed.
#[function_component]
pub fn Input(props: &InputProps) -> Html {
    // What was typed and why it will not do; it stays in the field until it is mended.
    let wrong = use_state(|| None::<(String, String)>);
    let field = props.field;
    let onchange = {
        let (wrong, on, old) = (wrong.clone(), props.on.clone(), props.text.clone());
        move |event: Event| {
            let target = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let Some(input) = target else { return };
            match field.read(&input.value()) {
                Ok(change) => {
                    wrong.set(None);
                    if input.value().trim() != old {
                        on.emit(Msg::Change(change));
                    }
                }
                Err(why) => wrong.set(Some((input.value(), why))),
            }
        }
    };
    let value = wrong.as_ref().map_or_else(|| props.text.clone(), |(typed, _)| typed.clone());
    let wrong_id = format!("{}-wrong", props.id);
    let label = props.label.unwrap_or(field.label());
    let numeric = !matches!(field, Field::Backlog | Field::Directive(_));
    html! {
        <div class="field">
            <label for={props.id}>{ label }</label>
            <input
                id={props.id} type="text" inputmode={if numeric { "decimal" } else { "text" }}
                autocomplete="off" spellcheck="false" {value}
                aria-invalid={wrong.is_some().then_some("true")}
                aria-describedby={wrong.is_some().then(|| wrong_id.clone())}
                {onchange}
            />
            <span class="unit">{ field.unit() }</span>
            // Always one node, lest the input lose the focus to its complaint.
            if let Some((_, why)) = &*wrong {
                <p class="wrong" id={wrong_id} role="alert">{ why }</p>
            }
        </div>
    }
}
