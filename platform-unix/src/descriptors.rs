//! What a child must not inherit: our descriptors and our signal mask.

use std::os::fd::BorrowedFd;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Marks every descriptor but the standard ones as closed on exec: also those that we inherited
/// ourselves, which would else live on in every child.
pub(crate) fn close_on_exec() {
    let Ok(entries) = std::fs::read_dir("/dev/fd") else { return };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|&number: &i32| number > 2) {
        // SAFETY: the descriptor is borrowed for two calls that tolerate a closed one (EBADF), and
        // neither reads, writes nor closes it.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if let Ok(flags) = fcntl_getfd(fd) {
            let _ = fcntl_setfd(fd, flags | FdFlags::CLOEXEC);
        }
    }
}

/// Calls `f` with no signal blocked in this thread. std's spawn hands the mask on to the child.
pub(crate) fn with_empty_signal_mask<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: all-zero bytes are valid for `sigset_t`, which is plain data.
    let (mut empty, mut before): (libc::sigset_t, libc::sigset_t) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: both sets are valid for the length of the calls; a mask concerns this thread alone.
    unsafe {
        libc::sigemptyset(&raw mut empty);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const empty, &raw mut before);
    }
    let result = f();
    // SAFETY: `before` was filled in above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    result
}
