//! What is said of an older run changes nothing and kills nothing.

use worker_core::{Action, Input, Order, Report, RunId};

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

/// What means nothing leads to nothing.
pub(super) fn action(scene: &Scene<'_>, action: &Action) -> Verdict {
    let (Input::Report { report, run, .. }, Some(number)) = (scene.input, scene.slot) else {
        return Ok(());
    };
    // What a stranger's answer leads to is told by another rule.
    let present = scene.ledger.slots[number].live_run() == Some(run.get());
    let readiness = matches!(report, Report::Ready(_)) && present;
    must(!scene.is_still() || readiness, RULE, number, || {
        format!("{report:?} of {run} means nothing here, and led to {action:?}")
    })
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    let (Input::Report { report, run, .. }, Some(number)) = (scene.input, scene.slot) else {
        return Ok(());
    };
    let same = scene.ledger.slots[number].view == scene.before[number];
    must(same || !scene.is_still(), RULE, number, || {
        format!("{report:?} of {run} means nothing here, and changed the slot")
    })
}
