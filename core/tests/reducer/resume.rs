//! What outlives a supervisor: streaks, counts and parked slots.

use std::num::NonZeroU32;

use worker_core::{
    Ask, DownCause, Event, Failures, Instant, LastError, Order, Outcome, Parked, Past, PortRequest,
    PrepareFailure, PrepareOptions, ReadyOptions, Refusal, Report, RestartOptions, RestartWhen,
    SlotOptions, SpawnFailure, StateName, Streak, Urgency,
};

use crate::host::{CLEAN, CRASH, DB, Host, KILLED, WEB, millis, secs};

const NOT_FOUND: Report = Report::SpawnFailed(SpawnFailure::NotFound);

fn with(change: fn(&mut SlotOptions)) -> SlotOptions {
    let mut options = SlotOptions::default();
    change(&mut options);
    options
}

/// A past with so many failures, the latest at this instant.
fn failing(failures: u32, latest: Instant) -> Past {
    let failures = NonZeroU32::new(failures).unwrap();
    let streak = Streak { failures, latest, cause: DownCause::Exited(CRASH) };
    Past { spawns: failures.get(), failures: Failures::Streak(streak) }
}

/// A host whose slot has crashed so often, and has run for a moment since.
fn crashed(times: u32) -> Host {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    for _ in 0..times {
        host.crash(WEB, CRASH);
        host.sit_out_backoff(WEB);
    }
    host
}

fn parked() -> Host {
    let mut host = crashed(7);
    host.crash(WEB, KILLED);
    assert_eq!(host.state(WEB), Some(StateName::Failed));
    host
}

#[test]
fn a_slot_is_resumed_at_once_and_its_streak_and_its_count_go_on() {
    let old = crashed(3);
    let mut host = old.successor();
    let resume = host.resume(WEB, SlotOptions::default(), old.view(WEB).past);
    let view = host.view(WEB);
    assert_eq!((view.state, view.streak, view.restarts), (StateName::Starting, 3, 3));
    assert_eq!(view.last_error, Some(LastError::Down(DownCause::Exited(CRASH))));
    let run = host.come_up(WEB);
    assert_eq!(host.outcome(resume), Some(Outcome::Started(run)));
    assert_eq!(host.view(WEB).restarts, 4);

    host.take_events(WEB);
    host.crash(WEB, CRASH);
    let events = host.take_events(WEB);
    let Some(Event::Restarting { delay, streak: 4, .. }) = events.last() else {
        panic!("the fourth failure is followed by a backoff: {events:?}");
    };
    assert!((secs(8)..=millis(9_600)).contains(delay), "{delay:?}");
}

#[test]
fn a_slot_that_was_in_its_backoff_does_not_wait_it_out_again() {
    let mut old = crashed(5);
    old.crash(WEB, CRASH);
    assert_eq!(old.state(WEB), Some(StateName::Restarting));
    let mut host = old.successor();
    host.resume(WEB, SlotOptions::default(), old.view(WEB).past);
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Starting), 6));
}

#[test]
fn a_resumed_streak_ends_as_any_other() {
    let mut host = Host::new();
    host.resume(WEB, SlotOptions::default(), failing(3, host.now()));
    host.come_up(WEB);
    host.advance(secs(60) - millis(1));
    assert_eq!(host.view(WEB).streak, 3);
    host.advance(millis(1));
    assert_eq!((host.view(WEB).streak, host.view(WEB).last_error), (0, None));
}

#[test]
fn a_resumed_streak_counts_on_up_to_the_edge_of_its_window() {
    let never_healthy = with(|o| o.restart.healthy_after = secs(3600));
    for (after, streak) in [(secs(300), 4), (secs(300) + millis(1), 1)] {
        let mut host = Host::new();
        host.resume(WEB, never_healthy.clone(), failing(3, host.now()));
        host.come_up(WEB);
        host.advance(after);
        host.exit(WEB, CRASH);
        assert_eq!(host.view(WEB).streak, streak, "{after:?} after the latest failure");
    }
}

#[test]
fn a_failure_that_lies_ahead_is_read_as_one_of_now() {
    let mut host = Host::new();
    host.advance(secs(10));
    let ahead = host.now() + secs(3600);
    host.resume(WEB, SlotOptions::default(), failing(3, ahead));
    assert_eq!(host.view(WEB).past, failing(3, host.now()));
}

#[test]
fn a_slot_that_ran_well_is_resumed_without_a_streak() {
    let mut old = Host::new();
    old.up(WEB, SlotOptions::default());
    let past = old.view(WEB).past;
    assert_eq!(past, Past { spawns: 1, failures: Failures::None });
    let mut host = old.successor();
    host.resume(WEB, SlotOptions::default(), past);
    host.come_up(WEB);
    let view = host.view(WEB);
    assert_eq!((view.state, view.streak, view.restarts), (StateName::Running, 0, 1));
    assert_eq!(view.last_error, None);
}

#[test]
fn a_spawn_that_fails_while_a_slot_is_resumed_is_a_failure_even_without_a_streak() {
    let mut host = Host::new();
    let resume = host.resume(WEB, SlotOptions::default(), Past::default());
    host.report(WEB, NOT_FOUND);
    let cause = DownCause::SpawnFailed(SpawnFailure::NotFound);
    assert_eq!(host.outcome(resume), Some(Outcome::StartFailed(cause)));
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 1));
    for _ in 1..8 {
        host.advance_to(host.view(WEB).next.unwrap().at);
        host.report(WEB, NOT_FOUND);
    }
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn a_spawn_that_is_not_answered_while_a_slot_is_resumed_is_a_failure_too() {
    let mut host = Host::new();
    host.resume(WEB, SlotOptions::default(), Past::default());
    host.advance(secs(10));
    host.report(WEB, NOT_FOUND);
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 1));
}

#[test]
fn a_resumed_slot_draws_a_block_and_without_one_it_has_failed_once_more() {
    let mut host = Host::new();
    let block = worker_core::Block::new(3000, 1).unwrap();
    let fixed = SlotOptions { ports: PortRequest::Fixed(block), ..SlotOptions::default() };
    host.resume(DB, fixed.clone(), Past::default());
    assert_eq!(host.take_orders(DB), [Order::Reserve(block)]);
    host.resume(WEB, fixed, failing(2, host.now()));
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 3));
}

#[test]
fn a_parked_slot_stays_parked_over_a_restart_of_its_supervisor() {
    let old = parked();
    let before = old.view(WEB);
    let mut host = old.successor();
    let resume = host.resume(WEB, SlotOptions::default(), before.past);
    let LastError::Parked(parked) = before.last_error.unwrap() else { panic!("{before:?}") };
    let refused = Some(Outcome::Refused(Refusal::Parked(parked)));
    assert_eq!(host.outcome(resume), refused);
    assert_eq!((host.take_events(WEB), host.take_orders(WEB)), (vec![], vec![]));

    let after = host.view(WEB);
    assert_eq!((after.state, after.last_error), (before.state, before.last_error));
    assert_eq!((after.streak, after.restarts, after.past), (8, 7, before.past));
    host.advance(secs(3600));
    let start = host.start(WEB);
    assert_eq!(host.outcome(start), refused);
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn a_parked_slot_is_resumed_as_it_was_parked_whatever_the_policy_says_now() {
    let past = parked().view(WEB).past;
    for options in [
        with(|o| o.restart.max_failures = 100),
        with(|o| o.restart.when = RestartWhen::Never),
        with(|o| o.restart.window = secs(1000)),
    ] {
        let mut host = Host::new();
        host.resume(WEB, options, past);
        assert_eq!((host.state(WEB), host.view(WEB).past), (Some(StateName::Failed), past));
    }
}

#[test]
fn a_reset_and_a_stop_lead_out_of_a_resumed_parked_slot() {
    for (ask, outcome) in [(Ask::Reset, Outcome::Reset), (Ask::Stop, Outcome::Stopped)] {
        let old = parked();
        let mut host = old.successor();
        host.resume(WEB, SlotOptions::default(), old.view(WEB).past);
        let request = host.ask(WEB, ask);
        assert_eq!((host.outcome(request), host.state(WEB)), (Some(outcome), None));
        host.up(WEB, SlotOptions::default());
        assert_eq!((host.view(WEB).streak, host.view(WEB).restarts), (0, 0));
    }
}

#[test]
fn a_supervisor_that_died_while_the_last_tree_was_emptied_is_followed_by_one_that_parks() {
    let mut old = crashed(7);
    old.exit(WEB, KILLED);
    assert_eq!(old.state(WEB), Some(StateName::Stopping));
    let mut host = old.successor();
    let resume = host.resume(WEB, SlotOptions::default(), old.view(WEB).past);
    let parked = Parked { streak: 8, window: secs(300), last: DownCause::Exited(KILLED) };
    assert_eq!(host.outcome(resume), Some(Outcome::Refused(Refusal::Parked(parked))));
    assert_eq!(host.take_events(WEB), [Event::Failed(parked)]);
    assert_eq!((host.state(WEB), host.spawns(WEB)), (Some(StateName::Failed), 0));
}

#[test]
fn a_streak_that_a_changed_policy_finds_too_long_parks_and_a_shorter_one_does_not() {
    let thrice = with(|o| o.restart.max_failures = 3);
    for (failures, state) in
        [(2, StateName::Starting), (3, StateName::Failed), (5, StateName::Failed)]
    {
        let mut host = Host::new();
        host.advance(secs(3600));
        host.resume(WEB, thrice.clone(), failing(failures, Instant::ZERO));
        assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(state), failures));
    }
}

#[test]
fn a_slot_whose_ends_no_restart_follows_is_not_resumed() {
    let mut host = Host::new();
    let never = with(|o| o.restart.when = RestartWhen::Never);
    let resume = host.resume(WEB, never, failing(1, host.now()));
    assert_eq!(host.outcome(resume), Some(Outcome::Refused(Refusal::NeverRestarted)));
    assert_eq!((host.state(WEB), host.take_events(WEB)), (None, vec![]));
}

#[test]
fn a_resume_is_refused_unless_the_slot_is_at_rest() {
    type BringAbout = fn(&mut Host);
    let cases: [(&str, BringAbout); 5] = [
        ("starting", |host| {
            host.start(WEB);
        }),
        ("running", |host| {
            host.up(WEB, SlotOptions::default());
        }),
        ("restarting", |host| {
            host.up(WEB, SlotOptions::default());
            host.crash(WEB, CRASH);
        }),
        ("stopping", |host| {
            host.up(WEB, SlotOptions::default());
            host.stop(WEB);
        }),
        ("error", |host| {
            host.start(WEB);
            host.report(WEB, NOT_FOUND);
        }),
    ];
    for (state, bring_about) in cases {
        let mut host = Host::new();
        bring_about(&mut host);
        let before = host.view(WEB);
        let resume = host.resume(WEB, SlotOptions::default(), failing(3, host.now()));
        assert_eq!(host.outcome(resume), Some(Outcome::Refused(Refusal::NotAtRest)), "{state}");
        assert_eq!(host.view(WEB), before, "{state}");
    }
}

#[test]
fn a_resume_is_refused_by_a_parked_slot_as_a_start_is_and_during_a_shutdown() {
    let mut host = parked();
    let resume = host.resume(WEB, SlotOptions::default(), Past::default());
    assert!(matches!(host.outcome(resume), Some(Outcome::Refused(Refusal::Parked(_)))));
    let past = host.view(WEB).past;
    host.shut_down(Urgency::Orderly);
    for past in [past, failing(2, host.now())] {
        let resume = host.resume(DB, SlotOptions::default(), past);
        assert_eq!(host.outcome(resume), Some(Outcome::Refused(Refusal::ShuttingDown)));
        assert_eq!(host.state(DB), None);
    }
}

#[test]
fn a_resumed_slot_is_prepared_only_if_that_is_asked_for_and_a_preparation_that_fails_is_an_error() {
    let mut host = Host::new();
    let prepare = with(|o| o.prepare = Some(PrepareOptions::default()));
    let resume = host.resume(WEB, prepare, failing(3, host.now()));
    host.report(WEB, Report::Spawned);
    host.crash(WEB, CRASH);
    let cause = DownCause::PrepareFailed(PrepareFailure::Exit(CRASH));
    assert_eq!(host.outcome(resume), Some(Outcome::StartFailed(cause)));
    assert_eq!(host.state(WEB), Some(StateName::Error));
    assert_eq!(host.view(WEB).last_error, Some(LastError::Down(cause)));
}

#[test]
fn a_prepared_slot_that_is_resumed_and_cannot_spawn_has_failed_once_more() {
    let mut host = Host::new();
    host.resume(WEB, with(|o| o.prepare = Some(PrepareOptions::default())), Past::default());
    host.report(WEB, Report::Spawned);
    host.crash(WEB, CLEAN);
    host.report(WEB, NOT_FOUND);
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 1));
}

#[test]
fn a_start_joins_a_resume_and_a_stop_cancels_it() {
    let mut host = Host::new();
    let booting = with(|o| o.ready = Some(ReadyOptions::default()));
    let resume = host.resume(WEB, booting, failing(3, host.now()));
    let start = host.start(WEB);
    host.come_up(WEB);
    let stop = host.stop(WEB);
    for request in [resume, start] {
        assert_eq!(host.outcome(request), Some(Outcome::Cancelled));
    }
    host.gone(WEB);
    assert_eq!((host.outcome(stop), host.state(WEB)), (Some(Outcome::Stopped), None));
}

#[test]
fn one_failure_parks_a_resumed_slot_that_may_not_fail_twice() {
    let once = RestartOptions { max_failures: 1, ..RestartOptions::default() };
    let mut host = Host::new();
    host.resume(WEB, SlotOptions { restart: once, ..SlotOptions::default() }, Past::default());
    host.report(WEB, NOT_FOUND);
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}
