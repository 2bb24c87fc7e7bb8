//! Starting a process that is not ours to keep.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::signal::LAST_SIGNAL;

/// Spawns a program that leads a session of its own, so that neither the terminal nor the job of
/// whoever starts it can end it. It is not waited for: for processes that end soon and have no
/// [`UnixPlatform`](crate::UnixPlatform).
///
/// No signal is ignored in it: `nohup`, or a script that starts something in the background, means
/// what it starts, not what lives on for others.
///
/// Costs a fork, whose time grows with our memory: std cannot ask for a session otherwise.
///
/// # Errors
///
/// If it cannot be spawned.
pub fn spawn_detached(command: &mut Command) -> io::Result<()> {
    let in_session = || {
        // Cannot fail: a process that was just forked leads no group.
        let _ = rustix::process::setsid();
        for number in 1..=LAST_SIGNAL {
            // SAFETY: the default is no handler that could be wrong. It fails for what is no signal
            // here, and for those that cannot be ignored.
            unsafe { libc::signal(number, libc::SIG_DFL) };
        }
        Ok(())
    };
    #[expect(clippy::disallowed_methods, reason = "this process is small and short-lived")]
    // SAFETY: between fork and exec there are calls of setsid(2) and signal(2) alone, which are
    // async-signal-safe.
    let command = unsafe { command.pre_exec(in_session) };
    command.spawn().map(drop)
}
