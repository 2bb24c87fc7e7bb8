//! What a guardian is made of: the small process above a supervisor, which has no runtime.
//!
//! Nothing here needs [`UnixPlatform`](crate::UnixPlatform), and the two exclude each other: each
//! reaps all children of its process.
//!
//! On macOS no orphan falls to a guardian: there it forwards signals, answers Ctrl-Z and passes on
//! the exit code, but after a SIGKILL of its supervisor it cannot find the trees. The next start does,
//! by the [journal](crate::journal). Nor does a supervisor hear there that its guardian died while it
//! was stopped, unless that orphans its process group.

mod caught;
mod children;
mod division;
#[cfg(target_os = "linux")]
mod file_pages;
mod sweep;

pub use self::caught::CaughtSignals;
pub use self::children::{Change, ChildChange, adopt_orphans, next_change, own_children};
pub use self::division::{Half, divide, inherited_socket, is_inherited};
#[cfg(target_os = "linux")]
pub use self::file_pages::unmap_file_pages;
pub use self::sweep::Sweep;
pub use crate::mask::block_terminal_stops_only;

/// On Linux this unmaps the pages of files that this process has not changed.
#[cfg(not(target_os = "linux"))]
pub fn unmap_file_pages() {}
