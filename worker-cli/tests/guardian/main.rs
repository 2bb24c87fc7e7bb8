//! The guardian of the real `worker`, with real processes, signals and terminals.
#![cfg(target_os = "linux")]

mod common;
#[path = "../../../platform-unix/tests/support/dispositions.rs"]
mod dispositions;
#[path = "../support/eventually.rs"]
mod eventually;
mod job_control;
mod killed;
mod left;
mod pause;
mod service;
mod signals;
mod terminal;
