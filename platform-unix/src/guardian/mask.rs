//! The mask of blocked signals of this thread.

/// Every signal is blocked until this is dropped.
#[derive(Debug)]
pub(super) struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    pub(super) fn all() -> Self {
        let mut all = empty();
        let mut before = empty();
        // SAFETY: both sets are valid for the length of the calls; a mask concerns this thread
        // alone.
        unsafe {
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        }
        Self { before }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        set(&self.before);
    }
}

/// Blocks SIGTTOU in this thread and those that it starts, and no other signal. Neither a guardian
/// nor its supervisor need be in the foreground of their terminal, and both would be stopped for
/// their messages under `stty tostop`.
pub fn block_terminal_stops_only() {
    let mut only = empty();
    // SAFETY: the set is valid for the length of the call.
    unsafe { libc::sigaddset(&raw mut only, libc::SIGTTOU) };
    set(&only);
}

fn empty() -> libc::sigset_t {
    // SAFETY: all-zero bytes are valid for `sigset_t`, which is plain data.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is valid for the length of the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    set
}

fn set(mask: &libc::sigset_t) {
    // SAFETY: the set is valid for the length of the call; a mask concerns this thread alone.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::from_ref(mask), std::ptr::null_mut())
    };
}
