//! `worker run`, through the real binary and with real processes.

mod common;
mod crash_loop;
mod stopping;
