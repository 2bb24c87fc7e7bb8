//! How long it takes until slots that obey are gone.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bare::Children;
use crate::daemon::Daemon;
use crate::project::{MANY, slots};
use crate::times::Times;

/// So many slots are stopped, so often.
const CASES: [(usize, usize); 2] = [(100, 20), (MANY, 5)];

/// A line for people.
pub(crate) fn report(program: &Path) -> io::Result<String> {
    let lines = CASES.iter().map(|(count, rounds)| case(*count, *rounds, program));
    Ok(lines.collect::<io::Result<Vec<_>>>()?.join("; "))
}

/// Both sides take turns, so that what else goes on in the machine hits them alike.
fn case(count: usize, rounds: usize, program: &Path) -> io::Result<String> {
    let daemon = Daemon::start("--cgroup=never")?;
    daemon.write(&slots(count, program))?;
    let (mut supervised, mut bare, mut with_looks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        daemon.up()?;
        supervised.push(time(|| daemon.down())?);
        let children = Children::spawn(count, program)?;
        bare.push(time(|| children.end())?);
        let children = Children::spawn(count, program)?;
        with_looks.push(time(|| children.end_with_looks())?);
    }
    let (supervised, bare) = (Times::of(supervised), Times::of(bare));
    let with_looks = Times::of(with_looks);
    Ok(format!(
        "stop of {count} slots, {rounds} rounds: {supervised}, signalling and waiting for as many \
         bare children {bare}; {}, aim <= 2.00; with a look at the children of each before and \
         after the signal, without which what left its group is not found, {with_looks}; {}",
        supervised.ratio_to(&bare),
        supervised.ratio_to(&with_looks),
    ))
}

fn time(work: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}
