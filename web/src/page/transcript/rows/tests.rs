//! Rows of the transcript, as a reader sees them.

use super::*;
use crate::world::{Run, Scenario};

fn entry(seq: u64, at_us: u64, replica: usize, raw: &str, kind: PacketKind) -> Entry {
    let message = Message {
        master: 0,
        replica,
        to_replica: !raw.starts_with("REPLCONF"),
        kind,
        bytes: 30,
        arrives: Some(Instant(at_us + 1000)),
        raw: raw.to_owned(),
        meaning: "x",
    };
    Entry { seq, at: Instant(at_us), what: What::Message(message) }
}

fn trace(entries: Vec<Entry>) -> Trace {
    let mut trace = Trace::default();
    trace.extend(entries.last().map_or(Instant(0), |entry| entry.at), entries);
    trace
}

fn shown(rows: &[Row]) -> Vec<String> {
    let line = |row: &Row| {
        format!("{} {} {} | {} {}", seconds(row.at_us), row.who, row.raw, row.meaning, row.class)
    };
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect()
}

#[test]
fn one_write_to_several_replicas_is_one_row_and_an_answer_stands_between() {
    let stream = PacketKind::Stream;
    let entries = [
        entry(0, 1000, 1, "SET a 1", stream),
        entry(1, 1000, 2, "SET a 1", stream),
        entry(2, 1000, 3, "SET a 1", stream),
        entry(3, 2000, 2, "+CONTINUE", PacketKind::Control),
        entry(4, 3000, 1, "SET b 1", stream),
        entry(5, 3000, 3, "SET b 1", stream),
        entry(6, 3000, 2, "REPLCONF ACK 7", PacketKind::Control),
    ];
    assert_eq!(
        shown(&rows(&mut entries.iter(), &[])),
        [
            "0.001 M\u{2192}1\u{2013}3 SET a 1 | x \u{b7} 30 B",
            "0.002 M\u{2192}2 +CONTINUE | x decision partial",
            "0.003 M\u{2192}1,3 SET b 1 | x \u{b7} 30 B",
            "0.003 2\u{2192}M REPLCONF ACK 7 | x",
        ]
    );
}

#[test]
fn a_flood_is_ten_rows_a_second_with_what_is_said_meanwhile_between() {
    let stream = PacketKind::Stream;
    let mut entries: Vec<_> =
        (0..3000).map(|n| entry(n, n * 100, 1, &format!("SET {n}"), stream)).collect();
    entries[1500] = entry(1500, 150_000, 2, "PSYNC ? -1", PacketKind::Control);
    assert_eq!(
        shown(&rows(&mut entries.iter(), &[])),
        [
            "0.000 M\u{2192}1 1,000 pieces of the stream | 30.0 KB many",
            "0.100 M\u{2192}1 500 pieces of the stream | 15.0 KB many",
            "0.150 M\u{2192}2 PSYNC ? -1 | x",
            "0.150 M\u{2192}1 499 pieces of the stream | 15.0 KB many",
            "0.200 M\u{2192}1 1,000 pieces of the stream | 30.0 KB many",
        ]
    );
}

#[test]
fn acknowledgements_of_a_crowd_are_one_row() {
    let ack = |n: u64| {
        let raw = format!("REPLCONF ACK {n}");
        entry(n, 5000, 1 + n as usize, &raw, PacketKind::Control)
    };
    let entries: Vec<_> = (0..100).map(ack).collect();
    let rows = rows(&mut entries.iter(), &[]);
    assert_eq!(shown(&rows), ["0.005 1\u{2013}100\u{2192}M 100 REPLCONF ACK | 3,000 B many"]);
    assert_eq!((rows[0].seq, rows[0].end), (0, 99));
}

#[test]
fn a_long_run_fills_a_short_list_around_the_cursor() {
    let stream = PacketKind::Stream;
    let trace =
        trace((0..5000).map(|n| entry(n, n * 50_000, 1, &format!("SET {n}"), stream)).collect());
    let listed = |now_us, held| listed(&trace, now_us, held, &[]);
    let middle = listed(100_000_000, None);
    assert_eq!(middle.rows.len(), BEFORE + AFTER);
    assert_eq!(middle.current, Some(BEFORE - 1));
    assert_eq!(middle.rows[BEFORE - 1].at_us, 100_000_000);
    assert!(middle.earlier && middle.later);
    let end = listed(u64::MAX, None);
    assert_eq!((end.rows.len(), end.current), (BEFORE, Some(BEFORE - 1)));
    assert!(end.earlier && !end.later);
    let start = listed(0, None);
    assert_eq!((start.rows.len(), start.current), (1 + AFTER, Some(0)));
    assert!(!start.earlier && start.later);
    // While a reader looks at row 1940, nothing in front of it goes.
    let held = listed(101_000_000, Some(1940));
    assert_eq!((held.rows[0].seq, held.rows.len()), (1940, 81));
    assert_eq!(held.current, Some(80));
    let long = listed(200_000_000, Some(1940));
    assert_eq!((long.rows.len(), long.current, long.later), (HELD, None, true));
}

#[test]
fn a_row_is_the_same_from_wherever_it_is_looked_at() {
    let stream = PacketKind::Stream;
    let trace =
        trace((0..200_000).map(|n| entry(n, n * 200, 1, &format!("SET {n}"), stream)).collect());
    let early = listed(&trace, 36_000_000, None, &[]);
    let late = listed(&trace, 36_050_000, None, &[]);
    let row = |listed: &Listed| {
        listed.rows.iter().find(|row| row.at_us == 35_900_000).cloned().expect("a row")
    };
    assert_eq!(row(&early), row(&late));
    assert_eq!(row(&early).raw, "500 pieces of the stream");
}

#[test]
fn the_whole_form_is_every_byte_where_the_trace_has_them() {
    let mut run = Run::new(Scenario::preset("short-blip").expect("a preset of our own"));
    run.advance_us(12_000_000);
    let trace = run.trace();
    let all = rows(&mut trace.entries(), &run.snapshot().servers);
    let whole = |start: &str| {
        let row = all.iter().find(|row| row.raw.starts_with(start)).expect("it was said");
        assert!(row.raw.len() < 120, "{}", row.raw);
        row.whole.clone()
    };
    assert_eq!(whole("PSYNC ?"), r"*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n");
    assert!(whole("+FULLRESYNC").ends_with(r"\r\n"));
    assert_eq!(whole("+FULLRESYNC").split(' ').nth(1).map(str::len), Some(40));
    assert!(whole("PSYNC ").starts_with("*3") && whole("REPLCONF ACK").contains("ACK"));
    let text = text(&all);
    assert_eq!(text.lines().count(), all.len());
    assert!(text.contains("1\u{2192}M"), "{text}");
}
