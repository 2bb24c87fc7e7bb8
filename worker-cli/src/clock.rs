//! Time awake, minus the time spent stopped by Ctrl-Z.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Reading};

use worker_core::Instant;

/// The host's clock, from which every `now` of a supervisor comes.
///
/// `std::time::Instant` is `CLOCK_MONOTONIC` on Linux and `CLOCK_UPTIME_RAW` on macOS: both stand
/// still while the machine sleeps. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    first: Instant,
    origin: Reading,
    pace: Arc<Mutex<Pace>>,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    Running { skipped: Duration },
    Frozen { since: Reading, skipped: Duration },
}

impl Clock {
    /// A clock that begins now, at zero.
    #[must_use]
    pub fn start() -> Self {
        Self::start_at(Instant::ZERO)
    }

    /// A clock that begins now, and shows `first`.
    #[must_use]
    pub fn start_at(first: Instant) -> Self {
        let pace = Pace::Running { skipped: Duration::ZERO };
        Self { first, origin: Reading::now(), pace: Arc::new(Mutex::new(pace)) }
    }

    /// What it showed first plus the time since, without the times it was frozen.
    #[must_use]
    pub fn now(&self) -> Instant {
        let (reading, skipped) = match *self.pace() {
            Pace::Running { skipped } => (Reading::now(), skipped),
            Pace::Frozen { since, skipped } => (since, skipped),
        };
        self.first + reading.duration_since(self.origin).saturating_sub(skipped)
    }

    /// Stops the clock until [`thaw`](Self::thaw). Nothing changes on one that stands still.
    pub fn freeze(&self) {
        let mut pace = self.pace();
        if let Pace::Running { skipped } = *pace {
            *pace = Pace::Frozen { since: Reading::now(), skipped };
        }
    }

    /// Lets the clock run again. Answers whether it stood still.
    pub fn thaw(&self) -> bool {
        let mut pace = self.pace();
        let Pace::Frozen { since, skipped } = *pace else { return false };
        *pace = Pace::Running { skipped: skipped + since.elapsed() };
        true
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_stands_still_and_goes_on_from_there() {
        let clock = Clock::start();
        clock.freeze();
        let frozen = clock.now();
        let before_thaw = Reading::now();
        while before_thaw.elapsed() < Duration::from_millis(5) {
            assert_eq!(clock.now(), frozen);
        }
        assert!(clock.thaw());
        assert!(clock.now() >= frozen);
        let real = Instant::ZERO + clock.origin.elapsed();
        assert!(real.since(clock.now()) >= Duration::from_millis(5), "the pause is left out");
    }

    #[test]
    fn a_clock_goes_on_from_what_it_showed_first() {
        let first = Instant::ZERO + Duration::from_secs(7);
        let clock = Clock::start_at(first);
        let shown = clock.now();
        assert!(shown >= first && shown.since(first) <= clock.origin.elapsed());
    }

    #[test]
    fn only_a_frozen_clock_can_be_thawed() {
        let clock = Clock::start();
        assert!(!clock.thaw());
        clock.freeze();
        clock.freeze();
        assert!(clock.thaw());
        assert!(!clock.thaw());
    }
}
