//! Numbers, ids and times as the page prints them.
//!
//! All of it is exact or says how it is rounded; nothing depends on the visitor's locale, so that
//! a screenshot and a test read the same everywhere.

use std::fmt;

/// `1284560` as `1,284,560`.
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same for numbers that may be negative, with a real minus sign.
#[must_use]
pub fn thousands_signed(n: i64) -> String {
    let sign = if n < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", thousands(n.unsigned_abs()))
}

/// Bytes in decimal units with three digits: `0 B`, `3,316 B`, `19.3 KB`, `48.2 MB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if n < 10_000 {
        return format!("{} B", thousands(n));
    }
    let mut scale: u64 = 1000;
    let mut unit = 0;
    // 999.95 KB would be printed as 1000.0 KB; it is 1.0 MB then.
    while unit + 1 < UNITS.len() && n >= scale.saturating_mul(1000) - scale / 20 {
        scale *= 1000;
        unit += 1;
    }
    let tenths = (u128::from(n) * 10 + u128::from(scale) / 2) / u128::from(scale);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A size as redis.conf writes it when that is exact (`16kb`, `1mb`), otherwise the plain number.
#[must_use]
pub fn conf_size(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    for (unit, name) in UNITS {
        if n >= unit && n.is_multiple_of(unit) {
            return format!("{}{name}", n / unit);
        }
    }
    n.to_string()
}

/// The next size at or above `n` that reads well in redis.conf: `19,860` gives `20kb`.
#[must_use]
pub fn readable_size(n: u64) -> String {
    let unit = if n > 20 << 20 { 1 << 20 } else { 1 << 10 };
    match n.div_ceil(unit).checked_mul(unit) {
        Some(size) if n >= 1024 => conf_size(size),
        _ => n.to_string(),
    }
}

/// A moment with milliseconds, without unit: `12.480`.
#[must_use]
pub fn seconds(us: u64) -> String {
    format!("{}.{:03}", thousands(us / 1_000_000), us / 1000 % 1000)
}

/// A length of time in its natural unit: `250 µs`, `12.5 ms`, `3.2 s`, `2 min 5 s`.
#[must_use]
pub fn duration(us: u64) -> String {
    match us {
        0..1000 => format!("{us} \u{b5}s"),
        1000..1_000_000 => format!("{}.{} ms", us / 1000, us / 100 % 10),
        1_000_000..120_000_000 => format!("{}.{} s", us / 1_000_000, us / 100_000 % 10),
        _ => format!("{} min {} s", thousands(us / 60_000_000), us / 1_000_000 % 60),
    }
}

/// A length on the screen or a percentage: `{:.1}` prints it with one decimal.
///
/// The formatter for `f64` of the standard library is exact for every number and takes 12 kB of the
/// module for it; here all are small, and what is no number is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounded(pub f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = f.precision().unwrap_or(0).min(6);
        let scale = 10_u64.pow(places as u32);
        // The cast ends at the largest number.
        let scaled = (self.0.abs() * scale as f64).round_ties_even() as u64;
        let sign = if self.0 < 0.0 && scaled > 0 { "-" } else { "" };
        write!(f, "{sign}{}", scaled / scale)?;
        if places > 0 { write!(f, ".{:0places$}", scaled % scale) } else { Ok(()) }
    }
}

/// The head and tail of an id, for places where forty characters do not fit: `8f3a19…c2`.
#[must_use]
pub fn short_id(id: &str) -> String {
    if id.len() == 40 && id.is_ascii() {
        format!("{}\u{2026}{}", &id[..6], &id[38..])
    } else {
        id.to_owned()
    }
}

/// `replica-2` as people say it: `replica 2`.
#[must_use]
pub fn server_title(name: &str) -> String {
    name.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_as_the_standard_library_rounds() {
        for number in [0.0, -0.0, 0.04, -0.04, 0.06, 1.0, -12.36, 99.96, 1280.125, 1e7 + 0.3] {
            let exact = format!("{number:.1} {number:.3}").replace("-0.0 ", "0.0 ");
            let exact = exact.replace("-0.000", "0.000");
            assert_eq!(format!("{0:.1} {0:.3}", Rounded(number)), exact);
            assert_eq!(format!("{}", Rounded(number)), format!("{number:.0}").replace("-0", "0"));
        }
        assert_eq!(format!("{:.1}", Rounded(f64::NAN)), "0.0");
    }

    #[test]
    fn numbers_read_as_on_the_page() {
        let table = [
            (thousands(0), "0"),
            (thousands(999), "999"),
            (thousands(1000), "1,000"),
            (thousands(1_284_560), "1,284,560"),
            (thousands_signed(-3316), "\u{2212}3,316"),
            (bytes(0), "0 B"),
            (bytes(3316), "3,316 B"),
            (bytes(19_312), "19.3 KB"),
            (bytes(999_949), "999.9 KB"),
            (bytes(999_950), "1.0 MB"),
            (bytes(48_200_000), "48.2 MB"),
            (bytes(u64::MAX), "18.4 EB"),
            (conf_size(16_384), "16kb"),
            (conf_size(16_385), "16385"),
            (conf_size(1 << 20), "1mb"),
            (readable_size(19_860), "20kb"),
            (readable_size(100), "100"),
            (readable_size(u64::MAX), "18446744073709551615"),
            (seconds(12_480_000), "12.480"),
            (duration(250), "250 \u{b5}s"),
            (duration(3_250_000), "3.2 s"),
            (duration(125_000_000), "2 min 5 s"),
            (short_id("8f3a19aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac2"), "8f3a19\u{2026}c2"),
            (short_id("?"), "?"),
            (server_title("replica-2"), "replica 2"),
        ];
        for (got, want) in table {
            assert_eq!(got, want);
        }
    }
}
