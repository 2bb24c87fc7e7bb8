//! The streak, recomputed from the whole history at every step, and what it leads to.

use worker_core::{DownCause, Event, SpawnFailure, StateName};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::state_name;

const COUNT: Rule =
    Rule { name: "the breaker counts right", cites: "§4 window, contract 4-8 and 11, §5 rule 5" };

const NO_PORTS: DownCause = DownCause::SpawnFailed(SpawnFailure::NoPorts);

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let restart = scene.setup.options(slot.launch).restart;
    let Event::Failed(parked) = event else { return Ok(()) };
    // A lack of ports shows in this event only, and is booked after it.
    let unbooked = parked.last == NO_PORTS && !slot.counted;
    let streak = slot.streak(scene.setup) + u32::from(unbooked);
    must(streak >= restart.max_failures, COUNT, number, || {
        format!("parked after {streak} failures of {}", restart.max_failures)
    })?;
    let right = (parked.streak == streak || unbooked) && parked.window == restart.window;
    must(right, COUNT, number, || format!("parked with {parked:?}"))
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let Some(view) = slot.view else { return Ok(()) };
        let restart = scene.setup.options(slot.launch).restart;
        let streak = slot.streak(scene.setup);
        must(view.streak == streak, COUNT, number, || {
            format!("streak is {}, and the history says {streak}", view.streak)
        })?;
        let trips = streak >= restart.max_failures;
        let parked = slot.is(StateName::Failed) && slot.parked.is_some();
        let right = parked
            || !slot.is(StateName::Failed) && !slot.is(StateName::Restarting)
            || slot.is(StateName::Failed) == trips;
        must(right, COUNT, number, || {
            let state = state_name(slot.state());
            format!("{state} after {streak} failures of {}", restart.max_failures)
        })
    })
}
