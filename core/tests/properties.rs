//! Any inputs in any order keep the rules, which every step is checked against.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use proptest::prelude::*;
use worker_core::invariant::Watcher;
use worker_core::{
    Action, AliveOptions, Ask, DownCause, Exit, Failures, Input, Instant, Launch, LaunchId,
    OnCleanExit, Owner, Parked, Past, PortRequest, PrepareOptions, ReadyOptions, Report, RequestId,
    RestartOptions, RestartWhen, RunId, Settings, SlotId, SlotOptions, SpawnFailure, StopOptions,
    Streak, Supervisor, Urgency,
};

/// One move of a stranger at the door.
#[derive(Clone, Debug)]
enum Move {
    Wait(Duration),
    Ask(u16, Ask),
    /// The supervisor dies with its processes, and another one resumes what there was.
    Die(Launch),
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
        1 => (launch(), past()).prop_map(|(launch, past)| Ask::Resume(launch, Box::new(past))),
        1 => Just(Ask::Reset),
        1 => Just(Ask::Touch),
    ]
}

fn past() -> impl Strategy<Value = Past> {
    let cause = DownCause::Exited(Exit::Unknown);
    let streak = (1..5_u32, 0..40_000_u64).prop_map(move |(failures, latest)| {
        let failures = NonZeroU32::new(failures).unwrap();
        Failures::Streak(Streak { failures, latest: Instant::from_millis(latest), cause })
    });
    let parked = (0..5_u32).prop_map(move |streak| {
        Failures::Parked(Parked { streak, window: Duration::from_secs(300), last: cause })
    });
    (0..3_u32, prop_oneof![Just(Failures::None), streak, parked])
        .prop_map(|(spawns, failures)| Past { spawns, failures })
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
        1 => launch().prop_map(Move::Die),
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

/// What there is when some moves were played.
struct Played {
    watcher: Watcher,
    now: Instant,
    /// The requests that the present supervisor got.
    requests: RangeInclusive<u64>,
    actions: Vec<Action>,
}

impl Played {
    fn new(now: Instant, first_request: u64) -> Self {
        let settings = Settings { ports: 21_000..=21_004, ..Settings::default() };
        let watcher = Watcher::new(Supervisor::new(settings));
        Self { watcher, now, requests: first_request..=first_request - 1, actions: Vec::new() }
    }

    fn next_request(&mut self) -> RequestId {
        let next = self.requests.end() + 1;
        self.requests = *self.requests.start()..=next;
        RequestId::new(next)
    }

    fn handle(&mut self, input: Input) {
        let step = self.watcher.handle(self.now, input, &mut self.actions);
        step.unwrap_or_else(|broken| panic!("{broken}"));
    }

    fn ask(&mut self, slot: SlotId, ask: Ask) {
        let request = self.next_request();
        self.handle(Input::Request { slot, request, ask });
    }

    fn make(&mut self, one: Move) {
        match one {
            Move::Wait(time) => {
                self.now = self.now + time;
                self.handle(Input::Tick);
            }
            Move::Ask(slot, ask) => self.ask(SlotId::new(slot), ask),
            Move::Die(launch) => self.die(&launch),
            Move::Shutdown(urgency) => {
                let request = self.next_request();
                self.handle(Input::Shutdown { request, urgency });
            }
            Move::Report(slot, ago, report) => {
                let slot = SlotId::new(slot);
                let present = self.watcher.supervisor().slot(slot).and_then(|view| view.run);
                let run = RunId::new(present.map_or(1, RunId::get).saturating_sub(ago));
                self.handle(Input::Report { slot, run, report });
            }
        }
    }

    fn die(&mut self, launch: &Launch) {
        let pasts: Vec<_> = self.watcher.supervisor().slots().collect();
        *self = Self::new(self.now, self.requests.end() + 1);
        for (slot, view) in pasts {
            self.ask(slot, Ask::Resume(launch.clone(), Box::new(view.past)));
        }
    }

    fn answers(&self, of: u64) -> usize {
        let answered = |action: &&Action| matches!(action, Action::Answer { request, .. } if request.get() == of);
        self.actions.iter().filter(answered).count()
    }
}

fn play(moves: Vec<Move>) -> Played {
    let mut played = Played::new(Instant::ZERO, 1);
    moves.into_iter().for_each(|one| played.make(one));
    played
}

proptest! {
    // What fails is named by the rule and its moves; a file of old failures would only be noise
    // beside the seeds of the simulation.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_in_any_order_keep_the_rules_and_answer_no_request_twice(moves in moves()) {
        let played = play(moves);
        for request in played.requests.clone() {
            prop_assert!(played.answers(request) <= 1);
        }
    }

    #[test]
    fn a_shutdown_answers_every_request_within_its_bounds(moves in moves()) {
        let mut played = play(moves);
        played.make(Move::Shutdown(Urgency::Orderly));
        while let Some(next) = played.watcher.supervisor().next_wakeup() {
            played.now = played.now.max(next.at);
            played.handle(Input::Tick);
        }
        for request in played.requests.clone() {
            prop_assert_eq!(played.answers(request), 1, "request {}", request);
        }
    }
}
