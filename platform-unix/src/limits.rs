//! How many files this process may have open, and how many what it spawns.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Pid;
use crate::platform::UnixPlatform;

impl UnixPlatform {
    /// Lets this process open as many files as it may (the soft limit becomes the hard one). What is
    /// spawned from here on has the old limit: programs that close every number up to it, or that
    /// use `select(2)`, count on a small one.
    ///
    /// Does nothing where a child's limit cannot be set from outside, as on macOS.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn raise_open_files(&self) -> io::Result<()> {
        let old = getrlimit(Resource::Nofile);
        if !cfg!(target_os = "linux") || old.current == old.maximum {
            return Ok(());
        }
        setrlimit(Resource::Nofile, Rlimit { current: old.maximum, maximum: old.maximum })?;
        self.state().child_open_files.get_or_insert(old);
        Ok(())
    }
}

/// Gives a child that was just spawned its limit. It executes its program already, but has hardly
/// begun: this keeps the spawn on its fast path. One that is gone or has become another user's keeps
/// what it has.
#[cfg(target_os = "linux")]
pub(crate) fn limit_open_files(child: Pid, limit: Option<Rlimit>) {
    if let (Some(pid), Some(limit)) = (rustix::process::Pid::from_raw(child), limit) {
        let _ = rustix::process::prlimit(Some(pid), Resource::Nofile, limit);
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn limit_open_files(_: Pid, _: Option<Rlimit>) {}
