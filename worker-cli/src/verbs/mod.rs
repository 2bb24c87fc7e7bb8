//! The verbs, but for `run`: one file for each.
//!
//! Those that are about slots are clients of the daemon and nothing else. What they fetch is turned
//! into text by functions that fetch nothing.

#[cfg(unix)]
pub(crate) mod candidates;
#[cfg(unix)]
pub(crate) mod completions;
pub(crate) mod config;
#[cfg(unix)]
pub(crate) mod daemon;
#[cfg(unix)]
pub(crate) mod doctor;
#[cfg(unix)]
pub(crate) mod down;
#[cfg(unix)]
pub(crate) mod env;
#[cfg(unix)]
pub(crate) mod events;
#[cfg(unix)]
mod here;
#[cfg(unix)]
pub(crate) mod logs;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod outcome;
#[cfg(unix)]
pub(crate) mod ports;
#[cfg(unix)]
mod progress;
#[cfg(unix)]
pub(crate) mod request;
#[cfg(unix)]
pub(crate) mod reset;
#[cfg(all(unix, test))]
mod sample;
#[cfg(unix)]
mod screen;
#[cfg(unix)]
pub(crate) mod start;
#[cfg(unix)]
pub(crate) mod status;
#[cfg(unix)]
pub(crate) mod up;
#[cfg(unix)]
pub(crate) mod wait;
#[cfg(unix)]
pub(crate) mod why;
