//! How long the rounds of a bench took.

use std::fmt;
use std::time::Duration;

/// What stands for all rounds: the median, and the one that was disturbed least.
pub(crate) struct Times {
    pub(crate) median: Duration,
    pub(crate) min: Duration,
}

impl Times {
    /// Of at least one round.
    pub(crate) fn of(rounds: impl IntoIterator<Item = Duration>) -> Self {
        let mut rounds: Vec<_> = rounds.into_iter().collect();
        rounds.sort_unstable();
        Self { median: rounds[rounds.len() / 2], min: rounds[0] }
    }

    /// `ratio 1.23 (median) 1.20 (min)`.
    pub(crate) fn ratio_to(&self, other: &Self) -> String {
        let ratio = |own: Duration, other: Duration| own.as_secs_f64() / other.as_secs_f64();
        let median = ratio(self.median, other.median);
        let min = ratio(self.min, other.min);
        format!("ratio {median:.2} (median) {min:.2} (min)")
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1?} (min {:.1?})", self.median, self.min)
    }
}
