//! `worker run`, through the real binary and with real processes.
#![cfg(target_os = "linux")]

mod bad_input;
mod cgroups;
mod child;
mod common;
mod crash_loop;
#[path = "../../../platform-unix/tests/support/dispositions.rs"]
mod dispositions;
mod doctor;
mod event_log;
#[path = "../support/eventually.rs"]
mod eventually;
mod help;
mod left_behind;
mod messages;
mod output;
mod ports;
mod readiness;
#[path = "../support/script.rs"]
mod script;
mod stopping;
