//! Any inputs in any order keep the rules, which every step is checked against.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks out what it is about")]

use std::time::Duration;

use proptest::prelude::*;
use worker_core::invariant::Watcher;
use worker_core::{
    Action, AliveOptions, Ask, Exit, Input, Instant, Launch, LaunchId, OnCleanExit, Outcome, Owner,
    PortRequest, PrepareOptions, ReadyOptions, Report, RequestId, RestartOptions, RestartWhen,
    RunId, Settings, SlotId, SlotOptions, SpawnFailure, StopOptions, Supervisor, Urgency,
};

/// One move of a stranger at the door.
#[derive(Clone, Debug)]
enum Move {
    Wait(Duration),
    Ask(u16, Ask),
    /// About the present run, or one so many before it.
    Report(u16, u64, Report),
    Shutdown(Urgency),
}

fn options() -> impl Strategy<Value = SlotOptions> {
    let restart = (
        1..4_u32,
        prop_oneof![
            Just(RestartWhen::OnFailure),
            Just(RestartWhen::Always),
            Just(RestartWhen::Never),
        ],
    );
    (restart, 0..3_u16, any::<[bool; 7]>()).prop_map(|((max_failures, when), ports, on)| {
        SlotOptions {
            prepare: on[0].then(PrepareOptions::default),
            ports: PortRequest::Auto(ports),
            ready: on[1]
                .then(|| ReadyOptions { timeout: Duration::from_secs(3), any_owner: on[2] }),
            alive: on[3].then_some(AliveOptions { failures: 2 }),
            stop: StopOptions { grace: Duration::from_secs(2), ..StopOptions::default() },
            restart: RestartOptions { max_failures, when, ..RestartOptions::default() },
            idle: on[4].then_some(Duration::from_secs(20)),
            memory_limit: on[5].then_some(10),
            on_clean_exit: if on[6] { OnCleanExit::Reap } else { OnCleanExit::Leave },
            flush: on[3].then_some(Duration::from_secs(1)),
        }
    })
}

fn launch() -> impl Strategy<Value = Launch> {
    options().prop_map(|options| Launch { id: LaunchId::new(1), spec: options.build().unwrap() })
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        4 => launch().prop_map(Ask::Start),
        2 => Just(Ask::Stop),
        1 => launch().prop_map(Ask::Restart),
        1 => Just(Ask::Reset),
        1 => Just(Ask::Touch),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    prop_oneof![
        3 => Just(Report::Reserved),
        1 => Just(Report::PortsBusy),
        4 => Just(Report::Spawned),
        1 => Just(Report::SpawnFailed(SpawnFailure::NotFound)),
        3 => prop_oneof![Just(Owner::Own), Just(Owner::Stranger), Just(Owner::Unknown)]
            .prop_map(Report::Ready),
        1 => any::<bool>().prop_map(Report::Alive),
        1 => (0..20_u64).prop_map(Report::Memory),
        1 => (0..40_000_u64, any::<bool>()).prop_map(|(at, in_use)| {
            Report::UseChecked { ordered: Instant::from_millis(at), in_use }
        }),
        1 => prop_oneof![Just(Report::Leased), Just(Report::Returned)],
        1 => prop_oneof![Just(Report::Evict), Just(Report::Flushed)],
        4 => (0..2).prop_map(|code| Report::LeaderExited(Exit::Code(code))),
        4 => (0..2_u32).prop_map(|killed| Report::TreeGone { killed, left: 0 }),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0..4_000_u64).prop_map(|ms| Move::Wait(Duration::from_millis(ms))),
        1 => Just(Move::Wait(Duration::from_secs(100))),
        3 => (0..2_u16, ask()).prop_map(|(slot, ask)| Move::Ask(slot, ask)),
        12 => (0..2_u16, prop_oneof![9 => Just(0), 1 => 1..4_u64], report())
            .prop_map(|(slot, ago, report)| Move::Report(slot, ago, report)),
        1 => prop_oneof![
            9 => Just(Move::Wait(Duration::ZERO)),
            1 => Just(Move::Shutdown(Urgency::Orderly)),
            1 => Just(Move::Shutdown(Urgency::Immediate)),
        ],
    ];
    proptest::collection::vec(one, 0..120)
}

/// Plays the moves; gives the requests that were made, and all actions.
fn play(moves: Vec<Move>) -> (u64, Vec<Action>, Watcher) {
    let settings = Settings { ports: 21_000..=21_004, ..Settings::default() };
    let mut watcher = Watcher::new(Supervisor::new(settings));
    let (mut now, mut requests, mut actions) = (Instant::ZERO, 0, Vec::new());
    for one in moves {
        let mut next_request = || {
            requests += 1;
            RequestId::new(requests)
        };
        let input = match one {
            Move::Wait(time) => {
                now = now + time;
                Input::Tick
            }
            Move::Ask(slot, ask) => {
                Input::Request { slot: SlotId::new(slot), request: next_request(), ask }
            }
            Move::Shutdown(urgency) => Input::Shutdown { request: next_request(), urgency },
            Move::Report(slot, ago, report) => {
                let slot = SlotId::new(slot);
                let present = watcher.supervisor().slot(slot).and_then(|view| view.run);
                let run = RunId::new(present.map_or(1, RunId::get).saturating_sub(ago));
                Input::Report { slot, run, report }
            }
        };
        watcher.handle(now, input, &mut actions).unwrap_or_else(|broken| panic!("{broken}"));
    }
    (requests, actions, watcher)
}

fn answers(actions: &[Action], of: u64) -> Vec<Outcome> {
    let outcome = |action: &Action| match *action {
        Action::Answer { request, outcome } if request.get() == of => Some(outcome),
        _ => None,
    };
    actions.iter().filter_map(outcome).collect()
}

proptest! {
    // What fails is named by the rule and its moves; a file of old failures would only be noise
    // beside the seeds of the simulation.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_in_any_order_keep_the_rules_and_answer_no_request_twice(moves in moves()) {
        let (requests, actions, _) = play(moves);
        for request in 1..=requests {
            prop_assert!(answers(&actions, request).len() <= 1);
        }
    }

    #[test]
    fn a_shutdown_answers_every_request_within_its_bounds(moves in moves()) {
        let (requests, mut actions, mut watcher) = play(moves);
        let shutdown = RequestId::new(requests + 1);
        let begin = Input::Shutdown { request: shutdown, urgency: Urgency::Orderly };
        let mut now = Instant::ZERO;
        watcher.handle(now, begin, &mut actions).unwrap();
        while let Some(next) = watcher.supervisor().next_wakeup() {
            now = now.max(next.at);
            watcher.handle(now, Input::Tick, &mut actions).unwrap();
        }
        for request in 1..=requests + 1 {
            prop_assert_eq!(answers(&actions, request).len(), 1, "request {}", request);
        }
    }
}
