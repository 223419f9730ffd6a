//! Where painted parts of the drawing are, for marking: the dial, the ruler, the links.
//!
//! Elements without content under everything else, placed by the plan. Absent on purpose: what
//! moves; that is marked where it is painted (`painting/marks.rs`).

use std::rc::Rc;

use yew::Html;

use crate::markup::html;

use super::plan::{Plan, Rect};

/// What the places follow from.
#[derive(PartialEq)]
pub struct PlacesProps(pub Rc<Plan>);

/// The places.
pub fn places(PlacesProps(plan): &PlacesProps) -> Html {
    let dial = plan.dial.map(|c| {
        let rim = c.rim + 4.0;
        Rect { x: c.x - rim, y: c.y - rim, w: 2.0 * rim, h: 2.0 * rim }
    });
    let links = plan.bus.map(|bus| {
        let x = bus - 18.0;
        Rect { x, w: plan.cards.x - 8.0 - x, ..plan.cards }
    });
    // On a phone the ruler stands for the dial; the memory does where that is shown in its place.
    let ruler = match (plan.dial, plan.memory) {
        (None, None) => "ruler dial",
        _ => "ruler",
    };
    let all = [("dial", dial), (ruler, plan.ruler), ("links", links)];
    html! {
        <>
            { for all.into_iter().filter_map(|(name, rect)| rect.map(|rect| html! {
                <span class="place" data-place={name} style={rect.style()} />
            })) }
        </>
    }
}
