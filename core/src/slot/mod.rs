//! One slot: its state, and the only place that assigns it.
//!
//! A transition consumes the old state and returns the next one; none means that the slot is at
//! rest, and dropped.

mod attempt;
mod run;
mod running;
mod starting;
mod stopping;
mod waiting;

use alloc::vec::Vec;

use crate::action::{Action, StopReason};
use crate::context::{Context, Shared, Supervision, Waiters};
use crate::exit::DownCause;
use crate::id::{RequestId, RunId, SlotId};
use crate::input::{Ask, Launch, Report};
use crate::past::{Failures, Past};
use crate::slot::attempt::Attempt;
use crate::slot::running::Running;
use crate::slot::starting::Starting;
use crate::slot::stopping::Stopping;
use crate::slot::waiting::{Failed, Restarting, StartError};
use crate::time::Instant;
use crate::view::{LastError, SlotView, StateName};
use crate::wakeup::{Wakeup, WakeupReason};

/// The states; each holds what belongs to it, its deadlines included.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum State {
    Starting(Starting),
    Running(Running),
    Restarting(Restarting),
    Stopping(Stopping),
    Error(StartError),
    Failed(Failed),
}

/// A slot that is not at rest.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Slot {
    supervision: Supervision,
    state: State,
    /// Since when it is in this state.
    since: Instant,
}

/// Where and when a step of a slot happens.
pub(crate) struct Step<'a> {
    pub(crate) now: Instant,
    pub(crate) slot: SlotId,
    pub(crate) shared: &'a mut Shared,
    pub(crate) actions: &'a mut Vec<Action>,
}

impl Step<'_> {
    fn context<'b>(&'b mut self, supervision: &'b mut Supervision) -> Context<'b> {
        Context {
            now: self.now,
            slot: self.slot,
            shared: self.shared,
            supervision,
            actions: self.actions,
        }
    }
}

impl Slot {
    /// Starts a slot that was at rest.
    pub(crate) fn start(mut step: Step<'_>, request: RequestId, launch: Launch) -> Self {
        let mut supervision = Supervision::new(launch.clone());
        let waiters = Waiters::from_slice(&[request]);
        let state = Attempt::from_rest(&mut step.context(&mut supervision), launch, waiters, None);
        Self { supervision, state, since: step.now }
    }

    /// Goes on with a slot that was at rest here, and not under an earlier supervisor.
    pub(crate) fn resume(
        mut step: Step<'_>,
        request: RequestId,
        launch: Launch,
        past: Past,
    ) -> Option<Self> {
        let mut supervision = Supervision::resumed(launch, past, step.now);
        let mut cx = step.context(&mut supervision);
        let state = waiting::resumed(&mut cx, past.failures, request)?;
        Some(Self { supervision, state, since: step.now })
    }

    pub(crate) fn ask(self, step: Step<'_>, request: RequestId, ask: Ask) -> Option<Self> {
        self.transition(step, |state, cx| match state {
            State::Starting(starting) => starting.ask(cx, request, ask),
            State::Running(running) => Some(running.ask(cx, request, ask)),
            State::Restarting(restarting) => restarting.ask(cx, request, ask),
            State::Stopping(stopping) => Some(stopping.ask(cx, request, ask)),
            State::Error(error) => error.ask(cx, request, ask),
            State::Failed(failed) => failed.ask(cx, request, ask),
        })
    }

    /// What a run reports is heard while it is the slot's present run, and never after.
    pub(crate) fn report(self, step: Step<'_>, run: RunId, report: Report) -> Option<Self> {
        if self.state.run() != Some(run) {
            return Some(self);
        }
        self.transition(step, |state, cx| state.report(cx, report))
    }

    pub(crate) fn on_deadline(self, step: Step<'_>) -> Option<Self> {
        let Some((_, reason)) = self.wakeup() else {
            return Some(self);
        };
        self.transition(step, |state, cx| match state {
            State::Starting(starting) => Some(starting.on_deadline(cx)),
            State::Running(running) => Some(running.on_deadline(cx, reason)),
            State::Restarting(restarting) => Some(restarting.on_deadline(cx)),
            State::Stopping(stopping) => Some(stopping.on_deadline(cx)),
            State::Error(_) | State::Failed(_) => Some(state),
        })
    }

    /// What is parked or in error stays so; everything else comes to rest.
    pub(crate) fn shut_down(self, step: Step<'_>) -> Option<Self> {
        self.transition(step, |state, cx| match state {
            State::Starting(starting) => starting.stop(cx, StopReason::Shutdown, None, None),
            State::Running(running) => Some(running.stop(cx, StopReason::Shutdown, None, None)),
            State::Restarting(restarting) => {
                waiting::at_rest(cx, &restarting.last, Waiters::new(), None)
            }
            State::Stopping(stopping) => Some(stopping.shut_down(cx)),
            State::Error(_) | State::Failed(_) => Some(state),
        })
    }

    fn transition(
        self,
        mut step: Step<'_>,
        to_next: impl FnOnce(State, &mut Context<'_>) -> Option<State>,
    ) -> Option<Self> {
        let Self { mut supervision, state, since } = self;
        let before = (state.name(), state.run());
        let state = to_next(state, &mut step.context(&mut supervision))?;
        let same = before == (state.name(), state.run());
        Some(Self { supervision, state, since: if same { since } else { step.now } })
    }

    pub(crate) fn wakeup(&self) -> Option<(Instant, WakeupReason)> {
        match &self.state {
            State::Starting(starting) => Some(starting.wakeup()),
            State::Running(running) => running.wakeup(&self.supervision),
            State::Restarting(restarting) => Some((restarting.until, WakeupReason::Restart)),
            State::Stopping(stopping) => stopping.wakeup(),
            State::Error(_) | State::Failed(_) => None,
        }
    }

    /// Whether nothing more will happen unless somebody asks, or a miracle ends its tree.
    pub(crate) fn is_settled(&self) -> bool {
        match &self.state {
            State::Starting(_) | State::Running(_) | State::Restarting(_) => false,
            State::Stopping(stopping) => stopping.is_unkillable(),
            State::Error(_) | State::Failed(_) => true,
        }
    }

    pub(crate) fn is_unkillable(&self) -> bool {
        matches!(&self.state, State::Stopping(stopping) if stopping.is_unkillable())
    }

    pub(crate) fn view(&self, slot: SlotId) -> SlotView {
        let restart = &self.supervision.options().restart;
        SlotView {
            state: self.state.name(),
            run: self.state.run(),
            launch: self.supervision.launch.id,
            block: self.state.block(),
            since: self.since,
            last_used: self.state.last_used(),
            restarts: self.supervision.spawns.saturating_sub(1),
            streak: self.supervision.breaker.streak(),
            max_failures: restart.max_failures,
            next: self.wakeup().map(|(at, reason)| Wakeup { at, slot, reason }),
            last_error: self.last_error(),
            past: self.past(),
        }
    }
}

impl Slot {
    /// What went wrong last; forgotten when the slot has been healthy for long enough.
    fn last_error(&self) -> Option<LastError> {
        match &self.state {
            State::Starting(_) | State::Running(_) | State::Restarting(_) => {
                self.supervision.breaker.latest_cause().map(LastError::Down)
            }
            State::Stopping(stopping) => stopping.last_error(),
            State::Error(error) => Some(LastError::Down(error.cause)),
            State::Failed(failed) => Some(LastError::Parked(failed.parked)),
        }
    }
}

impl Slot {
    fn past(&self) -> Past {
        let failures = match &self.state {
            State::Failed(failed) => Failures::Parked(failed.parked),
            State::Starting(_)
            | State::Running(_)
            | State::Restarting(_)
            | State::Stopping(_)
            | State::Error(_) => self.supervision.breaker.failures(),
        };
        Past { spawns: self.supervision.spawns, failures }
    }
}

impl State {
    fn report(self, cx: &mut Context<'_>, report: Report) -> Option<Self> {
        match self {
            Self::Starting(starting) => starting.report(cx, report),
            Self::Running(running) => running.report(cx, report),
            Self::Stopping(stopping) => stopping.report(cx, report),
            Self::Restarting(_) | Self::Error(_) | Self::Failed(_) => Some(self),
        }
    }

    fn name(&self) -> StateName {
        match self {
            Self::Starting(_) => StateName::Starting,
            Self::Running(_) => StateName::Running,
            Self::Restarting(_) => StateName::Restarting,
            Self::Stopping(_) => StateName::Stopping,
            Self::Error(_) => StateName::Error,
            Self::Failed(_) => StateName::Failed,
        }
    }

    fn run(&self) -> Option<RunId> {
        match self {
            Self::Starting(starting) => Some(starting.attempt.run.id),
            Self::Running(running) => Some(running.run.id),
            Self::Stopping(stopping) => Some(stopping.run.id),
            Self::Restarting(_) | Self::Error(_) | Self::Failed(_) => None,
        }
    }

    fn block(&self) -> Option<crate::Block> {
        match self {
            Self::Starting(starting) => starting.attempt.run.block,
            Self::Running(running) => running.run.block,
            Self::Stopping(stopping) => stopping.run.block,
            Self::Restarting(restarting) => restarting.last.block,
            Self::Error(_) | Self::Failed(_) => None,
        }
    }

    fn last_used(&self) -> Option<Instant> {
        match self {
            Self::Running(running) => Some(running.last_used),
            Self::Starting(_)
            | Self::Stopping(_)
            | Self::Restarting(_)
            | Self::Error(_)
            | Self::Failed(_) => None,
        }
    }
}

impl Stopping {
    fn last_error(&self) -> Option<LastError> {
        if self.is_unkillable() {
            return Some(LastError::Unkillable);
        }
        self.down_cause().map(LastError::Down)
    }

    fn down_cause(&self) -> Option<DownCause> {
        match self.reason {
            StopReason::Failure(cause) | StopReason::FailedStart(cause) => Some(cause),
            StopReason::Request
            | StopReason::Idle
            | StopReason::Eviction
            | StopReason::Shutdown
            | StopReason::Ended => None,
        }
    }
}
