//! Ready.

use alloc::boxed::Box;

use crate::CHECK_LIMIT;
use crate::action::{Event, Order, Outcome, Refusal, StopReason};
use crate::context::{Context, Supervision};
use crate::exit::{DownCause, Exit};
use crate::id::RequestId;
use crate::input::{Ask, Owner, Report};
use crate::slot::State;
use crate::slot::run::{Leader, Run};
use crate::slot::stopping::{Queued, Stopping};
use crate::spec::{OnCleanExit, RestartWhen};
use crate::time::Instant;
use crate::wakeup::WakeupReason;

/// See the module.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Running {
    pub(crate) run: Run,
    pub(crate) last_used: Instant,
    ready: Instant,
    /// Liveness probes that failed since the last one that did not.
    failed_probes: u32,
    /// When the host was asked whether the run is in use, while the answer is awaited.
    check: Option<Instant>,
}

impl Running {
    pub(crate) fn enter(cx: &mut Context<'_>, run: Run, owner: Option<Owner>) -> Self {
        let after = match run.leader {
            Leader::Alive(spawned) => cx.now.since(spawned),
            Leader::Unspawned | Leader::Ended => core::time::Duration::ZERO,
        };
        run.event(cx, Event::Ready { after, owner });
        run.order(cx, Order::Watch);
        Self { run, last_used: cx.now, ready: cx.now, failed_probes: 0, check: None }
    }

    /// A slot without a streak has nothing to recover from, and one in use is not idle.
    pub(crate) fn wakeup(&self, supervision: &Supervision) -> Option<(Instant, WakeupReason)> {
        let options = supervision.options();
        let healthy = (supervision.breaker.streak() > 0)
            .then(|| (self.ready + options.restart.healthy_after, WakeupReason::Healthy));
        let idle = match (self.check, options.idle) {
            (Some(ordered), _) => Some((ordered + CHECK_LIMIT, WakeupReason::CheckOverdue)),
            (None, Some(idle)) if self.run.leases == 0 => {
                Some((self.last_used + idle, WakeupReason::Idle))
            }
            (None, _) => None,
        };
        healthy.into_iter().chain(idle).min()
    }

    pub(crate) fn on_deadline(mut self, cx: &mut Context<'_>, reason: WakeupReason) -> State {
        match (reason, self.run.block) {
            (WakeupReason::Healthy, _) => cx.supervision.breaker.close(),
            (WakeupReason::Idle, Some(block)) => {
                self.run.order(cx, Order::CheckUse { block, ordered: cx.now });
                self.check = Some(cx.now);
            }
            _ => return self.stop(cx, StopReason::Idle, None, None),
        }
        State::Running(self)
    }

    pub(crate) fn ask(mut self, cx: &mut Context<'_>, request: RequestId, ask: Ask) -> State {
        match ask {
            Ask::Start(_) => {
                self.touch(cx);
                cx.answer(request, Outcome::Started(self.run.id));
            }
            Ask::Touch => {
                self.touch(cx);
                cx.answer(request, Outcome::Touched);
            }
            Ask::Resume(..) => cx.answer(request, Outcome::Refused(Refusal::NotAtRest)),
            Ask::Reset => cx.answer(request, Outcome::Refused(Refusal::NotParked)),
            Ask::Stop => return self.stop(cx, StopReason::Request, Some(request), None),
            Ask::Restart(launch) => {
                let queued = Queued::restart(launch, request, true);
                return self.stop(cx, StopReason::Request, None, Some(queued));
            }
        }
        State::Running(self)
    }

    pub(crate) fn stop(
        self,
        cx: &mut Context<'_>,
        reason: StopReason,
        stop: Option<RequestId>,
        queued: Option<Box<Queued>>,
    ) -> State {
        cx.event(Some(self.run.id), Event::Stopping(reason));
        Stopping::flushed(cx, self.run, reason).awaited_by(stop, queued)
    }

    pub(crate) fn report(mut self, cx: &mut Context<'_>, report: Report) -> Option<State> {
        match report {
            Report::LeaderExited(exit) => return Some(self.on_leader_exited(cx, exit)),
            Report::TreeGone { .. } => return self.on_tree_gone(cx, report),
            Report::Alive(alive) => return Some(self.on_alive(cx, alive)),
            Report::Memory(bytes) => {
                if let Some(cause) = cx.memory_breach(bytes) {
                    return Some(self.fail_alive(cx, cause));
                }
            }
            Report::UseChecked { ordered, in_use } => {
                return Some(self.on_use_checked(cx, ordered, in_use));
            }
            Report::Evict => return Some(self.stop(cx, StopReason::Eviction, None, None)),
            Report::Leased => {
                self.run.lease();
                self.touch(cx);
            }
            Report::Returned => {
                self.run.end_lease();
                self.touch(cx);
            }
            Report::Reserved
            | Report::PortsBusy
            | Report::Spawned
            | Report::SpawnFailed(_)
            | Report::Ready(_)
            | Report::Flushed => {}
        }
        Some(State::Running(self))
    }

    /// A use also overrules a check that is under way.
    fn touch(&mut self, cx: &Context<'_>) {
        self.last_used = cx.now;
        self.check = None;
    }

    fn on_use_checked(mut self, cx: &mut Context<'_>, ordered: Instant, in_use: bool) -> State {
        match (self.check == Some(ordered), in_use) {
            (true, false) => self.stop(cx, StopReason::Idle, None, None),
            (true, true) => {
                self.touch(cx);
                State::Running(self)
            }
            (false, _) => State::Running(self),
        }
    }

    fn on_alive(mut self, cx: &mut Context<'_>, alive: bool) -> State {
        self.failed_probes = if alive { 0 } else { self.failed_probes.saturating_add(1) };
        match cx.options().alive {
            Some(limit) if self.failed_probes >= limit.failures => {
                let cause = DownCause::Unresponsive(self.failed_probes);
                self.fail_alive(cx, cause)
            }
            Some(_) | None => State::Running(self),
        }
    }

    fn fail_alive(self, cx: &mut Context<'_>, cause: DownCause) -> State {
        cx.record_failure(cause);
        State::Stopping(Stopping::signalled(cx, self.run, StopReason::Failure(cause)))
    }

    /// Without a report of the leader's exit, the end of its tree says as much. There is nothing
    /// left to kill.
    fn on_tree_gone(mut self, cx: &mut Context<'_>, report: Report) -> Option<State> {
        self.run.exited(cx, Exit::Unknown, false);
        let cause = DownCause::Exited(Exit::Unknown);
        cx.record_failure(cause);
        State::Stopping(Stopping::emptying(self.run, StopReason::Failure(cause), cx.now))
            .report(cx, report)
    }

    fn on_leader_exited(mut self, cx: &mut Context<'_>, exit: Exit) -> State {
        self.run.exited(cx, exit, exit.is_success());
        let options = cx.options();
        State::Stopping(match (options.restart.when, exit.is_success()) {
            (RestartWhen::OnFailure, true) => match options.on_clean_exit {
                OnCleanExit::Leave => Stopping::released(cx, self.run),
                OnCleanExit::Reap => Stopping::killed(cx, self.run, StopReason::Ended),
            },
            (RestartWhen::Never, true) => Stopping::killed(cx, self.run, StopReason::Ended),
            (RestartWhen::OnFailure | RestartWhen::Never, false) | (RestartWhen::Always, _) => {
                let cause = DownCause::Exited(exit);
                cx.record_failure(cause);
                Stopping::killed(cx, self.run, StopReason::Failure(cause))
            }
        })
    }
}
