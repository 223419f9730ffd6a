//! What a link is like, where that is worth a word: slower than the others, or lossy.
//!
//! "Slow" has no absolute meaning between a rack and another continent: a link is slow that is
//! more than twice as slow as the best one of this world, or so slow that people notice.

use crate::format::{bytes, duration};
use crate::world::{LinkSnapshot, Snapshot};

/// A latency that people notice.
const NOTICED_US: u64 = 300_000;

/// Beyond these a link is called slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slower {
    latency_us: u64,
    bandwidth: u64,
}

impl Default for Slower {
    fn default() -> Slower {
        Slower { latency_us: NOTICED_US, bandwidth: 0 }
    }
}

impl Slower {
    /// By the best link of this world.
    #[must_use]
    pub fn than_most(snapshot: &Snapshot) -> Slower {
        let mut best = Slower { latency_us: NOTICED_US / 2, bandwidth: 0 };
        for link in snapshot.servers.iter().filter_map(|server| server.link.as_ref()) {
            // A latency of nothing is twice itself.
            best.latency_us = best.latency_us.min(link.latency_us.max(500));
            best.bandwidth = best.bandwidth.max(bandwidth(link));
        }
        Slower { latency_us: best.latency_us * 2, bandwidth: best.bandwidth / 2 }
    }
}

/// What is worth saying of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    latency_us: Option<u64>,
    bandwidth: Option<u64>,
    loss: Option<String>,
}

impl Conditions {
    /// Of this link among the others.
    #[must_use]
    pub fn of(link: &LinkSnapshot, slower: Slower) -> Conditions {
        Conditions {
            latency_us: Some(link.latency_us).filter(|us| *us > slower.latency_us),
            bandwidth: link.bandwidth_bytes_per_second.filter(|rate| *rate < slower.bandwidth),
            loss: link.loss.clone(),
        }
    }

    /// In a word; empty when there is nothing to say.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let slow = self.latency_us.is_some() || self.bandwidth.is_some();
        match (slow, self.loss.is_some()) {
            (true, true) => "slow, lossy",
            (true, false) => "slow",
            (false, true) => "lossy",
            (false, false) => "",
        }
    }

    /// In numbers.
    #[must_use]
    pub fn numbers(&self) -> String {
        let latency = self.latency_us.map(duration);
        let bandwidth = self.bandwidth.map(|rate| format!("{}/s", bytes(rate)));
        let loss = self.loss.as_ref().map(|loss| format!("loses {loss}"));
        let parts: Vec<String> = [latency, bandwidth, loss].into_iter().flatten().collect();
        parts.join(" \u{b7} ")
    }
}

fn bandwidth(link: &LinkSnapshot) -> u64 {
    link.bandwidth_bytes_per_second.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::fixture;

    #[test]
    fn a_link_is_slow_among_better_ones_and_lossy_by_itself() {
        let (mut slow, mut lossy) = (fixture::link(), fixture::link());
        slow.latency_us *= 3;
        slow.bandwidth_bytes_per_second = Some(12_000);
        lossy.loss = Some("1/100".to_owned());
        let world = fixture::world(vec![fixture::link(), slow, lossy]);
        let slower = Slower::than_most(&world);
        let of = |server: usize| {
            let link = world.servers[server].link.as_ref().expect("a replica");
            let conditions = Conditions::of(link, slower);
            (conditions.word(), conditions.numbers())
        };
        assert_eq!(of(1), ("", String::new()));
        assert_eq!(of(2).0, "slow");
        assert!(of(2).1.ends_with("12.0 KB/s"), "{:?}", of(2));
        assert_eq!(of(3), ("lossy", "loses 1/100".to_owned()));
    }

    #[test]
    fn when_all_are_equally_slow_only_what_people_notice_is_named() {
        let mut link = fixture::link();
        (link.latency_us, link.bandwidth_bytes_per_second) = (120_000, Some(24_000));
        let world = fixture::world(vec![link.clone(); 3]);
        assert_eq!(Conditions::of(&link, Slower::than_most(&world)).word(), "");
        link.latency_us = 800_000;
        let world = fixture::world(vec![link.clone(); 3]);
        assert_eq!(Conditions::of(&link, Slower::than_most(&world)).numbers(), "800.0 ms");
    }
}
