//! The Mermaid form: `sequenceDiagram`, as Markdown pages draw it.

use super::{Row, RowKind, one_line, rows};
use crate::cluster::snapshot::PacketKind;
use crate::cluster::trace::Entry;

/// A Mermaid sequence diagram of these entries.
#[must_use]
pub fn mermaid<'a>(mut entries: impl Iterator<Item = &'a Entry>, names: &[String]) -> String {
    drawn(rows(&mut entries), names)
}

fn drawn((rows, more): (Vec<Row>, usize), names: &[String]) -> String {
    let mut out = String::from("sequenceDiagram\n");
    for (index, name) in names.iter().enumerate() {
        // Names with a hyphen are no identifiers everywhere; numbers behind a letter are.
        out.push_str(&format!("    participant s{index} as {}\n", escape(name)));
    }
    for Row { at, kind, text } in rows {
        let text = escape(&text);
        let line = match kind {
            RowKind::Arrow { from, to, lost, kind } => {
                let arrow = match (lost, kind) {
                    (true, _) => "-x",
                    (false, PacketKind::Control) => "->>",
                    (false, _) => "-->>",
                };
                format!("s{from}{arrow}s{to}: {at} {text}")
            }
            RowKind::Note { server, .. } => format!("Note over s{server}: {at} {text}"),
        };
        out.push_str(&format!("    {line}\n"));
    }
    if more > 0 {
        out.push_str(&format!("    %% and {more} more\n"));
    }
    out
}

/// Semicolons end a statement and `#` begins an entity; angle brackets would be markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '%' => out.push_str("#37;"),
            other => out.push(other),
        }
    }
    out
}
