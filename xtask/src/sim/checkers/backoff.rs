//! Delays follow the streak, with 0-20 % of jitter, and never exceed the maximum.

use worker_core::{Event, Instant, Order, RestartOptions, StateName};

use super::{Rule, Scene, Verdict, must};

const RULE: Rule =
    Rule { name: "the backoff follows the streak", cites: "§4 backoff, contract 5" };
const EARLY: Rule = Rule { name: "a restart waits for its deadline", cites: "§4 restarting" };

pub(super) fn order(scene: &Scene<'_>, number: usize, order: Order) -> Verdict {
    let slot = &scene.ledger.slots[number];
    let waits = scene.state_before(number) == Some(StateName::Restarting);
    let starts = matches!(order, Order::Reserve(_) | Order::Spawn { .. });
    let due = slot.may.has(Some(StateName::Starting));
    must(!waits || !starts || due, EARLY, number, || "started before its backoff was over".into())
}

pub(super) fn event(scene: &Scene<'_>, number: usize, event: Event) -> Verdict {
    let Event::Restarting { delay, streak, max_failures, .. } = event else { return Ok(()) };
    let slot = &scene.ledger.slots[number];
    let restart = scene.setup.options(slot.launch).restart;
    let (least, most) = bounds(&restart, streak);
    let nanos = delay.as_nanos();
    must((least..=most).contains(&nanos), RULE, number, || {
        format!("a delay of {delay:?} after {streak} failures: {least} to {most} ns expected")
    })?;
    must(max_failures == restart.max_failures, RULE, number, || {
        format!("max_failures is said to be {max_failures}")
    })
}

/// In nanoseconds, by doubling as often as there were failures after the first.
fn bounds(restart: &RestartOptions, streak: u32) -> (u128, u128) {
    let max = restart.backoff_max.as_nanos();
    let mut base = restart.backoff.as_nanos();
    for _ in 1..streak.min(64) {
        base = (base * 2).min(max);
    }
    (base.min(max), (base + base / 5).min(max))
}

pub(super) fn after(scene: &Scene<'_>) -> Verdict {
    scene.each(|number, slot| {
        let Some(view) = slot.view.filter(|view| view.state == StateName::Restarting) else {
            return Ok(());
        };
        let at: Option<Instant> = view.next.map(|next| next.at);
        must(at == slot.restart_at, RULE, number, || {
            format!("the restart is due at {at:?}, and {:?} was announced", slot.restart_at)
        })
    })
}
