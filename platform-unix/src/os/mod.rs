//! What differs between the systems: one file each, with the same functions.

#[cfg(target_os = "linux")]
mod cgroup_events;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod sock_diag;
#[cfg(target_os = "linux")]
mod vfork;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::*;

use crate::Pid;

/// A process as it was when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: Pid,
    pub(crate) group: Pid,
    /// 0 for a process of the kernel.
    pub(crate) session: Pid,
    /// When it started, in the system's own unit. With the number it identifies a process: a number
    /// comes round again only after all others were used.
    pub(crate) start: u64,
    /// Not a zombie.
    pub(crate) alive: bool,
}

/// A listening socket, as the kernel tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Inode(pub(crate) u64);
