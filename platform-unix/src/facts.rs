//! What the system offers of that on which the promises rest, tried a moment ago.

use std::fs;

use rustix::process::{Resource, getrlimit};

use crate::os;

/// What the kernel offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its name and version, such as `Linux 6.18.44`.
    pub kernel: String,
    /// Processes can be looked at by the numbers that they have for us.
    pub processes: bool,
    /// Orphans fall to a process that asks for it (`PR_SET_CHILD_SUBREAPER`, Linux 3.4).
    pub subreaper: bool,
    /// The children of a process are listed (`CONFIG_PROC_CHILDREN`).
    pub children_lists: bool,
    /// A process can be pinned (`pidfd_open(2)`, Linux 5.3).
    pub pidfd: bool,
    /// A pinned process stands for its group (`PIDFD_SIGNAL_PROCESS_GROUP`, Linux 6.9).
    pub pidfd_group: bool,
    /// The controllers of the cgroup of version 2 that this process is in; else why there is none.
    pub cgroup: Result<Vec<String>, String>,
    /// How short of memory the machine is can be read (`/proc/pressure/memory`, Linux 4.20).
    pub pressure: bool,
}

/// What may be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processes of this user (`RLIMIT_NPROC`).
    pub processes: Limit,
    /// Open files of one process (`RLIMIT_NOFILE`).
    pub open_files: Limit,
    /// The highest number of a process plus one, where the system says.
    pub pid_max: Option<u64>,
}

/// A limit; none is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What holds.
    pub soft: Option<u64>,
    /// How far this user may raise it.
    pub hard: Option<u64>,
}

impl Facts {
    /// Tries everything. On Linux this process is a child subreaper from here on.
    #[must_use]
    pub fn look() -> Self {
        let system = rustix::system::uname();
        let part = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
        Self {
            kernel: format!("{} {}", part(system.sysname()), part(system.release())),
            processes: os::can_look(),
            subreaper: cfg!(target_os = "linux") && os::adopt_orphans().is_ok(),
            children_lists: fs::exists("/proc/thread-self/children").unwrap_or(false),
            pidfd: os::has_pidfd(),
            pidfd_group: os::has_pidfd_group(),
            cgroup: controllers(),
            pressure: fs::read("/proc/pressure/memory").is_ok(),
        }
    }
}

impl Limits {
    /// Those that hold now.
    #[must_use]
    pub fn look() -> Self {
        let pid_max = fs::read_to_string("/proc/sys/kernel/pid_max").ok();
        Self {
            processes: Limit::of(Resource::Nproc),
            open_files: Limit::of(Resource::Nofile),
            pid_max: pid_max.and_then(|text| text.trim().parse().ok()),
        }
    }
}

impl Limit {
    fn of(resource: Resource) -> Self {
        let limit = getrlimit(resource);
        Self { soft: limit.current, hard: limit.maximum }
    }
}

fn controllers() -> Result<Vec<String>, String> {
    let home = crate::cgroup::Home::of_this_process()?;
    let file = home.dir().join("cgroup.controllers");
    let names =
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(names.split_whitespace().map(str::to_owned).collect())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// All that these tests run on anyway.
    #[test]
    fn what_is_relied_on_elsewhere_is_found() {
        let facts = Facts::look();
        assert!(facts.kernel.starts_with("Linux "), "{}", facts.kernel);
        assert!(facts.processes && facts.subreaper);
        let limits = Limits::look();
        assert!(limits.pid_max.is_some_and(|max| max > u64::from(std::process::id())));
        assert!(
            limits.open_files.soft <= limits.open_files.hard || limits.open_files.hard.is_none()
        );
    }
}
