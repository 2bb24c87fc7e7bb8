//! The snapshot agrees with the history, and the next wakeup with the snapshots.

use worker_core::{SlotView, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::Slot;

const RULE: Rule = Rule { name: "the snapshot tells the truth", cites: "§7 status entry" };
const TIME: Rule = Rule { name: "time does not go back", cites: "§4 time" };
const WAKEUP: Rule = Rule { name: "the next wakeup is the first", cites: "§4 next_wakeup" };

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    let slots = scene.ledger.slots[..scene.setup.slots].iter();
    let first = slots.filter_map(|slot| slot.view?.next).min_by_key(|next| next.at);
    let (first, told) = (first.map(|next| next.at), scene.wakeup.map(|next| next.at));
    must(first == told, WAKEUP, 0, || format!("it is {told:?}, and a slot's is {first:?}"))?;
    scene.each(|number, slot| {
        let Some(view) = slot.view else { return Ok(()) };
        since(scene, number, &view)?;
        error(number, slot, &view)?;
        let restarts = slot.spawns.saturating_sub(1);
        must(view.restarts == restarts, RULE, number, || {
            format!("{} restarts, and there were {restarts}", view.restarts)
        })
    })
}

fn since(scene: &Scene<'_>, number: usize, view: &SlotView) -> Verdict {
    let now = scene.ledger.now;
    let before = scene.before[number].filter(|before| before.state == view.state);
    let right = view.since == now || before.is_some_and(|before| before.since == view.since);
    let back = before.is_none() && view.since < now;
    must(!back, TIME, number, || format!("new since {}, and {now} was seen before", view.since))?;
    must(right, RULE, number, || format!("in this state since {}, and it is {now}", view.since))?;
    let still = before.is_some_and(|before| before.since != view.since) && scene.is_still();
    must(!still, RULE, number, || "nothing happened, and the state is new".into())
}

fn error(number: usize, slot: &Slot, view: &SlotView) -> Verdict {
    let parked = matches!(view.last_error, Some(worker_core::LastError::Parked(_)));
    let unkillable = matches!(view.last_error, Some(worker_core::LastError::Unkillable));
    let right = parked == slot.is(StateName::Failed) && unkillable == slot.unkillable;
    must(right, RULE, number, || format!("the last error is {:?}", view.last_error))?;
    let silent = view.streak > 0 && view.last_error.is_none();
    must(!silent || slot.is(StateName::Stopping), RULE, number, || {
        "a streak without an error".into()
    })
}
