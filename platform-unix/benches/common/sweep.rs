//! What a subreaper can do that knows that all which falls to it is to be ended: the system calls
//! that cannot be done without.

use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// Kills each child that is there, and waits for the next, until none is left.
pub(crate) fn sweep() -> io::Result<()> {
    let mut struck = HashSet::new();
    loop {
        for child in children()?.into_iter().filter(|&child| struck.insert(child)) {
            kill_process(child, Signal::KILL)?;
        }
        if !reap(WaitOptions::empty())? {
            return Ok(());
        }
        while reap(WaitOptions::NOHANG)? {}
    }
}

fn children() -> io::Result<Vec<Pid>> {
    let list = fs::read_to_string("/proc/thread-self/children")?;
    let pids = list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
    Ok(pids.filter_map(Pid::from_raw).collect())
}

/// Whether there was one to reap.
fn reap(options: WaitOptions) -> io::Result<bool> {
    match wait(options) {
        Ok(dead) => Ok(dead.is_some()),
        Err(Errno::CHILD) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
