//! Readiness counts when it comes from the run's own tree, once, while it is waited for.

use worker_core::{Event, Input, Report, StateName};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "readiness is the run's own", cites: "§5 rule 7 and 5, §6" };

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let Event::Ready { after, owner } = event else { return Ok(()) };
    let run = scene.ledger.slots[number].run();
    let now = scene.ledger.now;
    must(run.ready_at == Some(now), RULE, number, || "ready without a reason".into())?;
    let told = match scene.input {
        Input::Report { report: Report::Ready(owner), .. } => Some(*owner),
        Input::Report { .. } | Input::Tick | Input::Request { .. } | Input::Shutdown { .. } => None,
    };
    must(owner == told, RULE, number, || format!("the owner is {owner:?}, not {told:?}"))?;
    let took = now.since(run.spawned_at.unwrap_or(now));
    must(after == took, RULE, number, || format!("ready after {after:?}, not {took:?}"))
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let became =
            slot.is(StateName::Running) && scene.state_before(number) != Some(StateName::Running);
        let now = slot.run().ready_at == Some(scene.ledger.now);
        must(!became || now, RULE, number, || "running, and nobody said ready".into())?;
        let said =
            matches!(scene.input, Input::Report { report: Report::Ready(_) | Report::Spawned, .. });
        let deaf = now
            && !slot.is(StateName::Running)
            && said
            && scene.heard
            && scene.slot == Some(number);
        must(!deaf, RULE, number, || "ready was said, and the slot is not running".into())
    })
}
