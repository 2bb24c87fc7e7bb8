//! `GET /metrics`: the text format 0.0.4 of Prometheus.

use std::fmt::Write;
use std::time::Duration;

use crate::api::{SlotStatus, State};

const STATES: [(State, &str); 7] = [
    (State::Starting, "starting"),
    (State::Running, "running"),
    (State::Restarting, "restarting"),
    (State::Stopping, "stopping"),
    (State::Stopped, "stopped"),
    (State::Error, "error"),
    (State::Failed, "failed"),
];

/// What a slot is measured by.
type Measure = fn(&SlotStatus) -> u64;

const OF_SLOTS: [(&str, &str, Measure); 4] = [
    ("worker_slot_up", "Whether the slot is running: 1 or 0.", |it| {
        u64::from(it.state == State::Running)
    }),
    ("worker_slot_runs", "Its latest run, counted from 1.", |it| it.run),
    ("worker_slot_restarts", "Its spawns since the last start from rest, less one.", |it| {
        it.restarts.into()
    }),
    ("worker_slot_streak", "Its consecutive failures.", |it| it.streak.into()),
];

/// The whole text.
pub(super) fn metrics(slots: &[SlotStatus], uptime: Duration) -> String {
    let mut text = String::new();
    head(&mut text, "worker_info", "The version of worker.");
    sample(&mut text, "worker_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    head(&mut text, "worker_uptime_seconds", "How long the daemon has been running.");
    sample(&mut text, "worker_uptime_seconds", &[], uptime.as_secs());
    head(&mut text, "worker_slots", "Slots by state.");
    for (state, name) in STATES {
        let count = slots.iter().filter(|slot| slot.state == state).count();
        sample(&mut text, "worker_slots", &[("state", name)], count as u64);
    }
    for (name, help, measure) in OF_SLOTS {
        head(&mut text, name, help);
        slots.iter().for_each(|slot| {
            sample(&mut text, name, &[("slot", &slot.slot)], measure(slot));
        });
    }
    text
}

/// All are gauges: what they count begins anew when a slot is started from rest.
fn head(text: &mut String, name: &str, help: &str) {
    // Cannot fail, here and below: it is a string.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: u64) {
    let labels: Vec<_> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &str, state: State, streak: u32) -> SlotStatus {
        SlotStatus {
            slot: name.to_owned(),
            state,
            run: 3,
            pid: None,
            ports: Vec::new(),
            url: None,
            since: String::new(),
            last_used: None,
            restarts: 2,
            streak,
            max_failures: 8,
            next: None,
            last_error: None,
        }
    }

    #[test]
    fn each_state_and_each_slot_has_a_sample() {
        let slots = [slot("shop/api", State::Running, 0), slot("shop/web", State::Failed, 8)];
        let text = metrics(&slots, Duration::from_millis(61_500));
        for line in [
            "worker_uptime_seconds 61",
            "worker_slots{state=\"running\"} 1",
            "worker_slots{state=\"failed\"} 1",
            "worker_slots{state=\"stopped\"} 0",
            "worker_slot_up{slot=\"shop/api\"} 1",
            "worker_slot_restarts{slot=\"shop/api\"} 2",
            "worker_slot_streak{slot=\"shop/web\"} 8",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_label_cannot_end_early() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
