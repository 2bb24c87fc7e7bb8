//! When the supervisor next wants to be called, and why.

use core::fmt;

use crate::id::SlotId;
use crate::time::Instant;

/// The next deadline. Derived from the states, so nothing has to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Wakeup {
    /// When.
    pub at: Instant,
    /// Whose deadline it is.
    pub slot: SlotId,
    /// What it is.
    pub reason: WakeupReason,
}

/// What happens at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WakeupReason {
    /// The host owes the answer to a reservation or a spawn: the start fails.
    SpawnOverdue,
    /// The preparation takes too long.
    PrepareTimeout,
    /// The run is not ready in time.
    ReadyTimeout,
    /// The run has been healthy long enough: the streak ends.
    Healthy,
    /// The slot is unused.
    Idle,
    /// The host owes the answer to a check of use: the slot counts as unused.
    CheckOverdue,
    /// The backoff is over.
    Restart,
    /// The companion takes too long to flush.
    FlushTimeout,
    /// The grace is over.
    GraceOver,
    /// The tree is still there, long after SIGKILL.
    Unkillable,
}

/// A fragment for "next: … at …".
impl fmt::Display for WakeupReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpawnOverdue => "spawn overdue",
            Self::PrepareTimeout => "prepare timeout",
            Self::ReadyTimeout => "ready timeout",
            Self::Healthy => "healthy",
            Self::Idle => "idle stop",
            Self::CheckOverdue => "use check overdue",
            Self::Restart => "restart",
            Self::FlushTimeout => "flush timeout",
            Self::GraceOver => "SIGKILL: grace over",
            Self::Unkillable => "report as unkillable",
        })
    }
}
