//! Events as JSON Lines: one object a line, with the names that the design gives.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use worker_core::{Block, Event, Exit, Owner, StopReason};

use crate::driver::Notice;
use crate::run::why;

/// Turns notices into lines and numbers them.
#[derive(Debug, Default)]
pub struct EventLines {
    seq: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    v: u8,
    seq: u64,
    time: String,
    slot: &'a str,
    run: Option<u64>,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Body {
    Starting,
    Spawned { pid: Option<i32>, ports: Vec<u16> },
    Ready { after_ms: u64, owner: Option<&'static str> },
    Exited { code: Option<i32>, signal: Option<String>, clean: bool, uptime_ms: u64 },
    TreeGone { killed: u32, left: u32 },
    Restarting { delay_ms: u64, streak: u32, max_failures: u32 },
    Failed { message: String },
    Stopping { reason: &'static str },
    Stopped,
    Reset,
    Error { message: String },
}

impl EventLines {
    /// The number of the latest line; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The next line, without its end.
    #[must_use]
    pub fn line(&mut self, slot: &str, notice: &Notice) -> String {
        self.seq += 1;
        let line = Line {
            v: 1,
            seq: self.seq,
            time: rfc3339(notice.time),
            slot,
            run: notice.run.map(|run| run.number),
            body: body(notice),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// UTC with milliseconds: `2026-11-22T07:00:00.000Z`.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// The ports of a block, one by one.
#[must_use]
pub fn ports(block: Option<Block>) -> Vec<u16> {
    block.map_or_else(Vec::new, |block| block.ports().collect())
}

fn body(notice: &Notice) -> Body {
    match notice.event {
        Event::Starting => Body::Starting,
        Event::Spawned { block } => Body::Spawned { pid: notice.pid, ports: ports(block) },
        Event::Ready { after, owner } => {
            Body::Ready { after_ms: millis(after), owner: owner.map(owner_name) }
        }
        Event::Exited { exit, clean, uptime } => exited(exit, clean, uptime),
        Event::TreeGone { killed, left } => Body::TreeGone { killed, left },
        Event::Restarting { delay, streak, max_failures, cause: _ } => {
            Body::Restarting { delay_ms: millis(delay), streak, max_failures }
        }
        Event::Failed(parked) => Body::Failed { message: parked.to_string() },
        Event::Stopping(reason) => Body::Stopping { reason: reason_name(reason) },
        Event::Stopped => Body::Stopped,
        Event::Reset => Body::Reset,
        Event::Error(cause) => Body::Error { message: why(notice, cause) },
        Event::Unkillable => {
            Body::Error { message: "processes are still there, long after SIGKILL".to_owned() }
        }
    }
}

fn exited(exit: Exit, clean: bool, uptime: Duration) -> Body {
    let (code, signal) = match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal.to_string())),
        Exit::Unknown => (None, None),
    };
    Body::Exited { code, signal, clean, uptime_ms: millis(uptime) }
}

const fn owner_name(owner: Owner) -> &'static str {
    match owner {
        Owner::Own => "own",
        Owner::Stranger => "stranger",
        Owner::Unknown => "unknown",
    }
}

const fn reason_name(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Request => "request",
        StopReason::Idle => "idle",
        StopReason::Eviction => "eviction",
        StopReason::Shutdown => "shutdown",
        StopReason::Ended => "ended",
        StopReason::Failure(_) | StopReason::FailedStart(_) => "failure",
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use worker_core::{DownCause, RunId, Signal, SlotId, SpawnFailure};

    use super::*;
    use crate::driver::RunKey;

    fn notice(event: Event) -> Notice {
        let run = RunKey { slot: SlotId::new(0), run: RunId::new(9), number: 2 };
        Notice {
            time: Timestamp::from_millisecond(1_795_330_800_007).unwrap(),
            slot: run.slot,
            run: Some(run),
            pid: Some(4711),
            spawn_error: None,
            event,
        }
    }

    fn check(notice: &Notice, expected: &str) {
        let line = EventLines { seq: 6 }.line("shop/api", notice);
        let head = r#"{"v":1,"seq":7,"time":"2026-11-22T07:00:00.007Z","slot":"shop/api","run":2,"#;
        assert_eq!(line, format!("{head}{expected}}}"));
    }

    #[test]
    fn each_event_has_the_fields_of_the_design() {
        let check = |event, expected| check(&notice(event), expected);
        check(Event::Starting, r#""event":"starting""#);
        let block = Block::new(21_000, 2);
        check(Event::Spawned { block }, r#""event":"spawned","pid":4711,"ports":[21000,21001]"#);
        check(
            Event::Ready { after: Duration::from_millis(24), owner: Some(Owner::Own) },
            r#""event":"ready","after_ms":24,"owner":"own""#,
        );
        let uptime = Duration::from_millis(3120);
        check(
            Event::Exited { exit: Exit::Signal(Signal::Kill), clean: false, uptime },
            r#""event":"exited","code":null,"signal":"SIGKILL","clean":false,"uptime_ms":3120"#,
        );
        check(
            Event::Exited { exit: Exit::Code(0), clean: true, uptime },
            r#""event":"exited","code":0,"signal":null,"clean":true,"uptime_ms":3120"#,
        );
        check(Event::TreeGone { killed: 2, left: 1 }, r#""event":"tree_gone","killed":2,"left":1"#);
        let cause = DownCause::Exited(Exit::Code(1));
        check(
            Event::Restarting {
                delay: Duration::from_millis(1100),
                streak: 3,
                max_failures: 8,
                cause,
            },
            r#""event":"restarting","delay_ms":1100,"streak":3,"max_failures":8"#,
        );
        check(Event::Stopping(StopReason::Idle), r#""event":"stopping","reason":"idle""#);
        check(Event::Stopped, r#""event":"stopped""#);
        check(Event::Reset, r#""event":"reset""#);
    }

    #[test]
    fn a_spawn_that_failed_says_what_was_tried() {
        let mut notice = notice(Event::Error(DownCause::SpawnFailed(SpawnFailure::NotFound)));
        check(&notice, r#""event":"error","message":"no such program""#);
        notice.spawn_error = Some("no such program: /bin/nope".to_owned());
        check(&notice, r#""event":"error","message":"no such program: /bin/nope""#);
    }

    #[test]
    fn a_slot_without_a_run_has_null_there_and_lines_are_numbered_from_1() {
        let mut lines = EventLines::default();
        let notice = Notice { run: None, ..notice(Event::Reset) };
        assert!(lines.line("api", &notice).contains(r#""seq":1,"#));
        let second = lines.line("api", &notice);
        assert!(second.contains(r#""seq":2,"#) && second.contains(r#""run":null,"#), "{second}");
    }
}
