//! Every request is answered once, when its outcome is known, with the true outcome.

use worker_core::{Outcome, Refusal, RequestId, StateName};

use super::{Broken, Rule, Scene, Verdict, must};
use crate::sim::ledger::{Asked, Must, Open, Slot};

const RULE: Rule =
    Rule { name: "every request hears its true outcome", cites: "§4 requests, §5 rule 2" };

pub(super) fn answer(scene: &Scene<'_>, request: RequestId, outcome: Outcome) -> Verdict {
    if scene.ledger.open_shutdowns.contains(&request.get()) {
        let right = matches!(outcome, Outcome::ShutDown { .. });
        return must(right, RULE, 0, || format!("the shutdown is answered {outcome:?}"));
    }
    for (number, slot) in scene.ledger.slots[..scene.setup.slots].iter().enumerate() {
        if let Some(open) = slot.open.iter().find(|open| open.request == request.get()) {
            return known(scene, number, slot, open, outcome);
        }
    }
    let why = format!("{outcome:?} for {request}, which is not open");
    Err(Broken { rule: RULE, slot: scene.slot.unwrap_or(0), why })
}

fn known(scene: &Scene<'_>, number: usize, slot: &Slot, open: &Open, outcome: Outcome) -> Verdict {
    let told = kind(outcome);
    // A lack of ports is known to the core alone, and that it tripped the breaker is told first.
    let lack = if slot.parked.is_some() { Must::Parked } else { Must::StartFailed };
    let lacks_ports = slot.wants_ports(scene.setup) && told == Some(lack);
    let fine = told.is_some() && told == open.must || open.must.is_none() && lacks_ports;
    must(fine || is_free_to_refuse(scene, open, told), RULE, number, || {
        format!("{:?} is answered {outcome:?}, and {} is due", open.ask, due(open.must))
    })?;
    if let Outcome::Started(run) = outcome {
        let present = slot.run().id;
        return must(run.get() == present, RULE, number, || format!("{run} is not #{present}"));
    }
    Ok(())
}

/// Where there are two reasons for a refusal, either is true.
fn is_free_to_refuse(scene: &Scene<'_>, open: &Open, told: Option<Must>) -> bool {
    let other = match open.must {
        Some(Must::RefusedNoLiveRun) => Some(Must::RefusedParked),
        _ if scene.ledger.shutting.is_some() => Some(Must::RefusedShuttingDown),
        _ => None,
    };
    let refusal = matches!(
        open.must,
        Some(Must::RefusedShuttingDown | Must::RefusedNotParked | Must::RefusedNoLiveRun)
    );
    let parked = scene.ledger.shutting.is_some() && told == Some(Must::RefusedParked);
    refusal && told.is_some() && (told == other || parked)
}

fn due(must: Option<Must>) -> String {
    must.map_or_else(|| "nothing yet".into(), |must| format!("{must:?}"))
}

const fn kind(outcome: Outcome) -> Option<Must> {
    Some(match outcome {
        Outcome::Started(_) => Must::Started,
        Outcome::StartFailed(_) => Must::StartFailed,
        Outcome::Parked(_) => Must::Parked,
        Outcome::Cancelled => Must::Cancelled,
        Outcome::Stopped => Must::Stopped,
        Outcome::Unkillable => Must::Unkillable,
        Outcome::Reset => Must::Reset,
        Outcome::Touched => Must::Touched,
        Outcome::ShutDown { .. } => return None,
        Outcome::Refused(Refusal::Parked(_)) => Must::RefusedParked,
        Outcome::Refused(Refusal::ShuttingDown) => Must::RefusedShuttingDown,
        Outcome::Refused(Refusal::NotParked) => Must::RefusedNotParked,
        Outcome::Refused(Refusal::NoLiveRun) => Must::RefusedNoLiveRun,
        Outcome::Refused(Refusal::NotAtRest) => Must::RefusedNotAtRest,
        Outcome::Refused(Refusal::NeverRestarted) => Must::RefusedNeverRestarted,
    })
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| slot.open.iter().try_for_each(|open| waits(number, slot, open)))
}

fn waits(number: usize, slot: &Slot, open: &Open) -> Verdict {
    must(open.must.is_none(), RULE, number, || {
        format!("{:?} did not hear {}", open.ask, due(open.must))
    })?;
    let starts = matches!(open.ask, Asked::Start | Asked::Restart | Asked::Resume);
    let right = match slot.state() {
        Some(StateName::Stopping) => true,
        Some(StateName::Starting) => starts,
        None
        | Some(StateName::Running | StateName::Restarting | StateName::Error | StateName::Failed) => {
            false
        }
    };
    must(right, RULE, number, || format!("{:?} waits for nothing", open.ask))
}
