//! Each failure is told with its true cause, wherever it is told.

use worker_core::{
    DownCause, Event, LastError, Outcome, Parked, RequestId, SpawnFailure, StateName,
};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule = Rule { name: "the cause is the true one", cites: "§1 it tells why, §4" };

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let (Event::Error(cause)
    | Event::Restarting { cause, .. }
    | Event::Failed(Parked { last: cause, .. })) = event
    else {
        return Ok(());
    };
    is_true(scene, number, cause)
}

pub(super) fn answer(scene: &Scene<'_>, request: RequestId, outcome: Outcome) -> Verdict {
    let (Outcome::StartFailed(cause) | Outcome::Parked(Parked { last: cause, .. })) = outcome
    else {
        return Ok(());
    };
    let mut slots = scene.ledger.slots[..scene.setup.slots].iter();
    let asked = slots.position(|slot| slot.open.iter().any(|open| open.request == request.get()));
    asked.map_or(Ok(()), |number| is_true(scene, number, cause))
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let Some(LastError::Down(cause)) = slot.view.and_then(|view| view.last_error) else {
            return Ok(());
        };
        // A start from rest that cannot even spawn is told once it rests in `error`.
        let told = slot.is(StateName::Running) || slot.is(StateName::Restarting);
        if told { is_true(scene, number, cause) } else { Ok(()) }
    })
}

/// A lack of ports is known to the core alone.
fn is_true(scene: &Scene<'_>, number: usize, cause: DownCause) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let known = slot.cause == Some(cause) || cause == DownCause::SpawnFailed(SpawnFailure::NoPorts);
    must(known, RULE, number, || {
        format!("the cause is said to be {cause:?}, and it was {:?}", slot.cause)
    })
}
