//! How long it takes until many slots run.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bare::Children;
use crate::daemon::Daemon;
use crate::project::{MANY, slots};
use crate::times::Times;

const ROUNDS: usize = 5;

/// One round on each side.
struct Round {
    never: Duration,
    auto: Duration,
    bare: Duration,
}

/// A line for people. The sides take turns, so that what else goes on in the machine hits them alike.
pub(crate) fn report(program: &Path) -> io::Result<String> {
    let rounds: Vec<Round> = (0..ROUNDS).map(|_| round(program)).collect::<io::Result<_>>()?;
    let never = Times::of(rounds.iter().map(|round| round.never));
    let auto = Times::of(rounds.iter().map(|round| round.auto));
    let bare = Times::of(rounds.iter().map(|round| round.bare));
    Ok(format!(
        "up of {MANY} slots, {ROUNDS} rounds: {never}, as many bare spawns {bare}; {}, \
         aim <= 2.00; with --cgroup auto {auto}, {}",
        never.ratio_to(&bare),
        auto.ratio_to(&bare),
    ))
}

fn round(program: &Path) -> io::Result<Round> {
    let never = up("--cgroup=never", program)?;
    let auto = up("--cgroup=auto", program)?;
    let begun = Instant::now();
    let children = Children::spawn(MANY, program)?;
    let bare = begun.elapsed();
    children.end()?;
    Ok(Round { never, auto, bare })
}

/// In a daemon that has just begun, which knows nothing of them.
fn up(cgroup: &str, program: &Path) -> io::Result<Duration> {
    let daemon = Daemon::start(cgroup)?;
    daemon.write(&slots(MANY, program))?;
    let begun = Instant::now();
    daemon.up()?;
    Ok(begun.elapsed())
}
