//! `worker status`, from the start of its process to its end.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::daemon::Daemon;
use crate::project::MANY;

const ROUNDS: usize = 50;
const AIM: Duration = Duration::from_millis(10);

/// A line for people.
pub(crate) fn report(daemon: &Daemon) -> io::Result<String> {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| time(daemon)).collect::<io::Result<_>>()?;
    times.sort_unstable();
    let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    let ratio = |time: Duration| time.as_secs_f64() / AIM.as_secs_f64();
    Ok(format!(
        "`worker status` with {MANY} slots, {ROUNDS} times as a whole process: median {median:.1?}, \
         worst {worst:.1?}; ratio {:.2} (median) {:.2} (worst) to the aim of {AIM:?}",
        ratio(median),
        ratio(worst),
    ))
}

fn time(daemon: &Daemon) -> io::Result<Duration> {
    let mut command = daemon.worker(&["status"]);
    command.stdout(Stdio::null());
    let begun = Instant::now();
    let child = command.spawn()?;
    let status = waitid(WaitId::Pid(Pid::from_child(&child)), WaitIdOptions::EXITED)?;
    match status.and_then(|status| status.exit_status()) {
        Some(0) => Ok(begun.elapsed()),
        other => Err(io::Error::other(format!("`worker status` ended with {other:?}"))),
    }
}
