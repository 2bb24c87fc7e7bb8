//! Everything that the platform does, with real processes.

mod common;
mod helper;
mod late;
mod leaks;
mod look;
mod output;
mod release;
mod spawn;
mod stop;
mod suspend;
mod two_runs;
mod zoo;
