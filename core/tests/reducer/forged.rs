//! The predicates of `worker_core::invariant` are shown to bite: each is handed a step that no
//! supervisor makes, and says no; and the honest step beside it, to which it says yes.

use worker_core::invariant::{Broken, Step, check};
use worker_core::{
    Action, Ask, Block, Event, Input, Instant, LastError, Order, Outcome, Owner, PortRequest,
    Program, ReadyOptions, Refusal, Report, RequestId, RestartOptions, RunId, Signal, SlotId,
    SlotOptions, SlotView, StateName, StopReason, Urgency, Wakeup, WakeupReason,
};

use crate::host::{CRASH, DB, Host, WEB, secs};

/// A step whose parts can be forged one by one.
struct Forged {
    now: Instant,
    input: Input,
    before: Vec<(SlotId, SlotView)>,
    shutting_down: bool,
    actions: Vec<Action>,
    after: Vec<(SlotId, SlotView)>,
    next_wakeup: Option<Wakeup>,
    blocks_taken: usize,
}

impl Forged {
    /// A step in which nothing happened, from and to what `host` is now.
    fn on(host: Host) -> Self {
        let before: Vec<_> = host.supervisor().slots().collect();
        let next_wakeup = host.supervisor().next_wakeup();
        let blocks_taken = before.iter().filter(|(_, view)| view.block.is_some()).count();
        Self {
            now: host.now(),
            input: Input::Tick,
            shutting_down: false,
            actions: Vec::new(),
            after: before.clone(),
            before,
            next_wakeup,
            blocks_taken,
        }
    }

    fn order(mut self, order: Order) -> Self {
        let run = self.before_run();
        self.actions.push(Action::Run { slot: WEB, run, order });
        self
    }

    fn event(mut self, event: Event) -> Self {
        self.actions.push(Action::Event { slot: WEB, run: None, event });
        self
    }

    fn report(mut self, report: Report) -> Self {
        self.input = Input::Report { slot: WEB, run: self.before_run(), report };
        self
    }

    fn ask(mut self, ask: Ask) -> Self {
        self.input = Input::Request { slot: WEB, request: RequestId::new(1), ask };
        self
    }

    fn answer(mut self, outcome: Outcome) -> Self {
        self.actions.push(Action::Answer { request: RequestId::new(1), outcome });
        self
    }

    /// As if the slot had been so before the step.
    fn before(mut self, forge: impl Fn(&mut SlotView)) -> Self {
        self.before.iter_mut().filter(|(slot, _)| *slot == WEB).for_each(|(_, view)| forge(view));
        self
    }

    /// As if the slot were so after the step. Its next deadline is that of all.
    fn after(mut self, forge: impl Fn(&mut SlotView)) -> Self {
        self.after.iter_mut().filter(|(slot, _)| *slot == WEB).for_each(|(_, view)| forge(view));
        self.next_wakeup = self.after.iter().filter_map(|(_, view)| view.next).min();
        self
    }

    fn before_run(&self) -> RunId {
        let web = self.before.iter().find(|(slot, _)| *slot == WEB);
        web.and_then(|(_, view)| view.run).unwrap_or(RunId::new(99))
    }

    fn check(&self) -> Result<(), Broken> {
        check(&Step {
            now: self.now,
            input: &self.input,
            before: &self.before,
            shutting_down: self.shutting_down,
            actions: &self.actions,
            after: &self.after,
            next_wakeup: self.next_wakeup,
            blocks_taken: self.blocks_taken,
        })
    }

    #[track_caller]
    fn breaks(self, name: &str) {
        assert_eq!(self.check().map_err(|broken| broken.name), Err(name));
    }

    #[track_caller]
    fn holds(self) {
        assert_eq!(self.check(), Ok(()));
    }
}

fn running() -> Host {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { ports: PortRequest::Auto(2), ..SlotOptions::default() });
    host
}

fn in_grace() -> Host {
    let mut host = running();
    host.stop(WEB);
    host
}

fn parked() -> Host {
    let mut host = Host::new();
    let restart = RestartOptions { max_failures: 1, ..RestartOptions::default() };
    host.up(WEB, SlotOptions { restart, ..SlotOptions::default() });
    host.crash(WEB, CRASH);
    host
}

fn wakeup(at: Instant, reason: WakeupReason) -> Option<Wakeup> {
    Some(Wakeup { at, slot: WEB, reason })
}

const SPAWN: Order =
    Order::Spawn { launch: worker_core::LaunchId::new(1), program: Program::Main, block: None };
const GONE: Report = Report::TreeGone { killed: 0, left: 0 };

#[test]
fn a_broken_rule_is_named_by_number_and_name() {
    let broken = Forged::on(in_grace()).order(Order::Kill).check().unwrap_err();
    assert_eq!(broken.to_string(), "rule 1 is broken: grace_is_real");
}

#[test]
fn a_step_in_which_nothing_happened_is_honest_in_every_state() {
    for host in [Host::new(), running(), in_grace(), parked()] {
        Forged::on(host).holds();
    }
}

#[test]
fn grace_is_real_bites() {
    Forged::on(in_grace()).order(Order::Kill).breaks("grace_is_real");
    Forged::on(in_grace()).order(Order::Signal(Signal::Term)).breaks("grace_is_real");
    // Once the grace is over there is a kill, but no second signal.
    let over = |host: Host| {
        let mut step = Forged::on(host);
        step.now = step.now + secs(5);
        step.input = Input::Request { slot: DB, request: RequestId::new(1), ask: Ask::Stop };
        step
    };
    over(in_grace()).order(Order::Kill).holds();
    over(in_grace()).order(Order::Signal(Signal::Term)).breaks("grace_is_real");
    // An immediate shutdown cuts it short, an orderly one does not.
    for (urgency, fine) in [(Urgency::Immediate, true), (Urgency::Orderly, false)] {
        let mut step = Forged::on(in_grace()).order(Order::Kill);
        step.input = Input::Shutdown { request: RequestId::new(1), urgency };
        assert_eq!(step.check().is_ok(), fine, "{urgency:?}");
    }
    // What was not in its grace may be killed.
    Forged::on(running()).order(Order::Kill).holds();
    // Another run of the slot has no grace.
    let step = Forged::on(in_grace()).order(Order::Kill);
    step.before(|view| view.run = Some(RunId::new(7))).holds();
}

#[test]
fn one_tree_per_slot_bites() {
    Forged::on(running()).order(SPAWN).breaks("one_tree_per_slot");
    Forged::on(parked()).order(SPAWN).breaks("one_tree_per_slot");
    Forged::on(in_grace()).order(SPAWN).breaks("one_tree_per_slot");
    Forged::on(in_grace())
        .order(SPAWN)
        .report(Report::LeaderExited(CRASH))
        .breaks("one_tree_per_slot");
    // A starting slot spawns its own run, and another one only when the first is gone, or when a
    // restart takes the place of a start that had no process yet.
    let starting = || {
        let mut host = Host::new();
        host.start(WEB);
        Forged::on(host)
    };
    starting().order(SPAWN).holds();
    let other = |step: Forged, reason| {
        let at = step.now + secs(10);
        let step = step.order(SPAWN);
        step.before(|view| {
            view.run = Some(RunId::new(7));
            view.next = wakeup(at, reason);
        })
    };
    other(starting(), WakeupReason::SpawnOverdue).breaks("one_tree_per_slot");
    let restart = |step: Forged| {
        let mut host = Host::new();
        let launch = host.launch(SlotOptions::default());
        step.ask(Ask::Restart(launch))
    };
    restart(other(starting(), WakeupReason::SpawnOverdue)).holds();
    restart(other(starting(), WakeupReason::ReadyTimeout)).breaks("one_tree_per_slot");
}

#[test]
fn events_name_their_run_bites() {
    let stale = |mut step: Forged| {
        step.input = Input::Report { slot: WEB, run: RunId::new(99), report: Report::Spawned };
        step
    };
    stale(Forged::on(running())).holds();
    stale(Forged::on(running()).order(Order::Watch)).breaks("events_name_their_run");
    stale(Forged::on(running()).before(|view| view.streak = 3)).breaks("events_name_their_run");
    // The present run's reports do things; and a deadline may take effect in the same step.
    Forged::on(running()).report(Report::Spawned).order(Order::Watch).holds();
    let due = |view: &mut SlotView| view.next = wakeup(Instant::ZERO, WakeupReason::Healthy);
    stale(Forged::on(running()).order(Order::Watch).before(due)).holds();
    // Another slot may be spoken of.
    let mut step = stale(Forged::on(running()));
    step.actions.push(Action::Run { slot: DB, run: RunId::new(1), order: Order::Watch });
    step.holds();
}

#[test]
fn free_means_gone_bites() {
    let block = Block::new(21_000, 2).unwrap();
    Forged::on(in_grace()).order(Order::Unreserve(block)).breaks("free_means_gone");
    Forged::on(in_grace()).event(Event::Stopped).breaks("free_means_gone");
    let left = || Forged::on(running()).before(|view| view.state = StateName::Stopping);
    left().breaks("free_means_gone");
    left().report(Report::LeaderExited(CRASH)).breaks("free_means_gone");
    // With the news that the tree is gone, or never was, all of it is fine.
    left().report(GONE).event(Event::Stopped).order(Order::Unreserve(block)).holds();
    left().report(Report::SpawnFailed(worker_core::SpawnFailure::Other)).holds();
    // Not stopping: nothing lives.
    Forged::on(running()).event(Event::Stopped).order(Order::Unreserve(block)).holds();
}

#[test]
fn what_is_gone_is_not_killed_bites() {
    for order in [Order::Kill, Order::Signal(Signal::Term), Order::Release] {
        Forged::on(running()).report(GONE).order(order).breaks("what_is_gone_is_not_killed");
    }
    Forged::on(running()).report(GONE).order(Order::Watch).holds();
    // Only the run that is gone is meant, and no deadline that took effect before.
    let mut step = Forged::on(running()).report(GONE);
    step.actions.push(Action::Run { slot: WEB, run: RunId::new(7), order: Order::Kill });
    step.holds();
    let due = |view: &mut SlotView| view.next = wakeup(Instant::ZERO, WakeupReason::Idle);
    Forged::on(running()).report(GONE).order(Order::Kill).before(due).holds();
    let mut stale = Forged::on(running());
    stale.input = Input::Report { slot: WEB, run: RunId::new(7), report: GONE };
    stale.actions.push(Action::Run { slot: DB, run: RunId::new(7), order: Order::Kill });
    stale.holds();
}

#[test]
fn parked_stays_parked_bites() {
    let left = || Forged::on(running()).before(|view| view.state = StateName::Failed);
    left().breaks("parked_stays_parked");
    left().ask(Ask::Touch).breaks("parked_stays_parked");
    left().ask(Ask::Reset).holds();
    left().ask(Ask::Stop).holds();
    let mut other = left();
    other.input = Input::Request { slot: DB, request: RequestId::new(1), ask: Ask::Reset };
    other.breaks("parked_stays_parked");
}

#[test]
fn no_deadline_is_missed_bites() {
    let mut step = Forged::on(in_grace());
    step.now = step.now + secs(5);
    step.breaks("no_deadline_is_missed");
    // The next wake-up is the earliest that there is.
    let mut step = Forged::on(in_grace());
    step.next_wakeup = None;
    step.breaks("no_deadline_is_missed");
    // Only a tick must leave none behind.
    let mut step = Forged::on(in_grace()).report(Report::Flushed);
    step.now = step.now + secs(5);
    step.holds();
}

#[test]
fn ports_are_owned_bites() {
    let spawn = |block| {
        let mut host = Host::new();
        host.start_with(WEB, SlotOptions { ports: PortRequest::Auto(2), ..SlotOptions::default() });
        let launch = worker_core::LaunchId::new(1);
        Forged::on(host).order(Order::Spawn { launch, program: Program::Main, block })
    };
    spawn(Block::new(21_000, 2)).holds();
    spawn(Block::new(21_002, 2)).breaks("ports_are_owned");
    spawn(None).breaks("ports_are_owned");
}

#[test]
fn shutdown_wins_bites() {
    let starting = |order| {
        let mut host = Host::new();
        host.start(WEB);
        Forged::on(host).order(order)
    };
    for order in [SPAWN, Order::Reserve(Block::new(21_000, 2).unwrap())] {
        let mut step = starting(order);
        step.shutting_down = true;
        step.breaks("shutdown_wins");
        starting(order).holds();
    }
    let mut step = starting(Order::Kill);
    step.shutting_down = true;
    step.holds();
}

#[test]
fn idle_is_about_this_run_bites() {
    let stopped = || Forged::on(running()).event(Event::Stopping(StopReason::Idle));
    let unused = Report::UseChecked { ordered: Instant::ZERO, in_use: false };
    let used = Report::UseChecked { ordered: Instant::ZERO, in_use: true };
    let due = |view: &mut SlotView| view.next = wakeup(Instant::ZERO, WakeupReason::Idle);
    stopped().breaks("idle_is_about_this_run");
    stopped().report(used).breaks("idle_is_about_this_run");
    stopped().report(unused).holds();
    stopped().before(due).holds();
    Forged::on(in_grace())
        .event(Event::Stopping(StopReason::Idle))
        .report(unused)
        .breaks("idle_is_about_this_run");
    Forged::on(running()).event(Event::Stopping(StopReason::Request)).holds();
}

#[test]
fn a_block_is_given_up_once_bites() {
    let block = Block::new(21_000, 2).unwrap();
    let twice = Forged::on(running()).order(Order::Unreserve(block));
    twice.order(Order::Unreserve(block)).breaks("a_block_is_given_up_once");
    let other = Forged::on(running()).order(Order::Unreserve(block));
    other.order(Order::Unreserve(Block::new(21_002, 2).unwrap())).holds();
}

#[test]
fn an_owner_that_cannot_be_read_is_accepted_bites() {
    let name = "an_owner_that_cannot_be_read_is_accepted";
    let booting = || {
        let mut host = Host::new();
        let ready = Some(ReadyOptions::default());
        host.up(WEB, SlotOptions { ready, ..SlotOptions::default() });
        Forged::on(host)
    };
    booting().report(Report::Ready(Owner::Unknown)).breaks(name);
    booting().report(Report::Ready(Owner::Stranger)).holds();
    // On a tie the deadline wins.
    let mut late = booting().report(Report::Ready(Owner::Unknown));
    late.now = late.now + secs(30);
    late.holds();
    let mut stale = booting();
    let report = Report::Ready(Owner::Unknown);
    stale.input = Input::Report { slot: WEB, run: RunId::new(99), report };
    stale.holds();
    let other = booting().report(Report::Ready(Owner::Unknown));
    other
        .before(|view| view.next = wakeup(Instant::from_millis(1), WakeupReason::GraceOver))
        .holds();
}

#[test]
fn a_refusal_changes_nothing_bites() {
    let refused = Outcome::Refused(Refusal::NotParked);
    let changed = |view: &mut SlotView| view.streak = 3;
    let step = || Forged::on(running()).ask(Ask::Reset);
    step().answer(refused).holds();
    step().answer(refused).before(changed).breaks("a_refusal_changes_nothing");
    step().answer(Outcome::Reset).before(changed).holds();
    let due = |view: &mut SlotView| view.next = wakeup(Instant::ZERO, WakeupReason::Healthy);
    step().answer(refused).before(due).holds();
    let mut other = step().before(changed);
    let request = RequestId::new(2);
    other.actions.push(Action::Answer { request, outcome: refused });
    other.holds();
}

/// A slot that was at rest is parked now, as `ask` may have it or not.
fn parked_by(ask: Ask) -> Forged {
    let mut step = Forged::on(parked()).ask(ask).answer(Outcome::Refused(Refusal::NotParked));
    step.before.clear();
    step
}

#[test]
fn a_refusal_that_parks_bites_unless_a_slot_is_resumed_from_rest() {
    let resume = || Ask::Resume(Host::new().launch(SlotOptions::default()), Box::default());
    parked_by(resume()).holds();
    parked_by(Ask::Reset).breaks("a_refusal_changes_nothing");
    let runs = |view: &mut SlotView| view.state = StateName::Running;
    let runs_on = |view: &mut SlotView| {
        (view.state, view.run) = (StateName::Running, Some(RunId::new(1)));
    };
    parked_by(resume()).after(runs_on).breaks("a_refusal_changes_nothing");
    let step = Forged::on(parked()).ask(resume()).answer(Outcome::Refused(Refusal::NotAtRest));
    step.before(runs).breaks("a_refusal_changes_nothing");
}

#[test]
fn parked_is_resumed_as_parked_bites() {
    let name = "parked_is_resumed_as_parked";
    let past = parked().view(WEB).past;
    let resume = || Ask::Resume(Host::new().launch(SlotOptions::default()), Box::new(past));
    let step = || parked_by(resume());
    step().holds();
    step().order(Order::Watch).breaks(name);
    let otherwise = |view: &mut SlotView| view.last_error = Some(LastError::Unkillable);
    step().after(otherwise).breaks(name);
    let mut dropped = step();
    dropped.after.clear();
    dropped.breaks(name);
    // Another slot's orders are not its own, and what is refused is not resumed.
    let mut other = step();
    other.actions.push(Action::Run { slot: DB, run: RunId::new(1), order: Order::Watch });
    other.holds();
    let mut shutting = step();
    shutting.after.clear();
    shutting.shutting_down = true;
    shutting.holds();
    Forged::on(parked()).ask(resume()).before(otherwise).after(otherwise).holds();
}

#[test]
fn every_state_has_a_future_bites() {
    let name = "every_state_has_a_future";
    let is = |state, next: Option<WakeupReason>| {
        Forged::on(running()).after(move |view| {
            view.state = state;
            view.next = next.and_then(|reason| wakeup(Instant::from_millis(1), reason));
        })
    };
    for (state, reason) in [
        (StateName::Starting, WakeupReason::SpawnOverdue),
        (StateName::Restarting, WakeupReason::Restart),
        (StateName::Stopping, WakeupReason::GraceOver),
    ] {
        is(state, None).breaks(name);
        is(state, Some(reason)).holds();
    }
    is(StateName::Stopping, None)
        .after(|view| view.last_error = Some(LastError::Unkillable))
        .holds();
    is(StateName::Running, None).after(|view| view.run = None).breaks(name);
    for state in [StateName::Error, StateName::Failed] {
        is(state, None).holds();
        is(state, Some(WakeupReason::Restart)).breaks(name);
    }
}

#[test]
fn nothing_leaks_bites() {
    let mut step = Forged::on(running());
    step.blocks_taken = 2;
    step.breaks("nothing_leaks");
    Forged::on(running()).after(|view| view.block = None).breaks("nothing_leaks");
}

#[test]
fn blocks_that_overlap_are_seen() {
    let mut step = Forged::on(running());
    let (_, view) = step.after[0];
    step.after.push((DB, SlotView { block: Block::new(21_001, 2), ..view }));
    step.blocks_taken = 2;
    step.breaks("ports_are_owned");
}
