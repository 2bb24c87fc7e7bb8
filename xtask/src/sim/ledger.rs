//! What happened so far, as a bystander sees it who knows the design and nothing of the core.
//!
//! Everything here comes from inputs, actions and snapshots. [`super::reading`] says what the
//! design makes of an input; this module only keeps the books.

use worker_core::{
    Action, Block, DownCause, Event, Exit, Instant, Order, Parked, Past, PortRequest, Program,
    Report, RunId, SlotView, SpawnFailure, StateName, Urgency,
};

use super::setup::{LAUNCHES, SLOTS, Setup};

/// So many runs of a slot are remembered, the present one included.
pub(crate) const REMEMBERED: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) now: Instant,
    pub(crate) shutting: Option<Urgency>,
    pub(crate) open_shutdowns: Vec<u64>,
    pub(crate) slots: [Slot; SLOTS],
    pub(crate) latest_run: u64,
    /// Leaders that came to life.
    pub(crate) lives: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) view: Option<SlotView>,
    /// The present run first.
    pub(crate) runs: [Run; REMEMBERED],
    /// The launch that the slot has, or had last.
    pub(crate) launch: usize,
    pub(crate) open: Vec<Open>,
    /// Each failure since the streak was last ended.
    pub(crate) failures: Vec<Counted>,
    /// What the slot was parked with.
    pub(crate) parked: Option<Parked>,
    /// What the attempt under way began with.
    pub(crate) began: Began,
    /// What the supervisor that died last had of the slot, until it is resumed.
    pub(crate) legacy: Option<Legacy>,
    /// The block that the host keeps for the slot, and whether the host has confirmed it.
    pub(crate) held: Option<(Block, bool)>,
    /// Blocks that the host found busy in the attempt under way.
    pub(crate) busy: Vec<Block>,
    pub(crate) unkillable: bool,
    /// Main programs that came to life since the last start from rest.
    pub(crate) spawns: u32,
    /// What went wrong last; none before anything did, or where only the core can know.
    pub(crate) cause: Option<DownCause>,
    pub(crate) restart_at: Option<Instant>,
    /// States that the design allows after this call.
    pub(crate) may: States,
    /// A failure of this call is in the history already.
    pub(crate) counted: bool,
    /// A deadline of the slot took effect in this call.
    pub(crate) due: bool,
}

/// What an attempt began with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Began {
    /// A start from rest or from `error`.
    #[default]
    Start,
    Restart,
    /// The first attempt under another supervisor.
    Resume,
}

/// What is known of a slot whose supervisor died.
#[derive(Clone, Debug, Default)]
pub(crate) struct Legacy {
    /// As the supervisor showed it.
    pub(crate) past: Past,
    pub(crate) failures: Vec<Counted>,
    pub(crate) parked: Option<Parked>,
    pub(crate) spawns: u32,
}

/// A failure that counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) at: Instant,
    /// The launch whose policy it fell under.
    pub(crate) launch: usize,
    pub(crate) cause: DownCause,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) request: u64,
    pub(crate) ask: Asked,
    pub(crate) launch: usize,
    /// It waits for a tree to be gone before its own attempt begins.
    pub(crate) queued: bool,
    /// The answer that is due in this very call.
    pub(crate) must: Option<Must>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    #[default]
    Start,
    Stop,
    Restart,
    Resume,
    Reset,
    Touch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Must {
    Started,
    StartFailed,
    Parked,
    Cancelled,
    Stopped,
    Unkillable,
    Reset,
    Touched,
    RefusedParked,
    RefusedShuttingDown,
    RefusedNotParked,
    RefusedNoLiveRun,
    RefusedNotAtRest,
    RefusedNeverRestarted,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) program: Option<Program>,
    pub(crate) reserve_at: Option<Instant>,
    pub(crate) reserved: bool,
    pub(crate) spawn_at: Option<Instant>,
    pub(crate) spawned_at: Option<Instant>,
    pub(crate) spawn_failed: bool,
    /// It was spawned when its end had begun.
    pub(crate) spawned_late: bool,
    /// It was named as unkillable.
    pub(crate) named: bool,
    pub(crate) await_at: Option<Instant>,
    pub(crate) watched: bool,
    pub(crate) ready_said: bool,
    pub(crate) ready_at: Option<Instant>,
    pub(crate) flush_at: Option<Instant>,
    pub(crate) flushed: bool,
    pub(crate) signal_at: Option<Instant>,
    pub(crate) kill_at: Option<Instant>,
    pub(crate) release_at: Option<Instant>,
    pub(crate) exit: Option<Exit>,
    pub(crate) gone: bool,
    pub(crate) ending: Option<Ending>,
    /// The leader was dead when the ending began.
    pub(crate) dead_first: bool,
    pub(crate) ended_at: Option<Instant>,
    /// The last use, as the earliest and the latest time that it can be said to have been at.
    pub(crate) used: Option<(Instant, Instant)>,
    pub(crate) leases: u32,
    pub(crate) check_at: Option<Instant>,
    pub(crate) older_check: Option<Instant>,
    /// Somebody used the run while the check was under way.
    pub(crate) check_void: bool,
    pub(crate) bad_probes: u32,
}

/// Why a run is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ending {
    /// A request, idle, eviction or shutdown.
    Ordered,
    /// A clean exit of a running leader.
    Clean,
    /// An end that is final because of `restart.when = never`.
    Final,
    Failure,
    /// A start from rest that could not even spawn.
    FailedStart,
    /// The preparation is done.
    Prepared,
}

impl Run {
    /// Processes of it may live, as far as the host has said.
    pub(crate) fn may_live(&self) -> bool {
        !self.gone && !self.spawn_failed && (self.spawn_at.is_some() || self.exit.is_some())
    }

    pub(crate) fn spawn_pending(&self) -> bool {
        self.may_live() && self.spawned_at.is_none() && self.exit.is_none()
    }

    /// It had a leader, and its tree is not gone.
    pub(crate) fn has_tree(&self) -> bool {
        !self.gone && (self.spawned_at.is_some() || self.exit.is_some())
    }

    pub(crate) fn is_main(&self) -> bool {
        self.program == Some(Program::Main)
    }

    pub(crate) fn emptied(&self) -> bool {
        self.signal_at.is_some() || self.kill_at.is_some() || self.release_at.is_some()
    }
}

impl Slot {
    pub(crate) fn run(&self) -> &Run {
        &self.runs[0]
    }

    pub(crate) fn run_of(&self, id: RunId) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id.get())
    }

    pub(crate) fn state(&self) -> Option<StateName> {
        self.view.map(|view| view.state)
    }

    /// The present run, unless it is history.
    pub(crate) fn live_run(&self) -> Option<u64> {
        let run = self.run();
        let booting = run.id != 0 && run.spawn_at.is_none() && self.is(StateName::Starting);
        (booting && !run.gone || run.may_live()).then_some(run.id)
    }

    pub(crate) fn is(&self, state: StateName) -> bool {
        self.state() == Some(state)
    }

    pub(crate) fn queue(&self) -> impl Iterator<Item = &Open> {
        self.open.iter().filter(|open| open.queued && open.must.is_none())
    }
}

/// A set of states; rest is one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct States(u8);

impl States {
    pub(crate) const REST: Self = Self(1);
    pub(crate) const STARTING: Self = Self(2);
    pub(crate) const RUNNING: Self = Self(4);
    pub(crate) const RESTARTING: Self = Self(8);
    pub(crate) const STOPPING: Self = Self(16);
    pub(crate) const ERROR: Self = Self(32);
    pub(crate) const FAILED: Self = Self(64);

    pub(crate) const fn of(state: Option<StateName>) -> Self {
        match state {
            None => Self::REST,
            Some(StateName::Starting) => Self::STARTING,
            Some(StateName::Running) => Self::RUNNING,
            Some(StateName::Restarting) => Self::RESTARTING,
            Some(StateName::Stopping) => Self::STOPPING,
            Some(StateName::Error) => Self::ERROR,
            Some(StateName::Failed) => Self::FAILED,
        }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, state: Option<StateName>) -> bool {
        self.0 & Self::of(state).0 != 0
    }

    /// The set in words.
    pub(crate) fn names(self) -> String {
        let names = ["rest", "starting", "running", "restarting", "stopping", "error", "failed"];
        let named = names.iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0);
        named.map(|(_, name)| *name).collect::<Vec<_>>().join(" or ")
    }
}

/// The name of a state as the design has it.
pub(crate) fn state_name(state: Option<StateName>) -> String {
    States::of(state).names()
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let slots = std::array::from_fn(|slot| Slot {
            launch: slot * LAUNCHES,
            may: States::REST,
            ..Slot::default()
        });
        let now = Instant::ZERO;
        Self { now, shutting: None, open_shutdowns: Vec::new(), slots, latest_run: 0, lives: 0 }
    }

    /// The supervisor is gone, and every process and question with it. What each slot had is kept.
    pub(crate) fn bury(&mut self, now: Instant) {
        (self.now, self.latest_run) = (now, 0);
        for slot in &mut self.slots {
            *slot = Slot {
                launch: slot.launch,
                may: States::REST,
                legacy: slot.bequeath(),
                ..Slot::default()
            };
        }
    }

    /// Books an action, after the checkers have seen it.
    pub(crate) fn book(&mut self, action: &Action) {
        match *action {
            Action::Run { slot, run, order } => {
                let slot = &mut self.slots[usize::from(slot.get())];
                slot.open_run(run.get());
                self.latest_run = self.latest_run.max(run.get());
                slot.book_order(self.now, order);
            }
            Action::Answer { request, .. } => {
                self.open_shutdowns.retain(|&open| open != request.get());
                for slot in &mut self.slots {
                    slot.open.retain(|open| open.request != request.get());
                }
            }
            Action::Event { slot, event, .. } => {
                self.slots[usize::from(slot.get())].book_event(self.now, event);
            }
        }
    }

    /// Books the snapshot that follows a call.
    pub(crate) fn book_view(&mut self, slot: usize, view: Option<SlotView>) {
        self.slots[slot].view = view;
    }
}

impl Slot {
    /// What a slot at rest had under an earlier supervisor is not forgotten either.
    fn bequeath(&mut self) -> Option<Legacy> {
        let Some(view) = self.view else { return self.legacy.take() };
        Some(Legacy {
            past: view.past,
            failures: std::mem::take(&mut self.failures),
            parked: self.parked,
            spawns: self.spawns,
        })
    }

    fn open_run(&mut self, id: u64) {
        if self.runs[0].id < id {
            self.runs.rotate_right(1);
            self.runs[0] = Run { id, ..Run::default() };
        }
    }

    /// An order of any run is answered, whether the answer means something or not.
    pub(crate) fn book_answer(&mut self, id: u64, report: Report) {
        let Some(run) = self.runs.iter_mut().find(|run| run.id == id) else { return };
        if matches!(report, Report::Reserved | Report::PortsBusy) {
            run.reserve_at = None;
        }
    }

    fn book_order(&mut self, now: Instant, order: Order) {
        let run = &mut self.runs[0];
        match order {
            Order::Reserve(block) => {
                (run.reserve_at, run.reserved) = (Some(now), false);
                let known = self.held.is_some_and(|(held, sure)| sure && held == block);
                self.held = Some((block, known));
            }
            Order::Unreserve(_) => self.held = None,
            Order::Spawn { program, .. } => {
                (run.spawn_at, run.program) = (Some(now), Some(program));
            }
            Order::AwaitReady => run.await_at = Some(now),
            Order::Watch => run.watched = true,
            Order::CheckUse { ordered, .. } => {
                run.older_check = run.check_at;
                (run.check_at, run.check_void) = (Some(ordered), false);
            }
            Order::Flush => run.flush_at = Some(now),
            Order::Signal(_) => run.signal_at = Some(now),
            Order::Kill => run.kill_at = Some(now),
            Order::Release => run.release_at = Some(now),
        }
    }

    fn book_event(&mut self, now: Instant, event: Event) {
        if let Event::Restarting { delay, .. } = event {
            self.restart_at = Some(now + delay);
        }
        if let Event::Failed(parked) = event {
            self.parked = Some(parked);
        }
        if let Event::Restarting { cause, .. } | Event::Failed(Parked { last: cause, .. }) = event
            && cause == worker_core::DownCause::SpawnFailed(SpawnFailure::NoPorts)
            && !self.counted
        {
            self.note_failure(now, cause);
        }
    }

    pub(crate) fn note_failure(&mut self, at: Instant, cause: DownCause) {
        (self.cause, self.counted) = (Some(cause), true);
        self.failures.push(Counted { at, launch: self.launch, cause });
    }

    /// How many consecutive failures there are, recomputed from the whole history.
    pub(crate) fn streak(&self, setup: &Setup) -> u32 {
        let mut streak = u32::from(!self.failures.is_empty());
        for pair in self.failures.windows(2) {
            let window = setup.options(pair[1].launch).restart.window;
            let gap = pair[1].at.since(pair[0].at);
            streak = if gap <= window { streak + 1 } else { 1 };
        }
        streak
    }

    pub(crate) fn wants_ports(&self, setup: &Setup) -> bool {
        setup.options(self.launch).ports != PortRequest::None
    }
}
