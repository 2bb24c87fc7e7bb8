//! The events tell what happened: each once, about the right run, in the order of the design.

use worker_core::{Action, Event, Exit, Input, Report, RunId, StateName, StopReason};

use super::{Rule, Scene, Verdict, must};
use crate::sim::ledger::{Ending, Slot};

const RULE: Rule =
    Rule { name: "events tell what happened", cites: "§7 events, §4 failure path" };

pub(super) fn event(scene: &Scene<'_>, number: usize, run: Option<RunId>, event: Event) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let of_run = matches!(
        event,
        Event::Spawned { .. } | Event::Ready { .. } | Event::Exited { .. } | Event::TreeGone { .. }
    );
    let named = run.map(RunId::get) == Some(slot.run().id);
    must(!of_run || named, RULE, number, || format!("{event:?} names {run:?}"))?;
    match event {
        Event::Exited { exit, clean, uptime } => exited(scene, number, slot, (exit, clean, uptime)),
        Event::TreeGone { killed, left } => {
            let told = Report::TreeGone { killed, left };
            let right = matches!(scene.input, Input::Report { report, .. } if *report == told);
            must(right, RULE, number, || format!("{event:?} was not reported so"))
        }
        Event::Stopping(reason) => stopping(number, slot, reason),
        Event::Starting
        | Event::Spawned { .. }
        | Event::Ready { .. }
        | Event::Restarting { .. }
        | Event::Failed(_)
        | Event::Stopped
        | Event::Reset
        | Event::Error(_)
        | Event::Unkillable => Ok(()),
    }
}

fn exited(
    scene: &Scene<'_>,
    number: usize,
    slot: &Slot,
    told: (Exit, bool, std::time::Duration),
) -> Verdict {
    let run = slot.run();
    let exit = run.exit.unwrap_or(Exit::Unknown);
    let now = scene.ledger.now;
    let clean = run.ready_at.is_some() && run.dead_first && exit.is_success();
    let expected = (exit, clean, now.since(run.spawned_at.unwrap_or(now)));
    must(told == expected, RULE, number, || format!("exited {told:?}, not {expected:?}"))
}

/// The failure path goes without `stopping`.
fn stopping(number: usize, slot: &Slot, reason: StopReason) -> Verdict {
    let silent = matches!(reason, StopReason::Failure(_) | StopReason::FailedStart(_));
    let failing = slot.run().ending == Some(Ending::Failure);
    must(!silent && !failing, RULE, number, || format!("stopping ({reason:?}) on a failure"))
}

/// What a change of state must be told as.
pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        if scene.state_before(number) != slot.state() {
            told(scene, number, slot)?;
        }
        heard(scene, number)?;
        once(scene, number)
    })
}

fn told(scene: &Scene<'_>, number: usize, slot: &Slot) -> Verdict {
    let has = |wanted: fn(&Event) -> bool| has_event(scene, number, wanted);
    let fine = match slot.state() {
        None => has(|event| matches!(event, Event::Stopped | Event::Reset)),
        Some(StateName::Starting) => has(|event| matches!(event, Event::Starting)),
        Some(StateName::Running) => has(|event| matches!(event, Event::Ready { .. })),
        Some(StateName::Restarting) => has(|event| matches!(event, Event::Restarting { .. })),
        Some(StateName::Error) => has(|event| matches!(event, Event::Error(_))),
        Some(StateName::Failed) => {
            scene.resumes_as_parked(number) || has(|event| matches!(event, Event::Failed(_)))
        }
        Some(StateName::Stopping) => {
            slot.run().ending != Some(Ending::Ordered)
                || has(|event| matches!(event, Event::Stopping(_)))
        }
    };
    let state = crate::sim::ledger::state_name(slot.state());
    must(fine, RULE, number, || format!("it became {state}, and no event says so"))
}

/// An exit and the end of a tree are told, once each. A preparation's are not.
fn heard(scene: &Scene<'_>, number: usize) -> Verdict {
    let Input::Report { report, run, .. } = scene.input else { return Ok(()) };
    let main = scene.ledger.slots[number].run_of(*run).is_some_and(|run| run.is_main());
    if !scene.heard || scene.slot != Some(number) || !main {
        return Ok(());
    }
    let fine = match report {
        Report::LeaderExited(_) => {
            has_event(scene, number, |event| matches!(event, Event::Exited { .. }))
        }
        Report::TreeGone { .. } => {
            has_event(scene, number, |event| matches!(event, Event::TreeGone { .. }))
        }
        Report::Spawned => has_event(scene, number, |event| matches!(event, Event::Spawned { .. })),
        Report::Reserved
        | Report::PortsBusy
        | Report::SpawnFailed(_)
        | Report::Ready(_)
        | Report::Alive(_)
        | Report::Memory(_)
        | Report::UseChecked { .. }
        | Report::Leased
        | Report::Returned
        | Report::Evict
        | Report::Flushed => true,
    };
    must(fine, RULE, number, || format!("{report:?} is not told"))
}

/// No event comes twice in one call.
fn once(scene: &Scene<'_>, number: usize) -> Verdict {
    for (nth, action) in scene.actions.iter().enumerate() {
        let Action::Event { slot, .. } = action else { continue };
        let twice = usize::from(slot.get()) == number && scene.actions[..nth].contains(action);
        must(!twice, RULE, number, || format!("{action:?} is told twice"))?;
    }
    Ok(())
}

fn has_event(scene: &Scene<'_>, number: usize, wanted: fn(&Event) -> bool) -> bool {
    let mut told = scene.actions.iter().filter(|action| {
        matches!(action, Action::Event { slot, event, .. }
            if usize::from(slot.get()) == number && wanted(event))
    });
    told.next().is_some()
}
