//! Signals as bytes in a pipe, for a loop that waits for several things.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{getpid, kill_process};
use worker_core::Signal;

use crate::mask::{block, unblock};
use crate::signal::{signal_from_number, signal_number};

/// Signals that this process catches. There can be one at a time.
///
/// A signal that was ignored when we were started stays ignored: `nohup` means it. SIGCHLD alone is
/// caught all the same, since the kernel reaps by itself where it is ignored.
///
/// When this is dropped, the signals do again what they do by default.
#[derive(Debug)]
pub struct CaughtSignals {
    reader: OwnedFd,
    /// Read by the handler, by number.
    _writer: OwnedFd,
    caught: Vec<i32>,
}

impl CaughtSignals {
    /// Catches these signals and SIGCHLD from here on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if signals are caught already; else if there are no more
    /// descriptors.
    pub fn catch(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        rustix::io::ioctl_fionbio(&reader, true)?;
        // A handler must not wait. A signal that finds so many before it is lost.
        rustix::io::ioctl_fionbio(&writer, true)?;
        let number = writer.as_raw_fd();
        WRITER
            .compare_exchange(NONE, number, Ordering::SeqCst, Ordering::SeqCst)
            .map_err(|_| io::Error::new(io::ErrorKind::AlreadyExists, "signals are caught"))?;
        let mut caught: Vec<i32> = signals.into_iter().filter_map(signal_number).collect();
        caught.retain(|&number| !is_ignored(number));
        caught.push(libc::SIGCHLD);
        caught.iter().for_each(|&number| set_handler(number, handler()));
        Ok(Self { reader, _writer: writer, caught })
    }

    /// The next signal that arrived, if there is one. Each arrives once, in order.
    ///
    /// SIGTSTP is held from then on, for [`stop_if_asked`](Self::stop_if_asked), until SIGCONT
    /// arrives.
    pub fn take(&mut self) -> Option<Signal> {
        let mut number = [0];
        let length = rustix::io::read(&self.reader, &mut number).ok()?;
        let signal = (length == 1).then(|| signal_from_number(i32::from(number[0])))?;
        if signal == Signal::Tstp {
            hold_stop();
        }
        if signal == Signal::Cont && self.caught.contains(&libc::SIGTSTP) {
            drop_stop();
        }
        Some(signal)
    }

    /// If SIGTSTP arrived, and no SIGCONT since: does what it does by default, and returns when this
    /// process is continued. Returns at once where the kernel does not stop processes because nobody
    /// would continue them (an orphaned process group).
    ///
    /// A SIGCONT that arrives just now is not lost: the stop is pending in the kernel, which takes it
    /// back then. One that arrived before the stop was held is among the signals that
    /// [`take`](Self::take) has to be asked for before.
    pub fn stop_if_asked(&self) {
        if self.caught.contains(&libc::SIGTSTP) {
            unblock(libc::SIGTSTP); // Stops here.
            set_handler(libc::SIGTSTP, handler());
        }
    }

    /// Catches them no more, and forgets those that are pending: they were meant for another process.
    pub(super) fn discard(self) {
        self.caught.iter().for_each(|&number| set_handler(number, libc::SIG_IGN));
    }
}

/// Readable when a signal arrived.
impl AsFd for CaughtSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for CaughtSignals {
    fn drop(&mut self) {
        self.caught.iter().for_each(|&number| set_handler(number, libc::SIG_DFL));
        WRITER.store(NONE, Ordering::SeqCst);
    }
}

/// Makes SIGTSTP pending, with its default action.
fn hold_stop() {
    block(libc::SIGTSTP);
    set_handler(libc::SIGTSTP, libc::SIG_DFL);
    let _ = kill_process(getpid(), rustix::process::Signal::TSTP);
}

/// Forgets a pending SIGTSTP, and catches it again.
fn drop_stop() {
    set_handler(libc::SIGTSTP, libc::SIG_IGN);
    set_handler(libc::SIGTSTP, handler());
    unblock(libc::SIGTSTP);
}

const NONE: i32 = -1;

/// The descriptor that the handler writes to.
static WRITER: AtomicI32 = AtomicI32::new(NONE);

extern "C" fn note(number: libc::c_int) {
    let byte = u8::try_from(number).unwrap_or(0);
    // SAFETY: `errno` of this thread may be read and written at any time.
    let before = unsafe { *errno() };
    // SAFETY: `write` may be called in a handler, and `byte` is one readable byte. A descriptor
    // that is closed gives EBADF.
    unsafe { libc::write(WRITER.load(Ordering::SeqCst), (&raw const byte).cast(), 1) };
    // SAFETY: as above. What was interrupted must not find our error.
    unsafe { *errno() = before };
}

fn errno() -> *mut libc::c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: returns the address of a thread-local variable.
    unsafe {
        libc::__errno_location()
    }
    #[cfg(target_os = "macos")]
    // SAFETY: returns the address of a thread-local variable.
    unsafe {
        libc::__error()
    }
}

fn handler() -> libc::sighandler_t {
    note as *const () as libc::sighandler_t
}

fn set_handler(number: i32, handler: libc::sighandler_t) {
    // SAFETY: all-zero bytes are a valid `sigaction`: no handler, no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `action` is valid, and `note` calls nothing that a handler may not call.
    unsafe { libc::sigaction(number, &raw const action, std::ptr::null_mut()) };
}

fn is_ignored(number: i32) -> bool {
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: nothing is changed, and `action` is valid for writes.
    unsafe { libc::sigaction(number, std::ptr::null(), &raw mut action) };
    action.sa_sigaction == libc::SIG_IGN
}
