//! The tree is being emptied.

use alloc::boxed::Box;

use crate::UNKILLABLE_AFTER;
use crate::action::{Event, Order, Outcome, Refusal, StopReason};
use crate::context::{Context, Waiters};
use crate::exit::Exit;
use crate::id::RequestId;
use crate::input::{Ask, Launch, Report, Urgency};
use crate::ports::Block;
use crate::slot::run::{Leader, Run};
use crate::slot::{State, waiting};
use crate::spec::PortRequest;
use crate::time::Instant;
use crate::wakeup::WakeupReason;

/// See the module.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Stopping {
    pub(crate) run: Run,
    pub(crate) reason: StopReason,
    phase: Phase,
    /// Who wants to hear that the tree is gone.
    waiters: Waiters,
    /// The start that follows. Boxed, since it is rare and large.
    queued: Option<Box<Queued>>,
}

/// A start that waits for the tree to be gone, and who wants to hear its outcome.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Queued {
    pub(crate) launch: Launch,
    pub(crate) waiters: Waiters,
    /// It restarts a slot that was ready: the next run takes over the block of the last one.
    pub(crate) keeps_block: bool,
}

impl Queued {
    pub(crate) fn boxed(launch: Launch, waiters: Waiters) -> Box<Self> {
        Box::new(Self { launch, waiters, keeps_block: false })
    }

    /// A restart that somebody asked for.
    pub(crate) fn restart(launch: Launch, request: RequestId, keeps_block: bool) -> Box<Self> {
        Box::new(Self { launch, waiters: Waiters::from_slice(&[request]), keeps_block })
    }

    /// The block of the last run, if the next one takes it over: it must be what is asked for now,
    /// and there must not be a preparation, which has no ports.
    pub(crate) fn kept(&self, last: Option<Block>) -> Option<Block> {
        let options = self.launch.spec.options();
        let is_asked_for = |block: &Block| {
            [PortRequest::Auto(block.count()), PortRequest::Fixed(*block)].contains(&options.ports)
        };
        last.filter(|_| self.keeps_block && options.prepare.is_none()).filter(is_asked_for)
    }
}

/// How far the emptying has come. Only moves up, but for an unkillable tree whose late leader
/// gets its SIGKILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Phase {
    /// The spawn is not answered yet; there may be something to end.
    AwaitingSpawn { overdue: Instant },
    /// The companion flushes.
    Flushing { until: Instant },
    /// The tree was signalled and has its grace.
    Terminating { until: Instant },
    /// SIGKILL was sent, or nothing needs to be: only the news that the tree is gone is missing.
    Emptying { unkillable: Instant },
    /// That news does not come.
    Unkillable,
}

impl Stopping {
    fn new(run: Run, reason: StopReason, phase: Phase) -> Self {
        Self { run, reason, phase, waiters: Waiters::new(), queued: None }
    }

    /// The spawn is not answered yet: what it brings will be ended.
    pub(crate) fn unspawned(cx: &mut Context<'_>, run: Run, reason: StopReason) -> Self {
        Self::new(run, reason, Phase::AwaitingSpawn { overdue: cx.now + UNKILLABLE_AFTER })
    }

    /// An orderly stop: the companion flushes, if there is one, then the tree is signalled.
    pub(crate) fn flushed(cx: &mut Context<'_>, run: Run, reason: StopReason) -> Self {
        match (cx.options().flush, cx.shared.shutdown) {
            (None, _) | (_, Some(Urgency::Immediate)) => Self::signalled(cx, run, reason),
            (Some(limit), _) => {
                run.order(cx, Order::Flush);
                Self::new(run, reason, Phase::Flushing { until: cx.now + limit })
            }
        }
    }

    /// The tree is signalled and has its grace.
    pub(crate) fn signalled(cx: &mut Context<'_>, run: Run, reason: StopReason) -> Self {
        if cx.shared.shutdown == Some(Urgency::Immediate) {
            return Self::killed(cx, run, reason);
        }
        let stop = cx.options().stop;
        run.order(cx, Order::Signal(stop.signal));
        Self::new(run, reason, Phase::Terminating { until: cx.now + stop.grace })
    }

    /// The tree gets SIGKILL now.
    pub(crate) fn killed(cx: &mut Context<'_>, run: Run, reason: StopReason) -> Self {
        run.order(cx, Order::Kill);
        Self::emptying(run, reason, cx.now + UNKILLABLE_AFTER)
    }

    /// Only the news that the tree is gone is missing, until then at the latest.
    pub(crate) fn emptying(run: Run, reason: StopReason, unkillable: Instant) -> Self {
        Self::new(run, reason, Phase::Emptying { unkillable })
    }

    /// The leader ended cleanly, and what it left on purpose lives on.
    pub(crate) fn released(cx: &mut Context<'_>, run: Run) -> Self {
        run.order(cx, Order::Release);
        Self::emptying(run, StopReason::Ended, cx.now + UNKILLABLE_AFTER)
    }

    /// SIGKILL did not help.
    pub(crate) fn unkillable(cx: &mut Context<'_>, run: Run, reason: StopReason) -> Self {
        cx.event(Some(run.id), Event::Unkillable);
        Self::new(run, reason, Phase::Unkillable)
    }

    /// Notes who waits for the tree to be gone, and the start that follows.
    pub(crate) fn awaited_by(self, stop: Option<RequestId>, queued: Option<Box<Queued>>) -> State {
        State::Stopping(Self { waiters: stop.into_iter().collect(), queued, ..self })
    }

    pub(crate) fn is_unkillable(&self) -> bool {
        self.phase == Phase::Unkillable
    }

    pub(crate) fn wakeup(&self) -> Option<(Instant, WakeupReason)> {
        match self.phase {
            Phase::AwaitingSpawn { overdue } => Some((overdue, WakeupReason::SpawnOverdue)),
            Phase::Flushing { until } => Some((until, WakeupReason::FlushTimeout)),
            Phase::Terminating { until } => Some((until, WakeupReason::GraceOver)),
            Phase::Emptying { unkillable } => Some((unkillable, WakeupReason::Unkillable)),
            Phase::Unkillable => None,
        }
    }

    pub(crate) fn on_deadline(self, cx: &mut Context<'_>) -> State {
        State::Stopping(match self.phase {
            Phase::Flushing { .. } => self.signal(cx),
            Phase::Terminating { .. } => self.kill(cx),
            Phase::AwaitingSpawn { .. } | Phase::Emptying { .. } => self.give_up(cx),
            Phase::Unkillable => self,
        })
    }

    fn signal(self, cx: &mut Context<'_>) -> Self {
        let phase = Self::signalled(cx, self.run, self.reason).phase;
        Self { phase, ..self }
    }

    fn kill(self, cx: &mut Context<'_>) -> Self {
        let phase = Self::killed(cx, self.run, self.reason).phase;
        Self { phase, ..self }
    }

    /// Nobody is kept waiting for what may never come.
    fn give_up(mut self, cx: &mut Context<'_>) -> Self {
        cx.answer_all(core::mem::take(&mut self.waiters), Outcome::Unkillable);
        self.cancel_queued(cx, Outcome::Unkillable);
        Self::unkillable(cx, self.run, self.reason)
    }

    fn cancel_queued(&mut self, cx: &mut Context<'_>, outcome: Outcome) {
        if let Some(queued) = self.queued.take() {
            cx.answer_all(queued.waiters, outcome);
        }
    }

    pub(crate) fn ask(mut self, cx: &mut Context<'_>, request: RequestId, ask: Ask) -> State {
        match ask {
            Ask::Resume(..) => cx.answer(request, Outcome::Refused(Refusal::NotAtRest)),
            Ask::Reset => cx.answer(request, Outcome::Refused(Refusal::NotParked)),
            Ask::Touch => cx.answer(request, Outcome::Refused(Refusal::NoLiveRun)),
            Ask::Start(_) if self.is_unkillable() => cx.answer(request, Outcome::Unkillable),
            Ask::Start(launch) => self.queue(launch, request),
            Ask::Stop => {
                self.override_reason(cx, StopReason::Request);
                if self.is_unkillable() {
                    cx.answer(request, Outcome::Unkillable);
                } else {
                    self.waiters.push(request);
                }
            }
            Ask::Restart(launch) => {
                let keeps_block = self.keeps_block();
                self.override_reason(cx, StopReason::Request);
                if self.is_unkillable() {
                    cx.answer(request, Outcome::Unkillable);
                } else {
                    self.queued = Some(Queued::restart(launch, request, keeps_block));
                }
            }
        }
        State::Stopping(self)
    }

    /// Whether a restart takes over the block: of a slot that crashed, or is being restarted already.
    fn keeps_block(&self) -> bool {
        match self.reason {
            StopReason::Failure(cause) => cause.keeps_block(),
            StopReason::FailedStart(_)
            | StopReason::Request
            | StopReason::Idle
            | StopReason::Eviction
            | StopReason::Shutdown
            | StopReason::Ended => self.queued.as_ref().is_some_and(|queued| queued.keeps_block),
        }
    }

    /// Whoever asks while a start is queued shares its outcome.
    fn queue(&mut self, launch: Launch, request: RequestId) {
        let queued = self.queued.get_or_insert_with(|| Queued::boxed(launch, Waiters::new()));
        queued.waiters.push(request);
    }

    /// A stop cancels the start that was to follow, and turns the end of a failure into a stop.
    fn override_reason(&mut self, cx: &mut Context<'_>, reason: StopReason) {
        self.cancel_queued(cx, Outcome::Cancelled);
        if matches!(self.reason, StopReason::Failure(_) | StopReason::FailedStart(_)) {
            self.reason = reason;
            cx.event(Some(self.run.id), Event::Stopping(reason));
        }
    }

    pub(crate) fn shut_down(mut self, cx: &mut Context<'_>) -> State {
        self.override_reason(cx, StopReason::Shutdown);
        let immediate = cx.shared.shutdown == Some(Urgency::Immediate);
        State::Stopping(match self.phase {
            Phase::Flushing { .. } | Phase::Terminating { .. } if immediate => self.kill(cx),
            Phase::Flushing { .. }
            | Phase::Terminating { .. }
            | Phase::AwaitingSpawn { .. }
            | Phase::Emptying { .. }
            | Phase::Unkillable => self,
        })
    }

    pub(crate) fn report(mut self, cx: &mut Context<'_>, report: Report) -> Option<State> {
        match report {
            Report::Spawned => self = self.on_spawned(cx),
            Report::SpawnFailed(_) if self.run.leader == Leader::Unspawned => {
                return self.finish(cx);
            }
            Report::LeaderExited(exit) => self = self.on_leader_exited(cx, exit),
            Report::TreeGone { killed, left } => {
                self.run.event(cx, Event::TreeGone { killed, left });
                return self.finish(cx);
            }
            Report::Flushed => {
                if let Phase::Flushing { .. } = self.phase {
                    self = self.signal(cx);
                }
            }
            Report::SpawnFailed(_)
            | Report::Reserved
            | Report::PortsBusy
            | Report::Ready(_)
            | Report::Alive(_)
            | Report::Memory(_)
            | Report::UseChecked { .. }
            | Report::Leased
            | Report::Returned
            | Report::Evict => {}
        }
        Some(State::Stopping(self))
    }

    fn on_spawned(mut self, cx: &mut Context<'_>) -> Self {
        if self.run.leader != Leader::Unspawned {
            return self;
        }
        self.run.spawned(cx);
        if self.is_unkillable() { self.kill(cx) } else { self.signal(cx) }
    }

    fn on_leader_exited(self, cx: &mut Context<'_>, exit: Exit) -> Self {
        // An exit that overtakes the answer to its spawn says that there was a leader.
        let mut stopping = self.on_spawned(cx);
        stopping.run.exited(cx, exit, false);
        match stopping.phase {
            Phase::Flushing { .. } => stopping.signal(cx),
            Phase::AwaitingSpawn { .. }
            | Phase::Terminating { .. }
            | Phase::Emptying { .. }
            | Phase::Unkillable => stopping,
        }
    }

    /// The tree is gone, or never was: what comes after it.
    fn finish(self, cx: &mut Context<'_>) -> Option<State> {
        let Self { run, reason, waiters, queued, .. } = self;
        match reason {
            StopReason::Failure(cause) => waiting::after_failure(cx, run, cause, queued),
            StopReason::FailedStart(cause) => match queued {
                None => Some(waiting::error(cx, &run, cause)),
                Some(_) => waiting::at_rest(cx, &run, waiters, queued),
            },
            StopReason::Request
            | StopReason::Idle
            | StopReason::Eviction
            | StopReason::Shutdown
            | StopReason::Ended => waiting::at_rest(cx, &run, waiters, queued),
        }
    }
}
