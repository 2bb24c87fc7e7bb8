//! Ending everything that fell to a guardian.

use std::collections::HashSet;

use rustix::process::{Signal, WaitOptions, wait};
use worker_core::Exit;

use super::children::exit;
use crate::Pid;
use crate::cgroup::{self, Group};
use crate::os::{self, Family};
use crate::reaper::signal_child;
use crate::tree::with_descendants;

/// SIGKILL to every child of this process and to all that is below, in rounds.
///
/// The order within a round matters: reap all, list, kill all that were listed; then wait for the
/// next SIGCHLD. An orphan that falls to us after the listing, or was left out of it, follows a
/// death that we have not reaped yet, so another SIGCHLD is sure to come.
#[derive(Debug)]
pub struct Sweep {
    spared: Vec<Pid>,
    /// Children that had their SIGKILL and are not reaped: they cannot fork any more.
    struck: HashSet<Pid>,
    /// Where the supervisor had cgroups.
    folders: Vec<Group>,
    killed: usize,
}

impl Sweep {
    /// A sweep after the end of this supervisor, which is reaped. It leaves these children alone,
    /// with what is below them.
    #[must_use]
    pub fn after(supervisor: Pid, spared: Vec<Pid>) -> Self {
        let folders = cgroup::folders_of(supervisor);
        Self { spared, struck: HashSet::new(), folders, killed: 0 }
    }

    /// One round. Answers which children are left: once there is none, nothing is.
    pub fn round(&mut self) -> Vec<Pid> {
        for folder in &self.folders {
            let _ = folder.kill(); // What did not work is done one by one.
        }
        self.reap();
        let family = Family::now();
        let mut left = family.own_children();
        left.retain(|pid| !self.spared.contains(pid));
        let fresh: Vec<_> = left.iter().copied().filter(|&pid| self.struck.insert(pid)).collect();
        fresh.into_iter().for_each(|pid| strike(&family, pid));
        if left.is_empty() {
            self.folders.retain(|folder| folder.remove().is_err());
        }
        left
    }

    /// How many processes were reaped that SIGKILL had ended.
    #[must_use]
    pub fn killed(&self) -> usize {
        self.killed
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let pid = pid.as_raw_nonzero().get();
            self.struck.remove(&pid);
            self.spared.retain(|&spared| spared != pid);
            let by_kill = exit(status) == Exit::Signal(worker_core::Signal::Kill);
            self.killed += usize::from(by_kill);
        }
    }
}

/// Kills a child that is not reaped, whose number can mean no other process, and what is below it.
fn strike(family: &Family, pid: Pid) {
    let root = os::process(pid).into_iter().collect();
    let below = with_descendants(family, root);
    signal_child(pid, &[Signal::KILL]);
    for process in below.iter().filter(|process| process.alive && process.pid != pid) {
        os::signal_pinned(process, &[Signal::KILL]);
    }
}
