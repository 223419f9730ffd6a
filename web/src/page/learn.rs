//! What the dialog "Learn" holds: the three stages, then the lessons in the order of teaching.

use yew::{AttrValue, Callback, Html};

use crate::markup::html;
use crate::session::Session;
use crate::state::Msg;
use crate::world::{Scenario, presets};

/// The presets that are stages: the first things to look at.
const STAGES: [&str; 3] = ["calm", "bad-network", "worst-day"];

/// What the list needs.
#[derive(PartialEq)]
pub struct LearnProps {
    /// The preset that is played.
    preset: Option<String>,
    /// The lesson that is read.
    lesson: Option<&'static str>,
    /// Large type and presenter keys.
    presentation: bool,
    on: Callback<Msg>,
}

impl LearnProps {
    /// For what a session plays.
    pub fn of(session: &Session, on: &Callback<Msg>) -> LearnProps {
        let lesson = session.lesson().map(|play| play.lesson().name.as_str());
        LearnProps {
            preset: session.setup().preset.clone().filter(|_| lesson.is_none()),
            lesson,
            presentation: session.state().presentation,
            on: on.clone(),
        }
    }
}

/// The list.
pub fn learn(props: &LearnProps) -> Html {
    let on = &props.on;
    let stages = STAGES.into_iter().filter_map(presets::find).map(|stage| {
        let name = stage.name.as_str();
        let play = {
            let on = on.clone();
            Callback::from(move |()| match Scenario::preset(name) {
                Ok(scenario) => {
                    on.emit(Msg::Load(Box::new(scenario)));
                    on.emit(Msg::Play);
                }
                Err(error) => on.emit(Msg::Complain(error.to_string())),
            })
        };
        let here = props.preset.as_deref() == Some(name);
        item("", &stage.title, &stage.summary, here, play)
    });
    let lessons = psync::lesson::all().iter().enumerate().map(|(index, lesson)| {
        let name = lesson.name.as_str();
        let begin = on.reform(|()| Msg::Lesson(name.to_owned()));
        let here = props.lesson == Some(name);
        item(&(index + 1).to_string(), &lesson.title, &lesson.intro, here, begin)
    });
    let presentation = props.presentation;
    html! {
        <>
            <h3>{ "Stages to look at" }</h3>
            <ul class="stages">{ for stages }</ul>
            <h3>{ "Lessons, one sentence at a time" }</h3>
            <ol class="lessons">{ for lessons }</ol>
            <p class="present">
                <button
                    type="button" aria-pressed={presentation.to_string()}
                    onclick={on.reform(move |_| Msg::Presentation(!presentation))}
                >
                    { "Presentation" }
                </button>
                { "Large type; a presenter\u{2019}s keys go on and back." }
            </p>
        </>
    }
}

fn item(number: &str, title: &str, intro: &str, here: bool, choose: Callback<()>) -> Html {
    html! {
        <li>
            <button
                type="button" aria-current={here.then_some("true")}
                onclick={choose.reform(|_| ())}
            >
                if !number.is_empty() { <b aria-hidden="true">{ AttrValue::from(number.to_owned()) }</b> }
                <strong>{ title.to_owned() }</strong>
                if here { <em>{ "here" }</em> }
                <span>{ intro.to_owned() }</span>
            </button>
        </li>
    }
}
