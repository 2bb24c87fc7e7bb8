//! The streak, recomputed from the whole history at every step, and what it leads to.

use worker_core::{Event, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::{Ending, Slot};

const COUNT: Rule =
    Rule { name: "the breaker counts right", cites: "§4 window, contract 4-8 and 11, §5 rule 5" };

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let restart = scene.setup.options(slot.launch).restart;
    let Event::Failed(parked) = event else { return Ok(()) };
    let (fewest, most) = slot.streak(scene.setup);
    must(slot.vague || most >= restart.max_failures, COUNT, number, || {
        format!("parked after {most} failures of {}", restart.max_failures)
    })?;
    let right = (fewest..=most).contains(&parked.streak) && parked.window == restart.window;
    must(slot.vague || right, COUNT, number, || format!("parked with {parked:?}"))
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let Some(view) = slot.view else { return Ok(()) };
        if slot.vague || slot.run().ending == Some(Ending::Final) && slot.run().may_live() {
            return Ok(());
        }
        let (fewest, most) = slot.streak(scene.setup);
        must((fewest..=most).contains(&view.streak), COUNT, number, || {
            format!("streak is {}, and the history says {}", view.streak, range(fewest, most))
        })?;
        parks(scene, number, slot, most)
    })
}

fn parks(scene: &Scene<'_>, number: usize, slot: &Slot, most: u32) -> Verdict {
    let max = scene.setup.options(slot.launch).restart.max_failures;
    let (fewest, _) = slot.streak(scene.setup);
    let waits = slot.is(StateName::Restarting) || slot.is(StateName::Failed);
    let right = !waits || slot.is(StateName::Failed) && most >= max || fewest < max;
    must(right, COUNT, number, || {
        format!(
            "{} after {fewest} failures of {max}",
            super::super::ledger::state_name(slot.state())
        )
    })
}

fn range(fewest: u32, most: u32) -> String {
    if fewest == most { fewest.to_string() } else { format!("{fewest} or {most}") }
}
