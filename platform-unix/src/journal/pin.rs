//! Signals to processes that are not our children, and whose numbers may come to mean others.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::os::{self, Process};

/// How often somebody is looked at whose end is not told.
const TICK: Duration = Duration::from_millis(5);

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It was sent.
    Reached,
    /// The process is gone.
    Gone,
    /// The process is another user's.
    Denied,
}

/// Sends a signal to exactly the process that was looked at, and to none that has its number now.
pub(super) fn signal(process: &Process, signal: Signal) -> Reach {
    let Some(pin) = Pin::take(process) else { return Reach::Gone };
    match pin.signal(process, signal) {
        Ok(()) => Reach::Reached,
        Err(Errno::PERM) => Reach::Denied,
        Err(_) => Reach::Gone,
    }
}

/// Waits until the process has ended, or until the time has come.
pub(super) fn await_end(process: &Process, until: Instant) {
    if let Some(pin) = Pin::take(process) {
        pin.await_end(process, until);
    }
}

/// Holds on to a process, where the system can: none on macOS, nor on Linux before 5.3.
struct Pin(Option<OwnedFd>);

impl Pin {
    /// Pins whatever has the number, compares it with what was looked at, and confirms that the
    /// pinned process lives, so that it is the one that was compared. None if it has ended.
    #[cfg(target_os = "linux")]
    fn take(process: &Process) -> Option<Self> {
        use rustix::process::{PidfdFlags, pidfd_open};

        match pidfd_open(number(process)?, PidfdFlags::empty()) {
            Ok(pin) => {
                (is_still(process) && !ends(&pin, Duration::ZERO)).then_some(Self(Some(pin)))
            }
            Err(Errno::SRCH) => None,
            Err(_) => is_still(process).then_some(Self(None)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn take(process: &Process) -> Option<Self> {
        is_still(process).then_some(Self(None))
    }

    /// Without a pin by number, right after the comparison.
    fn signal(&self, process: &Process, signal: Signal) -> rustix::io::Result<()> {
        match &self.0 {
            #[cfg(target_os = "linux")]
            Some(pin) => rustix::process::pidfd_send_signal(pin, signal),
            _ => rustix::process::kill_process(number(process).ok_or(Errno::SRCH)?, signal),
        }
    }

    fn await_end(&self, process: &Process, until: Instant) {
        let left = || until.saturating_duration_since(Instant::now());
        match &self.0 {
            Some(pin) => drop(ends(pin, left())),
            None => {
                while is_still(process) && !left().is_zero() {
                    let _ = poll(&mut [], Timespec::try_from(TICK.min(left())).ok().as_ref());
                }
            }
        }
    }
}

/// Lives, and is the one that was looked at.
fn is_still(process: &Process) -> bool {
    os::process(process.pid).is_some_and(|now| now.start == process.start && now.alive)
}

/// A pidfd is readable once its process has ended.
fn ends(pin: &OwnedFd, patience: Duration) -> bool {
    let patience = Timespec::try_from(patience).ok();
    let mut pin = [PollFd::new(pin, PollFlags::IN)];
    poll(&mut pin, patience.as_ref()).is_ok_and(|ready| ready > 0)
}

fn number(process: &Process) -> Option<rustix::process::Pid> {
    (process.pid > 1).then(|| rustix::process::Pid::from_raw(process.pid)).flatten()
}
