//! The shim: a program of ours that a child executes first, and which then executes the program
//! that was asked for.
//!
//! What needs the child's side is done there, so that spawning keeps the `posix_spawn` path and
//! costs the same however much memory we have: today that is to enter a cgroup, which has to be
//! done before the first instruction of the program. It costs one more exec, about half a
//! millisecond, and is used only where there is a cgroup to enter.
//!
//! A library cannot know which program its shim is. So whoever embeds this crate has a choice:
//!
//! - The program itself: `main` calls [`exec_if_asked`] before anything else. From then on
//!   [`Shim::this_program`] has it.
//! - Another program whose `main` does so: [`Shim::program`].
//!
//! ```no_run
//! // The first line of `main`.
//! worker_platform_unix::shim::exec_if_asked();
//! ```

mod job;
mod report;

use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command as StdCommand, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_setfd};

use crate::Pid;
use crate::cgroup::Group;
use crate::mask::Blocked;

pub(crate) use self::report::{Outcome, Report};

/// The first word of a program that is asked to be the shim.
const WORD: &str = "__exec";

/// This program calls [`exec_if_asked`].
static IS_SHIM: AtomicBool = AtomicBool::new(false);

/// A program that enters a cgroup and then executes another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shim {
    program: PathBuf,
}

impl Shim {
    /// The program that runs now, also when its file was replaced or removed meanwhile. None if its
    /// `main` did not call [`exec_if_asked`], and on systems without cgroups.
    #[must_use]
    pub fn this_program() -> Option<Self> {
        let can_be = cfg!(target_os = "linux") && IS_SHIM.load(Ordering::Relaxed);
        can_be.then(|| Self::program("/proc/self/exe"))
    }

    /// Another program, whose `main` begins with [`exec_if_asked`], by its absolute path. It is run
    /// with the environment of this process.
    pub fn program(path: impl Into<PathBuf>) -> Self {
        Self { program: path.into() }
    }

    /// Spawns it: into the group, then on to `target`, as `complete` says. Nothing here makes std
    /// leave its `posix_spawn` path.
    pub(crate) fn spawn(
        &self,
        group: &Group,
        target: &Target<'_>,
        complete: impl FnOnce(&mut StdCommand) -> io::Result<()>,
    ) -> io::Result<(Pid, Report)> {
        let (reader, writer) = io::pipe()?;
        let mut command = self.command(group, &writer);
        command.arg(target.program).arg(target.env.len().to_string());
        command.args(&target.env).args(target.args);
        complete(&mut command)?;
        Ok((spawn_with(&mut command, writer)?, Report::from(reader)))
    }

    /// Spawns it to enter the group and to wait there until `life` ends.
    pub(crate) fn spawn_waiting(
        &self,
        group: &Group,
        life: PipeReader,
    ) -> io::Result<(Pid, Report)> {
        let (reader, writer) = io::pipe()?;
        let mut command = self.command(group, &writer);
        command.stdin(life).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok((spawn_with(&mut command, writer)?, Report::from(reader)))
    }

    fn command(&self, group: &Group, report: &PipeWriter) -> StdCommand {
        let mut command = StdCommand::new(&self.program);
        command.arg(WORD).arg(report.as_raw_fd().to_string()).arg(group.entrance());
        command
    }
}

/// What the shim is to execute.
pub(crate) struct Target<'a> {
    pub(crate) program: &'a Path,
    /// `NAME=VALUE`. Handed over as words, so that no variable of the program's (such as
    /// `LD_PRELOAD`) has to do with the shim.
    pub(crate) env: Vec<OsString>,
    pub(crate) args: &'a [OsString],
}

/// Where this process was started as a shim: enters the cgroup, executes the program, and does not
/// return. Else returns at once.
///
/// To be called first thing in `main`, before a thread is started and anything is read.
pub fn exec_if_asked() {
    IS_SHIM.store(true, Ordering::Relaxed);
    if is_asked() {
        std::process::exit(job::carry_out(std::env::args_os().skip(2)));
    }
}

/// Whether this process was started as a shim.
fn is_asked() -> bool {
    std::env::args_os().nth(1).is_some_and(|word| word == WORD)
}

/// A shim that does not know that it is one would start shims itself, and so on.
pub(crate) fn refuse() -> io::Result<()> {
    if is_asked() {
        let message = "this program is used as a shim, and its `main` does not begin with \
                       `worker_platform_unix::shim::exec_if_asked`";
        return Err(io::Error::other(message));
    }
    Ok(())
}

/// The child inherits `writer`, which is closed here. It also begins with every signal blocked: a stop
/// that is sent to our group before the child has left it would stop the child, and us, since we wait
/// until it executes the shim.
fn spawn_with(command: &mut StdCommand, writer: PipeWriter) -> io::Result<Pid> {
    // Nothing else spawns in this process, so nobody else inherits it.
    fcntl_setfd(&writer, FdFlags::empty())?;
    let child = {
        let _blocked = Blocked::all();
        command.spawn()?
    };
    Ok(Pid::try_from(child.id()).unwrap_or_default())
}
