//! Times as people read them.

use std::cell::OnceCell;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the time is, and where.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    now: Timestamp,
    /// It takes about half a millisecond to find out, and is needed only for the time of a day.
    zone: OnceCell<TimeZone>,
}

impl Clock {
    /// The time here.
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now(), zone: OnceCell::new() }
    }

    /// The time in the same place, later.
    pub(crate) fn again(&self) -> Self {
        Self { now: Timestamp::now(), zone: self.zone.clone() }
    }

    /// In UTC, at 2026-11-22 07:10:00.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let now = "2026-11-22T07:10:00Z".parse().unwrap();
        Self { now, zone: TimeZone::UTC.into() }
    }

    /// How long ago it was; zero if it is still to come, or no time at all.
    pub(crate) fn since(&self, time: &str) -> Duration {
        self.between(time, |time| self.now.duration_since(time))
    }

    /// How long it is until then; zero if it is over, or no time at all.
    pub(crate) fn until(&self, time: &str) -> Duration {
        self.between(time, |time| time.duration_since(self.now))
    }

    /// `2026-11-22 08:00:00`; what is no time is shown as it is.
    pub(crate) fn date(&self, time: &str) -> String {
        self.format("%Y-%m-%d %H:%M:%S", time)
    }

    /// `08:00:00.123`, with the date where that is not today's; what is no time is shown as it is.
    pub(crate) fn time(&self, time: &str) -> String {
        let is_today = time.parse().is_ok_and(|time| self.day(time) == self.day(self.now));
        self.format(if is_today { "%H:%M:%S%.3f" } else { "%Y-%m-%d %H:%M:%S%.3f" }, time)
    }

    fn zone(&self) -> &TimeZone {
        self.zone.get_or_init(TimeZone::system)
    }

    fn day(&self, time: Timestamp) -> jiff::civil::Date {
        self.zone().to_datetime(time).date()
    }

    fn between(
        &self,
        time: &str,
        distance: impl Fn(Timestamp) -> jiff::SignedDuration,
    ) -> Duration {
        let parsed = time.parse::<Timestamp>().ok();
        parsed.and_then(|time| Duration::try_from(distance(time)).ok()).unwrap_or_default()
    }

    fn format(&self, format: &str, time: &str) -> String {
        let Ok(parsed) = time.parse::<Timestamp>() else { return time.to_owned() };
        self.zone().to_datetime(parsed).strftime(format).to_string()
    }
}

/// `4s`, `5m 3s`, `2h 5m`, `3d 4h`.
pub(crate) fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |large: u64, large_unit, small: u64, small_unit| match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit} {small}{small_unit}"),
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => two(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "m"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_duration_has_two_units_at_most() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (303, "5m 3s"),
            (7_500, "2h 5m"),
            (273_600, "3d 4h"),
        ] {
            assert_eq!(brief(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_is_still_to_come_is_no_time_ago() {
        let clock = Clock::for_tests();
        assert_eq!(clock.since("2026-11-22T07:09:00.000Z"), Duration::from_secs(60));
        assert_eq!(clock.since("2026-11-22T07:11:00.000Z"), Duration::ZERO);
        assert_eq!(clock.until("2026-11-22T07:11:00.000Z"), Duration::from_secs(60));
        assert_eq!(clock.since("soon"), Duration::ZERO);
        assert_eq!(clock.date("soon"), "soon");
        assert_eq!(clock.time("2026-11-22T07:09:00.120Z"), "07:09:00.120");
        assert_eq!(clock.time("2026-11-21T07:09:00.120Z"), "2026-11-21 07:09:00.120");
        assert_eq!(clock.date("2026-11-22T07:09:00.120Z"), "2026-11-22 07:09:00");
    }
}
