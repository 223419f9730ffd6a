//! The header: which preset, which engine, which seed; share, palette, keys.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlSelectElement};
use yew::{Callback, Html};

use crate::markup::html;
use crate::setup::{Change, Setup, engine_title};
use crate::state::{Compare, Msg, Tab, Theme};
use crate::world::{ENGINES, Scenario, presets};

/// What the header needs.
#[derive(PartialEq)]
pub struct HeaderProps {
    /// What the run is made of.
    pub setup: Setup,
    /// The palette.
    pub theme: Theme,
    /// Whether time runs, and goes on running in another preset.
    pub playing: bool,
    /// The title of the lesson that is read.
    pub lesson: Option<&'static str>,
    /// Large type and presenter keys.
    pub presentation: bool,
    /// Whether two runs are compared.
    pub comparing: bool,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The header.
pub fn header(props: &HeaderProps) -> Html {
    let setup = &props.setup;
    let on = &props.on;
    html! {
        <header class="head">
            <h1>{ "PSYNC " }<span>{ "Lab" }</span></h1>
            { menu(props) }
            <div class="pills">
                <label class="engine-pill">
                    <span>{ "engine " }</span>{ engines("Engine", setup, on) }
                </label>
                { pill("backlog", &setup.backlog, on) }
                { pill("seed", &setup.seed.to_string(), on) }
            </div>
            <div class="ends">
                <button
                    type="button" class="learn" aria-haspopup="dialog" title="Learn (l)"
                    onclick={on.reform(|_| Msg::Learn(true))}
                >
                    { "Learn" }
                </button>
                <button
                    type="button" class="compare-toggle" title="Another engine or setting beside it (c)"
                    aria-pressed={props.comparing.to_string()}
                    onclick={on.reform(|_| Msg::Compare(Compare::Toggle))}
                >
                    { "Compare" }
                </button>
                <button
                    type="button" class="strong" aria-haspopup="dialog" title="Share (s)"
                    onclick={on.reform(|_| Msg::Share(true))}
                >
                    { "Share" }
                </button>
                <button
                    type="button" class="round theme"
                    aria-label={format!("Palette: {}", props.theme.name())}
                    title={format!("Palette: {}", props.theme.name())}
                    onclick={let next = props.theme.next(); on.reform(move |_| Msg::Theme(next))}
                >
                    { palette_glyph(props.theme) }
                </button>
                <button
                    type="button" class="round" aria-label="Keys" title="Keys (?)"
                    onclick={on.reform(|_| Msg::Sheet(true))}
                >
                    { "?" }
                </button>
                if props.presentation {
                    <button
                        type="button" class="round" aria-label="End presentation"
                        title="End presentation (Esc)" onclick={on.reform(|_| Msg::Presentation(false))}
                    >
                        { "\u{2715}" }
                    </button>
                }
            </div>
        </header>
    }
}

fn menu(props: &HeaderProps) -> Html {
    let current = props.setup.preset.clone().unwrap_or_default();
    let on = props.on.clone();
    let playing = props.playing;
    let onchange = move |event: Event| {
        let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        let Some(name) = select.map(|select| select.value()) else { return };
        match Scenario::preset(&name) {
            Ok(scenario) => {
                on.emit(Msg::Load(Box::new(scenario)));
                if playing {
                    on.emit(Msg::Play);
                }
            }
            Err(error) => on.emit(Msg::Complain(error.to_string())),
        }
    };
    let known = presets::all().iter().any(|preset| preset.name == current);
    html! {
        <label class="preset">
            <span class="unseen">{ "Preset" }</span>
            <select {onchange}>
                if !known {
                    <option value="" selected=true disabled=true>{ props.lesson.unwrap_or("Own scenario") }</option>
                }
                { for presets::all().iter().map(|preset| html! {
                    <option
                        value={preset.name.as_str()} title={preset.summary.as_str()}
                        selected={preset.name == current}
                    >
                        { &preset.title }
                    </option>
                }) }
            </select>
        </label>
    }
}

fn pill(name: &str, value: &str, on: &Callback<Msg>) -> Html {
    html! {
        <button type="button" class="pill" onclick={on.reform(|_| Msg::Open(Tab::Settings))}>
            { name }{ " " }<b>{ value }</b>
        </button>
    }
}

/// The menu of all engines; another one begins the run again.
pub fn engines(name: &'static str, setup: &Setup, on: &Callback<Msg>) -> Html {
    engine_menu(name, "The run begins again with another engine", &setup.engine, on)
}

/// A menu of all engines.
pub fn engine_menu(
    name: &'static str,
    title: &'static str,
    chosen: &str,
    on: &Callback<Msg>,
) -> Html {
    let options = ENGINES.iter().map(|engine| (engine.name, engine_title(engine))).collect();
    choices(name, title, options, chosen, on, |name| Msg::Change(Change::Engine(name.to_owned())))
}

/// A menu of values and what they are called.
pub fn choices(
    name: &'static str,
    title: &'static str,
    options: Vec<(&'static str, String)>,
    chosen: &str,
    on: &Callback<Msg>,
    to_msg: fn(&str) -> Msg,
) -> Html {
    let onchange = on.reform(move |event: Event| {
        let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        to_msg(&select.map(|select| select.value()).unwrap_or_default())
    });
    html! {
        <select aria-label={name} {title} {onchange}>
            { for options.into_iter().map(|(value, text)| html! {
                <option key={value} {value} selected={value == chosen}>{ text }</option>
            }) }
        </select>
    }
}

/// Half a disc for the system's choice, an empty one for light, a full one for dark, two quarters for
/// high contrast.
fn palette_glyph(theme: Theme) -> Html {
    let fill = match theme {
        Theme::Auto => html! { <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" /> },
        Theme::Light => html! {},
        Theme::Dark => html! { <circle cx="8" cy="8" r="6" fill="currentColor" /> },
        Theme::Contrast => html! {
            <path d="M8 8V2a6 6 0 0 1 6 6zM8 8v6a6 6 0 0 1-6-6z" fill="currentColor" />
        },
    };
    html! {
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
            { fill }
        </svg>
    }
}
