//! The orders about one run make sense to a host that carries them out one after the other.

use worker_core::{Order, Program, RunId, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::{Began, Ending, Run};

const RULE: Rule = Rule { name: "orders make sense", cites: "§4, table of orders and answers" };

pub(super) fn order(scene: &Scene<'_>, number: usize, id: RunId, order: Order) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let options = scene.setup.options(slot.launch);
    let known = if slot.run().id == id.get() { *slot.run() } else { Run::default() };
    let run = &known;
    let fine = match order {
        Order::Reserve(_) => run.spawn_at.is_none() && run.reserve_at.is_none(),
        Order::Unreserve(_) => true,
        Order::Spawn { program, launch, .. } => {
            let first = slot.began != Began::Restart && options.prepare.is_some();
            let before = if slot.run().id == id.get() { &slot.runs[1] } else { slot.run() };
            let prepared = before.ending == Some(Ending::Prepared);
            let right = match program {
                Program::Prepare => first,
                Program::Main => !first || prepared,
            };
            right && run.spawn_at.is_none() && launch.get() == slot.launch as u64
        }
        Order::AwaitReady => {
            run.spawned_at.is_some()
                && run.await_at.is_none()
                && run.is_main()
                && (run.ending.is_none() || run.exit.is_some())
                && options.ready.is_some()
        }
        Order::Watch => run.spawned_at.is_some() && !run.watched && run.is_main(),
        Order::CheckUse { .. } | Order::Flush => run.ready_at.is_some() || run.spawned_at.is_some(),
        Order::Signal(_) | Order::Kill | Order::Release => run.has_tree(),
    };
    must(fine, RULE, number, || format!("{order:?} does not fit what came before"))
}

/// What a host must be asked for has been asked for.
pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let run = slot.run();
        let runs = slot.is(StateName::Running);
        must(!runs || run.watched, RULE, number, || "it runs, and is not watched".into())?;
        let boots = slot.is(StateName::Starting) && run.is_main() && run.spawned_at.is_some();
        let fine = !boots || run.await_at.is_some();
        must(fine, RULE, number, || "readiness is waited for, and not asked for".into())
    })
}
