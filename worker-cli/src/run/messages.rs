//! What `worker run` says to people.

use worker_core::{DownCause, Event, Exit, Parked, PrepareFailure, Signal, SpawnFailure, Urgency};

use crate::driver::Notice;
use crate::duration::human;
use crate::error::{Code, Failure};

/// What there is to say about an event, without the name in front of it; often nothing.
pub(super) fn message(notice: &Notice) -> Option<String> {
    match notice.event {
        Event::Spawned { block: Some(block) } => {
            let noun = if block.count() == 1 { "port" } else { "ports" };
            Some(format!("started on {noun} {block}"))
        }
        Event::Ready { after, owner: Some(_) } => Some(format!("ready after {}", human(after))),
        Event::TreeGone { killed, left } => tree_gone(killed, left),
        Event::Restarting { delay, streak, max_failures, cause } => {
            let why = why(notice, cause);
            let delay = human(delay);
            Some(format!("restart in {delay} ({streak} of {max_failures} failures): {why}"))
        }
        Event::Starting
        | Event::Spawned { block: None }
        | Event::Ready { owner: None, .. }
        | Event::Exited { .. }
        | Event::Failed(_)
        | Event::Stopping(_)
        | Event::Stopped
        | Event::Reset
        | Event::Error(_)
        | Event::Unkillable => None,
    }
}

/// What there is to say about a signal that stops the command: the first one, or a later one.
pub(super) fn stopping(signal: Signal, urgency: Urgency, grace: std::time::Duration) -> String {
    match urgency {
        Urgency::Orderly => {
            let grace = human(grace);
            format!("{signal}: stopping; SIGKILL after {grace}, or at a second signal")
        }
        Urgency::Immediate => format!("{signal}: SIGKILL now"),
    }
}

/// Why the run ends here, if this event is such an end. `holders` says who has the ports, and
/// `survivors` which processes are still there.
pub(super) fn failure(
    name: &str,
    notice: &Notice,
    holders: impl FnOnce() -> String,
    survivors: impl FnOnce() -> Vec<String>,
) -> Option<Failure> {
    match notice.event {
        Event::Failed(parked) => Some(tripped(name, parked)),
        Event::Error(cause) => Some(spawn_failed(name, notice, cause, &holders())),
        Event::Unkillable => Some(unkillable(name, &survivors())),
        Event::Starting
        | Event::Spawned { .. }
        | Event::Ready { .. }
        | Event::Exited { .. }
        | Event::TreeGone { .. }
        | Event::Restarting { .. }
        | Event::Stopping(_)
        | Event::Stopped
        | Event::Reset => None,
    }
}

fn tripped(name: &str, parked: Parked) -> Failure {
    Failure::new(Code::Parked, format!("{name}: {}", breaker_message(parked)))
        .hint("nothing of it is left; mend the cause, then start it again")
}

/// As the core says it, up to what to do next, which differs here: there is no slot to re-arm.
pub(crate) fn breaker_message(parked: Parked) -> String {
    let Parked { streak, window, last } = parked;
    format!(
        "circuit breaker tripped: {streak} consecutive non-clean exits within {window:?} \
         (last: {last})"
    )
}

fn spawn_failed(name: &str, notice: &Notice, cause: DownCause, holders: &str) -> Failure {
    if cause == DownCause::SpawnFailed(SpawnFailure::NoPorts) {
        return no_ports(name, holders);
    }
    let why = why(notice, cause);
    Failure::new(Code::SpawnFailed, format!("{name}: it could not be started: {why}"))
}

fn unkillable(name: &str, survivors: &[String]) -> Failure {
    let survivors =
        if survivors.is_empty() { "unknown processes".to_owned() } else { survivors.join(", ") };
    let message = format!("{name}: still there, long after SIGKILL: {survivors}");
    Failure::new(Code::Unkillable, message).hint(
        "such processes wait for a device or a network file system; they end when that answers",
    )
}

fn no_ports(name: &str, holders: &str) -> Failure {
    let message = format!("{name}: it could not be started: no free block of ports: {holders}");
    Failure::new(Code::SpawnFailed, message)
        .hint("end one of these, or give other ports with --port-range FIRST-LAST")
}

fn tree_gone(killed: u32, left: u32) -> Option<String> {
    let processes = |count| if count == 1 { "process" } else { "processes" };
    let were = |count| if count == 1 { "was" } else { "were" };
    match (killed, left) {
        (0, 0) => None,
        (killed, 0) => {
            Some(format!("SIGKILL ended {killed} {} that {} left", processes(killed), were(killed)))
        }
        (_, left) => Some(format!("{left} {} {} left running", processes(left), were(left))),
    }
}

pub(crate) fn why(notice: &Notice, cause: DownCause) -> String {
    match (cause, &notice.spawn_error) {
        (DownCause::SpawnFailed(_), Some(error)) => error.clone(),
        (DownCause::PrepareFailed(PrepareFailure::Spawn(_)), Some(error)) => {
            format!("its preparation could not be started: {error}")
        }
        _ => in_words(cause),
    }
}

/// A cause, without what only its event tells.
pub(crate) fn in_words(cause: DownCause) -> String {
    match cause {
        DownCause::Exited(exit) => how(exit),
        DownCause::ExitedBeforeReady(exit) => format!("{} before it was ready", how(exit)),
        DownCause::ReadyTimeout(limit) => format!("not ready after {}", human(limit)),
        DownCause::PrepareFailed(PrepareFailure::Exit(exit)) => {
            format!("its preparation failed: {}", how(exit))
        }
        DownCause::PrepareFailed(PrepareFailure::TimedOut(limit)) => {
            format!("its preparation took longer than {}", human(limit))
        }
        DownCause::SpawnFailed(_)
        | DownCause::Unresponsive(_)
        | DownCause::MemoryBreach { .. }
        | DownCause::PrepareFailed(PrepareFailure::Spawn(_) | PrepareFailure::Unkillable) => {
            cause.to_string()
        }
    }
}

fn how(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("ended by {signal}"),
        Exit::Unknown => "ended in an unknown way".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn contract_4_the_breaker_speaks_as_in_the_core() {
        let last = DownCause::Exited(Exit::Signal(Signal::Kill));
        let parked = Parked { streak: 8, window: Duration::from_secs(300), last };
        let message = breaker_message(parked);
        assert_eq!(
            message,
            "circuit breaker tripped: 8 consecutive non-clean exits within 300s \
             (last: code=- signal=SIGKILL)"
        );
        assert!(parked.to_string().starts_with(&message), "{parked}");
    }

    #[test]
    fn survivors_are_named() {
        let failure = unkillable("api", &["pid 812 `dd`".to_owned(), "pid 813".to_owned()]);
        assert_eq!(failure.message, "api: still there, long after SIGKILL: pid 812 `dd`, pid 813");
    }
}
