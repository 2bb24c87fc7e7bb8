//! What the rounds say.

use std::time::Duration;

/// One crash on each side, right after each other.
pub(crate) struct Round {
    pub(crate) supervised: Duration,
    /// The same with a cgroup for each run, where that can be.
    pub(crate) in_cgroup: Duration,
    pub(crate) bare: Duration,
}

/// One line for people, which begins with `=>`.
pub(crate) fn report(rounds: &[Round]) -> String {
    let supervised = Times::of(rounds.iter().map(|round| round.supervised));
    let in_cgroup = Times::of(rounds.iter().map(|round| round.in_cgroup));
    let bare = Times::of(rounds.iter().map(|round| round.bare));
    format!(
        "=> crash to first instruction, {} rounds: {supervised}, bare {bare}; \
         ratio {:.2} (median) {:.2} (min), aim <= 1.50; with --cgroup auto {in_cgroup}",
        rounds.len(),
        supervised.median.as_secs_f64() / bare.median.as_secs_f64(),
        supervised.min.as_secs_f64() / bare.min.as_secs_f64(),
    )
}

struct Times {
    median: Duration,
    min: Duration,
}

impl Times {
    /// Of at least one time.
    fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.collect();
        times.sort_unstable();
        Self { median: times[times.len() / 2], min: times[0] }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        write!(f, "{:.0} us (min {:.0})", micros(self.median), micros(self.min))
    }
}
