//! The output of slots: kept on disk, bounded, and read by line.
//!
//! Each slot has a [`SlotLog`], a folder of files. The bytes are kept as they were read from the
//! pipes, in frames that say when, of which run and of which stream; nothing looks at lines on the
//! way in. [`Records`] makes lines of them on the way out, and a [`LogStream`] follows.
//!
//! [`Logs`] is the thread that carries the output of all runs into their logs. A disk that hangs
//! holds up this thread, not the supervisor. [`Logs::capture`] gives the ends of pipes for a run's
//! output; the [`Capture`] can be asked for what is in the pipes right now, and for the last lines.
//!
//! # On disk
//!
//! A log is one sequence of bytes, cut into *segments*: files that are named by the position at
//! which they begin. The oldest are deleted so that all of them together stay within the cap. A
//! position is a number that never comes again, so a reader knows how much it missed.
//!
//! What a write has brought is in the kernel's hands and survives a SIGKILL of the daemon. Nothing is
//! synced: a loss of power costs what the kernel had not written yet.

mod assembly;
mod capture;
mod carrier;
mod frame;
mod frames;
mod json;
mod lines;
mod merge;
mod query;
mod record;
mod records;
mod segment;
mod slot_log;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

pub use self::capture::{Capture, Tap};
pub use self::carrier::Logs;
pub use self::json::LogLine;
pub use self::merge::Merged;
pub use self::query::Query;
pub use self::record::{Line, LineEnd, Mark, MarkKind, Record, Stream};
pub use self::records::Records;
pub use self::slot_log::SlotLog;
pub use self::stream::{Follow, LogStream};
pub use self::writer::LogHealth;

/// What a slot's log may take on disk, if nobody says otherwise: 50 MB.
pub const DEFAULT_CAP: u64 = 50_000_000;

/// Longer lines are cut into pieces of so many bytes: 64 KiB.
pub const LONGEST_LINE: usize = 64 * 1024;
