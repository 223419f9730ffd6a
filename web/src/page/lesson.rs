//! The region "Lesson": one sentence, what is asked and waited for, and the ways on and back.
//!
//! When what a step waits for has come the sentence is ticked, time stands still and "Next" is the
//! button that stands out: the reader looks, and goes on. The row of buttons stays the same from
//! the first step to the goal, so that the focus stays where it was. Absent on purpose: the
//! marks; those are a rule of style ([`super::marks`]).

use psync::lesson::LessonPlay;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};
use yew::{Callback, Html, classes};

use super::dialog::focus;
use super::waiting;
use crate::markup::html;
use crate::session::Session;
use crate::session::lessons::place;
use crate::state::Msg;

/// The region; nothing while no lesson is open.
pub fn lesson(session: &Session, on: &Callback<Msg>) -> Html {
    let Some(play) = session.lesson() else { return Html::default() };
    let lesson = play.lesson();
    let number = psync::lesson::all().iter().position(|one| one.name == lesson.name).unwrap_or(0);
    let (done, step) = (play.done(), play.number() + 1);
    html! {
        <section
            class={classes!("lesson", state(play))} aria-label="Lesson" key={lesson.name.as_str()}
            data-goal={if done { "reached" } else { "open" }} data-step={step.to_string()}
        >
            <header>
                <h2><b aria-hidden="true">{ number + 1 }</b>{ &lesson.title }</h2>
                <p>{ place(play) }</p>
            </header>
            <ol class="steps" aria-hidden="true">
                { for (1..=lesson.steps.len()).map(|n| html! {
                    <li class={(n < step || done || n == step && !play.waits()).then_some("past")}
                        data-now={(n == step).to_string()} />
                }) }
            </ol>
            { said(play) }
            { waits(session, play) }
            if let Some(ask) = play.asks() {
                <button
                    type="button" class="ask strong"
                    onclick={focus_then(".next", on, Msg::LessonAnswer)}
                >
                    { &ask.label }
                </button>
            }
            { hint(play) }
            { ways(session, play, on) }
        </section>
    }
}

/// How it stands with the present step, for the style.
fn state(play: &LessonPlay) -> &'static str {
    match (play.at_goal(), play.waits(), play.asks().is_some()) {
        (true, true, _) => "is-goal",
        (true, false, _) => "is-goal is-reached",
        (false, true, true) => "is-asking",
        (false, true, false) => "is-waiting",
        (false, false, _) if play.step().until.is_some() => "is-come",
        (false, false, _) => "is-read",
    }
}

/// The sentence, with a box that ticks itself off where something is waited for.
fn said(play: &LessonPlay) -> Html {
    let step = play.step();
    let word = match (play.at_goal(), play.waits()) {
        (true, true) => "Goal, not reached yet: ",
        (true, false) => "Goal reached: ",
        (false, true) => "",
        (false, false) => "It has come: ",
    };
    html! {
        <p class="say">
            if step.until.is_some() {
                <span class="box" aria-hidden="true">{ if play.waits() { "" } else { "\u{2713}" } }</span>
                <span class="unseen">{ word }</span>
            }
            { &step.say }
        </p>
    }
}

/// What is waited for, or that it is there.
fn waits(session: &Session, play: &LessonPlay) -> Html {
    let Some(until) = &play.step().until else { return Html::default() };
    let playing = session.state().playing;
    let words = match (play.at_goal(), play.waits(), play.asks().is_some()) {
        (true, false, _) => "Reached. Time stands still.".to_owned(),
        (true, true, _) if playing => "Time runs.".to_owned(),
        (true, true, _) => "Time stands still: you have the clock.".to_owned(),
        (false, false, _) => "That was it: look, then go on.".to_owned(),
        (false, true, true) => "Time stands still until you have done it.".to_owned(),
        (false, true, false) => {
            let paused = if playing { "" } else { " \u{2013} paused" };
            ["waiting until ", &waiting::words(until), paused].concat()
        }
    };
    html! { <p class="waits">{ words }</p> }
}

/// Help for those who ask for it.
fn hint(play: &LessonPlay) -> Html {
    let Some(hint) = &play.step().hint else { return Html::default() };
    html! { <details class="hint"><summary>{ "Hint" }</summary><p>{ hint }</p></details> }
}

/// Back, again, out and on.
fn ways(session: &Session, play: &LessonPlay, on: &Callback<Msg>) -> Html {
    let (name, next) = match (play.at_goal(), session.lesson_after()) {
        (false, _) => ("Next", Msg::LessonNext),
        (true, Some(next)) => ("Next lesson", Msg::Lesson(next.name.clone())),
        (true, None) => ("All lessons", Msg::Learn(true)),
    };
    let ready = !play.waits();
    html! {
        <div class="ways">
            <button type="button" onclick={on.reform(|_| Msg::LessonPrevious)}>{ "Previous" }</button>
            <button
                type="button" class="quiet" aria-label="Start step again" title="Start step again"
                onclick={on.reform(|_| Msg::LessonAgain)}
            >
                { "\u{21bb}" }
            </button>
            <button
                type="button" class="quiet" aria-label="Leave the lesson" title="Leave the lesson"
                onclick={focus_then(".learn", on, Msg::LessonLeave)}
            >
                { "\u{2715}" }
            </button>
            <button
                type="button" class={classes!("next", ready.then_some("strong"))}
                onclick={on.reform(move |_| next.clone())}
            >
                { name }<span aria-hidden="true">{ " \u{203a}" }</span>
            </button>
        </div>
    }
}

/// The button that is pressed goes away: the focus goes to another one first.
fn focus_then(to: &'static str, on: &Callback<Msg>, msg: Msg) -> Callback<MouseEvent> {
    on.reform(move |event: MouseEvent| {
        let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let lab = pressed.and_then(|pressed| pressed.closest(".lab").ok().flatten());
        lab.and_then(|lab| focus(&lab, to));
        msg.clone()
    })
}
