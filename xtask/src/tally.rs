//! Counts what passed and what failed, from the lines that test programs print.

use std::fmt;

/// How many checks passed and failed. Its text is the last line of `cargo xtask test`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// One check without parts, such as the formatter.
    pub fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into() }
    }

    /// What one line of a test program adds; most lines add nothing.
    ///
    /// An ignored test counts as failed: a test that does not run proves nothing.
    pub fn of_line(line: &str) -> Self {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return Self::default();
        };
        let count = |what: &str| {
            counts
                .split(['.', ';'])
                .find_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        Self { passed: count("passed"), failed: count("failed") + count("ignored") }
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_test_programs() {
        for (line, passed, failed) in [
            ("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out", 12, 0),
            ("test result: FAILED. 1 passed; 2 failed; 4 ignored; 0 measured", 1, 6),
            ("    test result: ok. 1 passed; 0 failed; 0 ignored; 0 filtered out", 1, 0),
            ("test ring::wraps ... ok", 0, 0),
            ("test result: gibberish", 0, 0),
        ] {
            assert_eq!(Tally::of_line(line), Tally { passed, failed }, "{line}");
        }
    }

    #[test]
    fn the_last_line() {
        let mut tally = Tally::one(true);
        tally.add(Tally::one(false));
        tally.add(Tally { passed: 40, failed: 0 });
        assert_eq!(tally.to_string(), "41 passed, 1 failed");
    }
}
