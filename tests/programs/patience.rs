//! Waiting for a state, never for a time.

use std::thread;
use std::time::{Duration, Instant};

/// How long a state is waited for. Far beyond what any of them takes, on a machine with other
/// work too; only a failing test takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is something to see. `what` names it, `evidence` is shown if it never comes.
#[track_caller]
pub fn until<T>(
    what: &str,
    evidence: impl Fn() -> String,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain until {what}\n{}", evidence());
        thread::sleep(Duration::from_millis(5));
    }
}
