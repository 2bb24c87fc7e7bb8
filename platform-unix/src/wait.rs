//! Looking at dead children and reaping them, by process id.
//!
//! rustix has `waitid` too, but does not say whose status it is.

use worker_core::Exit;

use crate::Pid;
use crate::signal::signal_from_number;

/// A child that ended and is not reaped.
pub(crate) struct Dead {
    pub(crate) pid: Pid,
    pub(crate) exit: Exit,
}

/// Some dead child, if there is one. It is not reaped.
pub(crate) fn peek_any() -> Option<Dead> {
    waitid(libc::P_ALL, 0, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT)
}

/// This child, if it is dead. It is not reaped.
pub(crate) fn peek(pid: Pid) -> Option<Dead> {
    waitid(libc::P_PID, pid, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT)
}

/// Reaps this child, if it is dead. Its number is free from here on.
pub(crate) fn reap(pid: Pid) -> Option<Dead> {
    waitid(libc::P_PID, pid, libc::WEXITED | libc::WNOHANG)
}

/// Reaps this child, which had its SIGKILL: waits for the moment that its end takes.
pub(crate) fn reap_soon(pid: Pid) -> Option<Dead> {
    waitid(libc::P_PID, pid, libc::WEXITED)
}

fn waitid(which: libc::idtype_t, pid: Pid, options: i32) -> Option<Dead> {
    let id = libc::id_t::try_from(pid).ok()?;
    loop {
        // SAFETY: all-zero bytes are a valid `siginfo_t`, which is plain data.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is valid for writes for the length of the call.
        if unsafe { libc::waitid(which, id, &raw mut info, options) } == 0 {
            return dead(&info);
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return None; // No such child, or none at all.
        }
    }
}

fn dead(info: &libc::siginfo_t) -> Option<Dead> {
    // SAFETY: `waitid` fills in the fields of SIGCHLD; where it found nothing they are the zeroes
    // that we put there.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    let exit = match info.si_code {
        libc::CLD_EXITED => Exit::Code(status),
        _ => Exit::Signal(signal_from_number(status)),
    };
    (pid != 0).then_some(Dead { pid, exit })
}
