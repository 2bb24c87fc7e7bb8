//! What one world did, as a list that can be replayed, cut and printed.

use worker_core::{Report, Urgency};

/// One step: time passes, then something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) gap: Gap,
    pub(crate) slot: u8,
    pub(crate) act: Act,
}

/// How much time passes before a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// So many nanoseconds.
    Nanos(u64),
    /// Until the supervisor wants to be called, and so many nanoseconds more or less.
    Wakeup(i64),
    /// The clock shows so many nanoseconds less than before.
    Back(u64),
}

/// What happens, one input each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Tick,
    /// With the first or the second launch of the slot.
    Start(u8),
    Stop,
    Restart(u8),
    /// From what the supervisor that died last showed of the slot, if it had it.
    Resume(u8),
    Reset,
    Touch,
    Shutdown(Urgency),
    /// The supervisor goes on as another process, with its state as text. No input.
    HandOver,
    /// The supervisor dies with everything it had, and another one takes its place. No input.
    Die,
    /// A report about the latest run of the slot, or one so many runs back.
    Say {
        back: u8,
        report: Report,
    },
}
