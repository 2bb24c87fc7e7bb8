//! The ends that a tree can come to.

use std::time::Duration;

/// What happens to a tree that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    LeaderCrash,
    Stop,
    Term,
    KillSupervisor,
    KillGuardian,
    KillBoth,
    HangUp,
    ReadyTimeout,
}

impl End {
    /// In the order of the table.
    pub(super) const ALL: [Self; 8] = [
        Self::LeaderCrash,
        Self::Stop,
        Self::Term,
        Self::KillSupervisor,
        Self::KillGuardian,
        Self::KillBoth,
        Self::HangUp,
        Self::ReadyTimeout,
    ];

    /// For the command line, and for reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::LeaderCrash => "leader crash",
            Self::Stop => "stop",
            Self::Term => "SIGTERM",
            Self::KillSupervisor => "SIGKILL to the supervisor",
            Self::KillGuardian => "SIGKILL to the guardian",
            Self::KillBoth => "SIGKILL to both",
            Self::HangUp => "terminal hang-up",
            Self::ReadyTimeout => "ready timeout",
        }
    }

    /// The two lines above its column.
    pub(super) const fn heading(self) -> [&'static str; 2] {
        match self {
            Self::LeaderCrash => ["leader", "crash"],
            Self::Stop => ["stop,", "graced"],
            Self::Term => ["SIG-", "TERM"],
            Self::KillSupervisor => ["KILL su-", "pervisor"],
            Self::KillGuardian => ["KILL", "guardian"],
            Self::KillBoth => ["KILL", "both"],
            Self::HangUp => ["hang-", "up"],
            Self::ReadyTimeout => ["ready", "timeout"],
        }
    }

    /// In how many ways a tree is brought to it, one after the other: the first signal goes to the
    /// guardian, or to the supervisor.
    pub(super) const fn ways(self) -> usize {
        match self {
            Self::KillBoth => 2,
            Self::LeaderCrash
            | Self::Stop
            | Self::Term
            | Self::KillSupervisor
            | Self::KillGuardian
            | Self::HangUp
            | Self::ReadyTimeout => 1,
        }
    }

    /// How long the tree has between the signal and SIGKILL.
    pub(super) const fn grace(self) -> Duration {
        match self {
            // The leader needs one second of it, also on a busy machine.
            Self::Stop => Duration::from_secs(4),
            Self::LeaderCrash
            | Self::Term
            | Self::KillSupervisor
            | Self::KillGuardian
            | Self::KillBoth
            | Self::HangUp
            | Self::ReadyTimeout => Duration::from_secs(1),
        }
    }

    /// What the leader does at the end of its script.
    pub(super) const fn leader(self) -> &'static str {
        match self {
            Self::Stop => "on TERM { pause 1000 print flushed exit 0 } up leader sleep",
            Self::LeaderCrash
            | Self::Term
            | Self::KillSupervisor
            | Self::KillGuardian
            | Self::KillBoth
            | Self::HangUp
            | Self::ReadyTimeout => "up leader sleep",
        }
    }
}
