//! What a campaign has seen: cells of state × input, and what happens only *sometimes*.

use worker_core::{
    Action, Ask, Event, Input, Order, Outcome, Owner, Report, StateName, StopReason,
};

use super::checkers::Scene;
use super::ledger::{Ending, Ledger, States, state_name};
use super::setup::SLOTS;

pub(crate) const STATES: [Option<StateName>; 7] = [
    None,
    Some(StateName::Starting),
    Some(StateName::Running),
    Some(StateName::Restarting),
    Some(StateName::Stopping),
    Some(StateName::Error),
    Some(StateName::Failed),
];

/// Inputs as the coverage table tells them apart.
pub(crate) const INPUTS: [&str; 27] = [
    "early tick",
    "deadline",
    "start",
    "stop",
    "restart",
    "reset",
    "touch",
    "shutdown",
    "shutdown now",
    "Reserved",
    "PortsBusy",
    "Spawned",
    "SpawnFailed",
    "Ready",
    "Ready stranger",
    "Alive",
    "not Alive",
    "Memory",
    "UseChecked",
    "Leased",
    "Returned",
    "Evict",
    "Flushed",
    "LeaderExited 0",
    "LeaderExited",
    "TreeGone",
    "an old run's",
];

/// Things that a good campaign comes across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Sometimes {
    BreakerTripped,
    KillWasNeeded,
    ExitRacedWithStop,
    StartJoined,
    StartJoinedAFailingStart,
    ClockJumped,
    ClockWentBack,
    DeadlineTied,
    StrangerWasRefused,
    UnkillableWasNamed,
    UnkillableWentInTheEnd,
    StartWasQueuedAndServed,
    StartWasQueuedAndCancelled,
    SpawnWasOverdue,
    SpawnedAfterTheStop,
    IdleStopped,
    EvictionStopped,
    Released,
    FormerBlockWasTakenAgain,
    FormerBlockWasBusy,
    PortsRanOut,
    HealthyEndedAStreak,
    ParkedSlotRefused,
    ParkedSlotWasReset,
    PreparationFailed,
    ShutdownMetEveryState,
    OldRunWasHeardOf,
    ReadyTimedOut,
    LivenessFailed,
    MemoryBreached,
    FailureBecameAStop,
    RestartSpawnFailed,
    FlushTimedOut,
}

pub(crate) const SOMETIMES: [Sometimes; 33] = [
    Sometimes::BreakerTripped,
    Sometimes::KillWasNeeded,
    Sometimes::ExitRacedWithStop,
    Sometimes::StartJoined,
    Sometimes::StartJoinedAFailingStart,
    Sometimes::ClockJumped,
    Sometimes::ClockWentBack,
    Sometimes::DeadlineTied,
    Sometimes::StrangerWasRefused,
    Sometimes::UnkillableWasNamed,
    Sometimes::UnkillableWentInTheEnd,
    Sometimes::StartWasQueuedAndServed,
    Sometimes::StartWasQueuedAndCancelled,
    Sometimes::SpawnWasOverdue,
    Sometimes::SpawnedAfterTheStop,
    Sometimes::IdleStopped,
    Sometimes::EvictionStopped,
    Sometimes::Released,
    Sometimes::FormerBlockWasTakenAgain,
    Sometimes::FormerBlockWasBusy,
    Sometimes::PortsRanOut,
    Sometimes::HealthyEndedAStreak,
    Sometimes::ParkedSlotRefused,
    Sometimes::ParkedSlotWasReset,
    Sometimes::PreparationFailed,
    Sometimes::ShutdownMetEveryState,
    Sometimes::OldRunWasHeardOf,
    Sometimes::ReadyTimedOut,
    Sometimes::LivenessFailed,
    Sometimes::MemoryBreached,
    Sometimes::FailureBecameAStop,
    Sometimes::RestartSpawnFailed,
    Sometimes::FlushTimedOut,
];

#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) inputs: u64,
    pub(crate) cells: [[u64; INPUTS.len()]; STATES.len()],
    pub(crate) sometimes: [u64; SOMETIMES.len()],
    /// States that a shutdown has met.
    met: States,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            inputs: 0,
            cells: [[0; INPUTS.len()]; STATES.len()],
            sometimes: [0; SOMETIMES.len()],
            met: States::default(),
        }
    }

    pub(crate) fn mark(&mut self, what: Sometimes) {
        self.sometimes[what as usize] += 1;
    }

    /// Cells entered, of those that can be.
    pub(crate) fn coverage(&self) -> (usize, usize) {
        let entered = self.cells.iter().flatten().filter(|count| **count > 0).count();
        (entered, entered + self.gaps().len())
    }

    /// Sees an input before it is read.
    pub(crate) fn input(&mut self, ledger: &Ledger, input: &Input) {
        self.inputs += 1;
        match input {
            Input::Tick => {
                for slot in &ledger.slots {
                    self.enter(slot.state(), usize::from(slot.due));
                }
            }
            Input::Shutdown { urgency, .. } => {
                let column = 7 + usize::from(*urgency == worker_core::Urgency::Immediate);
                for slot in &ledger.slots {
                    self.enter(slot.state(), column);
                    self.met = self.met.or(States::of(slot.state()));
                }
                if STATES.iter().all(|state| self.met.has(*state)) {
                    self.mark(Sometimes::ShutdownMetEveryState);
                }
            }
            Input::Request { slot, ask, .. } => {
                let slot = &ledger.slots[usize::from(slot.get())];
                self.enter(slot.state(), request_column(ask));
                self.request(slot, ask);
            }
            Input::Report { slot, run, report } => {
                let slot = &ledger.slots[usize::from(slot.get())];
                let present = slot.live_run() == Some(run.get());
                let column = if present { report_column(*report) } else { INPUTS.len() - 1 };
                self.enter(slot.state(), column);
                self.report(slot, present, *report);
            }
        }
    }

    fn enter(&mut self, state: Option<StateName>, column: usize) {
        let row = STATES.iter().position(|known| *known == state).unwrap_or(0);
        self.cells[row][column] += 1;
    }

    fn request(&mut self, slot: &super::ledger::Slot, ask: &Ask) {
        if matches!(ask, Ask::Start(_)) && slot.is(StateName::Starting) {
            self.mark(Sometimes::StartJoined);
        }
        let failing = matches!(slot.run().ending, Some(Ending::Failure | Ending::FailedStart));
        if matches!(ask, Ask::Stop) && slot.is(StateName::Stopping) && failing {
            self.mark(Sometimes::FailureBecameAStop);
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
            Report::SpawnFailed(_) if !slot.from_rest && !stopping => {
                self.mark(Sometimes::RestartSpawnFailed);
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
            Outcome::Cancelled if asked => self.mark(Sometimes::StartWasQueuedAndCancelled),
            Outcome::Refused(worker_core::Refusal::Parked(_)) => {
                self.mark(Sometimes::ParkedSlotRefused);
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

    /// The table of state × input, with a reason for each cell that was never entered.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{:<15}", "");
        for state in STATES {
            text.push_str(&format!("{:>11}", state_name(state)));
        }
        text.push('\n');
        for (column, input) in INPUTS.iter().enumerate() {
            text.push_str(&format!("{input:<15}"));
            for (row, state) in STATES.iter().enumerate() {
                let count = self.cells[row][column];
                let cell =
                    if count > 0 { count.to_string() } else { reason(*state, column).into() };
                text.push_str(&format!("{cell:>11}"));
            }
            text.push('\n');
        }
        text.push_str(REASONS);
        text
    }

    /// Cells that were not entered although nothing forbids it.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for (row, state) in STATES.iter().enumerate() {
            for (column, input) in INPUTS.iter().enumerate() {
                if self.cells[row][column] == 0 && reason(*state, column) == GAP {
                    gaps.push(format!("{} × {input}", state_name(*state)));
                }
            }
        }
        gaps
    }
}

const GAP: &str = "GAP";
const REASONS: &str = "\
-run   without a run there is none that could be spoken of; what comes is an old run's
-none  such a state has no deadline
-spwn  a spawned run is past that, and a run at rest has no order of that kind open
-boot  readiness, use and liveness are asked for once it runs, or were asked for before
";

/// Why a cell cannot be entered.
fn reason(state: Option<StateName>, column: usize) -> &'static str {
    let report = (9..26).contains(&column);
    match state {
        None | Some(StateName::Restarting | StateName::Error | StateName::Failed) if report => {
            "-run"
        }
        None | Some(StateName::Error | StateName::Failed) if column == 1 => "-none",
        Some(StateName::Running) if matches!(column, 9 | 10 | 12 | 22) => "-spwn",
        Some(StateName::Stopping) if matches!(column, 9 | 10) => "-spwn",
        Some(StateName::Starting) if matches!(column, 15 | 16 | 17 | 18 | 22) => "-boot",
        None
        | Some(
            StateName::Starting
            | StateName::Running
            | StateName::Restarting
            | StateName::Stopping
            | StateName::Error
            | StateName::Failed,
        ) => GAP,
    }
}

const fn request_column(ask: &Ask) -> usize {
    match ask {
        Ask::Start(_) => 2,
        Ask::Stop => 3,
        Ask::Restart(_) => 4,
        Ask::Reset => 5,
        Ask::Touch => 6,
    }
}

const fn report_column(report: Report) -> usize {
    match report {
        Report::Reserved => 9,
        Report::PortsBusy => 10,
        Report::Spawned => 11,
        Report::SpawnFailed(_) => 12,
        Report::Ready(Owner::Own | Owner::Unknown) => 13,
        Report::Ready(Owner::Stranger) => 14,
        Report::Alive(true) => 15,
        Report::Alive(false) => 16,
        Report::Memory(_) => 17,
        Report::UseChecked { .. } => 18,
        Report::Leased => 19,
        Report::Returned => 20,
        Report::Evict => 21,
        Report::Flushed => 22,
        Report::LeaderExited(worker_core::Exit::Code(0)) => 23,
        Report::LeaderExited(_) => 24,
        Report::TreeGone { .. } => 25,
    }
}
