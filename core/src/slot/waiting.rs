//! Without a process: between two runs, or at rest.

use alloc::boxed::Box;

use crate::action::{Event, Outcome, Parked, Refusal};
use crate::backoff;
use crate::context::{Context, Waiters};
use crate::exit::DownCause;
use crate::id::{RequestId, RunId};
use crate::input::Ask;
use crate::past::Failures;
use crate::slot::State;
use crate::slot::attempt::Attempt;
use crate::slot::run::Run;
use crate::slot::stopping::Queued;
use crate::spec::RestartWhen;
use crate::time::Instant;

/// Waiting out a backoff.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Restarting {
    pub(crate) until: Instant,
    /// The run that failed. Its block, if it still has one, is kept for the next one.
    pub(crate) last: Run,
}

/// A requested start could not even spawn.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StartError {
    pub(crate) cause: DownCause,
}

/// Parked by the breaker.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Failed {
    pub(crate) parked: Parked,
}

/// The end of a slot's last run: it is dropped, or starts anew if that is queued.
pub(crate) fn at_rest(
    cx: &mut Context<'_>,
    last: &Run,
    stops: Waiters,
    queued: Option<Box<Queued>>,
) -> Option<State> {
    let kept = queued.as_ref().and_then(|queued| queued.kept(last.block));
    if kept.is_none() {
        cx.release_block(last.id, last.block);
    }
    cx.event(Some(last.id), Event::Stopped);
    cx.answer_all(stops, Outcome::Stopped);
    queued.map(|queued| Attempt::from_rest(cx, queued.launch, queued.waiters, kept))
}

/// The end of a start that could not even spawn.
pub(crate) fn error(cx: &mut Context<'_>, run: &Run, cause: DownCause) -> State {
    cx.release_block(run.id, run.block);
    cx.event(Some(run.id), Event::Error(cause));
    State::Error(StartError { cause })
}

/// The end of a run that failed.
pub(crate) fn after_failure(
    cx: &mut Context<'_>,
    run: Run,
    cause: DownCause,
    queued: Option<Box<Queued>>,
) -> Option<State> {
    match cx.options().restart.when {
        RestartWhen::Never => at_rest(cx, &run, Waiters::new(), queued),
        RestartWhen::OnFailure | RestartWhen::Always => Some(retry(cx, run, cause, queued)),
    }
}

/// Once more: at once if a start is queued, else after the backoff, or never if the breaker
/// tripped.
pub(crate) fn retry(
    cx: &mut Context<'_>,
    mut run: Run,
    cause: DownCause,
    queued: Option<Box<Queued>>,
) -> State {
    if let Some(parked) = cx.supervision.breaker.tripped(&cx.options().restart) {
        cx.release_block(run.id, run.block);
        let waiters = queued.map(|queued| queued.waiters).unwrap_or_default();
        return park(cx, Some(run.id), parked, waiters, Outcome::Parked(parked));
    }
    if !cause.keeps_block() {
        cx.release_block(run.id, run.block.take());
    }
    match queued {
        Some(queued) => Attempt::after_failure(cx, run.block, queued.waiters),
        None => back_off(cx, run, cause),
    }
}

/// A slot of an earlier supervisor goes on as if the tree of its last run were gone just now, and
/// a start were queued. That it was parked is no news.
pub(crate) fn resumed(
    cx: &mut Context<'_>,
    failures: Failures,
    request: RequestId,
) -> Option<State> {
    let restart = cx.options().restart;
    if let Failures::Parked(parked) = failures {
        cx.answer(request, Outcome::Refused(Refusal::Parked(parked)));
        return Some(State::Failed(Failed { parked }));
    }
    if restart.when == RestartWhen::Never {
        cx.answer(request, Outcome::Refused(Refusal::NeverRestarted));
        return None;
    }
    let asking = Waiters::from_slice(&[request]);
    Some(match cx.supervision.breaker.tripped(&restart) {
        Some(parked) => park(cx, None, parked, asking, Outcome::Refused(Refusal::Parked(parked))),
        None => Attempt::resumed(cx, asking),
    })
}

fn park(
    cx: &mut Context<'_>,
    last: Option<RunId>,
    parked: Parked,
    starts: Waiters,
    outcome: Outcome,
) -> State {
    cx.event(last, Event::Failed(parked));
    cx.answer_all(starts, outcome);
    State::Failed(Failed { parked })
}

fn back_off(cx: &mut Context<'_>, last: Run, cause: DownCause) -> State {
    let restart = cx.options().restart;
    let streak = cx.supervision.breaker.streak();
    let delay = backoff::delay(&restart, streak, cx.shared.seed, last.id);
    let max_failures = restart.max_failures;
    cx.event(Some(last.id), Event::Restarting { delay, streak, max_failures, cause });
    State::Restarting(Restarting { until: cx.now + delay, last })
}

impl Restarting {
    pub(crate) fn on_deadline(self, cx: &mut Context<'_>) -> State {
        Attempt::after_failure(cx, self.last.block, Waiters::new())
    }

    /// A start only brings the restart forward: the streak stays.
    pub(crate) fn ask(self, cx: &mut Context<'_>, request: RequestId, ask: Ask) -> Option<State> {
        let asking = Waiters::from_slice(&[request]);
        match ask {
            Ask::Start(_) => {
                return Some(Attempt::after_failure(cx, self.last.block, asking));
            }
            Ask::Stop => return at_rest(cx, &self.last, asking, None),
            Ask::Restart(launch) => {
                let queued = Queued::restart(launch, request, true);
                return at_rest(cx, &self.last, Waiters::new(), Some(queued));
            }
            Ask::Resume(..) => cx.answer(request, Outcome::Refused(Refusal::NotAtRest)),
            Ask::Reset => cx.answer(request, Outcome::Refused(Refusal::NotParked)),
            Ask::Touch => cx.answer(request, Outcome::Refused(Refusal::NoLiveRun)),
        }
        Some(State::Restarting(self))
    }
}

impl StartError {
    pub(crate) fn ask(self, cx: &mut Context<'_>, request: RequestId, ask: Ask) -> Option<State> {
        match ask {
            Ask::Start(launch) | Ask::Restart(launch) => {
                return Some(Attempt::from_rest(cx, launch, Waiters::from_slice(&[request]), None));
            }
            Ask::Stop => return dropped(cx, request, Outcome::Stopped),
            Ask::Resume(..) => cx.answer(request, Outcome::Refused(Refusal::NotAtRest)),
            Ask::Reset => cx.answer(request, Outcome::Refused(Refusal::NotParked)),
            Ask::Touch => cx.answer(request, Outcome::Refused(Refusal::NoLiveRun)),
        }
        Some(State::Error(self))
    }
}

impl Failed {
    /// Only `reset` and `stop` lead out of here.
    pub(crate) fn ask(self, cx: &mut Context<'_>, request: RequestId, ask: Ask) -> Option<State> {
        match ask {
            Ask::Start(_) | Ask::Restart(_) | Ask::Resume(..) | Ask::Touch => {
                cx.answer(request, Outcome::Refused(Refusal::Parked(self.parked)));
            }
            Ask::Stop => return dropped(cx, request, Outcome::Stopped),
            Ask::Reset => {
                cx.event(None, Event::Reset);
                return dropped(cx, request, Outcome::Reset);
            }
        }
        Some(State::Failed(self))
    }
}

fn dropped(cx: &mut Context<'_>, request: RequestId, outcome: Outcome) -> Option<State> {
    cx.event(None, Event::Stopped);
    cx.answer(request, outcome);
    None
}
