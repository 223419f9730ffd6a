//! Properties of backlogs, over random sizes, pieces and resizes.

use bytes::Bytes;
use proptest::prelude::*;
use psync::stream::backlog::{Cut, Ledger, Retention, Ring, RingWindow};
use psync::stream::offset::{ByteCount, Offset};

/// One thing that happens to a backlog.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>),
    Resize(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(Step::Append),
        1 => (1_u64..400).prop_map(Step::Resize),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_backlog_is_always_a_suffix_of_the_stream(
        start in 0_u64..1_000_000,
        size in 1_u64..400,
        steps in steps(),
    ) {
        let mut ring = Ring::new(Offset(start), ByteCount(size));
        let mut stream = Vec::new();
        for step in &steps {
            match step {
                Step::Append(bytes) => {
                    stream.extend_from_slice(bytes);
                    ring.append(&Bytes::copy_from_slice(bytes), Cut::Whole);
                }
                Step::Resize(size) => ring.resize(ByteCount(*size)),
            }
            let window = ring.ledger().window();
            let kept = ring.read(window.first, window.histlen);
            prop_assert_eq!(kept.len() as u64, window.histlen.0);
            prop_assert!(stream.ends_with(&kept));
            prop_assert_eq!(window.next(), Offset(start + stream.len() as u64).next());
        }
    }

    #[test]
    fn the_window_with_bytes_is_the_window_without(
        start in 0_u64..1_000_000,
        size in 1_u64..400,
        steps in steps(),
    ) {
        let mut with = Ring::new(Offset(start), ByteCount(size));
        let mut without = RingWindow::new(Offset(start), ByteCount(size));
        for step in &steps {
            match step {
                Step::Append(bytes) => {
                    with.append(&Bytes::copy_from_slice(bytes), Cut::Whole);
                    without.append(ByteCount::of(bytes));
                }
                Step::Resize(size) => {
                    with.resize(ByteCount(*size));
                    without.resize(ByteCount(*size));
                }
            }
            prop_assert_eq!(with.ledger().window(), without.window());
        }
    }
}
