//! Signals by name and by number.

use worker_core::Signal;

/// The number of a signal on this system; none where the system has no such signal.
#[must_use]
pub fn signal_number(signal: Signal) -> Option<i32> {
    if let Signal::Other(number) = signal {
        return (1..=LAST_SIGNAL).contains(&i32::from(number)).then_some(i32::from(number));
    }
    TABLE.iter().find(|(name, _)| *name == signal).map(|&(_, number)| number)
}

/// The signal with this number.
#[must_use]
pub fn signal_from_number(number: i32) -> Signal {
    let named = TABLE.iter().find(|(_, known)| *known == number).map(|&(name, _)| name);
    named.unwrap_or_else(|| Signal::Other(u8::try_from(number).unwrap_or(0)))
}

/// The signal in the terms of rustix; none where the system has no such signal.
pub(crate) fn native(signal: Signal) -> Option<rustix::process::Signal> {
    let number = signal_number(signal)?;
    // SAFETY: the number is one of this system's signals. We only send it; we never install a
    // handler for it, which is what libc reserves some numbers for.
    Some(unsafe { rustix::process::Signal::from_raw_unchecked(number) })
}

/// The highest number of a signal.
#[cfg(target_os = "linux")]
pub(crate) const LAST_SIGNAL: i32 = 64;
#[cfg(not(target_os = "linux"))]
pub(crate) const LAST_SIGNAL: i32 = 31;

const TABLE: &[(Signal, i32)] = &[
    (Signal::Hup, libc::SIGHUP),
    (Signal::Int, libc::SIGINT),
    (Signal::Quit, libc::SIGQUIT),
    (Signal::Ill, libc::SIGILL),
    (Signal::Trap, libc::SIGTRAP),
    (Signal::Abrt, libc::SIGABRT),
    (Signal::Bus, libc::SIGBUS),
    (Signal::Fpe, libc::SIGFPE),
    (Signal::Kill, libc::SIGKILL),
    (Signal::Usr1, libc::SIGUSR1),
    (Signal::Segv, libc::SIGSEGV),
    (Signal::Usr2, libc::SIGUSR2),
    (Signal::Pipe, libc::SIGPIPE),
    (Signal::Alrm, libc::SIGALRM),
    (Signal::Term, libc::SIGTERM),
    (Signal::Chld, libc::SIGCHLD),
    (Signal::Cont, libc::SIGCONT),
    (Signal::Stop, libc::SIGSTOP),
    (Signal::Tstp, libc::SIGTSTP),
    (Signal::Ttin, libc::SIGTTIN),
    (Signal::Ttou, libc::SIGTTOU),
    (Signal::Urg, libc::SIGURG),
    (Signal::Xcpu, libc::SIGXCPU),
    (Signal::Xfsz, libc::SIGXFSZ),
    (Signal::Vtalrm, libc::SIGVTALRM),
    (Signal::Prof, libc::SIGPROF),
    (Signal::Winch, libc::SIGWINCH),
    (Signal::Io, libc::SIGIO),
    #[cfg(target_os = "linux")]
    (Signal::Pwr, libc::SIGPWR),
    (Signal::Sys, libc::SIGSYS),
    #[cfg(target_os = "linux")]
    (Signal::Stkflt, libc::SIGSTKFLT),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_and_its_number_lead_to_each_other() {
        for number in 1..=LAST_SIGNAL {
            assert_eq!(signal_number(signal_from_number(number)), Some(number));
        }
        assert_eq!(signal_from_number(15), Signal::Term);
        assert_eq!(signal_from_number(9), Signal::Kill);
    }

    #[test]
    fn a_number_beyond_the_last_signal_has_no_signal() {
        assert_eq!(signal_number(Signal::Other(0)), None);
        assert_eq!(signal_number(Signal::Other(200)), None);
    }
}
