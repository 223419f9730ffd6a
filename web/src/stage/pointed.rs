//! The byte that is pointed at: on the ring, on the ruler, or with the keys.
//!
//! A pointer chooses a position, the run knows the byte and its command. Absent on purpose: the
//! tooltip's place; that follows the pointer.

use super::plan::Circle;
use super::turn;
use crate::format::thousands_signed;
use crate::stage::painting::Held;
use crate::world::BytesAt;

/// The position under a pointer near the ring; none when it is not on the track, or on a part of
/// it that holds nothing.
#[must_use]
pub fn on_ring(c: &Circle, held: &Held, head: f64, at: (f64, f64)) -> Option<i64> {
    let (dx, dy) = (at.0 - c.x, at.1 - c.y);
    let radius = (dx * dx + dy * dy).sqrt();
    if radius > c.rim + 6.0 || radius < c.rim - c.track - 6.0 {
        return None;
    }
    // Clockwise from twelve, as a part of a turn.
    let place = turn::towards(dx, -dy);
    let age = turn::clockwise(place, turn::place(head, held.size)) * held.size as f64;
    // Of several laps the one that is pointed at.
    let laps = turn::laps(held.histlen, held.size, c.track);
    let lap = laps.filter(|lap| lap.number > 0 && c.rim - radius >= lap.inset).last();
    let older = lap.map_or(0.0, |lap| (lap.number * held.size) as f64);
    inside(held, (head - age - older).ceil() as i64)
}

/// The position, if it is kept.
#[must_use]
pub fn inside(held: &Held, position: i64) -> Option<i64> {
    (held.histlen > 0 && position >= held.first && position <= last(held)).then_some(position)
}

/// The newest byte kept.
#[must_use]
pub fn last(held: &Held) -> i64 {
    held.first.saturating_add(i64::try_from(held.histlen).unwrap_or(i64::MAX)).saturating_sub(1)
}

/// What a key does to the position; none when it is no key of this slider.
#[must_use]
pub fn key(
    held: &Held,
    position: i64,
    key: &str,
    shift: bool,
    at: Option<&BytesAt>,
) -> Option<i64> {
    let stride = if shift { 16 } else { 1 };
    let next = match key {
        "ArrowLeft" | "ArrowDown" => position - stride,
        "ArrowRight" | "ArrowUp" => position + stride,
        // To the command before: its last byte is the one before this command's first.
        "PageDown" => at.map_or(position - 64, |b| b.command_first - 1),
        "PageUp" => at.map_or(position + 64, |b| {
            b.command_first.saturating_add(i64::try_from(b.command_len).unwrap_or(0))
        }),
        "Home" => held.first,
        "End" => last(held),
        _ => return None,
    };
    Some(next.clamp(held.first, last(held).max(held.first)))
}

/// A command's printable bytes, parted at the byte that is pointed at: before, it, after.
///
/// The text is escaped (`\r`, `\x00`), so characters are not bytes: one escape is one byte. It
/// begins with the first byte of the command that is kept, and it may end early; then nothing is
/// pointed at.
#[must_use]
pub fn parted<'a>(at: &'a BytesAt, held: &Held, position: i64) -> (&'a str, &'a str, &'a str) {
    let from = at.command_first.max(held.first);
    let mut left = position.saturating_sub(from);
    let mut rest = at.text.as_str();
    while left > 0 && !rest.is_empty() {
        rest = rest.get(one(rest)..).unwrap_or_default();
        left -= 1;
    }
    let start = at.text.len() - rest.len();
    let end = start + one(rest);
    (
        at.text.get(..start).unwrap_or_default(),
        at.text.get(start..end).unwrap_or_default(),
        at.text.get(end..).unwrap_or_default(),
    )
}

/// How long the text of the first byte is.
fn one(text: &str) -> usize {
    let length = match text.as_bytes() {
        [b'\\', b'x', ..] => 4,
        [b'\\', ..] => 2,
        _ => text.chars().next().map_or(0, char::len_utf8),
    };
    length.min(text.len())
}

/// The command's range in words.
#[must_use]
pub fn range(at: &BytesAt) -> String {
    let end = at.command_first + i64::try_from(at.command_len).unwrap_or(0) - 1;
    format!("{}\u{2013}{}", thousands_signed(at.command_first), thousands_signed(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held = Held { first: 101, histlen: 100, size: 100 };
    const RING: Circle = Circle { x: 200.0, y: 200.0, rim: 100.0, track: 20.0 };

    #[test]
    fn a_point_on_the_ring_is_the_byte_that_stands_there() {
        // The head is at 200 = twelve o'clock; three o'clock is 25 bytes into the turn before.
        assert_eq!(on_ring(&RING, &HELD, 200.0, (291.0, 201.0)), Some(126));
        assert_eq!(on_ring(&RING, &HELD, 200.0, (200.0, 200.0)), None);
        assert_eq!(on_ring(&RING, &HELD, 200.0, (320.0, 200.0)), None);
    }

    #[test]
    fn the_part_that_holds_nothing_has_no_bytes() {
        let young = Held { first: 1, histlen: 10, size: 100 };
        assert_eq!(on_ring(&RING, &young, 10.0, (200.0, 291.0)), None);
    }

    #[test]
    fn keys_walk_bytes_and_commands_and_stop_at_both_ends() {
        let at = command("");
        let walk = |k: &str, shift| key(&HELD, 150, k, shift, Some(&at));
        assert_eq!(walk("ArrowLeft", false), Some(149));
        assert_eq!(walk("ArrowRight", true), Some(166));
        assert_eq!(walk("PageDown", false), Some(139));
        assert_eq!(walk("PageUp", false), Some(160));
        assert_eq!(walk("Home", false), Some(101));
        assert_eq!(walk("End", false), Some(200));
        assert_eq!(key(&HELD, 101, "ArrowLeft", true, None), Some(101));
        assert_eq!(walk("x", false), None);
        assert_eq!(range(&at), "140\u{2013}159");
    }

    fn command(text: &str) -> BytesAt {
        let (text, command) = (text.to_owned(), String::new());
        BytesAt { command_first: 140, command_len: 20, text, command }
    }

    #[test]
    fn the_byte_pointed_at_is_found_among_escapes() {
        let at = command(r"*1\r\n$4\x00k");
        assert_eq!(parted(&at, &HELD, 140), ("", "*", r"1\r\n$4\x00k"));
        assert_eq!(parted(&at, &HELD, 142), ("*1", r"\r", r"\n$4\x00k"));
        assert_eq!(parted(&at, &HELD, 146), (r"*1\r\n$4", r"\x00", "k"));
        assert_eq!(parted(&at, &HELD, 159).1, "");
    }

    #[test]
    fn a_command_whose_beginning_is_overwritten_begins_where_the_backlog_does() {
        let held = Held { first: 142, ..HELD };
        assert_eq!(parted(&command("cdef"), &held, 143), ("c", "d", "ef"));
    }
}
