//! One incarnation of a slot, from its first order until its tree is gone.

use crate::action::{Event, Order, Program};
use crate::context::Context;
use crate::exit::Exit;
use crate::id::RunId;
use crate::ports::Block;
use crate::time::Instant;

/// What every state with a run knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) program: Program,
    pub(crate) block: Option<Block>,
    pub(crate) leader: Leader,
    /// How many use it at this moment.
    pub(crate) leases: u32,
}

/// What is known of a run's leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Leader {
    /// Its spawn was not ordered yet, or not answered.
    Unspawned,
    /// It lives since.
    Alive(Instant),
    /// Its exit was reported.
    Ended,
}

impl Run {
    pub(crate) fn new(id: RunId, program: Program) -> Self {
        Self { id, program, block: None, leader: Leader::Unspawned, leases: 0 }
    }

    pub(crate) fn order(&self, cx: &mut Context<'_>, order: Order) {
        cx.order(self.id, order);
    }

    /// A preparation is not the command: its processes come and go without events.
    pub(crate) fn event(&self, cx: &mut Context<'_>, event: Event) {
        match self.program {
            Program::Main => cx.event(Some(self.id), event),
            Program::Prepare => {}
        }
    }

    pub(crate) fn spawned(&mut self, cx: &mut Context<'_>) {
        self.leader = Leader::Alive(cx.now);
        self.event(cx, Event::Spawned { block: self.block });
        if self.program == Program::Main {
            cx.supervision.spawns = cx.supervision.spawns.saturating_add(1);
        }
    }

    /// Notes the leader's exit, unless it is known.
    pub(crate) fn exited(&mut self, cx: &mut Context<'_>, exit: Exit, clean: bool) {
        if let Leader::Alive(spawned) = self.leader {
            self.leader = Leader::Ended;
            self.event(cx, Event::Exited { exit, clean, uptime: cx.now.since(spawned) });
        }
    }

    pub(crate) fn lease(&mut self) {
        self.leases = self.leases.saturating_add(1);
    }

    pub(crate) fn end_lease(&mut self) {
        self.leases = self.leases.saturating_sub(1);
    }
}
