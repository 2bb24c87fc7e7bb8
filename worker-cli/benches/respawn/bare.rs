//! The bare way: kill, watch the exit by a pidfd, kill the group, reap, spawn.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    waitid,
};

use crate::program::first_instruction;

/// A process that is kept alive by hand.
pub(crate) struct Bare {
    program: PathBuf,
    stdout: io::PipeReader,
    for_child: io::PipeWriter,
    pid: Pid,
    pidfd: OwnedFd,
}

impl Bare {
    pub(crate) fn start(program: &Path) -> io::Result<Self> {
        let (stdout, for_child) = io::pipe()?;
        let pid = spawn(program, for_child.try_clone()?)?;
        first_instruction(&stdout)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { program: program.to_owned(), stdout, for_child, pid, pidfd })
    }

    /// Kills the process, and gives the time until the first instruction of the next one.
    pub(crate) fn crash(&mut self) -> io::Result<Duration> {
        let for_child = self.for_child.try_clone()?;
        let begun = Instant::now();
        kill_process(self.pid, Signal::KILL)?;
        self.reap()?;
        self.pid = spawn(&self.program, for_child)?;
        self.pidfd = pidfd_open(self.pid, PidfdFlags::empty())?;
        first_instruction(&self.stdout)?;
        Ok(begun.elapsed())
    }

    fn reap(&self) -> io::Result<()> {
        poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], None)?;
        kill_process_group(self.pid, Signal::KILL)?;
        waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        Ok(())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Fails if it is gone already, which is what we want.
        let _ = kill_process(self.pid, Signal::KILL)
            .map_err(io::Error::from)
            .and_then(|()| self.reap());
    }
}

/// Drops the handle of the standard library, which neither reaps nor kills.
fn spawn(program: &Path, stdout: io::PipeWriter) -> io::Result<Pid> {
    let child = Command::new(program)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()?;
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| io::Error::other("no process id"))
}
