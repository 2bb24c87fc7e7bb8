//! The mask of blocked signals of this thread.

/// The stops that come from a terminal.
pub(crate) const TERMINAL_STOPS: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Other signals are blocked than before, until this is dropped.
#[derive(Debug)]
pub(crate) struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    /// Every signal.
    pub(crate) fn all() -> Self {
        let mut all = empty();
        // SAFETY: the set is valid for the length of the call.
        unsafe { libc::sigfillset(&raw mut all) };
        Self::only(&all)
    }

    /// No signal.
    pub(crate) fn none() -> Self {
        Self::only(&empty())
    }

    fn only(mask: &libc::sigset_t) -> Self {
        let mut before = empty();
        // SAFETY: both sets are valid for the length of the call; a mask concerns this thread alone.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::from_ref(mask), &raw mut before);
        }
        Self { before }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        set(&self.before);
    }
}

/// Blocks SIGTTOU and SIGTTIN in this thread and those that it starts, and no other signal. A
/// supervisor is not in the foreground of its terminal. So it may write there under `stty tostop`,
/// and to read there is an error instead of a stop.
pub fn block_terminal_stops_only() {
    set(&of(&[libc::SIGTTOU, libc::SIGTTIN]));
}

/// Blocks no signal any more. A stop from the terminal that is pending is forgotten.
pub(crate) fn unblock_and_forget_stops() {
    for number in TERMINAL_STOPS {
        // SAFETY: a signal is ignored for a moment; then it has the action again that it had.
        unsafe { libc::signal(number, libc::signal(number, libc::SIG_IGN)) };
    }
    set(&empty());
}

pub(crate) fn block(number: i32) {
    change(libc::SIG_BLOCK, &of(&[number]));
}

pub(crate) fn unblock(number: i32) {
    change(libc::SIG_UNBLOCK, &of(&[number]));
}

fn of(numbers: &[i32]) -> libc::sigset_t {
    let mut set = empty();
    for &number in numbers {
        // SAFETY: the set is valid for the length of the call.
        unsafe { libc::sigaddset(&raw mut set, number) };
    }
    set
}

fn empty() -> libc::sigset_t {
    // SAFETY: all-zero bytes are valid for `sigset_t`, which is plain data.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is valid for the length of the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    set
}

fn set(mask: &libc::sigset_t) {
    change(libc::SIG_SETMASK, mask);
}

fn change(how: i32, mask: &libc::sigset_t) {
    // SAFETY: the set is valid for the length of the call; a mask concerns this thread alone.
    unsafe { libc::pthread_sigmask(how, std::ptr::from_ref(mask), std::ptr::null_mut()) };
}
