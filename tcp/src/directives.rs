//! Which directives a real server has.
//!
//! The list was asked of the two servers themselves (see the data file), so a redis.conf that a
//! real server takes is taken here, and a misspelt line is refused as there.
//!
//! Absent on purpose: what values they take. Who models a directive checks its value; of the
//! others only the number of words is looked at.

const REAL: &str = include_str!("directives/real.txt");

/// How many words may follow a directive's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Exactly one.
    One,
    /// At least one; a single quoted word is cut into several.
    Several,
}

/// Finds a directive of Redis 7.0 or Valkey 9.1, whatever the case of its name.
#[must_use]
pub fn real(name: &str) -> Option<Words> {
    REAL.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let (known, words) = match line.strip_prefix('+') {
            Some(known) => (known, Words::Several),
            None => (line, Words::One),
        };
        known.eq_ignore_ascii_case(name).then_some(words)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_of_both_servers_are_known_in_any_case_and_others_are_not() {
        assert_eq!(real("appendonly"), Some(Words::One));
        assert_eq!(real("REPL-Diskless-Sync"), Some(Words::One));
        assert_eq!(real("slaveof"), Some(Words::Several));
        assert_eq!(real("dual-channel-replication-enabled"), Some(Words::One));
        for wrong in ["", "nonsense", "+save", "#", "repl-backlog"] {
            assert_eq!(real(wrong), None, "{wrong:?}");
        }
    }
}
