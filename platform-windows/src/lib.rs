//! The platform traits of `worker-core` on Windows. Elsewhere this crate is empty.
//!
//! # What it does
//!
//! `WindowsPlatform` spawns leaders with the standard library, each in a console process group of
//! its own, and keeps a handle to each until its run is over. While a handle is open, Windows gives
//! the process id to nobody else, so nothing here can hit a stranger.
//!
//! # What it cannot promise
//!
//! **Only the leader is ended; its children are not touched.** Windows keeps no tree of processes:
//! a child does not know when its parent is gone, and the group of a process is a matter of its
//! console alone. So here a run is its leader:
//!
//! | method | on Windows |
//! | --- | --- |
//! | `signal_tree` | CTRL+BREAK to the leader's console process group, which reaches children that stayed in it. Without a common console nothing is sent, and the leader keeps its grace for nothing. SIGKILL terminates the leader. |
//! | `kill_group` | nothing, as the contract says |
//! | `kill_escapees` | terminates the leader |
//! | `release` | nothing to let go of |
//! | `tree_gone` | resolves when the leader is gone; `left` is always 0 |
//!
//! Children that outlive their leader keep what they hold, ports included.
//!
//! There are no signals either. An exit code that Windows itself gives to a process that it ends
//! (an access violation, CTRL+C) is reported as the signal that means the same, see
//! `exit_from_code`.
#![cfg(windows)]

mod command;
mod exit_code;
mod exit_watch;
mod platform;
mod process;
mod resolve;
mod run;
mod spawn;

pub use crate::command::{Command, Input, Leader, Output};
pub use crate::exit_code::exit_from_code;
pub use crate::platform::WindowsPlatform;
pub use crate::resolve::resolve_program;
