//! Where each command of the kept stream begins.
//!
//! A backlog of 1 MB holds ten thousand commands, and every copy of a world has this for each of
//! its servers; so what is kept is how far each beginning lies behind the one before, a byte or two
//! each (seven bits of it in a byte, the lowest first, and one that says whether more follow).

use std::collections::VecDeque;

use crate::stream::offset::{ByteCount, BytePos};

/// Rising positions, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Starts {
    /// The first and the last of them.
    ends: Option<(BytePos, BytePos)>,
    steps: VecDeque<u8>,
    len: usize,
}

impl Starts {
    /// Adds one behind the last.
    pub fn push(&mut self, start: BytePos) {
        let (first, last) = self.ends.unwrap_or((start, start));
        if self.ends.is_some() {
            let mut step = last.until(start).map_or(0, |count| count.0);
            while step > 0x7f {
                self.steps.push_back(step as u8 | 0x80);
                step >>= 7;
            }
            self.steps.push_back(step as u8);
        }
        self.ends = Some((first, start));
        self.len += 1;
    }

    /// Forgets all that are followed by another one at or before `first`.
    pub fn trim(&mut self, first: BytePos) {
        loop {
            let second = self.iter().nth(1);
            let Some(second) = second.filter(|second| *second <= first) else { return };
            while self.steps.pop_front().is_some_and(|byte| byte > 0x7f) {}
            self.ends = self.ends.map(|(_, last)| (second, last));
            self.len -= 1;
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Starts::default();
    }

    /// The last one at or before `pos`, and the one behind it.
    pub fn around(&self, pos: BytePos) -> Option<(BytePos, Option<BytePos>)> {
        let start = self.iter().take_while(|start| *start <= pos).last()?;
        Some((start, self.iter().find(|start| *start > pos)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    fn iter(&self) -> impl Iterator<Item = BytePos> {
        let (mut next, mut bytes) = (self.ends.map(|(first, _)| first), self.steps.iter());
        std::iter::from_fn(move || {
            let start = next?;
            let (mut step, mut shift) = (0, 0);
            next = bytes.by_ref().find_map(|byte| {
                step |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                (*byte <= 0x7f).then_some(start + ByteCount(step))
            });
            Some(start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{below, seeded};

    #[test]
    fn they_are_those_that_a_plain_list_would_hold() {
        let (mut starts, mut plain) = (Starts::default(), VecDeque::new());
        let (mut rng, mut pos, mut first) = (seeded(1), BytePos(1), BytePos(1));
        for turn in 0..3000 {
            let most = [2, 200, 70_000, u64::MAX >> 20][turn % 4];
            starts.push(pos);
            plain.push_back(pos);
            pos = pos + ByteCount(below(&mut rng, most) + 1);
            if turn % 3 == 0 {
                first = plain[below(&mut rng, plain.len().min(9) as u64) as usize];
                first = first + ByteCount(below(&mut rng, 2));
                starts.trim(first);
                while plain.get(1).is_some_and(|second| *second <= first) {
                    plain.pop_front();
                }
            }
            assert_eq!(starts.len(), plain.len());
            for asked in [first, BytePos(pos.0 - 1), plain[plain.len() / 2]] {
                let after = plain.partition_point(|start| *start <= asked);
                let known = after.checked_sub(1).map(|at| (plain[at], plain.get(after).copied()));
                assert_eq!(starts.around(asked), known, "{asked:?} in turn {turn}");
            }
        }
        starts.clear();
        assert_eq!((starts.len(), starts.around(pos)), (0, None));
    }
}
