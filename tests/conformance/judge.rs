//! Compares what two servers did, counts, and knows which id of one is which id of the other.
//!
//! Ids are random, so their text says nothing; that two of them are the same id does. Each id of
//! the one side belongs to exactly one of the other, and stays with it for the whole schedule.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// A comparison that failed; the schedule ends with it, because everything after would differ too.
#[derive(Debug)]
pub struct Disagreement {
    /// What differed, how, and after what.
    pub what: String,
    /// Whether it is only that one side's allocator was generous (see `Judge::same_window`).
    pub generous: bool,
}

pub type Outcome<T = ()> = Result<T, Disagreement>;

#[derive(Default)]
pub struct Judge {
    /// Comparisons made.
    pub checks: u64,
    /// Synchronization requests made.
    pub requests: u64,
    /// What happened so far, for who has to find out why it came to differ.
    pub story: Vec<String>,
    ids: Ids,
}

#[derive(Clone, Default)]
struct Ids {
    left: BTreeMap<String, usize>,
    right: BTreeMap<String, usize>,
}

impl Judge {
    /// Says what is done next.
    pub fn note(&mut self, step: impl Into<String>) {
        self.story.push(step.into());
    }

    /// Both sides must have this in common.
    pub fn same<T: PartialEq + Debug>(&mut self, what: &str, [left, right]: &[T; 2]) -> Outcome {
        self.checks += 1;
        if left == right {
            return Ok(());
        }
        Err(self.differ(what, &format!("{left:?}"), &format!("{right:?}")))
    }

    /// As `same`, for byte strings: says where they part.
    pub fn same_bytes(&mut self, what: &str, [left, right]: &[Vec<u8>; 2]) -> Outcome {
        self.checks += 1;
        if left == right {
            return Ok(());
        }
        let at = left.iter().zip(right).take_while(|(l, r)| l == r).count();
        let from = at.saturating_sub(60);
        let shown = |bytes: &[u8]| {
            let part = &bytes[from.min(bytes.len())..(at + 60).min(bytes.len())];
            format!("{} bytes, at {from}: {}", bytes.len(), part.escape_ascii())
        };
        Err(self.differ(what, &shown(left), &shown(right)))
    }

    /// The two ids must be counterparts. Two that were both never seen become so.
    pub fn same_ids(&mut self, what: &str, [left, right]: [&str; 2]) -> Outcome {
        self.checks += 1;
        if self.ids.are_counterparts(left, right) {
            return Ok(());
        }
        Err(self.differ(what, left, right))
    }

    /// Both windows must begin at the same byte. glibc now and then hands out a block with 16 bytes
    /// more than the rule says, when what it would keep back is too small to be a piece of memory;
    /// from then on the borders of blocks differ by that. It is no disagreement, but nothing can
    /// be compared after it either.
    pub fn same_window(&mut self, what: &str, firsts: [i64; 2], glibc: bool) -> Outcome {
        let apart = firsts[0].abs_diff(firsts[1]);
        let outcome = self.same(what, &firsts);
        outcome.map_err(|disagreement| Disagreement {
            generous: glibc && (apart == 16 || apart == 32),
            ..disagreement
        })
    }

    /// What must hold on each side by itself.
    pub fn holds(&mut self, what: &str, on_each: [bool; 2]) -> Outcome {
        self.same(what, &[on_each, [true, true]])
    }

    /// A text of one side with its ids replaced by what both sides call them.
    pub fn without_ids(&self, side: usize, text: &str) -> String {
        let names = if side == 0 { &self.ids.left } else { &self.ids.right };
        let mut text = text.to_owned();
        for (id, name) in names {
            text = text.replace(id, &format!("<id {name}>"));
            text = text.replace(&id.to_uppercase(), &format!("<ID {name}>"));
        }
        without_beginnings(&text, names)
    }

    pub fn differ(&self, what: &str, left: &str, right: &str) -> Disagreement {
        let story = self.story[self.story.len().saturating_sub(12)..].join("\n    ");
        let what = format!("{what}:\n  one   {left}\n  other {right}\n  after\n    {story}");
        Disagreement { what, generous: false }
    }
}

/// A refusal quotes what was asked for, which may be the beginning of an id.
fn without_beginnings(text: &str, names: &BTreeMap<String, usize>) -> String {
    const QUOTE: &str = "asked for '";
    let Some((before, (asked, after))) =
        text.split_once(QUOTE).and_then(|(before, rest)| Some((before, rest.split_once('\'')?)))
    else {
        return text.to_owned();
    };
    let of = names.iter().find(|(id, _)| !asked.is_empty() && id.starts_with(asked));
    match of {
        Some((_, name)) => format!("{before}{QUOTE}<{} of id {name}>'{after}", asked.len()),
        None => text.to_owned(),
    }
}

impl Ids {
    fn are_counterparts(&mut self, left: &str, right: &str) -> bool {
        // "No id" is forty zeros for everybody.
        let none = |id: &str| id.bytes().all(|digit| digit == b'0');
        if none(left) || none(right) {
            return left == right;
        }
        match (self.left.get(left), self.right.get(right)) {
            (Some(one), Some(other)) => one == other,
            (None, None) => {
                let name = self.left.len();
                self.left.insert(left.to_owned(), name);
                self.right.insert(right.to_owned(), name);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_more_are_excused_where_glibc_counts_and_nowhere_else() {
        let generous = |firsts, glibc| {
            let outcome = Judge::default().same_window("first", firsts, glibc);
            outcome.map_err(|disagreement| disagreement.generous)
        };
        assert_eq!(generous([101, 101], true), Ok(()));
        assert_eq!(generous([101, 117], true), Err(true));
        assert_eq!(generous([101, 117], false), Err(false));
        assert_eq!(generous([101, 109], true), Err(false));
    }

    #[test]
    fn an_id_has_one_counterpart_for_ever() {
        let mut judge = Judge::default();
        assert!(judge.same_ids("first", ["aa", "bb"]).is_ok());
        assert!(judge.same_ids("again", ["aa", "bb"]).is_ok());
        assert!(judge.same_ids("another", ["aa", "cc"]).is_err());
        assert!(judge.same_ids("two names", ["dd", "bb"]).is_err());
        assert!(judge.same_ids("none", ["00", "00"]).is_ok());
        assert!(judge.same_ids("none and one", ["00", "ee"]).is_err());
        assert_eq!(judge.without_ids(0, "aa and AA"), "<id 0> and <ID 0>");
        assert_eq!(judge.without_ids(1, "bb"), "<id 0>");
        assert_eq!(judge.without_ids(1, "asked for 'b', not"), "asked for '<1 of id 0>', not");
    }
}
