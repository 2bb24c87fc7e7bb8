//! A stop signals the whole tree once and leaves it its grace; a dead leader's tree gets one
//! SIGKILL; what a clean exit left behind gets none.

use worker_core::{Order, Urgency};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::{Ending, Run, Slot};
use crate::sim::reading::leaves;

const RULE: Rule = Rule { name: "grace is real", cites: "§5 rule 1, contract 1 and 8" };
const CLEAN: Rule = Rule { name: "a clean exit kills nothing", cites: "contract 2" };
const OLD: Rule = Rule { name: "a healthy run is left alone", cites: "§5 rule 3" };
const FLUSH: Rule = Rule { name: "the companion flushes before the stop", cites: "contract 14" };

pub(super) fn order(scene: &Scene<'_>, number: usize, order: Order) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let run = slot.run();
    let options = scene.setup.options(slot.launch);
    let now = scene.ledger.now;
    match order {
        Order::Signal(signal) => {
            must(run.ending.is_some(), OLD, number, || "signalled without a reason".into())?;
            must(!run.emptied(), RULE, number, || "signalled again, or after SIGKILL".into())?;
            let over = run.flush_at.zip(options.flush).is_some_and(|(at, limit)| at + limit <= now);
            let early = flushes(scene, slot) && !run.flushed && run.exit.is_none() && !over;
            must(!early, FLUSH, number, || "signalled before the companion flushed".into())?;
            must(signal == options.stop.signal, RULE, number, || format!("{signal} was sent"))
        }
        Order::Kill => kill(scene, number, slot),
        Order::Release => {
            must(run.ending.is_some(), OLD, number, || "released without a reason".into())?;
            let clean = run.ending == Some(Ending::Clean) && leaves(scene.setup, slot);
            must(clean && !run.emptied(), CLEAN, number, || "released without a clean exit".into())
        }
        Order::Flush => {
            let asked = run.ending == Some(Ending::Ordered) && options.flush.is_some();
            must(asked && run.is_main(), FLUSH, number, || "flush without a stop".into())?;
            let first = run.flush_at.is_none() && !run.emptied();
            must(first, FLUSH, number, || "flushed again, or after the signal".into())
        }
        Order::Reserve(_)
        | Order::Unreserve(_)
        | Order::Spawn { .. }
        | Order::AwaitReady
        | Order::Watch
        | Order::CheckUse { .. } => Ok(()),
    }
}

fn kill(scene: &Scene<'_>, number: usize, slot: &Slot) -> Verdict {
    let run = slot.run();
    let released = run.ending == Some(Ending::Clean) && leaves(scene.setup, slot);
    must(!released, CLEAN, number, || "SIGKILL after a clean exit".into())?;
    must(run.ending.is_some(), OLD, number, || "SIGKILL without a reason".into())?;
    must(run.kill_at.is_none(), RULE, number, || "SIGKILL for a second time".into())?;
    let over = run.signal_at.is_some_and(|at| grace_is_over(scene, slot, at));
    let dead = run.signal_at.is_none() && run.dead_first;
    // The design is silent about a leader that comes to life after it was named as unkillable.
    let allowed = over || dead || run.named || is_immediate(scene);
    must(allowed, RULE, number, || "SIGKILL before the grace was over".into())
}

fn grace_is_over(scene: &Scene<'_>, slot: &Slot, signalled: worker_core::Instant) -> bool {
    scene.ledger.now >= signalled + scene.setup.options(slot.launch).stop.grace
}

fn is_immediate(scene: &Scene<'_>) -> bool {
    scene.ledger.shutting == Some(Urgency::Immediate)
}

/// What the present state of an ending demands has been ordered.
pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let run = slot.run();
        if run.ending.is_none() || !run.has_tree() {
            return Ok(());
        }
        demanded(scene, number, slot, run)
    })
}

fn demanded(scene: &Scene<'_>, number: usize, slot: &Slot, run: &Run) -> Verdict {
    if run.kill_at.is_some() || run.release_at.is_some() {
        return Ok(());
    }
    must(run.ending != Some(Ending::Clean), CLEAN, number, || {
        "the leader ended cleanly, and its tree is neither released nor reaped".into()
    })?;
    must(!run.dead_first, RULE, number, || "the leader is dead, and no SIGKILL was sent".into())?;
    must(!is_immediate(scene), RULE, number, || {
        "an immediate shutdown leaves no grace, and no SIGKILL was sent".into()
    })?;
    if let Some(at) = run.signal_at {
        // At the very end of it the next call is soon enough: grace may be zero.
        let late = scene.ledger.now > at + scene.setup.options(slot.launch).stop.grace;
        return must(!late, RULE, number, || "the grace is over, and no SIGKILL was sent".into());
    }
    if flushes(scene, slot) && !run.flushed {
        return must(run.flush_at.is_some(), FLUSH, number, || "no flush was ordered".into());
    }
    let waits = run.flush_at.is_some() && !run.flushed;
    must(waits, RULE, number, || "the tree is being ended, and was not signalled".into())
}

/// Whether a stop began while the command lived, and there is a companion.
fn flushes(scene: &Scene<'_>, slot: &Slot) -> bool {
    let run = slot.run();
    run.ending == Some(Ending::Ordered)
        && run.is_main()
        && scene.setup.options(slot.launch).flush.is_some()
        && !run.spawned_late
}
