//! What a transition may read and write beside its own state.

use smallvec::SmallVec;

use crate::action::{Action, Event, Order, Outcome};
use crate::breaker::Breaker;
use crate::exit::DownCause;
use crate::id::{RequestId, RunId, SlotId};
use crate::input::{Launch, Urgency};
use crate::ledger::Ledger;
use crate::past::Past;
use crate::ports::Block;
use crate::spec::SlotOptions;
use crate::time::Instant;

/// Requests that wait for the same answer. Two fit without an allocation.
pub(crate) type Waiters = SmallVec<[RequestId; 2]>;

/// What all slots of a supervisor share.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Shared {
    pub(crate) seed: u64,
    pub(crate) last_run: u64,
    pub(crate) ledger: Ledger,
    /// None until a shutdown begins.
    pub(crate) shutdown: Option<Urgency>,
}

/// What a slot keeps from one start from rest to the next.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Supervision {
    pub(crate) launch: Launch,
    pub(crate) breaker: Breaker,
    /// Main programs that were spawned.
    pub(crate) spawns: u32,
}

impl Supervision {
    pub(crate) fn new(launch: Launch) -> Self {
        Self { launch, breaker: Breaker::default(), spawns: 0 }
    }

    /// Goes on where an earlier supervisor ended.
    pub(crate) fn resumed(launch: Launch, past: Past, now: Instant) -> Self {
        let Past { spawns, failures } = past;
        Self { launch, breaker: Breaker::resumed(failures, now), spawns }
    }

    pub(crate) fn options(&self) -> &SlotOptions {
        self.launch.spec.options()
    }
}

/// One step of one slot.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) slot: SlotId,
    pub(crate) shared: &'a mut Shared,
    pub(crate) supervision: &'a mut Supervision,
    pub(crate) actions: &'a mut alloc::vec::Vec<Action>,
}

impl Context<'_> {
    pub(crate) fn options(&self) -> &SlotOptions {
        self.supervision.options()
    }

    pub(crate) fn order(&mut self, run: RunId, order: Order) {
        self.actions.push(Action::Run { slot: self.slot, run, order });
    }

    pub(crate) fn event(&mut self, run: Option<RunId>, event: Event) {
        self.actions.push(Action::Event { slot: self.slot, run, event });
    }

    pub(crate) fn answer(&mut self, request: RequestId, outcome: Outcome) {
        self.actions.push(Action::Answer { request, outcome });
    }

    pub(crate) fn answer_all(&mut self, waiters: Waiters, outcome: Outcome) {
        for request in waiters {
            self.answer(request, outcome);
        }
    }

    pub(crate) fn next_run(&mut self) -> RunId {
        self.shared.last_run += 1;
        RunId::new(self.shared.last_run)
    }

    /// Counts a failure of the slot.
    pub(crate) fn record_failure(&mut self, cause: DownCause) {
        let Supervision { launch, breaker, .. } = &mut *self.supervision;
        breaker.record(self.now, cause, &launch.spec.options().restart);
    }

    /// What a reading of the tree's memory means: nothing while it is within the limit.
    pub(crate) fn memory_breach(&self, bytes: u64) -> Option<DownCause> {
        let limit = self.options().memory_limit.filter(|&limit| bytes > limit)?;
        Some(DownCause::MemoryBreach { bytes, limit })
    }

    /// Gives up a block that was reserved for `run`, if there is one.
    pub(crate) fn release_block(&mut self, run: RunId, block: Option<Block>) {
        if let Some(block) = block {
            self.shared.ledger.release(block);
            self.order(run, Order::Unreserve(block));
        }
    }
}
