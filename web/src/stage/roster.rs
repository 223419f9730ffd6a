//! The replicas as cards, rows or tiles, and the button on each link.
//!
//! Every link has exactly one button, in the middle of its wire where there are wires, otherwise
//! at its replica. Invariants: the order in the document is the order of the numbers and never
//! changes, so that the focus stays when a link is cut; what is in trouble is brought to the front
//! by style alone. Absent on purpose: words; those come from [`super::card`].

use std::rc::Rc;

use yew::{Callback, Html, MouseEvent, classes};

use super::card::{Card, Tally};
use super::conditions::Slower;
use super::plan::{Detail, Plan};
use super::standing::Standing;
use super::topology::Topology;
use super::wires::{Wire, wires};
use crate::format::Rounded;
use crate::markup::html;
use crate::part::keyed;
use crate::world::{Action, Shown, Snapshot};

/// What the roster needs.
#[derive(PartialEq)]
pub struct RosterProps {
    /// The arrangement.
    pub plan: Rc<Plan>,
    /// The world.
    pub snapshot: Shown,
    /// Who follows whom.
    pub topology: Rc<Topology>,
    /// Past answers, by server.
    pub tallies: Rc<Vec<Tally>>,
    /// Who is looked at.
    pub selection: Option<usize>,
    /// Somebody does something.
    pub on_action: Callback<Action>,
    /// Somebody looks at another server.
    pub on_select: Callback<Option<usize>>,
    /// Somebody wants to do more to a server.
    pub on_inspect: Callback<usize>,
}

/// All cards, and the buttons on the wires.
pub fn roster(props: &RosterProps) -> Html {
    let plan = &props.plan;
    let cards = cards(&props.snapshot, &props.topology, &props.tallies);
    let brief = |card: Card| if plan.detail == Detail::Full { card } else { card.brief() };
    let cards: Vec<Card> = cards.map(brief).collect();
    let wired = plan.bus.is_some() && plan.detail != Detail::Tiles;
    // Without wires the buttons on the cards are all there is of the links.
    let place = if plan.bus.is_some() { "cards" } else { "cards links" };
    let class = match plan.detail {
        Detail::Full => "roster is-cards",
        Detail::Rows => "roster is-rows",
        Detail::Tiles => "roster is-tiles",
    };
    html! {
        <>
            if plan.detail == Detail::Tiles {
                <p class="roster-sum" style={sum_style(plan)}>{ summary(&cards) }</p>
            }
            <ul {class} style={list_style(plan)} aria-label="Replicas" data-place={place}>
                { for cards.iter().enumerate().map(|(slot, card)| {
                    item(props, slot, card.clone(), !wired)
                }) }
            </ul>
            if wired {
                <div class="wire-buttons">
                    { for wires(plan, &props.topology).iter().zip(&cards).filter_map(|(w, card)| {
                        w.as_ref().map(|w| wire(props, w, card))
                    }) }
                </div>
            }
        </>
    }
}

/// The card of every server but the one on the dial.
fn cards<'a>(
    snapshot: &'a Snapshot,
    topology: &'a Topology,
    tallies: &'a [Tally],
) -> impl Iterator<Item = Card> + 'a {
    let slower = Slower::than_most(snapshot);
    topology.cards.iter().filter_map(move |&index| {
        let tally = tallies.get(index).copied().unwrap_or_default();
        Card::new(snapshot, topology, index, tally, slower)
    })
}

/// The height of the line above tiles.
const SUM: f64 = 24.0;

fn sum_style(plan: &Plan) -> String {
    let r = plan.cards;
    format!("left:{:.1}px;top:{:.1}px;width:{:.1}px", Rounded(r.x), Rounded(r.y), Rounded(r.w))
}

fn list_style(plan: &Plan) -> String {
    let mut rect = plan.cards;
    if plan.detail == Detail::Tiles {
        rect.y += SUM;
        rect.h = (rect.h - SUM).max(0.0);
    }
    rect.style()
}

fn item(props: &RosterProps, slot: usize, card: Card, with_toggle: bool) -> Html {
    let plan = &props.plan;
    let place = plan.slot(slot).map(|rect| {
        let (y, h) = (Rounded(rect.y - plan.cards.y), Rounded(rect.h));
        format!("top:{y:.1}px;height:{h:.1}px")
    });
    // Tiles flow; those in trouble first, the most urgent at the very front.
    let order = if card.halt.is_some() { -4 } else { order(card.standing) };
    let style = place.unwrap_or_else(|| format!("order:{order}"));
    let chosen = props.selection == Some(card.server);
    let (on_action, on_select) = (props.on_action.clone(), props.on_select.clone());
    let on_inspect = props.on_inspect.clone();
    let key = card.server;
    keyed(
        key,
        draw,
        ItemProps { card, style, chosen, with_toggle, on_action, on_select, on_inspect },
    )
}

/// What one card needs. A hundred of them are compared ten times a second and few are drawn.
#[derive(PartialEq)]
struct ItemProps {
    card: Card,
    style: String,
    chosen: bool,
    with_toggle: bool,
    on_action: Callback<Action>,
    on_select: Callback<Option<usize>>,
    on_inspect: Callback<usize>,
}

/// One card, row or tile.
fn draw(props: &ItemProps) -> Html {
    let card = &props.card;
    let chosen = props.chosen.then_some("is-chosen");
    let (class, glyph) = match card.halt {
        Some(halt) => ("is-halted", halt.glyph()),
        None => (card.standing.class(), card.standing.glyph()),
    };
    html! {
        <li
            class={classes!("replica", class, chosen)} style={props.style.clone()}
            data-place={card.name.clone()}
        >
            <span class="replica-glyph" aria-hidden="true">{ glyph }</span>
            { name(props) }
            <span class="replica-state">{ &card.state }</span>
            <span class="replica-figure">
                { &card.figure }
                if !card.condition.is_empty() {
                    <em title={card.numbers.clone()}>{ card.condition }</em>
                }
            </span>
            <span class="replica-cover">{ &card.cover }</span>
            <span class="replica-detail" title={card.detail.clone()}>{ &card.detail }</span>
            { foot(card) }
            <span class="replica-tools">
                if props.with_toggle && card.link { { toggle(&props.on_action, card, None) } }
                if card.link { { promote(&props.on_action, card) } }
                { restart(&props.on_action, card) }
                { inspect(&props.on_inspect, card.server, &card.title) }
            </span>
        </li>
    }
}

fn order(standing: Standing) -> i32 {
    match standing {
        Standing::Overtaken => -5,
        Standing::Covered => -4,
        Standing::Adrift => -3,
        Standing::Transfer => -2,
        Standing::CatchingUp => -1,
        Standing::InSync | Standing::Apart => 0,
    }
}

/// The name, which also chooses the replica.
fn name(props: &ItemProps) -> Html {
    let (on_select, server, chosen) = (props.on_select.clone(), props.card.server, props.chosen);
    let onclick = Callback::from(move |_| on_select.emit((!chosen).then_some(server)));
    html! {
        <button
            class="replica-name" type="button" aria-pressed={chosen.to_string()}
            data-number={server.to_string()} {onclick}
        >
            { &props.card.title }
        </button>
    }
}

/// A meter, or what was answered so far.
fn foot(card: &Card) -> Html {
    match &card.meter {
        Some(meter) => html! {
            <span
                class="replica-meter" role="meter" aria-label={format!("{}: {}", card.title, meter.name)}
                aria-valuemin="0" aria-valuemax="100" aria-valuenow={meter.percent.to_string()}
            >
                <span style={format!("width:{}%", meter.percent)} />
            </span>
        },
        None => html! { <span class="replica-tally">{ &card.tally }</span> },
    }
}

/// The whole wire can be clicked; the button in its middle is its name and its key.
fn wire(props: &RosterProps, wire: &Wire, card: &Card) -> Html {
    let (x, y) = wire.at(0.5);
    let (x, y) = (Rounded(x), Rounded(y));
    let onclick = act(&props.on_action, card.toggle_action());
    let note = card.halt.map_or_else(|| card.numbers.clone(), |halt| halt.word().to_owned());
    let oncontextmenu = inspect_instead(&props.on_inspect, card.server);
    html! {
        <div key={card.server} class="wire">
            <svg aria-hidden="true"><path d={wire.path()} {onclick} {oncontextmenu} /></svg>
            { toggle(&props.on_action, card, Some(format!("left:{x:.1}px;top:{y:.1}px"))) }
            if !note.is_empty() {
                <span class="wire-note" style={format!("left:{x:.1}px;top:{y:.1}px")}>{ note }</span>
            }
        </div>
    }
}

/// In the place of the browser's menu.
fn inspect_instead(on_inspect: &Callback<usize>, server: usize) -> Callback<MouseEvent> {
    on_inspect.reform(move |event: MouseEvent| {
        event.prevent_default();
        server
    })
}

/// Cuts or heals the link.
fn toggle(on_action: &Callback<Action>, card: &Card, style: Option<String>) -> Html {
    let onclick = act(on_action, card.toggle_action());
    let name = card.toggle_name();
    let class = classes!("toggle", card.standing.class(), card.cut.then_some("is-cut"));
    html! {
        <button
            key={card.server} {class} {style} type="button" title={name.clone()} aria-label={name}
            data-place={format!("{}-link", card.name)} {onclick}
        >
            <svg viewBox="0 0 24 24" aria-hidden="true">
                <circle cx="12" cy="12" r="10.5" />
                <path d={match (card.cut, card.one_way) {
                    (false, _) => "M7 12h10",
                    (true, None) => "M8 8l8 8M16 8l-8 8",
                    // An arrow against a bar: the master stands on the left.
                    (true, Some(true)) => "M6 12h7M10 8.5l3.5 3.5-3.5 3.5M17 7v10",
                    (true, Some(false)) => "M18 12h-7M14 8.5l-3.5 3.5 3.5 3.5M7 7v10",
                }} />
            </svg>
        </button>
    }
}

fn promote(on_action: &Callback<Action>, card: &Card) -> Html {
    let onclick = act(on_action, card.promote_action());
    let name = format!("Promote {}", card.title);
    html! {
        <button class="restart" type="button" title={name.clone()} aria-label={name} {onclick}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 19V6M6.5 11.5L12 6l5.5 5.5" /></svg>
        </button>
    }
}

fn restart(on_action: &Callback<Action>, card: &Card) -> Html {
    let onclick = act(on_action, card.restart_action());
    let name = format!("Restart {}", card.title);
    html! {
        <button class="restart" type="button" title={name.clone()} aria-label={name} {onclick}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="M18.5 12a6.5 6.5 0 1 1-2.2-4.9M18.5 3.8v4.4h-4.4" />
            </svg>
        </button>
    }
}

/// Opens the inspector.
pub fn inspect(on_inspect: &Callback<usize>, server: usize, title: &str) -> Html {
    let name = format!("Inspect {title}");
    html! {
        <button
            class="restart inspect" type="button" title={name.clone()} aria-label={name}
            onclick={on_inspect.reform(move |_| server)}
        >
            <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="M4 8h6m6 0h4M4 16h2m6 0h8M13 5.5v5M9 13.5v5" />
            </svg>
        </button>
    }
}

/// An action made here is well formed; should the world refuse it, the page says so.
fn act<E>(on_action: &Callback<Action>, json: String) -> Callback<E> {
    let on_action = on_action.clone();
    Callback::from(move |_| {
        if let Ok(action) = Action::from_json(&json) {
            on_action.emit(action);
        }
    })
}

/// How many stand how, the healthy ones first.
#[must_use]
pub fn summary(cards: &[Card]) -> String {
    let count = |standing: Standing| cards.iter().filter(|c| c.standing == standing).count();
    let parts = [
        (Standing::Apart, "a master"),
        (Standing::InSync, "in sync"),
        (Standing::CatchingUp, "catching up"),
        (Standing::Transfer, "loading"),
        (Standing::Adrift, "not following"),
        (Standing::Covered, "cut, covered"),
        (Standing::Overtaken, "overtaken"),
    ];
    let words: Vec<String> = parts
        .into_iter()
        .map(|(standing, word)| (count(standing), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(" \u{b7} ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture::{self, SIZE};

    #[test]
    fn a_crowd_is_summed_up_without_hiding_the_cut_ones() {
        let mut links = vec![fixture::link(); 97];
        links.extend([fixture::cut(10), fixture::cut(SIZE + 10), fixture::loading()]);
        let world = fixture::world(links);
        let cards: Vec<Card> = cards(&world, &Topology::new(&world, None), &[]).collect();
        assert_eq!(
            summary(&cards),
            "97 in sync \u{b7} 1 loading \u{b7} 1 cut, covered \u{b7} 1 overtaken"
        );
    }
}
