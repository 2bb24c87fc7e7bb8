//! Events as a person reads them.

use std::time::Duration;

use serde_json::Value;

use crate::duration::human;
use crate::verbs::screen::{Ink, Page, plain};

/// `08:00:00.123 shop/api#2  exited      SIGKILL after 3.1 s`. None if it is no event.
pub(in crate::verbs) fn line(event: &Value, page: &Page) -> Option<String> {
    let text = |key: &str| event[key].as_str();
    let kind = text("event")?;
    let run = event["run"].as_u64().map(|run| format!("#{run}")).unwrap_or_default();
    let slot = format!("{}{run}", plain(text("slot")?));
    let time = page.paint.dim(&page.clock.time(text("time")?));
    let kind = page.paint.ink(ink(kind, event), &format!("{:<10}", plain(kind)));
    let line = format!("{time} {slot:<16} {kind} {}", what(event));
    Some(line.trim_end().to_owned())
}

fn ink(kind: &str, event: &Value) -> Ink {
    match kind {
        "ready" => Ink::Green,
        "exited" if event["clean"] == false => Ink::Red,
        "failed" | "error" => Ink::Red,
        "restarting" | "stopping" | "starting" => Ink::Yellow,
        _ => Ink::Plain,
    }
}

/// What is particular to this event.
pub(in crate::verbs) fn what(event: &Value) -> String {
    let number = |key: &str| event[key].as_u64();
    let time = |key: &str| human(Duration::from_millis(number(key).unwrap_or_default()));
    let text = |key: &str| plain(event[key].as_str().unwrap_or_default());
    match event["event"].as_str().unwrap_or_default() {
        "spawned" => spawned(event),
        "ready" => format!("after {}", time("after_ms")),
        "exited" => format!("{} after {}", exit(event), time("uptime_ms")),
        "tree_gone" => tree_gone(number("killed"), number("left")),
        "restarting" => {
            let (streak, most) = (number("streak"), number("max_failures"));
            let streak = format!("{} of {}", streak.unwrap_or_default(), most.unwrap_or_default());
            format!("in {} ({streak} failures)", time("delay_ms"))
        }
        "stopping" => text("reason"),
        "failed" | "error" => text("message"),
        _ => String::new(),
    }
}

fn spawned(event: &Value) -> String {
    let pid = event["pid"].as_i64().map(|pid| format!("pid {pid}"));
    let ports: Vec<String> =
        event["ports"].as_array().into_iter().flatten().map(Value::to_string).collect();
    let ports = (!ports.is_empty()).then(|| format!("ports {}", ports.join(" ")));
    pid.into_iter().chain(ports).collect::<Vec<_>>().join(", ")
}

fn exit(event: &Value) -> String {
    let code = event["code"].as_i64().map(|code| format!("code {code}"));
    let signal = || event["signal"].as_str().map(plain);
    code.or_else(signal).unwrap_or_else(|| "in an unknown way".to_owned())
}

fn tree_gone(killed: Option<u64>, left: Option<u64>) -> String {
    let parts = [(killed, "by SIGKILL"), (left, "left running")];
    let parts = parts.iter().filter_map(|(count, what)| {
        let count = (*count).filter(|count| *count > 0)?;
        Some(format!("{count} {what}"))
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn lines(events: &[Value]) -> String {
        let page = Page::for_tests();
        let lines = events.iter().map(|body| {
            let mut event = json!({"v": 1, "seq": 1, "time": "2026-11-22T07:00:00.007Z",
                "slot": "shop/api", "run": 2});
            for (key, value) in body.as_object().unwrap() {
                event[key] = value.clone();
            }
            line(&event, &page).unwrap()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_event_says_what_is_particular_to_it() {
        let life = [
            json!({"event": "starting", "run": null}),
            json!({"event": "spawned", "pid": 4711, "ports": [21000, 21001]}),
            json!({"event": "spawned", "pid": 4711, "ports": []}),
            json!({"event": "ready", "after_ms": 24, "owner": "own"}),
            json!({"event": "exited", "code": null, "signal": "SIGKILL", "clean": false, "uptime_ms": 3120}),
            json!({"event": "exited", "code": 0, "signal": null, "clean": true, "uptime_ms": 90_000}),
            json!({"event": "tree_gone", "killed": 2, "left": 0}),
            json!({"event": "tree_gone", "killed": 0, "left": 0}),
            json!({"event": "restarting", "delay_ms": 1100, "streak": 3, "max_failures": 8}),
            json!({"event": "stopping", "reason": "idle"}),
            json!({"event": "stopped"}),
            json!({"event": "failed", "message": "circuit breaker tripped"}),
            json!({"event": "error", "message": "no such program: \u{1b}[2J/bin/nope"}),
            json!({"event": "of a later version"}),
        ];
        assert_snapshot!(lines(&life));
    }

    #[test]
    fn what_is_no_event_is_not_shown() {
        assert_eq!(line(&json!({"v": 1}), &Page::for_tests()), None);
        assert_eq!(line(&json!("text"), &Page::for_tests()), None);
    }
}
