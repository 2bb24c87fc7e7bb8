//! The slot is in a state that the design allows after this call, about the run it should be.

use worker_core::StateName;

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::{Slot, state_name};

const RULE: Rule = Rule { name: "the states are left as written", cites: "§4 table of states" };

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        must(slot.may.has(slot.state()), RULE, number, || {
            let was = state_name(scene.state_before(number));
            let (is, may) = (state_name(slot.state()), slot.may.names());
            format!("it was {was}, and is {is} instead of {may}")
        })?;
        names_its_run(number, slot)?;
        let launch = slot.view.map_or(slot.launch as u64, |view| view.launch.get());
        must(launch == slot.launch as u64, RULE, number, || {
            format!("it shows launch{launch}, and it has launch{}", slot.launch)
        })
    })
}

fn names_its_run(number: usize, slot: &Slot) -> Verdict {
    let Some(view) = slot.view else { return Ok(()) };
    let run = view.run.map(|run| run.get());
    let right = match view.state {
        StateName::Starting | StateName::Running | StateName::Stopping => run == slot.live_run(),
        StateName::Restarting | StateName::Error | StateName::Failed => run.is_none(),
    };
    must(right, RULE, number, || format!("its run is {run:?}, not {:?}", slot.live_run()))
}
