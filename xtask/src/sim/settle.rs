//! Once the faults stop: every slot settles, within a bound that follows from the policy.

use std::time::Duration;

use worker_core::{Exit, Instant, Owner, PortRequest, Report, Signal, StateName, Urgency};

use super::checkers::{Broken, Rule};
use super::ledger::{Run, Slot};
use super::script::{Act, Gap, Step};
use super::tally::Tally;
use super::world::{Failure, World};

const RULE: Rule =
    Rule { name: "every slot settles once the faults stop", cites: "§5 rule 6 and 8" };

/// A healthy host needs no more calls than this for a slot.
const CALLS: usize = 40;

/// Lets a healthy host work until every slot is at rest or runs.
pub(crate) fn settle(
    world: &mut World<'_>,
    shut_down: bool,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let began = world.ledger.now;
    if shut_down {
        let act = Act::Shutdown(Urgency::Orderly);
        world.step(Step { gap: Gap::Nanos(0), slot: 0, act }, tally)?;
    }
    for _ in 0..CALLS * world.setup.slots {
        let Some(step) = next(world) else { return settled(world, began) };
        world.step(step, tally)?;
    }
    let slot = (0..world.setup.slots).find(|slot| !is_settled(&world.ledger.slots[*slot]));
    Err(stuck(slot.unwrap_or(0), "it does not settle".into()))
}

fn stuck(slot: usize, why: String) -> Failure {
    Failure::Stuck(Broken { rule: RULE, slot, why })
}

fn is_settled(slot: &Slot) -> bool {
    matches!(slot.state(), None | Some(StateName::Running | StateName::Error | StateName::Failed))
}

/// What a healthy host does next; nothing when everything is settled.
fn next(world: &World<'_>) -> Option<Step> {
    let slots = &world.ledger.slots[..world.setup.slots];
    let number = slots.iter().position(|slot| !is_settled(slot))?;
    let slot = u8::try_from(number).unwrap_or(0);
    let answer = slots.iter().enumerate().find_map(|(number, slot)| {
        let report = (!is_settled(slot)).then(|| answer(slot.run())).flatten()?;
        let act = Act::Say { back: 0, report };
        Some(Step { gap: Gap::Nanos(0), slot: u8::try_from(number).unwrap_or(0), act })
    });
    Some(answer.unwrap_or(Step { gap: Gap::Wakeup(0), slot, act: Act::Tick }))
}

/// The answer that the host still owes about a run.
fn answer(run: &Run) -> Option<Report> {
    if run.gone || run.spawn_failed {
        return None;
    }
    if run.reserve_at.is_some() && run.spawn_at.is_none() {
        return Some(Report::Reserved);
    }
    if run.spawn_pending() {
        return Some(Report::Spawned);
    }
    if !run.has_tree() {
        return None;
    }
    if run.flush_at.is_some() && !run.flushed && !run.emptied() {
        return Some(Report::Flushed);
    }
    if run.exit.is_none() && (run.emptied() || !run.is_main()) {
        let killed = run.kill_at.is_some();
        let exit = if killed { Exit::Signal(Signal::Kill) } else { Exit::Code(0) };
        return Some(Report::LeaderExited(exit));
    }
    if run.emptied() {
        return Some(Report::TreeGone { killed: 0, left: 0 });
    }
    (run.await_at.is_some() && run.ready_at.is_none()).then_some(Report::Ready(Owner::Own))
}

fn settled(world: &World<'_>, began: Instant) -> Result<(), Failure> {
    let took = world.ledger.now.since(began);
    let bound = bound(world);
    if took > bound {
        return Err(stuck(0, format!("it took {took:?}, and the policy allows {bound:?}")));
    }
    for (number, slot) in world.ledger.slots[..world.setup.slots].iter().enumerate() {
        if !slot.open.is_empty() {
            return Err(stuck(number, format!("{:?} is never answered", slot.open[0].ask)));
        }
        if world.ledger.shutting.is_some() && slot.is(StateName::Running) {
            return Err(stuck(number, "it runs after a shutdown".into()));
        }
    }
    Ok(())
}

/// A healthy host answers at once, so that only backoffs take time: one, or where ports run out
/// as many as it takes to park.
fn bound(world: &World<'_>) -> Duration {
    let longest = world.setup.specs.iter().map(|spec| {
        let options = spec.options();
        let attempts = match options.ports {
            PortRequest::None => 1,
            PortRequest::Auto(_) | PortRequest::Fixed(_) => options.restart.max_failures,
        };
        options.restart.backoff_max * attempts
    });
    longest.max().unwrap_or_default()
}
