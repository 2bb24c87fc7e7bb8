//! What is said of an older run changes nothing and kills nothing.

use worker_core::{Input, Order, RunId};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "events name their run", cites: "§5 rule 3, contract 3" };

pub(super) fn order(scene: &Scene<'_>, number: usize, run: RunId, order: Order) -> Verdict {
    let present = scene.ledger.slots[number].run().id;
    let begins = matches!(order, Order::Reserve(_) | Order::Spawn { .. });
    let known = run.get() == present;
    let fresh = begins && run.get() > scene.ledger.latest_run;
    must(known || fresh, RULE, number, || {
        format!("an order about run {run}, and the present one is #{present}")
    })
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    let (Input::Report { report, run, .. }, Some(number)) = (scene.input, scene.slot) else {
        return Ok(());
    };
    if !scene.is_still() {
        return Ok(());
    }
    must(scene.actions.is_empty(), RULE, number, || {
        format!("{report:?} of {run} means nothing here, and led to {:?}", scene.actions[0])
    })?;
    let view = scene.ledger.slots[number].view;
    must(view == scene.before[number], RULE, number, || {
        format!("{report:?} of {run} means nothing here, and changed the slot")
    })
}
