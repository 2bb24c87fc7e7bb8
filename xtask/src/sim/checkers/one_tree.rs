//! No spawn while a process of an earlier run of the slot lives.

use worker_core::{Order, RunId, StateName};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "one tree per slot", cites: "§5 rule 2" };

pub(super) fn order(scene: &Scene<'_>, number: usize, run: RunId, order: Order) -> Verdict {
    if !matches!(order, Order::Spawn { .. } | Order::Reserve(_)) {
        return Ok(());
    }
    let slot = &scene.ledger.slots[number];
    let other = slot.runs.iter().find(|other| other.id != run.get() && other.may_live());
    must(other.is_none(), RULE, number, || {
        format!("a start while run #{} lives", other.map_or(0, |other| other.id))
    })?;
    let again = slot.run().id == run.get() && slot.run().spawn_at.is_some();
    must(!again, RULE, number, || "spawned twice under one name".into())
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let asked = slot.is(StateName::Starting) && scene.state_before(number) == slot.state();
        let run = slot.run();
        let idle = asked && run.gone && run.is_main();
        must(!idle, RULE, number, || "starting without a run".into())
    })
}
