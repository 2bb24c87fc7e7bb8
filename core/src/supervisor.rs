//! The reducer.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::action::{Action, Outcome, Refusal};
use crate::agenda::Agenda;
use crate::context::{Shared, Waiters};
use crate::id::{RequestId, RunId, SlotId};
use crate::input::{Ask, Input, Report, Urgency};
use crate::ledger::Ledger;
use crate::slot::{Slot, Step};
use crate::time::Instant;
use crate::view::SlotView;
use crate::wakeup::Wakeup;

/// What a supervisor is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// Where the jitter of the backoffs comes from.
    pub seed: u64,
    /// The ports that blocks are taken from. Default: 21000–24999, which lies outside of the usual
    /// ephemeral ranges.
    pub ports: RangeInclusive<u16>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, ports: 21_000..=24_999 }
    }
}

/// Many slots, one reducer: time and inputs in, actions out.
///
/// It is a value: it reads no clock, does nothing by itself, and given the same inputs at the same
/// instants it gives the same actions.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(from = "Saved"))]
pub struct Supervisor {
    /// The latest instant seen.
    now: Instant,
    shared: Shared,
    /// Who wants to hear that everything is at rest.
    shutdown_waiters: Waiters,
    /// By number; none for a slot at rest.
    slots: Vec<Option<Slot>>,
    /// The deadlines of `slots`, sorted.
    #[cfg_attr(feature = "serde", serde(skip))]
    agenda: Agenda,
}

impl Supervisor {
    /// A supervisor without slots.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { seed, ports } = settings;
        let ledger = Ledger::new(ports);
        Self {
            now: Instant::ZERO,
            shared: Shared { seed, last_run: 0, ledger, shutdown: None },
            shutdown_waiters: Waiters::new(),
            slots: Vec::new(),
            agenda: Agenda::default(),
        }
    }

    /// Lets every deadline up to `now` take effect, the oldest first, then the input; pushes what
    /// the host has to do.
    ///
    /// A `now` earlier than one seen before is read as the latest seen.
    pub fn handle(&mut self, now: Instant, input: Input, actions: &mut Vec<Action>) {
        self.now = self.now.max(now);
        self.run_deadlines(actions);
        match input {
            Input::Tick => {}
            Input::Request { slot, request, ask } => self.request(slot, request, ask, actions),
            Input::Report { slot, run, report } => self.report(slot, run, report, actions),
            Input::Shutdown { request, urgency } => self.shut_down(request, urgency, actions),
        }
    }

    /// When to call [`handle`](Self::handle) next, with [`Input::Tick`] if nothing else happens
    /// before. O(1).
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Wakeup> {
        let (_, slot) = self.agenda.earliest()?;
        self.slot(slot)?.next
    }

    /// The slot as it is now; none if it is at rest, which the core has no value for.
    #[must_use]
    pub fn slot(&self, slot: SlotId) -> Option<SlotView> {
        let entry = self.slots.get(usize::from(slot.get()))?;
        entry.as_ref().map(|entry| entry.view(slot))
    }

    /// The slots that are not at rest, by number.
    pub fn slots(&self) -> impl Iterator<Item = (SlotId, SlotView)> + '_ {
        (0..=u16::MAX)
            .map(SlotId::new)
            .zip(&self.slots)
            .filter_map(|(slot, entry)| Some((slot, entry.as_ref()?.view(slot))))
    }

    /// Whether a shutdown has begun, which is final.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.shared.shutdown.is_some()
    }

    /// How many blocks of ports are handed out.
    pub(crate) fn blocks_taken(&self) -> usize {
        self.shared.ledger.len()
    }

    fn run_deadlines(&mut self, actions: &mut Vec<Action>) {
        while let Some((at, slot)) = self.agenda.earliest() {
            if at > self.now {
                return;
            }
            self.step(slot, actions, |entry, step| entry?.on_deadline(step));
        }
    }

    fn request(&mut self, slot: SlotId, request: RequestId, ask: Ask, actions: &mut Vec<Action>) {
        let starts = matches!(ask, Ask::Start(_) | Ask::Restart(_) | Ask::Resume(..));
        if starts && self.shared.shutdown.is_some() {
            let outcome = Outcome::Refused(Refusal::ShuttingDown);
            actions.push(Action::Answer { request, outcome });
            return;
        }
        self.step(slot, actions, |entry, step| match entry {
            Some(entry) => entry.ask(step, request, ask),
            None => ask_at_rest(step, request, ask),
        });
    }

    fn report(&mut self, slot: SlotId, run: RunId, report: Report, actions: &mut Vec<Action>) {
        self.step(slot, actions, |entry, step| entry?.report(step, run, report));
    }

    fn shut_down(&mut self, request: RequestId, urgency: Urgency, actions: &mut Vec<Action>) {
        self.shutdown_waiters.push(request);
        let more_urgent = self.shared.shutdown < Some(urgency);
        self.shared.shutdown = self.shared.shutdown.max(Some(urgency));
        let told = if more_urgent { self.slots.len() } else { 0 };
        for (slot, _) in (0..=u16::MAX).map(SlotId::new).zip(0..told) {
            self.step(slot, actions, |entry, step| entry?.shut_down(step));
        }
        self.answer_shutdown(actions);
    }

    fn answer_shutdown(&mut self, actions: &mut Vec<Action>) {
        if self.shutdown_waiters.is_empty() || !self.slots.iter().flatten().all(Slot::is_settled) {
            return;
        }
        let unkillable = self.slots.iter().flatten().filter(|slot| slot.is_unkillable()).count();
        let outcome =
            Outcome::ShutDown { unkillable: u32::try_from(unkillable).unwrap_or(u32::MAX) };
        for request in core::mem::take(&mut self.shutdown_waiters) {
            actions.push(Action::Answer { request, outcome });
        }
    }

    /// One step of one slot, at rest or not; keeps the agenda current, and sees whether it was what
    /// a shutdown waited for.
    fn step(
        &mut self,
        slot: SlotId,
        actions: &mut Vec<Action>,
        to_next: impl FnOnce(Option<Slot>, Step<'_>) -> Option<Slot>,
    ) {
        let index = usize::from(slot.get());
        let entry = self.slots.get_mut(index).and_then(Option::take);
        let next = to_next(entry, Step { now: self.now, slot, shared: &mut self.shared, actions });
        if index >= self.slots.len() {
            if next.is_none() {
                return;
            }
            self.slots.resize_with(index + 1, || None);
        }
        self.agenda.set(slot, next.as_ref().and_then(Slot::wakeup).map(|(at, _)| at));
        self.slots[index] = next;
        self.answer_shutdown(actions);
    }
}

/// What a slot answers that the core has no value for.
fn ask_at_rest(step: Step<'_>, request: RequestId, ask: Ask) -> Option<Slot> {
    let outcome = match ask {
        Ask::Start(launch) | Ask::Restart(launch) => {
            return Some(Slot::start(step, request, launch));
        }
        Ask::Resume(launch, past) => return Slot::resume(step, request, launch, *past),
        Ask::Stop => Outcome::Stopped,
        Ask::Reset => Outcome::Refused(Refusal::NotParked),
        Ask::Touch => Outcome::Refused(Refusal::NoLiveRun),
    };
    step.actions.push(Action::Answer { request, outcome });
    None
}

/// A supervisor without what can be derived.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Saved {
    now: Instant,
    shared: Shared,
    shutdown_waiters: Waiters,
    slots: Vec<Option<Slot>>,
}

#[cfg(feature = "serde")]
impl From<Saved> for Supervisor {
    fn from(saved: Saved) -> Self {
        let Saved { now, shared, shutdown_waiters, slots } = saved;
        let mut agenda = Agenda::default();
        for (number, slot) in (0..=u16::MAX).zip(&slots) {
            let wakeup = slot.as_ref().and_then(Slot::wakeup);
            agenda.set(SlotId::new(number), wakeup.map(|(at, _)| at));
        }
        Self { now, shared, shutdown_waiters, slots, agenda }
    }
}
