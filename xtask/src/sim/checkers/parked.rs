//! Parked stays parked: no touch, timer, late event or second caller leaves it.

use worker_core::{Action, Ask, Input, LastError, Outcome, StateName};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule =
    Rule { name: "parked stays parked", cites: "§5 rule 5, contract 4, 9, 10 and 13" };

/// Whoever wants something of a parked slot, but its end, hears that it is parked.
pub(super) fn action(scene: &Scene<'_>, action: &Action) -> Verdict {
    let number = match action {
        Action::Run { slot, .. } | Action::Event { slot, .. } => usize::from(slot.get()),
        Action::Answer { outcome: Outcome::Refused(_), .. } => return Ok(()),
        Action::Answer { .. } => match scene.slot {
            Some(number) if !scene.deadlines => number,
            Some(_) | None => return Ok(()),
        },
    };
    must(!scene.resumes_as_parked(number), RULE, number, || {
        format!("it was parked before, and that leads to {action:?}")
    })?;
    let parked = scene.state_before(number) == Some(StateName::Failed);
    must(!parked || is_re_armed(scene, number), RULE, number, || {
        format!("a parked slot leads to {action:?}")
    })
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        if let Some(view) = slot.view.filter(|view| view.state == StateName::Failed) {
            let bare = view.block.is_none() && view.next.is_none() && view.run.is_none();
            must(bare, RULE, number, || "a parked slot has a block, a run or a deadline".into())?;
            let same = view.last_error == slot.parked.map(LastError::Parked);
            must(same, RULE, number, || {
                format!("it shows {:?}, and was parked with {:?}", view.last_error, slot.parked)
            })?;
        }
        let parked = scene.state_before(number) == Some(StateName::Failed);
        let left = parked && !slot.is(StateName::Failed);
        must(!left || is_re_armed(scene, number), RULE, number, || "left without a reset".into())
    })
}

fn is_re_armed(scene: &Scene<'_>, number: usize) -> bool {
    let asked = matches!(scene.input, Input::Request { ask: Ask::Stop | Ask::Reset, .. });
    asked && scene.slot == Some(number)
}
