//! One file per property. Each sees the books, the call and its actions, and nothing of the core.

pub(crate) mod answers;
pub(crate) mod backoff;
pub(crate) mod breaker;
pub(crate) mod causes;
pub(crate) mod events;
pub(crate) mod free_means_gone;
pub(crate) mod future;
pub(crate) mod grace;
pub(crate) mod idle;
pub(crate) mod leaks;
pub(crate) mod named_runs;
pub(crate) mod one_tree;
pub(crate) mod orders;
pub(crate) mod parked;
pub(crate) mod pasts;
pub(crate) mod ports;
pub(crate) mod readiness;
pub(crate) mod refusals;
pub(crate) mod shutdown;
pub(crate) mod states;
pub(crate) mod views;

use worker_core::{Action, Ask, Failures, Input, SlotView, StateName};

use super::ledger::{Ledger, Slot};
use super::setup::{SLOTS, Setup};

/// A sentence of the design that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// Where the design says so.
    pub(crate) cites: &'static str,
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    pub(crate) slot: usize,
    pub(crate) why: String,
}

pub(crate) type Verdict = Result<(), Broken>;

/// One call of the supervisor, as the checkers see it.
pub(crate) struct Scene<'a> {
    pub(crate) setup: &'a Setup,
    /// The books, with the input in it, and every action before the one that is looked at.
    pub(crate) ledger: &'a Ledger,
    pub(crate) input: &'a Input,
    /// The slot that the input is about.
    pub(crate) slot: Option<usize>,
    /// The design makes the input mean something.
    pub(crate) heard: bool,
    /// Deadlines took effect before the input.
    pub(crate) deadlines: bool,
    pub(crate) before: &'a [Option<SlotView>; SLOTS],
    pub(crate) actions: &'a [Action],
    pub(crate) wakeup: Option<worker_core::Wakeup>,
}

impl Scene<'_> {
    /// Calls the check for each slot.
    fn each(&self, check: impl Fn(usize, &Slot) -> Verdict) -> Verdict {
        let mut slots = self.ledger.slots[..self.setup.slots].iter().enumerate();
        slots.try_for_each(|(number, slot)| check(number, slot))
    }

    fn state_before(&self, slot: usize) -> Option<StateName> {
        self.before[slot].map(|view| view.state)
    }

    /// The slot was parked under an earlier supervisor, and this one is told so.
    fn resumes_as_parked(&self, slot: usize) -> bool {
        let Input::Request { ask: Ask::Resume(_, past), .. } = self.input else { return false };
        let parked = matches!(past.failures, Failures::Parked(_));
        let rests = self.state_before(slot).is_none() && self.ledger.shutting.is_none();
        parked && rests && self.slot == Some(slot)
    }

    /// Neither this slot's deadlines nor the input had anything to do with it.
    fn is_still(&self) -> bool {
        !self.heard && !self.deadlines
    }
}

/// Fails unless the condition holds.
fn must(holds: bool, rule: Rule, slot: usize, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Broken { rule, slot, why: why() }) }
}

/// Looks at one action, before it is booked.
pub(crate) fn check_action(scene: &Scene<'_>, action: &Action) -> Verdict {
    named_runs::action(scene, action)?;
    parked::action(scene, action)?;
    refusals::action(scene, action)?;
    match *action {
        Action::Run { slot, run, order } => {
            let slot = usize::from(slot.get());
            shutdown::order(scene, slot, order)?;
            one_tree::order(scene, slot, run, order)?;
            named_runs::order(scene, slot, run, order)?;
            grace::order(scene, slot, order)?;
            backoff::order(scene, slot, order)?;
            idle::order(scene, slot, order)?;
            free_means_gone::order(scene, slot, order)?;
            ports::order(scene, slot, run, order)?;
            orders::order(scene, slot, run, order)
        }
        Action::Answer { request, outcome } => {
            causes::answer(scene, request, outcome)?;
            answers::answer(scene, request, outcome)
        }
        Action::Event { slot, run, event } => {
            let slot = usize::from(slot.get());
            idle::event(scene, slot, event)?;
            readiness::event(scene, slot, event)?;
            free_means_gone::event(scene, slot, event)?;
            breaker::event(scene, slot, event)?;
            causes::event(scene, slot, event)?;
            backoff::event(scene, slot, event)?;
            ports::event(scene, slot, event)?;
            events::event(scene, slot, run, event)
        }
    }
}

/// Looks at what a call left behind, when everything is booked.
pub(crate) fn check_after(scene: &Scene<'_>) -> Verdict {
    named_runs::after(scene)?;
    refusals::after(scene)?;
    parked::after(scene)?;
    shutdown::after(scene)?;
    readiness::after(scene)?;
    grace::after(scene)?;
    one_tree::after(scene)?;
    free_means_gone::after(scene)?;
    breaker::after(scene)?;
    pasts::after(scene)?;
    backoff::after(scene)?;
    idle::after(scene)?;
    ports::after(scene)?;
    leaks::after(scene)?;
    orders::after(scene)?;
    causes::after(scene)?;
    states::after(scene)?;
    answers::after(scene)?;
    views::after(scene)?;
    events::after(scene)?;
    future::after(scene)
}
