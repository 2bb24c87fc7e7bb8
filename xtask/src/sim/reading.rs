//! What the design makes of an input: a second reading of it, which shares nothing with the core.
//!
//! It moves the books of [`super::ledger`] on, and says which states are allowed afterwards and
//! which answers are due. What to order, the checkers work out from the books.

use worker_core::{
    Ask, DownCause, Exit, Input, Instant, OnCleanExit, Owner, PrepareFailure, Program, Report,
    RestartWhen, SpawnFailure, StateName,
};

use super::ledger::{Asked, Began, Ending, Ledger, Legacy, Must, Open, Run, Slot, States};
use super::promises::{Promise, promises};
use super::setup::Setup;

impl Ledger {
    /// Begins a call.
    pub(crate) fn begin(&mut self, now: Instant, setup: &Setup) {
        self.now = now;
        for slot in &mut self.slots[..setup.slots] {
            slot.may = States::of(slot.state());
            (slot.counted, slot.due) = (false, false);
        }
    }

    /// Lets the deadlines of all slots that are due take effect. Tells whether there were any.
    pub(crate) fn read_deadlines(&mut self, setup: &Setup) -> bool {
        let (now, shutting) = (self.now, self.shutting.is_some());
        let mut any = false;
        for slot in &mut self.slots[..setup.slots] {
            let mut due = [None; 4];
            let mut count = 0;
            promises(slot, setup, &mut |promise, at| {
                if at <= now && count < due.len() {
                    due[count] = Some((at, promise));
                    count += 1;
                }
            });
            due[..count].sort_unstable();
            for (_, promise) in due.into_iter().flatten() {
                any = true;
                slot.due = true;
                Reader { slot, setup, now, shutting }.deadline(promise);
            }
        }
        any
    }

    /// Reads an input. Tells whether the design makes it mean anything.
    pub(crate) fn read(&mut self, input: &Input, setup: &Setup) -> bool {
        let (now, shutting) = (self.now, self.shutting.is_some());
        match input {
            Input::Tick => false,
            Input::Request { slot, request, ask } => {
                let slot = &mut self.slots[usize::from(slot.get())];
                Reader { slot, setup, now, shutting }.request(request.get(), ask);
                true
            }
            Input::Report { slot, run, report } => {
                let slot = &mut self.slots[usize::from(slot.get())];
                let lives = slot.run().spawned_at.is_none();
                let heard = slot.live_run() == Some(run.get())
                    && Reader { slot, setup, now, shutting }.report(*report);
                slot.book_answer(run.get(), *report);
                self.lives += u64::from(heard && lives && slot.run().spawned_at.is_some());
                heard
            }
            Input::Shutdown { request, urgency } => {
                self.open_shutdowns.push(request.get());
                self.shutting = self.shutting.max(Some(*urgency));
                for slot in &mut self.slots[..setup.slots] {
                    Reader { slot, setup, now, shutting: true }.shutdown();
                }
                true
            }
        }
    }
}

/// One slot while something is being read.
struct Reader<'a> {
    slot: &'a mut Slot,
    setup: &'a Setup,
    now: Instant,
    shutting: bool,
}

impl Reader<'_> {
    fn run(&mut self) -> &mut Run {
        &mut self.slot.runs[0]
    }

    fn deadline(&mut self, promise: Promise) {
        if self.slot.run().ending.is_some()
            && matches!(
                promise,
                Promise::SpawnOverdue
                    | Promise::PrepareTimeout
                    | Promise::ReadyTimeout
                    | Promise::Healthy
                    | Promise::Idle
                    | Promise::CheckOverdue
            )
        {
            return;
        }
        match promise {
            Promise::SpawnOverdue => self.spawn_overdue(),
            Promise::PrepareTimeout => self.prepare_timeout(),
            Promise::ReadyTimeout => self.ready_timeout(),
            Promise::Healthy => self.slot.failures.clear(),
            Promise::Idle if self.slot.held.is_none() => self.end(Ending::Ordered, false),
            Promise::CheckOverdue => self.end(Ending::Ordered, false),
            Promise::Restart => self.begin_attempt(Began::Restart),
            Promise::FlushTimeout => self.run().flushed = true,
            Promise::Unkillable => self.unkillable(),
            Promise::Idle | Promise::GraceOver => {}
        }
    }

    fn spawn_overdue(&mut self) {
        if self.slot.run().spawn_at.is_none() {
            return self.start_failed(SpawnFailure::TimedOut);
        }
        self.slot.cause = Some(self.spawn_cause(SpawnFailure::TimedOut));
        if self.slot.began == Began::Start || !self.slot.run().is_main() {
            self.end(Ending::FailedStart, false);
        } else {
            self.fail(self.spawn_cause(SpawnFailure::TimedOut), false);
        }
    }

    fn prepare_timeout(&mut self) {
        let limit = self.setup.options(self.slot.launch).prepare.unwrap_or_default().timeout;
        self.slot.cause = Some(DownCause::PrepareFailed(PrepareFailure::TimedOut(limit)));
        self.end(Ending::FailedStart, false);
    }

    fn ready_timeout(&mut self) {
        let limit = self.setup.options(self.slot.launch).ready.unwrap_or_default().timeout;
        self.fail(DownCause::ReadyTimeout(limit), false);
    }

    fn spawn_cause(&self, failure: SpawnFailure) -> DownCause {
        match self.slot.run().program {
            Some(Program::Prepare) => DownCause::PrepareFailed(PrepareFailure::Spawn(failure)),
            Some(Program::Main) | None => DownCause::SpawnFailed(failure),
        }
    }

    fn unkillable(&mut self) {
        self.slot.unkillable = true;
        self.run().named = true;
        self.must(|open| (open.ask == Asked::Stop || open.queued).then_some(Must::Unkillable));
        if self.slot.is(StateName::Starting) {
            // A preparation that is done, and whose processes do not go.
            self.slot.cause = Some(DownCause::PrepareFailed(PrepareFailure::Unkillable));
            self.must(|_| Some(Must::StartFailed));
            self.run().ending = Some(Ending::FailedStart);
            self.slot.may = States::STOPPING;
        }
    }

    fn request(&mut self, request: u64, ask: &Ask) {
        let (asked, launch) = match ask {
            Ask::Start(launch) => (Asked::Start, Some(launch)),
            Ask::Restart(launch) => (Asked::Restart, Some(launch)),
            Ask::Resume(launch, _) => (Asked::Resume, Some(launch)),
            Ask::Stop => (Asked::Stop, None),
            Ask::Reset => (Asked::Reset, None),
            Ask::Touch => (Asked::Touch, None),
        };
        let launch = launch.map(|launch| usize::try_from(launch.id.get()).unwrap_or(0));
        let must = match asked {
            Asked::Start => self.start(launch),
            Asked::Restart => self.restart(launch),
            Asked::Resume => self.resume(launch.unwrap_or(self.slot.launch)),
            Asked::Stop => self.stop(),
            Asked::Reset => Some(self.reset()),
            Asked::Touch => Some(self.touch()),
        };
        let queued = asked == Asked::Restart && self.slot.run().may_live()
            || asked == Asked::Start && self.slot.is(StateName::Stopping);
        let launch = launch.unwrap_or(self.slot.launch);
        self.slot.open.push(Open { request, ask: asked, launch, queued, must });
    }

    fn start(&mut self, launch: Option<usize>) -> Option<Must> {
        if self.shutting {
            return Some(Must::RefusedShuttingDown);
        }
        match self.slot.state() {
            None | Some(StateName::Error) => self.begin_from_rest(launch),
            Some(StateName::Restarting) => self.begin_attempt(Began::Restart),
            Some(StateName::Starting) => {}
            Some(StateName::Running) => {
                self.note_use(self.now);
                return Some(Must::Started);
            }
            Some(StateName::Stopping) => {
                return self.slot.unkillable.then_some(Must::Unkillable);
            }
            Some(StateName::Failed) => return Some(Must::RefusedParked),
        }
        None
    }

    fn restart(&mut self, launch: Option<usize>) -> Option<Must> {
        if self.shutting {
            return Some(Must::RefusedShuttingDown);
        }
        if self.slot.is(StateName::Failed) {
            return Some(Must::RefusedParked);
        }
        if self.slot.unkillable {
            self.end(Ending::Ordered, false);
            return Some(Must::Unkillable);
        }
        self.cancel();
        if self.slot.run().may_live() {
            self.end(Ending::Ordered, false);
        } else {
            self.slot.failures.clear();
            self.begin_from_rest(launch);
        }
        None
    }

    /// As if the tree of the last run were gone just now, and a start were queued.
    fn resume(&mut self, launch: usize) -> Option<Must> {
        if self.shutting {
            return Some(Must::RefusedShuttingDown);
        }
        if self.slot.is(StateName::Failed) {
            return Some(Must::RefusedParked);
        }
        if self.slot.state().is_some() {
            return Some(Must::RefusedNotAtRest);
        }
        let restart = self.setup.options(launch).restart;
        let was_parked = self.slot.legacy.as_ref().is_some_and(|legacy| legacy.parked.is_some());
        if restart.when == RestartWhen::Never && !was_parked {
            return Some(Must::RefusedNeverRestarted);
        }
        self.inherit();
        self.slot.launch = launch;
        if was_parked || self.slot.streak(self.setup) >= restart.max_failures {
            (self.slot.may, self.slot.counted) = (States::FAILED, true);
            return Some(Must::RefusedParked);
        }
        self.begin_attempt(Began::Resume);
        None
    }

    fn inherit(&mut self) {
        let legacy = self.slot.legacy.take().unwrap_or_default();
        let Legacy { failures, parked, spawns, past: _ } = legacy;
        self.slot.cause = failures.last().map(|failure| failure.cause);
        (self.slot.failures, self.slot.parked, self.slot.spawns) = (failures, parked, spawns);
    }

    fn stop(&mut self) -> Option<Must> {
        if self.slot.unkillable {
            self.end(Ending::Ordered, false);
            return Some(Must::Unkillable);
        }
        self.cancel();
        if self.slot.run().may_live() {
            self.end(Ending::Ordered, false);
            return None;
        }
        self.drop_slot();
        Some(Must::Stopped)
    }

    fn reset(&mut self) -> Must {
        if !self.slot.is(StateName::Failed) {
            return Must::RefusedNotParked;
        }
        self.drop_slot();
        Must::Reset
    }

    fn touch(&mut self) -> Must {
        if !self.slot.is(StateName::Starting) && !self.slot.is(StateName::Running) {
            return Must::RefusedNoLiveRun;
        }
        self.note_use(self.now);
        Must::Touched
    }

    fn shutdown(&mut self) {
        self.cancel();
        if self.slot.run().may_live() {
            self.end(Ending::Ordered, false);
        } else if !self.slot.is(StateName::Failed) && !self.slot.is(StateName::Error) {
            self.drop_slot();
        }
    }

    fn report(&mut self, report: Report) -> bool {
        match report {
            Report::Reserved => self.run().reserve_at.is_some() && self.reserved(),
            Report::PortsBusy => self.run().reserve_at.is_some() && self.ports_busy(),
            Report::Spawned => self.spawned(),
            Report::SpawnFailed(failure) => self.spawn_failed(failure),
            Report::Ready(owner) => self.ready(owner),
            Report::Alive(answered) => self.alive(answered),
            Report::Memory(bytes) => self.memory(bytes),
            Report::UseChecked { ordered, in_use } => self.use_checked(ordered, in_use),
            Report::Leased => self.leased(),
            Report::Returned => self.returned(),
            Report::Evict => self.evict(),
            Report::Flushed => !std::mem::replace(&mut self.run().flushed, true),
            Report::LeaderExited(exit) => self.leader_exited(exit),
            Report::TreeGone { .. } => self.tree_gone(),
        }
    }

    fn reserved(&mut self) -> bool {
        self.run().reserved = true;
        if let Some((_, sure)) = &mut self.slot.held {
            *sure = true;
        }
        true
    }

    /// The next block, or none is left.
    fn ports_busy(&mut self) -> bool {
        self.slot.busy.extend(self.slot.held.map(|(block, _)| block));
        if self.slot.held.is_some_and(|(_, sure)| !sure) {
            self.slot.held = None;
        }
        self.may_lack_ports();
        true
    }

    fn spawned(&mut self) -> bool {
        let now = self.now;
        let ready = self.setup.options(self.slot.launch).ready;
        let run = self.run();
        if run.spawned_at.is_some() {
            return false;
        }
        run.spawned_at = Some(now);
        run.spawned_late = run.ending.is_some();
        self.slot.unkillable = false;
        self.slot.spawns += u32::from(self.slot.run().is_main());
        let run = self.slot.run();
        if run.is_main() && run.ending.is_none() && ready.is_none() {
            self.become_ready();
        }
        true
    }

    fn become_ready(&mut self) {
        let now = self.now;
        let run = self.run();
        (run.ready_at, run.used) = (Some(now), Some((now, now)));
        self.slot.may = States::RUNNING;
        self.must(|open| (!open.queued && open.ask != Asked::Stop).then_some(Must::Started));
    }

    fn spawn_failed(&mut self, failure: SpawnFailure) -> bool {
        self.run().spawn_failed = true;
        if self.slot.run().ending.is_some() {
            self.after_the_tree();
        } else {
            self.start_failed(failure);
        }
        true
    }

    /// No process came of it.
    fn start_failed(&mut self, failure: SpawnFailure) {
        let cause = self.spawn_cause(failure);
        if self.slot.began == Began::Start || self.slot.run().program == Some(Program::Prepare) {
            (self.slot.may, self.slot.cause) = (States::ERROR, Some(cause));
        } else {
            self.slot.note_failure(self.now, cause);
            self.slot.may = self.after_failure();
        }
        let parked = self.slot.may == States::FAILED;
        let due = if parked { Must::Parked } else { Must::StartFailed };
        self.must(|open| (!open.queued).then_some(due));
    }

    fn ready(&mut self, owner: Owner) -> bool {
        self.run().ready_said = true;
        let any = self.setup.options(self.slot.launch).ready.is_some_and(|ready| ready.any_owner);
        let run = self.slot.run();
        let asked = run.await_at.is_some() && run.ready_at.is_none() && run.ending.is_none();
        if !asked || owner == Owner::Stranger && !any {
            return false;
        }
        self.become_ready();
        true
    }

    fn alive(&mut self, answered: bool) -> bool {
        let Some(alive) = self.setup.options(self.slot.launch).alive else { return false };
        if !self.is_well() {
            return false;
        }
        self.run().bad_probes = if answered { 0 } else { self.slot.run().bad_probes + 1 };
        if self.slot.run().bad_probes >= alive.failures {
            let probes = self.slot.run().bad_probes;
            self.fail(DownCause::Unresponsive(probes), false);
        }
        true
    }

    fn memory(&mut self, bytes: u64) -> bool {
        let limit = self.setup.options(self.slot.launch).memory_limit;
        let Some(limit) = limit.filter(|limit| bytes > *limit && self.is_well()) else {
            return false;
        };
        self.fail(DownCause::MemoryBreach { bytes, limit }, false);
        true
    }

    fn is_well(&self) -> bool {
        self.slot.run().ready_at.is_some() && self.slot.run().ending.is_none()
    }

    fn use_checked(&mut self, ordered: Instant, in_use: bool) -> bool {
        let well = self.is_well();
        let run = self.run();
        if run.older_check == Some(ordered) {
            run.older_check = None;
        }
        if run.check_at != Some(ordered) {
            return false;
        }
        run.check_at = None;
        if run.check_void || !well {
            return false;
        }
        if in_use {
            self.note_use(ordered);
        } else {
            self.end(Ending::Ordered, false);
        }
        true
    }

    /// The slot is used at some time from then until now.
    fn note_use(&mut self, since: Instant) {
        let now = self.now;
        let run = self.run();
        if run.ready_at.is_some() {
            run.used = Some((since, now));
            run.check_void = run.check_at.is_some();
        }
    }

    fn leased(&mut self) -> bool {
        self.run().leases += 1;
        self.note_use(self.now);
        true
    }

    fn returned(&mut self) -> bool {
        self.run().leases -= 1;
        self.note_use(self.now);
        true
    }

    fn evict(&mut self) -> bool {
        let well = self.is_well();
        if well {
            self.end(Ending::Ordered, false);
        }
        well
    }

    fn leader_exited(&mut self, exit: Exit) -> bool {
        let run = self.run();
        if run.exit.is_some() {
            return false;
        }
        run.exit = Some(exit);
        if run.spawned_at.is_none() {
            // An exit that overtakes the answer to its spawn says that there was a leader.
            self.spawned();
        }
        if self.slot.run().ending.is_none() {
            self.ended_by_itself(exit);
        }
        true
    }

    fn ended_by_itself(&mut self, exit: Exit) {
        let options = self.setup.options(self.slot.launch);
        let run = self.slot.run();
        let clean = run.ready_at.is_some() && exit.is_success();
        if run.program == Some(Program::Prepare) {
            let done = exit.is_success();
            if !done {
                let cause = DownCause::PrepareFailed(PrepareFailure::Exit(exit));
                self.slot.cause = Some(cause);
            }
            let ending = if done { Ending::Prepared } else { Ending::FailedStart };
            self.end(ending, true);
        } else if clean && options.restart.when == RestartWhen::OnFailure {
            self.end(Ending::Clean, true);
        } else if clean && options.restart.when == RestartWhen::Never {
            self.end(Ending::Final, true);
        } else if run.ready_at.is_some() {
            self.fail(DownCause::Exited(exit), true);
        } else {
            self.fail(DownCause::ExitedBeforeReady(exit), true);
        }
    }

    fn tree_gone(&mut self) -> bool {
        if self.slot.run().ending.is_none() {
            self.run().exit = Some(Exit::Unknown);
            self.ended_by_itself(Exit::Unknown);
        }
        self.run().gone = true;
        self.after_the_tree();
        true
    }

    /// A failure of a run that had a leader, or should have one.
    fn fail(&mut self, cause: DownCause, dead: bool) {
        self.slot.note_failure(self.now, cause);
        let last = self.setup.options(self.slot.launch).restart.when == RestartWhen::Never;
        self.end(if last { Ending::Final } else { Ending::Failure }, dead);
    }

    fn end(&mut self, ending: Ending, dead: bool) {
        let now = self.now;
        let run = self.run();
        let first = run.ending.is_none();
        let prepared = run.ending == Some(Ending::Prepared);
        if first || ending == Ending::Ordered && run.ending != Some(Ending::Clean) {
            run.ending = Some(ending);
        }
        if first {
            (run.dead_first, run.ended_at) = (dead, Some(now));
        }
        if !prepared && first || prepared && ending == Ending::Ordered {
            let stays = ending == Ending::Prepared;
            self.slot.may = if stays { States::STARTING } else { States::STOPPING };
        }
        if first && ending == Ending::Failure && self.after_failure() == States::FAILED {
            self.await_parking();
        } else if first && ending != Ending::Prepared && ending != Ending::Ordered {
            self.must(|open| (!open.queued).then_some(Must::StartFailed));
        }
    }

    /// Whoever waits for an attempt that trips the breaker hears so when the slot is parked.
    fn await_parking(&mut self) {
        for open in self.slot.open.iter_mut().filter(|open| open.must.is_none()) {
            open.queued = true;
        }
    }

    /// Nothing of the run is left: on along its path.
    fn after_the_tree(&mut self) {
        self.slot.unkillable = false;
        self.must(|open| (open.ask == Asked::Stop).then_some(Must::Stopped));
        let queued = !self.shutting && self.slot.queue().next().is_some();
        match self.slot.run().ending {
            Some(Ending::Prepared) => {
                self.slot.may = States::STARTING;
                self.may_lack_ports();
            }
            Some(Ending::Failure) => {
                self.slot.may = self.after_failure();
                let parked = self.slot.may == States::FAILED;
                if queued && parked {
                    self.must(|open| open.queued.then_some(Must::Parked));
                } else if queued {
                    self.serve_queue(false);
                }
            }
            Some(Ending::FailedStart) if !queued => self.slot.may = States::ERROR,
            Some(Ending::FailedStart) => self.serve_queue(true),
            Some(Ending::Ordered | Ending::Clean | Ending::Final) | None => {
                self.drop_slot();
                if queued {
                    self.serve_queue(true);
                }
            }
        }
    }

    /// The first who asked says what to launch.
    fn serve_queue(&mut self, from_rest: bool) {
        let launch = self.slot.queue().next().map(|open| open.launch);
        for open in &mut self.slot.open {
            open.queued = false;
        }
        if from_rest {
            self.begin_from_rest(launch);
        } else {
            self.begin_attempt(Began::Restart);
        }
    }

    fn after_failure(&mut self) -> States {
        let max = self.setup.options(self.slot.launch).restart.max_failures;
        if self.slot.streak(self.setup) >= max { States::FAILED } else { States::RESTARTING }
    }

    fn begin_from_rest(&mut self, launch: Option<usize>) {
        self.slot.launch = launch.unwrap_or(self.slot.launch);
        self.slot.failures.clear();
        self.slot.spawns = 0;
        self.begin_attempt(Began::Start);
    }

    fn begin_attempt(&mut self, began: Began) {
        self.slot.began = began;
        self.slot.restart_at = None;
        self.slot.busy.clear();
        self.slot.may = States::STARTING;
        self.may_lack_ports();
    }

    /// Where ports are asked for and none are left, the attempt fails in the same call.
    fn may_lack_ports(&mut self) {
        if !self.slot.wants_ports(self.setup) {
            return;
        }
        let lacking = match self.slot.began {
            Began::Start => States::ERROR,
            Began::Restart | Began::Resume => States::RESTARTING.or(States::FAILED),
        };
        self.slot.may = States::STARTING.or(lacking);
    }

    fn drop_slot(&mut self) {
        self.slot.failures.clear();
        (self.slot.restart_at, self.slot.parked) = (None, None);
        self.slot.may = States::REST;
    }

    fn cancel(&mut self) {
        self.must(|open| (open.ask != Asked::Stop).then_some(Must::Cancelled));
    }

    fn must(&mut self, which: impl Fn(&Open) -> Option<Must>) {
        for open in &mut self.slot.open {
            if open.must.is_none() {
                open.must = which(open);
            }
        }
    }
}

/// Whether a clean exit leaves what the leader left behind.
pub(crate) fn leaves(setup: &Setup, slot: &Slot) -> bool {
    setup.options(slot.launch).on_clean_exit == OnCleanExit::Leave
}
