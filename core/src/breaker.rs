//! The circuit breaker: consecutive failures, counted within a window.

use crate::exit::DownCause;
use crate::spec::RestartOptions;
use crate::time::Instant;

/// The failures of a slot since it was last healthy, stopped or reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Breaker {
    streak: Option<Streak>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Streak {
    failures: u32,
    latest: Instant,
    cause: DownCause,
}

impl Breaker {
    /// How many consecutive failures there were.
    pub(crate) fn streak(self) -> u32 {
        self.streak.map_or(0, |streak| streak.failures)
    }

    /// The latest of them.
    pub(crate) fn latest_cause(self) -> Option<DownCause> {
        self.streak.map(|streak| streak.cause)
    }

    /// Counts a failure: it counts on if it comes no later than the window after the previous
    /// failure, else the streak restarts at 1.
    pub(crate) fn record(&mut self, now: Instant, cause: DownCause, restart: &RestartOptions) {
        let before = self.streak.filter(|streak| now <= streak.latest + restart.window);
        let failures = before.map_or(0, |streak| streak.failures).saturating_add(1);
        self.streak = Some(Streak { failures, latest: now, cause });
    }

    /// Ends the streak.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }

    /// Whether the slot must be parked.
    pub(crate) fn is_tripped(self, restart: &RestartOptions) -> bool {
        self.streak() >= restart.max_failures
    }
}
