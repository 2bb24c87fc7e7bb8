//! How often a probe asks.

use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(25);

/// Pauses that grow with the time waited, so that a quick start is seen at once and a slow one
/// costs little: 5 % of the time waited, from 1 to 25 ms.
#[derive(Debug)]
pub(super) struct Cadence {
    since: Instant,
}

impl Cadence {
    pub(super) fn start() -> Self {
        Self { since: Instant::now() }
    }

    pub(super) async fn pause(&self) {
        tokio::time::sleep(pause_after(self.since.elapsed())).await;
    }
}

fn pause_after(waited: Duration) -> Duration {
    (waited / 20).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_a_twentieth_of_the_time_waited_within_bounds() {
        for (waited, pause) in [(0, 1), (20, 1), (200, 10), (500, 25), (60_000, 25)] {
            let pause = Duration::from_millis(pause);
            assert_eq!(pause_after(Duration::from_millis(waited)), pause, "{waited} ms");
        }
    }
}
