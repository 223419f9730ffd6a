//! The list of shared blocks, drawn to scale: borders, fill, who refers to which block, what
//! leaves next, and how much the setting asks for.
//!
//! Invariant: at most [`MOST`] blocks are drawn, however many there are; those left out stand
//! between the oldest and the newest as one piece that says how many.

use yew::{Html, classes};

use super::{attached, numbers, percent};
use crate::format::{Rounded, bytes, thousands, thousands_signed};
use crate::markup::html;
use crate::world::{BacklogSnapshot, Block, ServerSnapshot, Snapshot};

/// The most blocks drawn.
pub const MOST: usize = 60;
/// The part of the row that stands for those left out.
const LEFT_OUT: f64 = 0.12;

/// A stretch of the row.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The first block in it, counted from 0.
    pub first: usize,
    /// How many blocks: one, or those left out.
    pub count: usize,
    /// Left edge and width, as parts of the row.
    pub at: (f64, f64),
    /// The part of it that is filled.
    pub filled: f64,
    /// The first byte in it.
    pub first_byte: i64,
    /// Bytes in it.
    pub used: u64,
}

/// The row.
#[must_use]
pub fn pieces(blocks: &[Block]) -> Vec<Piece> {
    let hidden = if blocks.len() > MOST { MOST / 2..blocks.len() - (MOST / 2 - 1) } else { 0..0 };
    let capacity = |blocks: &[Block]| blocks.iter().map(|block| block.capacity).sum::<u64>() as f64;
    let left_out = if hidden.is_empty() { 0.0 } else { LEFT_OUT };
    let scale = (1.0 - left_out) / (capacity(blocks) - capacity(&blocks[hidden.clone()])).max(1.0);
    let mut pieces = Vec::new();
    let (mut x, mut index) = (0.0, 0);
    while index < blocks.len() {
        let count = if hidden.start == index && !hidden.is_empty() { hidden.len() } else { 1 };
        let part = &blocks[index..index + count];
        let width = if count > 1 { left_out } else { capacity(part) * scale };
        let used: u64 = part.iter().map(|block| block.used).sum();
        pieces.push(Piece {
            first: index,
            count,
            at: (x, width),
            filled: used as f64 / capacity(part).max(1.0),
            first_byte: part[0].first.0,
            used,
        });
        x += width;
        index += count;
    }
    pieces
}

/// Where a byte stands in the row, as a part of it.
#[must_use]
pub fn place(pieces: &[Piece], byte: i64) -> Option<f64> {
    let piece = pieces.iter().rev().find(|piece| piece.first_byte <= byte)?;
    let inside = (byte - piece.first_byte) as f64 / (piece.used.max(1)) as f64;
    Some(piece.at.0 + piece.at.1 * piece.filled * inside.min(1.0))
}

/// What leaves next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is only one block.
    Nothing,
    /// The oldest, when so many more bytes have been written.
    After(u64),
    /// So many of the oldest would leave, but somebody refers to one of them.
    Pinned(usize),
}

/// Which blocks leave next: whole ones, and never so many that no more than the setting is left.
#[must_use]
pub fn next(blocks: &[Block], histlen: u64, size: u64) -> Next {
    let mut left = histlen;
    let mut count = 0;
    for block in blocks.iter().take(blocks.len().saturating_sub(1)) {
        if left.saturating_sub(block.capacity) <= size {
            break;
        }
        left -= block.capacity;
        count += 1;
    }
    match (blocks, count) {
        ([] | [_], _) => Next::Nothing,
        // 16,384 asked for, 20,440 in the oldest, 30,000 kept: after 6,825 more 16,385 are left.
        ([oldest, ..], 0) if oldest.pins == 0 => {
            Next::After((size + oldest.capacity + 1).saturating_sub(histlen))
        }
        (_, count) => Next::Pinned(count.max(1)),
    }
}

/// The drawing.
pub fn blocks(snapshot: &Snapshot, master: &ServerSnapshot, backlog: &BacklogSnapshot) -> Html {
    let none = Vec::new();
    let list = backlog.blocks.as_ref().unwrap_or(&none);
    let pieces = pieces(list);
    let next = next(list, backlog.histlen, backlog.size);
    let memory: u64 = list.iter().map(|block| block.capacity).sum();
    let count = if list.len() == 1 { "block" } else { "blocks" };
    html! {
        <>
            <p class="memory-sum">
                <b>{ format!("{} shared {count}", thousands(list.len() as u64)) }</b>
                <span>{ format!("{} B kept", thousands(backlog.histlen)) }</span>
                <span>{ format!("{} B set", thousands(backlog.size)) }</span>
                <span>{ format!("{} allocated", bytes(memory)) }</span>
            </p>
            <div class="blocks-pins">{ for pins(snapshot, master, &pieces) }</div>
            <ol class="blocks" data-place="blocks" aria-label="Blocks, oldest first">
                { for pieces.iter().map(|piece| block(snapshot, master, list, &next, piece)) }
            </ol>
            { axis(list, &pieces) }
            { setting(backlog, &pieces) }
            <p class="memory-next">{ words(&next, snapshot, master, list) }</p>
        </>
    }
}

fn readers(snapshot: &Snapshot, master: &ServerSnapshot, piece: &Piece) -> Vec<usize> {
    let here = piece.first..piece.first + piece.count;
    let reads = |server: &ServerSnapshot| server.link.as_ref().and_then(|link| link.reads_block);
    let readers = attached(snapshot, master);
    let readers = readers.filter(|(_, server)| reads(server).is_some_and(|n| here.contains(&n)));
    readers.map(|(number, _)| number).collect()
}

/// Who refers to which block: the backlog to the oldest, each replica to the one it is reading.
fn pins(snapshot: &Snapshot, master: &ServerSnapshot, pieces: &[Piece]) -> Vec<Html> {
    let pin = |piece: &Piece| {
        let readers = readers(snapshot, master, piece);
        let oldest = piece.first == 0;
        if readers.is_empty() && !oldest {
            return None;
        }
        // A pin stands over its block, but inside the row.
        let middle = (piece.at.0 + piece.at.1 / 2.0) * 100.0;
        let style = match middle {
            ..12.0 => format!("left:{:.2}%", Rounded(piece.at.0 * 100.0)),
            88.0.. => format!("right:{:.2}%", Rounded((1.0 - piece.at.0 - piece.at.1) * 100.0)),
            _ => format!("left:{:.2}%;transform:translateX(-50%)", Rounded(middle)),
        };
        let names = numbers(&readers);
        Some(html! {
            <span class={classes!("pin", (!readers.is_empty()).then_some("is-read"))} {style}>
                if oldest { <i>{ "backlog" }</i> }
                if !readers.is_empty() { <b>{ names }</b> }
            </span>
        })
    };
    pieces.iter().filter_map(pin).collect()
}

fn block(
    snapshot: &Snapshot,
    master: &ServerSnapshot,
    list: &[Block],
    next: &Next,
    piece: &Piece,
) -> Html {
    let leaves = match next {
        Next::Nothing => false,
        Next::After(_) => piece.first == 0,
        Next::Pinned(count) => piece.first < *count,
    };
    let style = format!(
        "left:{:.3}%;width:{:.3}%",
        Rounded(piece.at.0 * 100.0),
        Rounded(piece.at.1 * 100.0)
    );
    let last = piece.first_byte + i64::try_from(piece.used).unwrap_or(0) - 1;
    let mut says = match piece.count {
        1 => format!("Block {} of {}", piece.first + 1, list.len()),
        n => format!("{} more blocks", thousands(n as u64)),
    };
    let (first, last) = (thousands_signed(piece.first_byte), thousands_signed(last));
    says.push_str(&format!(": bytes {first} to {last}"));
    for reader in readers(snapshot, master, piece).iter().take(3) {
        says.push_str(&format!(", read by replica {reader}"));
    }
    if leaves {
        says.push_str(", leaves next");
    }
    html! {
        <li
            key={piece.first} {style} title={says.clone()}
            class={classes!(leaves.then_some("is-leaving"), (piece.count > 1).then_some("is-more"))}
        >
            <span class="fill" style={format!("width:{:.2}%", Rounded(piece.filled * 100.0))} />
            if piece.count > 1 {
                <span class="more" aria-hidden="true">
                    { format!("\u{2026} {} more", thousands(piece.count as u64)) }
                </span>
            }
            <span class="unseen">{ says }</span>
        </li>
    }
}

/// The offsets at borders, as many as can be read.
fn axis(list: &[Block], pieces: &[Piece]) -> Html {
    let Some(newest) = list.last() else { return Html::default() };
    let end = newest.first.0 + i64::try_from(newest.used).unwrap_or(0) - 1;
    let to = place(pieces, end + 1).unwrap_or(1.0);
    // What a label takes where the row is narrowest, on a phone.
    let wide = |text: &str| 0.03 + text.len() as f64 * 0.022;
    let newest = thousands_signed(end);
    // The newest byte's label ends where that byte does; near the left edge it has the row alone.
    let from = to - wide(&newest);
    let style = match from < 0.0 {
        true => "left:0".to_owned(),
        false => format!("right:{:.2}%", Rounded((1.0 - to) * 100.0)),
    };
    let mut free = -1.0;
    let mut shown = Vec::new();
    for piece in pieces {
        let (at, text) = (piece.at.0, thousands_signed(piece.first_byte));
        let ends = at + wide(&text);
        if at >= free && ends <= from {
            free = ends;
            let style = format!("left:{:.2}%", Rounded(at * 100.0));
            shown.push(html! { <span {style}>{ text }</span> });
        }
    }
    html! {
        <div class="blocks-axis" aria-hidden="true">
            { for shown }
            <span {style}>{ newest }</span>
        </div>
    }
}

/// The newest `repl-backlog-size` bytes: what the setting alone would keep.
fn setting(backlog: &BacklogSnapshot, pieces: &[Piece]) -> Html {
    let end = backlog.first_byte_offset.saturating_add_unsigned(backlog.histlen);
    let from = end.saturating_sub_unsigned(backlog.size).max(backlog.first_byte_offset);
    let (Some(from), Some(to)) = (place(pieces, from), place(pieces, end)) else {
        return Html::default();
    };
    let style = format!(
        "left:{:.2}%;width:{:.2}%",
        Rounded(from * 100.0),
        Rounded(percent(to - from, 1.0))
    );
    html! {
        <div class="blocks-setting" aria-hidden="true">
            <span {style} />
            <em style={format!("--right:{:.2}%", Rounded((1.0 - to) * 100.0))}>
                <i>{ "repl-backlog-size " }</i>{ thousands(backlog.size) }
            </em>
        </div>
    }
}

fn words(next: &Next, snapshot: &Snapshot, master: &ServerSnapshot, list: &[Block]) -> String {
    match next {
        Next::Nothing => "Blocks leave whole, from the oldest on. The newest one stays.".to_owned(),
        Next::After(0) => "Leaves next: block 1, whole, with the next block.".to_owned(),
        Next::After(bytes) => {
            format!("Leaves next: block 1, whole, after {} more bytes.", thousands(*bytes))
        }
        Next::Pinned(count) => {
            let mut pinned = list.iter().position(|block| block.pins > 0).unwrap_or(0);
            if list.first().is_some_and(|block| block.pins > 0) {
                pinned = 0;
            }
            let piece = Piece { first: pinned, count: 1, ..Piece::default() };
            let who = match readers(snapshot, master, &piece).as_slice() {
                [] => "a reader".to_owned(),
                [one] => format!("replica {one}"),
                many => format!("{} replicas", many.len()),
            };
            let blocks = if *count == 1 { "1 block" } else { &format!("{count} blocks") };
            format!("{blocks} would leave, but {who} still reads block {}.", pinned + 1)
        }
    }
}

impl Default for Piece {
    fn default() -> Piece {
        Piece { first: 0, count: 1, at: (0.0, 0.0), filled: 0.0, first_byte: 0, used: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::BytePos;

    fn list(count: u64, newest: u64) -> Vec<Block> {
        let block = |n: u64| Block {
            first: BytePos(i64::try_from(n * 20_440 + 1).unwrap()),
            used: if n + 1 == count { newest } else { 20_440 },
            capacity: 20_440,
            pins: 0,
        };
        (0..count).map(block).collect()
    }

    #[test]
    fn blocks_are_drawn_to_scale_and_without_gaps() {
        let pieces = pieces(&list(4, 5110));
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| (piece.at.1 - 0.25).abs() < 1e-9));
        assert_eq!(
            pieces.iter().map(|piece| piece.filled).collect::<Vec<_>>(),
            [1.0, 1.0, 1.0, 0.25]
        );
        assert!((place(&pieces, 20_441).unwrap() - 0.25).abs() < 1e-9);
        assert!(place(&pieces, 0).is_none());
    }

    #[test]
    fn thousands_of_blocks_become_one_piece_in_the_middle() {
        let pieces = pieces(&list(5000, 100));
        assert_eq!(pieces.len(), MOST);
        assert_eq!(pieces.iter().map(|piece| piece.count).sum::<usize>(), 5000);
        assert_eq!(pieces[30].count, 5000 - 59);
        let end = pieces.last().map(|piece| piece.at.0 + piece.at.1).unwrap();
        assert!((end - 1.0).abs() < 1e-9);
        assert!(pieces.windows(2).all(|w| (w[0].at.0 + w[0].at.1 - w[1].at.0).abs() < 1e-9));
    }

    #[test]
    fn the_oldest_block_leaves_when_more_than_the_setting_is_left_without_it() {
        let mut two = list(2, 9560);
        assert_eq!(next(&two, 30_000, 16_384), Next::After(6825));
        two[0].pins = 1;
        assert_eq!(next(&two, 30_000, 16_384), Next::Pinned(1));
        let mut six = list(6, 100);
        six[0].pins = 1;
        // 102,300 kept: without four blocks 20,540 are left, without five no more than the setting.
        assert_eq!(next(&six, 102_300, 16_384), Next::Pinned(4));
        assert_eq!(next(&list(1, 50), 50, 16_384), Next::Nothing);
        assert_eq!(next(&[], 0, 16_384), Next::Nothing);
    }
}
