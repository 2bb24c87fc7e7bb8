//! Everything that the platform does, with real processes. What they became is read from `/proc`.
#![cfg(target_os = "linux")]

mod cgroups;
mod common;
#[path = "../support/dispositions.rs"]
mod dispositions;
mod helper;
mod late;
mod leaks;
mod look;
mod output;
mod pid_1;
mod release;
mod spawn;
mod stop;
mod suspend;
mod tiers;
mod two_runs;
mod zoo;
