//! The driver with mocks of the platform: that orders reach it and answers come back.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use worker_core::platform::{MockKill, MockSpawn};
use worker_core::{
    Ask, Block, Event, Exit, Kill, Launch, LaunchId, Outcome, Owner, PortRequest, Program,
    ReadyOptions, RestartOptions, RunId, Signal, SlotId, SlotOptions, Spawn, SpawnError,
    SpawnFailure, TreeEnd, Urgency,
};

use super::*;

const SLOT: SlotId = SlotId::new(0);

/// Both mocks as one platform, and the rest of a host.
struct Fake {
    spawn: MockSpawn,
    kill: MockKill,
    /// What never ends.
    hangs: &'static [Call],
    /// The latest run whose tree is being ended; a tree is not gone before that.
    ended: watch::Sender<u64>,
    unreserved: Arc<AtomicU32>,
}

/// Calls that can hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    LeaderExit,
    Signal,
    Flush,
}

impl Fake {
    fn end(&self, run: RunId) {
        self.ended.send_modify(|latest| *latest = run.get().max(*latest));
    }

    async fn hang(&self, call: Call) {
        if self.hangs.contains(&call) {
            pending::<()>().await;
        }
    }
}

#[async_trait]
impl Spawn for Fake {
    type Command = ();
    type Leader = ();

    async fn spawn(&self, run: RunId, command: ()) -> Result<(), SpawnError> {
        self.spawn.spawn(run, command).await
    }

    async fn leader_exit(&self, run: RunId) -> Exit {
        self.hang(Call::LeaderExit).await;
        self.spawn.leader_exit(run).await
    }
}

#[async_trait]
impl Kill for Fake {
    async fn signal_tree(&self, run: RunId, signal: Signal) {
        self.kill.signal_tree(run, signal).await;
        self.end(run);
        self.hang(Call::Signal).await;
    }

    async fn kill_group(&self, run: RunId) {
        self.kill.kill_group(run).await;
    }

    async fn kill_escapees(&self, run: RunId) {
        self.kill.kill_escapees(run).await;
        self.end(run);
    }

    async fn release(&self, run: RunId) {
        self.kill.release(run).await;
        self.end(run);
    }

    async fn tree_gone(&self, run: RunId) -> TreeEnd {
        self.ended.subscribe().wait_for(|latest| *latest >= run.get()).await.unwrap();
        self.kill.tree_gone(run).await
    }
}

#[async_trait]
impl Host for Fake {
    type Platform = Self;

    fn platform(&self) -> &Self {
        self
    }

    async fn reserve(&self, _: RunKey, block: Block) -> bool {
        block.first() != 21_000
    }

    fn unreserve(&self, _: Block) {
        self.unreserved.fetch_add(1, Ordering::Relaxed);
    }

    fn command(
        &self,
        _: RunKey,
        _: LaunchId,
        _: Program,
        _: Option<Block>,
    ) -> Result<(), SpawnError> {
        Ok(())
    }

    fn spawned(&self, run: RunKey, (): ()) -> i32 {
        1000 + i32::try_from(run.number).unwrap()
    }

    async fn await_ready(&self, _: RunKey, reports: &Reporter) {
        reports.report(Report::Ready(Owner::Stranger));
        reports.report(Report::Ready(Owner::Own));
    }

    async fn watch(&self, _: RunKey, _: &Reporter) {}

    async fn in_use(&self, _: Block) -> bool {
        false
    }

    async fn flush(&self, _: SlotId) {
        self.hang(Call::Flush).await;
    }

    fn leader_ended(&self, _: RunKey) {}

    async fn gone(&self, _: RunKey, _: Option<TreeEnd>) {}
}

fn platform(spawn: MockSpawn, kill: MockKill) -> Fake {
    Fake { spawn, kill, hangs: &[], ended: watch::channel(0).0, unreserved: Arc::default() }
}

fn launch(options: SlotOptions) -> Ask {
    Ask::Start(Launch { id: LaunchId::new(0), spec: options.build().unwrap() })
}

/// Restarts follow at once.
fn hasty() -> SlotOptions {
    let restart = RestartOptions {
        backoff: Duration::from_nanos(1),
        backoff_max: Duration::from_nanos(1),
        ..RestartOptions::default()
    };
    SlotOptions { restart, ..SlotOptions::default() }
}

/// Every spawn succeeds.
fn lasting() -> MockSpawn {
    let mut spawn = MockSpawn::new();
    spawn.expect_spawn().returning(|_, ()| Ok(()));
    spawn
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Drives until `story` ends.
async fn drive<H: Host, T>(driver: &mut Driver<H>, story: impl Future<Output = T>) -> T {
    tokio::select! {
        never = driver.drive() => match never {},
        told = story => told,
    }
}

async fn next(notices: &mut UnboundedReceiver<Notice>, matches: fn(&Event) -> bool) -> Notice {
    loop {
        let notice = notices.recv().await.unwrap();
        if matches(&notice.event) {
            return notice;
        }
    }
}

fn driver(host: Fake) -> Driver<Fake> {
    Driver::new(Settings::default(), Clock::start(), host)
}

#[test]
fn a_crash_loop_spawns_eight_times_kills_each_group_once_and_is_parked() {
    let (mut spawn, mut kill) = (MockSpawn::new(), MockKill::new());
    spawn.expect_spawn().times(8).returning(|_, ()| Ok(()));
    spawn.expect_leader_exit().times(8).returning(|_| Exit::Code(3));
    kill.expect_kill_group().times(8).returning(|_| ());
    kill.expect_kill_escapees().times(8).returning(|_| ());
    let end = TreeEnd { killed: 2, left: 0 };
    kill.expect_tree_gone().times(8).returning(move |_| end);
    let mut driver = driver(platform(spawn, kill));
    let mut notices = driver.subscribe();
    let answer = driver.handle().ask(SLOT, launch(hasty()));
    let parked = run(drive(&mut driver, async {
        assert!(matches!(answer.await, Ok(Outcome::Started(_))));
        let gone = next(&mut notices, |event| matches!(event, Event::TreeGone { .. })).await;
        assert_eq!(gone.event, Event::TreeGone { killed: 2, left: 0 });
        assert_eq!(gone.pid, Some(1001));
        next(&mut notices, |event| matches!(event, Event::Failed(_))).await
    }));
    assert_eq!(parked.run.map(|run| run.number), Some(8));
    assert_eq!(parked.pid, Some(1008));
}

#[test]
fn a_spawn_that_fails_is_answered_with_its_cause_and_told_in_words() {
    let mut spawn = MockSpawn::new();
    let message = "no such program: /bin/nope";
    spawn.expect_spawn().times(1).returning(move |_, ()| {
        let failure = SpawnFailure::NotFound;
        Err(SpawnError { failure, message: message.to_owned() })
    });
    let mut driver = driver(platform(spawn, MockKill::new()));
    let mut notices = driver.subscribe();
    let answer = driver.handle().ask(SLOT, launch(hasty()));
    let error = run(drive(&mut driver, async {
        assert!(matches!(answer.await, Ok(Outcome::StartFailed(_))));
        next(&mut notices, |event| matches!(event, Event::Error(_))).await
    }));
    assert_eq!(error.spawn_error.as_deref(), Some(message));
    assert_eq!(error.pid, None);
}

#[test]
fn a_platform_that_hangs_does_not_hold_up_the_loop() {
    let mut kill = MockKill::new();
    kill.expect_signal_tree().times(1).returning(|_, _| ());
    let hangs = &[Call::LeaderExit, Call::Signal];
    let mut driver = driver(Fake { hangs, ..platform(lasting(), kill) });
    let mut notices = driver.subscribe();
    let handle = driver.handle();
    let started = handle.ask(SLOT, launch(hasty()));
    run(drive(&mut driver, async {
        assert!(matches!(started.await, Ok(Outcome::Started(_))));
        let _stopped = handle.ask(SLOT, Ask::Stop);
        next(&mut notices, |event| matches!(event, Event::Stopping(_))).await;
        let touched = handle.ask(SLOT, Ask::Touch).await;
        assert!(matches!(touched, Ok(Outcome::Refused(_))));
    }));
}

#[test]
fn a_companion_that_hangs_does_not_hold_up_the_signal() {
    let mut kill = MockKill::new();
    let (signalled, mut signals) = mpsc::unbounded_channel();
    kill.expect_signal_tree().times(1).returning(move |_, signal| {
        signalled.send(signal).unwrap();
    });
    let mut driver =
        driver(Fake { hangs: &[Call::LeaderExit, Call::Flush], ..platform(lasting(), kill) });
    let handle = driver.handle();
    let options = SlotOptions { flush: Some(Duration::from_millis(1)), ..hasty() };
    let started = handle.ask(SLOT, launch(options));
    run(drive(&mut driver, async {
        assert!(matches!(started.await, Ok(Outcome::Started(_))));
        let _stopped = handle.ask(SLOT, Ask::Stop);
        assert_eq!(signals.recv().await, Some(Signal::Term));
    }));
}

#[test]
fn a_busy_block_is_given_back_and_a_stranger_does_not_make_a_run_ready() {
    let hangs = &[Call::LeaderExit];
    let host = Fake { hangs, ..platform(lasting(), MockKill::new()) };
    let unreserved = Arc::clone(&host.unreserved);
    let mut driver = driver(host);
    let mut notices = driver.subscribe();
    let ready = Some(ReadyOptions::default());
    let options = SlotOptions { ports: PortRequest::Auto(2), ready, ..SlotOptions::default() };
    let started = driver.handle().ask(SLOT, launch(options));
    run(drive(&mut driver, async {
        let spawned = next(&mut notices, |event| matches!(event, Event::Spawned { .. })).await;
        assert_eq!(spawned.event, Event::Spawned { block: Block::new(21_002, 2) });
        let ready = next(&mut notices, |event| matches!(event, Event::Ready { .. })).await;
        assert!(matches!(ready.event, Event::Ready { owner: Some(Owner::Own), .. }));
        assert!(matches!(started.await, Ok(Outcome::Started(_))));
    }));
    assert_eq!(unreserved.load(Ordering::Relaxed), 1);
}

#[test]
fn a_recorded_run_replays_to_the_same_actions() {
    let (mut spawn, mut kill) = (lasting(), MockKill::new());
    spawn.expect_leader_exit().returning(|_| Exit::Signal(Signal::Kill));
    kill.expect_kill_group().returning(|_| ());
    kill.expect_kill_escapees().returning(|_| ());
    kill.expect_tree_gone().returning(|_| TreeEnd::default());
    let mut driver = driver(platform(spawn, kill));
    let (recorder, mut steps) = mpsc::unbounded_channel();
    driver.record(recorder);
    let mut notices = driver.subscribe();
    let _started = driver.handle().ask(SLOT, launch(hasty()));
    let shutdown = driver.handle();
    run(drive(&mut driver, async {
        next(&mut notices, |event| matches!(event, Event::Failed(_))).await;
        let down = shutdown.shutdown(Urgency::Orderly).await;
        assert_eq!(down, Ok(Outcome::ShutDown { unkillable: 0 }));
    }));
    let mut replayed = Supervisor::new(Settings::default());
    let mut count = 0;
    while let Ok(step) = steps.try_recv() {
        let mut actions = Vec::new();
        replayed.handle(step.now, step.input, &mut actions);
        assert_eq!(actions, step.actions);
        count += actions.len();
    }
    assert!(count > 8 * 6, "eight lives of at least six actions each, not {count}");
}
