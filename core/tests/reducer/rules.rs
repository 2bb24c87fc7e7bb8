//! The rules of the design: each test cites its number. Every step of every test here is checked
//! against the predicates of `worker_core::invariant` as well.

use worker_core::{
    Ask, DownCause, Event, Exit, Input, Order, Outcome, Owner, PortRequest, PrepareFailure,
    PrepareOptions, Program, ReadyOptions, Refusal, Report, RequestId, RestartOptions, Settings,
    Signal, SlotId, SlotOptions, SpawnFailure, StateName, StopOptions, StopReason, Urgency,
};

use crate::host::{CLEAN, CRASH, DB, Host, WEB, millis, secs};

fn with_ready() -> SlotOptions {
    SlotOptions { ready: Some(ReadyOptions::default()), ..SlotOptions::default() }
}

fn with_prepare() -> SlotOptions {
    SlotOptions { prepare: Some(PrepareOptions::default()), ..SlotOptions::default() }
}

fn with_ports(count: u16) -> SlotOptions {
    SlotOptions { ports: PortRequest::Auto(count), ..SlotOptions::default() }
}

fn with_idle() -> SlotOptions {
    SlotOptions { idle: Some(secs(900)), ..SlotOptions::default() }
}

#[test]
fn rule_1_a_stop_signals_once_and_leaves_the_tree_alone_until_the_grace_is_over() {
    let mut host = Host::new();
    let stop = StopOptions { signal: Signal::Int, grace: secs(7) };
    host.up(WEB, SlotOptions { stop, ..SlotOptions::default() });
    host.take_orders(WEB);
    host.stop(WEB);
    assert_eq!(host.take_orders(WEB), [Order::Signal(Signal::Int)]);
    host.stop(WEB);
    host.exit(WEB, CRASH);
    host.advance(secs(7) - millis(1));
    assert_eq!(host.take_orders(WEB), []);
    host.advance(millis(1));
    assert_eq!(host.take_orders(WEB), [Order::Kill], "also when the leader went first");
}

#[test]
fn rule_1_a_failure_with_a_living_leader_has_its_grace_and_is_one_failure_whatever_follows() {
    for (cause, report) in [
        (DownCause::Unresponsive(1), Report::Alive(false)),
        (DownCause::MemoryBreach { bytes: 11, limit: 10 }, Report::Memory(11)),
    ] {
        let mut host = Host::new();
        let alive = Some(worker_core::AliveOptions { failures: 1 });
        host.up(WEB, SlotOptions { alive, memory_limit: Some(10), ..SlotOptions::default() });
        host.report(WEB, Report::Memory(10));
        assert_eq!(host.state(WEB), Some(StateName::Running), "the limit itself is allowed");
        host.report(WEB, report);
        assert_eq!((host.signals(WEB), host.kills(WEB)), (1, 0));
        host.exit(WEB, CLEAN);
        assert_eq!((host.kills(WEB), host.view(WEB).streak), (0, 1));
        host.advance(secs(5));
        assert_eq!(host.kills(WEB), 1);
        host.take_events(WEB);
        host.gone(WEB);
        let events = host.take_events(WEB);
        assert!(
            matches!(events[..], [Event::TreeGone { .. }, Event::Restarting { cause: c, streak: 1, .. }] if c == cause),
            "{events:?}"
        );
    }
}

#[test]
fn rule_1_a_failed_probe_below_the_limit_changes_nothing_and_a_good_one_starts_over() {
    let mut host = Host::new();
    let alive = Some(worker_core::AliveOptions { failures: 3 });
    host.up(WEB, SlotOptions { alive, ..SlotOptions::default() });
    for answer in [false, false, true, false, false] {
        host.report(WEB, Report::Alive(answer));
    }
    assert_eq!(host.state(WEB), Some(StateName::Running));
    host.report(WEB, Report::Alive(false));
    assert_eq!(host.state(WEB), Some(StateName::Stopping));
}

#[test]
fn rule_1_probes_of_a_slot_without_liveness_options_mean_nothing() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    for _ in 0..10 {
        host.report(WEB, Report::Alive(false));
        host.report(WEB, Report::Memory(u64::MAX));
    }
    assert_eq!(host.state(WEB), Some(StateName::Running));
}

#[test]
fn rule_2_a_start_during_the_backoff_spawns_once_and_the_old_deadline_means_nothing() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    let old = host.view(WEB).next.unwrap().at;
    let start = host.start(WEB);
    let run = host.come_up(WEB);
    assert_eq!(host.outcome(start), Some(Outcome::Started(run)));
    assert_eq!(host.view(WEB).streak, 1, "the streak stays");
    host.advance_to(old + secs(1));
    assert_eq!((host.spawns(WEB), host.run(WEB)), (2, run));
}

#[test]
fn rule_2_a_start_while_stopping_waits_until_the_tree_is_gone() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.stop(WEB);
    let start = host.start(WEB);
    let join = host.start(WEB);
    host.exit(WEB, CLEAN);
    assert_eq!((host.spawns(WEB), host.outcome(start)), (1, None));
    host.gone(WEB);
    assert_eq!(host.spawns(WEB), 2);
    let run = host.come_up(WEB);
    for request in [start, join] {
        assert_eq!(host.outcome(request), Some(Outcome::Started(run)));
    }
}

#[test]
fn rule_2_who_asks_while_a_start_is_under_way_shares_its_failure() {
    let mut host = Host::new();
    let first = host.start_with(WEB, with_ready());
    let second = host.start(WEB);
    host.report(WEB, Report::Spawned);
    let third = host.start(WEB);
    host.exit(WEB, CLEAN);
    let failed = Outcome::StartFailed(DownCause::ExitedBeforeReady(CLEAN));
    for request in [first, second, third] {
        assert_eq!(host.outcome(request), Some(failed));
    }
    assert_eq!(host.spawns(WEB), 1);
}

#[test]
fn rule_2_a_second_start_during_preparation_joins_the_first() {
    let mut host = Host::new();
    let first = host.start_with(WEB, with_prepare());
    host.report(WEB, Report::Spawned);
    let second = host.start_with(WEB, with_prepare());
    assert_eq!(host.spawns(WEB), 1);
    host.exit(WEB, CLEAN);
    assert_eq!((host.kills(WEB), host.spawns(WEB)), (1, 1), "first its rest must be gone");
    host.gone(WEB);
    let run = host.come_up(WEB);
    for request in [first, second] {
        assert_eq!(host.outcome(request), Some(Outcome::Started(run)));
    }
    assert_eq!(host.spawns(WEB), 2);
}

#[test]
fn rule_3_a_late_exit_of_an_old_run_kills_nothing() {
    let mut host = Host::new();
    let old = host.up(WEB, SlotOptions::default());
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    host.take_orders(WEB);
    let before = host.view(WEB);
    for report in [
        Report::LeaderExited(CRASH),
        Report::TreeGone { killed: 1, left: 0 },
        Report::Spawned,
        Report::SpawnFailed(SpawnFailure::NotFound),
        Report::Ready(Owner::Own),
        Report::Memory(u64::MAX),
        Report::Evict,
        Report::Leased,
    ] {
        host.report_of(WEB, old, report);
    }
    assert_eq!((host.view(WEB), host.take_orders(WEB)), (before, vec![]));
}

#[test]
fn rule_3_a_readiness_of_an_old_run_does_not_make_the_new_one_ready() {
    let mut host = Host::new();
    let old = host.up(WEB, with_ready());
    host.advance(secs(30));
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    host.report_of(WEB, old, Report::Ready(Owner::Own));
    assert_eq!(host.state(WEB), Some(StateName::Starting));
}

#[test]
fn rule_4_nothing_is_free_before_the_tree_is_gone() {
    let mut host = Host::new();
    host.up(WEB, with_ports(2));
    let block = host.block(WEB).unwrap();
    host.take_orders(WEB);
    let stop = host.stop(WEB);
    host.exit(WEB, CLEAN);
    host.advance(secs(5));
    assert_eq!((host.block(WEB), host.outcome(stop)), (Some(block), None));
    host.take_orders(WEB);
    host.gone(WEB);
    assert_eq!(host.take_orders(WEB), [Order::Unreserve(block)]);
    assert_eq!(host.outcome(stop), Some(Outcome::Stopped));
}

#[test]
fn rule_5_a_failed_boot_is_a_failure_whatever_the_exit_code_and_parks_like_any_other() {
    let mut host = Host::new();
    host.up(WEB, with_ready());
    for _ in 1..8 {
        host.crash(WEB, CLEAN);
        host.sit_out_backoff(WEB);
    }
    host.crash(WEB, CLEAN);
    assert_eq!(host.state(WEB), Some(StateName::Failed));
}

#[test]
fn rule_5_parked_stays_parked_whatever_comes_and_stop_drops_it() {
    let mut host = Host::new();
    let restart = RestartOptions { max_failures: 1, ..RestartOptions::default() };
    let run = host.up(WEB, SlotOptions { restart, ..SlotOptions::default() });
    host.crash(WEB, CRASH);
    let parked = host.view(WEB);
    assert_eq!(parked.state, StateName::Failed);
    let touch = host.ask(WEB, Ask::Touch);
    assert!(matches!(host.outcome(touch), Some(Outcome::Refused(Refusal::Parked(_)))));
    host.report_of(WEB, run, Report::LeaderExited(CLEAN));
    host.report_of(WEB, run, Report::Ready(Owner::Own));
    host.advance(secs(100_000));
    assert_eq!(host.view(WEB), parked);
    let stop = host.stop(WEB);
    assert_eq!((host.outcome(stop), host.state(WEB)), (Some(Outcome::Stopped), None));
}

#[test]
fn rule_6_an_unkillable_tree_is_named_and_keeps_its_block_and_nobody_waits_for_it() {
    let mut host = Host::new();
    host.up(WEB, with_ports(2));
    let block = host.block(WEB);
    let stop = host.stop(WEB);
    let start = host.start(WEB);
    host.advance(secs(15));
    for request in [stop, start, host.start(WEB)] {
        assert_eq!(host.outcome(request), Some(Outcome::Unkillable));
    }
    assert!(host.take_events(WEB).contains(&Event::Unkillable));
    assert_eq!((host.state(WEB), host.block(WEB)), (Some(StateName::Stopping), block));
    host.gone(WEB);
    assert_eq!((host.state(WEB), host.spawns(WEB)), (None, 1), "gone after all");
}

#[test]
fn rule_6_a_failure_that_turned_out_unkillable_goes_on_when_the_tree_is_gone_after_all() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.exit(WEB, CRASH);
    host.advance(secs(10));
    assert_eq!(host.view(WEB).next, None);
    host.gone(WEB);
    assert_eq!(host.state(WEB), Some(StateName::Restarting));
}

#[test]
fn rule_6_a_spawn_that_is_never_answered_fails_the_start_and_is_named() {
    let mut host = Host::new();
    let start = host.start(WEB);
    host.advance(secs(10));
    let overdue = Outcome::StartFailed(DownCause::SpawnFailed(SpawnFailure::TimedOut));
    assert_eq!((host.outcome(start), host.state(WEB)), (Some(overdue), Some(StateName::Stopping)));
    host.advance(secs(10));
    assert!(host.take_events(WEB).contains(&Event::Unkillable));

    host.report(WEB, Report::Spawned);
    assert_eq!(host.kills(WEB), 1, "what comes late does not live");
    host.crash(WEB, Exit::Signal(Signal::Kill));
    assert_eq!(host.state(WEB), Some(StateName::Error));
}

#[test]
fn rule_6_a_reservation_that_is_never_answered_fails_the_start() {
    let mut host = Host::new();
    let start = host.start_with(WEB, with_ports(1));
    host.advance(secs(10));
    let overdue = Outcome::StartFailed(DownCause::SpawnFailed(SpawnFailure::TimedOut));
    assert_eq!((host.outcome(start), host.state(WEB)), (Some(overdue), Some(StateName::Error)));
    assert_eq!(host.block(WEB), None);
}

#[test]
fn rule_7_concurrent_starts_never_share_a_port() {
    let mut host = Host::with(Settings { ports: 21_000..=21_007, ..Settings::default() });
    for (slot, count) in [(0, 2), (1, 3), (2, 1)] {
        host.start_with(SlotId::new(slot), with_ports(count));
        assert!(host.block(SlotId::new(slot)).is_some());
    }
    let full = host.start_with(SlotId::new(3), with_ports(4));
    let failed = Outcome::StartFailed(DownCause::SpawnFailed(SpawnFailure::NoPorts));
    assert_eq!(host.outcome(full), Some(failed));
    assert_eq!(host.state(SlotId::new(3)), Some(StateName::Error));
}

#[test]
fn rule_7_busy_blocks_are_skipped_and_each_is_tried_once() {
    let mut host = Host::with(Settings { ports: 21_000..=21_005, ..Settings::default() });
    let start = host.start_with(WEB, with_ports(2));
    let mut tried = Vec::new();
    while let Some(block) = host.block(WEB) {
        tried.push(block.first());
        host.report(WEB, Report::PortsBusy);
    }
    assert_eq!(tried, [21_000, 21_002, 21_004]);
    let failed = Outcome::StartFailed(DownCause::SpawnFailed(SpawnFailure::NoPorts));
    assert_eq!(host.outcome(start), Some(failed));
}

#[test]
fn rule_7_the_answer_of_a_stranger_makes_no_run_ready_unless_any_owner_will_do() {
    for (any_owner, state) in [(false, StateName::Starting), (true, StateName::Running)] {
        let mut host = Host::new();
        let ready = Some(ReadyOptions { any_owner, ..ReadyOptions::default() });
        host.up(WEB, SlotOptions { ready, ..SlotOptions::default() });
        host.report(WEB, Report::Ready(Owner::Stranger));
        assert_eq!(host.state(WEB), Some(state));
    }
}

#[test]
fn rule_8_shutdown_ends_a_slot_in_each_state() {
    let mut host = Host::new();
    let slots: Vec<_> = (0..6).map(SlotId::new).collect();
    let [reserving, spawning, running, restarting, parked, error] = slots[..] else { panic!() };
    host.start_with(reserving, with_ports(1));
    host.start(spawning);
    host.up(running, SlotOptions::default());
    host.up(restarting, SlotOptions::default());
    host.crash(restarting, CRASH);
    let once = RestartOptions { max_failures: 1, ..RestartOptions::default() };
    host.up(parked, SlotOptions { restart: once, ..SlotOptions::default() });
    host.crash(parked, CRASH);
    host.start(error);
    host.report(error, Report::SpawnFailed(SpawnFailure::NotFound));

    let shutdown = host.shut_down(Urgency::Orderly);
    assert_eq!((host.state(reserving), host.state(restarting)), (None, None));
    assert_eq!(host.state(parked), Some(StateName::Failed), "it stays parked");
    host.report(spawning, Report::Spawned);
    host.gone(running);
    assert_eq!(host.outcome(shutdown), None, "the late spawn must end first");
    host.gone(spawning);
    assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 0 }));
    assert_eq!(host.spawns(spawning) + host.spawns(running), 2);
}

#[test]
fn rule_8_a_second_more_urgent_shutdown_cuts_flush_and_grace_short() {
    for options in
        [SlotOptions::default(), SlotOptions { flush: Some(secs(5)), ..SlotOptions::default() }]
    {
        let mut host = Host::new();
        host.up(WEB, options);
        let first = host.shut_down(Urgency::Orderly);
        assert_eq!(host.kills(WEB), 0);
        let second = host.shut_down(Urgency::Immediate);
        assert_eq!(host.kills(WEB), 1);
        let third = host.shut_down(Urgency::Orderly);
        host.gone(WEB);
        for request in [first, second, third] {
            assert_eq!(host.outcome(request), Some(Outcome::ShutDown { unkillable: 0 }));
        }
    }
}

#[test]
fn rule_8_what_is_spawned_late_in_an_urgent_shutdown_gets_sigkill_at_once() {
    let mut host = Host::new();
    host.start(WEB);
    host.shut_down(Urgency::Immediate);
    host.report(WEB, Report::Spawned);
    assert_eq!((host.signals(WEB), host.kills(WEB)), (0, 1));
}

#[test]
fn rule_8_an_unkillable_tree_delays_a_shutdown_only_up_to_a_bound() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.up(DB, SlotOptions::default());
    let shutdown = host.shut_down(Urgency::Orderly);
    host.gone(DB);
    host.advance(secs(15));
    assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 1 }));
}

#[test]
fn rule_8_a_shutdown_that_is_done_by_a_deadline_is_answered_before_the_input_that_came_with_it() {
    let mut host = Host::new();
    host.start(WEB);
    let shutdown = host.shut_down(Urgency::Orderly);
    host.oversleep(secs(10));
    host.report(WEB, Report::Spawned);
    assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 1 }));
    assert_eq!(host.kills(WEB), 1);
}

#[test]
fn rule_8_a_shutdown_of_nothing_is_answered_at_once_and_each_time() {
    let mut host = Host::new();
    for _ in 0..2 {
        let shutdown = host.shut_down(Urgency::Orderly);
        assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 0 }));
    }
}

#[test]
fn rule_8_shutdown_cancels_starts_and_a_queued_start_that_follows_a_stop() {
    let mut host = Host::new();
    let starting = host.start(DB);
    host.up(WEB, SlotOptions::default());
    let stop = host.stop(WEB);
    let queued = host.start(WEB);
    host.shut_down(Urgency::Orderly);
    for request in [starting, queued] {
        assert_eq!(host.outcome(request), Some(Outcome::Cancelled));
    }
    host.gone(WEB);
    assert_eq!((host.outcome(stop), host.spawns(WEB)), (Some(Outcome::Stopped), 1));
}

#[test]
fn rule_8_shutdown_during_preparation_ends_its_tree_and_spawns_nothing() {
    let mut host = Host::new();
    let start = host.start_with(WEB, with_prepare());
    host.report(WEB, Report::Spawned);
    let shutdown = host.shut_down(Urgency::Orderly);
    assert_eq!((host.signals(WEB), host.outcome(start)), (1, Some(Outcome::Cancelled)));
    host.exit(WEB, CLEAN);
    host.gone(WEB);
    assert_eq!(host.outcome(shutdown), Some(Outcome::ShutDown { unkillable: 0 }));
    assert_eq!((host.spawns(WEB), host.state(WEB)), (1, None));
}

#[test]
fn rule_9_an_unused_slot_is_stopped_and_each_use_counts_anew() {
    let mut host = Host::new();
    host.start_with(WEB, with_idle());
    assert_eq!(host.view(WEB).last_used, None);
    host.come_up(WEB);
    assert_eq!(host.view(WEB).last_used, Some(host.now()));
    host.advance(secs(899));
    host.ask(WEB, Ask::Touch);
    assert_eq!(host.view(WEB).last_used, Some(host.now()));
    host.advance(secs(899));
    host.start(WEB);
    host.advance(secs(899));
    assert_eq!(host.state(WEB), Some(StateName::Running));
    host.advance(secs(1));
    assert_eq!(host.state(WEB), Some(StateName::Stopping));
    assert!(host.take_events(WEB).contains(&Event::Stopping(StopReason::Idle)));
}

#[test]
fn rule_9_a_lease_keeps_the_slot_until_it_is_returned() {
    let mut host = Host::new();
    host.start_with(WEB, with_idle());
    host.report(WEB, Report::Leased);
    host.come_up(WEB);
    host.report(WEB, Report::Leased);
    host.report(WEB, Report::Returned);
    host.advance(secs(100_000));
    assert_eq!(host.state(WEB), Some(StateName::Running), "taken while it was starting");
    host.report(WEB, Report::Returned);
    host.advance(secs(899));
    assert_eq!(host.state(WEB), Some(StateName::Running));
    host.advance(secs(1));
    assert_eq!(host.state(WEB), Some(StateName::Stopping));
}

#[test]
fn rule_9_at_the_deadline_a_connection_to_the_block_counts_as_use() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { ports: PortRequest::Auto(2), ..with_idle() });
    host.advance(secs(900));
    let ordered = host.now();
    let block = host.block(WEB).unwrap();
    assert!(host.take_orders(WEB).contains(&Order::CheckUse { block, ordered }));
    host.report(WEB, Report::UseChecked { ordered, in_use: true });
    host.advance(secs(900));
    let second = host.now();
    host.report(WEB, Report::UseChecked { ordered, in_use: false });
    assert_eq!(host.state(WEB), Some(StateName::Running), "that is an older check");
    host.report(WEB, Report::UseChecked { ordered: second, in_use: false });
    assert_eq!(host.state(WEB), Some(StateName::Stopping));
}

#[test]
fn rule_9_a_touch_overrules_a_check_that_is_under_way() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { ports: PortRequest::Auto(2), ..with_idle() });
    host.advance(secs(900));
    let ordered = host.now();
    host.ask(WEB, Ask::Touch);
    host.report(WEB, Report::UseChecked { ordered, in_use: false });
    host.advance(secs(20));
    assert_eq!(host.state(WEB), Some(StateName::Running));
}

#[test]
fn rule_9_a_check_that_is_never_answered_finds_the_slot_unused() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { ports: PortRequest::Auto(2), ..with_idle() });
    host.advance(secs(910));
    assert_eq!(host.state(WEB), Some(StateName::Stopping));
}

#[test]
fn rule_9_the_idle_deadline_of_an_earlier_run_means_nothing() {
    let mut host = Host::new();
    host.up(WEB, with_idle());
    host.advance(secs(890));
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    host.advance(secs(899));
    assert_eq!(host.state(WEB), Some(StateName::Running));
}

#[test]
fn rule_9_an_evicted_slot_is_stopped_with_that_reason() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    host.report(WEB, Report::Evict);
    assert!(host.take_events(WEB).contains(&Event::Stopping(StopReason::Eviction)));
    host.gone(WEB);
    assert_eq!(host.state(WEB), None);
}

#[test]
fn rule_10_slots_that_came_and_went_leave_no_block_behind() {
    let mut host = Host::with(Settings { ports: 21_000..=21_003, ..Settings::default() });
    for round in 0..50 {
        host.start_with(WEB, with_ports(2));
        match round % 4 {
            0 => {
                host.stop(WEB);
            }
            1 => {
                host.come_up(WEB);
                host.crash(WEB, CLEAN);
            }
            2 => {
                host.report(WEB, Report::Reserved);
                host.report(WEB, Report::SpawnFailed(SpawnFailure::NotFound));
                host.stop(WEB);
            }
            _ => {
                host.come_up(WEB);
                host.crash(WEB, CRASH);
                host.stop(WEB);
            }
        }
        assert_eq!(host.state(WEB), None);
    }
}

#[test]
fn rule_11_an_owner_that_cannot_be_read_is_accepted() {
    let mut host = Host::new();
    host.up(WEB, with_ready());
    host.take_events(WEB);
    host.report(WEB, Report::Ready(Owner::Unknown));
    let events = host.take_events(WEB);
    assert!(matches!(events[..], [Event::Ready { owner: Some(Owner::Unknown), .. }]), "{events:?}");
}

#[test]
fn rule_12_reports_of_slots_and_runs_that_do_not_exist_change_nothing() {
    let mut host = Host::new();
    let run = host.up(WEB, SlotOptions::default());
    host.take_events(WEB);
    host.report_of(DB, run, Report::LeaderExited(CRASH));
    host.report_of(SlotId::new(u16::MAX), run, Report::TreeGone { killed: 0, left: 0 });
    host.handle(Input::Request {
        slot: SlotId::new(u16::MAX),
        request: RequestId::new(99),
        ask: Ask::Stop,
    });
    assert_eq!(host.supervisor().slots().count(), 1);
    assert_eq!(host.outcome(RequestId::new(99)), Some(Outcome::Stopped));
}

#[test]
fn a_preparation_that_fails_or_hangs_ends_in_error_with_its_tree_gone() {
    for (hangs, failure) in
        [(false, PrepareFailure::Exit(CRASH)), (true, PrepareFailure::TimedOut(secs(600)))]
    {
        let mut host = Host::new();
        let start = host.start_with(WEB, with_prepare());
        host.report(WEB, Report::Spawned);
        if hangs {
            host.advance(secs(600));
            assert_eq!(host.signals(WEB), 1);
        } else {
            host.exit(WEB, CRASH);
            assert_eq!(host.kills(WEB), 1);
        }
        let cause = DownCause::PrepareFailed(failure);
        assert_eq!(host.outcome(start), Some(Outcome::StartFailed(cause)));
        assert_eq!(host.state(WEB), Some(StateName::Stopping));
        host.gone(WEB);
        assert_eq!(host.state(WEB), Some(StateName::Error));
        assert_eq!(host.view(WEB).streak, 0, "it never came to the command");
    }
}

#[test]
fn a_preparation_is_a_run_of_its_own_and_is_not_repeated_by_a_restart() {
    let mut host = Host::new();
    host.start_with(WEB, SlotOptions { ports: PortRequest::Auto(1), ..with_prepare() });
    let prepare = host.run(WEB);
    host.report(WEB, Report::Spawned);
    host.exit(WEB, CLEAN);
    host.gone(WEB);
    let main = host.come_up(WEB);
    assert_ne!(main, prepare);
    host.crash(WEB, CRASH);
    host.sit_out_backoff(WEB);
    let programs: Vec<_> = host
        .take_orders(WEB)
        .into_iter()
        .filter_map(|order| match order {
            Order::Spawn { program, .. } => Some(program),
            _ => None,
        })
        .collect();
    assert_eq!(programs, [Program::Prepare, Program::Main, Program::Main]);
}

#[test]
fn what_a_preparation_left_behind_and_nothing_can_end_is_named() {
    let mut host = Host::new();
    let start = host.start_with(WEB, with_prepare());
    host.report(WEB, Report::Spawned);
    host.exit(WEB, CLEAN);
    host.advance(secs(10));
    let cause = DownCause::PrepareFailed(PrepareFailure::Unkillable);
    assert_eq!(host.outcome(start), Some(Outcome::StartFailed(cause)));
    assert!(host.take_events(WEB).contains(&Event::Unkillable));
    host.gone(WEB);
    assert_eq!(host.state(WEB), Some(StateName::Error));
}
