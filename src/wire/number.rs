//! Integers as RESP writes them: decimal text, one spelling a number.
//!
//! Invariant: `parse_integer` accepts exactly the text that `push_integer` writes. Absent on purpose:
//! signs other than a leading `-`, leading zeros, blanks, hexadecimal, floats.

/// Reads a decimal integer the way Redis' `string2ll` (util.c) does: `0` or `-?[1-9][0-9]*` within
/// the range of an i64. `+5`, `05`, `-0`, blanks and the empty text are `None`.
#[must_use]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [] => false,
        [b'0', ..] => text == b"0",
        _ => digits.iter().all(u8::is_ascii_digit),
    };
    if !canonical {
        return None;
    }
    // Only digits behind an optional minus are left, so the one thing that can still fail is the range.
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Appends the decimal text of `value`.
pub(super) fn push_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_decimal(out, value.unsigned_abs());
}

/// Appends the decimal text of `value`, without an allocation of its own.
pub(super) fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        // The remainder is below ten, so the cast keeps it.
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out[start..].reverse();
}

/// How many digits `push_decimal` writes: 1 for 0 to 9, 2 for 10 to 99.
pub(super) fn decimal_len(value: u64) -> u64 {
    u64::from(value.checked_ilog10().unwrap_or(0)) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_a_number() {
        for (text, want) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("10", Some(10)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999999999", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("-0", None),
            ("00", None),
            ("05", None),
            ("-05", None),
            ("+5", None),
            (" 5", None),
            ("5 ", None),
            ("1e3", None),
            ("\u{661}", None),
        ] {
            assert_eq!(parse_integer(text.as_bytes()), want, "{text:?}");
        }
    }

    #[test]
    fn written_text_reads_back() {
        for value in [0, 9, 10, 99, 100, -1, -10, i64::MAX, i64::MIN] {
            let mut out = b"x".to_vec();
            push_integer(&mut out, value);
            assert_eq!(out, format!("x{value}").into_bytes());
            assert_eq!(parse_integer(&out[1..]), Some(value));
        }
        for value in [0, 1, 9, 10, 99, 100, 1000, u64::MAX] {
            assert_eq!(decimal_len(value), value.to_string().len() as u64, "{value}");
        }
    }
}
