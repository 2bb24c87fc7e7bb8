//! What a host, its processes and its users may do next, drawn at random.

use worker_core::{Exit, Instant, Owner, Report, Signal, SpawnFailure, StateName, Urgency};

use super::faults::{Fault, Faults};
use super::ledger::{Run, Slot};
use super::rng::Rng;
use super::script::{Act, Gap, Step};
use super::setup::MEMORY_LIMIT;
use super::world::World;

/// Acts with how often they are wanted.
pub(crate) struct Moves {
    acts: Vec<(Act, u64)>,
}

impl Moves {
    pub(crate) fn new() -> Self {
        Self { acts: Vec::with_capacity(64) }
    }

    pub(crate) fn draw(&mut self, world: &World<'_>, rng: &mut Rng) -> Step {
        let slot = u8::try_from(rng.below(world.setup.slots as u64)).unwrap_or(0);
        let faults = world.setup.faults;
        self.acts.clear();
        self.gather(&world.ledger.slots[usize::from(slot)], faults, rng);
        let act = self.pick(rng);
        Step { gap: gap(act, faults, rng), slot, act }
    }

    fn pick(&self, rng: &mut Rng) -> Act {
        let total = self.acts.iter().map(|(_, weight)| weight).sum();
        let mut left = rng.below(total);
        for (act, weight) in &self.acts {
            if left < *weight {
                return *act;
            }
            left -= weight;
        }
        Act::Tick
    }

    fn gather(&mut self, slot: &Slot, faults: Faults, rng: &mut Rng) {
        self.requests(slot, faults, rng);
        let run = slot.run();
        if slot.live_run().is_some() {
            self.boot(run, faults, rng);
            self.well(run, faults, rng);
            self.end(run, faults, rng);
        }
        self.twice_and_late(slot, faults, rng);
    }

    fn want(&mut self, act: Act, weight: u64) {
        if weight > 0 {
            self.acts.push((act, weight));
        }
    }

    fn say(&mut self, report: Report, weight: u64) {
        self.want(Act::Say { back: 0, report }, weight);
    }

    fn requests(&mut self, slot: &Slot, faults: Faults, rng: &mut Rng) {
        let launch = u8::from(faults.has(Fault::ChangedConfig) && rng.one_in(2));
        let many = if faults.has(Fault::ManyRequests) { 3 } else { 1 };
        let (start, reset, tick) = match slot.state() {
            None | Some(StateName::Error) => (40, 1, 2),
            Some(StateName::Failed) => (2, 12, 2),
            Some(StateName::Restarting) => (many, 1, 30),
            Some(StateName::Starting | StateName::Running | StateName::Stopping) => (many, 1, 6),
        };
        self.want(Act::Start(launch), start);
        self.want(Act::Tick, tick);
        let travels = faults.has(Fault::HandOver) && rng.one_in(64);
        self.want(Act::HandOver, if travels { 20 } else { 0 });
        if faults.has(Fault::Die) {
            let resumed = if slot.legacy.is_some() && slot.state().is_none() { 80 } else { 1 };
            self.want(Act::Resume(launch), resumed);
            let rare = if slot.is(StateName::Failed) { 8 } else { 32 };
            self.want(Act::Die, if rng.one_in(rare) { 20 } else { 0 });
        }
        self.want(Act::Stop, if faults.has(Fault::Stop) { many } else { 0 });
        self.want(Act::Restart(launch), if faults.has(Fault::Restart) { many } else { 0 });
        let parked = slot.is(StateName::Failed);
        self.want(Act::Reset, if parked || faults.has(Fault::Reset) { reset } else { 0 });
        self.want(Act::Touch, if faults.has(Fault::Touch) { many } else { 0 });
        if faults.has(Fault::Shutdown) && rng.one_in(60) {
            let now = faults.has(Fault::Immediate) && rng.one_in(2);
            self.want(Act::Shutdown(if now { Urgency::Immediate } else { Urgency::Orderly }), 10);
        }
    }

    fn boot(&mut self, run: &Run, faults: Faults, rng: &mut Rng) {
        if run.reserve_at.is_some() {
            let silent = faults.has(Fault::ReserveSilent);
            self.say(Report::Reserved, if silent { 1 } else { 30 });
            self.say(Report::PortsBusy, if faults.has(Fault::PortsBusy) { 8 } else { 0 });
        }
        if run.spawn_pending() {
            self.say(Report::Spawned, if faults.has(Fault::SpawnSilent) { 2 } else { 40 });
            let failure = rng.pick(&[SpawnFailure::NotFound, SpawnFailure::NoResources]);
            let fails = if faults.has(Fault::SpawnFails) { 6 } else { 0 };
            self.say(Report::SpawnFailed(failure), fails);
            let early = if faults.has(Fault::EarlyExit) { 2 } else { 0 };
            self.say(Report::LeaderExited(any_exit(rng)), early);
        }
        if run.await_at.is_some() && run.ready_at.is_none() && run.ending.is_none() {
            let owner = rng.pick(&[Owner::Own, Owner::Own, Owner::Unknown]);
            self.say(Report::Ready(owner), if faults.has(Fault::NeverReady) { 2 } else { 20 });
            let stranger = if faults.has(Fault::Stranger) { 4 } else { 0 };
            self.say(Report::Ready(Owner::Stranger), stranger);
            let crash = if faults.has(Fault::CrashAtBoot) { 12 } else { 0 };
            self.say(Report::LeaderExited(any_exit(rng)), crash);
        }
        if run.spawned_at.is_some() && !run.is_main() && run.exit.is_none() {
            self.say(Report::LeaderExited(Exit::Code(0)), 20);
            let fails = if faults.has(Fault::CrashAtBoot) { 4 } else { 0 };
            self.say(Report::LeaderExited(Exit::Code(1)), fails);
        }
    }

    fn well(&mut self, run: &Run, faults: Faults, rng: &mut Rng) {
        let weigh = |fault, weight| if faults.has(fault) { weight } else { 0 };
        if run.leases > 0 {
            self.say(Report::Returned, 4);
        }
        if run.spawned_at.is_some() {
            self.say(Report::Evict, weigh(Fault::Evict, 1));
            self.say(Report::Leased, weigh(Fault::Lease, 2));
        }
        if run.watched && !run.gone {
            self.say(Report::Alive(true), 1);
            self.say(Report::Alive(false), weigh(Fault::Unresponsive, 8));
            let bytes = MEMORY_LIMIT + rng.below(2);
            self.say(Report::Memory(bytes), weigh(Fault::Memory, 2));
        }
        if run.check_at.is_some() {
            let in_use = faults.has(Fault::InUse) && rng.one_in(2);
            let ordered = Instant::ZERO;
            self.say(Report::UseChecked { ordered, in_use }, 12);
        }
        if run.older_check.is_some() {
            let ordered = Instant::from_nanos(1);
            self.say(Report::UseChecked { ordered, in_use: false }, 4);
        }
        if run.ready_at.is_some() && run.ending.is_none() {
            self.say(Report::LeaderExited(bad_exit(rng)), weigh(Fault::Crash, 20));
            self.say(Report::LeaderExited(Exit::Code(0)), weigh(Fault::CleanExit, 4));
        }
        if run.has_tree() && run.ending.is_none() {
            let gone = Report::TreeGone { killed: 0, left: 0 };
            self.say(gone, weigh(Fault::LostExit, 2));
        }
    }

    fn end(&mut self, run: &Run, faults: Faults, rng: &mut Rng) {
        if run.flush_at.is_some() && !run.flushed {
            self.say(Report::Flushed, if faults.has(Fault::FlushSilent) { 2 } else { 16 });
        }
        if run.ending.is_none() || !run.has_tree() {
            return;
        }
        let killed = run.kill_at.is_some();
        let stubborn = if killed { Fault::Unkillable } else { Fault::IgnoresSignal };
        let weight = if faults.has(stubborn) { 2 } else { 30 };
        if run.exit.is_none() && (run.emptied() || rng.one_in(4)) {
            let exit = if killed { Exit::Signal(Signal::Kill) } else { any_exit(rng) };
            self.say(Report::LeaderExited(exit), weight);
        }
        let lost = faults.has(Fault::LostExit) && rng.one_in(8);
        if run.emptied() && (run.exit.is_some() || lost) {
            let killed = if killed { u32::try_from(rng.below(3)).unwrap_or(0) } else { 0 };
            let left = u32::from(run.release_at.is_some() && rng.one_in(2));
            self.say(Report::TreeGone { killed, left }, weight);
        }
    }

    fn twice_and_late(&mut self, slot: &Slot, faults: Faults, rng: &mut Rng) {
        let gone = Report::TreeGone { killed: 0, left: 0 };
        let exited = Report::LeaderExited(any_exit(rng));
        let ready = Report::Ready(Owner::Own);
        if faults.has(Fault::Twice) && rng.one_in(8) {
            let stranger = Report::Ready(Owner::Stranger);
            let again = [exited, exited, ready, stranger, Report::Spawned, Report::Flushed];
            let say = rng.pick(&again);
            let exit_seen = slot.run().exit.is_some();
            let first = matches!(say, Report::LeaderExited(_)) && !exit_seen
                || matches!(say, Report::Spawned) && slot.run().spawned_at.is_none();
            self.say(say, if first { 0 } else { 10 });
        }
        if faults.has(Fault::Late) && rng.one_in(8) {
            let back = 1 + u8::try_from(rng.below(2)).unwrap_or(0);
            let busy = Report::PortsBusy;
            let unwell = Report::Alive(false);
            let late = [
                exited,
                exited,
                gone,
                gone,
                ready,
                Report::Spawned,
                Report::Flushed,
                Report::Reserved,
                busy,
                Report::Evict,
                unwell,
            ];
            self.want(Act::Say { back, report: rng.pick(&late) }, 10);
        }
        if faults.has(Fault::Late) && slot.live_run().is_none() && rng.one_in(8) {
            self.say(rng.pick(&[exited, gone, ready, Report::Reserved, Report::Spawned]), 10);
        }
    }
}

fn any_exit(rng: &mut Rng) -> Exit {
    if rng.one_in(4) { Exit::Code(0) } else { bad_exit(rng) }
}

fn bad_exit(rng: &mut Rng) -> Exit {
    let kill = Exit::Signal(Signal::Kill);
    rng.pick(&[Exit::Code(1), Exit::Code(3), kill, Exit::Signal(Signal::Segv), Exit::Unknown])
}

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLI;

fn gap(act: Act, faults: Faults, rng: &mut Rng) -> Gap {
    if faults.has(Fault::SameInstant) && rng.one_in(4) {
        return Gap::Nanos(0);
    }
    if faults.has(Fault::ClockBack) && rng.one_in(32) {
        return Gap::Back(rng.below(SECOND));
    }
    if faults.has(Fault::ClockJump) && rng.one_in(32) {
        return Gap::Nanos(rng.below(1000) * SECOND);
    }
    let late = if faults.has(Fault::ClockJump) { 16 } else { 1 };
    match (act, rng.below(16)) {
        (Act::Tick, 0..13) => Gap::Wakeup(0),
        (Act::Tick, _) => Gap::Wakeup(rng.pick(&[-1, 1, 1000])),
        (_, 0) => Gap::Wakeup(rng.pick(&[-1, 0, 0, 1])),
        (_, 1) => Gap::Nanos(rng.below(3 * late) * SECOND),
        (_, 2..5) => Gap::Nanos(rng.below(2000) * MILLI),
        (_, _) => Gap::Nanos(rng.below(20) * MILLI),
    }
}
