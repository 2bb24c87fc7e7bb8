//! A terminal with a shell in it, which can be closed.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

/// The side of the terminal where the user sits. Closing it hangs up.
pub(super) struct Terminal(File);

impl Terminal {
    /// A shell that leads a session, with the terminal as its controlling one.
    pub(super) fn with_shell() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, flags | OpenptFlags::CLOEXEC)?;
        let side = |fd: &OwnedFd| fd.try_clone().map(Stdio::from);
        let mut command = Command::new("setsid");
        command.args(["--ctty", "sh", "-i"]).env("PS1", "").env_remove("ENV");
        command.stdin(side(&slave)?).stdout(side(&slave)?).stderr(side(&slave)?);
        command.spawn()?; // Reaped with all others.
        Ok(Self(File::from(master)))
    }

    pub(super) fn press(&self, keys: &str) -> io::Result<()> {
        (&self.0).write_all(keys.as_bytes())
    }
}
