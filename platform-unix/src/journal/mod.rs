//! The journal: finds what is left when a supervisor and its guardian were both killed.
//!
//! Each supervisor keeps one small file in a folder of its user, and holds a lock on it for its
//! life. A journal whose lock is free belongs to a dead supervisor. Whoever starts next ends what
//! that one left behind, before anything new is spawned: the processes that the journal names by
//! number and start time, those whose [marker](crate::MARKER) names the dead supervisor, and what
//! is below these or in their groups and sessions. A process that merely has the number now is never
//! touched: it is pinned, compared and confirmed before each signal.
//!
//! Since the marker names the supervisor, a journal need not be written before a spawn: it finds a
//! child also in the moment before its entry is there. The entries are for those whose environment
//! cannot be read any more, and say what lives on on purpose.
//!
//! Not found is a process that wiped its environment *and* left its session, and that lost its parent
//! before anybody looked: nothing leads to it. On macOS no process can be pinned; there the start
//! time is compared right before each signal.

mod folder;
mod format;
mod hunt;
mod keeper;
mod look;
mod notes;
mod pin;
mod survey;
mod sweep;

pub use self::keeper::Journal;
pub use self::survey::{Left, Survey, survey};
pub use self::sweep::{Finding, Start, end_left_behind, start};
