//! From a guardian to its supervisor: the same program once more, with a socket between the two.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use crate::Pid;

/// Executes this program once more, with the same arguments, in a process group of its own. The
/// child inherits `link`, which must be one end of a socket pair that this process made, and finds
/// its number in the environment under `variable`.
///
/// # Errors
///
/// If there is no room for another process, or the program cannot be found any more.
pub fn spawn_self(link: OwnedFd, variable: &str) -> io::Result<Pid> {
    fcntl_setfd(&link, FdFlags::empty())?;
    let mut words = std::env::args_os();
    let mut command = Command::new(own_program()?);
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    let child = command
        .args(words)
        .env(variable, format!("{}:{}", link.as_raw_fd(), std::process::id()))
        .process_group(0)
        .spawn()?;
    // std does not reap a child that is dropped.
    Ok(Pid::try_from(child.id()).unwrap_or_default())
}

/// Takes the socket over from our guardian, and closes it in whatever we spawn. None where there is
/// no guardian: where the variable is missing, or where it was inherited from a supervisor further
/// up, whose socket does not come with it.
///
/// To be called once in a process.
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

/// Here the parent stands for the maker. A guardian that died in the moment of its start is then
/// not recognised, and gets a successor.
#[cfg(not(target_os = "linux"))]
fn maker(link: BorrowedFd<'_>) -> Option<Pid> {
    rustix::net::sockopt::socket_type(link).ok()?;
    rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get())
}

/// On Linux this is the very file that we were started from, even if it was replaced since.
fn own_program() -> io::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { Ok(own) } else { std::env::current_exe() }
}

/// Blocks SIGTTOU in this thread and those that it starts, and no other signal. A supervisor is not
/// in the foreground of its terminal, and would be stopped for its messages under `stty tostop`.
pub fn block_terminal_stops_only() {
    // SAFETY: all-zero bytes are valid for `sigset_t`, which is plain data.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is valid for the length of the calls; a mask concerns this thread alone.
    unsafe {
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}
