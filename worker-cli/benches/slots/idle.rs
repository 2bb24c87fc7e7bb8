//! How often the daemon wakes up while nothing happens.
#![expect(clippy::disallowed_methods, reason = "that nothing happens for a while is the subject")]

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use crate::daemon::Daemon;
use crate::project::MANY;

const WATCHED: Duration = Duration::from_secs(10);

/// Threads that were lent for a while go when nobody needs them: the runtime keeps them for 10 s.
const SETTLING: Duration = Duration::from_secs(12);

/// A line for people.
pub(crate) fn report(daemon: &Daemon) -> io::Result<String> {
    let pids = [daemon.pid()?, daemon.guardian()];
    sleep(SETTLING);
    let before = switches(pids)?;
    sleep(WATCHED);
    let wakeups = switches(pids)? - before;
    Ok(format!(
        "wake-ups of the daemon and its guardian in {} s with {MANY} silent children: {wakeups}, aim 0",
        WATCHED.as_secs(),
    ))
}

/// So often has any thread of these processes been given the processor.
fn switches(pids: [i32; 2]) -> io::Result<u64> {
    pids.iter().map(|pid| switches_of(*pid)).sum()
}

/// `*_ctxt_switches` of `/proc/PID/task/TID/status`.
fn switches_of(pid: i32) -> io::Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let counts = status.lines().filter_map(|line| line.split_once("_ctxt_switches:"));
        sum += counts.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum::<u64>();
    }
    Ok(sum)
}
