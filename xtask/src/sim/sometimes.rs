//! Things that a good campaign comes across: one that never did was too kind.

/// Declares the things and the list of them.
macro_rules! sometimes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// See the module.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub(crate) enum Sometimes {
            $($(#[$doc])* $name,)*
        }

        /// All of them, in order.
        pub(crate) const SOMETIMES: &[Sometimes] = &[$(Sometimes::$name,)*];
    };
}

sometimes! {
    BreakerTripped,
    KillWasNeeded,
    ExitRacedWithStop,
    StartJoined,
    StartJoinedAFailingStart,
    ClockJumped,
    ClockWentBack,
    DeadlineTied,
    StrangerWasRefused,
    UnkillableWasNamed,
    UnkillableWentInTheEnd,
    StartWasQueuedAndServed,
    StartWasQueuedAndCancelled,
    StartWasParked,
    SpawnWasOverdue,
    SpawnedAfterTheStop,
    IdleStopped,
    EvictionStopped,
    Released,
    FormerBlockWasTakenAgain,
    FormerBlockWasBusy,
    PortsRanOut,
    HealthyEndedAStreak,
    ParkedSlotRefused,
    ParkedSlotWasReset,
    PreparationFailed,
    ShutdownMetEveryState,
    OldRunWasHeardOf,
    ReadyTimedOut,
    LivenessFailed,
    MemoryBreached,
    FailureBecameAStop,
    RestartSpawnFailed,
    FlushTimedOut,
    StreakWasResumed,
    ParkedSlotWasResumed,
    ResumedStreakWasTooLong,
    ResumedSpawnFailedWithoutAStreak,
}
