//! What a verb that changes slots says in the end.

use crate::api::{self, SlotStatus, State};
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::verbs::screen::{Page, plain, print, say, state_ink};
use crate::voice::{Style, failure_line};

/// What became of each slot that was asked for, in that order.
pub(super) type Outcomes = Vec<Result<SlotStatus, Failure>>;

/// Prints what became of slots, and what failed; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if stdout cannot be written.
pub(super) fn report(
    outcomes: Outcomes,
    json: bool,
    words: impl Fn(&SlotStatus, &Page) -> String,
) -> Result<u8, Failure> {
    let (mut slots, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(slot) => slots.push(slot),
            Err(failure) => failures.push(failure),
        }
    }
    if json {
        let slots = api::Slots { v: api::VERSION, slots, warnings: Vec::new() };
        print(&to_json(&slots))?;
    } else {
        let page = Page::stdout();
        for slot in &slots {
            print(&words(slot, &page))?;
        }
    }
    Ok(fail(&failures, json))
}

/// Says what failed; answers the exit code: that of the failures if they agree, else 5 if a slot is
/// parked, else 1.
pub(super) fn fail(failures: &[Failure], json: bool) -> u8 {
    for failure in failures {
        say(&failure_line(Style { quiet: false, json }, failure));
    }
    joint_code(failures.iter().map(|failure| failure.code))
}

fn joint_code(codes: impl Iterator<Item = Code>) -> u8 {
    codes.map(Code::exit_code).fold(exit_code::DONE, |joint, code| match (joint, code) {
        (exit_code::DONE, code) => code,
        (joint, code) if joint == code => joint,
        (exit_code::PARKED, _) | (_, exit_code::PARKED) => exit_code::PARKED,
        _ => exit_code::FAILED,
    })
}

/// `shop/api is running: http://127.0.0.1:21000`.
pub(super) fn state_line(slot: &SlotStatus, page: &Page) -> String {
    let state = page.paint.ink(state_ink(slot.state), slot.state.name());
    let line = format!("{} is {state}", page.paint.bold(&plain(&slot.slot)));
    match &slot.url {
        Some(url) if slot.state == State::Running => format!("{line}: {}", plain(url)),
        _ => line,
    }
}

/// One line.
pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::sample::{running, slot};

    #[test]
    fn a_line_says_how_a_slot_is_now() {
        let page = Page::for_tests();
        assert_eq!(
            state_line(&running("shop/api"), &page),
            "shop/api is running: http://127.0.0.1:21000"
        );
        assert_eq!(state_line(&slot("shop/api", State::Stopped), &page), "shop/api is stopped");
    }

    #[test]
    fn several_failures_have_one_exit_code() {
        let joint = |codes: &[Code]| joint_code(codes.iter().copied());
        assert_eq!(joint(&[]), 0);
        assert_eq!(joint(&[Code::NoSuchSlot, Code::NoSuchSlot]), 4);
        assert_eq!(joint(&[Code::StartFailed, Code::Parked, Code::StartFailed]), 5);
        assert_eq!(joint(&[Code::NotRunning, Code::NoSuchSlot]), 1);
    }
}
