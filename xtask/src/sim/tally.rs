//! What a campaign has seen: cells of state × input, and what happens only *sometimes*.

use worker_core::{
    Action, Ask, Event, Failures, Input, Order, Outcome, Owner, Report, StateName, StopReason,
};

use super::checkers::Scene;
use super::coverage::{Coverage, DEATH, OLD_RUN, SHUTDOWN, STATES, report_column, request_column};
use super::ledger::{Began, Ending, Ledger, States};
use super::setup::SLOTS;
use super::sometimes::{SOMETIMES, Sometimes};

#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) inputs: u64,
    pub(crate) coverage: Coverage,
    pub(crate) sometimes: [u64; SOMETIMES.len()],
    /// States that a shutdown has met.
    met: States,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            inputs: 0,
            coverage: Coverage::new(),
            sometimes: [0; SOMETIMES.len()],
            met: States::default(),
        }
    }

    pub(crate) fn mark(&mut self, what: Sometimes) {
        self.sometimes[what as usize] += 1;
    }

    /// Sees a supervisor before it dies.
    pub(crate) fn death(&mut self, ledger: &Ledger, slots: usize) {
        for slot in &ledger.slots[..slots] {
            self.coverage.enter(slot.state(), DEATH);
        }
    }

    /// Sees an input before it is read.
    pub(crate) fn input(&mut self, ledger: &Ledger, slots: usize, input: &Input) {
        self.inputs += 1;
        match input {
            Input::Tick => {
                for slot in &ledger.slots[..slots] {
                    self.coverage.enter(slot.state(), usize::from(slot.due));
                }
            }
            Input::Shutdown { urgency, .. } => {
                let now = *urgency == worker_core::Urgency::Immediate;
                let column = SHUTDOWN + usize::from(now);
                for slot in &ledger.slots[..slots] {
                    self.coverage.enter(slot.state(), column);
                    self.met = self.met.or(States::of(slot.state()));
                }
                if STATES.iter().all(|state| self.met.has(*state)) {
                    self.mark(Sometimes::ShutdownMetEveryState);
                }
            }
            Input::Request { slot, ask, .. } => {
                let slot = &ledger.slots[usize::from(slot.get())];
                self.coverage.enter(slot.state(), request_column(ask));
                self.request(slot, ask);
            }
            Input::Report { slot, run, report } => {
                let slot = &ledger.slots[usize::from(slot.get())];
                let present = slot.live_run() == Some(run.get());
                let column = if present { report_column(*report) } else { OLD_RUN };
                self.coverage.enter(slot.state(), column);
                self.report(slot, present, *report);
            }
        }
    }

    fn request(&mut self, slot: &super::ledger::Slot, ask: &Ask) {
        if matches!(ask, Ask::Start(_)) && slot.is(StateName::Starting) {
            self.mark(Sometimes::StartJoined);
        }
        let failing = matches!(slot.run().ending, Some(Ending::Failure | Ending::FailedStart));
        if matches!(ask, Ask::Stop) && slot.is(StateName::Stopping) && failing {
            self.mark(Sometimes::FailureBecameAStop);
        }
        if let (Ask::Resume(_, past), None) = (ask, slot.state()) {
            match past.failures {
                Failures::None => {}
                Failures::Streak(_) => self.mark(Sometimes::StreakWasResumed),
                Failures::Parked(_) => self.mark(Sometimes::ParkedSlotWasResumed),
            }
        }
    }

    fn report(&mut self, slot: &super::ledger::Slot, present: bool, report: Report) {
        let run = slot.run();
        if !present {
            return self.mark(Sometimes::OldRunWasHeardOf);
        }
        let stopping = run.ending == Some(Ending::Ordered);
        match report {
            Report::LeaderExited(_) if stopping && run.signal_at.is_none() => {
                self.mark(Sometimes::ExitRacedWithStop);
            }
            Report::Spawned if stopping => self.mark(Sometimes::SpawnedAfterTheStop),
            Report::Ready(Owner::Stranger) => self.mark(Sometimes::StrangerWasRefused),
            Report::PortsBusy if slot.held.is_some_and(|(_, sure)| sure) => {
                self.mark(Sometimes::FormerBlockWasBusy);
            }
            Report::Reserved if slot.held.is_some_and(|(_, sure)| sure) => {
                self.mark(Sometimes::FormerBlockWasTakenAgain);
            }
            Report::TreeGone { .. } if slot.unkillable => {
                self.mark(Sometimes::UnkillableWentInTheEnd);
            }
            Report::TreeGone { .. } if slot.queue().next().is_some() => {
                self.mark(Sometimes::StartWasQueuedAndServed);
            }
            Report::SpawnFailed(_) if slot.began != Began::Start && !stopping => {
                self.mark(Sometimes::RestartSpawnFailed);
                if slot.failures.is_empty() && run.is_main() {
                    self.mark(Sometimes::ResumedSpawnFailedWithoutAStreak);
                }
            }
            Report::Reserved
            | Report::PortsBusy
            | Report::Spawned
            | Report::SpawnFailed(_)
            | Report::Ready(_)
            | Report::Alive(_)
            | Report::Memory(_)
            | Report::UseChecked { .. }
            | Report::Leased
            | Report::Returned
            | Report::Evict
            | Report::Flushed
            | Report::LeaderExited(_)
            | Report::TreeGone { .. } => {}
        }
    }

    /// Sees a call when it is over.
    pub(crate) fn call(&mut self, scene: &Scene<'_>) {
        for action in scene.actions {
            match action {
                Action::Run { order, .. } => self.order(scene, *order),
                Action::Answer { outcome, .. } => self.outcome(scene, *outcome),
                Action::Event { event, .. } => self.event(*event),
            }
        }
        if scene.deadlines {
            self.healthy(scene);
        }
    }

    fn healthy(&mut self, scene: &Scene<'_>) {
        for slot in 0..SLOTS {
            let before = scene.before[slot].map_or(0, |view| view.streak);
            let view = scene.ledger.slots[slot].view;
            if before > 0 && view.is_some_and(|v| v.streak == 0 && v.state == StateName::Running) {
                self.mark(Sometimes::HealthyEndedAStreak);
            }
        }
    }

    fn order(&mut self, scene: &Scene<'_>, order: Order) {
        match order {
            Order::Kill if scene.deadlines => self.mark(Sometimes::KillWasNeeded),
            Order::Signal(_) if scene.deadlines => {
                let flushed = scene.ledger.slots.iter().any(|slot| slot.run().flushed);
                if flushed {
                    self.mark(Sometimes::FlushTimedOut);
                }
            }
            Order::Release => self.mark(Sometimes::Released),
            Order::Kill
            | Order::Signal(_)
            | Order::Reserve(_)
            | Order::Unreserve(_)
            | Order::Spawn { .. }
            | Order::AwaitReady
            | Order::Watch
            | Order::CheckUse { .. }
            | Order::Flush => {}
        }
    }

    fn outcome(&mut self, scene: &Scene<'_>, outcome: Outcome) {
        let asked = matches!(scene.input, Input::Request { .. });
        match outcome {
            Outcome::StartFailed(_) => {
                let failed = |action: &&Action| {
                    matches!(action, Action::Answer { outcome: Outcome::StartFailed(_), .. })
                };
                if scene.actions.iter().filter(failed).count() > 1 {
                    self.mark(Sometimes::StartJoinedAFailingStart);
                }
            }
            Outcome::Parked(_) => self.mark(Sometimes::StartWasParked),
            Outcome::Cancelled if asked => self.mark(Sometimes::StartWasQueuedAndCancelled),
            Outcome::Refused(worker_core::Refusal::Parked(_)) => {
                self.mark(Sometimes::ParkedSlotRefused);
                if scene.actions.len() > 1 && resumes(scene.input) {
                    self.mark(Sometimes::ResumedStreakWasTooLong);
                }
            }
            Outcome::Reset => self.mark(Sometimes::ParkedSlotWasReset),
            Outcome::Started(_)
            | Outcome::Cancelled
            | Outcome::Stopped
            | Outcome::Unkillable
            | Outcome::Touched
            | Outcome::ShutDown { .. }
            | Outcome::Refused(_) => {}
        }
    }

    fn event(&mut self, event: Event) {
        use worker_core::{DownCause, SpawnFailure};
        let cause = match event {
            Event::Failed(parked) => {
                self.mark(Sometimes::BreakerTripped);
                Some(parked.last)
            }
            Event::Restarting { cause, .. } | Event::Error(cause) => Some(cause),
            Event::Unkillable => {
                self.mark(Sometimes::UnkillableWasNamed);
                None
            }
            Event::Stopping(StopReason::Idle) => {
                self.mark(Sometimes::IdleStopped);
                None
            }
            Event::Stopping(StopReason::Eviction) => {
                self.mark(Sometimes::EvictionStopped);
                None
            }
            Event::Starting
            | Event::Spawned { .. }
            | Event::Ready { .. }
            | Event::Exited { .. }
            | Event::TreeGone { .. }
            | Event::Stopping(_)
            | Event::Stopped
            | Event::Reset => None,
        };
        match cause {
            Some(DownCause::ReadyTimeout(_)) => self.mark(Sometimes::ReadyTimedOut),
            Some(DownCause::Unresponsive(_)) => self.mark(Sometimes::LivenessFailed),
            Some(DownCause::MemoryBreach { .. }) => self.mark(Sometimes::MemoryBreached),
            Some(DownCause::PrepareFailed(_)) => self.mark(Sometimes::PreparationFailed),
            Some(DownCause::SpawnFailed(SpawnFailure::NoPorts)) => {
                self.mark(Sometimes::PortsRanOut);
            }
            Some(DownCause::SpawnFailed(SpawnFailure::TimedOut)) => {
                self.mark(Sometimes::SpawnWasOverdue);
            }
            Some(
                DownCause::Exited(_) | DownCause::ExitedBeforeReady(_) | DownCause::SpawnFailed(_),
            )
            | None => {}
        }
    }
}

const fn resumes(input: &Input) -> bool {
    matches!(input, Input::Request { ask: Ask::Resume(..), .. })
}
