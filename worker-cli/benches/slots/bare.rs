//! The bare way: spawn, signal, wait.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// Children of this process, which it ends.
pub(crate) struct Children(Vec<Pid>);

impl Children {
    pub(crate) fn spawn(count: usize, program: &Path) -> io::Result<Self> {
        let spawn = |_| {
            let mut command = Command::new(program);
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
            command.stderr(Stdio::null()).spawn().map(|child| Pid::from_child(&child))
        };
        (0..count).map(spawn).collect::<io::Result<_>>().map(Self)
    }

    /// Signals all, then waits for all.
    pub(crate) fn end(self) -> io::Result<()> {
        self.0.iter().try_for_each(|child| kill_process(*child, Signal::TERM))?;
        self.wait()
    }

    /// The same, with a look at the children of each before and after the signal: what has left its
    /// group cannot be found otherwise.
    pub(crate) fn end_with_looks(self) -> io::Result<()> {
        for child in &self.0 {
            let pid = child.as_raw_nonzero();
            let mut list = File::open(format!("/proc/{pid}/task/{pid}/children"))?;
            let mut children = Vec::new();
            list.read_to_end(&mut children)?;
            kill_process(*child, Signal::TERM)?;
            list.rewind()?;
            list.read_to_end(&mut children)?;
        }
        self.wait()
    }

    fn wait(self) -> io::Result<()> {
        for child in self.0 {
            waitid(WaitId::Pid(child), WaitIdOptions::EXITED)?;
        }
        Ok(())
    }
}
