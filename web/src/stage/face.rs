//! The dial's standing parts: track and ticks as SVG, the master's facts as text inside.

use std::rc::Rc;

use yew::{Callback, Html, classes};

use super::card::held_by_pin;
use super::figures::lasting;
use super::plan::{Circle, Plan, Rect};
use super::roster::inspect;
use super::standing::{Halt, Standing, standing};
use super::topology::Topology;
use super::{scale, turn};
use crate::format::{Rounded, server_title, short_id, thousands};
use crate::markup::html;
use crate::world::{Role, ServerSnapshot, Shown, Snapshot};

/// What track and ticks need; it hardly ever changes.
#[derive(PartialEq)]
pub struct TrackProps {
    /// The arrangement.
    pub plan: Rc<Plan>,
    /// The backlog's size; none without one.
    pub size: Option<u64>,
}

/// What the facts need.
#[derive(PartialEq)]
pub struct FaceProps {
    /// The arrangement.
    pub plan: Rc<Plan>,
    /// The world.
    pub snapshot: Shown,
    /// Who follows whom.
    pub topology: Rc<Topology>,
    /// Somebody wants to do more to it.
    pub on_inspect: Callback<usize>,
}

/// A note inside the dial.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Decides colour and glyph.
    pub standing: Standing,
    /// In words.
    pub text: String,
    /// Whether it holds only at the present write rate.
    pub rated: bool,
}

/// Track and ticks.
pub fn track(props: &TrackProps) -> Html {
    let (plan, size) = (&props.plan, props.size);
    let Some(c) = plan.dial else { return Html::default() };
    let view = format!("0 0 {} {}", Rounded(plan.width), Rounded(plan.height));
    let radius = c.rim - c.track / 2.0;
    html! {
        <svg class="stage-track" viewBox={view} aria-hidden="true">
            <circle
                class={classes!("dial-track", size.is_none().then_some("is-empty"))}
                cx={px(c.x)} cy={px(c.y)} r={px(radius)}
                stroke-width={px(c.track)}
            />
            if let Some(size) = size {
                <path class="dial-minor" d={ticks(&c, size, true)} />
                <path class="dial-major" d={ticks(&c, size, false)} />
            }
        </svg>
    }
}

fn px(n: f64) -> String {
    format!("{:.1}", Rounded(n))
}

/// The ticks outside the rim: at each labelled place, or four times as many in between.
fn ticks(c: &Circle, size: u64, minor: bool) -> String {
    let labelled = scale::dial_ticks(size);
    let step = scale::dial_step(size) as f64;
    let mut d = String::new();
    for at in labelled {
        let parts: &[f64] = if minor { &[0.25, 0.5, 0.75] } else { &[0.0] };
        for part in parts {
            let at = at as f64 + part * step;
            if at >= size as f64 {
                continue;
            }
            let place = turn::place(at, size);
            let (x0, y0) = turn::point(c.x, c.y, c.rim + 3.0, place);
            let (x1, y1) = turn::point(c.x, c.y, c.rim + if minor { 5.0 } else { 8.0 }, place);
            let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(Rounded);
            d.push_str(&format!("M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}"));
        }
    }
    d
}

/// The master's facts.
pub fn face(props: &FaceProps) -> Html {
    let snapshot = &props.snapshot;
    let Some(master) = props.topology.master(snapshot) else { return Html::default() };
    let (style, class, apart) = match props.plan.dial {
        Some(c) => {
            let inner = c.rim - c.track;
            let rect = Rect { x: c.x - inner, y: c.y - inner, w: 2.0 * inner, h: 2.0 * inner };
            let offset = thousands(master.master_repl_offset);
            let class = match inner {
                ..86.0 => "face is-small is-tiny",
                // Between the hands there is room for a long number or for more lines, not for both.
                ..106.0 if offset.len() > 9 => "face is-small is-tiny",
                ..106.0 => "face is-small",
                ..140.0 => "face is-medium",
                ..190.0 => "face",
                _ => "face is-large",
            };
            // A small dial has no room for notes beside its hands: the corner has.
            (rect.style(), class, inner < 106.0)
        }
        None => (String::new(), "face is-bar", false),
    };
    let on_dial = props.plan.dial.is_some();
    let notes = notes(snapshot, &props.topology, master).into_iter().map(|note| {
        // Without a dial there is no other fuse.
        let place = (!on_dial && note.standing == Standing::Covered).then_some("fuse");
        html! {
            <p data-place={place} class={classes!("face-note", note.standing.class())}>
                <span aria-hidden="true">{ note.standing.glyph() }</span>{ " " }{ note.text }
                if note.rated { <small>{ "at this write rate" }</small> }
            </p>
        }
    });
    let notes: Html = notes.collect();
    html! {
        <>
            <div {class} {style} data-place={master.name.clone()}>
                <p class={classes!("face-name", (name(master) != server_title(&master.name)).then_some("is-other"))}>
                    { name(master) }
                    { inspect(&props.on_inspect, props.topology.subject, &server_title(&master.name)) }
                </p>
                <p class="face-offset" data-place="offset">{ thousands(master.master_repl_offset) }</p>
                <p class="face-label">{ "master_repl_offset" }</p>
                { id("replid", &master.replid) }
                if master.second_replid_offset >= 0 { { id("replid2", &master.replid2) } }
                { kept(master) }
                { for excess(snapshot, master).map(|text| html! { <p class="face-excess">{ text }</p> }) }
                if !apart { { notes.clone() } }
            </div>
            if apart { <div class="face-corner">{ notes }</div> }
        </>
    }
}

/// One name of its history.
fn id(name: &'static str, id: &str) -> Html {
    html! {
        <p class="face-id" data-place={name}><span>{ name }{ " " }</span>{ short_id(id) }</p>
    }
}

/// Places are called after their first role, and roles change.
fn name(server: &ServerSnapshot) -> String {
    let title = server_title(&server.name);
    if let Some(halt) = Halt::of(server) {
        return format!("{title}, {}", halt.word());
    }
    match (server.role, server.name == "master") {
        (Role::Master, false) => format!("{title}, master now"),
        (Role::Replica, true) => format!("{title}, a replica now"),
        _ => title,
    }
}

/// How much more than the setting is kept, and why: blocks leave whole, and not while somebody
/// reads them.
#[must_use]
pub fn excess(snapshot: &Snapshot, master: &ServerSnapshot) -> Option<String> {
    let backlog = master.backlog.as_ref()?;
    let more = backlog.histlen.checked_sub(backlog.size).filter(|more| *more > 0)?;
    let percent = u128::from(more) * 100 / u128::from(backlog.size.max(1));
    let pinned = backlog.blocks.as_ref().and_then(|b| b.first()).is_some_and(|b| b.pins > 0);
    let pinned = pinned && backlog.blocks.as_ref().is_some_and(|blocks| blocks.len() > 2);
    let percent = thousands(u64::try_from(percent).unwrap_or(u64::MAX));
    if !pinned {
        return Some(format!("+{percent} %: blocks leave whole"));
    }
    let mut readers = snapshot.servers.iter().enumerate().filter(|(_, server)| {
        let link = server.link.as_ref().filter(|link| link.master == master.name);
        link.is_some_and(|link| link.reads_block == Some(0))
    });
    Some(match (readers.next(), readers.next()) {
        (Some((n, _)), None) => format!("+{percent} % pinned by {n}"),
        _ => format!("+{percent} % pinned"),
    })
}

/// How much is kept, or why nothing is.
fn kept(master: &ServerSnapshot) -> Html {
    match &master.backlog {
        Some(backlog) => html! {
            <p class="face-kept">
                { thousands(backlog.histlen) }<span>{ " / " }{ thousands(backlog.size) }</span>{ " kept" }
            </p>
        },
        None => html! {
            <p class="face-none"><b>{ "no backlog" }</b>{ "nobody to keep it for" }</p>
        },
    }
}

/// What is worth saying beside the facts: the shortest fuse, the worst loss, the TTL.
#[must_use]
pub fn notes(snapshot: &Snapshot, topology: &Topology, master: &ServerSnapshot) -> Vec<Note> {
    let rate = snapshot.write_bytes_per_second;
    let mut out = Vec::new();
    if let (Some(us), Some(_)) = (master.backlog_ttl_left_us, &master.backlog) {
        let text = format!("nobody left: freed in {}", lasting(us));
        out.push(Note { standing: Standing::Covered, text, rated: false });
    }
    let standings =
        || topology.replicas(snapshot).map(|(index, _, link)| (index, link, standing(link, rate)));
    let urgent = standings()
        .filter(|(_, _, s)| *s == Standing::Covered)
        .min_by_key(|(_, link, _)| link.room_bytes);
    if let Some((index, link, standing)) = urgent {
        let pinned = held_by_pin(link, standing, master.backlog.as_ref());
        let covered_us = link.covered_us.filter(|_| !pinned);
        let text = match covered_us {
            _ if pinned => format!("{index}: covered while pinned"),
            Some(us) => format!("{index}: covered {}", lasting(us)),
            None if rate == 0 => format!("{index}: covered, no writes"),
            None => format!("{index}: covered"),
        };
        out.push(Note { standing, text, rated: covered_us.is_some() });
    }
    let lost = standings().filter(|(_, _, s)| *s == Standing::Overtaken);
    let (mut worst, mut count) = (None, 0);
    for (index, link, _) in lost {
        count += 1;
        let gone = link.room_bytes.unwrap_or(0).unsigned_abs();
        worst = worst.max(Some((gone, index)));
    }
    if let Some((gone, index)) = worst {
        let text = if count == 1 {
            format!("{index}: {} B gone", thousands(gone))
        } else {
            format!("{count} overtaken, up to {} B gone", thousands(gone))
        };
        out.push(Note { standing: Standing::Overtaken, text, rated: false });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture::{self, SIZE};
    use crate::world::{Block, BytePos};

    fn say(snapshot: &Snapshot) -> Vec<String> {
        let topology = Topology::new(snapshot, None);
        notes(snapshot, &topology, &snapshot.servers[0]).into_iter().map(|note| note.text).collect()
    }

    #[test]
    fn the_dial_says_who_is_lost_first_and_who_is_lost_already() {
        assert_eq!(say(&fixture::picture()), ["3: covered 3.2 s", "2: 3,316 B gone"]);
        assert!(say(&fixture::world(vec![fixture::link()])).is_empty());
    }

    #[test]
    fn more_than_the_setting_is_explained() {
        let mut world = fixture::world(vec![fixture::link()]);
        assert_eq!(excess(&world, &world.servers[0]), None);
        let block =
            |first: i64, pins| Block { first: BytePos(first), used: 20, capacity: 20, pins };
        let backlog = world.servers[0].backlog.as_mut().unwrap();
        backlog.histlen = backlog.size * 3 / 2;
        backlog.blocks = Some(vec![block(1, 0), block(21, 0), block(41, 1)]);
        let said = |world: &Snapshot| excess(world, &world.servers[0]).unwrap();
        assert_eq!(said(&world), "+50 %: blocks leave whole");
        let backlog = world.servers[0].backlog.as_mut().unwrap();
        backlog.blocks = Some(vec![block(1, 1), block(21, 0), block(41, 0)]);
        if let Some(link) = &mut world.servers[1].link {
            link.reads_block = Some(0);
        }
        assert_eq!(said(&world), "+50 % pinned by 1");
    }

    #[test]
    fn several_that_are_lost_are_counted() {
        let world = fixture::world(vec![fixture::cut(SIZE + 10), fixture::cut(SIZE + 3000)]);
        assert_eq!(say(&world), ["2 overtaken, up to 3,000 B gone"]);
    }

    #[test]
    fn a_backlog_about_to_be_freed_counts_down() {
        let mut world = fixture::world(Vec::new());
        world.servers[0].backlog_ttl_left_us = Some(42_000_000);
        assert_eq!(say(&world), ["nobody left: freed in 42.0 s"]);
    }
}
