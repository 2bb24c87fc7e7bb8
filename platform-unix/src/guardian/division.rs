//! One process becomes two: a guardian, and the supervisor as its child.
//!
//! By `fork(2)`, at the start of `main`, while there is one thread. The two then share what never
//! changes after the start, such as the tables that the loader relocated: the guardian's own
//! memory does not grow with the program. It costs no second start of the program either.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid as RawPid, setpgid};

use super::caught::CaughtSignals;
use crate::Pid;
use crate::mask::Blocked;

/// Which of the two this process is.
#[derive(Debug)]
pub enum Half {
    /// The process that was started.
    Guardian {
        /// Its child.
        supervisor: Pid,
        /// Leads to the child, and never waits. The child finds its end by
        /// [`inherited_socket`].
        link: UnixStream,
        /// Those that were caught before, and none of the child's.
        signals: CaughtSignals,
    },
    /// The child: in a process group of its own, with no signal caught.
    Supervisor,
}

/// Divides this process, which must have one thread. `variable` is the name under which the supervisor's environment tells of
/// its guardian.
///
/// # Errors
///
/// If there is no room for another process or descriptor. Then `signals` are not caught any more.
pub fn divide(signals: CaughtSignals, variable: &str) -> io::Result<Half> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let guardian = std::process::id();
    // What is sent to our group before the child has left it is for the guardian alone.
    let _blocked = Blocked::all();
    // SAFETY: there is one thread, so the child finds no lock held by another.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let _ = setpgid(None, None);
            continue_at_end_of_guardian();
            drop(ours);
            signals.discard();
            let value = format!("{}:{guardian}", theirs.as_raw_fd());
            // SAFETY: there is one thread, so nobody reads the environment meanwhile.
            unsafe { std::env::set_var(variable, value) };
            std::mem::forget(theirs); // Taken up again by its number.
            Ok(Half::Supervisor)
        }
        pid => {
            // Also done by the child: whoever comes first.
            let _ = setpgid(RawPid::from_raw(pid), RawPid::from_raw(pid));
            Ok(Half::Guardian { supervisor: pid, link: ours, signals })
        }
    }
}

/// A supervisor that is stopped could not see that its guardian is killed. Fails nowhere; elsewhere
/// than on Linux the group is orphaned then, and continued by the kernel.
fn continue_at_end_of_guardian() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::CONT));
}

/// Takes the socket over from our guardian, and has it closed in whatever we spawn. None where there
/// is no guardian: where the variable is missing, or where it was inherited from a supervisor
/// further up, whose socket does not come with it.
///
/// To be called once in a process. A supervisor that executes itself anew has to keep the descriptor
/// open, and finds its guardian again.
#[must_use]
pub fn inherited_socket(variable: &str) -> Option<OwnedFd> {
    let number = inherited_number(variable)?;
    // SAFETY: the descriptor is open and was made for us alone; nothing else in this process knows
    // its number.
    let link = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(&link, FdFlags::CLOEXEC).ok()?;
    Some(link)
}

/// Whether [`inherited_socket`] would find one.
#[must_use]
pub fn is_inherited(variable: &str) -> bool {
    inherited_number(variable).is_some()
}

fn inherited_number(variable: &str) -> Option<i32> {
    let value = std::env::var(variable).ok()?;
    let (number, guardian) = value.split_once(':')?;
    let number = number.parse().ok().filter(|&number: &i32| number > 2)?;
    // SAFETY: borrowed for a call that tolerates a closed descriptor (EBADF), and that neither
    // reads, writes nor closes it.
    let link = unsafe { BorrowedFd::borrow_raw(number) };
    (maker(link)? == guardian.parse().ok()?).then_some(number)
}

/// Who made the socket pair of which this is one end; also when that process has died since.
#[cfg(target_os = "linux")]
fn maker(link: BorrowedFd<'_>) -> Option<Pid> {
    let peer = rustix::net::sockopt::socket_peercred(link).ok()?;
    Some(peer.pid.as_raw_nonzero().get())
}

/// Here the parent stands for the maker: a guardian that is gone is not recognised.
#[cfg(not(target_os = "linux"))]
fn maker(link: BorrowedFd<'_>) -> Option<Pid> {
    rustix::net::sockopt::socket_type(link).ok()?;
    rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get())
}
