//! Time as a value.

use core::fmt;
use core::ops::Add;
use core::time::Duration;

/// A point in time awake: nanoseconds since an epoch that the host chooses.
///
/// The host reads its monotonic clock that stands still during suspend (`CLOCK_MONOTONIC` on
/// Linux, `CLOCK_UPTIME_RAW` on macOS) and passes the reading in. The reducer has no other clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Instant(u64);

impl Instant {
    /// The epoch.
    pub const ZERO: Self = Self(0);

    /// The instant that lies `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant that lies `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`, zero when `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Saturates: a deadline beyond the year 584 of the epoch is one that never comes.
impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// Seconds with milliseconds, as traces print them: `1.500s`. Finer digits are cut off.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000_000;
        write!(f, "{}.{:03}s", millis / 1000, millis % 1000)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn adding_a_duration_moves_on_by_it_and_saturates_at_the_end() {
        assert_eq!(
            Instant::from_millis(1) + Duration::from_millis(2),
            Instant::from_nanos(3_000_000)
        );
        assert_eq!((Instant::from_nanos(u64::MAX) + Duration::from_secs(1)).as_nanos(), u64::MAX);
        assert_eq!((Instant::ZERO + Duration::MAX).as_nanos(), u64::MAX);
    }

    #[test]
    fn the_time_since_a_later_instant_is_zero() {
        let (early, late) = (Instant::from_millis(1), Instant::from_millis(3));
        assert_eq!(late.since(early), Duration::from_millis(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn an_instant_prints_as_seconds_with_milliseconds() {
        assert_eq!(Instant::from_nanos(61_005_999_999).to_string(), "61.005s");
    }
}
