//! The verbs, but for `run`: one file for each.

pub(crate) mod config;
#[cfg(unix)]
pub(crate) mod daemon;
#[cfg(unix)]
pub(crate) mod doctor;
