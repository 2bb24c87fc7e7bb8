//! The `worker` program: wires the reducer, the platform and the terminal together.
//!
//! Nothing is decided here about slots; [`worker_core`] decides.

pub mod api;
pub mod args;
pub mod cli;
#[cfg(unix)]
pub mod client;
pub mod clock;
pub mod colour;
pub mod config;
#[cfg(unix)]
pub mod daemon;
#[cfg(unix)]
pub mod demo;
pub mod driver;
pub mod duration;
pub mod env_file;
#[cfg(unix)]
mod environment;
pub mod error;
pub mod events;
pub mod exit_code;
#[cfg(unix)]
pub mod guardian;
#[cfg(unix)]
pub mod journal;
#[cfg(unix)]
pub mod logging;
#[cfg(unix)]
pub mod logs;
pub mod outlet;
#[cfg(unix)]
pub mod plan;
#[cfg(unix)]
mod platform;
#[cfg(unix)]
pub mod ports;
pub mod probe;
#[cfg(unix)]
pub mod processes;
#[cfg(unix)]
mod ready;
mod regular_file;
#[cfg(unix)]
pub mod run;
#[cfg(unix)]
pub mod scope;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod slot_name;
#[cfg(unix)]
pub mod socket;
#[cfg(unix)]
mod spawning;
pub mod state_dir;
mod verbs;
pub mod voice;
