//! Tables for [`decide`] and [`remedy`]; the exhaustive comparison with a naive model is in
//! `tests/small_worlds.rs`.

use super::*;
use crate::random::seeded;
use crate::stream::backlog::{Ledger, RingWindow};
use crate::stream::offset::Offset;

/// A history of `end` bytes whose last `size` are kept.
fn server(end: u64, size: u64) -> (History, Window) {
    let mut ring = RingWindow::new(Offset(0), ByteCount(size));
    ring.append(ByteCount(end));
    (History { end: Offset(end), ..History::begin(&mut seeded(1)) }, ring.window())
}

fn ask(replid: &str, pos: i64) -> Request {
    Request { replid: Bytes::copy_from_slice(replid.as_bytes()), pos: BytePos(pos) }
}

/// The verdict in a word: `+n` for a continuation of n bytes, else the reason's name.
fn check(history: &History, window: Option<&Window>, request: &Request) -> String {
    match decide(history, window, request) {
        Decision::Partial { len, .. } => format!("+{len}"),
        Decision::Full { reason } => reason.name().to_owned(),
    }
}

#[test]
fn a_full_ring_serves_its_first_byte_and_the_next_one_and_not_their_neighbours() {
    // Vector T12.
    let (history, window) = server(120, 8);
    let id = history.replid.to_string();
    let verdict = |pos| check(&history, Some(&window), &ask(&id, pos));
    assert_eq!(verdict(113), "+8");
    assert_eq!(verdict(112), "before-backlog");
    assert_eq!(verdict(121), "+0");
    assert_eq!(verdict(122), "after-backlog");
}

#[test]
fn a_sibling_ahead_of_the_promoted_replica_is_past_the_second_offset() {
    // Vector T1: short by 121,403 bytes.
    let (mut history, window) = server(7_579_144_700_777, 1 << 20);
    let old = history.replid.to_string();
    history.shift_id(&mut seeded(2));
    let answer = decide(&history, Some(&window), &ask(&old, 7_579_144_822_181));
    let Decision::Full { reason: FullReason::PastSecondOffset { asked, valid_up_to } } = answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!(valid_up_to.until(asked), Some(ByteCount(121_403)));
    assert_eq!(check(&history, Some(&window), &ask(&old, 7_579_144_700_778)), "+0");
}

#[test]
fn a_replica_that_lost_its_id_asks_for_everything_and_no_size_can_help() {
    // Vector T6.
    let (history, window) = server(120, 1 << 40);
    assert_eq!(check(&history, Some(&window), &Request::full()), "requested");
    assert_eq!(check(&history, Some(&window), &ask("?abc", 5)), "requested");
    assert_eq!(remedy(&FullReason::Requested, Some(&window)), None);
}

#[test]
fn when_the_backlog_was_freed_the_id_is_what_no_longer_fits() {
    // Vector T8: the id changes when the backlog is freed, at an equal offset.
    let (mut history, _) = server(120, 8);
    let old = history.replid.to_string();
    history.replace_id(&mut seeded(2));
    assert_eq!(check(&history, None, &ask(&old, 121)), "unknown-replid");
    let new = history.replid.to_string();
    assert_eq!(check(&history, None, &ask(&new, 121)), "no-backlog");
}

#[test]
fn an_absent_second_id_is_compared_as_forty_zeros_with_the_limit_minus_one() {
    let (history, window) = server(120, 8);
    let zeros = "0".repeat(40);
    assert_eq!(check(&history, Some(&window), &ask(&zeros, 0)), "past-second-offset");
    assert_eq!(check(&history, Some(&window), &ask(&zeros, -1)), "before-backlog");
}

#[test]
fn ids_are_compared_without_case_and_in_full_and_an_empty_one_is_an_error() {
    let (history, window) = server(120, 8);
    let id = history.replid.to_string();
    assert_eq!(check(&history, Some(&window), &ask(&id.to_uppercase(), 121)), "+0");
    assert_eq!(check(&history, Some(&window), &ask(&id[..39], 121)), "unknown-replid");
    assert_eq!(check(&history, Some(&window), &ask("", 121)), "unknown-replid");
    let Decision::Full { reason } = decide(&history, Some(&window), &ask("", 121)) else {
        panic!("an empty id is refused");
    };
    assert!(reason.counts_as_error());
}

#[test]
fn the_remedy_is_the_smallest_size_that_would_have_done() {
    let (history, window) = server(120, 8);
    let id = history.replid.to_string();
    for pos in 1..113 {
        let request = ask(&id, pos);
        let Decision::Full { reason } = decide(&history, Some(&window), &request) else {
            panic!("{pos} is gone");
        };
        let size = remedy(&reason, Some(&window)).expect("a size helps").0;
        assert!(check(&history, Some(&server(120, size).1), &request).starts_with('+'));
        assert_eq!(check(&history, Some(&server(120, size - 1).1), &request), "before-backlog");
    }
}

#[test]
fn no_size_brings_back_what_was_written_before_the_backlog_existed() {
    let mut ring = RingWindow::new(Offset(100), ByteCount(8));
    ring.append(ByteCount(20));
    let window = ring.window();
    let reason = |asked| FullReason::BeforeBacklog { asked: BytePos(asked), first: window.first };
    assert_eq!(remedy(&reason(100), Some(&window)), None);
    assert_eq!(remedy(&reason(101), Some(&window)), Some(ByteCount(20)));
}

#[test]
fn extreme_positions_are_answered_like_any_other() {
    let (history, window) = server(120, 8);
    let id = history.replid.to_string();
    assert_eq!(check(&history, Some(&window), &ask(&id, i64::MIN)), "before-backlog");
    assert_eq!(check(&history, Some(&window), &ask(&id, i64::MAX)), "after-backlog");
}
