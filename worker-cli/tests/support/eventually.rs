//! Facts that nobody announces.
#![expect(clippy::disallowed_methods, reason = "some facts can only be polled")]

use std::time::{Duration, Instant};

/// Far longer than anything in these tests takes; only a test that fails waits for so long.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Waits for a fact that nobody announces.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < LONG, "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
