//! The `worker` program: wires the reducer, the platform and the terminal together.
//!
//! Nothing is decided here about slots; [`worker_core`] decides.

pub mod clock;
pub mod driver;
