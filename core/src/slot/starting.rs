//! Asked to run; being prepared, spawned or about to be; not ready yet.

use alloc::boxed::Box;

use crate::action::{Event, Outcome, Refusal, StopReason};
use crate::context::Context;
use crate::exit::{DownCause, Exit, PrepareFailure, SpawnFailure};
use crate::id::RequestId;
use crate::input::{Ask, Owner, Report};
use crate::slot::attempt::Attempt;
use crate::slot::stopping::{Queued, Stopping};
use crate::slot::{State, waiting};
use crate::time::Instant;
use crate::wakeup::WakeupReason;

/// See the module.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Starting {
    pub(crate) attempt: Attempt,
    pub(crate) phase: Phase,
}

/// How far the attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Phase {
    /// The host looks whether the block is free. So many others may be tried after it.
    Reserving { overdue: Instant, untried: u16 },
    /// The host spawns.
    Spawning { overdue: Instant },
    /// The preparation runs.
    Preparing { until: Instant },
    /// The preparation did its work, and what is left of its tree is being ended.
    Clearing { unkillable: Instant },
    /// The command runs and is not ready yet.
    Booting { until: Instant },
}

impl Starting {
    pub(crate) fn wakeup(&self) -> (Instant, WakeupReason) {
        match self.phase {
            Phase::Reserving { overdue, .. } | Phase::Spawning { overdue } => {
                (overdue, WakeupReason::SpawnOverdue)
            }
            Phase::Preparing { until } => (until, WakeupReason::PrepareTimeout),
            Phase::Clearing { unkillable } => (unkillable, WakeupReason::Unkillable),
            Phase::Booting { until } => (until, WakeupReason::ReadyTimeout),
        }
    }

    pub(crate) fn ask(
        mut self,
        cx: &mut Context<'_>,
        request: RequestId,
        ask: Ask,
    ) -> Option<State> {
        match ask {
            Ask::Start(_) => self.attempt.waiters.push(request),
            Ask::Stop => return self.stop(cx, StopReason::Request, Some(request), None),
            Ask::Restart(launch) => {
                let queued = Queued::restart(launch, request, false);
                return self.stop(cx, StopReason::Request, None, Some(queued));
            }
            Ask::Resume(..) => cx.answer(request, Outcome::Refused(Refusal::NotAtRest)),
            Ask::Reset => cx.answer(request, Outcome::Refused(Refusal::NotParked)),
            Ask::Touch => cx.answer(request, Outcome::Touched),
        }
        Some(State::Starting(self))
    }

    /// Ends the attempt. What is already spawned gets its grace, and what is being spawned is
    /// awaited.
    pub(crate) fn stop(
        self,
        cx: &mut Context<'_>,
        reason: StopReason,
        stop: Option<RequestId>,
        queued: Option<Box<Queued>>,
    ) -> Option<State> {
        let Attempt { run, waiters, .. } = self.attempt;
        cx.answer_all(waiters, Outcome::Cancelled);
        if let Phase::Reserving { .. } = self.phase {
            return waiting::at_rest(cx, &run, stop.into_iter().collect(), queued);
        }
        cx.event(Some(run.id), Event::Stopping(reason));
        let stopping = match self.phase {
            Phase::Reserving { .. } | Phase::Spawning { .. } => {
                Stopping::unspawned(cx, run, reason)
            }
            Phase::Preparing { .. } => Stopping::signalled(cx, run, reason),
            Phase::Clearing { unkillable } => Stopping::emptying(run, reason, unkillable),
            Phase::Booting { .. } => Stopping::flushed(cx, run, reason),
        };
        Some(stopping.awaited_by(stop, queued))
    }

    pub(crate) fn report(mut self, cx: &mut Context<'_>, report: Report) -> Option<State> {
        match report {
            Report::Reserved => return Some(self.on_reserved(cx)),
            Report::PortsBusy => return Some(self.on_ports_busy(cx)),
            Report::Spawned => return Some(self.on_spawned(cx)),
            Report::SpawnFailed(failure) => return Some(self.on_spawn_failed(cx, failure)),
            Report::Ready(owner) => return Some(self.on_ready(cx, owner)),
            Report::Memory(bytes) => return Some(self.on_memory(cx, bytes)),
            Report::LeaderExited(exit) => return self.on_leader_exited(cx, exit),
            Report::TreeGone { .. } => return self.on_tree_gone(cx, report),
            Report::Leased => self.attempt.run.lease(),
            Report::Returned => self.attempt.run.end_lease(),
            Report::Alive(_) | Report::UseChecked { .. } | Report::Evict | Report::Flushed => {}
        }
        Some(State::Starting(self))
    }

    fn on_reserved(self, cx: &mut Context<'_>) -> State {
        match self.phase {
            Phase::Reserving { .. } => self.attempt.spawn(cx),
            Phase::Spawning { .. }
            | Phase::Preparing { .. }
            | Phase::Clearing { .. }
            | Phase::Booting { .. } => State::Starting(self),
        }
    }

    fn on_ports_busy(self, cx: &mut Context<'_>) -> State {
        match self.phase {
            Phase::Reserving { untried, .. } => self.attempt.ports_busy(cx, untried),
            Phase::Spawning { .. }
            | Phase::Preparing { .. }
            | Phase::Clearing { .. }
            | Phase::Booting { .. } => State::Starting(self),
        }
    }

    fn on_spawned(self, cx: &mut Context<'_>) -> State {
        match self.phase {
            Phase::Spawning { .. } => self.attempt.spawned(cx),
            Phase::Reserving { .. }
            | Phase::Preparing { .. }
            | Phase::Clearing { .. }
            | Phase::Booting { .. } => State::Starting(self),
        }
    }

    fn on_spawn_failed(self, cx: &mut Context<'_>, failure: SpawnFailure) -> State {
        match self.phase {
            Phase::Spawning { .. } => self.attempt.spawn_failed(cx, failure),
            Phase::Reserving { .. }
            | Phase::Preparing { .. }
            | Phase::Clearing { .. }
            | Phase::Booting { .. } => State::Starting(self),
        }
    }

    /// An answer from a stranger makes nobody ready, unless any owner will do.
    fn on_ready(self, cx: &mut Context<'_>, owner: Owner) -> State {
        let any = cx.options().ready.is_some_and(|ready| ready.any_owner);
        match self.phase {
            Phase::Booting { .. } if any || owner != Owner::Stranger => {
                self.attempt.ready(cx, Some(owner))
            }
            Phase::Booting { .. }
            | Phase::Reserving { .. }
            | Phase::Spawning { .. }
            | Phase::Preparing { .. }
            | Phase::Clearing { .. } => State::Starting(self),
        }
    }

    fn on_memory(self, cx: &mut Context<'_>, bytes: u64) -> State {
        match (self.phase, cx.memory_breach(bytes)) {
            (Phase::Booting { .. }, Some(cause)) => self.attempt.fail_alive(cx, cause),
            (
                Phase::Booting { .. }
                | Phase::Reserving { .. }
                | Phase::Spawning { .. }
                | Phase::Preparing { .. }
                | Phase::Clearing { .. },
                _,
            ) => State::Starting(self),
        }
    }

    fn on_leader_exited(mut self, cx: &mut Context<'_>, exit: Exit) -> Option<State> {
        match self.phase {
            // An exit that overtakes the answer to its spawn says that there was a leader.
            Phase::Spawning { .. } => {
                self.attempt.spawned(cx).report(cx, Report::LeaderExited(exit))
            }
            Phase::Preparing { .. } => {
                self.attempt.run.exited(cx, exit, false);
                Some(if exit.is_success() {
                    self.attempt.clear(cx)
                } else {
                    let cause = DownCause::PrepareFailed(PrepareFailure::Exit(exit));
                    self.attempt.fail_dead(cx, cause)
                })
            }
            Phase::Booting { .. } => {
                self.attempt.run.exited(cx, exit, false);
                Some(self.attempt.fail_dead(cx, DownCause::ExitedBeforeReady(exit)))
            }
            Phase::Reserving { .. } | Phase::Clearing { .. } => Some(State::Starting(self)),
        }
    }

    fn on_tree_gone(mut self, cx: &mut Context<'_>, report: Report) -> Option<State> {
        // Without a report of the leader's exit, the end of its tree says as much.
        let exit = Exit::Unknown;
        let cause = match self.phase {
            Phase::Clearing { .. } => return Some(self.attempt.prepared(cx)),
            Phase::Spawning { .. } => return self.attempt.spawned(cx).report(cx, report),
            Phase::Reserving { .. } => return Some(State::Starting(self)),
            Phase::Preparing { .. } => DownCause::PrepareFailed(PrepareFailure::Exit(exit)),
            Phase::Booting { .. } => DownCause::ExitedBeforeReady(exit),
        };
        self.attempt.run.exited(cx, exit, false);
        self.attempt.fail_gone(cx, cause).report(cx, report)
    }

    pub(crate) fn on_deadline(self, cx: &mut Context<'_>) -> State {
        match self.phase {
            Phase::Reserving { .. } => self.attempt.spawn_failed(cx, SpawnFailure::TimedOut),
            Phase::Spawning { .. } => self.attempt.spawn_overdue(cx),
            Phase::Preparing { .. } => {
                let limit = cx.options().prepare.unwrap_or_default().timeout;
                let cause = DownCause::PrepareFailed(PrepareFailure::TimedOut(limit));
                self.attempt.fail_alive(cx, cause)
            }
            Phase::Clearing { .. } => self.attempt.clear_overdue(cx),
            Phase::Booting { .. } => {
                let limit = cx.options().ready.unwrap_or_default().timeout;
                self.attempt.fail_alive(cx, DownCause::ReadyTimeout(limit))
            }
        }
    }
}
