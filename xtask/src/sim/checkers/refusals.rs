//! A refused request is answered and changes nothing.

use worker_core::{Action, Ask, Input, Outcome};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::{Must, States};

const RULE: Rule =
    Rule { name: "bad input changes nothing", cites: "§5 rule 12, contract 9 and 10" };

/// A request that must be refused leads to nothing but its answer.
pub(super) fn action(scene: &Scene<'_>, action: &Action) -> Verdict {
    let (Input::Request { request, .. }, Some(number)) = (scene.input, scene.slot) else {
        return Ok(());
    };
    let mut open = scene.ledger.slots[number].open.iter();
    let refused = open.any(|open| open.request == request.get() && is_refusal(open.must));
    let answer = matches!(action, Action::Answer { .. });
    must(!refused || answer || scene.deadlines || parks(scene, number), RULE, number, || {
        format!("it must be refused, and led to {action:?}")
    })
}

/// A slot that is resumed may be parked, and what asked for it is refused.
fn parks(scene: &Scene<'_>, number: usize) -> bool {
    let resumed = matches!(scene.input, Input::Request { ask: Ask::Resume(..), .. });
    let allowed = scene.ledger.slots[number].may == States::FAILED;
    resumed && allowed && scene.state_before(number).is_none()
}

const fn is_refusal(must: Option<Must>) -> bool {
    matches!(
        must,
        Some(
            Must::RefusedParked
                | Must::RefusedShuttingDown
                | Must::RefusedNotParked
                | Must::RefusedNoLiveRun
                | Must::RefusedNotAtRest
                | Must::RefusedNeverRestarted
        )
    )
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    let (Input::Request { request, .. }, Some(number)) = (scene.input, scene.slot) else {
        return Ok(());
    };
    let refused = scene.actions.iter().any(|action| {
        matches!(action, Action::Answer { request: asked, outcome: Outcome::Refused(_) }
            if asked == request)
    });
    if !refused || scene.deadlines || parks(scene, number) {
        return Ok(());
    }
    let only = scene.actions.len() == 1;
    must(only, RULE, number, || format!("refused, and yet {:?}", scene.actions))?;
    let same = scene.ledger.slots[number].view == scene.before[number];
    must(same, RULE, number, || "refused, and yet the slot changed".into())
}
