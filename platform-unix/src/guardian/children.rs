//! The children of a guardian.

use std::io;

use rustix::process::{WaitOptions, WaitStatus, wait};
use worker_core::Exit;

use crate::Pid;
use crate::os::{self, Family};
use crate::signal::signal_from_number;

/// What happened to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildChange {
    /// Which child.
    pub pid: Pid,
    /// What happened.
    pub change: Change,
}

/// What happens to children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It ended, and is reaped.
    Ended(Exit),
    /// It was stopped.
    Stopped,
}

/// Orphans below this process become its children from here on. Does nothing on macOS.
///
/// # Errors
///
/// Where the kernel is older than 3.4.
pub fn adopt_orphans() -> io::Result<()> {
    os::adopt_orphans()
}

/// Some child to which something happened, if there is one. Reaps it if it ended.
#[must_use]
pub fn next_change() -> Option<ChildChange> {
    let (pid, status) = wait(WaitOptions::NOHANG | WaitOptions::UNTRACED).ok()??;
    let change = if status.stopped() { Change::Stopped } else { Change::Ended(exit(status)) };
    Some(ChildChange { pid: pid.as_raw_nonzero().get(), change })
}

/// Our children, dead ones included.
#[must_use]
pub fn own_children() -> Vec<Pid> {
    Family::now().own_children()
}

pub(super) fn exit(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(number)) => Exit::Signal(signal_from_number(number)),
        (None, None) => Exit::Unknown,
    }
}
