//! How long to wait before a restart.

use core::time::Duration;

use crate::id::RunId;
use crate::spec::RestartOptions;

/// Jitter adds at most a fifth.
const JITTER: u32 = 5;

/// So many take a nanosecond to the longest `Duration`, which has less than 2^94 of them.
const MAX_DOUBLINGS: u32 = 94;

/// The delay before the restart that follows the `streak`-th consecutive failure: `backoff`,
/// doubled with each failure after the first, at most `backoff_max`.
pub(crate) fn base_delay(restart: &RestartOptions, streak: u32) -> Duration {
    let doublings = streak.saturating_sub(1).min(MAX_DOUBLINGS);
    let double = |delay: Duration, _| delay.saturating_mul(2).min(restart.backoff_max);
    (0..doublings).fold(restart.backoff, double)
}

/// [`base_delay`] with 0–20 % of jitter on top, and never more than `backoff_max`.
///
/// The jitter is a hash of the supervisor's seed and the run that failed, so that a replay of the
/// same inputs gives the same delays.
pub(crate) fn delay(restart: &RestartOptions, streak: u32, seed: u64, failed: RunId) -> Duration {
    let base = base_delay(restart, streak);
    let per_mille = u32::try_from(mix(seed ^ mix(failed.get())) % 1001).unwrap_or(0);
    let jitter = (base / JITTER).saturating_mul(per_mille) / 1000;
    base.saturating_add(jitter).min(restart.backoff_max)
}

/// The longest delay that a slot can see before its breaker trips, full jitter included.
pub(crate) fn longest_before_parking(restart: &RestartOptions) -> Duration {
    let last_restart = restart.max_failures - 1;
    if last_restart == 0 {
        return Duration::ZERO;
    }
    let base = base_delay(restart, last_restart);
    base.saturating_add(base / JITTER).min(restart.backoff_max)
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014): every input bit moves about half of the output bits.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
