//! What each request does in each state, and how it is answered.

use worker_core::{
    Ask, DownCause, Event, Order, Outcome, Parked, PortRequest, ReadyOptions, Refusal, Report,
    RestartOptions, SlotOptions, SpawnFailure, StateName, StopReason,
};

use crate::host::{CLEAN, CRASH, Host, WEB, millis, secs};

const NOT_FOUND: Report = Report::SpawnFailed(SpawnFailure::NotFound);

fn with_ready() -> SlotOptions {
    SlotOptions { ready: Some(ReadyOptions::default()), ..SlotOptions::default() }
}

#[test]
fn a_start_is_answered_when_the_run_is_ready_and_at_once_when_it_is() {
    let mut host = Host::new();
    let first = host.start_with(WEB, with_ready());
    host.report(WEB, Report::Spawned);
    assert_eq!(host.outcome(first), None);
    host.ready(WEB);
    let run = host.run(WEB);
    let second = host.start(WEB);
    for request in [first, second] {
        assert_eq!(host.outcome(request), Some(Outcome::Started(run)));
    }
}

#[test]
fn a_start_reports_its_first_attempt_while_supervision_goes_on() {
    let mut host = Host::new();
    let start = host.start_with(WEB, with_ready());
    host.report(WEB, Report::Spawned);
    host.advance(secs(30));
    let failed = Outcome::StartFailed(DownCause::ReadyTimeout(secs(30)));
    assert_eq!(host.outcome(start), Some(failed));
    host.crash(WEB, CLEAN);
    host.sit_out_backoff(WEB);
    host.ready(WEB);
    assert_eq!(host.state(WEB), Some(StateName::Running));
    assert_eq!(host.outcome(start), Some(failed), "answered once");
}

#[test]
fn a_start_from_rest_that_cannot_spawn_ends_in_error_without_a_retry_and_a_start_tries_anew() {
    let mut host = Host::new();
    let start = host.start(WEB);
    host.report(WEB, NOT_FOUND);
    let cause = DownCause::SpawnFailed(SpawnFailure::NotFound);
    assert_eq!(host.outcome(start), Some(Outcome::StartFailed(cause)));
    host.advance(secs(3600));
    assert_eq!((host.state(WEB), host.spawns(WEB)), (Some(StateName::Error), 1));

    let again = host.start(WEB);
    host.report(WEB, NOT_FOUND);
    assert_eq!(host.outcome(again), Some(Outcome::StartFailed(cause)));
    let restart = host.restart(WEB);
    let run = host.come_up(WEB);
    assert_eq!(host.outcome(restart), Some(Outcome::Started(run)));
}

#[test]
fn a_restart_of_its_own_that_cannot_spawn_is_a_failure_like_any_other() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    for streak in 2..8 {
        host.advance_to(host.view(WEB).next.unwrap().at);
        host.report(WEB, NOT_FOUND);
        let view = host.view(WEB);
        assert_eq!((view.state, view.streak), (StateName::Restarting, streak));
        assert_eq!(view.restarts, 0, "nothing was spawned");
    }
    host.advance_to(host.view(WEB).next.unwrap().at);
    host.report(WEB, NOT_FOUND);
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn a_restart_brought_forward_that_cannot_spawn_is_a_failure_too_and_its_asker_hears_so() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    let start = host.start(WEB);
    host.report(WEB, NOT_FOUND);
    let cause = DownCause::SpawnFailed(SpawnFailure::NotFound);
    assert_eq!(host.outcome(start), Some(Outcome::StartFailed(cause)));
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 2));
}

#[test]
fn a_start_whose_failure_trips_the_breaker_is_answered_when_the_slot_is_parked() {
    let once = || {
        let restart = RestartOptions { max_failures: 1, ..RestartOptions::default() };
        SlotOptions { restart, ..with_ready() }
    };
    let mut host = Host::new();
    let start = host.start_with(WEB, once());
    host.report(WEB, Report::Spawned);
    let joined = host.start_with(WEB, once());
    host.advance(secs(30));
    assert_eq!((host.state(WEB), host.outcome(start)), (Some(StateName::Stopping), None));
    let queued = host.start_with(WEB, once());
    host.crash(WEB, CLEAN);
    let last = DownCause::ReadyTimeout(secs(30));
    let parked = Parked { streak: 1, window: secs(300), last };
    for request in [start, joined, queued] {
        assert_eq!(host.outcome(request), Some(Outcome::Parked(parked)));
    }
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn a_start_that_waits_to_be_parked_is_cancelled_by_a_stop() {
    let mut host = Host::new();
    let restart = RestartOptions { max_failures: 1, ..RestartOptions::default() };
    let start = host.start_with(WEB, SlotOptions { restart, ..with_ready() });
    host.report(WEB, Report::Spawned);
    host.exit(WEB, CRASH);
    let stop = host.stop(WEB);
    assert_eq!(host.outcome(start), Some(Outcome::Cancelled));
    host.gone(WEB);
    assert_eq!((host.state(WEB), host.outcome(stop)), (None, Some(Outcome::Stopped)));
}

#[test]
fn a_start_brought_forward_that_cannot_spawn_once_too_often_is_parked_and_its_asker_hears_so() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    for _ in 2..8 {
        host.start(WEB);
        host.report(WEB, NOT_FOUND);
    }
    let start = host.start(WEB);
    host.report(WEB, NOT_FOUND);
    let last = DownCause::SpawnFailed(SpawnFailure::NotFound);
    let parked = Parked { streak: 8, window: secs(300), last };
    assert_eq!(host.outcome(start), Some(Outcome::Parked(parked)));
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn a_start_queued_behind_a_failure_keeps_the_streak_and_skips_the_backoff() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.exit(WEB, CRASH);
    let start = host.start(WEB);
    host.gone(WEB);
    let run = host.come_up(WEB);
    assert_eq!((host.outcome(start), host.view(WEB).streak), (Some(Outcome::Started(run)), 1));
}

#[test]
fn a_start_queued_behind_the_failure_that_parks_hears_so() {
    let mut host = Host::new();
    let once = RestartOptions { max_failures: 1, ..RestartOptions::default() };
    host.up(WEB, SlotOptions { restart: once, ..SlotOptions::default() });
    host.exit(WEB, CRASH);
    let start = host.start(WEB);
    host.gone(WEB);
    assert!(matches!(host.outcome(start), Some(Outcome::Parked(_))));
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn a_stop_succeeds_in_every_state() {
    type BringAbout = fn(&mut Host);
    let cases: [(&str, BringAbout); 5] = [
        ("at rest", |_| {}),
        ("reserving", |host| {
            host.start_with(WEB, SlotOptions { ports: PortRequest::Auto(1), ..with_ready() });
        }),
        ("restarting", |host| {
            host.up(WEB, SlotOptions::default());
            host.crash(WEB, CRASH);
        }),
        ("error", |host| {
            host.start(WEB);
            host.report(WEB, NOT_FOUND);
        }),
        ("failed", |host| {
            let once = RestartOptions { max_failures: 1, ..RestartOptions::default() };
            host.up(WEB, SlotOptions { restart: once, ..SlotOptions::default() });
            host.crash(WEB, CRASH);
        }),
    ];
    for (state, bring_about) in cases {
        let mut host = Host::new();
        bring_about(&mut host);
        let stop = host.stop(WEB);
        assert_eq!(
            (host.outcome(stop), host.state(WEB)),
            (Some(Outcome::Stopped), None),
            "{state}"
        );
        host.advance(secs(3600));
        assert_eq!(host.state(WEB), None, "{state}");
    }
}

#[test]
fn a_stop_before_the_spawn_was_answered_ends_what_comes_and_cancels_the_start() {
    let mut host = Host::new();
    let start = host.start(WEB);
    let stop = host.stop(WEB);
    assert_eq!((host.outcome(start), host.outcome(stop)), (Some(Outcome::Cancelled), None));
    host.advance(secs(3));
    host.report(WEB, Report::Spawned);
    assert_eq!(host.signals(WEB), 1);
    host.advance(secs(5) - millis(1));
    assert_eq!(host.kills(WEB), 0, "the grace counts from the signal");
    host.advance(millis(1));
    assert_eq!(host.kills(WEB), 1);
    host.gone(WEB);
    assert_eq!((host.outcome(stop), host.state(WEB)), (Some(Outcome::Stopped), None));
}

#[test]
fn a_stop_before_a_spawn_that_then_fails_is_done() {
    let mut host = Host::new();
    host.start(WEB);
    let stop = host.stop(WEB);
    host.report(WEB, NOT_FOUND);
    assert_eq!((host.outcome(stop), host.state(WEB)), (Some(Outcome::Stopped), None));
}

#[test]
fn a_stop_while_a_failure_is_cleaned_up_turns_it_into_a_stop() {
    let mut host = Host::new();
    host.up(WEB, with_ready());
    host.advance(secs(30));
    let stop = host.stop(WEB);
    assert_eq!(host.signals(WEB), 1, "signalled once");
    assert!(host.take_events(WEB).contains(&Event::Stopping(StopReason::Request)));
    host.crash(WEB, CRASH);
    assert_eq!((host.outcome(stop), host.state(WEB)), (Some(Outcome::Stopped), None));
}

#[test]
fn a_later_stop_cancels_a_queued_start_and_its_asker_hears_so() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.stop(WEB);
    let start = host.start(WEB);
    let stop = host.stop(WEB);
    assert_eq!(host.outcome(start), Some(Outcome::Cancelled));
    host.gone(WEB);
    assert_eq!((host.outcome(stop), host.spawns(WEB)), (Some(Outcome::Stopped), 1));
}

#[test]
fn a_restart_stops_then_starts_with_an_empty_streak() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    let restart = host.restart(WEB);
    host.crash(WEB, CLEAN);
    let run = host.come_up(WEB);
    assert_eq!(host.outcome(restart), Some(Outcome::Started(run)));
    let view = host.view(WEB);
    assert_eq!((view.streak, view.restarts), (0, 0));
}

#[test]
fn a_restart_during_the_backoff_or_at_rest_starts_at_once_with_an_empty_streak() {
    let mut host = Host::new();
    host.restart(WEB);
    host.come_up(WEB);
    host.crash(WEB, CRASH);
    let old = host.view(WEB).next.unwrap().at;
    let restart = host.restart(WEB);
    let run = host.come_up(WEB);
    assert_eq!((host.outcome(restart), host.view(WEB).streak), (Some(Outcome::Started(run)), 0));
    host.advance_to(old);
    assert_eq!((host.run(WEB), host.spawns(WEB)), (run, 2));
}

#[test]
fn a_restart_of_a_starting_slot_cancels_the_first_start() {
    for reserving in [true, false] {
        let mut host = Host::new();
        let ports = if reserving { PortRequest::Auto(1) } else { PortRequest::None };
        let first = host.start_with(WEB, SlotOptions { ports, ..with_ready() });
        let restart = host.restart(WEB);
        assert_eq!(host.outcome(first), Some(Outcome::Cancelled));
        if !reserving {
            host.report(WEB, Report::Spawned);
            host.crash(WEB, CLEAN);
        }
        let run = host.come_up(WEB);
        assert_eq!(host.outcome(restart), Some(Outcome::Started(run)));
    }
}

#[test]
fn a_restart_while_stopping_takes_the_place_of_a_queued_start() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    let stop = host.stop(WEB);
    let start = host.start(WEB);
    let restart = host.restart(WEB);
    assert_eq!(host.outcome(start), Some(Outcome::Cancelled));
    host.gone(WEB);
    let run = host.come_up(WEB);
    assert_eq!(host.outcome(stop), Some(Outcome::Stopped));
    assert_eq!(host.outcome(restart), Some(Outcome::Started(run)));
}

#[test]
fn a_touch_is_refused_without_a_live_run() {
    let mut host = Host::new();
    let no = Some(Outcome::Refused(Refusal::NoLiveRun));
    let touch = host.ask(WEB, Ask::Touch);
    assert_eq!(host.outcome(touch), no);
    host.start(WEB);
    let touch = host.ask(WEB, Ask::Touch);
    assert_eq!(host.outcome(touch), Some(Outcome::Touched));
    host.come_up(WEB);
    let touch = host.ask(WEB, Ask::Touch);
    assert_eq!(host.outcome(touch), Some(Outcome::Touched));
    host.exit(WEB, CRASH);
    let touch = host.ask(WEB, Ask::Touch);
    assert_eq!(host.outcome(touch), no, "stopping");
    host.gone(WEB);
    let touch = host.ask(WEB, Ask::Touch);
    assert_eq!(host.outcome(touch), no, "restarting");
    host.start(WEB);
    host.report(WEB, NOT_FOUND);
    host.restart(WEB);
    host.report(WEB, NOT_FOUND);
    let touch = host.ask(WEB, Ask::Touch);
    assert_eq!((host.state(WEB), host.outcome(touch)), (Some(StateName::Error), no));
}

#[test]
fn a_reset_is_refused_in_every_state_but_failed() {
    let mut host = Host::new();
    let no = Some(Outcome::Refused(Refusal::NotParked));
    host.start(WEB);
    let starting = host.ask(WEB, Ask::Reset);
    host.report(WEB, NOT_FOUND);
    let error = host.ask(WEB, Ask::Reset);
    host.start(WEB);
    host.come_up(WEB);
    let running = host.ask(WEB, Ask::Reset);
    host.exit(WEB, CRASH);
    let stopping = host.ask(WEB, Ask::Reset);
    host.gone(WEB);
    let restarting = host.ask(WEB, Ask::Reset);
    for request in [starting, error, running, stopping, restarting] {
        assert_eq!(host.outcome(request), no);
    }
    assert_eq!(host.state(WEB), Some(StateName::Restarting));
}

fn with_ports(count: u16) -> SlotOptions {
    SlotOptions { ports: PortRequest::Auto(count), ..SlotOptions::default() }
}

fn restart_with(host: &mut Host, options: SlotOptions) -> worker_core::RequestId {
    let launch = host.launch(options);
    host.ask(WEB, Ask::Restart(launch))
}

#[test]
fn a_restart_of_a_running_slot_takes_its_block_again_when_its_tree_is_gone() {
    let mut host = Host::new();
    host.up(WEB, with_ports(2));
    let former = host.block(WEB).unwrap();
    host.take_orders(WEB);
    let restart = restart_with(&mut host, with_ports(2));
    let again = restart_with(&mut host, with_ports(2));
    host.exit(WEB, CLEAN);
    assert!(!host.take_orders(WEB).contains(&Order::Unreserve(former)), "its tree may live");
    host.gone(WEB);
    assert_eq!(host.take_orders(WEB), [Order::Reserve(former)], "it stays with its slot");
    let run = host.come_up(WEB);
    assert_eq!(host.block(WEB), Some(former));
    assert_eq!(host.outcome(restart), Some(Outcome::Cancelled));
    assert_eq!(host.outcome(again), Some(Outcome::Started(run)));

    host.exit(WEB, CRASH);
    restart_with(&mut host, with_ports(2));
    host.gone(WEB);
    host.come_up(WEB);
    assert_eq!(host.block(WEB), Some(former), "a crash does not change that");
    host.crash(WEB, CRASH);
    restart_with(&mut host, with_ports(2));
    host.come_up(WEB);
    assert_eq!(host.block(WEB), Some(former), "nor does the backoff");
}

#[test]
fn a_restart_draws_a_new_block_where_the_former_is_held_or_not_what_is_asked_for() {
    let mut host = Host::new();
    host.up(WEB, with_ports(2));
    let former = host.block(WEB).unwrap();
    restart_with(&mut host, with_ports(2));
    host.gone(WEB);
    host.report(WEB, Report::PortsBusy);
    let next = host.block(WEB).unwrap();
    assert_ne!(next, former, "a process holds a port of it");
    host.come_up(WEB);
    restart_with(&mut host, with_ports(3));
    host.gone(WEB);
    host.come_up(WEB);
    assert_eq!(host.block(WEB).unwrap().count(), 3);
    restart_with(&mut host, SlotOptions::default());
    host.gone(WEB);
    host.come_up(WEB);
    assert_eq!(host.block(WEB), None);
}

#[test]
fn a_restart_keeps_a_fixed_block_too() {
    let mut host = Host::new();
    let block = worker_core::Block::new(3000, 2).unwrap();
    let fixed = || SlotOptions { ports: PortRequest::Fixed(block), ..SlotOptions::default() };
    host.up(WEB, fixed());
    host.take_orders(WEB);
    restart_with(&mut host, fixed());
    host.gone(WEB);
    let orders = host.take_orders(WEB);
    assert_eq!(orders.last(), Some(&Order::Reserve(block)));
    assert!(!orders.contains(&Order::Unreserve(block)), "{orders:?}");
}

#[test]
fn a_restart_of_a_slot_that_never_was_ready_draws_a_new_block() {
    for timed_out in [false, true] {
        let mut host = Host::new();
        let options = || SlotOptions { ports: PortRequest::Auto(1), ..with_ready() };
        host.up(WEB, options());
        let former = host.block(WEB);
        host.advance(secs(if timed_out { 30 } else { 1 }));
        restart_with(&mut host, options());
        host.gone(WEB);
        host.come_up(WEB);
        assert_ne!(host.block(WEB), former);
    }
}

#[test]
fn an_exit_that_overtakes_the_answer_to_its_spawn_is_heard() {
    let mut host = Host::new();
    let start = host.start_with(WEB, with_ready());
    host.exit(WEB, CRASH);
    let failed = Outcome::StartFailed(DownCause::ExitedBeforeReady(CRASH));
    assert_eq!((host.outcome(start), host.kills(WEB)), (Some(failed), 1));
    host.report(WEB, Report::Spawned);
    host.gone(WEB);
    assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 1));
}

#[test]
fn a_tree_that_is_gone_without_an_exit_notice_is_a_failure() {
    for running in [true, false] {
        let mut host = Host::new();
        host.up(WEB, if running { SlotOptions::default() } else { with_ready() });
        host.gone(WEB);
        assert_eq!((host.state(WEB), host.view(WEB).streak), (Some(StateName::Restarting), 1));
    }
}

#[test]
fn a_late_wake_up_lets_the_deadline_take_effect_before_the_input() {
    let mut host = Host::new();
    host.up(WEB, with_ready());
    host.oversleep(secs(30));
    host.ready(WEB);
    assert_eq!(host.state(WEB), Some(StateName::Stopping), "on a tie the deadline wins");
}

#[test]
fn a_fixed_block_is_taken_by_one_slot_and_no_other_is_tried() {
    let mut host = Host::new();
    let block = worker_core::Block::new(3000, 1).unwrap();
    let fixed = SlotOptions { ports: PortRequest::Fixed(block), ..SlotOptions::default() };
    host.up(WEB, fixed.clone());
    let rival = host.start_with(crate::host::DB, fixed.clone());
    let no_ports = Outcome::StartFailed(DownCause::SpawnFailed(SpawnFailure::NoPorts));
    assert_eq!(host.outcome(rival), Some(no_ports));

    host.stop(WEB);
    host.gone(WEB);
    let start = host.start_with(WEB, fixed);
    host.take_orders(WEB);
    host.report(WEB, Report::PortsBusy);
    assert_eq!(host.outcome(start), Some(no_ports));
    assert_eq!(host.take_orders(WEB), [Order::Unreserve(block)]);
}
