//! A refused request is answered and changes nothing.

use worker_core::{Action, Input, Outcome};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule =
    Rule { name: "bad input changes nothing", cites: "§5 rule 12, contract 9 and 10" };

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    let (Input::Request { request, .. }, Some(number)) = (scene.input, scene.slot) else {
        return Ok(());
    };
    let refused = scene.actions.iter().any(|action| {
        matches!(action, Action::Answer { request: asked, outcome: Outcome::Refused(_) }
            if asked == request)
    });
    if !refused || scene.deadlines {
        return Ok(());
    }
    let only = scene.actions.len() == 1;
    must(only, RULE, number, || format!("refused, and yet {:?}", scene.actions))?;
    let same = scene.ledger.slots[number].view == scene.before[number];
    must(same, RULE, number, || "refused, and yet the slot changed".into())
}
