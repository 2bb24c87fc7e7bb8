//! The deadlines that the design promises, worked out from the books.

use worker_core::{CHECK_LIMIT, Instant, SPAWN_LIMIT, StateName, UNKILLABLE_AFTER};

use super::ledger::Slot;
use super::setup::Setup;

/// What is promised to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    SpawnOverdue,
    PrepareTimeout,
    ReadyTimeout,
    Healthy,
    Idle,
    CheckOverdue,
    Restart,
    FlushTimeout,
    GraceOver,
    Unkillable,
}

/// Calls back with every deadline that the slot has.
pub(crate) fn promises(slot: &Slot, setup: &Setup, each: &mut impl FnMut(Promise, Instant)) {
    // What lies beyond the end of the clock never comes.
    let each = &mut |promise, at: Instant| {
        if at.as_nanos() < u64::MAX {
            each(promise, at);
        }
    };
    if slot.is(StateName::Restarting)
        && let Some(at) = slot.restart_at
    {
        each(Promise::Restart, at);
    }
    if slot.live_run().is_some() {
        booting(slot, setup, each);
        running(slot, setup, each);
        emptying(slot, setup, each);
    }
}

fn booting(slot: &Slot, setup: &Setup, each: &mut impl FnMut(Promise, Instant)) {
    let (run, options) = (slot.run(), setup.options(slot.launch));
    if !slot.is(StateName::Starting) || run.ending.is_some() {
        return;
    }
    if let Some(at) = run.reserve_at.filter(|_| !run.reserved) {
        each(Promise::SpawnOverdue, at + SPAWN_LIMIT);
    }
    if let Some(at) = run.spawn_at.filter(|_| run.spawned_at.is_none()) {
        each(Promise::SpawnOverdue, at + SPAWN_LIMIT);
    }
    let Some(spawned) = run.spawned_at else { return };
    if !run.is_main() {
        each(Promise::PrepareTimeout, spawned + options.prepare.unwrap_or_default().timeout);
    } else if let Some(ready) = options.ready {
        each(Promise::ReadyTimeout, spawned + ready.timeout);
    }
}

fn running(slot: &Slot, setup: &Setup, each: &mut impl FnMut(Promise, Instant)) {
    let (run, options) = (slot.run(), setup.options(slot.launch));
    let Some(ready) = run.ready_at.filter(|_| run.ending.is_none()) else { return };
    if !slot.failures.is_empty() {
        each(Promise::Healthy, ready + options.restart.healthy_after);
    }
    let (Some(idle), Some((_, used))) = (options.idle, run.used) else { return };
    match run.check_at.filter(|_| !run.check_void) {
        Some(at) => each(Promise::CheckOverdue, at + CHECK_LIMIT),
        None if run.leases == 0 => each(Promise::Idle, used + idle),
        None => {}
    }
}

fn emptying(slot: &Slot, setup: &Setup, each: &mut impl FnMut(Promise, Instant)) {
    let (run, options) = (slot.run(), setup.options(slot.launch));
    if run.ending.is_none() {
        return;
    }
    if let Some(killed) = run.kill_at.or(run.release_at) {
        if !slot.unkillable {
            each(Promise::Unkillable, killed + UNKILLABLE_AFTER);
        }
    } else if let Some(signalled) = run.signal_at {
        each(Promise::GraceOver, signalled + options.stop.grace);
    } else if let Some(at) = run.flush_at.filter(|_| !run.flushed) {
        each(Promise::FlushTimeout, at + options.flush.unwrap_or_default());
    } else if run.spawn_pending() && !slot.unkillable {
        // The host never answers.
        each(Promise::Unkillable, run.ended_at.unwrap_or_default() + UNKILLABLE_AFTER);
    }
}
