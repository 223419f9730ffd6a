//! The proposal of 2011: a list for each replica, attached or away, with the part that it was sent
//! already and the part that it was not.

use yew::{Html, classes};

use super::ring::name;
use super::{MOST_ROWS, percent};
use crate::format::{Rounded, server_title, thousands};
use crate::markup::html;
use crate::world::{BacklogSnapshot, ListSnapshot, ServerSnapshot, Snapshot};

/// The drawing.
pub fn lists(snapshot: &Snapshot, master: &ServerSnapshot, backlog: &BacklogSnapshot) -> Html {
    let none = Vec::new();
    let lists = backlog.lists.as_ref().unwrap_or(&none);
    let longest = lists.iter().map(|list| list.histlen).max().unwrap_or(0).max(backlog.size);
    let total: u64 = lists.iter().map(|list| list.histlen).sum();
    let freed = freed(snapshot, master, lists);
    let more = (lists.len() + freed.len()).saturating_sub(MOST_ROWS);
    let rows = lists.iter().map(|list| row(list, longest));
    let rows = rows.chain(freed.iter().map(|number| missing(*number))).take(MOST_ROWS);
    let limit = percent(backlog.size as f64, longest as f64);
    html! {
        <>
            <p class="memory-sum">
                <b>{ if lists.len() == 1 { "1 list".to_owned() } else { format!("{} lists", lists.len()) } }</b>
                <span>{ format!("{} B in all", thousands(total)) }</span>
                <span>{ format!("at most {} B for each that is away", thousands(backlog.size)) }</span>
            </p>
            <ul class="bars lists" data-place="lists" style={format!("--limit:{:.2}%", Rounded(limit))}>
                { for rows }
                if more > 0 { <li class="rest">{ format!("\u{2026} {more} more") }</li> }
            </ul>
            <p class="memory-key">
                <span class="is-sent">{ "sent, kept for a rewind" }</span>
                <span class="is-unsent">{ "not sent yet" }</span>
            </p>
        </>
    }
}

/// Replicas of this master without a list: it was freed, or never made.
fn freed(snapshot: &Snapshot, master: &ServerSnapshot, lists: &[ListSnapshot]) -> Vec<usize> {
    let mine = |server: &ServerSnapshot| {
        let link = server.link.as_ref();
        link.is_some_and(|link| link.master == master.name)
            && lists.iter().all(|list| list.replica.as_deref() != Some(&*server.name))
    };
    snapshot.servers.iter().enumerate().filter(|(_, s)| mine(s)).map(|(n, _)| n).collect()
}

fn row(list: &ListSnapshot, longest: u64) -> Html {
    let who = list.replica.as_deref().map_or("nobody left".to_owned(), server_title);
    let sent = list.histlen.saturating_sub(list.unsent_bytes);
    let part = |bytes: u64| format!("width:{:.2}%", Rounded(percent(bytes as f64, longest as f64)));
    let says = match list.attached {
        true if list.unsent_bytes == 0 => format!("{} B", thousands(list.histlen)),
        true => {
            let unsent = thousands(list.unsent_bytes);
            format!("{} B, {unsent} unsent", thousands(list.histlen))
        }
        false => format!("away: {} B kept", thousands(list.histlen)),
    };
    html! {
        <li key={who.clone()} class={classes!((!list.attached).then_some("is-away"))}>
            <span class="who">{ who }</span>
            <span class="bar">
                <span class="is-sent" style={part(sent)} />
                <span class="is-unsent" style={part(list.unsent_bytes)} />
            </span>
            <span class="much">{ says }</span>
        </li>
    }
}

fn missing(number: usize) -> Html {
    html! {
        <li key={number} class="is-freed">
            <span class="who">{ name(number) }</span>
            <span class="bar" />
            <span class="much">{ "no list" }</span>
        </li>
    }
}
