//! After a shutdown began nothing is spawned, and it is answered when everything is at rest.

use worker_core::{Action, Order, Outcome, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::Slot;

const RULE: Rule = Rule { name: "shutdown wins", cites: "§5 rule 8, contract 13 and 14" };

pub(super) fn order(scene: &Scene<'_>, number: usize, order: Order) -> Verdict {
    let starts = matches!(order, Order::Spawn { .. } | Order::Reserve(_) | Order::AwaitReady);
    must(!starts || scene.ledger.shutting.is_none(), RULE, number, || {
        format!("{order:?} after the shutdown began")
    })
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    if scene.ledger.shutting.is_none() {
        return Ok(());
    }
    scene.each(|number, slot| {
        let on = matches!(
            slot.state(),
            Some(StateName::Starting | StateName::Running | StateName::Restarting)
        );
        must(!on, RULE, number, || "it goes on as if there was no shutdown".into())
    })?;
    let slots = &scene.ledger.slots[..scene.setup.slots];
    let done = slots.iter().all(|slot| is_at_rest(slot) || slot.unkillable);
    let stuck = slots.iter().filter(|slot| slot.unkillable).count();
    for action in scene.actions {
        let Action::Answer { outcome: Outcome::ShutDown { unkillable }, .. } = action else {
            continue;
        };
        must(done, RULE, 0, || "reported as done while a slot is not at rest".into())?;
        let right = usize::try_from(*unkillable) == Ok(stuck);
        must(right, RULE, 0, || format!("{unkillable} unkillable slots, and there are {stuck}"))?;
    }
    let open = !scene.ledger.open_shutdowns.is_empty();
    must(!done || !open, RULE, 0, || "every slot is at rest, and it is not answered".into())
}

fn is_at_rest(slot: &Slot) -> bool {
    matches!(slot.state(), None | Some(StateName::Failed | StateName::Error))
}
