//! System calls on one process.

use std::os::windows::io::{AsRawHandle, OwnedHandle};

use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};
use windows_sys::Win32::System::Threading::{GetExitCodeProcess, TerminateProcess};
use worker_core::Exit;

use crate::exit_code::{TERMINATED, exit_from_code};

/// How a process that is known to have ended did so.
pub(crate) fn exit(process: &OwnedHandle) -> Exit {
    let mut code = 0;
    // SAFETY: the handle is open, and `code` is there to be written.
    let known = unsafe { GetExitCodeProcess(process.as_raw_handle(), &raw mut code) };
    if known == 0 { Exit::Unknown } else { exit_from_code(code) }
}

/// Ends a process, so that its exit code tells that it was us. Does nothing if it ended before.
pub(crate) fn terminate(process: &OwnedHandle) {
    // SAFETY: the handle is open. What the call returns says nothing: some systems call it a success
    // to terminate a process that is gone. The exit code is the first one that was given.
    unsafe { TerminateProcess(process.as_raw_handle(), TERMINATED) };
}

/// Sends CTRL+BREAK to the console process group that `pid` leads.
///
/// It arrives where the group shares our console. CTRL+C cannot be sent: it is off in new groups.
pub(crate) fn send_ctrl_break(pid: u32) {
    // SAFETY: takes numbers. The id is not reused while its run holds a handle. A failure means
    // that there is no common console, and that nothing gentler than termination exists.
    unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid) };
}
