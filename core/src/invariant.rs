//! The rules that hold after every step, each a named predicate.
//!
//! [`Watcher::handle`] is [`Supervisor::handle`] with all of them checked, for tests, simulations
//! and debug builds. What only shows over several steps (that a signal is sent once, that a
//! request is answered once) is the business of whoever keeps a history.

use alloc::vec::Vec;
use core::fmt;

use crate::action::{Action, Event, Order, Outcome, StopReason};
use crate::id::{RunId, SlotId};
use crate::input::{Ask, Input, Owner, Report, Urgency};
use crate::past::Failures;
use crate::supervisor::Supervisor;
use crate::time::Instant;
use crate::view::{LastError, SlotView, StateName};
use crate::wakeup::{Wakeup, WakeupReason};

/// One step of a supervisor: what was, what came in, what went out, what is.
#[derive(Debug)]
pub struct Step<'a> {
    /// The instant of the step, as the supervisor reads it.
    pub now: Instant,
    /// What came in.
    pub input: &'a Input,
    /// The slots before the step.
    pub before: &'a [(SlotId, SlotView)],
    /// Whether a shutdown had begun before the step.
    pub shutting_down: bool,
    /// What went out.
    pub actions: &'a [Action],
    /// The slots after the step.
    pub after: &'a [(SlotId, SlotView)],
    /// The next wake-up after the step.
    pub next_wakeup: Option<Wakeup>,
    /// How many blocks of ports are handed out after the step.
    pub blocks_taken: usize,
}

/// A predicate of one rule.
pub type Predicate = fn(&Step<'_>) -> bool;

/// The rules of the design by number, and the property that each of them demands of a single step.
pub const RULES: [(u8, &str, Predicate); 16] = [
    (1, "grace_is_real", grace_is_real),
    (2, "one_tree_per_slot", one_tree_per_slot),
    (3, "events_name_their_run", events_name_their_run),
    (4, "free_means_gone", free_means_gone),
    (4, "what_is_gone_is_not_killed", what_is_gone_is_not_killed),
    (5, "parked_stays_parked", parked_stays_parked),
    (5, "parked_is_resumed_as_parked", parked_is_resumed_as_parked),
    (6, "every_state_has_a_future", every_state_has_a_future),
    (6, "no_deadline_is_missed", no_deadline_is_missed),
    (7, "ports_are_owned", ports_are_owned),
    (8, "shutdown_wins", shutdown_wins),
    (9, "idle_is_about_this_run", idle_is_about_this_run),
    (10, "nothing_leaks", nothing_leaks),
    (10, "a_block_is_given_up_once", a_block_is_given_up_once),
    (11, "an_owner_that_cannot_be_read_is_accepted", an_owner_that_cannot_be_read_is_accepted),
    (12, "a_refusal_changes_nothing", a_refusal_changes_nothing),
];

/// A rule that a step broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number of the rule.
    pub rule: u8,
    /// The name of the predicate.
    pub name: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} is broken: {}", self.rule, self.name)
    }
}

/// The first rule that the step breaks.
///
/// # Errors
///
/// [`Broken`] names the rule.
pub fn check(step: &Step<'_>) -> Result<(), Broken> {
    match RULES.iter().find(|(_, _, holds)| !holds(step)) {
        None => Ok(()),
        Some(&(rule, name, _)) => Err(Broken { rule, name }),
    }
}

/// A supervisor whose every step is checked.
#[derive(Debug)]
pub struct Watcher {
    supervisor: Supervisor,
    now: Instant,
    before: Vec<(SlotId, SlotView)>,
    after: Vec<(SlotId, SlotView)>,
}

impl Watcher {
    /// Watches a supervisor.
    #[must_use]
    pub fn new(supervisor: Supervisor) -> Self {
        let after = supervisor.slots().collect();
        Self { supervisor, now: Instant::ZERO, before: Vec::new(), after }
    }

    /// The supervisor as it is now.
    #[must_use]
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// [`Supervisor::handle`], checked.
    ///
    /// # Errors
    ///
    /// [`Broken`] if the step broke a rule; it is done all the same.
    pub fn handle(
        &mut self,
        now: Instant,
        input: Input,
        actions: &mut Vec<Action>,
    ) -> Result<(), Broken> {
        self.now = self.now.max(now);
        core::mem::swap(&mut self.before, &mut self.after);
        let shutting_down = self.supervisor.is_shutting_down();
        let first = actions.len();
        self.supervisor.handle(now, input.clone(), actions);
        self.after.clear();
        self.after.extend(self.supervisor.slots());
        check(&Step {
            now: self.now,
            input: &input,
            before: &self.before,
            shutting_down,
            actions: &actions[first..],
            after: &self.after,
            next_wakeup: self.supervisor.next_wakeup(),
            blocks_taken: self.supervisor.blocks_taken(),
        })
    }
}

impl<'a> Step<'a> {
    fn view_before(&self, slot: SlotId) -> Option<&'a SlotView> {
        view_in(self.before, slot)
    }

    fn view_after(&self, slot: SlotId) -> Option<&'a SlotView> {
        view_in(self.after, slot)
    }

    fn state_before(&self, slot: SlotId) -> Option<StateName> {
        self.view_before(slot).map(|view| view.state)
    }

    /// Whether a deadline of the slot took effect before the input.
    fn was_due(&self, slot: SlotId) -> bool {
        let next = self.view_before(slot).and_then(|view| view.next);
        next.is_some_and(|next| next.at <= self.now)
    }

    fn orders(&self) -> impl Iterator<Item = (SlotId, RunId, Order)> + 'a {
        self.actions.iter().filter_map(|action| match *action {
            Action::Run { slot, run, order } => Some((slot, run, order)),
            Action::Answer { .. } | Action::Event { .. } => None,
        })
    }

    fn events(&self) -> impl Iterator<Item = (SlotId, Event)> + 'a {
        self.actions.iter().filter_map(|action| match *action {
            Action::Event { slot, event, .. } => Some((slot, event)),
            Action::Run { .. } | Action::Answer { .. } => None,
        })
    }

    fn report_of(&self, wanted: SlotId) -> Option<Report> {
        match *self.input {
            Input::Report { slot, run, report } => {
                let present = self.view_before(wanted).and_then(|view| view.run);
                (slot == wanted && present == Some(run)).then_some(report)
            }
            Input::Tick | Input::Request { .. } | Input::Shutdown { .. } => None,
        }
    }

    /// Whether the input says that nothing of the slot's present run is left, or ever was.
    fn says_gone(&self, slot: SlotId) -> bool {
        matches!(self.report_of(slot), Some(Report::TreeGone { .. } | Report::SpawnFailed(_)))
    }
}

/// The slots stand by number.
fn view_in(slots: &[(SlotId, SlotView)], slot: SlotId) -> Option<&SlotView> {
    let index = slots.binary_search_by_key(&slot, |(id, _)| *id).ok()?;
    slots.get(index).map(|(_, view)| view)
}

/// Rule 1: a tree that was signalled is left alone until its grace is over, or cut short by an
/// immediate shutdown.
fn grace_is_real(step: &Step<'_>) -> bool {
    let immediate = matches!(step.input, Input::Shutdown { urgency: Urgency::Immediate, .. });
    step.orders().filter(|(_, _, order)| matches!(order, Order::Signal(_) | Order::Kill)).all(
        |(slot, run, order)| {
            let before = step.view_before(slot).filter(|view| view.run == Some(run));
            let in_grace = before
                .and_then(|view| view.next)
                .is_some_and(|next| next.reason == WakeupReason::GraceOver);
            !in_grace || (order == Order::Kill && (step.was_due(slot) || immediate))
        },
    )
}

/// Rule 2: nothing is spawned while something of an earlier run may live.
fn one_tree_per_slot(step: &Step<'_>) -> bool {
    step.orders().filter(|(_, _, order)| matches!(order, Order::Spawn { .. })).all(
        |(slot, run, _)| match step.view_before(slot) {
            None => true,
            Some(view) => match view.state {
                StateName::Restarting | StateName::Error => true,
                StateName::Starting => {
                    view.run == Some(run)
                        || step.says_gone(slot)
                        || view.next.is_some_and(|next| next.reason == WakeupReason::SpawnOverdue)
                            && matches!(step.input, Input::Request { ask: Ask::Restart(_), .. })
                }
                StateName::Stopping => step.says_gone(slot),
                StateName::Running | StateName::Failed => false,
            },
        },
    )
}

/// Rule 3: what an older run reports changes nothing.
fn events_name_their_run(step: &Step<'_>) -> bool {
    let Input::Report { slot, run, .. } = *step.input else {
        return true;
    };
    let before = step.view_before(slot);
    let present = before.and_then(|view| view.run) == Some(run);
    present
        || step.was_due(slot)
        || (step.view_after(slot) == before && step.orders().all(|(other, _, _)| other != slot))
}

/// Rule 4: while a tree may live, its block is kept and its slot is not said to be stopped.
fn free_means_gone(step: &Step<'_>) -> bool {
    let emptied = |slot| {
        let stopping = step.state_before(slot) == Some(StateName::Stopping);
        !stopping || step.says_gone(slot)
    };
    let frees = step.orders().filter(|(_, _, order)| matches!(order, Order::Unreserve(_)));
    let stops = step.events().filter(|(_, event)| matches!(event, Event::Stopped));
    frees.map(|(slot, _, _)| slot).chain(stops.map(|(slot, _)| slot)).all(emptied)
        && step.before.iter().all(|&(slot, view)| {
            let left = step.view_after(slot).map(|after| after.state);
            view.state != StateName::Stopping
                || left == Some(StateName::Stopping)
                || step.says_gone(slot)
        })
}

/// Rule 4: the numbers of a tree that is gone may be somebody else's by now.
fn what_is_gone_is_not_killed(step: &Step<'_>) -> bool {
    let Input::Report { slot, run, report: Report::TreeGone { .. } } = *step.input else {
        return true;
    };
    let present = step.report_of(slot).is_some() && !step.was_due(slot);
    let aims = |order| matches!(order, Order::Kill | Order::Signal(_) | Order::Release);
    !present || !step.orders().any(|(_, of, order)| of == run && aims(order))
}

/// Rule 5: only `reset` and `stop` lead out of `failed`.
fn parked_stays_parked(step: &Step<'_>) -> bool {
    let released = |parked| matches!(step.input, Input::Request { slot, ask: Ask::Reset | Ask::Stop, .. } if *slot == parked);
    step.before
        .iter()
        .filter(|(_, view)| view.state == StateName::Failed)
        .all(|(slot, view)| released(*slot) || step.view_after(*slot) == Some(view))
}

/// Rule 5: what an earlier supervisor parked is parked in the same way, and nothing is done for it.
fn parked_is_resumed_as_parked(step: &Step<'_>) -> bool {
    let Input::Request { slot, ask: Ask::Resume(_, past), .. } = step.input else { return true };
    let Failures::Parked(parked) = past.failures else { return true };
    if step.shutting_down || step.view_before(*slot).is_some() {
        return true;
    }
    let error = step.view_after(*slot).and_then(|view| view.last_error);
    error == Some(LastError::Parked(parked)) && step.orders().all(|(of, _, _)| of != *slot)
}

/// Rule 6: a state that is not at rest has a live tree or a deadline.
fn every_state_has_a_future(step: &Step<'_>) -> bool {
    step.after.iter().all(|(_, view)| match view.state {
        StateName::Starting | StateName::Restarting => view.next.is_some(),
        StateName::Stopping => {
            view.next.is_some() || view.last_error == Some(LastError::Unkillable)
        }
        StateName::Running => view.run.is_some(),
        StateName::Error | StateName::Failed => view.next.is_none(),
    })
}

/// Rule 6: a tick leaves no deadline behind it, and the next wake-up is the earliest there is.
fn no_deadline_is_missed(step: &Step<'_>) -> bool {
    let next = step.next_wakeup;
    let earliest = step.after.iter().filter_map(|(_, view)| view.next).min();
    next.map(|next| next.at) == earliest.map(|next| next.at)
        && (*step.input != Input::Tick || next.is_none_or(|next| next.at > step.now))
}

/// Rule 7: no two slots have a port in common, a run is spawned on its slot's block, and no
/// stranger's answer makes a run ready unless somebody said that any owner will do.
fn ports_are_owned(step: &Step<'_>) -> bool {
    let mut blocks: Vec<_> = step.after.iter().filter_map(|(_, view)| view.block).collect();
    blocks.sort_unstable();
    let disjoint = blocks.windows(2).all(|pair| !pair[0].overlaps(pair[1]));
    let spawned_on = |slot| step.view_after(slot).and_then(|view| view.block);
    disjoint
        && step.orders().all(|(slot, _, order)| match order {
            Order::Spawn { block, .. } => block == spawned_on(slot),
            Order::Reserve(_)
            | Order::Unreserve(_)
            | Order::AwaitReady
            | Order::Watch
            | Order::CheckUse { .. }
            | Order::Flush
            | Order::Signal(_)
            | Order::Kill
            | Order::Release => true,
        })
}

/// Rule 8: once a shutdown began, nothing is spawned or reserved.
fn shutdown_wins(step: &Step<'_>) -> bool {
    let begins = |order| matches!(order, Order::Spawn { .. } | Order::Reserve(_));
    !step.shutting_down || !step.orders().any(|(_, _, order)| begins(order))
}

/// Rule 9: an idle stop follows a deadline of this very run, or the check that it ordered.
fn idle_is_about_this_run(step: &Step<'_>) -> bool {
    let idle = |event| matches!(event, Event::Stopping(StopReason::Idle));
    step.events().filter(|&(_, event)| idle(event)).all(|(slot, _)| {
        let running = step.state_before(slot) == Some(StateName::Running);
        let unused = matches!(step.report_of(slot), Some(Report::UseChecked { in_use: false, .. }));
        running && (unused || step.was_due(slot))
    })
}

/// Rule 10: the ledger knows the blocks of the slots and no other.
fn nothing_leaks(step: &Step<'_>) -> bool {
    let kept = step.after.iter().filter(|(_, view)| view.block.is_some()).count();
    step.blocks_taken == kept
}

/// Rule 10: no block is given up twice in one step.
fn a_block_is_given_up_once(step: &Step<'_>) -> bool {
    let given_up = |(_, run, order)| {
        if let Order::Unreserve(block) = order { Some((run, block)) } else { None }
    };
    let mut blocks: Vec<_> = step.orders().filter_map(given_up).collect();
    blocks.sort_unstable();
    blocks.windows(2).all(|pair| pair[0] != pair[1])
}

/// Rule 11: who answered a readiness probe cannot be read everywhere, and that fails no start.
fn an_owner_that_cannot_be_read_is_accepted(step: &Step<'_>) -> bool {
    let Input::Report { slot, report: Report::Ready(Owner::Unknown), .. } = *step.input else {
        return true;
    };
    let booting = step.report_of(slot).is_some()
        && step
            .view_before(slot)
            .and_then(|view| view.next)
            .is_some_and(|next| next.reason == WakeupReason::ReadyTimeout && next.at > step.now);
    !booting || step.view_after(slot).is_some_and(|view| view.state == StateName::Running)
}

/// Rule 12: what is refused leaves no trace, but that a resumed slot may be parked.
fn a_refusal_changes_nothing(step: &Step<'_>) -> bool {
    let Input::Request { slot, request, ref ask } = *step.input else {
        return true;
    };
    let refused = step.actions.iter().any(|action| {
        matches!(action, Action::Answer { request: answered, outcome: Outcome::Refused(_) }
            if *answered == request)
    });
    let resumed = matches!(ask, Ask::Resume(..)) && step.view_before(slot).is_none();
    let parked = step.view_after(slot).is_some_and(|view| view.state == StateName::Failed);
    !refused
        || step.was_due(slot)
        || step.view_after(slot) == step.view_before(slot)
        || resumed && parked
}
