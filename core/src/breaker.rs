//! The circuit breaker: consecutive failures, counted within a window.

use core::num::NonZeroU32;

use crate::action::Parked;
use crate::exit::DownCause;
use crate::past::{Failures, Streak};
use crate::spec::RestartOptions;
use crate::time::Instant;

/// The failures of a slot since it was last healthy, stopped or reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Breaker {
    streak: Option<Streak>,
}

impl Breaker {
    /// Goes on from failures that an earlier supervisor counted, none of which lies ahead.
    pub(crate) fn resumed(failures: Failures, now: Instant) -> Self {
        let streak = match failures {
            Failures::None => None,
            Failures::Streak(streak) => Some(Streak { latest: streak.latest.min(now), ..streak }),
            // Nothing is counted any more, so that it does not matter when the latest was.
            Failures::Parked(parked) => NonZeroU32::new(parked.streak).map(|failures| Streak {
                failures,
                latest: now,
                cause: parked.last,
            }),
        };
        Self { streak }
    }

    /// What there is to resume from, unless the slot is parked.
    pub(crate) fn failures(self) -> Failures {
        self.streak.map_or(Failures::None, Failures::Streak)
    }

    /// How many consecutive failures there were.
    pub(crate) fn streak(self) -> u32 {
        self.streak.map_or(0, |streak| streak.failures.get())
    }

    /// The latest of them.
    pub(crate) fn latest_cause(self) -> Option<DownCause> {
        self.streak.map(|streak| streak.cause)
    }

    /// Counts a failure: it counts on if it comes no later than the window after the previous
    /// failure, else the streak restarts at 1.
    pub(crate) fn record(&mut self, now: Instant, cause: DownCause, restart: &RestartOptions) {
        let before = self.streak.filter(|streak| now <= streak.latest + restart.window);
        let failures = before.map_or(NonZeroU32::MIN, |streak| streak.failures.saturating_add(1));
        self.streak = Some(Streak { failures, latest: now, cause });
    }

    /// Ends the streak.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }

    /// What the slot must be parked with, if there were too many.
    pub(crate) fn tripped(self, restart: &RestartOptions) -> Option<Parked> {
        let streak = self.streak.filter(|streak| streak.failures.get() >= restart.max_failures)?;
        let Streak { failures, cause, .. } = streak;
        Some(Parked { streak: failures.get(), window: restart.window, last: cause })
    }
}
