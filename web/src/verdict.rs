//! A decision in words: the view model of the decision card.
//!
//! Computed from the record alone, without DOM, so that each cause's wording is tested natively.

use crate::format::{bytes, readable_size, short_id, thousands, thousands_signed};
use crate::world::{Check, CheckName, DecisionRecord, Outcome, Verdict};

/// One row of the list of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How it ended.
    pub outcome: Outcome,
    /// The question that the server puts.
    pub question: &'static str,
    /// On the right: the answer in a word or a number.
    pub note: String,
    /// Below: the two things compared. None in the short rows.
    pub compared: Option<String>,
}

/// One of the two boxes that say what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// A number with its unit.
    pub amount: String,
    /// What it is.
    pub what: &'static str,
}

/// What would have made it partial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// `repl-backlog-size`.
    pub directive: &'static str,
    /// A value that reads well: at least the exact one.
    pub value: String,
    /// The smallest value that would have done, in words; none when `value` is that.
    pub exact: Option<String>,
}

/// The title: a glyph and a word.
#[must_use]
pub fn title(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Partial => ("\u{bb}", "Partial resync"),
        Verdict::Full => ("\u{25a4}", "Full resync"),
    }
}

/// One plain sentence.
#[must_use]
pub fn sentence(decision: &DecisionRecord) -> &'static str {
    match (decision.verdict, decision.reason) {
        (Verdict::Partial, _) if decision.bytes == 0 => {
            "It missed nothing and continues where it stopped."
        }
        (Verdict::Partial, _) => "Every byte it missed is still in the backlog.",
        (_, Some("requested")) => "It has no history to continue and asked for everything.",
        (_, Some("unknown-replid")) => "The history it names is not one this master knows.",
        (_, Some("past-second-offset")) => {
            "It went further along the old history than this master did."
        }
        (_, Some("no-backlog")) => "The master keeps no backlog to continue from.",
        (_, Some("before-backlog")) => "The bytes it needs are no longer in the backlog.",
        (_, Some("after-backlog")) => "It asks for bytes that this master has not written.",
        (_, _) => "It has to take the whole dataset.",
    }
}

/// The list of checks.
#[must_use]
pub fn rows(decision: &DecisionRecord) -> Vec<Row> {
    let second = decision.checks.iter().any(|check| check.name == CheckName::BeforeParting);
    decision.checks.iter().map(|check| row(check, second)).collect()
}

fn row(check: &Check, second: bool) -> Row {
    let passed = check.outcome == Outcome::Passed;
    let question = question(check.name);
    if check.outcome == Outcome::NotReached {
        let note = "not reached".to_owned();
        return Row { outcome: check.outcome, question, note, compared: None };
    }
    let (asked, against) = (number(&check.asked), number(&check.against));
    let compare = |good: &str, bad: &str, what: &str| {
        Some(format!("asks {asked} {} {what} {against}", if passed { good } else { bad }))
    };
    let short = |words: &str| match check.short_by {
        Some(n) => format!("{words} {} B", thousands(n)),
        None => String::new(),
    };
    let (note, compared) = match check.name {
        CheckName::WantsPartial => (if passed { "yes" } else { "? \u{2212}1" }.to_owned(), None),
        CheckName::SameHistory if passed => {
            (if second { "ID 2" } else { "ID 1" }.to_owned(), compare("=", "", "master"))
        }
        CheckName::SameHistory => ("unknown ID".to_owned(), compare("", "\u{2260}", "master")),
        CheckName::BeforeParting => (short("beyond by"), compare("\u{2264}", ">", "valid up to")),
        CheckName::HasBacklog => (against.clone(), None),
        CheckName::StillKept => (short("short by"), compare("\u{2265}", "<", "first kept")),
        CheckName::NotAhead => (short("ahead by"), compare("\u{2264}", ">", "next byte")),
    };
    Row { outcome: check.outcome, question, note, compared }
}

fn question(name: CheckName) -> &'static str {
    match name {
        CheckName::WantsPartial => "Wants to continue?",
        CheckName::SameHistory => "Same history?",
        CheckName::BeforeParting => "Before the histories part?",
        CheckName::HasBacklog => "Anything kept?",
        CheckName::StillKept => "Still kept?",
        CheckName::NotAhead => "Not ahead of the master?",
    }
}

/// Numbers with separators and ids shortened, wherever they stand in a text.
fn number(text: &str) -> String {
    let word = |word: &str| match word.parse::<i64>() {
        Ok(n) if word.len() < 20 => thousands_signed(n),
        _ => short_id(word),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The mark in front of a row.
#[must_use]
pub fn mark(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Passed => ("\u{2713}", "passed"),
        Outcome::Failed => ("\u{2717}", "failed"),
        Outcome::NotReached => ("\u{b7}", "not reached"),
    }
}

/// What it cost, beside what it could have cost.
#[must_use]
pub fn costs(decision: &DecisionRecord) -> [Cost; 2] {
    match decision.verdict {
        Verdict::Partial => [
            Cost { amount: bytes(decision.bytes), what: "sent: what was missing" },
            Cost { amount: bytes(decision.full_bytes), what: "a full resync would cost" },
        ],
        Verdict::Full => [
            Cost { amount: bytes(decision.bytes), what: "sent: whole dataset" },
            match decision.missing_bytes {
                Some(missing) => Cost { amount: bytes(missing), what: "was missing" },
                None => Cost { amount: "\u{2013}".to_owned(), what: "no history in common" },
            },
        ],
    }
}

/// What would have made it partial.
#[must_use]
pub fn cure(decision: &DecisionRecord) -> Option<Cure> {
    let remedy = decision.remedy.as_ref()?;
    let exact: Option<u64> = remedy.value.parse().ok();
    let value = exact.map_or_else(|| remedy.value.clone(), readable_size);
    let exact = exact.filter(|n| value != n.to_string());
    Some(Cure {
        directive: remedy.directive,
        value,
        exact: exact.map(|n| format!("At least {} B.", thousands(n))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Instant, Run, Scenario};

    fn decisions() -> Vec<DecisionRecord> {
        let mut run = Run::new(Scenario::preset("too-long").unwrap());
        run.seek(Instant(30_000_000));
        run.trace().decisions().to_vec()
    }

    fn full() -> DecisionRecord {
        let found = decisions().into_iter().find(|d| d.reason == Some("before-backlog"));
        found.expect("the preset leads to it")
    }

    #[test]
    fn the_failed_check_carries_both_numbers_and_the_gap() {
        let full = full();
        let rows = rows(&full);
        let failed = rows.iter().position(|row| row.outcome == Outcome::Failed).unwrap();
        let row = &rows[failed];
        assert_eq!(row.question, "Still kept?");
        let asked = thousands_signed(full.request.offset);
        let first = thousands_signed(full.window.unwrap().first);
        let compared = format!("asks {asked} < first kept {first}");
        assert_eq!(row.compared.as_deref(), Some(compared.as_str()));
        assert!(row.note.starts_with("short by "), "{}", row.note);
        assert!(rows[failed + 1..].iter().all(|row| row.note == "not reached"));
        assert_eq!(costs(&full)[1].what, "was missing");
        assert_eq!(cure(&full).unwrap().directive, "repl-backlog-size");
    }

    #[test]
    fn every_reason_has_its_own_sentence() {
        let mut record = full();
        let mut said = Vec::new();
        for reason in [
            "requested",
            "unknown-replid",
            "past-second-offset",
            "no-backlog",
            "before-backlog",
            "after-backlog",
        ] {
            record.reason = Some(reason);
            said.push(sentence(&record));
        }
        record.verdict = Verdict::Partial;
        said.push(sentence(&record));
        record.bytes = 0;
        said.push(sentence(&record));
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), 8, "{said:?}");
    }

    #[test]
    fn numbers_inside_texts_are_grouped_and_ids_are_short() {
        let id = "8f3a19d04be77bc1a5d2e9f01c3b5a7d9e1f20c2";
        assert_eq!(number("1264861"), "1,264,861");
        assert_eq!(number("16384 bytes"), "16,384 bytes");
        assert_eq!(number(&format!("{id} or {id}")), "8f3a19\u{2026}c2 or 8f3a19\u{2026}c2");
    }
}
