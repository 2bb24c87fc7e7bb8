//! The exit codes of `worker`. They never change.

/// Done; for `run`: the command ended cleanly.
pub const DONE: u8 = 0;
/// Failed; for `run`: the command could not be spawned, or its processes cannot be ended.
pub const FAILED: u8 = 1;
/// The command line cannot be meant.
pub const USAGE: u8 = 2;
/// The slot is not running.
pub const NOT_RUNNING: u8 = 3;
/// There is no such slot.
pub const NO_SUCH_SLOT: u8 = 4;
/// The slot is parked; for `run`: the breaker tripped.
pub const PARKED: u8 = 5;
/// The daemon cannot be reached.
pub const NO_DAEMON: u8 = 6;
/// It took longer than asked for.
pub const TIMED_OUT: u8 = 7;
/// The configuration is bad: a file, a folder or what is in it.
pub const BAD_CONFIG: u8 = 8;

/// A process that a signal ended is reported as this plus the signal's number, as shells do.
pub const SIGNAL_BASE: u8 = 128;
