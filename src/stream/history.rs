//! The name of a history, and the older name under which it may still be continued.
//!
//! Two servers with the same replication id hold the same bytes at the same offsets, as far as
//! both reach. Everything in this project that says "partial" rests on that sentence, so an id is
//! never reused: a new one is drawn at every start, at promotion, when the backlog is created and
//! when it is freed.
//!
//! Absent on purpose: a history does not know its bytes (see `backlog`).

use std::fmt;
use std::str::FromStr;

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::offset::{BytePos, Offset};

/// A run ID / replication ID: 40 lower-case hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplId([u8; 40]);

/// Which history a server is in (`master_replid`), which older one it can continue, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// `master_replid`: the history being written now.
    pub replid: ReplId,
    /// `master_replid2` with `second_repl_offset`, if there is an older history to continue.
    pub second: Option<SecondId>,
    /// `master_repl_offset`: the bytes produced (master) or applied (replica) so far.
    pub end: Offset,
}

/// An older history that is a prefix of the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondId {
    /// `master_replid2`.
    pub replid: ReplId,
    /// `second_repl_offset`: the last position that may be asked for under that id, inclusive.
    ///
    /// The histories share the bytes up to the switch at offset `n`; a reader that has all `n`
    /// asks for `n + 1`, so that is the limit: promoted at 100, requests up to 101 are good.
    pub valid_up_to: BytePos,
}

impl ReplId {
    /// "No id": forty `0`, as INFO prints an absent `master_replid2`.
    pub const NONE: ReplId = ReplId([b'0'; 40]);

    /// Draws a new id. Ids are random so that two histories never meet by accident.
    pub fn random(rng: &mut impl Rng) -> ReplId {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut id = [0; 40];
        for group in id.chunks_mut(8) {
            let mut bits = rng.next_u32();
            for digit in group {
                *digit = HEX[(bits & 15) as usize];
                bits >>= 4;
            }
        }
        ReplId(id)
    }

    /// Whether a peer's text names this id; servers compare the full length, ignoring case.
    #[must_use]
    pub fn matches(&self, asked: &[u8]) -> bool {
        self.0.eq_ignore_ascii_case(asked)
    }

    /// The forty characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every constructor admits hexadecimal digits only, so this is always text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl History {
    /// A new history with a new id and no bytes, as at the start of a server.
    pub fn begin(rng: &mut impl Rng) -> History {
        History { replid: ReplId::random(rng), second: None, end: Offset::ZERO }
    }

    /// Draws a new id and forgets the second one: what follows is a different history
    /// (Redis `changeReplicationId` with `clearReplicationId2`).
    pub fn replace_id(&mut self, rng: &mut impl Rng) {
        self.replid = ReplId::random(rng);
        self.second = None;
    }

    /// Continues under a new id, and stays able to serve readers of the old one up to here
    /// (Redis `shiftReplicationId`, at promotion).
    pub fn shift_id(&mut self, rng: &mut impl Rng) {
        self.shift_to(ReplId::random(rng));
    }

    /// Continues under the id that a master announced with `+CONTINUE <id>`.
    pub fn shift_to(&mut self, replid: ReplId) {
        self.second = Some(SecondId { replid: self.replid, valid_up_to: self.end.next() });
        self.replid = replid;
    }

    /// Becomes a copy of a master's history, as announced by `+FULLRESYNC <id> <offset>`.
    pub fn adopt(&mut self, replid: ReplId, end: Offset) {
        *self = History { replid, second: None, end };
    }

    /// `master_replid2` as INFO prints it.
    #[must_use]
    pub fn replid2(&self) -> ReplId {
        self.second.map_or(ReplId::NONE, |second| second.replid)
    }

    /// `second_repl_offset` as INFO prints it: -1 when there is no second id.
    #[must_use]
    pub fn second_replid_offset(&self) -> BytePos {
        self.second.map_or(BytePos(-1), |second| second.valid_up_to)
    }
}

impl fmt::Display for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a replication id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadReplId {
    /// How many bytes it had; 40 are wanted.
    pub len: usize,
}

impl fmt::Display for BadReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a replication id has 40 hexadecimal characters; this text of {} bytes does not",
            self.len
        )
    }
}

impl std::error::Error for BadReplId {}

impl TryFrom<&[u8]> for ReplId {
    type Error = BadReplId;

    fn try_from(text: &[u8]) -> Result<ReplId, BadReplId> {
        let error = BadReplId { len: text.len() };
        let id: [u8; 40] = text.to_ascii_lowercase().try_into().map_err(|_| error.clone())?;
        if id.iter().all(u8::is_ascii_hexdigit) { Ok(ReplId(id)) } else { Err(error) }
    }
}

impl FromStr for ReplId {
    type Err = BadReplId;
    fn from_str(text: &str) -> Result<ReplId, BadReplId> {
        ReplId::try_from(text.as_bytes())
    }
}

impl Serialize for ReplId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReplId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ReplId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;

    #[test]
    fn an_id_has_forty_hexadecimal_characters_and_a_new_one_differs() {
        let mut rng = seeded(1);
        let (one, two) = (ReplId::random(&mut rng), ReplId::random(&mut rng));
        assert_eq!(one.as_str().len(), 40);
        assert!(one.as_str().bytes().all(|digit| b"0123456789abcdef".contains(&digit)));
        assert_ne!(one, two);
    }

    #[test]
    fn ids_are_compared_in_full_and_ignoring_case() {
        let id = ReplId::random(&mut seeded(2));
        assert!(id.matches(id.as_str().to_uppercase().as_bytes()));
        assert!(!id.matches(&id.as_str().as_bytes()[..39]));
        assert!(!id.matches(b""));
    }

    #[test]
    fn a_promotion_at_100_leaves_the_old_id_good_up_to_101() {
        let mut rng = seeded(3);
        let mut history = History { end: Offset(100), ..History::begin(&mut rng) };
        let old = history.replid;
        history.shift_id(&mut rng);
        assert_eq!(history.replid2(), old);
        assert_eq!(history.second_replid_offset(), BytePos(101));
        assert_ne!(history.replid, old);
    }

    #[test]
    fn texts_that_are_no_ids_are_refused() {
        assert_eq!("abc".parse::<ReplId>(), Err(BadReplId { len: 3 }));
        assert_eq!("g".repeat(40).parse::<ReplId>(), Err(BadReplId { len: 40 }));
        assert_eq!("0".repeat(40).parse::<ReplId>(), Ok(ReplId::NONE));
    }
}
