//! Starts processes and waits for them.

use std::io;
use std::process::{Command, Stdio};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::emit::{ARGUMENT, Load};

/// This program as the child that writes.
pub(crate) fn writer(load: Load) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT).args([load.lines.to_string(), load.block.to_string()]);
    command.stdin(Stdio::null());
    Ok(command)
}

/// Our copies of what it was given are closed.
pub(crate) fn start(mut command: Command) -> io::Result<Pid> {
    let child = command.spawn()?;
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| io::Error::other("no process id"))
}

pub(crate) fn wait(pid: Pid) -> io::Result<()> {
    let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED)?;
    match status.and_then(|status| status.exit_status()) {
        Some(0) => Ok(()),
        other => Err(io::Error::other(format!("a child ended with {other:?}"))),
    }
}
