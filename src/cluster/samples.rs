//! A run as a chart needs it: a few numbers at evenly spread moments of a stretch of time.
//!
//! Nothing is written down while the world runs, because the tape can tell: copies of the world
//! that stand on the way are looked at as they are, and between them a world of its own walks
//! along the tape. So a chart costs nothing while nobody looks at it, and is as fine as one zooms.
//!
//! Invariants: a sample is what the snapshot of its moment says, whatever was gone to, forked or
//! skipped before. The stretch is cut into cells, and a cell has at most one sample, so their
//! number is bounded however long the run. Absent on purpose: what happens inside of a cell; a
//! peak between two samples is seen by zooming in.

use super::copies::Moment;
use super::run::Run;
use super::sim::World;
use super::snapshot::{LinkState, Role, ServerSnapshot, Snapshot};
use crate::time::Instant;

/// How many samples are kept; then those outside of the stretch looked at go.
const MOST_SAMPLES: usize = 1024;

/// What a chart shows of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The moment.
    pub at_us: u64,
    /// How many bytes of history the master keeps; of masters the one that most servers follow.
    pub histlen: u64,
    /// Its `repl-backlog-size`; zero without a backlog.
    pub size: u64,
    /// What each way of keeping takes altogether: ring and private queues, shared blocks, a list
    /// for each replica.
    pub memory_bytes: [u64; 3],
    /// In the order of the snapshot's servers; none for one that follows nobody.
    pub replicas: Vec<Option<ReplicaSample>>,
    /// Over all replicas.
    pub behind: Spread,
    /// Over all replicas that are attached.
    pub output: Spread,
}

/// What a chart shows of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaSample {
    /// Bytes that it has not applied.
    pub behind_bytes: u64,
    /// Whether it is away and shares the master's history, so that it needs what it is behind.
    pub needs: bool,
    /// What it makes its master hold; none while it is not attached.
    pub output_bytes: Option<u64>,
    /// The hard limit on that.
    pub output_limit_bytes: Option<u64>,
}

/// Many numbers as three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// The smallest.
    pub least: u64,
    /// Half of them are at most this.
    pub median: u64,
    /// The largest.
    pub most: u64,
}

/// The samples of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    cell_us: u64,
    kept: Vec<Sample>,
    /// The world that walks along the tape.
    walker: Option<Box<Moment>>,
}

impl Sample {
    /// What a chart shows of this moment.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Sample {
        let servers = &snapshot.servers;
        let keeper = keeper(servers);
        let backlog = keeper.and_then(|keeper| keeper.backlog.as_ref());
        let mut memory_bytes = [0; 3];
        for (total, memory) in memory_bytes.iter_mut().zip(backlog.iter().flat_map(|b| &b.memory)) {
            *total = memory.backlog_bytes.saturating_add(memory.replicas_bytes);
        }
        let replica = |server: &ServerSnapshot| {
            let link = server.link.as_ref()?;
            let is_here = keeper.is_some_and(|keeper| keeper.name == link.master);
            Some(ReplicaSample {
                behind_bytes: link.behind_bytes,
                needs: is_here && link.same_history && link.state != LinkState::Up,
                output_bytes: link.output_bytes,
                output_limit_bytes: link.output_limit_bytes,
            })
        };
        let replicas: Vec<_> = servers.iter().map(replica).collect();
        let present = || replicas.iter().flatten();
        Sample {
            at_us: snapshot.now_us,
            histlen: backlog.map_or(0, |backlog| backlog.histlen),
            size: backlog.map_or(0, |backlog| backlog.size),
            memory_bytes,
            behind: Spread::of(present().map(|replica| replica.behind_bytes)),
            output: Spread::of(present().filter_map(|replica| replica.output_bytes)),
            replicas,
        }
    }
}

/// The master that most servers follow; of several the first.
fn keeper(servers: &[ServerSnapshot]) -> Option<&ServerSnapshot> {
    let follow = |master: &ServerSnapshot| {
        let links = servers.iter().filter_map(|server| server.link.as_ref());
        links.filter(|link| link.master == master.name).count()
    };
    // Of equal ones `max_by_key` takes the last.
    servers.iter().rev().filter(|server| server.role == Role::Master).max_by_key(|s| follow(s))
}

impl Spread {
    fn of(replicas: impl Iterator<Item = u64>) -> Spread {
        // Put into their order one by one: they are a hundred, and mostly equal.
        let mut values = Vec::new();
        for value in replicas {
            let place = values.partition_point(|known| *known <= value);
            values.insert(place, value);
        }
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        let last = values.len().saturating_sub(1);
        Spread { least: at(0), median: at(last / 2), most: at(last) }
    }
}

impl Samples {
    /// Forgets what may be different in another future: from `now` on.
    pub fn cut_off(&mut self, now: Instant) {
        self.kept.retain(|sample| sample.at_us < now.0);
        self.walker.take_if(|walker| walker.world.now() >= now);
    }

    /// Cells of another length: those that share one keep its first sample.
    fn cut_into(&mut self, cell_us: u64) {
        self.cell_us = cell_us;
        self.kept.dedup_by_key(|sample| sample.at_us / cell_us);
    }

    /// The first sample at or after a moment: its place, and whether it lies in that moment's cell.
    fn place(&self, at_us: u64) -> (usize, bool) {
        let place = self.kept.partition_point(|sample| sample.at_us < at_us);
        let next = self.kept.get(place);
        (place, next.is_some_and(|sample| sample.at_us < at_us.saturating_add(self.cell_us)))
    }

    fn add(&mut self, sample: Sample, from_us: u64, to_us: u64) {
        if self.kept.len() >= MOST_SAMPLES {
            self.kept.retain(|sample| (from_us..=to_us).contains(&sample.at_us));
        }
        let (place, _) = self.place(sample.at_us);
        self.kept.insert(place, sample);
    }
}

impl Run {
    /// Samples the stretch from `from_us` to `to_us`, as far as it is known, in cells of `cell_us`
    /// (at least a millionth of a second, and not more than some hundred of them), until `late`.
    /// Whether all of it is there. Nothing changes by asking.
    pub fn sample(
        &mut self,
        (from_us, to_us): (u64, u64),
        cell_us: u64,
        late: impl Fn() -> bool,
    ) -> bool {
        let cell_us = cell_us.max(1);
        if self.samples.cell_us != cell_us {
            self.samples.cut_into(cell_us);
        }
        let to_us = to_us.min(self.trace().furthest().0);
        let mut cell = from_us - from_us % cell_us;
        while cell <= to_us {
            if !self.samples.place(cell).1 {
                if late() {
                    return false;
                }
                let end = cell.saturating_add(cell_us - 1).min(self.trace().furthest().0);
                let sample = Sample::of(&self.look_at(Instant(cell), Instant(end)));
                self.samples.add(sample, from_us, to_us);
            }
            cell = cell.saturating_add(cell_us);
        }
        true
    }

    /// The samples from `from_us` to `to_us`, and one on each side of them.
    #[must_use]
    pub fn samples(&self, from_us: u64, to_us: u64) -> &[Sample] {
        let kept = &self.samples.kept;
        let first = kept.partition_point(|sample| sample.at_us < from_us).saturating_sub(1);
        let end = kept.partition_point(|sample| sample.at_us <= to_us) + 1;
        kept.get(first..end.min(kept.len())).unwrap_or_default()
    }

    /// The world at a moment from `at` to `end`: the present one or a copy, if there is one of
    /// then, otherwise at `at`.
    fn look_at(&mut self, at: Instant, end: Instant) -> Snapshot {
        if (at..=end).contains(&self.now()) {
            return self.snapshot();
        }
        let copy = self.copies.before(end);
        // One made before an action of its own moment is not what that moment ended as.
        let whole = |copy: &&Moment| {
            let waiting = self.actions.get(copy.done);
            waiting.is_none_or(|timed| timed.at > copy.world.now())
        };
        if let Some(copy) = copy.filter(|copy| copy.world.now() >= at).filter(whole) {
            return copy.world.snapshot();
        }
        let at = at.max(copy.map_or(at, |copy| copy.world.now()));
        let nearest = copy.map_or(Instant::ZERO, |copy| copy.world.now());
        let walker = self.samples.walker.take();
        let walker = walker.filter(|walker| (nearest..=at).contains(&walker.world.now()));
        let start = || match copy {
            Some(copy) => copy.clone(),
            None => Moment { world: World::new(self.original()), done: 0 },
        };
        let mut walker = walker.unwrap_or_else(|| Box::new(start()));
        walker.run_to(&self.actions, at);
        // They are on the tape.
        walker.world.take_entries();
        let snapshot = walker.world.snapshot();
        self.samples.walker = Some(walker);
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::action::{Action, Direction};
    use crate::cluster::scenario::Scenario;

    fn run(preset: &str) -> Run {
        Run::new(Scenario::preset(preset).expect("a preset"))
    }

    /// Each sample is what a fresh run with the same actions says at that moment.
    fn check(run: &Run, from_us: u64, to_us: u64, at_least: usize) {
        let samples = run.samples(from_us, to_us);
        assert!(samples.len() >= at_least, "{} samples", samples.len());
        let mut fresh = Run::new(run.scenario());
        for sample in samples {
            fresh.advance_to(Instant(sample.at_us));
            assert_eq!(*sample, Sample::of(&fresh.snapshot()));
        }
    }

    #[test]
    fn samples_are_true_after_advancing_seeking_and_zooming() {
        let mut run = run("too-long");
        run.advance_us(20_000_000);
        assert!(run.sample((0, 60_000_000), 250_000, || false));
        check(&run, 0, 20_000_000, 81);
        run.seek(Instant(7_400_000));
        assert!(run.sample((7_000_000, 9_000_000), 10_000, || false));
        check(&run, 7_000_000, 9_000_000, 200);
        assert!(run.sample((0, 60_000_000), 2_000_000, || false));
        check(&run, 0, 20_000_000, 10);
        assert!(run.samples(0, 20_000_000).len() <= 12, "a cell has one sample");
    }

    #[test]
    fn another_future_has_samples_of_its_own() {
        let mut run = run("too-long");
        run.advance_us(20_000_000);
        run.sample((0, 20_000_000), 100_000, || false);
        run.seek(Instant(4_000_000));
        let cut = Action::Cut { replica: "replica-1".to_owned(), direction: Direction::Both };
        run.act(cut).expect("a link to cut");
        run.advance_us(3_000_000);
        assert!(run.sample((0, 20_000_000), 100_000, || false));
        check(&run, 0, 20_000_000, 70);
        assert!(run.samples(0, u64::MAX).iter().all(|sample| sample.at_us <= 7_000_000));
        let last = run.samples(7_000_000, u64::MAX).last().expect("a sample");
        assert!(last.replicas[1].is_some_and(|replica| replica.needs && replica.behind_bytes > 0));
    }

    #[test]
    fn a_frame_without_time_leaves_the_rest_to_the_next_and_samples_stay_few() {
        let mut run = run("short-blip");
        run.advance_us(30_000_000);
        assert!(!run.sample((0, 30_000_000), 100_000, || true));
        assert!(run.samples(0, u64::MAX).is_empty());
        for start in 0..30 {
            let from_us = start * 1_000_000;
            assert!(run.sample((from_us, from_us + 2_000_000), 4000, || false));
        }
        assert!(run.samples(0, u64::MAX).len() <= MOST_SAMPLES);
    }

    #[test]
    fn asking_changes_nothing() {
        let (mut asked, mut other) = (run("two-windows"), run("two-windows"));
        for _ in 0..40 {
            asked.advance_us(500_000);
            other.advance_us(500_000);
            let now = asked.now().0;
            asked.sample((now.saturating_sub(3_000_000), now), 50_000, || false);
        }
        assert_eq!(asked.digest(), other.digest());
        assert_eq!(asked.trace().next(), other.trace().next());
    }
}
