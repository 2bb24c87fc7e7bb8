//! Kinds of fault, each of which a world may show or not.
//!
//! Half of them are switched off in each world at random, so that rare combinations get room
//! (Groce et al., "Swarm testing", ISSTA 2012).

use super::rng::Rng;

/// What can go wrong, or be asked for at the worst moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    SpawnFails,
    SpawnSilent,
    PortsBusy,
    ReserveSilent,
    Stranger,
    NeverReady,
    CrashAtBoot,
    Crash,
    CleanExit,
    /// The tree outlives its signal.
    IgnoresSignal,
    /// The tree outlives SIGKILL.
    Unkillable,
    /// Reports come twice.
    Twice,
    /// Reports come when their run is history.
    Late,
    /// The tree is found empty before the leader's exit was seen.
    LostExit,
    /// The leader's exit is seen before its spawn is answered.
    EarlyExit,
    ClockBack,
    /// The host is late, or was suspended with its clock running.
    ClockJump,
    /// Several things happen in the same instant.
    SameInstant,
    Evict,
    Lease,
    Unresponsive,
    Memory,
    FlushSilent,
    InUse,
    Stop,
    Restart,
    Reset,
    Touch,
    Shutdown,
    Immediate,
    ManyRequests,
    ChangedConfig,
    /// The supervisor goes on as another process.
    HandOver,
    /// The supervisor dies, and another one resumes what it had.
    Die,
}

const KINDS: u32 = Fault::Die as u32 + 1;

/// A set of [`Fault`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Faults(u64);

impl Faults {
    pub(crate) const ALL: Self = Self((1 << KINDS) - 1);

    pub(crate) fn random(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Self(Self::ALL.0),
            1 => Self(rng.next() & rng.next() & rng.next() & Self::ALL.0),
            _ => Self(rng.next() & Self::ALL.0),
        }
    }

    pub(crate) const fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u8))
    }

    pub(crate) const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }
}
