//! Nothing is kept for a slot that is at rest.

use worker_core::StateName;

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "nothing leaks", cites: "§5 rule 10, contract 2, 4 and 12" };

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let rests = matches!(slot.state(), None | Some(StateName::Failed | StateName::Error));
        let held = slot.held.map(|(block, _)| block);
        must(!rests || held.is_none(), RULE, number, || {
            format!("at rest, and ports {held:?} are still reserved")
        })
    })
}
