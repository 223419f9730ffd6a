//! Properties of the three ways of keeping a history, over random sizes, pieces, readers and
//! resizes.

use bytes::Bytes;
use proptest::prelude::*;
use psync::random::seeded;
use psync::stream::backlog::{
    Allocator, Compared, Cut, Entry, Grain, Keeping, Ledger, Reader, Retention,
};
use psync::stream::history::ReplId;
use psync::stream::offset::{ByteCount, BytePos, Offset};
use psync::time::Instant;

/// One thing that happens to a backlog.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>, bool),
    Resize(u64),
    /// One of four replicas attaches: at a place in its window, or with the next byte, or beside
    /// another.
    Attach(usize, u64),
    Take(usize, u64),
    Detach(usize),
    Settle,
    Forget(u64),
}

const REPLICAS: usize = 4;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let step = prop_oneof![
        8 => (bytes, any::<bool>()).prop_map(|(bytes, whole)| Step::Append(bytes, whole)),
        1 => (1_u64..400).prop_map(Step::Resize),
        3 => (0..REPLICAS, any::<u64>()).prop_map(|(who, at)| Step::Attach(who, at)),
        6 => (0..REPLICAS, 0_u64..200).prop_map(|(who, most)| Step::Take(who, most)),
        1 => (0..REPLICAS).prop_map(Step::Detach),
        2 => Just(Step::Settle),
        1 => (0_u64..60).prop_map(Step::Forget),
    ];
    proptest::collection::vec(step, 0..60)
}

fn keepings() -> impl Strategy<Value = Keeping> {
    let allocator =
        prop_oneof![Just(Allocator::Exact), Just(Allocator::Glibc), Just(Allocator::Jemalloc)];
    let grain = (allocator, 1_u64..100, any::<bool>()).prop_map(|(allocator, smallest, capped)| {
        Keeping::Blocks(Grain { allocator, smallest, capped })
    });
    prop_oneof![1 => Just(Keeping::Ring), 3 => grain, 1 => Just(Keeping::Retained)]
}

/// A retention under test, the whole stream, and what each reader was given.
struct Kept {
    keeping: Keeping,
    real: Box<dyn Retention>,
    start: usize,
    stream: Vec<u8>,
    names: [ReplId; REPLICAS],
    /// The number of each attached replica's connection, and the next byte it wants, as an index.
    attached: [Option<(u64, usize)>; REPLICAS],
    next_number: u64,
    now: u64,
}

impl Kept {
    fn new(keeping: Keeping, start: u64, size: u64, compared: bool) -> Kept {
        let (end, size) = (Offset(start), ByteCount(size));
        let mut rng = seeded(1);
        Kept {
            keeping,
            real: if compared {
                Box::new(Compared::new(keeping, end, size))
            } else {
                keeping.retention(end, size)
            },
            start: start as usize,
            stream: Vec::new(),
            names: [(); REPLICAS].map(|()| ReplId::random(&mut rng)),
            attached: [None; REPLICAS],
            next_number: 1,
            now: 0,
        }
    }

    /// Where a replica enters when it says `at`, if it is away and anything can be continued.
    fn entry(&self, who: usize, at: u64) -> Option<(Entry, usize)> {
        let end = self.stream.len();
        if self.attached[who].is_some() {
            return None;
        }
        let other = self.attached.iter().flatten().next();
        if let (0, Some((number, next))) = (at % 5, other) {
            // A reader that stands beside one which waits for the next byte waits as well.
            return Some((Entry::Beside(*number), *next));
        }
        let window = self.real.ledger().window_for(Some(self.names[who]));
        match window.filter(|_| !at.is_multiple_of(3)) {
            Some(window) => {
                let pos = window.first.0 + (at % (window.histlen.0 + 1)) as i64;
                Some((Entry::At(BytePos(pos)), pos as usize - 1 - self.start))
            }
            None => Some((Entry::Next, end)),
        }
    }

    /// One step for the retention, and the same for a ledger without bytes.
    fn step(&mut self, step: &Step, ledger: &mut dyn Ledger) -> Result<(), TestCaseError> {
        self.now += 1;
        match step {
            Step::Append(bytes, whole) => {
                let cut = if *whole { Cut::Whole } else { Cut::Arguments };
                self.stream.extend_from_slice(bytes);
                for piece in cut.pieces(bytes) {
                    ledger.append(ByteCount::of(piece));
                }
                self.real.append(&Bytes::copy_from_slice(bytes), cut);
            }
            Step::Resize(size) => {
                self.real.resize(ByteCount(*size));
                ledger.resize(ByteCount(*size));
            }
            Step::Attach(who, at) => {
                let Some((entry, next)) = self.entry(*who, *at) else { return Ok(()) };
                let reader = Reader { number: self.next_number, name: Some(self.names[*who]) };
                self.next_number += 1;
                self.attached[*who] = Some((reader.number, next));
                self.real.attach(reader, entry);
                ledger.attach(reader, entry);
            }
            Step::Take(who, most) => {
                let Some((number, next)) = &mut self.attached[*who] else { return Ok(()) };
                let bytes = self.real.take(*number, *most).unwrap_or_default();
                prop_assert!(bytes.len() as u64 <= *most);
                prop_assert_eq!(&bytes[..], &self.stream[*next..*next + bytes.len()]);
                *next += bytes.len();
                prop_assert!(*most == 0 || !bytes.is_empty() || *next == self.stream.len());
                ledger.sent(*number, ByteCount::of(&bytes));
            }
            Step::Detach(who) => {
                let Some((number, _)) = self.attached[*who].take() else { return Ok(()) };
                self.real.detach(number, Instant(self.now));
                ledger.detach(number, Instant(self.now));
            }
            Step::Settle => {}
            Step::Forget(before) => {
                self.real.forget_absent(Instant(*before));
                ledger.forget_absent(Instant(*before));
            }
        }
        // The end of a turn of the server's loop.
        self.real.settle();
        ledger.settle();
        Ok(())
    }

    fn compare(&self, ledger: &dyn Ledger) -> Result<(), TestCaseError> {
        let real = self.real.ledger();
        prop_assert_eq!(real.window(), ledger.window());
        prop_assert_eq!(real.blocks(), ledger.blocks());
        prop_assert_eq!(real.lists(), ledger.lists());
        prop_assert_eq!(real.memory(), ledger.memory());
        for name in self.names {
            prop_assert_eq!(real.window_for(Some(name)), ledger.window_for(Some(name)));
        }
        for (number, next) in self.attached.iter().flatten() {
            prop_assert_eq!(real.pending(*number), ledger.pending(*number));
            let unsent = (self.stream.len() - next) as u64;
            prop_assert!(
                real.pending(*number) >= unsent,
                "{} below {}",
                real.pending(*number),
                unsent
            );
        }
        Ok(())
    }

    /// What is kept is the end of the stream, with the right bytes.
    fn check_suffix(&self) -> Result<(), TestCaseError> {
        let window = self.real.ledger().window();
        let kept = self.real.read(window.first, window.histlen);
        prop_assert_eq!(kept.len() as u64, window.histlen.0);
        prop_assert!(self.stream.ends_with(&kept));
        prop_assert_eq!(window.next().0, (self.start + self.stream.len()) as i64 + 1);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_the_end_of_the_stream_and_with_bytes_it_is_the_same_as_without(
        keeping in keepings(),
        start in 0_u64..1_000_000,
        size in 1_u64..400,
        steps in steps(),
    ) {
        let mut with = Kept::new(keeping, start, size, false);
        let mut without = keeping.ledger(Offset(start), ByteCount(size));
        for step in &steps {
            with.step(step, &mut *without)?;
            with.compare(&*without)?;
            with.check_suffix()?;
        }
    }

    #[test]
    fn reckoning_the_other_ways_beside_changes_nothing_and_gives_what_they_would_take(
        keeping in keepings(),
        start in 0_u64..1_000_000,
        size in 1_u64..400,
        steps in steps(),
    ) {
        let mut with = Kept::new(keeping, start, size, true);
        let mut plain = keeping.ledger(Offset(start), ByteCount(size));
        for step in &steps {
            with.step(step, &mut *plain)?;
            with.compare(&*plain)?;
            let own = with.real.compared().into_iter().flatten();
            let own = own.into_iter().find(|(other, _)| *other == with.keeping);
            prop_assert_eq!(own.map(|(_, memory)| memory), Some(plain.memory()));
        }
    }
}
