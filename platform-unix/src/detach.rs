//! Starting a process that is not ours to keep.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Spawns a program that leads a session of its own, so that neither the terminal nor the job of
/// whoever starts it can end it. It is not waited for: for processes that end soon and have no
/// [`UnixPlatform`](crate::UnixPlatform).
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
        Ok(())
    };
    #[expect(clippy::disallowed_methods, reason = "this process is small and short-lived")]
    // SAFETY: between fork and exec there is one call, of setsid(2), which is async-signal-safe.
    let command = unsafe { command.pre_exec(in_session) };
    command.spawn().map(drop)
}
