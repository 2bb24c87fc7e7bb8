//! Nothing is released, reported as stopped or started again before the tree is gone.

use worker_core::{Event, Order, StateName};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "free means gone", cites: "§5 rule 4" };

pub(super) fn order(scene: &Scene<'_>, number: usize, order: Order) -> Verdict {
    let freed = matches!(order, Order::Unreserve(_));
    let lives = scene.ledger.slots[number].run().may_live();
    must(!freed || !lives, RULE, number, || "the block is freed while the tree lives".into())
}

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let run = scene.ledger.slots[number].run();
    let gone = matches!(event, Event::TreeGone { .. }) && !run.gone;
    must(!gone, RULE, number, || "reported as gone, and it is not".into())?;
    let stopped = matches!(event, Event::Stopped | Event::Error(_) | Event::Failed(_));
    must(!stopped || !run.may_live(), RULE, number, || "at rest while the tree lives".into())
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let held = matches!(
            slot.state(),
            Some(StateName::Starting | StateName::Running | StateName::Stopping)
        );
        let fine = held || !slot.run().may_live();
        must(fine, RULE, number, || "the slot is free while the tree lives".into())
    })
}
