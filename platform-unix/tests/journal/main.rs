//! Journals of dead supervisors, and what is done about the processes behind them.
//!
//! The dead supervisors here never lived: their journals and markers are written by hand, as their
//! format promises. `worker-cli` has the tests with supervisors that are killed.
#![cfg(target_os = "linux")]

mod dying;
mod files;
mod processes;
mod scene;
