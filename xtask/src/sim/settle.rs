//! Once the faults stop: every slot settles, within a bound that follows from the policy.

use std::time::Duration;

use worker_core::{
    Exit, Instant, Owner, PortRequest, Report, Signal, StateName, UNKILLABLE_AFTER, Urgency,
};

use super::checkers::{Broken, Rule};
use super::ledger::{Run, Slot};
use super::script::{Act, Gap, Step};
use super::tally::Tally;
use super::world::{Failure, LIFETIME, World};

const RULE: Rule =
    Rule { name: "every slot settles once the faults stop", cites: "§5 rule 6 and 8" };

/// A healthy host needs no more calls than this for a slot.
const CALLS: usize = 40;

/// How the faults stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The host is healthy from here on.
    Healthy,
    /// A shutdown, on a healthy host.
    ShutDown,
    /// A shutdown, on a host that says nothing any more.
    Abandoned,
}

pub(crate) const ENDS: [End; 4] = [End::Healthy, End::Healthy, End::ShutDown, End::Abandoned];

/// Lets the world come to its end.
pub(crate) fn settle(world: &mut World<'_>, end: End, tally: &mut Tally) -> Result<(), Failure> {
    let began = world.ledger.now;
    if end != End::Healthy {
        let act = Act::Shutdown(Urgency::Orderly);
        world.step(Step { gap: Gap::Nanos(0), slot: 0, act }, tally)?;
    }
    if end == End::Abandoned {
        return abandoned(world, began, tally);
    }
    for _ in 0..CALLS * world.setup.slots {
        let Some(step) = next(world) else { return settled(world, began) };
        world.step(step, tally)?;
    }
    let slot = (0..world.setup.slots).find(|slot| !is_settled(&world.ledger.slots[*slot]));
    Err(stuck(slot.unwrap_or(0), "it does not settle".into()))
}

/// Whatever hangs delays a shutdown only up to a bound, and is then reported.
fn abandoned(world: &mut World<'_>, began: Instant, tally: &mut Tally) -> Result<(), Failure> {
    let tick = Step { gap: Gap::Wakeup(0), slot: 0, act: Act::Tick };
    for _ in 0..CALLS * world.setup.slots {
        if world.ledger.open_shutdowns.is_empty() {
            break;
        }
        world.step(tick, tally)?;
    }
    let took = world.ledger.now.since(began);
    let longest = world.setup.specs.iter().map(|spec| {
        let options = spec.options();
        let flush = options.flush.unwrap_or_default();
        flush.saturating_add(options.stop.grace).saturating_add(UNKILLABLE_AFTER)
    });
    let bound = longest.max().unwrap_or_default();
    if bound >= LIFETIME {
        return Ok(());
    }
    let done = world.ledger.open_shutdowns.is_empty() && took <= bound;
    let why = || format!("a shutdown took {took:?}, and the policies allow {bound:?}");
    if done { Ok(()) } else { Err(stuck(0, why())) }
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
        options.restart.backoff_max.saturating_mul(attempts)
    });
    longest.max().unwrap_or_default()
}
