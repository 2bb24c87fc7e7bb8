//! What the rounds say.

use std::time::Duration;

use crate::times::Times;

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
         {}, aim <= 1.50; with --cgroup auto {in_cgroup}",
        rounds.len(),
        supervised.ratio_to(&bare),
    )
}
