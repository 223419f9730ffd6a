//! What is said to those who do not see the drawing: what a lesson says, decisions, replicas
//! overtaken, what somebody did, and links that came and went.
//!
//! At most one sentence a second. What comes sooner waits; of what waits, the weightier kind goes
//! first, and the latest of each kind wins, because old news read aloud late are worse than none.

use crate::format::{bytes, server_title};
use crate::world::{DecisionRecord, LinkState, Verdict};

/// The shortest time between two sentences, in real milliseconds.
const EVERY_MS: f64 = 1000.0;

/// Collects news and lets one sentence a second out.
#[derive(Debug, Default)]
pub struct Announcer {
    lesson: Option<String>,
    decision: Option<String>,
    overrun: Option<String>,
    action: Option<String>,
    link: Option<String>,
    said_ms: Option<f64>,
}

impl Announcer {
    /// A lesson goes on.
    pub fn lesson(&mut self, says: String) {
        self.lesson = Some(says);
    }

    /// A decision was made.
    pub fn decision(&mut self, decision: &DecisionRecord) {
        self.decision = Some(sentence(decision));
    }

    /// The next byte that a replica needs is gone.
    pub fn overrun(&mut self, replica: &str) {
        let replica = server_title(replica);
        self.overrun = Some(format!("{replica} was overtaken: what it needs was overwritten."));
    }

    /// Somebody did something, in the words of the trace.
    pub fn action(&mut self, text: &str) {
        self.action = Some(format!("{}.", text.trim_end_matches('.')));
    }

    /// A link changed.
    pub fn link(&mut self, replica: &str, state: LinkState) {
        let replica = server_title(replica);
        let what = match state {
            LinkState::Up => "is in sync",
            LinkState::Cut => "is cut off",
            // Passing states are not worth a sentence.
            LinkState::Connecting | LinkState::Handshake | LinkState::Transfer => return,
        };
        self.link = Some(format!("{replica} {what}."));
    }

    /// The next sentence, when there is one and a second has gone by.
    pub fn take(&mut self, now_ms: f64) -> Option<String> {
        if self.said_ms.is_some_and(|said| now_ms - said < EVERY_MS) {
            return None;
        }
        let kinds = [
            &mut self.lesson,
            &mut self.decision,
            &mut self.overrun,
            &mut self.action,
            &mut self.link,
        ];
        let sentence = kinds.into_iter().find_map(Option::take)?;
        self.said_ms = Some(now_ms);
        Some(sentence)
    }

    /// Whether something waits to be said.
    #[must_use]
    pub fn waits(&self) -> bool {
        let kinds = [&self.lesson, &self.decision, &self.overrun, &self.action, &self.link];
        kinds.into_iter().any(Option::is_some)
    }
}

fn sentence(decision: &DecisionRecord) -> String {
    let replica = server_title(&decision.replica);
    let sent = bytes(decision.bytes);
    match (decision.verdict, decision.reason) {
        (Verdict::Partial, _) => format!("Partial resync of {replica}: {sent} sent."),
        (Verdict::Full, Some(reason)) => {
            format!("Full resync of {replica}, {}: {sent} sent.", reason.replace('-', " "))
        }
        (Verdict::Full, None) => format!("Full resync of {replica}: {sent} sent."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_a_second_and_the_latest_wins() {
        let mut announcer = Announcer::default();
        announcer.link("replica-1", LinkState::Cut);
        assert_eq!(announcer.take(0.0).as_deref(), Some("replica 1 is cut off."));
        announcer.link("replica-2", LinkState::Cut);
        announcer.link("replica-3", LinkState::Up);
        announcer.link("replica-3", LinkState::Handshake);
        assert_eq!(announcer.take(999.0), None);
        assert!(announcer.waits());
        assert_eq!(announcer.take(1000.0).as_deref(), Some("replica 3 is in sync."));
        assert!(!announcer.waits());
    }

    #[test]
    fn every_kind_is_said_the_weightier_first() {
        let mut announcer = Announcer::default();
        announcer.link("replica-1", LinkState::Cut);
        announcer.action("cut link to replica-1");
        announcer.overrun("replica-1");
        let said: Vec<_> = (0..4).filter_map(|n| announcer.take(f64::from(n) * 1000.0)).collect();
        assert_eq!(
            said,
            [
                "replica 1 was overtaken: what it needs was overwritten.",
                "cut link to replica-1.",
                "replica 1 is cut off.",
            ]
        );
    }
}
