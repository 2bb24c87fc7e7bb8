//! What a slot shows for another supervisor to go on with is what its history says.

use worker_core::{Failures, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::Slot;

const RULE: Rule =
    Rule { name: "what outlives the supervisor is true", cites: "§7 restarts, contract 4 to 7" };

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let Some(view) = slot.view else { return Ok(()) };
        let (spawns, known) = (view.past.spawns, slot.spawns);
        must(spawns == known, RULE, number, || format!("{spawns} spawns, and there were {known}"))?;
        failures(scene, number, slot, view.past.failures)
    })
}

fn failures(scene: &Scene<'_>, number: usize, slot: &Slot, shown: Failures) -> Verdict {
    let streak = slot.streak(scene.setup);
    let latest = slot.failures.last().map(|failure| (failure.at, failure.cause));
    let right = match shown {
        Failures::None => streak == 0,
        Failures::Streak(shown) => {
            shown.failures.get() == streak && Some((shown.latest, shown.cause)) == latest
        }
        Failures::Parked(parked) => slot.is(StateName::Failed) && slot.parked == Some(parked),
    };
    must(right, RULE, number, || {
        format!("it shows {shown:?}, and the history says {streak} failures, {latest:?} the latest")
    })
}
