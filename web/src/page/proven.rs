//! The line "Proven against": which real servers this was compared with, and where the table is.
//!
//! The numbers are those of `static/conformance.json`, a committed copy of what the test run
//! writes; the site has the whole table beside it.

use psync::json;
use yew::Html;

use crate::format::thousands;
use crate::markup::html;

const TABLE: &str = include_str!("../../../static/conformance.json");

/// The line, with a link to the table beside the site's other files.
pub fn proven(beside: &str) -> Html {
    html! {
        <p class="proven">
            <a href={format!("{beside}conformance.html")} target="_blank" rel="noopener">
                { "Proven against real servers" }
            </a>
            { for summary(TABLE).map(|said| html! { <span>{ said }</span> }) }
        </p>
    }
}

/// What the table says in all; none while it is empty.
#[must_use]
pub fn summary(json: &str) -> Option<String> {
    let table = json::read(json).ok()?;
    let rows = table.get("rows")?.as_array().filter(|rows| !rows.is_empty())?;
    let sum = |name: &str| rows.iter().filter_map(|row| row.get(name)?.as_u64()).sum::<u64>();
    let mut servers: Vec<&str> =
        rows.iter().filter_map(|row| row.get("server")?.as_str()).collect();
    servers.sort_unstable();
    servers.dedup();
    Some(format!(
        "{}: {} checks, {} disagreements",
        servers.join(", "),
        thousands(sum("checks")),
        thousands(sum("disagreements"))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_sums_the_table_up() {
        assert_eq!(summary(r#"{"date":"","rows":[]}"#), None);
        let two = r#"{"date":"2026-01-01","rows":[
            {"suite":"a","server":"redis-server 7.0.15","engine":"redis-7.0","checks":1000,"disagreements":0},
            {"suite":"b","server":"redis-server 7.0.15","engine":"redis-7.0","checks":234,"disagreements":1}]}"#;
        let said = "redis-server 7.0.15: 1,234 checks, 1 disagreements";
        assert_eq!(summary(two).as_deref(), Some(said));
    }

    #[test]
    fn the_committed_table_reads() {
        let table = json::read(TABLE).expect("JSON");
        assert!(table["rows"].is_array());
    }
}
