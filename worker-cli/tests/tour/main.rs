//! A tour through every verb with a real daemon, as a person, as a program, and on a terminal.

#[cfg(target_os = "linux")]
mod completions;
#[path = "../../../platform-unix/tests/support/dispositions.rs"]
mod dispositions;
#[path = "../support/eventually.rs"]
mod eventually;
mod json;
mod person;
mod stage;
#[cfg(target_os = "linux")]
mod terminal;
