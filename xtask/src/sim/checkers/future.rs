//! Every state that is not at rest has a live tree or a deadline, and no deadline is slept over.

use worker_core::{Instant, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::Slot;
use crate::sim::promises::{Promise, promises};

const RULE: Rule = Rule { name: "every state has a future", cites: "§5 rule 6" };
const IDLE: Rule = Rule { name: "an unused slot is stopped", cites: "§4 idle" };
const READY: Rule = Rule { name: "a boot has a time limit", cites: "§4 ready.timeout" };
const UNKILLABLE: Rule = Rule { name: "survivors are named", cites: "§4 unkillable" };

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    let now = scene.ledger.now;
    scene.each(|number, slot| {
        let mut first: Option<(Instant, Promise)> = None;
        promises(slot, scene.setup, &mut |promise, at| {
            first = Some(first.map_or((at, promise), |first| first.min((at, promise))));
        });
        has_future(number, slot, first.is_some())?;
        let Some((at, promise)) = first else { return Ok(()) };
        must(at >= now, rule(promise), number, || {
            format!("{promise:?} was due at {at}, and nothing came of it")
        })?;
        let wakeup = scene.wakeup.map(|wakeup| wakeup.at);
        must(wakeup.is_some_and(|wakeup| wakeup <= at), rule(promise), number, || {
            format!("{promise:?} is due at {at}, and the next wakeup is {wakeup:?}")
        })
    })
}

fn has_future(number: usize, slot: &Slot, deadline: bool) -> Verdict {
    let waits = matches!(
        slot.state(),
        Some(StateName::Starting | StateName::Restarting | StateName::Stopping)
    );
    let fine = !waits || deadline || slot.run().has_tree() || slot.unkillable;
    must(fine, RULE, number, || "it waits for something that nobody will send".into())
}

const fn rule(promise: Promise) -> Rule {
    match promise {
        Promise::Idle | Promise::CheckOverdue => IDLE,
        Promise::ReadyTimeout | Promise::PrepareTimeout => READY,
        Promise::Unkillable => UNKILLABLE,
        Promise::SpawnOverdue
        | Promise::Healthy
        | Promise::Restart
        | Promise::FlushTimeout
        | Promise::GraceOver => RULE,
    }
}
