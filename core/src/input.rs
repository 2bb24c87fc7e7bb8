//! What comes in.

use alloc::boxed::Box;

use crate::exit::{Exit, SpawnFailure};
use crate::id::{LaunchId, RequestId, RunId, SlotId};
use crate::past::Past;
use crate::spec::Spec;
use crate::time::Instant;

/// Everything that can happen to a supervisor, beside time itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Input {
    /// Nothing but time: lets the deadlines up to now take effect. Early ones are harmless.
    Tick,
    /// Somebody wants something of a slot.
    Request {
        /// The slot.
        slot: SlotId,
        /// The number under which [`Action::Answer`](crate::Action::Answer) answers, once.
        request: RequestId,
        /// What is wanted.
        ask: Ask,
    },
    /// The platform or a probe has something to say about a run. Reports about another run than
    /// the slot's present one change nothing.
    Report {
        /// The slot of the run.
        slot: SlotId,
        /// The run.
        run: RunId,
        /// What happened.
        report: Report,
    },
    /// Stop everything; final for this supervisor.
    Shutdown {
        /// The number under which it is answered when every slot is at rest, or reported as
        /// unkillable.
        request: RequestId,
        /// How long the processes have. A later shutdown can only be more urgent.
        urgency: Urgency,
    },
}

/// What can be wanted of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ask {
    /// Keep it running; answered by the outcome of the first attempt.
    Start(Launch),
    /// End its tree and drop it; answered when the tree is gone. Succeeds in every state.
    Stop,
    /// Stop it, then start it with an empty streak.
    Restart(Launch),
    /// Go on with it where an earlier supervisor, whose processes are gone, ended; refused unless
    /// the slot is at rest.
    ///
    /// A parked slot is parked again, and the answer says so. Another one is restarted as after a
    /// failure, but at once: the streak counts on, a spawn that fails is one more failure, and the
    /// first attempt is answered as that of a start is. It is prepared only if the launch still
    /// asks for it. A streak that is long enough parks the slot instead, and a policy without
    /// restarts leaves it at rest. The past is boxed, since this is rare and it is large.
    Resume(Launch, Box<Past>),
    /// Re-arm a parked slot.
    Reset,
    /// Mark it as used now.
    Touch,
}

/// What to run and how to look after it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Launch {
    /// The host's number for command, folder and environment.
    pub id: LaunchId,
    /// The policies.
    pub spec: Spec,
}

/// How urgent a shutdown is. Only moves up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Urgency {
    /// Each tree has its grace.
    Orderly,
    /// The grace is over now: SIGKILL at once.
    Immediate,
}

/// What the platform or a probe says about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Report {
    /// Answers [`Reserve`](crate::Order::Reserve): every port of the block was free to bind, and
    /// no other supervisor will take it.
    Reserved,
    /// Answers [`Reserve`](crate::Order::Reserve): somebody else has a port of the block.
    PortsBusy,
    /// Answers [`Spawn`](crate::Order::Spawn): the leader lives.
    Spawned,
    /// Answers [`Spawn`](crate::Order::Spawn): there is no leader.
    SpawnFailed(SpawnFailure),
    /// Answers [`AwaitReady`](crate::Order::AwaitReady): the readiness probe was answered.
    Ready(Owner),
    /// Answers [`Watch`](crate::Order::Watch), again and again: the result of a liveness probe.
    Alive(bool),
    /// Answers [`Watch`](crate::Order::Watch), again and again: memory of the whole tree in bytes.
    Memory(u64),
    /// Answers [`CheckUse`](crate::Order::CheckUse).
    UseChecked {
        /// When the check was ordered, as the order said.
        ordered: Instant,
        /// Whether there is an established connection to the run's block.
        in_use: bool,
    },
    /// Somebody uses the run until [`Report::Returned`], such as a request in flight.
    Leased,
    /// Ends one lease.
    Returned,
    /// The machine needs the room that this run takes.
    Evict,
    /// Answers [`Flush`](crate::Order::Flush).
    Flushed,
    /// The leader ended. Its tree may live on.
    LeaderExited(Exit),
    /// No process of the run is left; the leader is reaped. Or, after
    /// [`Release`](crate::Order::Release), the rest belongs to no run any more.
    TreeGone {
        /// How many processes SIGKILL ended, a leader that died by itself left out.
        killed: u32,
        /// How many were released.
        left: u32,
    },
}

/// Whose answer a readiness probe got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Owner {
    /// A process of the run's own tree.
    Own,
    /// A process outside the run's tree.
    Stranger,
    /// The owner could not be read, which is accepted.
    Unknown,
}
