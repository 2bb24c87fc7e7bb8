//! A block is handed to one run at a time, was free a moment before, and comes back.

use worker_core::{
    Block, DownCause, Event, Order, Parked, PortRequest, Program, RunId, SpawnFailure, StateName,
};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::Slot;

const RULE: Rule = Rule { name: "ports are owned", cites: "§5 rule 7, contract 12" };

const NO_PORTS: DownCause = DownCause::SpawnFailed(SpawnFailure::NoPorts);

pub(super) fn order(scene: &Scene<'_>, number: usize, run: RunId, order: Order) -> Verdict {
    match order {
        Order::Reserve(block) => reserve(scene, number, block),
        Order::Spawn { program, block, .. } => spawn(scene, number, run, program, block),
        Order::Unreserve(block) => {
            let held = scene.ledger.slots[number].held.map(|(held, _)| held);
            let busy = held.is_none() && was_busy(scene, number);
            must(busy || held == Some(block), RULE, number, || {
                format!("{block} is given back, and {held:?} is held")
            })
        }
        Order::AwaitReady
        | Order::Watch
        | Order::CheckUse { .. }
        | Order::Flush
        | Order::Signal(_)
        | Order::Kill
        | Order::Release => Ok(()),
    }
}

/// The host has just said that a block was busy: giving it back is needless, and harmless.
fn was_busy(scene: &Scene<'_>, number: usize) -> bool {
    let report = worker_core::Report::PortsBusy;
    let busy = matches!(scene.input, worker_core::Input::Report { report: r, .. } if *r == report);
    busy && scene.slot == Some(number)
}

fn reserve(scene: &Scene<'_>, number: usize, block: Block) -> Verdict {
    let slots = &scene.ledger.slots[..scene.setup.slots];
    for (other, slot) in slots.iter().enumerate().filter(|(other, _)| *other != number) {
        let shared = slot.held.is_some_and(|(held, _)| held.overlaps(block));
        must(!shared, RULE, number, || format!("{block} belongs to slot {other}"))?;
    }
    // The search goes round while others come and go, so that a block may come up again; but there
    // is an end to it.
    let tries = slots[number].busy.len();
    must(tries <= scene.setup.ports.len(), RULE, number, || format!("{tries} tries, and no end"))?;
    let held = slots[number].held.map(|(held, _)| held);
    must(held.is_none_or(|held| held == block), RULE, number, || {
        format!("{block} is asked for while {held:?} is kept")
    })
}

fn spawn(
    scene: &Scene<'_>,
    number: usize,
    run: RunId,
    program: Program,
    block: Option<Block>,
) -> Verdict {
    let slot = &scene.ledger.slots[number];
    if program == Program::Prepare || block.is_none() {
        return must(block.is_none(), RULE, number, || "a preparation needs no ports".into());
    }
    let confirmed = slot.run().id == run.get() && slot.run().reserved;
    let held = slot.held.map(|(held, _)| held) == block;
    must(confirmed && held, RULE, number, || {
        format!("spawned on {block:?}, which was not found free for this run")
    })
}

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let slot = &scene.ledger.slots[number];
    if let Event::Spawned { block } = event {
        let held = slot.held.map(|(held, _)| held);
        let right = block == held || !slot.run().is_main() && block.is_none();
        return must(right, RULE, number, || format!("spawned on {block:?}, not {held:?}"));
    }
    let (Event::Error(cause)
    | Event::Restarting { cause, .. }
    | Event::Failed(Parked { last: cause, .. })) = event
    else {
        return Ok(());
    };
    let lacks = cause == NO_PORTS && !slot.counted;
    must(!lacks || may_lack(scene, number), RULE, number, || {
        "no ports, and every port is free".into()
    })
}

/// Whether every block that this slot could have is taken by others, or some were busy.
fn may_lack(scene: &Scene<'_>, number: usize) -> bool {
    let slots = &scene.ledger.slots[..scene.setup.slots];
    let others = slots.iter().enumerate().filter(|(other, _)| *other != number);
    let taken: Vec<Block> = others.filter_map(|(_, slot)| Some(slot.held?.0)).collect();
    let is_free = |block: &Block| !taken.iter().any(|taken| taken.overlaps(*block));
    if !slots[number].busy.is_empty() {
        return true;
    }
    match scene.setup.options(slots[number].launch).ports {
        PortRequest::None => false,
        PortRequest::Fixed(block) => !is_free(&block),
        PortRequest::Auto(count) => !aligned(scene, count).any(|block| is_free(&block)),
    }
}

/// The blocks of this size that do not break up larger ones: aligned to their size.
fn aligned(scene: &Scene<'_>, count: u16) -> impl Iterator<Item = Block> {
    let ports = scene.setup.ports.clone();
    let last = *ports.end();
    let firsts = ports.step_by(usize::from(count));
    firsts.filter_map(move |first| Block::new(first, count).filter(|b| *b.ports().end() <= last))
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let held = slot.held.map(|(held, _)| held);
        let shown = slot.view.and_then(|view| view.block);
        must(shown == held, RULE, number, || {
            format!("the slot shows ports {shown:?}, and {held:?} are kept")
        })?;
        asked_for(scene, number, slot, held)?;
        keeps(scene, number, slot)
    })
}

fn asked_for(scene: &Scene<'_>, number: usize, slot: &Slot, held: Option<Block>) -> Verdict {
    let Some(block) = held else { return Ok(()) };
    let ports = &scene.setup.ports;
    let inside = ports.contains(block.ports().start()) && ports.contains(block.ports().end());
    let right = match scene.setup.options(slot.launch).ports {
        PortRequest::None => false,
        PortRequest::Auto(count) => inside && block.count() == count,
        PortRequest::Fixed(fixed) => block == fixed,
    };
    // A changed config shows only with the next start.
    let changed = slot.is(StateName::Stopping) || slot.is(StateName::Restarting);
    must(right || changed, RULE, number, || format!("{block} is not what the config asks for"))
}

/// Kept during `restarting` after a crash of a running slot, freed after a failed boot.
fn keeps(scene: &Scene<'_>, number: usize, slot: &Slot) -> Verdict {
    if !slot.is(StateName::Restarting) || !slot.wants_ports(scene.setup) {
        return Ok(());
    }
    // An attempt that found no ports had no run of its own.
    let ran = slot.run().ready_at.is_some() && slot.cause != Some(NO_PORTS);
    must(slot.held.is_some() == ran, RULE, number, || {
        if ran { "the crashed run's block is not kept" } else { "the failed boot's block is kept" }
            .into()
    })
}
