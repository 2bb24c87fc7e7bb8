//! The `worker` program: wires the reducer, the platform and the terminal together.
//!
//! Nothing is decided here about slots; [`worker_core`] decides.

pub mod args;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod driver;
pub mod duration;
pub mod env_file;
pub mod error;
pub mod events;
pub mod exit_code;
pub mod logging;
pub mod outlet;
pub mod plan;
pub mod ports;
pub mod probe;
pub mod processes;
mod ready;
pub mod run;
pub mod voice;
