//! An idle stop is about this run: a touch, a request in flight or a lease keeps the slot.

use worker_core::{Event, Order, StateName, StopReason};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "idle is about this run", cites: "§5 rule 9, §4 idle" };

pub(super) fn order(scene: &Scene<'_>, number: usize, order: Order) -> Verdict {
    let Order::CheckUse { block, ordered } = order else { return Ok(()) };
    let (slot, run) = (&scene.ledger.slots[number], scene.ledger.slots[number].run());
    let held = slot.held.map(|(held, _)| held) == Some(block);
    must(held && ordered == scene.ledger.now, RULE, number, || "a check of what?".into())?;
    let idle = scene.setup.options(slot.launch).idle;
    let due = run.used.zip(idle).is_some_and(|((used, _), idle)| scene.ledger.now >= used + idle);
    must(due && run.leases == 0 && run.ending.is_none(), RULE, number, || {
        "checked for idleness while it is in use".into()
    })
}

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let idle = event == Event::Stopping(StopReason::Idle);
    let ended = scene.ledger.slots[number].run().ending.is_some();
    must(!idle || ended, RULE, number, || "stopped as idle while it is in use".into())
}

/// The snapshot shows the last use.
pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let Some(view) = slot.view.filter(|view| view.state == StateName::Running) else {
            return Ok(());
        };
        let Some((early, late)) = slot.run().used else { return Ok(()) };
        let shown = view.last_used.is_some_and(|used| (early..=late).contains(&used));
        must(shown, RULE, number, || {
            format!("last used {:?}, and it was used at {late}", view.last_used)
        })
    })
}
