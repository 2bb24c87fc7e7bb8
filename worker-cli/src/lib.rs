//! The `worker` program: wires the reducer, the platform and the terminal together.
//!
//! Nothing is decided here about slots; [`worker_core`] decides.

pub mod args;
pub mod clock;
pub mod driver;
pub mod duration;
pub mod env_file;
pub mod error;
pub mod events;
pub mod exit_code;
pub mod outlet;
pub mod probe;
pub mod run;
pub mod voice;
