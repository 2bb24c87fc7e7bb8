//! What the host may show of a slot.

use core::fmt;

use crate::action::Parked;
use crate::exit::DownCause;
use crate::id::{LaunchId, RunId};
use crate::past::Past;
use crate::ports::Block;
use crate::time::Instant;
use crate::wakeup::Wakeup;

/// A slot as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlotView {
    /// The state.
    pub state: StateName,
    /// The present run; none without one.
    pub run: Option<RunId>,
    /// What the present run executes, or the next one will.
    pub launch: LaunchId,
    /// The ports that are kept for the slot.
    pub block: Option<Block>,
    /// Since when it is in this state.
    pub since: Instant,
    /// When the run was last used; none before it was ready.
    pub last_used: Option<Instant>,
    /// Spawns since the last start from rest, less one.
    pub restarts: u32,
    /// Consecutive failures.
    pub streak: u32,
    /// So many park it.
    pub max_failures: u32,
    /// The next deadline of the slot.
    pub next: Option<Wakeup>,
    /// What went wrong last, while it matters.
    pub last_error: Option<LastError>,
    /// What another supervisor needs to go on with the slot.
    pub past: Past,
}

/// What went wrong last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LastError {
    /// A failure.
    Down(DownCause),
    /// The breaker tripped.
    Parked(Parked),
    /// SIGKILL was sent long ago, and the tree is still there.
    Unkillable,
}

/// The states by the names they carry on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum StateName {
    /// Asked to run; being prepared, spawned or about to be; not ready yet.
    Starting,
    /// Ready.
    Running,
    /// Waiting out a backoff, without a process.
    Restarting,
    /// The tree is being emptied.
    Stopping,
    /// A requested start could not even spawn.
    Error,
    /// Parked by the breaker.
    Failed,
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Error => "error",
            Self::Failed => "failed",
        })
    }
}
