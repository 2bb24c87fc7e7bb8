//! What became of a request, in the words of an answer.

use worker_core::{DownCause, Outcome, Refusal, SpawnFailure};

use crate::error::{Code, Failure};
use crate::run::breaker_message;

/// Whether a request came to a good end.
///
/// `cause` is why a start failed or parked its slot, if it did, in words: the core knows only its
/// kind.
pub(super) fn check(slot: &str, outcome: Option<Outcome>, cause: &str) -> Result<(), Failure> {
    match outcome {
        Some(
            Outcome::Started(_)
            | Outcome::Stopped
            | Outcome::Reset
            | Outcome::Touched
            | Outcome::ShutDown { .. },
        ) => Ok(()),
        Some(Outcome::StartFailed(why)) => Err(start_failed(slot, why, cause)),
        Some(Outcome::Parked(_)) => Err(parked(slot, cause)),
        Some(Outcome::Cancelled) => Err(super::waiting::cancelled(slot)),
        Some(Outcome::Unkillable) => Err(unkillable(slot)),
        Some(Outcome::Refused(refusal)) => Err(refused(slot, refusal)),
        None => Err(shutting_down()),
    }
}

/// A cause with what was said last.
pub(super) fn with_output(cause: String, output: &[String]) -> String {
    let said: Vec<&str> =
        output.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    match said.as_slice() {
        [] => cause,
        [line] => format!("{cause}; its last output: {line}"),
        lines => format!("{cause}; its last output:\n  {}", lines.join("\n  ")),
    }
}

fn start_failed(slot: &str, why: DownCause, cause: &str) -> Failure {
    let code = match why {
        DownCause::SpawnFailed(_) | DownCause::PrepareFailed(_) => Code::SpawnFailed,
        DownCause::Exited(_)
        | DownCause::ExitedBeforeReady(_)
        | DownCause::ReadyTimeout(_)
        | DownCause::Unresponsive(_)
        | DownCause::MemoryBreach { .. } => Code::StartFailed,
    };
    let failure = Failure::new(code, format!("{slot} could not be started: {cause}"));
    if why == DownCause::SpawnFailed(SpawnFailure::NoPorts) {
        // The cause says what to do about its ports, and there is no more to be seen of it.
        return failure;
    }
    failure.hint(format!("see `worker logs {slot}` and `worker why {slot}`"))
}

fn unkillable(slot: &str) -> Failure {
    let message = format!("{slot}: processes of it are still there, long after SIGKILL");
    Failure::new(Code::Unkillable, message).hint(format!(
        "`worker why {slot}` names them; such processes wait for a device or a network file system"
    ))
}

fn parked(slot: &str, why: &str) -> Failure {
    Failure::new(Code::Parked, format!("{slot} is parked: {why}"))
        .hint(format!("see `worker why {slot}`; when the cause is mended: worker reset {slot}"))
}

fn refused(slot: &str, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Parked(breaker) => parked(slot, &breaker_message(breaker)),
        Refusal::ShuttingDown => shutting_down(),
        Refusal::NotParked => {
            Failure::new(Code::NotParked, format!("{slot} is not parked: nothing was changed"))
                .hint("only a parked slot is re-armed; `worker status` shows the states")
        }
        Refusal::NoLiveRun => {
            Failure::new(Code::NotRunning, format!("{slot} is not running: nothing was changed"))
                .hint(format!("start it: worker start {slot}"))
        }
        Refusal::NeverRestarted => {
            Failure::new(Code::Cancelled, format!("{slot} is never restarted, and stays at rest"))
                .hint(format!("start it: worker start {slot}"))
        }
        Refusal::NotAtRest => Failure::new(Code::Failed, format!("{slot} is not at rest")),
    }
}

pub(super) fn shutting_down() -> Failure {
    Failure::new(Code::ShuttingDown, "the daemon is shutting down: nothing was started")
        .hint("ask again when it is gone; the next command starts a new one")
}

#[cfg(test)]
mod tests {
    use worker_core::{Exit, Parked, Signal, SpawnFailure};

    use super::*;

    fn failure(outcome: Outcome) -> Failure {
        check("shop/api", Some(outcome), "it crashed").unwrap_err()
    }

    #[test]
    fn a_parked_slot_says_how_to_re_arm_it() {
        let last = DownCause::Exited(Exit::Signal(Signal::Kill));
        let parked = Parked { streak: 8, window: std::time::Duration::from_secs(300), last };
        let failure = failure(Outcome::Refused(Refusal::Parked(parked)));
        assert_eq!(failure.code, Code::Parked);
        assert!(failure.message.starts_with("shop/api is parked: circuit breaker tripped: 8"));
        assert!(failure.hint.unwrap().contains("worker reset shop/api"));
    }

    #[test]
    fn a_start_that_did_not_spawn_is_another_kind_than_one_that_crashed() {
        let spawn = DownCause::SpawnFailed(SpawnFailure::NotFound);
        assert_eq!(failure(Outcome::StartFailed(spawn)).code, Code::SpawnFailed);
        let crash = DownCause::ExitedBeforeReady(Exit::Code(1));
        assert_eq!(failure(Outcome::StartFailed(crash)).code, Code::StartFailed);
    }
}
