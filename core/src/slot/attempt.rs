//! One attempt to bring a slot up: the steps from the decision to the run being ready.

use alloc::boxed::Box;

use crate::action::{Event, Order, Outcome, Program, StopReason};
use crate::context::{Context, Supervision, Waiters};
use crate::exit::{DownCause, PrepareFailure, SpawnFailure};
use crate::input::{Launch, Owner};
use crate::ports::Block;
use crate::slot::run::Run;
use crate::slot::running::Running;
use crate::slot::starting::{Phase, Starting};
use crate::slot::stopping::{Queued, Stopping};
use crate::slot::{State, waiting};
use crate::spec::{PortRequest, RestartWhen};
use crate::{SPAWN_LIMIT, UNKILLABLE_AFTER};

/// What an attempt carries through its phases.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Attempt {
    pub(crate) run: Run,
    origin: Origin,
    /// Who wants to hear the outcome.
    pub(crate) waiters: Waiters,
}

/// What an attempt began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Origin {
    /// A start from rest or from `error`.
    Start,
    /// A restart, brought forward or not.
    Restart,
}

impl Origin {
    /// A start that never came to its command is no failure. Nor is a preparation that failed,
    /// since a restart would go on without it.
    fn makes_an_error_of(self, cause: DownCause) -> bool {
        match cause {
            DownCause::PrepareFailed(_) => true,
            DownCause::SpawnFailed(_) => self == Self::Start,
            DownCause::Exited(_)
            | DownCause::ExitedBeforeReady(_)
            | DownCause::ReadyTimeout(_)
            | DownCause::Unresponsive(_)
            | DownCause::MemoryBreach { .. } => false,
        }
    }
}

impl Attempt {
    /// Starts a slot that is at rest, with an empty streak; on the block that was kept for it, if one
    /// was.
    pub(crate) fn from_rest(
        cx: &mut Context<'_>,
        launch: Launch,
        waiters: Waiters,
        kept: Option<Block>,
    ) -> State {
        *cx.supervision = Supervision::new(launch);
        Self::first(cx, Origin::Start, waiters, kept)
    }

    /// Restarts a slot that an earlier supervisor had.
    pub(crate) fn resumed(cx: &mut Context<'_>, waiters: Waiters) -> State {
        Self::first(cx, Origin::Restart, waiters, None)
    }

    /// The first attempt of all begins with the preparation.
    fn first(cx: &mut Context<'_>, origin: Origin, waiters: Waiters, kept: Option<Block>) -> State {
        let program = if cx.options().prepare.is_some() { Program::Prepare } else { Program::Main };
        let attempt = Self::begin(cx, program, origin, waiters);
        match program {
            Program::Prepare => attempt.spawn(cx),
            Program::Main => attempt.reserve(cx, kept),
        }
    }

    /// Restarts a slot after a failure, on its former block if that was kept.
    pub(crate) fn after_failure(
        cx: &mut Context<'_>,
        former: Option<Block>,
        waiters: Waiters,
    ) -> State {
        let attempt = Self::begin(cx, Program::Main, Origin::Restart, waiters);
        attempt.reserve(cx, former)
    }

    fn begin(cx: &mut Context<'_>, program: Program, origin: Origin, waiters: Waiters) -> Self {
        let run = Run::new(cx.next_run(), program);
        cx.event(Some(run.id), Event::Starting);
        Self { run, origin, waiters }
    }

    fn enter(self, phase: Phase) -> State {
        State::Starting(Starting { attempt: self, phase })
    }

    /// Takes the block that was kept, else a new one, or goes straight on where none is wanted.
    fn reserve(self, cx: &mut Context<'_>, kept: Option<Block>) -> State {
        if let Some(block) = kept {
            return self.reserve_block(cx, block, None);
        }
        match cx.options().ports {
            PortRequest::None => self.spawn(cx),
            PortRequest::Auto(count) => {
                let untried = cx.shared.ledger.capacity(count);
                self.reserve_next(cx, count, untried)
            }
            PortRequest::Fixed(block) => {
                if cx.shared.ledger.take_fixed(block) {
                    self.reserve_block(cx, block, None)
                } else {
                    self.spawn_failed(cx, SpawnFailure::NoPorts)
                }
            }
        }
    }

    /// Takes the next free block, unless as many were tried as there are.
    pub(crate) fn reserve_next(self, cx: &mut Context<'_>, count: u16, untried: u16) -> State {
        let left = untried.checked_sub(1);
        match left.and_then(|_| cx.shared.ledger.take(count)) {
            Some(block) => self.reserve_block(cx, block, left),
            None => self.spawn_failed(cx, SpawnFailure::NoPorts),
        }
    }

    /// Has the host look at a block that the ledger gave. `untried`: how many more may be tried,
    /// all of them by default.
    fn reserve_block(mut self, cx: &mut Context<'_>, block: Block, untried: Option<u16>) -> State {
        let untried = untried.unwrap_or_else(|| cx.shared.ledger.capacity(block.count()));
        self.run.block = Some(block);
        self.run.order(cx, Order::Reserve(block));
        self.enter(Phase::Reserving { overdue: cx.now + SPAWN_LIMIT, untried })
    }

    /// The block is not to be had: the next one, or none.
    pub(crate) fn ports_busy(mut self, cx: &mut Context<'_>, untried: u16) -> State {
        cx.release_block(self.run.id, self.run.block.take());
        match cx.options().ports {
            PortRequest::Auto(count) => self.reserve_next(cx, count, untried),
            PortRequest::None | PortRequest::Fixed(_) => {
                self.spawn_failed(cx, SpawnFailure::NoPorts)
            }
        }
    }

    pub(crate) fn spawn(self, cx: &mut Context<'_>) -> State {
        let launch = cx.supervision.launch.id;
        let Run { program, block, .. } = self.run;
        self.run.order(cx, Order::Spawn { launch, program, block });
        self.enter(Phase::Spawning { overdue: cx.now + SPAWN_LIMIT })
    }

    pub(crate) fn spawned(mut self, cx: &mut Context<'_>) -> State {
        self.run.spawned(cx);
        match (self.run.program, cx.options().ready) {
            (Program::Prepare, _) => {
                let limit = cx.options().prepare.unwrap_or_default().timeout;
                self.enter(Phase::Preparing { until: cx.now + limit })
            }
            (Program::Main, Some(ready)) => {
                self.run.order(cx, Order::AwaitReady);
                self.enter(Phase::Booting { until: cx.now + ready.timeout })
            }
            (Program::Main, None) => self.ready(cx, None),
        }
    }

    /// The preparation did its work: what it left behind goes before the command comes.
    pub(crate) fn clear(self, cx: &mut Context<'_>) -> State {
        self.run.order(cx, Order::Kill);
        self.enter(Phase::Clearing { unkillable: cx.now + UNKILLABLE_AFTER })
    }

    /// Nothing of the preparation is left: on to the command, which is a run of its own.
    pub(crate) fn prepared(mut self, cx: &mut Context<'_>) -> State {
        self.run = Run::new(cx.next_run(), Program::Main);
        self.reserve(cx, None)
    }

    pub(crate) fn ready(self, cx: &mut Context<'_>, owner: Option<Owner>) -> State {
        let running = Running::enter(cx, self.run, owner);
        cx.answer_all(self.waiters, Outcome::Started(self.run.id));
        State::Running(running)
    }

    /// There is no process: a start from rest ends in `error`, a restart is one more failure.
    pub(crate) fn spawn_failed(self, cx: &mut Context<'_>, failure: SpawnFailure) -> State {
        let cause = self.spawn_cause(failure);
        if self.origin.makes_an_error_of(cause) {
            cx.answer_all(self.waiters, Outcome::StartFailed(cause));
            return waiting::error(cx, &self.run, cause);
        }
        cx.record_failure(cause);
        let queued = tell_failure(cx, self.waiters, cause);
        waiting::retry(cx, self.run, cause, queued)
    }

    /// The answer to the spawn may still come, and whatever it brings must be ended.
    pub(crate) fn spawn_overdue(self, cx: &mut Context<'_>) -> State {
        let cause = self.spawn_cause(SpawnFailure::TimedOut);
        self.give_up(cx, cause, Stopping::unspawned)
    }

    /// The leader is dead, and what it left must not outlive it.
    pub(crate) fn fail_dead(self, cx: &mut Context<'_>, cause: DownCause) -> State {
        self.give_up(cx, cause, Stopping::killed)
    }

    /// The leader is dead, and its tree is known to be gone.
    pub(crate) fn fail_gone(self, cx: &mut Context<'_>, cause: DownCause) -> State {
        self.give_up(cx, cause, |cx, run, reason| Stopping::emptying(run, reason, cx.now))
    }

    /// The leader lives, and gets its grace.
    pub(crate) fn fail_alive(self, cx: &mut Context<'_>, cause: DownCause) -> State {
        self.give_up(cx, cause, Stopping::signalled)
    }

    /// SIGKILL was sent long ago, and something of the preparation is still there.
    pub(crate) fn clear_overdue(self, cx: &mut Context<'_>) -> State {
        let cause = DownCause::PrepareFailed(PrepareFailure::Unkillable);
        self.give_up(cx, cause, Stopping::unkillable)
    }

    fn spawn_cause(&self, failure: SpawnFailure) -> DownCause {
        match self.run.program {
            Program::Prepare => DownCause::PrepareFailed(PrepareFailure::Spawn(failure)),
            Program::Main => DownCause::SpawnFailed(failure),
        }
    }

    /// Counts the failure if it is one, tells who waits, and empties the tree.
    fn give_up(
        self,
        cx: &mut Context<'_>,
        cause: DownCause,
        empty: impl FnOnce(&mut Context<'_>, Run, StopReason) -> Stopping,
    ) -> State {
        let reason = if self.origin.makes_an_error_of(cause) {
            StopReason::FailedStart(cause)
        } else {
            cx.record_failure(cause);
            StopReason::Failure(cause)
        };
        let queued = tell_failure(cx, self.waiters, cause);
        empty(cx, self.run, reason).awaited_by(None, queued)
    }
}

/// Tells who waits that the attempt failed, while supervision goes on. Where it does not, since the
/// breaker tripped, they wait on like a start that comes later: until the slot is parked, so that
/// whoever hears so can re-arm it.
fn tell_failure(cx: &mut Context<'_>, waiters: Waiters, cause: DownCause) -> Option<Box<Queued>> {
    let restart = cx.options().restart;
    let parks = restart.when != RestartWhen::Never
        && cx.supervision.breaker.tripped(&restart).is_some()
        && !waiters.is_empty();
    if parks {
        return Some(Queued::boxed(cx.supervision.launch.clone(), waiters));
    }
    cx.answer_all(waiters, Outcome::StartFailed(cause));
    None
}
