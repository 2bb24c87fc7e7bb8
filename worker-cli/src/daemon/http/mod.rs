//! The control API: HTTP/1.1 over a unix socket.
//!
//! ```text
//! socket ─ server ─ connection ─ router ─ gate ─ operation ─ Daemon
//! ```
//!
//! The table in `operations` says what can be asked for. Nothing here waits for a client that hangs
//! but what belongs to that client.

mod connection;
mod context;
mod events;
mod gate;
mod input;
mod listener;
mod logs;
mod metrics;
mod openapi;
mod operation;
mod operations;
mod output;
mod refusal;
mod router;
mod server;

pub use self::context::Closing;
pub use self::listener::Listener;
pub use self::server::Server;
