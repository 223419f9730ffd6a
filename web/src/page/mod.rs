//! What is in the element: header, stage, timeline, decision card and panels.
//!
//! The document's order is the order of reading; where a container shows it otherwise, that is the
//! style sheet's business.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::{AttrValue, Callback, Html, MouseEvent};

mod compare;
mod completion;
mod console;
mod curve;
mod decision;
mod dialog;
mod fields;
mod futures;
mod hands;
mod header;
mod info;
mod inspector;
mod ladder;
mod learn;
mod leaving;
mod lesson;
mod marks;
mod panels;
mod proven;
mod settings;
mod share;
mod sheet;
mod sides;
mod takeaway;
mod transcript;
mod transport;
mod waiting;

use self::compare::{CompareProps, compare};
use self::curve::curve;
use self::decision::{DecisionProps, decision};
use self::dialog::Dialog;
use self::futures::{FuturesProps, futures};
use self::hands::{Chosen, HandsProps, hands};
use self::header::{HeaderProps, header};
use self::learn::{LearnProps, learn};
use self::lesson::lesson;
use self::marks::marks;
use self::panels::{PanelsProps, panels};
use self::share::{ShareProps, share};
use self::sheet::sheet;
use self::sides::sides;
pub use self::transcript::following::Following;
use self::transport::{TransportProps, transport};
use crate::format::seconds;
use crate::markup::html;
use crate::part::part;
use crate::run::RunHandle;
use crate::session::Session;
use crate::state::Msg;
use crate::timeline::Timeline;

/// What the page is drawn from.
pub struct PageProps {
    /// The session.
    pub run: RunHandle,
    /// Changes whenever the session does.
    pub revision: u64,
    /// Where the site's other files are: the address in front of their names.
    pub beside: AttrValue,
    /// What keeps the transcript at the cursor.
    pub following: Rc<Following>,
    /// The address that a shared link begins with.
    pub home: AttrValue,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The whole page of one element.
pub fn page(props: &PageProps) -> Html {
    let session = props.run.session();
    let state = session.state();
    let (run, on, revision) = (&props.run, &props.on, props.revision);
    let count = session.run().trace().decisions().len();
    let shown = session.decision();
    let place = (shown.map_or(0, |(n, _)| n + 1), count);
    let looked_at = session.looked_at();
    html! {
        <div
            class="lab" data-theme={state.theme.name()} data-playing={state.playing.to_string()}
            data-presentation={state.presentation.then_some("")} data-looks={session.marked().join(" ")}
        >
            { marks(session.marked()) }
            { banner(state.complaint.as_deref(), on) }
            { part(header, HeaderProps {
                setup: session.setup().clone(),
                theme: state.theme,
                playing: state.playing,
                lesson: session.lesson().map(|play| play.lesson().title.as_str()),
                presentation: state.presentation,
                comparing: session.comparison().is_some(),
                on: on.clone(),
            }) }
            { lesson(&session, on) }
            { sides(run, &session, on) }
            { timeline(props, &session, place) }
            <div class="side" data-beside={looked_at.is_some().then_some("B")}>
                { for CompareProps::of(&session, on).map(|props| part(compare, props)) }
                { part(decision, DecisionProps {
                    finding: session.foreseen().filter(|f| f.helped() && looked_at.is_none()),
                    decision: looked_at.or_else(|| shown.map(|(_, d)| d.clone())),
                    on: on.clone(),
                }) }
                { panels(&PanelsProps {
                    run: run.clone(),
                    revision,
                    tab: state.tab,
                    beside: props.beside.clone(),
                    following: Rc::clone(&props.following),
                    on: on.clone(),
                }) }
            </div>
            <p class="unseen" role="status" aria-live="polite">{ &state.announcement }</p>
            <Dialog title="Keys" open={state.sheet} close={on.reform(|()| Msg::Sheet(false))}>
                { part(sheet, props.beside.clone()) }
            </Dialog>
            <Dialog
                title="Learn" open={state.learn} close={on.reform(|()| Msg::Learn(false))}
                then={session.lesson().filter(|play| play.number() == 0).map(|_| ".next")}
            >
                if state.learn { { part(learn, LearnProps::of(&session, on)) } }
            </Dialog>
            <Dialog
                title="Share this moment" open={state.sharing.is_some()}
                close={on.reform(|()| Msg::Share(false))}
            >
                { for state.sharing.clone().map(|sharing| {
                    part(share, ShareProps { sharing, home: props.home.clone(), on: on.clone() })
                }) }
            </Dialog>
        </div>
    }
}

/// What is not there any more, in words; a run of hours would otherwise fill the memory.
fn forgotten(session: &Session) -> Option<Html> {
    let since = seconds(session.run().trace().kept_since()?.0);
    Some(html! {
        <p class="forgotten">
            { "The messages before " }<b>{ since }</b>
            { " s are no longer kept. You can still go there: the run is worked out again." }
        </p>
    })
}

fn timeline(props: &PageProps, session: &Session, place: (usize, usize)) -> Html {
    let (state, on) = (session.state(), &props.on);
    let now_us = session.snapshot().now_us;
    let furthest_us = session.run().trace().furthest().0;
    html! {
        <section class="times" aria-label="Timeline" data-place="timeline">
            { transport(&TransportProps {
                playing: state.playing,
                now_us,
                furthest_us,
                speed: state.speed,
                auto_slow: state.auto_slow,
                slowed: state.slowed && state.playing,
                behind: state.behind.filter(|_| state.playing),
                place,
                on: on.clone(),
            }) }
            <Timeline
                run={props.run.clone()} {now_us} stretch={state.stretch} chart={state.chart}
                selection={state.selection} on={on.clone()}
            />
            { for forgotten(session) }
            { part(futures, FuturesProps::of(session, on)) }
            { part(hands, HandsProps {
                setup: session.setup().clone(),
                draws: state.sketch.is_some(),
                chosen: chosen(session),
                on: on.clone(),
            }) }
            if let Some(sketch) = &state.sketch {
                { curve(sketch, session.setup(), now_us, on) }
            }
        </section>
    }
}

/// The server looked at, unless it is a master: whom it may follow. Where there is room the stage has
/// buttons for the rest on every card; these are for a hundred replicas, and for narrow containers.
fn chosen(session: &Session) -> Option<Chosen> {
    let servers = &session.snapshot().servers;
    let index = session.state().selection?;
    let server = servers.get(index)?;
    let present = server.link.as_ref().map(|link| link.master.clone());
    let alone = servers.iter().filter(|other| other.link.is_none()).count() < 2;
    if present.is_none() && alone {
        return None;
    }
    Some(inspector::chosen(session, index))
}

fn banner(complaint: Option<&str>, on: &Callback<Msg>) -> Html {
    let Some(complaint) = complaint else { return html! {} };
    html! {
        <div class="banner" role="alert">
            <p>{ complaint }</p>
            <button type="button" aria-label="Dismiss" onclick={dismiss(on)}>
                { "\u{2715}" }
            </button>
        </div>
    }
}

/// The focus does not go with the button: the page's keys count where it is.
fn dismiss(on: &Callback<Msg>) -> Callback<MouseEvent> {
    on.reform(|event: MouseEvent| {
        let button = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let lab = button.and_then(|button| button.closest(".lab").ok().flatten());
        let play = lab.and_then(|lab| lab.query_selector(".play").ok().flatten());
        if let Some(play) = play.and_then(|play| play.dyn_into::<HtmlElement>().ok()) {
            // It fails only where there is no focus to be had.
            let _ = play.focus();
        }
        Msg::Dismiss
    })
}

#[cfg(test)]
mod tests;
