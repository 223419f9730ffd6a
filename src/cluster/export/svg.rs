//! The SVG form: a sequence diagram that stands for itself, light or dark as the reader likes it.

use super::{Row, RowKind, rows};
use crate::cluster::snapshot::PacketKind;
use crate::cluster::trace::Entry;

const LEFT: usize = 110;
const LANE: usize = 220;
const TOP: usize = 46;
const STEP: usize = 24;

/// The tokens of the page's palette; a file has no style sheet but its own.
const STYLE: &str = "text{font:12px ui-monospace,monospace;fill:#1c2127}\
.t{fill:#565d66}.l{stroke:#cfcbc0}.c{stroke:#1c2127}.s{stroke:#0a64a4;stroke-dasharray:5 3}\
.p{stroke:#b35c00;stroke-dasharray:8 3}.x{stroke:#b3261e}.n{fill:#ffffff;stroke:#cfcbc0}\
.f{fill:#ffffff;stroke:#b3261e}.g{fill:#faf9f6}\
@media(prefers-color-scheme:dark){text{fill:#e8ebef}.t{fill:#a3acb8}.l{stroke:#37404c}\
.c{stroke:#e8ebef}.s{stroke:#6fb8f0}.p{stroke:#f2a649}.x{stroke:#ff8a7d}\
.n{fill:#151a21;stroke:#37404c}.f{fill:#151a21;stroke:#ff8a7d}.g{fill:#0e1116}}";

/// An SVG sequence diagram of these entries.
#[must_use]
pub fn svg<'a>(mut entries: impl Iterator<Item = &'a Entry>, names: &[String]) -> String {
    drawn(rows(&mut entries), names)
}

fn drawn((rows, more): (Vec<Row>, usize), names: &[String]) -> String {
    let width = LEFT + LANE * names.len().max(1);
    let height = TOP + STEP * (rows.len() + 2);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>Sequence diagram</title>\n<style>{STYLE}</style>\n\
         <rect class=\"g\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    for (index, name) in names.iter().enumerate() {
        let (x, end) = (lane(index), height - STEP);
        out.push_str(&format!(
            "<line class=\"l\" x1=\"{x}\" y1=\"30\" x2=\"{x}\" y2=\"{end}\"/>\
             <text x=\"{x}\" y=\"20\" text-anchor=\"middle\">{}</text>\n",
            escape(name)
        ));
    }
    for (index, row) in rows.iter().enumerate() {
        draw(&mut out, row, TOP + STEP * index);
    }
    if more > 0 {
        let y = height - STEP / 2;
        out.push_str(&format!("<text class=\"t\" x=\"4\" y=\"{y}\">and {more} more</text>\n"));
    }
    out.push_str("</svg>\n");
    out
}

fn lane(index: usize) -> usize {
    LEFT + LANE * index + LANE / 2
}

fn draw(out: &mut String, Row { at, kind, text }: &Row, y: usize) {
    let text = escape(&shortened(text));
    let base = y + 4;
    out.push_str(&format!("<text class=\"t\" x=\"4\" y=\"{base}\">{at}</text>"));
    match *kind {
        RowKind::Arrow { from, to, lost, kind } => {
            let class = match (lost, kind) {
                (true, _) => "x",
                (false, PacketKind::Control) => "c",
                (false, PacketKind::Stream) => "s",
                (false, PacketKind::Snapshot) => "p",
            };
            let (start, end) = (lane(from), lane(to));
            // The head points the way the message goes; a lost one ends half way, with a cross.
            let end = if lost { usize::midpoint(start, end) } else { end };
            let back = if end > start { end.saturating_sub(7) } else { end + 7 };
            let (up, down) = (y - 4, y + 4);
            let head = if lost {
                let (l, r) = (end.saturating_sub(4), end + 4);
                format!("M{l} {up}L{r} {down}M{l} {down}L{r} {up}")
            } else {
                format!("M{back} {up}L{end} {y}L{back} {down}")
            };
            let middle = usize::midpoint(lane(from), lane(to));
            out.push_str(&format!(
                "<path class=\"{class}\" fill=\"none\" d=\"M{start} {y}L{end} {y}\"/>\
                 <path class=\"{class}\" style=\"stroke-dasharray:none\" fill=\"none\" d=\"{head}\"/>\
                 <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{text}</text>\n",
                y - 4
            ));
        }
        RowKind::Note { server, full } => {
            let (x, half) = (lane(server), LANE / 2 - 8);
            let class = if full { "f" } else { "n" };
            out.push_str(&format!(
                "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"18\" rx=\"4\"/>\
                 <text x=\"{x}\" y=\"{base}\" text-anchor=\"middle\">{text}</text>\n",
                x - half,
                y - 9,
                half * 2
            ));
        }
    }
}

/// What fits between two lanes; ids as the page shows them, because what stands behind one counts.
fn shortened(text: &str) -> String {
    let id = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let word = |word: &str| match id(word) {
        true => format!("{}\u{2026}{}", &word[..6], &word[38..]),
        false => word.to_owned(),
    };
    let text = text.split(' ').map(word).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(27) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    }
}

/// For text between tags; XML knows no other control characters than these.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
