//! Numbers that only the drawing prints: the dial's scale, time left, percent.
//!
//! Everything else comes from [`crate::format`]. Settings are counted in binary here, as
//! redis.conf does. A time left always has the same unit and one decimal while it is short, so
//! that it can burn down without its width jumping about.

use crate::format::thousands;

/// A number of bytes on the dial's scale: `0`, `512`, `2K`, `1.5M`.
#[must_use]
pub fn binary(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && bytes >> (10 * (unit + 1)) > 0 {
        unit += 1;
    }
    let whole = bytes >> (10 * unit);
    let rest = bytes - (whole << (10 * unit));
    let tenth = (u128::from(rest) * 10) >> (10 * unit);
    if tenth == 0 || whole >= 100 {
        format!("{}{}", thousands(whole), UNITS[unit])
    } else {
        format!("{whole}.{tenth}{}", UNITS[unit])
    }
}

/// A time that runs: `0.4 s`, `3.2 s`, `2 min 5 s`, `3 h 20 min`, `12 days`.
#[must_use]
pub fn lasting(us: u64) -> String {
    let seconds = us / 1_000_000;
    match seconds {
        0..100 => format!("{seconds}.{} s", us % 1_000_000 / 100_000),
        100..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", thousands(seconds / 86_400)),
    }
}

/// Whole percent, never 100 before all is there.
#[must_use]
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    u64::try_from(u128::from(part.min(whole)) * 100 / u128::from(whole)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dial_counts_in_powers_of_two() {
        let table = [
            (0, "0"),
            (512, "512"),
            (2048, "2K"),
            (1536, "1.5K"),
            (16_384, "16K"),
            (1 << 30, "1G"),
        ];
        for (n, want) in table {
            assert_eq!(binary(n), want);
        }
        assert_eq!(binary(u64::MAX), "15.9E");
    }

    #[test]
    fn a_time_left_changes_its_unit_where_people_do() {
        assert_eq!(lasting(380_000), "0.3 s");
        assert_eq!(lasting(3_240_000), "3.2 s");
        assert_eq!(lasting(125_000_000), "2 min 5 s");
        assert_eq!(lasting(12_000_000_000), "3 h 20 min");
        assert_eq!(lasting(u64::MAX), "213,503,982 days");
    }

    #[test]
    fn a_transfer_reads_100_percent_only_when_complete() {
        assert_eq!(percent(34, 100), 34);
        assert_eq!(percent(9_999, 10_000), 99);
        assert_eq!(percent(5, 0), 0);
    }
}
