//! The platform traits of `worker-core` on Linux and macOS: processes, groups, trees, signals.
//!
//! [`UnixPlatform`] spawns leaders, sees them end, and empties their trees. It decides nothing: no
//! timer, no retry, no policy.
//!
//! # How a tree is kept hold of
//!
//! A tree is every process that descends from a leader. On Linux this process is a *child
//! subreaper*: whatever loses its parent below it becomes its child, so that **every living process
//! of a tree hangs under a child of ours**. Listing our own children is therefore a full scan, and
//! costs nothing for the rest of the machine. An adopted child belongs to the run of its group or
//! session, else of its [marker](MARKER), else to the only live run.
//!
//! Where cgroups of version 2 can be made, each run also has [one of its own](Tier::Cgroup), which a
//! [`shim`] enters before the program's first instruction. It tells whose an orphan is, also where
//! that left its group and session and wiped its environment; one write ends whatever is in it; and
//! the tree is gone when it is empty, *and* every child of ours that belongs to the run is reaped.
//! A process that moves itself into another cgroup is kept hold of as above.
//!
//! One place reaps, by process id. A child that is not reaped keeps its number, so a signal by
//! number to a child of ours cannot hit a stranger; every other process is pinned first. The leader
//! stays unreaped until its tree is being ended and nothing else of it is left: its group can be
//! signalled until then.
//!
//! # What macOS cannot promise
//!
//! There is no subreaper. A tree is the leader's group and what descends from its members at the
//! moment we look. A process that left the group *and* lost its parent before that moment is not
//! found.

mod adopt;
pub mod allocator;
mod answer;
mod c_strings;
mod cgroup;
mod command;
mod descriptors;
pub mod detach;
mod ending;
pub mod facts;
mod failure;
pub mod guardian;
mod helper;
pub mod journal;
mod leaves;
mod limits;
mod marker;
mod mask;
mod memory;
mod os;
mod output;
mod platform;
mod program;
mod reaper;
pub mod shim;
mod signal;
mod sockets;
mod spawn;
mod start_clock;
mod state;
mod stop;
mod supervisor_id;
mod tasks;
mod tier;
mod tree;
mod wait;

pub use crate::command::{Command, Input, Leader, Output};
pub use crate::marker::MARKER;
pub use crate::output::{MoreOutput, OutputReader, OutputWriter, output_pipe};
pub use crate::platform::UnixPlatform;
pub use crate::program::resolve_program;
pub use crate::shim::Shim;
pub use crate::signal::{signal_from_number, signal_number};
pub use crate::supervisor_id::SupervisorId;
pub use crate::tier::Tier;

/// The number of a process.
pub type Pid = i32;
