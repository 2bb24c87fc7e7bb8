//! What goes out.
//!
//! Every order has its answer:
//!
//! | order | answered by | if no answer comes |
//! | --- | --- | --- |
//! | [`Order::Reserve`] | [`Report::Reserved`], [`Report::PortsBusy`] | after [`SPAWN_LIMIT`](crate::SPAWN_LIMIT) the start fails |
//! | [`Order::Unreserve`] | nothing | — |
//! | [`Order::Spawn`] | [`Report::Spawned`], [`Report::SpawnFailed`] | after [`SPAWN_LIMIT`](crate::SPAWN_LIMIT) the start fails; the slot waits for what comes |
//! | [`Order::AwaitReady`] | [`Report::Ready`] | the ready timeout |
//! | [`Order::Watch`] | [`Report::Alive`], [`Report::Memory`], many times | nothing is wrong |
//! | [`Order::CheckUse`] | [`Report::UseChecked`] | after [`CHECK_LIMIT`](crate::CHECK_LIMIT) the slot counts as unused |
//! | [`Order::Flush`] | [`Report::Flushed`] | the flush timeout: the stop goes on |
//! | [`Order::Signal`] | [`Report::TreeGone`] | grace over: [`Order::Kill`] |
//! | [`Order::Kill`] | [`Report::TreeGone`] | after [`UNKILLABLE_AFTER`](crate::UNKILLABLE_AFTER) the slot is unkillable |
//! | [`Order::Release`] | [`Report::TreeGone`] | likewise |
//!
//! [`Report::LeaderExited`] comes once for every leader that was spawned.
//!
//! [`Report::Reserved`]: crate::Report::Reserved
//! [`Report::PortsBusy`]: crate::Report::PortsBusy
//! [`Report::Spawned`]: crate::Report::Spawned
//! [`Report::SpawnFailed`]: crate::Report::SpawnFailed
//! [`Report::Ready`]: crate::Report::Ready
//! [`Report::Alive`]: crate::Report::Alive
//! [`Report::Memory`]: crate::Report::Memory
//! [`Report::UseChecked`]: crate::Report::UseChecked
//! [`Report::Flushed`]: crate::Report::Flushed
//! [`Report::TreeGone`]: crate::Report::TreeGone
//! [`Report::LeaderExited`]: crate::Report::LeaderExited

use core::fmt;
use core::time::Duration;

use crate::exit::{DownCause, Exit, Signal};
use crate::id::{LaunchId, RequestId, RunId, SlotId};
use crate::input::Owner;
use crate::ports::Block;
use crate::time::Instant;

/// Something for the host to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "an action that is not carried out leaves its slot waiting"]
pub enum Action {
    /// Do something about a run.
    Run {
        /// The slot of the run.
        slot: SlotId,
        /// The run.
        run: RunId,
        /// What to do. Orders about one run are carried out in the order given.
        order: Order,
    },
    /// Tell whoever asked.
    Answer {
        /// The number of the request.
        request: RequestId,
        /// What became of it.
        outcome: Outcome,
    },
    /// Tell everybody who listens.
    Event {
        /// The slot.
        slot: SlotId,
        /// The run that it is about; none where there was no run.
        run: Option<RunId>,
        /// What happened.
        event: Event,
    },
}

/// Something to do about a run. See the [table](crate::action) of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Order {
    /// Take the block for this run, if every port of it is free to bind.
    Reserve(Block),
    /// The run needs its block no more.
    Unreserve(Block),
    /// Spawn a leader.
    Spawn {
        /// What to execute.
        launch: LaunchId,
        /// Which of its programs.
        program: Program,
        /// The ports of the run.
        block: Option<Block>,
    },
    /// Probe until the run is ready.
    AwaitReady,
    /// Probe liveness and measure memory, as the launch asks for it, until the tree is gone.
    Watch,
    /// Look whether there is an established connection to the run's block.
    CheckUse {
        /// The block.
        block: Block,
        /// To be given back in the answer.
        ordered: Instant,
    },
    /// Let the companion of the slot flush.
    Flush,
    /// Send this signal, and SIGCONT, to every process of the tree, once.
    Signal(Signal),
    /// Send SIGKILL to the leader's process group, then to whatever of the tree lives outside of
    /// it, until nothing is left.
    Kill,
    /// Forget the rest of the tree without touching it.
    Release,
}

/// The programs of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Program {
    /// What has to be done before the first spawn.
    Prepare,
    /// The command itself.
    Main,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// `start`, `restart`, `resume`: this run is ready.
    Started(RunId),
    /// `start`, `restart`, `resume`: the first attempt failed. Supervision goes on as the policy says.
    StartFailed(DownCause),
    /// `start`, `restart`, `resume`: the breaker tripped, by the first attempt or by the failure that
    /// the request waited behind. Told when the slot is parked.
    Parked(Parked),
    /// `start`, `restart`, `resume`: a stop or a shutdown came between.
    Cancelled,
    /// `stop`: the tree is gone.
    Stopped,
    /// The tree is still there, long after SIGKILL.
    Unkillable,
    /// `reset`: the slot is re-armed.
    Reset,
    /// `touch`: the use is noted.
    Touched,
    /// `shutdown`: every slot is at rest, but for so many that are unkillable.
    ShutDown {
        /// Slots whose tree is still there.
        unkillable: u32,
    },
    /// Refused; nothing has changed, but that a resumed slot may be parked now.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Refusal {
    /// The breaker tripped, and only `reset` or `stop` re-arm the slot.
    Parked(Parked),
    /// The supervisor is shutting down.
    ShuttingDown,
    /// `reset` of a slot that is not parked.
    NotParked,
    /// `touch` of a slot that has no live run.
    NoLiveRun,
    /// `resume` of a slot that is not at rest.
    NotAtRest,
    /// `resume` of a slot whose ends no restart follows.
    NeverRestarted,
}

/// How a slot came to be parked. Prints as the breaker's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parked {
    /// Consecutive failures.
    pub streak: u32,
    /// The window in which each followed the one before.
    pub window: Duration,
    /// The last failure.
    pub last: DownCause,
}

/// `circuit breaker tripped: 8 consecutive non-clean exits within 300s (last: code=- signal=SIGKILL)
/// …`, and what to do next.
impl fmt::Display for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { streak, window, last } = self;
        write!(
            f,
            "circuit breaker tripped: {streak} consecutive non-clean exits within {window:?} \
             (last: {last}); mend the cause, then re-arm the slot with `reset`, or drop it with \
             `stop`"
        )
    }
}

/// Something that happened to a slot, for those who watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Event {
    /// A run is being prepared and spawned.
    Starting,
    /// The leader lives.
    Spawned {
        /// The ports of the run.
        block: Option<Block>,
    },
    /// The run is ready.
    Ready {
        /// Since the spawn.
        after: Duration,
        /// Who answered the probe; none where readiness was not asked for.
        owner: Option<Owner>,
    },
    /// The leader ended.
    Exited {
        /// How.
        exit: Exit,
        /// Whether the slot was `running`, and the exit a success.
        clean: bool,
        /// Since the spawn.
        uptime: Duration,
    },
    /// Nothing of the run is left.
    TreeGone {
        /// Processes that SIGKILL ended, a leader that died by itself left out.
        killed: u32,
        /// Processes that were released.
        left: u32,
    },
    /// The slot waits out a backoff.
    Restarting {
        /// How long, jitter included.
        delay: Duration,
        /// Consecutive failures.
        streak: u32,
        /// How many park the slot.
        max_failures: u32,
        /// The failure that it follows.
        cause: DownCause,
    },
    /// The breaker tripped.
    Failed(Parked),
    /// The tree is being emptied.
    Stopping(StopReason),
    /// The slot is at rest.
    Stopped,
    /// The slot was re-armed.
    Reset,
    /// A requested start could not even spawn.
    Error(DownCause),
    /// SIGKILL was sent long ago, and the tree is still there.
    Unkillable,
}

/// Why a tree is being emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StopReason {
    /// Somebody asked for it.
    Request,
    /// The slot was unused for too long.
    Idle,
    /// The machine needs the room.
    Eviction,
    /// The supervisor shuts down.
    Shutdown,
    /// The leader ended cleanly, or its end is final: there is no restart.
    Ended,
    /// A failure; a restart or the breaker follows.
    Failure(DownCause),
    /// A start from rest could not even spawn; `error` follows.
    FailedStart(DownCause),
}
