//! Signals that were ignored at our start, by `nohup` or because a script started us in the background.
//!
//! Children inherit that, down to the trees of the tests; these wait for ends that would never come.
//! A signal that is caught has its default again in a program that is executed, and ignoring it is
//! what we go on doing.

use std::ffi::c_int;
use std::fs;
use std::sync::{Arc, Once};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2};

/// Those that tests send.
const SIGNALS: [c_int; 8] = [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2];

/// Gives children from here on the default of each signal.
pub(crate) fn let_none_be_ignored_by_children() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let ignored = ignored();
        for signal in SIGNALS.into_iter().filter(|signal| ignored & (1 << (signal - 1)) != 0) {
            // It fails for none of these.
            let _ = signal_hook::flag::register(signal, Arc::default());
        }
    });
}

/// A bit for each signal; see proc_pid_status(5).
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
