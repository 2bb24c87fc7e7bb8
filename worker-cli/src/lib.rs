//! The `worker` program: wires the reducer, the platform and the terminal together.
//!
//! Nothing is decided here about slots; [`worker_core`] decides.

pub mod clock;
pub mod driver;
pub mod duration;
pub mod env_file;
pub mod events;
pub mod exit_code;
