//! The contract of the original, kept to the letter: each test cites its number.

use crate::host::{CLEAN, CRASH, DB, Host, KILLED, WEB, millis, secs};
use worker_core::{
    Ask, DownCause, Event, Exit, Input, Instant, LastError, OnCleanExit, Order, Outcome,
    PortRequest, PrepareOptions, ReadyOptions, Refusal, Report, RestartOptions, RestartWhen,
    Settings, Signal, SlotOptions, StateName, Urgency,
};

fn with_ports() -> SlotOptions {
    SlotOptions { ports: PortRequest::Auto(2), ..SlotOptions::default() }
}

fn with_ready() -> SlotOptions {
    SlotOptions { ready: Some(ReadyOptions::default()), ..SlotOptions::default() }
}

/// A slot that its breaker has parked.
fn parked(options: SlotOptions) -> Host {
    let mut host = Host::new();
    host.up(WEB, options);
    for _ in 1..8 {
        host.crash(WEB, KILLED);
        host.sit_out_backoff(WEB);
    }
    host.crash(WEB, KILLED);
    assert_eq!(host.state(WEB), Some(StateName::Failed));
    host
}

#[test]
fn contract_1_a_non_clean_exit_sends_exactly_one_sigkill_to_the_group() {
    for exit in [CRASH, KILLED, Exit::Unknown] {
        let mut host = Host::new();
        host.up(WEB, SlotOptions::default());
        host.exit(WEB, exit);
        assert_eq!(host.kills(WEB), 1);
        host.advance(secs(3));
        host.gone(WEB);
        assert_eq!(host.kills(WEB), 1, "the end of the tree sends no other");
        assert_eq!(host.signals(WEB), 0, "the dead are not asked to end");
    }
}

#[test]
fn contract_2_a_clean_exit_sends_none_and_drops_the_slot_with_streak_and_ports() {
    let mut host = Host::new();
    host.up(WEB, with_ports());
    let block = host.block(WEB).unwrap();
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    host.take_orders(WEB);

    host.exit(WEB, CLEAN);
    host.report(WEB, Report::TreeGone { killed: 0, left: 2 });
    assert_eq!(host.take_orders(WEB), [Order::Release, Order::Unreserve(block)]);
    assert_eq!(host.state(WEB), None);

    host.up(WEB, with_ports());
    assert_eq!(host.view(WEB).streak, 0);
}

#[test]
fn contract_2_a_clean_exit_reaps_what_is_left_where_that_is_asked_for() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { on_clean_exit: OnCleanExit::Reap, ..SlotOptions::default() });
    host.exit(WEB, CLEAN);
    assert_eq!((host.kills(WEB), host.state(WEB)), (1, Some(StateName::Stopping)));
    host.gone(WEB);
    assert_eq!(host.state(WEB), None);
}

#[test]
fn contract_3_a_second_exit_notice_of_the_same_run_does_nothing() {
    let mut host = Host::new();
    let first = host.up(WEB, SlotOptions::default());
    host.exit(WEB, CRASH);
    host.exit(WEB, CRASH);
    host.gone(WEB);
    host.report_of(WEB, first, Report::LeaderExited(CRASH));
    assert_eq!((host.view(WEB).streak, host.kills(WEB)), (1, 1));

    host.sit_out_backoff(WEB);
    host.report_of(WEB, first, Report::LeaderExited(CRASH));
    assert_eq!(host.state(WEB), Some(StateName::Running));
    assert_eq!((host.view(WEB).streak, host.kills(WEB)), (1, 1));
}

#[test]
fn contract_4_eight_failures_in_a_row_park_the_slot() {
    let host = parked(with_ports());
    let view = host.view(WEB);
    assert_eq!((view.streak, view.next, view.block, view.run), (8, None, None, None));
    let Some(LastError::Parked(parked)) = view.last_error else {
        panic!("{:?}", view.last_error);
    };
    let message = parked.to_string();
    let wanted = "circuit breaker tripped: 8 consecutive non-clean exits within 300s \
                  (last: code=- signal=SIGKILL)";
    assert!(message.starts_with(wanted), "{message}");
    assert!(message.contains("`reset`"), "it says what to do next: {message}");
}

#[test]
fn contract_5_fewer_than_eight_leave_it_restarting_with_the_right_count() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    for failures in 1..8 {
        host.crash(WEB, CRASH);
        let view = host.view(WEB);
        assert_eq!((view.state, view.streak), (StateName::Restarting, failures));
        assert!(view.next.is_some(), "a restart is pending");
        host.sit_out_backoff(WEB);
        let view = host.view(WEB);
        assert_eq!(view.restarts, failures);
        assert_eq!(view.last_error, Some(LastError::Down(DownCause::Exited(CRASH))));
    }
}

#[test]
fn contract_6_a_clean_exit_between_failures_does_not_count_and_the_next_slot_starts_from_zero() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    for _ in 0..7 {
        host.crash(WEB, CRASH);
        host.sit_out_backoff(WEB);
    }
    host.crash(WEB, CLEAN);
    assert_eq!(host.state(WEB), None);

    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    assert_eq!(host.view(WEB).streak, 1);
}

#[test]
fn contract_7_a_failure_within_the_window_counts_on_and_one_outside_sets_the_streak_to_1() {
    let slow = RestartOptions { healthy_after: secs(1000), ..RestartOptions::default() };
    for (later, streak) in [(secs(300), 2), (secs(300) + millis(1), 1)] {
        let mut host = Host::new();
        host.up(WEB, SlotOptions { restart: slow, ..SlotOptions::default() });
        host.crash(WEB, CRASH);
        let failed = host.now();
        host.sit_out_backoff(WEB);
        host.advance_to(failed + later);
        host.crash(WEB, CRASH);
        assert_eq!(host.view(WEB).streak, streak, "{later:?} after the previous failure");
    }
}

#[test]
fn contract_7_the_window_counts_from_the_previous_failure_not_from_the_first() {
    let slow = RestartOptions { healthy_after: secs(1000), ..RestartOptions::default() };
    let mut host = Host::new();
    host.up(WEB, SlotOptions { restart: slow, ..SlotOptions::default() });
    for streak in 1..5 {
        host.crash(WEB, CRASH);
        assert_eq!(host.view(WEB).streak, streak);
        let failed = host.now();
        host.sit_out_backoff(WEB);
        host.advance_to(failed + secs(300));
    }
}

#[test]
fn contract_8_exits_during_a_requested_stop_never_count_nor_kill_a_second_time() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    let stop = host.stop(WEB);
    host.exit(WEB, CRASH);
    assert_eq!((host.kills(WEB), host.view(WEB).streak), (0, 0));
    host.advance(secs(5));
    assert_eq!(host.kills(WEB), 1, "the end of the grace does");
    host.gone(WEB);
    assert_eq!((host.outcome(stop), host.state(WEB)), (Some(Outcome::Stopped), None));
    assert_eq!((host.kills(WEB), host.signals(WEB)), (1, 1));
}

#[test]
fn contract_9_reset_drops_a_parked_slot_and_the_next_start_has_an_empty_streak() {
    let mut host = parked(SlotOptions::default());
    let reset = host.ask(WEB, Ask::Reset);
    assert_eq!((host.outcome(reset), host.state(WEB)), (Some(Outcome::Reset), None));
    host.up(WEB, SlotOptions::default());
    assert_eq!(host.view(WEB).streak, 0);
}

#[test]
fn contract_9_reset_of_a_slot_that_is_not_parked_answers_no_and_changes_nothing() {
    let refused = Some(Outcome::Refused(Refusal::NotParked));
    let mut host = Host::new();
    let reset = host.ask(WEB, Ask::Reset);
    assert_eq!((host.outcome(reset), host.state(WEB)), (refused, None));

    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    let before = host.view(WEB);
    let reset = host.ask(WEB, Ask::Reset);
    assert_eq!((host.outcome(reset), host.view(WEB)), (refused, before));
}

#[test]
fn contract_10_starting_a_parked_slot_is_refused_before_anything_else_happens() {
    let mut host = parked(SlotOptions::default());
    host.take_orders(WEB);
    host.take_events(WEB);
    let thorough = SlotOptions { prepare: Some(PrepareOptions::default()), ..with_ports() };
    let launch = host.launch(thorough);
    for ask in [Ask::Start(launch.clone()), Ask::Restart(launch)] {
        let request = host.ask(WEB, ask);
        let Some(Outcome::Refused(Refusal::Parked(parked))) = host.outcome(request) else {
            panic!("{:?}", host.outcome(request));
        };
        assert!(parked.to_string().contains("`reset`"), "it says how to re-arm");
    }
    assert_eq!((host.take_orders(WEB), host.take_events(WEB)), (vec![], vec![]));
}

#[test]
fn contract_11_healthy_after_is_armed_by_each_readiness_and_disarmed_by_any_exit() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    for _ in 0..3 {
        host.crash(WEB, CRASH);
        host.sit_out_backoff(WEB);
    }
    host.advance(secs(60) - millis(1));
    host.crash(WEB, CRASH);
    assert_eq!(host.view(WEB).streak, 4, "a moment too early");

    host.sit_out_backoff(WEB);
    host.advance(secs(60));
    assert_eq!((host.view(WEB).streak, host.view(WEB).last_error), (0, None));
    host.crash(WEB, CRASH);
    assert_eq!(host.view(WEB).streak, 1);
    let wait = host.view(WEB).next.unwrap().at.since(host.now());
    assert!((secs(1)..=millis(1200)).contains(&wait), "the backoff ended with it: {wait:?}");
}

#[test]
fn contract_11_the_time_before_readiness_is_not_healthy() {
    let mut host = Host::new();
    let patient = ReadyOptions { timeout: secs(200), ..ReadyOptions::default() };
    host.up(WEB, SlotOptions { ready: Some(patient), ..SlotOptions::default() });
    host.exit(WEB, CRASH);
    host.gone(WEB);
    host.sit_out_backoff(WEB);
    host.advance(secs(100));
    host.ready(WEB);
    host.advance(secs(59));
    assert_eq!(host.view(WEB).streak, 1);
    host.advance(secs(1));
    assert_eq!(host.view(WEB).streak, 0);
}

#[test]
fn contract_12_a_ready_timeout_ends_the_whole_tree_and_the_next_start_draws_a_new_block() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { ports: PortRequest::Auto(2), ..with_ready() });
    let former = host.block(WEB).unwrap();
    host.advance(secs(30));
    assert_eq!((host.signals(WEB), host.kills(WEB)), (1, 0), "asked first, it gets its grace");
    host.exit(WEB, CLEAN);
    assert_eq!(host.block(WEB), Some(former), "kept while the rest of the tree may live");
    host.advance(secs(5));
    assert_eq!(host.kills(WEB), 1);
    host.gone(WEB);
    assert_eq!((host.view(WEB).streak, host.block(WEB)), (1, None));
    host.advance_to(host.view(WEB).next.unwrap().at);
    assert_ne!(host.block(WEB).unwrap(), former);
}

#[test]
fn contract_12_after_a_crash_of_a_running_slot_the_restart_takes_its_former_block() {
    let mut host = Host::new();
    host.up(WEB, with_ports());
    let former = host.block(WEB);
    host.crash(WEB, CRASH);
    assert_eq!(host.block(WEB), former, "kept during the backoff");
    host.up(DB, with_ports());
    assert_ne!(host.block(DB), former);
    host.sit_out_backoff(WEB);
    assert_eq!(host.block(WEB), former);
}

#[test]
fn contract_12_unless_a_process_holds_a_port_of_it() {
    let mut host = Host::new();
    host.up(WEB, with_ports());
    let former = host.block(WEB).unwrap();
    host.crash(WEB, CRASH);
    host.advance_to(host.view(WEB).next.unwrap().at);
    host.take_orders(WEB);
    host.report(WEB, Report::PortsBusy);
    let next = host.block(WEB).unwrap();
    assert_ne!(next, former);
    assert_eq!(host.take_orders(WEB), [Order::Unreserve(former), Order::Reserve(next)]);
}

#[test]
fn contract_13_a_restart_of_a_supervisor_that_is_shutting_down_does_not_happen() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    host.shut_down(Urgency::Orderly);
    host.advance(secs(600));
    assert_eq!((host.spawns(WEB), host.state(WEB)), (1, None));
}

#[test]
fn contract_13_nor_does_one_whose_slot_is_parked() {
    let mut host = parked(SlotOptions::default());
    let spawns = host.spawns(WEB);
    host.advance(secs(3600));
    host.handle(Input::Tick);
    assert_eq!((host.spawns(WEB), host.state(WEB)), (spawns, Some(StateName::Failed)));
}

#[test]
fn contract_14_shutting_down_is_final() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    assert!(!host.supervisor().is_shutting_down());
    let shutdown = host.shut_down(Urgency::Orderly);
    assert!(host.supervisor().is_shutting_down());
    assert_eq!(host.outcome(shutdown), None, "not while a tree lives");
    for request in [host.start(WEB), host.start(DB), host.restart(WEB)] {
        assert_eq!(host.outcome(request), Some(Outcome::Refused(Refusal::ShuttingDown)));
    }
    host.gone(WEB);
    assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 0 }));
    let late = host.start(WEB);
    assert_eq!(host.outcome(late), Some(Outcome::Refused(Refusal::ShuttingDown)));
    assert_eq!(host.spawns(WEB), 1);
}

#[test]
fn contract_14_a_companion_flushes_before_the_processes_end() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { flush: Some(secs(5)), ..SlotOptions::default() });
    host.take_orders(WEB);
    host.shut_down(Urgency::Orderly);
    assert_eq!(host.take_orders(WEB), [Order::Flush]);
    host.report(WEB, Report::Flushed);
    assert_eq!(host.take_orders(WEB), [Order::Signal(Signal::Term)]);
    host.report(WEB, Report::Flushed);
    assert_eq!(host.take_orders(WEB), [], "once is enough");
}

#[test]
fn contract_14_a_companion_that_hangs_is_waited_for_only_so_long() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { flush: Some(secs(5)), ..SlotOptions::default() });
    let shutdown = host.shut_down(Urgency::Orderly);
    host.advance(secs(5) - millis(1));
    assert_eq!(host.signals(WEB), 0);
    host.advance(millis(1));
    assert_eq!((host.signals(WEB), host.kills(WEB)), (1, 0));
    host.advance(secs(5));
    assert_eq!(host.kills(WEB), 1);
    host.gone(WEB);
    assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 0 }));
}

#[test]
fn the_events_of_a_failure_are_exited_tree_gone_then_restarting_or_failed() {
    let mut host = Host::new();
    let twice = RestartOptions { max_failures: 2, ..RestartOptions::default() };
    host.up(WEB, SlotOptions { restart: twice, ..SlotOptions::default() });
    host.take_events(WEB);
    host.crash(WEB, CRASH);
    let events = host.take_events(WEB);
    assert!(
        matches!(
            events[..],
            [
                Event::Exited { exit: CRASH, clean: false, .. },
                Event::TreeGone { .. },
                Event::Restarting {
                    streak: 1,
                    max_failures: 2,
                    cause: DownCause::Exited(CRASH),
                    ..
                },
            ]
        ),
        "{events:?}"
    );
    host.sit_out_backoff(WEB);
    host.take_events(WEB);
    host.crash(WEB, CRASH);
    let events = host.take_events(WEB);
    assert!(
        matches!(events[..], [Event::Exited { .. }, Event::TreeGone { .. }, Event::Failed(_)]),
        "{events:?}"
    );
}

#[test]
fn with_restart_never_the_first_end_empties_the_tree_and_drops_the_slot() {
    let never = RestartOptions { when: RestartWhen::Never, ..RestartOptions::default() };
    for exit in [CLEAN, CRASH] {
        let mut host = Host::new();
        host.up(WEB, SlotOptions { restart: never, ..SlotOptions::default() });
        host.exit(WEB, exit);
        assert_eq!((host.kills(WEB), host.state(WEB)), (1, Some(StateName::Stopping)));
        host.gone(WEB);
        assert_eq!(host.state(WEB), None);
    }
}

#[test]
fn with_restart_always_a_clean_exit_is_a_failure_like_any_other() {
    let always = RestartOptions { when: RestartWhen::Always, ..RestartOptions::default() };
    let mut host = Host::new();
    host.up(WEB, SlotOptions { restart: always, ..SlotOptions::default() });
    host.exit(WEB, CLEAN);
    assert_eq!(host.kills(WEB), 1);
    host.gone(WEB);
    let view = host.view(WEB);
    assert_eq!((view.state, view.streak), (StateName::Restarting, 1));
}

#[test]
fn a_clock_that_went_back_is_read_as_standing_still() {
    let mut host = Host::with(Settings::default());
    host.advance(secs(100));
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    let due = host.view(WEB).next.unwrap().at;
    host.advance_to(Instant::ZERO);
    host.handle(Input::Tick);
    assert_eq!(host.view(WEB).next.unwrap().at, due);
    host.advance_to(due);
    assert_eq!(host.state(WEB), Some(StateName::Starting));
}
