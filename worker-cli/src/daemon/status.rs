//! A slot as the world sees it.

use std::time::Duration;

use jiff::Timestamp;
use worker_core::{Instant, LastError, SlotView, StateName};

use super::registry::Entry;
use crate::api::{Next, SlotStatus, State};
use crate::events::{ports, rfc3339};
use crate::run::in_words as in_words_alone;

/// The slot at this moment, by the clock of the core and by that on the wall.
pub(super) fn status(
    entry: &Entry,
    view: Option<&SlotView>,
    now: Instant,
    wall: Timestamp,
) -> SlotStatus {
    let shown = |instant| rfc3339(at(instant, now, wall));
    // The core may have it in error still while its next start waits.
    let is_shown = |view: &&SlotView| entry.waiting.is_none() || view.state != StateName::Error;
    let Some(view) = view.filter(is_shown) else { return at_rest(entry) };
    let ports = ports(view.block);
    let url = ports.first().map(|port| format!("http://127.0.0.1:{port}"));
    SlotStatus {
        slot: entry.name.to_string(),
        state: state(view.state),
        run: entry.record.run,
        pid: entry.pid,
        url: url.filter(|_| view.state == StateName::Running),
        ports,
        since: shown(view.since),
        last_used: view.last_used.map(shown),
        restarts: view.restarts,
        streak: view.streak,
        max_failures: view.max_failures,
        next: view
            .next
            .map(|next| Next { at: Some(shown(next.at)), what: next.reason.to_string() }),
        last_error: view.last_error.map(|error| in_words(entry, error)),
    }
}

/// The core has no value for it.
fn at_rest(entry: &Entry) -> SlotStatus {
    let waits = entry.waiting.as_ref();
    let state = match waits {
        Some(_) => State::Starting,
        None if entry.is_blocked => State::Error,
        None => State::Stopped,
    };
    let max_failures = entry.instance.as_ref().map_or_else(
        || worker_core::RestartOptions::default().max_failures,
        |instance| instance.slot.spec.options().restart.max_failures,
    );
    SlotStatus {
        slot: entry.name.to_string(),
        state,
        run: entry.record.run,
        pid: None,
        ports: Vec::new(),
        url: None,
        since: rfc3339(waits.map_or(entry.record.since, |waits| waits.since)),
        last_used: None,
        restarts: 0,
        streak: 0,
        max_failures,
        next: waits.map(|waits| Next {
            at: None,
            what: format!("start when {} is ready", waits.for_slots.join(" and ")),
        }),
        last_error: words(entry).filter(|_| entry.is_blocked && waits.is_none()),
    }
}

const fn state(name: StateName) -> State {
    match name {
        StateName::Starting => State::Starting,
        StateName::Running => State::Running,
        StateName::Restarting => State::Restarting,
        StateName::Stopping => State::Stopping,
        StateName::Error => State::Error,
        StateName::Failed => State::Failed,
    }
}

fn in_words(entry: &Entry, error: LastError) -> String {
    match error {
        LastError::Parked(parked) => parked.to_string(),
        LastError::Down(cause) => {
            entry.words_for(cause).map_or_else(|| in_words_alone(cause), str::to_owned)
        }
        LastError::Unkillable => words(entry)
            .unwrap_or_else(|| "processes are still there, long after SIGKILL".to_owned()),
    }
}

fn words(entry: &Entry) -> Option<String> {
    entry.trouble.as_ref().map(|trouble| trouble.words.clone())
}

/// The time on the wall of an instant of the core.
fn at(instant: Instant, now: Instant, wall: Timestamp) -> Timestamp {
    let ahead = instant.since(now);
    if ahead == Duration::ZERO { wall - now.since(instant) } else { wall + ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_by_the_clock_on_the_wall() {
        let wall = Timestamp::from_second(1_000_000).unwrap();
        let now = Instant::ZERO + Duration::from_secs(100);
        assert_eq!(at(now, now, wall), wall);
        let minute = Duration::from_secs(60);
        assert_eq!(at(now + minute, now, wall), wall + minute);
        assert_eq!(at(Instant::ZERO, now, wall), wall - Duration::from_secs(100));
    }
}
