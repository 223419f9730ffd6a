//! The chart in words: what it shows at the moment looked at, as a table that is read aloud.

use yew::Html;

use super::panels::MOST_LINES;
use crate::format::{seconds, thousands};
use crate::markup::html;
use crate::world::{ReplicaSample, Sample};

/// The table.
pub fn values(sample: &Sample, chosen: Option<usize>) -> Html {
    html! {
        <table class="unseen">
            <caption>{ format!("Values at {} seconds", seconds(sample.at_us)) }</caption>
            <tbody>
                { for rows(sample, chosen).into_iter().map(|(what, text)| html! {
                    <tr><th scope="row">{ what }</th><td>{ text }</td></tr>
                }) }
            </tbody>
        </table>
    }
}

/// What stands in it; of a crowd only the spread and the one chosen.
fn rows(sample: &Sample, chosen: Option<usize>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let crowd = sample.replicas.len() > MOST_LINES + 1;
    for (n, replica) in sample.replicas.iter().enumerate() {
        let Some(replica) = replica else { continue };
        if !crowd || chosen == Some(n) {
            let name = if n == 0 { "master".to_owned() } else { format!("replica {n}") };
            rows.push((name, replica_text(replica, sample)));
        }
    }
    if crowd {
        let (behind, output) = (sample.behind, sample.output);
        for (name, behind, output) in [
            ("least of all replicas", behind.least, output.least),
            ("median of all replicas", behind.median, output.median),
            ("most of all replicas", behind.most, output.most),
        ] {
            let text = format!("{} B behind, output {} B", thousands(behind), thousands(output));
            rows.push((name.to_owned(), text));
        }
    }
    let kept = format!("{} of {} B kept", thousands(sample.histlen), thousands(sample.size));
    rows.push(("backlog".to_owned(), kept));
    let ways = ["memory as ring and queues", "memory as shared blocks", "memory as a list each"];
    for (way, bytes) in ways.into_iter().zip(sample.memory_bytes) {
        rows.push((way.to_owned(), format!("{} B", thousands(bytes))));
    }
    rows
}

fn replica_text(replica: &ReplicaSample, sample: &Sample) -> String {
    let mut text = format!("{} B behind", thousands(replica.behind_bytes));
    if let Some(output) = replica.output_bytes {
        text += ", output ";
        text += &thousands(output);
        text += " B";
    }
    if replica.needs {
        let late = replica.behind_bytes > sample.histlen;
        text += if late { ", needs more than is kept" } else { ", still kept" };
    }
    text
}
