//! What of a slot outlives its supervisor.

use core::num::NonZeroU32;

use crate::action::Parked;
use crate::exit::DownCause;
use crate::time::Instant;

/// What a slot has behind it. [`SlotView::past`](crate::SlotView::past) shows it, for the host to
/// keep, and [`Ask::Resume`](crate::Ask::Resume) hands it to another supervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Past {
    /// Spawns of the command since the last start from rest.
    pub spawns: u32,
    /// What the breaker knows.
    pub failures: Failures,
}

/// The failures of a slot since it was last healthy, stopped or reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Failures {
    /// There were none.
    #[default]
    None,
    /// They are being counted.
    Streak(Streak),
    /// They were too many: the slot is parked.
    Parked(Parked),
}

/// Consecutive failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Streak {
    /// How many there were.
    pub failures: NonZeroU32,
    /// When the latest one happened.
    pub latest: Instant,
    /// What the latest one was.
    pub cause: DownCause,
}
