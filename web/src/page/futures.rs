//! The futures left behind: a thin line each under the timeline, named by what differs.

use yew::{AttrValue, Callback, Html};

use crate::format::seconds;
use crate::markup::html;
use crate::session::Session;
use crate::state::Msg;

/// One future left behind.
#[derive(Clone, PartialEq)]
struct Future {
    id: u64,
    /// What it has that the present one has not.
    name: String,
    from_us: u64,
    to_us: u64,
}

/// What the lines need.
#[derive(PartialEq)]
pub struct FuturesProps {
    kept: Vec<Future>,
    /// The whole width stands for this.
    all_us: u64,
    on: Callback<Msg>,
}

impl FuturesProps {
    /// Those of a session.
    pub fn of(session: &Session, on: &Callback<Msg>) -> FuturesProps {
        let branches = session.branches();
        let kept: Vec<Future> = branches
            .kept()
            .iter()
            .map(|branch| Future {
                id: branch.id,
                name: branches.name(branch),
                from_us: branches.parting(branch).0,
                to_us: branch.furthest().0,
            })
            .collect();
        let ends = kept.iter().map(|future| future.to_us);
        let all_us = ends.chain([session.run().trace().furthest().0, 1]).max().unwrap_or(1);
        // The present end moves with every frame; without lines nothing has to be drawn anew.
        let all_us = if kept.is_empty() { 1 } else { all_us };
        FuturesProps { kept, all_us, on: on.clone() }
    }
}

/// The lines; nothing when there are none.
pub fn futures(props: &FuturesProps) -> Html {
    if props.kept.is_empty() {
        return Html::default();
    }
    html! {
        <div class="futures" role="group" aria-label="Futures left behind">
            { for props.kept.iter().map(|future| line(future, props)) }
        </div>
    }
}

fn line(future: &Future, props: &FuturesProps) -> Html {
    let id = future.id;
    let permille = |us: u64| us.saturating_mul(1000) / props.all_us;
    let (from, to) = (permille(future.from_us).min(990), permille(future.to_us).min(1000));
    let width = to.saturating_sub(from).max(10);
    let style =
        format!("margin-left:{}.{}%;width:{}.{}%", from / 10, from % 10, width / 10, width % 10);
    let title: AttrValue =
        format!("Leaves at {} s, known until {} s", seconds(future.from_us), seconds(future.to_us))
            .into();
    html! {
        <button
            key={id} type="button" class="future" {title}
            aria-label={format!("Return to: {}", future.name)}
            onclick={props.on.reform(move |_| Msg::ReturnTo(id))}
        >
            <span class="name">{ "\u{21a9} " }{ &future.name }</span>
            <span class="line" aria-hidden="true"><i {style} /></span>
        </button>
    }
}
