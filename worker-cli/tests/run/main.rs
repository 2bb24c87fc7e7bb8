//! `worker run`, through the real binary and with real processes.
#![cfg(target_os = "linux")]

mod bad_input;
mod cgroups;
mod child;
mod common;
mod crash_loop;
mod doctor;
mod event_log;
mod help;
mod left_behind;
mod messages;
mod output;
mod ports;
mod readiness;
mod stopping;
